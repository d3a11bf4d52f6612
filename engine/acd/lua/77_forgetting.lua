-- What was interned and nobody needs any more. First it is marked (`leaving`): no item can be enqueued under a policy that
-- leaves, and an agent who gets a profile takes its mark away. So whoever then goes through items and agents in slices finds
-- all that still need what is marked, and what keeps its mark can go.

local SCANNED = 500

-- leave_out(policies or profiles, round, id, id, …) -> 1. round: whose looking through they wait for. O(n + queues)
register('leave_out', function(args)
  local key, left = PREFIX .. 'leaving:' .. args[3], {}
  for n = 5, #args do
    call('HSET', key, args[n], args[4])
    left[args[n]] = true
  end
  if args[3] == 'policies' then
    local queues = call('HGETALL', PREFIX .. 'queues')
    for n = 1, #queues, 2 do
      if left[queues[n + 1]] then call('HSET', PREFIX .. 'queues', queues[n], '') end
    end
  end
  return 1
end)

-- policies_in_use(where the last call ended, or '') -> where this one did, '' when it was the last. The policies of these items
-- stay. O(500)
register('policies_in_use', function(args)
  local cursor = args[3] == '' and '0' or args[3]
  local found = call('SCAN', cursor, 'MATCH', PREFIX .. 'item:*', 'COUNT', SCANNED)
  for _, key in ipairs(found[2]) do
    local i = unpacked_item(call('GET', key))
    call('HDEL', PREFIX .. 'leaving:policies', i.policy)
    if call('HGET', PREFIX .. 'queues', i.queue) == '' then call('HSET', PREFIX .. 'queues', i.queue, i.policy) end
  end
  return found[1] == '0' and '' or found[1]
end)

-- profiles_in_use(the last agent of the last call, or '') -> the last one of this call, '' when there are no more. O(500)
register('profiles_in_use', function(args)
  local after = args[3] == '' and '-' or '(' .. args[3]
  local ids = call('ZRANGE', PREFIX .. 'agents', after, '+', 'BYLEX', 'LIMIT', 0, SCANNED)
  for _, id in ipairs(ids) do
    local a = load_agent(id)
    if a then call('HDEL', PREFIX .. 'leaving:profiles', a.profile, a.counted_in) end
  end
  return ids[SCANNED] or ''
end)

-- forget_interned(policies or profiles, round, id, id, …) -> 1. Those that still have the mark of this round. O(n)
register('forget_interned', function(args)
  local of = args[3]
  for n = 5, #args do
    if call('HGET', PREFIX .. 'leaving:' .. of, args[n]) == args[4] then
      call('HDEL', PREFIX .. of, args[n])
      call('HDEL', PREFIX .. 'leaving:' .. of, args[n])
    end
  end
  return 1
end)

-- forget_unused() -> 1. Lines that no policy uses: agents who stand in them leave them by their next define. Whoever has just
-- brought one in for a policy to come is refused the policy, and brings in both. And the names of queues of which there is
-- nothing but the name. O(policies + lines + queues)
register('forget_unused', function()
  local used = {}
  for _, text in ipairs(call('HVALS', PREFIX .. 'policies')) do
    for _, line in ipairs(lines_of(cjson.decode(text))) do used[line] = true end
  end
  for _, line in ipairs(call('HKEYS', PREFIX .. 'lines')) do
    if not used[line] then call('HDEL', PREFIX .. 'lines', line) end
  end
  local queues = call('HGETALL', PREFIX .. 'queues')
  for n = 1, #queues, 2 do
    local queue = queues[n]
    if queues[n + 1] == ''
      and call('EXISTS', PREFIX .. 'queue:' .. queue, PREFIX .. 'pace:' .. queue, PREFIX .. 'accuracy:' .. queue) == 0 then
      call('HDEL', PREFIX .. 'queues', queue)
    end
  end
  return 1
end)
