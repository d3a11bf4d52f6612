-- An offer's life after it was made: compare-and-set on the token, moves as the table OFFER allows them.

local function moved(offer, event)
  local rules = offer and OFFER[offer.state]
  return rules and rules[event]
end

-- What an event says of whoever had it happen; nothing where nobody said.
local function said_by(actor)
  return actor and actor ~= '' and ',"by":' .. quoted(actor) or ''
end

local function set_intent(a, intent, reason, actor)
  if a.intent == 'logged_out' and intent ~= 'logged_out' then a.calls = 0 end
  a.intent, a.reason, a.since = intent, reason, NOW
  if intent ~= 'ready' then a.idle_since = 0 end
  journal('agent.intent_changed', '', '"agent":' .. named(a.id) .. ',"intent":' .. quoted(intent)
    .. ',"reason":' .. quoted(reason) .. said_by(actor))
end

local function set_device(a, device)
  -- Ringing and talking for us also occupy the phone: that costs no place among the longest idle. Otherwise the place is
  -- earned with the phone, also by those who were ready for chats without one.
  if not a.hands[1] and (device ~= 'idle' or a.device == 'down') then
    leave_ready_sets(a)
    a.idle_since = 0
  end
  a.device = device
  journal('agent.device_changed', '', '"agent":' .. named(a.id) .. ',"device":' .. quoted(device))
end

-- One timer an item, at whatever is due first. O(x + log n)
local function arm_item(i)
  local first = nil
  local function consider(due)
    if due > 0 and (not first or due < first) then first = due end
  end
  if i.state == 'deferred' then consider(i.back_at)
  elseif i.state ~= 'talking' then
    consider(i.step_at)
    if i.state == 'waiting' or i.limit_at > NOW then consider(i.limit_at) end
    if i.urgent_at > NOW then consider(i.urgent_at) end
    for _, till in pairs(i.excluded) do consider(till) end
  end
  if first then arm('item:' .. i.id, first) else disarm('item:' .. i.id) end
end

local function start_waiting(i)
  i.state = 'waiting'
  i.score = score_of(i)
  if i.indexed == 1 then leave_line(i) end
  enter_line(i)
  call('ZADD', PREFIX .. 'queue:' .. i.queue, whole(i.score), i.member)
  i.waited = 1
end

local function stop_waiting(i)
  leave_line(i)
  call('ZREM', PREFIX .. 'queue:' .. i.queue, i.member)
end

local function delete_item(i)
  if i.attempt == 0 and i.waited == 1 and i.state == 'waiting' then served(i) end
  if i.state ~= 'talking' then -- since it was accepted it has stood nowhere and minded no timer
    stop_waiting(i)
    disarm('item:' .. i.id)
  end
  call('DEL', PREFIX .. 'item:' .. i.id)
  if i.has_data == 1 then call('DEL', PREFIX .. 'data:' .. i.id) end
  call('SREM', PREFIX .. 'engine:' .. i.engine, i.id)
end

-- The agent of an offer that ended by no doing of theirs is free again, at the place among the longest idle they had.
local function free(offer)
  disarm('lease:' .. offer.token)
  local a = load_agent(offer.agent)
  if a and drop_hand(a, offer.token) then employ(a) end
end

-- Takes back every open offer but one. told: whether the item's engine must hear of it. The agents are not charged;
-- they are given back, to be freed when the item has found its new place.
local function cancel_offers(i, reason, but, told)
  local kept, cancelled = {}, {}
  for _, offer in ipairs(i.offers) do
    if offer == but then kept[1] = offer
    else
      cancelled[#cancelled + 1] = offer
      journal('offer.cancelled', i.id, offer_event(offer) .. ',"reason":' .. quoted(reason))
      if told then notify(i.engine, { 'cancelled', offer.token, i.id, offer.agent, reason }) end
    end
  end
  i.offers = kept
  return cancelled
end

local function free_all(offers)
  for _, offer in ipairs(offers) do free(offer) end
end

-- What a missed offer does to its agent.
local function treat(a, token, treatment, limit)
  drop_hand(a, token)
  if not treatment.keeps_place then a.idle_since = 0 end
  a.cool_until = math.max(a.cool_until, NOW + treatment.cool_ms)
  arm('cool:' .. a.id, a.cool_until)
  if treatment.counts == 'ignored' then a.ignored = a.ignored + 1
  elseif treatment.counts == 'dnds' then a.dnds = a.dnds + 1 end
  if a.intent == 'ready' then
    if treatment.counts == 'ignored' and a.ignored >= limit then set_intent(a, 'not_ready', 'rona')
    elseif treatment.counts == 'dnds' and a.dnds >= DND_AFTER then set_intent(a, 'not_ready', 'dnd')
    elseif treatment.not_ready ~= '' then set_intent(a, 'not_ready', treatment.not_ready) end
  end
  if treatment.device_down and a.device ~= 'down' then set_device(a, 'down') end
end

local release -- (60_rules)

-- An offer of it has come to nothing: it stands at its place again, and others are asked. Where nobody rings any more and
-- something has ended the wait meanwhile, that does so now. O(k (R log n + x))
local function put_back(i)
  if not i.offers[1] and is_over(i) then return release(i, i.limit_why, '') end
  if not i.offers[1] then
    i.sole = 0
    relax(i)
    start_waiting(i)
  end
  match_item(i)
  save_item(i)
  arm_item(i)
end

-- details: ready JSON members about the cause
local function end_missed(i, offer, reason, treatment, details)
  disarm('lease:' .. offer.token)
  journal('offer.missed', i.id, offer_event(offer) .. ',"reason":"' .. reason .. '"' .. details)
  local _, n = offer_of(i, offer.token)
  table.remove(i.offers, n)
  i.excluded[offer.agent] = NOW + treatment.exclude_ms
  local a = load_agent(offer.agent)
  if a and hand_of(a, offer.token) then
    treat(a, offer.token, treatment, i.terms.ignored_limit)
    count(a) -- the item's next step depends on who is logged in
    save_agent(a)
  else
    a = nil
  end
  put_back(i)
  if a then employ(a) end
end

-- ringing(token) -> 1, or 0 for a stale token. O(1)
register('ringing', function(args)
  local i, offer = item_of(args[3])
  local state = moved(offer, 'ring')
  if not state then return 0 end
  if state == offer.state then return 1 end
  offer.state, offer.ringing_at = state, NOW
  save_item(i)
  local a = load_agent(offer.agent)
  local hand = a and hand_of(a, offer.token)
  if hand then
    set_hand(a, hand, 'ringing')
    save_agent(a)
  end
  journal('offer.ringing', i.id, offer_event(offer) .. ',"ms":' .. ms_since(offer.offered_at))
  return 1
end)

local measure -- (62_estimate)

-- accept(token) -> 1, or 0 for a stale token. First come wins: the item's other offers are cancelled, and nobody is
-- charged for them. The lease ends, the agent talks. O(k R log n)
register('accept', function(args)
  local i, offer = item_of(args[3])
  local state = moved(offer, 'accept')
  if not state then return 0 end
  if state == offer.state then return 1 end
  local rang = offer.ringing_at > 0 and NOW - offer.ringing_at or 0
  offer.state = state
  local losers = cancel_offers(i, 'answered_elsewhere', offer, false)
  i.state = 'talking'
  leave_line(i)
  disarm('lease:' .. offer.token, 'item:' .. i.id)
  local a = load_agent(offer.agent)
  local hand = a and hand_of(a, offer.token)
  if hand then
    set_hand(a, hand, 'talking')
    a.ignored, a.dnds, a.calls = 0, 0, a.calls + 1
    a.idle_since = 0
    if a.ready == '' then save_agent(a) else employ(a) end -- with room for more they are the last of those alike
  end
  journal('offer.accepted', i.id, offer_event(offer) .. ',"wait_ms":' .. whole(NOW - i.at) .. ',"ring_ms":' .. whole(rang))
  if i.told then measure(i) end
  save_item(i)
  free_all(losers)
  return 1
end)

-- miss(token, reason, cause or '', tech_cause or '', ring_ms) -> 1, or 0 for a stale token or a reason that the
-- offer's state does not allow. Item and agent are both matched anew. O(k (R log n + x))
register('miss', function(args)
  local reason = args[4]
  local i, offer = item_of(args[3])
  local treatment = TREATMENTS[reason]
  if not treatment then error('unknown reason of a missed offer: ' .. reason) end
  if not moved(offer, treatment.event) then return 0 end
  local details = ',"ring_ms":' .. tonumber(args[7])
  if args[5] ~= '' then details = ',"cause":' .. tonumber(args[5]) .. details end
  if args[6] ~= '' then details = ',"tech_cause":' .. quoted(args[6]) .. details end
  end_missed(i, offer, reason, treatment, details)
  return 1
end)

local function lapse(token)
  local i, offer = item_of(token)
  local treatment = TREATMENTS.lease
  if not moved(offer, treatment.event) then return end
  local rang = offer.ringing_at > 0 and NOW - offer.ringing_at or 0
  end_missed(i, offer, 'lease', treatment, ',"ring_ms":' .. whole(rang))
end
