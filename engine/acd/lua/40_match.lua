-- Who gets what. Matching reserves: when these functions return, the offer exists and nobody else can have either.

local CANDIDATES, PASSED, MEMBERS_SHOWN_BELOW = 5, 8, 3
local DRAWN_FROM = 40 -- ready agents, taken evenly, among whom chance decides

local function has_offer(i, agent)
  for _, offer in ipairs(i.offers) do
    if offer.agent == agent then return true end
  end
  return false
end

-- Why this item is not for this agent, if it is not.
local function unfit_for(i, agent)
  return i.excluded[agent] and 'excluded' or has_offer(i, agent) and 'rings' or nil
end

local function fits(i, agent) return not unfit_for(i, agent) end

-- What offer.created tells of the others: who else could have had it, and who could not and why. ---------------------

local function candidate(id, idle_since)
  return '{"agent":' .. quoted(id) .. ',"idle_ms":' .. whole(math.max(NOW - idle_since, 0)) .. '}'
end

-- page: { agent, score, … } of the line's ready agents, longest idle first; the chosen one among them or not
local function considered(i, chosen, page)
  local candidates, passed, seen = { candidate(chosen.id, chosen.idle_since) }, {}, { [chosen.id] = true }
  local function pass(id, why)
    if why ~= '' and not seen[id] and #passed < PASSED then
      passed[#passed + 1] = '{"agent":' .. quoted(id) .. ',"why":"' .. why .. '"}'
    end
    seen[id] = true
  end
  for n = 1, #page, 2 do
    local id = page[n]
    local why = unfit_for(i, id)
    if why then pass(id, why)
    elseif not seen[id] then
      candidates[#candidates + 1] = candidate(id, tonumber(page[n + 1]) % AN_ITEM_AT_HAND)
      seen[id] = true
    end
  end
  if #candidates < MEMBERS_SHOWN_BELOW then
    local ids = call('ZRANGE', PREFIX .. 'members:' .. i.line, 0, PASSED)
    local whys = ids[1] and call('HMGET', PREFIX .. 'why:' .. i.terms.kind, unpack(ids))
    for n, id in ipairs(ids) do pass(id, unfit_for(i, id) or whys[n] or '') end
  end
  return '"candidates":[' .. table.concat(candidates, ',', 1, math.min(#candidates, CANDIDATES))
    .. '],"passed":[' .. table.concat(passed, ',') .. ']'
end

-- The offer -----------------------------------------------------------------------------------------------------------

local function offer_event(offer)
  return '"token":' .. quoted(offer.token) .. ',"agent":' .. quoted(offer.agent)
end

-- While it may ring further phones, an item stays in its line; no longer than its wait may last, and then it only rings
-- to its end. Its place in the queue counts until it rings.
local function may_ring_more(i)
  return #i.offers < (i.sole == 1 and 1 or i.terms.ring) and not (i.limit_at > 0 and i.limit_at <= NOW)
end

local served -- (62_estimate)

-- Both are the caller's to save. O(R log n)
local function reserve(i, a, page)
  local explained = considered(i, a, page)
  leave_ready_sets(a)
  if i.attempt == 0 and i.waited == 1 then served(i) end
  if i.state == 'waiting' then call('ZREM', PREFIX .. 'queue:' .. i.queue, i.member) end
  local seq = next_seq()
  local offer = { agent = a.id, token = whole(seq) .. '-' .. i.id, state = 'offered', offered_at = NOW, ringing_at = 0 }
  i.offers[#i.offers + 1] = offer
  i.state, i.attempt = 'offered', i.attempt + 1
  if not may_ring_more(i) then leave_line(i) end
  a.hands[#a.hands + 1] = { token = offer.token, kind = i.terms.kind, work = 'reserved', since = NOW, till = 0 }
  a.last_offer = seq
  arm('lease:' .. offer.token, NOW + i.terms.lease)
  notify(i.engine, { 'offer', offer.token, i.id, a.id, i.queue, i.attempt })
  journal('offer.created', i.id, offer_event(offer) .. ',"queue":' .. quoted(i.queue) .. ',"requirement":'
    .. quoted(requirement_of(i.line)) .. ',"idle_ms":' .. whole(math.max(NOW - a.idle_since, 0)) .. ',"wait_ms":'
    .. whole(math.max(NOW - i.at, 0)) .. ',"attempt":' .. i.attempt .. ',"step":' .. i.step .. ',"order":"'
    .. i.terms.order .. '",' .. explained)
end

-- An item looks for an agent ------------------------------------------------------------------------------------------

-- At most x agents do not fit, so a page of x + 1 always holds the first who does: no cap that piled-up unfit agents
-- could exhaust. O(log n + x)
local function first_fit(i, set, unfit)
  for _, id in ipairs(call('ZRANGE', set, 0, unfit)) do
    if fits(i, id) then return id end
  end
  return nil
end

-- Out of a sample that is larger than those who do not fit, those with the fewest items at hand, and of them one by
-- chance: each as likely as their weight, or all alike. O(sample)
local function drawn(i, set, weighted, unfit)
  local sample = call('ZRANDMEMBER', set, math.max(DRAWN_FROM, unfit + 1), 'WITHSCORES')
  local fewest, ids, weights, all = nil, {}, {}, 0
  for n = 1, #sample, 2 do
    local at_hand = math.floor(sample[n + 1] / AN_ITEM_AT_HAND)
    if fits(i, sample[n]) and (not fewest or at_hand <= fewest) then
      if at_hand ~= fewest then fewest, ids, weights, all = at_hand, {}, {}, 0 end
      ids[#ids + 1] = sample[n]
      weights[#ids] = weighted and sample[n + 1] % AN_ITEM_AT_HAND or 1
      all = all + weights[#ids]
    end
  end
  local left = math.random() * all
  for n, id in ipairs(ids) do
    left = left - weights[n]
    if left < 0 then return id end
  end
  return ids[#ids]
end

local function first_of_line(i, line, unfit)
  local _, own = owner_of(line)
  if own then return fits(i, own) and ready_in(line) == 1 and own or nil end
  local order, ready = i.terms.order, PREFIX .. 'ready:' .. line
  local ranked = RANKED[order] and PREFIX .. 'order:' .. order .. ':' .. line or ready
  if order == 'random' or order == 'weighted' then return drawn(i, ranked, order == 'weighted', unfit) end
  return first_fit(i, ranked, unfit)
end

local function choose(i)
  local unfit = #i.offers
  for _ in pairs(i.excluded) do unfit = unfit + 1 end
  local line = i.line
  if not string.find(line, '@', 1, true) and i.preferred ~= '' and fits(i, i.preferred)
    and call('ZSCORE', PREFIX .. 'ready:' .. line, i.preferred) then
    return i.preferred, unfit
  end
  local step = i.terms.steps[i.step]
  for _, preferred in ipairs(step and step.prefer or {}) do
    local id = first_of_line(i, preferred, unfit) -- its line has only those who meet the step's requirement as well
    if id then return id, unfit end
  end
  return first_of_line(i, line, unfit), unfit
end

local employ

-- Offers the item to as many agents as may ring at once; saves them, not the item. True if it is offered now.
-- O(k (R log n + x))
local function match_item(i)
  while may_ring_more(i) do
    local id, unfit = choose(i)
    if not id then break end
    local a = load_agent(id)
    reserve(i, a, call('ZRANGE', PREFIX .. 'ready:' .. i.line, 0, math.max(CANDIDATES - 1, unfit), 'WITHSCORES'))
    save_item(i) -- an agent with room for more looks through the lines at once
    employ(a)
  end
  if i.offers[1] then
    if may_ring_more(i) then enter_line(i) else leave_line(i) end
  end
  return i.offers[1] ~= nil
end

-- An agent looks for an item ------------------------------------------------------------------------------------------

local function look_at_head(head)
  local found = call('ZRANGE', head.key, head.index, head.index, 'WITHSCORES')
  head.member, head.score = found[1], tonumber(found[2])
  return found[1] ~= nil
end

-- The heads of all lines that the agent stands in; none, after one look, where nobody waits in any. O(R)
local function heads_for(a, kinds)
  local keys, profile = {}, profile_of(a.profile) or {}
  for _, kind in ipairs(kinds) do
    keys[#keys + 1] = PREFIX .. 'wait:' .. own_line(a, kind)
    each_line(profile[kind], function(line) keys[#keys + 1] = PREFIX .. 'wait:' .. line end)
  end
  local found = {}
  if call('EXISTS', unpack(keys)) == 0 then return found end
  for _, key in ipairs(keys) do
    local head = { key = key, index = 0 }
    if look_at_head(head) then found[#found + 1] = head end
  end
  return found
end

-- The waiting item with the lowest score, first come first among equals, over all lines of these kinds and without those
-- that exclude this agent (at most as many as they missed within an exclusion). O(R log n)
local function best_item_for(a, kinds)
  local heads = heads_for(a, kinds)
  while heads[1] do
    local best = 1
    for n = 2, #heads do
      local head, other = heads[n], heads[best]
      if head.score < other.score or head.score == other.score and head.member < other.member then best = n end
    end
    local head = heads[best]
    local item = load_item(string.sub(head.member, 18))
    if item and fits(item, a.id) then return item end
    head.index = head.index + 1
    if not look_at_head(head) then table.remove(heads, best) end
  end
  return nil
end

local function kinds_open_to(a)
  local open = {}
  for kind in pairs(limits_of(a.limits)) do
    if routable(a, kind) then open[#open + 1] = kind end
  end
  table.sort(open)
  return open
end

-- Brings the ready sets into line with the three axes, matching at once; saves the agent. Every change of what is at hand
-- ends here: out of the sets first, as what places them there may have changed. O(R log n) for each item it takes
employ = function(a)
  leave_ready_sets(a)
  while true do
    local open = kinds_open_to(a)
    if not open[1] then break end
    if a.idle_since == 0 then a.idle_since = NOW end
    local item = best_item_for(a, open)
    if not item then
      for _, kind in ipairs(open) do join_ready_sets(a, kind) end
      break
    end
    -- Nobody else is ready for what waits, unless it may not go to them.
    local unfit = item.offers[1] or next(item.excluded)
    reserve(item, a, unfit and call('ZRANGE', PREFIX .. 'ready:' .. item.line, 0, CANDIDATES - 1, 'WITHSCORES') or {})
    save_item(item)
  end
  save_agent(a)
  if a.removed == 1 and not a.hands[1] then call('DEL', PREFIX .. 'agent:' .. a.id) end
end

-- The same after a change of intent, device or profile, by which agents are counted.
local function settle(a)
  count(a)
  employ(a)
end
