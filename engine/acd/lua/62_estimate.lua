-- What estimates are made of, and how good they were. pace:Q holds decayed sums, so that a morning is not judged by the
-- night before: at (as of), left (when the last one left the line), served (how many left it, for an agent or because
-- they gave up), busy (ms during which there was a line), handled (items finished), handle (ms that agents had them).

local PACE_DECAY_MS = 900000
local PACE = { 'at', 'left', 'served', 'busy', 'handled', 'handle' }

local function pace_of(queue)
  local f, pace = call('HMGET', PREFIX .. 'pace:' .. queue, unpack(PACE)), {}
  for n, name in ipairs(PACE) do pace[name] = tonumber(f[n] or 0) end
  local kept = math.exp((pace.at - NOW) / PACE_DECAY_MS)
  for _, sum in ipairs({ 'served', 'busy', 'handled', 'handle' }) do pace[sum] = pace[sum] * kept end
  pace.at = NOW
  return pace
end

local function save_pace(queue, pace)
  local fields = {}
  for _, name in ipairs(PACE) do
    fields[#fields + 1], fields[#fields + 2] = name, string.format('%.3f', pace[name])
  end
  call('HSET', PREFIX .. 'pace:' .. queue, unpack(fields))
end

-- An item that came at `since` leaves a line in which it had stood. O(1)
served = function(queue, since)
  local pace = pace_of(queue)
  pace.busy = pace.busy + math.max(NOW - math.max(pace.left, since), 0)
  pace.served, pace.left = pace.served + 1, NOW
  save_pace(queue, pace)
end

local function handled(queue, ms)
  local pace = pace_of(queue)
  pace.handled, pace.handle = pace.handled + 1, pace.handle + ms
  save_pace(queue, pace)
end

-- Somebody who was told how long it would take has been answered. Counted from what they were told first. O(1)
measure = function(i)
  local took, key = NOW - i.said_at, PREFIX .. 'accuracy:' .. i.queue
  local off = took - (i.said_low + i.said_high) / 2
  call('HINCRBY', key, 'told', 1)
  if took >= i.said_low and took <= i.said_high then call('HINCRBY', key, 'within', 1) end
  call('HINCRBY', key, 'error', math.floor(math.abs(off)))
  call('HINCRBY', key, 'bias', math.floor(off))
end

-- said(item, low_ms, high_ms) -> 1, or 0 if unknown. What the caller has just been told. O(1)
register('said', function(args)
  local i = load_item(args[3])
  if not i then return 0 end
  if i.said_at == 0 then i.said_at, i.said_low, i.said_high = NOW, tonumber(args[4]), tonumber(args[5]) end
  i.said_by = NOW + tonumber(args[5])
  save_item(i)
  return 1
end)

-- estimate(item) -> { position, staffed, ready, served, busy, handled, handle, waited, said }: see Figures in states.py; 0 if
-- unknown. O(log n)
register('estimate', function(args)
  local i = load_item(args[3])
  if not i then return 0 end
  local pace = pace_of(i.queue)
  local position = position_of(i)
  -- A line that has not moved for long is slower than its past: the time since the last one left counts as well.
  local busy = pace.busy + (position > 0 and math.max(NOW - math.max(pace.left, i.at), 0) or 0)
  return {
    position, tonumber(call('HGET', PREFIX .. 'staffed', i.line) or 0), call('ZCARD', PREFIX .. 'ready:' .. i.line),
    string.format('%.3f', pace.served), string.format('%.0f', busy), string.format('%.3f', pace.handled),
    string.format('%.0f', pace.handle), whole(NOW - i.at), whole(math.max(i.said_by - NOW, 0)),
  }
end, { 'no-writes' })

-- accuracy() -> for each queue whose callers were told something { queue, told, within, error, bias }. O(queues)
register('accuracy', function()
  local found = {}
  for _, queue in ipairs(call('HKEYS', PREFIX .. 'queues')) do
    local f = call('HMGET', PREFIX .. 'accuracy:' .. queue, 'told', 'within', 'error', 'bias')
    if f[1] then found[#found + 1] = { queue, f[1], f[2] or '0', f[3], f[4] } end
  end
  return found
end, { 'no-writes' })
