-- Which agents there are, what they meet, and the two axes that come from outside: intent and device.

local function new_agent(id)
  return {
    id = id, intent = 'logged_out', reason = '', device = 'down', work = 'idle', since = NOW, item = '', token = '',
    idle_since = 0, cool_until = 0, misses = 0, wrapup_until = 0, reqs = '', ready = false,
  }
end

-- The agent's place among the longest idle survives; the ready sets follow the new list.
local function set_requirements(a, reqs)
  if reqs == a.reqs then return end
  if a.ready then leave_ready_sets(a) end
  for rid in string.gmatch(a.reqs, '%S+') do call('ZREM', PREFIX .. 'members:' .. rid, a.id) end
  a.reqs = reqs
  for rid in string.gmatch(reqs, '%S+') do call('ZADD', PREFIX .. 'members:' .. rid, 0, a.id) end
end

-- define(agent, `R R …` all that the agent meets) -> 1. Creates the agent logged out, device down. O(R log n)
register('define', function(args)
  local id = args[3]
  local a = load_agent(id) or new_agent(id)
  call('ZADD', PREFIX .. 'agents', 0, id)
  set_requirements(a, args[4])
  settle(a)
  return 1
end)

-- forget(agent) -> 1, or 0 if unknown. An agent at work finishes first. O(R log n)
register('forget', function(args)
  local a = load_agent(args[3])
  call('ZREM', PREFIX .. 'agents', args[3])
  if not a then return 0 end
  set_requirements(a, '')
  if a.intent ~= 'logged_out' then set_intent(a, 'logged_out', 'removed') end
  settle(a)
  if a.work == 'idle' then call('DEL', PREFIX .. 'agent:' .. a.id) end
  return 1
end)

-- intern(R, expression, agent, agent, … who meet it) -> 1. Makes a requirement usable; agents met for the first time
-- through it join it at once. O(agents log n), once for each requirement
register('intern', function(args)
  local rid = args[3]
  call('HSET', PREFIX .. 'reqs', rid, args[4])
  for n = 5, #args do
    local a = load_agent(args[n])
    if a and not string.find(' ' .. a.reqs .. ' ', ' ' .. rid .. ' ', 1, true) then
      set_requirements(a, a.reqs == '' and rid or a.reqs .. ' ' .. rid)
      settle(a)
    end
  end
  return 1
end)

-- agent(agent, intent or '', reason, device or '') -> 1, or 0 if unknown. What does not change is not reported.
-- O(R log n)
register('agent', function(args)
  local a, intent, reason, device = load_agent(args[3]), args[4], args[5], args[6]
  if not a then return 0 end
  local new_intent = intent ~= '' and (intent ~= a.intent or reason ~= a.reason)
  local new_device = device ~= '' and device ~= a.device
  if new_intent then
    if intent == 'ready' then a.misses = 0 end
    set_intent(a, intent, reason)
  end
  if new_device then set_device(a, device) end
  if new_intent or new_device then settle(a) end
  return 1
end)
