-- An offer's life after it was made: compare-and-set on the token, moves as the table OFFER allows them.

local function moved(i, event)
  local rules = i and OFFER[i.state]
  return rules and rules[event]
end

-- While anybody is excluded from a waiting item, a timer brings the item back to them. O(x + log n)
local function arm_exclusion(i)
  local first = nil
  for _, till in pairs(i.excluded) do
    if not first or till < first then first = till end
  end
  if first then arm('exclusion:' .. i.id, first) end
end

local function set_intent(a, intent, reason)
  a.intent, a.reason = intent, reason
  if intent ~= 'ready' then a.idle_since = 0 end
  journal('agent.intent_changed', '', '"agent":' .. quoted(a.id) .. ',"intent":' .. quoted(intent)
    .. ',"reason":' .. quoted(reason))
end

local function set_device(a, device)
  -- Ringing and talking for us also occupy the phone: that costs no place among the longest idle.
  if a.work == 'idle' and device ~= 'idle' then a.idle_since = 0 end
  a.device = device
  journal('agent.device_changed', '', '"agent":' .. quoted(a.id) .. ',"device":' .. quoted(device))
end

local function treat(a, treatment)
  set_work(a, 'idle', '', '')
  if not treatment.keeps_place then a.idle_since = 0 end
  if treatment.cool_ms > 0 then
    a.cool_until = NOW + treatment.cool_ms
    arm('cooldown:' .. a.id, a.cool_until)
  end
  if treatment.ignored then
    a.misses = a.misses + 1
    if a.misses >= RONA_AFTER and a.intent == 'ready' then set_intent(a, 'not_ready', 'rona') end
  end
  if treatment.device_down and a.device ~= 'down' then set_device(a, 'down') end
end

-- details: ready JSON members about the cause
local function end_missed(i, reason, treatment, details)
  local token, a = i.token, load_agent(i.agent)
  disarm('lease:' .. token)
  journal('offer.missed', i.id, offer_event(i) .. ',"reason":"' .. reason .. '"' .. details)
  i.excluded[i.agent] = NOW + treatment.exclude_ms
  start_waiting(i)
  if not match_item(i) then
    save_item(i)
    arm_exclusion(i)
  end
  if a and a.token == token then
    treat(a, treatment)
    settle(a)
  end
end

-- ringing(token) -> 1, or 0 for a stale token. O(log n)
register('ringing', function(args)
  local i = item_of(args[3])
  local state = moved(i, 'ring')
  if not state then return 0 end
  if state == i.state then return 1 end
  i.state, i.ringing_at = state, NOW
  save_item(i)
  call('HSET', PREFIX .. 'agent:' .. i.agent, 'work', 'ringing', 'since', NOW)
  journal('offer.ringing', i.id, offer_event(i) .. ',"ms":' .. (NOW - i.offered_at))
  return 1
end)

-- accept(token) -> 1, or 0 for a stale token. The lease ends, the agent talks. O(log n)
register('accept', function(args)
  local i = item_of(args[3])
  local state = moved(i, 'accept')
  if not state then return 0 end
  if state == i.state then return 1 end
  local rang = i.ringing_at > 0 and NOW - i.ringing_at or 0
  i.state = state
  save_item(i)
  disarm('lease:' .. i.token)
  call('HSET', PREFIX .. 'agent:' .. i.agent, 'work', 'talking', 'since', NOW, 'idle_since', 0, 'misses', 0)
  journal('offer.accepted', i.id, offer_event(i) .. ',"wait_ms":' .. (NOW - i.at) .. ',"ring_ms":' .. rang)
  return 1
end)

-- miss(token, reason, cause or '', tech_cause or '', ring_ms) -> 1, or 0 for a stale token or a reason that the
-- offer's state does not allow. Item and agent are both matched anew. O(R log n)
register('miss', function(args)
  local i, reason = item_of(args[3]), args[4]
  local treatment = TREATMENTS[reason]
  if not treatment then error('unknown reason of a missed offer: ' .. reason) end
  if not moved(i, treatment.event) then return 0 end
  local details = ',"ring_ms":' .. tonumber(args[7])
  if args[5] ~= '' then details = ',"cause":' .. tonumber(args[5]) .. details end
  if args[6] ~= '' then details = ',"tech_cause":' .. quoted(args[6]) .. details end
  end_missed(i, reason, treatment, details)
  return 1
end)

local function lapse(token)
  local i = item_of(token)
  local treatment = TREATMENTS.lease
  if not moved(i, treatment.event) then return end
  local rang = i.ringing_at > 0 and NOW - i.ringing_at or 0
  end_missed(i, 'lease', treatment, ',"ring_ms":' .. rang)
end
