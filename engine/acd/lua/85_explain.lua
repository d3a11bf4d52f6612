-- Why an item waits, or with whom it is: everything that decides about it, at this moment.

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
  local why = has_offer(i, id) and 'rings' or i.excluded[id] and 'excluded' or why_not_routable(a, i.terms.kind)
  return { agent = id, why = why, till = i.excluded[id] and whole(i.excluded[id]) or '0',
    idle_ms = a.idle_since > 0 and ms_since(a.idle_since) or '0' }
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
  local offers = {}
  for n, offer in ipairs(i.offers) do
    offers[n] = { agent = offer.agent, state = offer.state, token = offer.token, ms = whole(NOW - offer.offered_at) }
  end
  return cjson.encode({
    id = i.id, queue = i.queue, type = i.type, kind = i.terms.kind, state = i.state, order = i.terms.order,
    position = position_of(i), waited_ms = whole(NOW - i.at), head_start_ms = whole(i.head + i.terms.head_start),
    strict = i.strict + i.terms.strict, urgent = i.urgent_at > 0 and i.urgent_at <= NOW and 1 or 0,
    limit_in_ms = i.limit_at > 0 and whole(i.limit_at - NOW) or '-1', limit_why = i.limit_why,
    next_step_in_ms = i.step_at > 0 and whole(i.step_at - NOW) or '-1',
    back_in_ms = i.back_at > 0 and whole(i.back_at - NOW) or '-1', attempt = i.attempt, preferred = i.preferred,
    steps = steps, agents = agents, offers = offers,
  })
end, { 'no-writes' })
