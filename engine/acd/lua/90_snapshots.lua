-- For people and for recovery; bounded, and off the call's path.

local OLDEST_AMONG = 100

local function seen(id)
  local a, hands = load_agent(id), {}
  for n, hand in ipairs(a.hands) do hands[n] = { hand.token, hand.kind, hand.work, hand.since, hand.till } end
  return { id, a.intent, a.reason, a.device, hands, a.since, a.idle_since, a.cool_until, a.ignored, a.calls, a.ready }
end

-- agents(first, last) -> for each agent of that slice, in the order of their ids, { id, intent, reason, device, hands,
-- since, idle_since, cool_until, ignored, calls, ready }. O(slice)
register('agents', function(args)
  local found = {}
  for _, id in ipairs(call('ZRANGE', PREFIX .. 'agents', args[3], args[4])) do found[#found + 1] = seen(id) end
  return found
end, { 'no-writes' })

-- look_at(agent) -> the same of one agent; 0 if unknown. O(1)
register('look_at', function(args)
  return call('ZSCORE', PREFIX .. 'agents', args[3]) and seen(args[3]) or 0
end, { 'no-writes' })

local function queue_seen(queue, terms)
  local line, oldest = terms.steps[1].line, NOW
  for _, member in ipairs(call('ZRANGE', PREFIX .. 'queue:' .. queue, 0, OLDEST_AMONG - 1)) do
    local i = load_item(sub(member, 18))
    if i then oldest = math.min(oldest, i.at) end
  end
  return {
    queue, requirement_of(line), call('ZCARD', PREFIX .. 'queue:' .. queue), NOW - oldest,
    call('ZCARD', PREFIX .. 'ready:' .. line), tonumber(call('HGET', STAFFED, line) or 0),
    tonumber(call('HGET', PRESENT, line) or 0),
  }
end

-- queues() -> for each queue that has had an item under a policy that is still known { queue, requirement, waiting,
-- oldest_wait_ms, ready, staffed, present }; the oldest is looked for among the first 100. O(queues * 100)
register('queues', function()
  local found, queues = {}, call('HGETALL', PREFIX .. 'queues')
  for n = 1, #queues, 2 do
    if queues[n + 1] ~= '' then found[#found + 1] = queue_seen(queues[n], policy_of(queues[n + 1])) end
  end
  return found
end, { 'no-writes' })

local function item_seen(i)
  local offers = {}
  for n, offer in ipairs(i.offers) do offers[n] = offer_notice(i, offer) end
  return { i.id, i.queue, i.type, i.state, offers, i.attempt, whole(i.at),
    i.has_data == 1 and call('GET', PREFIX .. 'data:' .. i.id) or '' }
end

-- waiting(queue, first, last) -> that slice of the queue's line, the next one first: { id, queue, type, state, offers,
-- attempt, at, data }. O(log n + slice)
register('waiting', function(args)
  local found = {}
  for _, member in ipairs(call('ZRANGE', PREFIX .. 'queue:' .. args[3], args[4], args[5])) do
    local i = load_item(sub(member, 18))
    if i then found[#found + 1] = item_seen(i) end
  end
  return found
end, { 'no-writes' })

-- item(item) -> the same of one item; 0 if unknown. O(1)
register('item', function(args)
  local i = load_item(args[3])
  return i and item_seen(i) or 0
end, { 'no-writes' })

-- adopt(from) -> the items of engine `from`, which are this engine's from now on, as waiting tells them. Its unread mailbox
-- is dropped: the offers in it are in this answer. O(items)
register('adopt', function(args)
  local from, found = args[3], {}
  call('DEL', PREFIX .. 'mailbox:' .. from)
  for _, id in ipairs(call('SMEMBERS', PREFIX .. 'engine:' .. from)) do
    local i = load_item(id)
    if not i then
      call('SREM', PREFIX .. 'engine:' .. from, id)
    else
      found[#found + 1] = item_seen(i)
      if from ~= ENGINE then
        i.engine = ENGINE
        save_item(i)
        call('SMOVE', PREFIX .. 'engine:' .. from, PREFIX .. 'engine:' .. ENGINE, id)
      end
    end
  end
  return found
end)

-- restore(item, agent, ms) -> 1, or 0: unknown, or not held. After Redis was emptied: this item, just enqueued again and
-- held, is the one that the agent has been talking about for so long. O(R log n)
register('restore', function(args)
  local i, a = load_item(args[3]), load_agent(args[4])
  if not i or not a or i.state ~= 'deferred' then return 0 end
  local token, since = whole(next_seq()) .. '-' .. i.id, NOW - tonumber(args[5])
  i.offers = { { agent = a.id, token = token, state = 'accepted', offered_at = since, ringing_at = since } }
  i.state, i.back_at, i.attempt = 'talking', 0, 1
  save_item(i)
  arm_item(i)
  leave_ready_sets(a)
  a.hands[#a.hands + 1] = { token = token, kind = i.terms.kind, work = 'talking', since = since, till = 0 }
  a.calls, a.idle_since = a.calls + 1, 0
  employ(a)
  journal('item.restored', i.id, '"agent":' .. named(a.id))
  return 1
end)
