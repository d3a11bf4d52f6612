-- What happens because time passed. Whichever engine ticks first does it; a timer whose matter is settled is nothing.

local BATCH = 100

local EXPIRED = {
  lease = lapse,

  wrapup = function(id)
    local a = load_agent(id)
    if not a or a.work ~= 'wrapup' or a.wrapup_until > NOW then return end
    journal('wrapup.ended', a.item, '"agent":' .. quoted(id))
    a.wrapup_until = 0
    set_work(a, 'idle', '', '')
    settle(a)
  end,

  cooldown = function(id)
    local a = load_agent(id)
    if a then settle(a) end
  end,

  exclusion = function(id)
    local i = load_item(id)
    -- An item under offer comes back through end_missed, which arms its timer again.
    if i and i.state == 'waiting' and not match_item(i) then
      save_item(i)
      arm_exclusion(i)
    end
  end,
}

-- tick() -> how many timers were due (at most 100 are taken at a time). due_in_ms is that of the earliest timer of
-- all: 0 when more are due already. O(R log n) a timer
register('tick', function()
  local timers = PREFIX .. 'timers'
  local due = call('ZRANGE', timers, '-inf', NOW, 'BYSCORE', 'LIMIT', 0, BATCH)
  -- All of them first: what one of them arms again while another is handled must stay armed.
  if due[1] then call('ZREM', timers, unpack(due)) end
  for _, timer in ipairs(due) do
    local kind, subject = string.match(timer, '^(%l+):(.*)$')
    EXPIRED[kind](subject)
  end
  local first = call('ZRANGE', timers, 0, 0, 'WITHSCORES')
  next_due = first[2] and tonumber(first[2]) or nil
  return #due
end)
