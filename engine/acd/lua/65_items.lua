-- An item comes, asks where it stands, goes away, or is done with.

-- What enqueue may leave out.
local USUALLY_ASKED = { __index = {
  type = 'call', data = '', who = '', waited = 0, head_start = 0, strict = 0, served_within = 0, preferred = '',
  patience = 0, exclude = {}, replaces = '', closes_in = -1, hold = 0, said_place = 0,
} }

local function new_item(args, asked)
  return {
    id = checked_id(args[3]), terms = policy_of(args[4]), queue = asked.queue, policy = args[4], type = asked.type,
    engine = ENGINE, who = asked.who, at = NOW - asked.waited, head = asked.head_start, strict = asked.strict,
    member = format('%016d:', next_seq()) .. args[3], state = 'new', step = 1, line = '', score = 0,
    preferred = asked.preferred, patience_until = asked.patience > 0 and NOW + asked.patience or 0, step_at = 0,
    longest_at = 0, limit_at = 0, limit_why = '', urgent_at = 0, back_at = 0, offers = {}, attempt = 0, excluded = {},
    indexed = 0, waited = 0, sole = 0, said_place = asked.said_place, said_by = asked.said_in and NOW + asked.said_in or 0,
    has_data = asked.data ~= '' and 1 or 0,
  }
end

-- A place that somebody left, or gives up for this item: since when they had waited. Returns its name in places, if that
-- is where it was, and whether another item gives way. O(1)
local function inherit(i, asked)
  local place = asked.queue .. '|' .. asked.who
  local kept = asked.who ~= '' and call('HGET', PREFIX .. 'places', place)
  if kept then i.at = math.min(i.at, tonumber(kept)) end
  local other = asked.replaces ~= '' and load_item(asked.replaces)
  if other and other.state ~= 'talking' then
    if other.at <= i.at then i.at, i.member = other.at, sub(other.member, 1, 17) .. i.id end
    i.head, i.strict = math.max(i.head, other.head), math.max(i.strict, other.strict)
  end
  return kept and place, other and other.state ~= 'talking'
end

local function take_up(i, place)
  call('HDEL', PREFIX .. 'places', place)
  disarm('place:' .. place)
  journal('item.resumed', i.id, '"queue":' .. quoted_name(i.queue) .. ',"wait_ms":' .. whole(NOW - i.at))
end

local function set_closing(i, closes_in)
  i.limit_at, i.limit_why = i.longest_at, i.longest_at > 0 and 'timed_out' or ''
  if closes_in >= 0 and (i.limit_at == 0 or NOW + closes_in <= i.limit_at) then
    i.limit_at, i.limit_why = NOW + closes_in, 'closed'
  end
end

-- From now on, or once it is back from being put off. How long somebody has waited elsewhere counts for their turn, and
-- not for how long they may wait here: two queues that overflow into each other would else refuse them to each other for
-- ever.
local function set_limits(i, put_off, closes_in)
  if i.terms.max_wait > 0 then i.longest_at = NOW + put_off + i.terms.max_wait end
  set_closing(i, closes_in)
end

-- own: of the item, where it has one; the earlier counts.
local function set_urgency(i, own)
  local within = i.terms.served_within
  if own > 0 and (within == 0 or own < within) then within = own end
  i.urgent_at = within > 0 and i.at + within or 0
end

local function refusal(i, takes_over)
  if is_over(i) then return i.limit_why end
  local why, most = nobody(i), i.terms.capacity
  if why == '' and most > 0 and not takes_over and call('ZCARD', PREFIX .. 'queue:' .. i.queue) >= most
    and not choose(i) then
    return 'full'
  end
  return why
end

-- And is to stay: one that leaves (77_forgetting) must be brought in again first.
local function is_interned(policy)
  return call('HEXISTS', PREFIX .. 'policies', policy) == 1 and call('HEXISTS', PREFIX .. 'leaving:policies', policy) == 0
end

-- An engine knows for how long it said that the item had waited; not, which place that has given it.
local function placed(i, asked, position)
  local waited = NOW - i.at
  return waited > asked.waited and { position, waited } or position
end

-- enqueue(item, policy, JSON { queue, and maybe type, data, who, waited, head_start, strict, served_within, preferred,
-- patience, exclude: [agent, ms, …], replaces, closes_in, hold, said_place, said_in }) -> position (1 is next; 0:
-- offered at once, the offers are in the reply); where it counts as having waited for longer than was said, { position,
-- for how long }; or -1 if the policy is not interned (any more), or why it was refused: full, no_agents, none_eligible,
-- timed_out, closed. Asked again for a known item it changes nothing and repeats position and offers.
-- O(k (R log n + x) + steps)
register('enqueue', function(args)
  local known, asked = load_item(args[3]), setmetatable(cjson.decode(args[5]), USUALLY_ASKED)
  if known then
    if known.state == 'offered' then
      for _, offer in ipairs(known.offers) do
        notify(known.engine, offer_notice(known, offer))
      end
    end
    return placed(known, asked, position_of(known))
  end
  -- Not by policy_of: it knows what this Redis has lost, and what only other domains have.
  local used_before = call('HGET', PREFIX .. 'queues', asked.queue) == args[4]
  if not used_before and not is_interned(args[4]) then return -1 end
  local i = new_item(args, asked)
  local place, takes_over = inherit(i, asked)
  set_limits(i, asked.hold, asked.closes_in)
  set_urgency(i, asked.served_within)
  for n = 1, #asked.exclude, 2 do i.excluded[asked.exclude[n]] = NOW + asked.exclude[n + 1] end
  i.step = i.preferred ~= '' and asked.patience > 0 and 0 or 1
  place_in_steps(i)
  i.line, i.score = step_line(i, i.step), score_of(i)
  local why = asked.hold > 0 and '' or refusal(i, takes_over)
  if why ~= '' then
    journal('item.refused', i.id, '"queue":' .. quoted_name(i.queue) .. ',"reason":"' .. why .. '"')
    return why
  end
  if place then take_up(i, place) end
  if not used_before then call('HSET', PREFIX .. 'queues', i.queue, i.policy) end
  call('SADD', PREFIX .. 'engine:' .. ENGINE, i.id)
  if asked.data ~= '' then call('SET', PREFIX .. 'data:' .. i.id, asked.data) end
  local ready = ready_in(i.line)
  if asked.hold > 0 then i.state, i.back_at = 'deferred', NOW + asked.hold
  elseif ready == 0 then start_waiting(i) end
  local position = i.state == 'waiting' and position_of(i) or 0
  local strict = strict_level(i)
  journal('item.enqueued', i.id, '"queue":' .. quoted_name(i.queue) .. ',"requirement":' .. quoted_requirement(i.line)
    .. ',"head_start_ms":' .. whole(i.head + i.terms.head_start) .. ',"position":' .. whole(position) .. ',"ready":'
    .. whole(ready) .. ',"waited_ms":' .. whole(NOW - i.at) .. ',"step":' .. whole(i.step)
    .. (strict > 0 and ',"strict":' .. whole(strict) or ''))
  if i.state == 'new' and not match_item(i) then start_waiting(i) end
  save_item(i)
  arm_item(i)
  if takes_over then
    -- Only now, that whoever rings for it is free for the one that takes its place.
    release(load_item(asked.replaces), 'replaced', 'item:' .. i.id)
    return placed(i, asked, position_of(load_item(i.id)))
  end
  return placed(i, asked, position > 0 and position or position_of(i))
end)

-- position(item) -> 1 is next; 0: being offered, talking or deferred; -1: unknown. O(log n)
register('position', function(args)
  local i = load_item(args[3])
  return i and position_of(i) or -1
end, { 'no-writes' })

-- withdraw(item, reason, keep) -> 1; 0: unknown item, or an agent has accepted it (leave ends that). The agents of
-- offers under way are free again at the place among the longest idle they had. keep = 1: whoever it was may come back
-- to this place for as long as the policy keeps it. O(k R log n)
register('withdraw', function(args)
  local i, reason = load_item(args[3]), args[4]
  if not i or i.state == 'talking' then return 0 end
  if args[5] == '1' and i.who ~= '' and i.terms.place_kept > 0 then
    local place = i.queue .. '|' .. i.who
    local kept = tonumber(call('HGET', PREFIX .. 'places', place) or i.at)
    call('HSET', PREFIX .. 'places', place, whole(math.min(i.at, kept)))
    arm('place:' .. place, NOW + i.terms.place_kept)
  end
  local cancelled = cancel_offers(i, reason, nil, i.engine ~= ENGINE)
  delete_item(i)
  journal('item.ended', i.id, '"reason":' .. quoted(reason))
  if i.engine ~= ENGINE then notify(i.engine, { 'released', i.id, reason, '', i.head, i.strict }) end
  free_all(cancelled)
  return 1
end)

-- defer(item, ms, reason, closes_in) -> 1; 0: unknown item, or an agent has accepted it. Out of the line until then, at the
-- same place afterwards, for as long as whoever comes then; whoever is reserved for it is free again, uncharged. O(k R log n)
register('defer', function(args)
  local i, ms, reason = load_item(args[3]), tonumber(args[4]), args[5]
  if not i or i.state == 'talking' then return 0 end
  local cancelled = cancel_offers(i, reason, nil, i.engine ~= ENGINE)
  stop_waiting(i)
  i.state, i.back_at = 'deferred', NOW + ms
  set_limits(i, ms, tonumber(args[6]))
  save_item(i)
  arm_item(i)
  journal('item.deferred', i.id, '"reason":' .. quoted(reason) .. ',"until":' .. whole(i.back_at))
  free_all(cancelled)
  return 1
end)

-- closes(item, closes_in) -> 1; 0: unknown item, or an agent has accepted it. It may wait for so long from now on, or -1: until
-- its longest wait is over; a phone that rings rings to its end, and what is put off until after that is not concerned.
-- O(k R log n)
register('closes', function(args)
  local i, closes_in = load_item(args[3]), tonumber(args[4])
  if not i or i.state == 'talking' then return 0 end
  if closes_in >= 0 and NOW + closes_in <= i.back_at then return 1 end
  set_closing(i, closes_in)
  if i.state == 'waiting' and is_over(i) then
    release(i, i.limit_why, '')
    return 1
  end
  save_item(i)
  arm_item(i)
  return 1
end)

-- repolicy(item, policy) -> 1; 0: unknown item, or an agent has accepted it; -1 if the policy is not interned. A reload has
-- changed its queue: from now on it waits by this policy, at the place of its age, in the step that has begun by now. Who
-- rings for it rings on, and until when it may wait stays as it was. O(k (R log n + x) + steps)
register('repolicy', function(args)
  local i, policy = load_item(args[3]), args[4]
  if not i or i.state == 'talking' then return 0 end
  if i.policy == policy then return 1 end
  if not is_interned(policy) then return -1 end
  i.policy, i.terms, i.step = policy, policy_of(policy), math.min(i.step, 1)
  set_urgency(i, 0)
  place_in_steps(i)
  stand(i, step_line(i, i.step), score_of(i))
  journal('item.policy_changed', i.id, '"step":' .. whole(i.step) .. ',"requirement":' .. quoted_requirement(i.line)
    .. ',"wait_ms":' .. whole(NOW - i.at))
  if i.state ~= 'deferred' then match_item(i) end
  save_item(i)
  arm_item(i)
  return 1
end)

-- leave(item, reason) -> 1; 0: unknown item, or nobody accepted it. The agent wraps up until a deadline, or is ready
-- again at once when the policy has no wrap-up. O(R log n)
register('leave', function(args)
  local i, reason = load_item(args[3]), args[4]
  local offer = i and i.offers[1]
  if not offer or not moved(offer, 'leave') then return 0 end
  delete_item(i)
  journal('item.ended', i.id, '"reason":' .. quoted(reason))
  local a = load_agent(offer.agent)
  local hand = a and hand_of(a, offer.token)
  if not hand then return 1 end
  handled(i, math.max(hand.since - offer.offered_at, 0), NOW - hand.since)
  if i.terms.wrapup > 0 then
    set_hand(a, hand, 'wrapup', NOW + i.terms.wrapup)
    arm_wrapup(a)
    journal('wrapup.started', i.id, '"agent":' .. named(a.id) .. ',"until":' .. whole(hand.till))
  else
    drop_hand(a, offer.token)
  end
  employ(a)
  return 1
end)
