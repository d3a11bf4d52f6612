-- An item comes, asks where it stands, goes away, or is done with.

-- enqueue(item, queue, R, head_start_ms, lease_ms, wrapup_ms, preferred or '') -> position (1 is next; 0: offered at
-- once, the offer is in the reply), or -1 if R is not interned. Asked again for a known item it changes nothing and
-- repeats position and offer. O(log n + x)
register('enqueue', function(args)
  local id, queue, rid = args[3], args[4], args[5]
  local known = load_item(id)
  if known then
    if known.state == 'offered' or known.state == 'ringing' then hand_over(known) end
    return position_of(known)
  end
  local requirement = call('HGET', PREFIX .. 'reqs', rid)
  if not requirement then return -1 end
  local head_start = tonumber(args[6])
  local i = {
    id = id, queue = queue, rid = rid, engine = ENGINE, at = NOW, score = NOW - head_start,
    member = string.format('%016.0f:%s', next_seq(), id), state = 'new', agent = '', token = '', attempt = 0,
    lease_ms = tonumber(args[7]), excluded = {}, preferred = args[9], offered_at = 0, ringing_at = 0,
  }
  call('HSET', PREFIX .. 'item:' .. id, 'queue', queue, 'rid', rid, 'engine', ENGINE, 'at', NOW, 'score', i.score,
    'member', i.member, 'lease_ms', args[7], 'wrapup_ms', args[8], 'preferred', args[9])
  call('SADD', PREFIX .. 'engine:' .. ENGINE, id)
  call('HSET', PREFIX .. 'queues', queue, rid)
  local ready, position = call('ZCARD', PREFIX .. 'ready:' .. rid), 0
  if ready == 0 then
    start_waiting(i)
    save_item(i)
    position = position_of(i)
  end
  journal('item.enqueued', id, '"queue":' .. quoted(queue) .. ',"requirement":' .. quoted(requirement)
    .. ',"head_start_ms":' .. head_start .. ',"position":' .. position .. ',"ready":' .. ready)
  if ready > 0 then match_item(i) end
  return position
end)

-- position(item) -> 1 is next; 0: being offered, or talking; -1: unknown. O(log n)
register('position', function(args)
  local i = load_item(args[3])
  return i and position_of(i) or -1
end, { 'no-writes' })

-- withdraw(item, reason) -> 1; 0: unknown item, or an agent has accepted it (leave ends that). The agent of an offer
-- under way is free again at the place among the longest idle it had. O(R log n)
register('withdraw', function(args)
  local i, reason = load_item(args[3]), args[4]
  if not i then return 0 end
  local a = nil
  if i.state == 'waiting' then
    stop_waiting(i)
    disarm('exclusion:' .. i.id)
  else
    if not moved(i, 'cancel') then return 0 end
    disarm('lease:' .. i.token)
    a = load_agent(i.agent)
    journal('offer.cancelled', i.id, offer_event(i) .. ',"reason":' .. quoted(reason))
  end
  delete_item(i)
  journal('item.ended', i.id, '"reason":' .. quoted(reason))
  if a and a.token == i.token then
    set_work(a, 'idle', '', '')
    settle(a)
  end
  return 1
end)

-- leave(item, reason) -> 1; 0: unknown item, or nobody accepted it. The agent wraps up until a deadline, or is ready
-- again at once when the item's wrapup_ms is 0. O(R log n)
register('leave', function(args)
  local i, reason = load_item(args[3]), args[4]
  if not moved(i, 'leave') then return 0 end
  delete_item(i)
  journal('item.ended', i.id, '"reason":' .. quoted(reason))
  local a = load_agent(i.agent)
  if not a or a.token ~= i.token then return 1 end
  if i.wrapup_ms > 0 then
    set_work(a, 'wrapup', i.id, '')
    a.wrapup_until = NOW + i.wrapup_ms
    arm('wrapup:' .. a.id, a.wrapup_until)
    journal('wrapup.started', i.id, '"agent":' .. quoted(a.id) .. ',"until":' .. a.wrapup_until)
  else
    set_work(a, 'idle', '', '')
  end
  settle(a)
  return 1
end)
