-- Who gets what. Matching reserves: when these functions return, the offer exists and nobody else can have either.

local CANDIDATES = 5
local NOBODY = {}
local DRAWN_FROM = 40 -- ready agents, taken evenly, among whom chance decides

local function has_offer(i, agent)
  local offers = i.offers
  for n = 1, #offers do
    if offers[n].agent == agent then return true end
  end
  return false
end

-- Why this item is not for this agent, if it is not.
local function unfit_for(i, agent)
  return i.excluded[agent] and 'excluded' or has_offer(i, agent) and 'rings' or nil
end

local function fits(i, agent) return not unfit_for(i, agent) end

-- What offer.created tells of the choice: by what it was made, who else could have had it, and who could not and why. --

local decision
do
  local PASSED, MEMBERS_SHOWN_BELOW = 8, 3

  -- A number: which `prefer` of the step they meet; `preferred`: the item names them; `free`: they came free, and it is
  -- the first in their lines; `ahead`; `hand`. Nothing: the order alone.
  local function chosen_by(by)
    if not by then return '' end
    if type(by) == 'number' then return '"by":"prefer","prefer":' .. whole(by) .. ',' end
    return '"by":"' .. by .. '",'
  end

  -- What its score is made of beside its wait.
  local function priority(i)
    local head, strict = i.head + i.terms.head_start, strict_level(i)
    return (head > 0 and '"head_start_ms":' .. whole(head) .. ',' or '')
      .. (strict > 0 and '"strict":' .. whole(strict) .. ',' or '') .. (is_urgent(i, NOW) and '"urgent":true,' or '')
  end

  local function candidate(id, value) return '{"agent":' .. named(id) .. value .. '}' end

  -- Who is not ready, of those who meet the line.
  local function pass_over_members(i, pass)
    local ids = call('ZRANGE', PREFIX .. 'members:' .. i.line, '0', PASSED)
    local whys = ids[1] and call('HMGET', PREFIX .. 'why:' .. i.terms.kind, unpack(ids))
    local fit_all = not i.offers[2] and not next(i.excluded)
    for n = 1, #ids do pass(ids[n], not fit_all and unfit_for(i, ids[n]) or whys[n]) end
  end

  local function considered(i, chosen, page, others)
    local order, value = i.terms.order, nil
    local candidates, passed, seen = { '' }, {}, { [chosen.id] = true }
    local function pass(id, why)
      if not why or seen[id] or #passed == PASSED then return end
      passed[#passed + 1], seen[id] = '{"agent":' .. named(id) .. ',"why":"' .. why .. '"}', true
    end
    for n = 1, #page, 2 do
      local id = page[n]
      if id == chosen.id then value = value_of(order, page[n + 1])
      elseif unfit_for(i, id) then pass(id, unfit_for(i, id))
      elseif not seen[id] then
        seen[id] = true
        if #candidates < CANDIDATES then candidates[#candidates + 1] = candidate(id, value_of(order, page[n + 1])) end
      end
    end
    candidates[1] = candidate(chosen.id, value or value_of('longest_idle', chosen.idle_since))
    for n = 1, #others, 2 do pass(others[n], unfit_for(i, others[n]) or 'less_preferred') end
    if #candidates < MEMBERS_SHOWN_BELOW then pass_over_members(i, pass) end
    return '"candidates":[' .. concat(candidates, ',') .. ']'
      .. (passed[1] and ',"passed":[' .. concat(passed, ',') .. ']' or '')
  end

  -- As JSON members. page: { agent, score, … } of ready agents as the item's order has them, the chosen one among them or
  -- not; others, where the page has only those whom the step prefers: the same of its whole line.
  decision = function(i, chosen, page, by, others)
    return chosen_by(by) .. priority(i) .. considered(i, chosen, page, others or NOBODY)
  end
end

-- The offer -----------------------------------------------------------------------------------------------------------

local function offer_event(offer)
  return '"token":' .. named(offer.token) .. ',"agent":' .. named(offer.agent)
end

-- While it may ring further phones, an item stays in its line; no longer than its wait may last, and then it only rings
-- to its end. Its place in the queue counts until it rings.
local function may_ring_more(i)
  return #i.offers < (i.sole == 1 and 1 or i.terms.ring) and not is_over(i)
end

local served -- (62_estimate)

-- In how long they will be free for it, where they are not yet (55_ahead).
local function offer_notice(i, offer)
  local ahead = offer.offered_at > NOW and offer.offered_at - NOW or nil
  return { 'offer', offer.token, i.id, offer.agent, i.queue, i.attempt, ahead }
end

-- Both are the caller's to save. page, by, others: as for decision. free_at: when the agent will be, who is reserved
-- ahead of that. O(R log n)
local function reserve(i, a, page, by, others, free_at)
  leave_ready_sets(a)
  if i.attempt == 0 and i.waited == 1 then served(i) end
  if i.state == 'waiting' then call('ZREM', PREFIX .. 'queue:' .. i.queue, i.member) end
  local seq = next_seq()
  local offer = {
    agent = a.id, token = whole(seq) .. '-' .. i.id, state = 'offered', offered_at = free_at or NOW, ringing_at = 0,
  }
  i.offers[#i.offers + 1] = offer
  i.state, i.attempt = 'offered', i.attempt + 1
  if not may_ring_more(i) then leave_line(i) end
  a.hands[#a.hands + 1] = { token = offer.token, kind = i.terms.kind, work = 'reserved', since = NOW, till = free_at or 0 }
  a.last_offer = seq
  arm('lease:' .. offer.token, offer.offered_at + i.terms.lease)
  notify(i.engine, offer_notice(i, offer))
  journal('offer.created', i.id, offer_event(offer) .. ',"queue":' .. quoted_name(i.queue) .. ',"requirement":'
    .. quoted_requirement(i.line) .. ',"idle_ms":' .. ms_since(a.idle_since) .. ',"wait_ms":' .. ms_since(i.at)
    .. ',"attempt":' .. whole(i.attempt) .. (i.step ~= 1 and ',"step":' .. whole(i.step) or '')
    .. (i.terms.order ~= 'longest_idle' and ',"order":"' .. i.terms.order .. '"' or '')
    .. (free_at and ',"free_in_ms":' .. whole(free_at - NOW) or '') .. ',' .. decision(i, a, page, by, others))
end

-- An item looks for an agent ------------------------------------------------------------------------------------------

-- The first of a line as an order has them: { agent, score, … }. At most x agents do not fit, so a page of x + 1 always
-- holds the first who does: no cap that piled-up unfit agents could exhaust. O(log n + x)
local function page_of(set, unfit)
  return call('ZRANGE', set, '0', whole(math.max(CANDIDATES - 1, unfit)), 'WITHSCORES')
end

local function first_fit(i, page)
  for n = 1, #page, 2 do
    if fits(i, page[n]) then return page[n] end
  end
  return nil
end

-- Out of a sample that is larger than those who do not fit, those with the fewest items at hand, and of them one by
-- chance: each as likely as their weight, or all alike; and the sample. O(sample)
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
    if left < 0 then return id, sample end
  end
  return ids[#ids], sample
end

-- Whom the item's order has first in a line, and the page on which they stand.
local function first_of_line(i, line, unfit)
  local _, own = owner_of(line)
  if own then return fits(i, own) and ready_in(line) == 1 and own or nil, NOBODY end
  local order = i.terms.order
  if order == 'random' or order == 'weighted' then return drawn(i, ranked(order, line), order == 'weighted', unfit) end
  local page = page_of(ranked(order, line), unfit)
  return first_fit(i, page), page
end

-- Who gets it; and page, by, others: as for decision.
local function choose(i)
  local unfit = #i.offers
  for _ in pairs(i.excluded) do unfit = unfit + 1 end
  local line, order = i.line, i.terms.order
  if not find(line, '@', 1, true) and i.preferred ~= '' and fits(i, i.preferred) then
    local score = call('ZSCORE', ranked(order, line), i.preferred)
    if score then return i.preferred, { i.preferred, score, unpack(page_of(ranked(order, line), unfit)) }, 'preferred' end
  end
  local step = i.terms.steps[i.step]
  for n, preferred in ipairs(step and step.prefer or NOBODY) do
    local id, page = first_of_line(i, preferred, unfit) -- its line has only those who meet the step's requirement as well
    if id then return id, page, n, page_of(ranked(order, line), unfit) end
  end
  local id, page = first_of_line(i, line, unfit)
  return id, page, i.step == 0 and 'preferred' or nil
end

local employ

-- Offers the item to as many agents as may ring at once; saves them, not the item. True if it is offered now.
-- O(k (R log n + x))
local function match_item(i)
  while may_ring_more(i) do
    local id, page, by, others = choose(i)
    if not id then break end
    local a = load_agent(id)
    reserve(i, a, page, by, others)
    save_item(i) -- an agent with room for more looks through the lines at once
    employ(a)
  end
  if i.offers[1] then
    if may_ring_more(i) then enter_line(i) else leave_line(i) end
  end
  return i.offers[1] ~= nil
end

-- An agent looks for an item ------------------------------------------------------------------------------------------

local LAST = '~' -- behind every head

-- The heads of the lines that the agent stands in, where there are any, and the names of those lines. O(R)
local function heads_for(a, kinds)
  local heads, lines, profile = {}, {}, profile_of(a.profile) or {}
  for k = 1, #kinds do
    local own, others = own_line(a, kinds[k]), (profile[kinds[k]] or NOWHERE).lines
    local found = call('HMGET', HEADS, own, unpack(others))
    for n = 1, #others + 1 do
      if found[n] then
        local m = #heads + 1
        heads[m], lines[m] = found[n], others[n - 1] or own
      end
    end
  end
  return heads, lines
end

-- The waiting item with the lowest score, first come first among equals, over all lines of these kinds and without those
-- that exclude this agent (at most as many as they missed within an exclusion). O(R + x (R + log n))
local function best_item_for(a, kinds)
  local heads, lines = heads_for(a, kinds)
  local passed_over = {}
  while true do
    local best, of = LAST, nil
    for n = 1, #heads do
      if heads[n] < best then best, of = heads[n], n end
    end
    if not of then return nil end
    if not passed_over[of] then heads_now[lines[of]] = best end
    local item = load_item(sub(best, 34))
    if item and fits(item, a.id) then return item end
    local behind = (passed_over[of] or 0) + 1
    passed_over[of] = behind
    local next = call('ZRANGE', PREFIX .. 'wait:' .. lines[of], behind, behind, 'WITHSCORES')
    heads[of] = next[1] and head_of(next[2], next[1]) or LAST
  end
end

local review_ahead, watch_wrapup -- (55_ahead)

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
  review_ahead(a)
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
    local page = unfit and page_of(ranked(item.terms.order, item.line), 0) or NOBODY
    reserve(item, a, page, item.step == 0 and 'preferred' or 'free')
    save_item(item)
  end
  watch_wrapup(a)
  save_agent(a)
  if a.removed == 1 and not a.hands[1] then call('DEL', PREFIX .. 'agent:' .. a.id) end
end

-- The same after a change of intent, device or profile, by which agents are counted.
local function settle(a)
  count(a)
  employ(a)
end
