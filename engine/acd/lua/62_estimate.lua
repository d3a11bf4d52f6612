-- What estimates are made of, and how good they were. pace:Q holds decayed sums, so that a morning is not judged by the
-- night before: at (as of), left (when the last one left the line), served (how many left it, for an agent or because
-- they gave up), overtook (how many of those had come in front of others), worked (ms during which there was a line,
-- times the agents at work), handled (items finished), handle (ms that agents had them), ring (ms of it until they
-- answered).

local PACE_DECAY_MS = 1800000 -- less, and slow lines are judged by chance; more, and it follows nothing
local DECAYING = { 'served', 'overtook', 'worked', 'handled', 'handle', 'ring' }

local function pace_of(queue)
  local packed = call('GET', PREFIX .. 'pace:' .. queue)
  local pace = packed and unpacked_pace(packed) or { at = NOW, left = 0 }
  local kept = math.exp((pace.at - NOW) / PACE_DECAY_MS)
  for _, sum in ipairs(DECAYING) do pace[sum] = (pace[sum] or 0) * kept end
  pace.at = NOW
  return pace
end

local function save_pace(queue, pace)
  call('SET', PREFIX .. 'pace:' .. queue, packed_pace(pace))
end

local function staffed_in(line) return tonumber(call('HGET', STAFFED, line) or 0) end

local function overtakes(i) return i.head > 0 or i.strict > 0 end

-- Since the last one left: how long there has been a line with this item in it, times those who work at it.
local function worked_at(i, pace, staffed) return math.max(NOW - math.max(pace.left, i.at), 0) * staffed end

-- An item leaves a line in which it had stood. O(1)
served = function(i)
  if not i.terms.reckoned then return end
  local pace = pace_of(i.queue)
  pace.worked = pace.worked + worked_at(i, pace, staffed_in(i.line))
  pace.served, pace.left = pace.served + 1, NOW
  if overtakes(i) then pace.overtook = pace.overtook + 1 end
  save_pace(i.queue, pace)
end

-- An agent who had it is done with it, after `ring` ms until they answered and `talk` ms from then on. O(1)
local function handled(i, ring, talk)
  if not i.terms.reckoned then return end
  local pace = pace_of(i.queue)
  pace.handled, pace.ring, pace.handle = pace.handled + 1, pace.ring + ring, pace.handle + ring + talk + i.terms.wrapup
  save_pace(i.queue, pace)
end

-- Somebody who was told how long it would take has been answered. Counted from what they were told first. O(1)
measure = function(i)
  local told, key = i.told, PREFIX .. 'accuracy:' .. i.queue
  local took = NOW - told.at
  local off = took - told.likely
  call('HINCRBY', key, 'told', 1)
  if took >= told.low and took <= told.high then call('HINCRBY', key, 'within', 1) end
  call('HINCRBY', key, 'took', whole(took))
  call('HINCRBY', key, 'error', whole(math.abs(off)))
  call('HINCRBY', key, 'bias', whole(off))
end

-- said(item, position, low_ms, high_ms, likely_ms) -> 1, or 0 if unknown. What the caller is being told: their place,
-- and a range unless high_ms is 0; likely_ms is the middle of what was reckoned. O(1)
register('said', function(args)
  local i = load_item(args[3])
  if not i then return 0 end
  local low, high = tonumber(args[5]), tonumber(args[6])
  i.said_place = tonumber(args[4])
  if high > 0 then
    i.told = i.told or { at = NOW, low = low, high = high, likely = tonumber(args[7]) }
    i.said_by = NOW + high
  end
  save_item(i)
  return 1
end)

-- estimate(item) -> { position, staffed, served, worked, handled, handle, ring, said_place, said }: see Figures in
-- states.py; said is '' if nothing was; 0 if the item is unknown. O(log n)
register('estimate', function(args)
  local i = load_item(args[3])
  if not i then return 0 end
  local pace, position, staffed = pace_of(i.queue), position_of(i), staffed_in(i.line)
  -- A line that has not moved for long is slower than its past: the time since the last one left counts as well.
  if position > 0 then pace.worked = pace.worked + worked_at(i, pace, staffed) end
  -- Whoever comes with a head start leaves the line without those behind them getting on.
  if not overtakes(i) then pace.served = pace.served - pace.overtook end
  local function precise(number) return format('%.3f', number) end
  return {
    position, staffed, precise(pace.served), precise(pace.worked), precise(pace.handled), precise(pace.handle),
    precise(pace.ring), i.said_place, i.said_by > 0 and whole(i.said_by - NOW) or '',
  }
end, { 'no-writes' })

-- accuracy() -> for each queue whose callers were told something { queue, told, within, took, error, bias }: see Accuracy
-- in states.py, but sums. O(queues)
register('accuracy', function()
  local found = {}
  for _, queue in ipairs(call('HKEYS', PREFIX .. 'queues')) do
    local f = call('HMGET', PREFIX .. 'accuracy:' .. queue, 'told', 'within', 'took', 'error', 'bias')
    if f[1] then found[#found + 1] = { queue, f[1], f[2] or '0', f[3], f[4], f[5] } end
  end
  return found
end, { 'no-writes' })
