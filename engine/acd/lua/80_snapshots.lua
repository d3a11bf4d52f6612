-- For people and for recovery; bounded, and off the call's path.

local OLDEST_AMONG = 100

local function seen(id)
  local f = call('HMGET', PREFIX .. 'agent:' .. id, 'intent', 'reason', 'device', 'work', 'since', 'item',
    'idle_since', 'cool_until', 'misses', 'wrapup_until')
  table.insert(f, 1, id)
  return f
end

-- agents(first, last) -> for each agent of that slice, in the order of their ids, { id, intent, reason, device, work,
-- since, item, idle_since, cool_until, misses, wrapup_until }. O(slice)
register('agents', function(args)
  local found = {}
  for _, id in ipairs(call('ZRANGE', PREFIX .. 'agents', args[3], args[4])) do found[#found + 1] = seen(id) end
  return found
end, { 'no-writes' })

-- look_at(agent) -> the same of one agent; 0 if unknown. O(1)
register('look_at', function(args)
  return call('ZSCORE', PREFIX .. 'agents', args[3]) and seen(args[3]) or 0
end, { 'no-writes' })

-- queues() -> for each queue that ever had an item { queue, requirement, waiting, oldest_wait_ms, ready }; the oldest
-- is looked for among the first 100. O(queues * 100)
register('queues', function()
  local found, queues = {}, call('HGETALL', PREFIX .. 'queues')
  for n = 1, #queues, 2 do
    local queue, rid, oldest = queues[n], queues[n + 1], NOW
    for _, member in ipairs(call('ZRANGE', PREFIX .. 'queue:' .. queue, 0, OLDEST_AMONG - 1)) do
      local at = call('HGET', PREFIX .. 'item:' .. string.sub(member, 18), 'at')
      oldest = math.min(oldest, tonumber(at or NOW))
    end
    found[#found + 1] = {
      queue, call('HGET', PREFIX .. 'reqs', rid) or '', call('ZCARD', PREFIX .. 'queue:' .. queue), NOW - oldest,
      call('ZCARD', PREFIX .. 'ready:' .. rid),
    }
  end
  return found
end, { 'no-writes' })

-- adopt(from) -> the items of engine `from`, which are this engine's from now on: { id, queue, state, agent, token,
-- attempt, at }. Its unread mailbox is dropped: the offers in it are in this answer. O(items)
register('adopt', function(args)
  local from, found = args[3], {}
  call('DEL', PREFIX .. 'mailbox:' .. from)
  for _, id in ipairs(call('SMEMBERS', PREFIX .. 'engine:' .. from)) do
    local i = load_item(id)
    if not i then
      call('SREM', PREFIX .. 'engine:' .. from, id)
    else
      found[#found + 1] = { id, i.queue, i.state, i.agent, i.token, i.attempt, string.format('%.0f', i.at) }
      if from ~= ENGINE then
        call('HSET', PREFIX .. 'item:' .. id, 'engine', ENGINE)
        call('SMOVE', PREFIX .. 'engine:' .. from, PREFIX .. 'engine:' .. ENGINE, id)
      end
    end
  end
  return found
end)
