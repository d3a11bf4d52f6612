-- What happens because time passed. Whichever engine ticks first does it; a timer whose matter is settled is nothing.

local EVENTS_KEPT = 1000000
local AFTER_A_FAULT_MS = 60000

EXPIRED = {
  lease = lapse,
  item = due_item,
  absent = absent,

  wrapup = function(id)
    local a = load_agent(id)
    if not a then return end
    local over = {}
    for _, hand in ipairs(a.hands) do
      if hand.work == 'wrapup' and hand.till <= NOW then over[#over + 1] = hand.token end
    end
    for _, token in ipairs(over) do
      drop_hand(a, token)
      journal('wrapup.ended', match(token, '^%d+%-(.+)$'), '"agent":' .. named(id))
    end
    arm_wrapup(a)
    if over[1] then employ(a) end
  end,

  ahead = function(id)
    local a = load_agent(id)
    if a then look_ahead(a) end
  end,

  cool = function(id)
    local a = load_agent(id)
    if a then employ(a) end
  end,

  place = function(place) call('HDEL', PREFIX .. 'places', place) end,
}

-- tick() -> { how many timers were due (at most 100 are taken at a time), the life, timer, fault, … of those that could
-- not be handled }. due_in_ms is that of the earliest timer of all: 0 when more are due already.
-- O(R log n) a timer
register('tick', function()
  local due = call('ZRANGE', TIMERS, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, BATCH)
  -- All of them first: what one of them arms again while another is handled must stay armed.
  if due[1] then call('ZREM', TIMERS, unpack(due)) end
  local result = { #due, call('GET', PREFIX .. 'life') or '' }
  for _, timer in ipairs(due) do
    local kind, subject = match(timer, '^(%l+):(.*)$')
    local expire = EXPIRED[kind]
    if expire then -- else it is of another version of this library
      local done, fault = pcall(expire, subject)
      if not done then
        -- A fault in one must not stop all the others, nor be met again and again at once.
        arm(timer, NOW + AFTER_A_FAULT_MS)
        result[#result + 1], result[#result + 2] = timer, type(fault) == 'table' and fault.err or tostring(fault)
      end
    end
  end
  call('XTRIM', JOURNAL, 'MAXLEN', '~', EVENTS_KEPT)
  local first = call('ZRANGE', TIMERS, 0, 0, 'WITHSCORES')
  next_due = first[2] and tonumber(first[2]) or nil
  return result
end)
