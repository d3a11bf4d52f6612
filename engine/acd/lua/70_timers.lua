-- What happens because time passed. Whichever engine ticks first does it; a timer whose matter is settled is nothing.

local EXPIRED = {
  lease = lapse,
  item = due_item,
  absent = absent,

  wrapup = function(id)
    local a = load_agent(id)
    if not a then return end
    local first, over = nil, {}
    for _, hand in ipairs(a.hands) do
      if hand.work == 'wrapup' then
        if hand.till <= NOW then over[#over + 1] = hand.token
        elseif not first or hand.till < first then first = hand.till end
      end
    end
    for _, token in ipairs(over) do
      drop_hand(a, token)
      journal('wrapup.ended', string.match(token, '^%d+%-(.+)$'), '"agent":' .. quoted(id))
    end
    if first then arm('wrapup:' .. id, first) end
    if over[1] then settle(a) end
  end,

  cool = function(id)
    local a = load_agent(id)
    if a then settle(a) end
  end,

  place = function(place) call('HDEL', PREFIX .. 'places', place) end,
}

-- tick() -> how many timers were due (at most 100 are taken at a time); -1 if this domain knows no agents: Redis was
-- emptied, or nothing was ever defined. due_in_ms is that of the earliest timer of all: 0 when more are due already.
-- O(R log n) a timer
register('tick', function()
  local timers = PREFIX .. 'timers'
  local due = call('ZRANGE', timers, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, BATCH)
  -- All of them first: what one of them arms again while another is handled must stay armed.
  if due[1] then call('ZREM', timers, unpack(due)) end
  for _, timer in ipairs(due) do
    local kind, subject = string.match(timer, '^(%l+):(.*)$')
    local expire = EXPIRED[kind]
    if expire then expire(subject) end -- else it is of another version of this library
  end
  local first = call('ZRANGE', timers, 0, 0, 'WITHSCORES')
  next_due = first[2] and tonumber(first[2]) or nil
  if not due[1] and call('EXISTS', PREFIX .. 'agents') == 0 then return -1 end
  return #due
end)
