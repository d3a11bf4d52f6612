-- Why an item waits, or with whom it is: everything that decides about it, at this moment.

do -- Lua has room for 200 names; these are this file's own

local MEMBERS_EXPLAINED = 50

local function step_seen(i, n)
  local line = step_line(i, n)
  local step = i.terms.steps[n]
  return {
    after = step and step.after or 0, requirement = requirement_of(line), staffed = is_staffed(line) and 1 or 0,
    members = find(line, '@', 1, true) and 1 or call('ZCARD', PREFIX .. 'members:' .. line),
    ready = ready_in(line), now = n == i.step and 1 or 0,
  }
end

local function agent_seen(i, id)
  local a = load_agent(id)
  if not a then return nil end
  local at_it = i.state == 'talking' and 'talking' or 'rings'
  local why = has_offer(i, id) and at_it or i.excluded[id] and 'excluded' or why_not_routable(a, i.terms.kind)
  return { agent = id, why = why, till = i.excluded[id] and whole(i.excluded[id]) or '0',
    idle_ms = a.idle_since > 0 and ms_since(a.idle_since) or '0' }
end

-- When an agent accepted it; nil while nobody has.
local function answered_at(i)
  if i.state ~= 'talking' then return nil end
  local offer = i.offers[1]
  local a = load_agent(offer.agent)
  local hand = a and hand_of(a, offer.token)
  return hand and hand.since or offer.offered_at
end

-- explain(item) -> JSON of it: where it stands, its steps, and of at most 50 agents of its line what speaks against
-- each ('' for those who would get it); 0 if unknown. O(50 + steps)
register('explain', function(args)
  local i = load_item(args[3])
  if not i then return 0 end
  local steps, agents = {}, {}
  if i.preferred ~= '' then steps[1] = step_seen(i, 0) end
  for n = 1, #i.terms.steps do steps[#steps + 1] = step_seen(i, n) end
  local own = match(i.line, '%.@(.+)$')
  local ids = own and { own } or call('ZRANGE', PREFIX .. 'members:' .. i.line, 0, MEMBERS_EXPLAINED - 1)
  for _, id in ipairs(ids) do agents[#agents + 1] = agent_seen(i, id) end
  local answered = answered_at(i)
  local until_then = answered or NOW -- from then on nothing else decides about it
  local offers = {}
  for n, offer in ipairs(i.offers) do
    offers[n] = { agent = offer.agent, state = offer.state, token = offer.token, ms = whole(NOW - offer.offered_at) }
  end
  return cjson.encode({
    id = i.id, queue = i.queue, type = i.type, kind = i.terms.kind, state = i.state, order = i.terms.order,
    position = position_of(i), waited_ms = whole(until_then - i.at), head_start_ms = whole(i.head + i.terms.head_start),
    strict = strict_level(i), urgent = is_urgent(i, until_then) and 1 or 0,
    limit_in_ms = not answered and i.limit_at > 0 and whole(i.limit_at - NOW) or '-1', limit_why = i.limit_why,
    next_step_in_ms = not answered and i.step_at > 0 and whole(i.step_at - NOW) or '-1',
    back_in_ms = i.back_at > 0 and whole(i.back_at - NOW) or '-1', talking_ms = answered and whole(NOW - answered) or '-1',
    attempt = i.attempt, preferred = i.preferred,
    steps = steps, agents = agents, offers = offers,
  })
end, { 'no-writes' })

end
