-- Who is about to be free. An item whose policy says so (`ahead`: somebody to be called back) may be reserved for an agent
-- so long before their wrap-up ends, so that it rings at the customer's meanwhile; the agent's own phone rings when the
-- wrap-up is over. Until then the wrap-up stays at hand beside the reservation, the hand's `till` and the offer's
-- `offered_at` are the moment in which they will be free, and idle_since is, too. If that moment moves, or they will not
-- be free after all, review_ahead sees to it.

-- How they will stand when the wrap-ups are over that keep calls from them: from when on that is, and what `ask` says of
-- them then. Without the hand `but`.
local function when_free(a, but, ask)
  local hands, left, from = a.hands, {}, NOW
  local voice = limits_of(a.limits).voice
  for _, hand in ipairs(hands) do
    if hand.work == 'wrapup' and (hand.kind == 'voice' or not (voice and voice.interrupts)) then
      from = math.max(from, hand.till)
    elseif hand ~= but then
      left[#left + 1] = hand
    end
  end
  a.hands = left
  local answer = ask(a)
  a.hands = hands
  return from, answer
end

local function takes_calls(a) return routable(a, 'voice') end

-- The longest that any policy known here lets its items be reserved ahead. O(1) each
local function note_longest_ahead(policy)
  local ahead = cjson.decode(policy).ahead or 0
  if ahead > tonumber(call('GET', PREFIX .. 'ahead') or 0) then call('SET', PREFIX .. 'ahead', whole(ahead)) end
end

watch_wrapup = function(a)
  local wraps_up = false
  for n = 1, #a.hands do wraps_up = wraps_up or a.hands[n].work == 'wrapup' end
  local longest = wraps_up and call('GET', PREFIX .. 'ahead')
  if not longest then return end
  local from, will_take = when_free(a, nil, takes_calls)
  if will_take and from > NOW then arm('ahead:' .. a.id, math.max(from - longest, NOW)) end
end

-- What would be theirs if they were free now is reserved for them, if it may be by now; where it may be later, they look
-- again then. Another item in front of it will have them as soon as they are free, so nothing is done. O(R log n)
local function look_ahead(a)
  local from, kinds = when_free(a, nil, kinds_open_to)
  local item = from > NOW and kinds[1] and best_item_for(a, kinds)
  if not item or item.terms.ahead == 0 then return end
  local due = from - item.terms.ahead
  if due > NOW then return arm('ahead:' .. a.id, due) end
  a.idle_since = from
  reserve(item, a, {}, 'ahead', nil, from)
  save_item(item)
  employ(a)
end

-- Nobody is to blame: the item is at its place again.
local function take_back_ahead(a, hand)
  local i, offer, n = item_of(hand.token)
  drop_hand(a, hand.token)
  a.idle_since = 0
  save_agent(a) -- the item's next step may depend on them
  disarm('lease:' .. hand.token)
  table.remove(i.offers, n)
  journal('offer.cancelled', i.id, offer_event(offer) .. ',"reason":"not_free"')
  notify(i.engine, { 'cancelled', offer.token, i.id, a.id, 'not_free' })
  put_back(i)
end

local function free_sooner(a, hand, from)
  local i, offer = item_of(hand.token)
  hand.till, offer.offered_at, a.idle_since = from, from, from
  save_item(i)
  notify(i.engine, { 'sooner', offer.token, i.id, a.id, from - NOW })
end

review_ahead = function(a)
  local ahead = nil
  for n = 1, #a.hands do
    local hand = a.hands[n]
    if hand.work == 'reserved' and hand.till > NOW then ahead = hand end
  end
  if not ahead then
    if a.idle_since > NOW then a.idle_since = 0 end -- they were to be free for an item that went away
    return
  end
  local from, will_take = when_free(a, ahead, takes_calls)
  if not will_take or from > ahead.till then take_back_ahead(a, ahead)
  elseif from < ahead.till then free_sooner(a, ahead, from) end
end
