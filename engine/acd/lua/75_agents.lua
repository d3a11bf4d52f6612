-- Which agents there are, in which lines they stand, and the two axes that come from outside: intent and device.

-- Another engine may have forgotten the lines meanwhile, as no policy used them yet (77_forgetting).
local function lines_are_there(policy)
  for _, line in ipairs(lines_of(policy)) do
    if not owner_of(line) and call('HEXISTS', PREFIX .. 'lines', line) == 0 then return false end
  end
  return true
end

-- intern(kind of thing: policies, lines; id, text, id, text, …) -> the ids of the policies that could not be, for want of
-- their lines. What is named by what it says. O(n)
register('intern', function(args)
  local of, words, refused = args[3], {}, {}
  for n = 4, #args, 2 do
    local id, text = args[n], args[n + 1]
    if of == 'policies' and not lines_are_there(cjson.decode(text)) then
      refused[#refused + 1] = id
    else
      if of == 'policies' then
        note_longest_ahead(text)
        call('HDEL', PREFIX .. 'leaving:policies', id)
      end
      words[#words + 1] = id
      words[#words + 1] = text
    end
  end
  if words[1] then call('HSET', PREFIX .. of, unpack(words)) end
  return refused
end)

local function intern_profile(id, text)
  if call('HEXISTS', PREFIX .. 'profiles', id) == 0 then call('HSET', PREFIX .. 'profiles', id, packed_profile(text)) end
end

-- The lines an agent stands in follow a new profile; their place among the longest idle survives. O(R log n)
local function set_profile(a, profile)
  if profile == a.profile then return end
  leave_ready_sets(a)
  local before, after = profile_of(a.profile) or {}, profile_of(profile)
  if not after then error('profile ' .. profile .. ' is not interned') end
  local kept = {}
  for _, entries in pairs(after) do
    each_line(entries, function(line) kept[line] = true end)
  end
  for _, entries in pairs(before) do
    each_line(entries, function(line)
      if not kept[line] then call('ZREM', PREFIX .. 'members:' .. line, a.id) end
    end)
  end
  for line in pairs(kept) do call('ZADD', PREFIX .. 'members:' .. line, 0, a.id) end
  call('HDEL', PREFIX .. 'leaving:profiles', profile)
  a.profile = profile
end

-- The profile in which an agent stands in these lines, too: its id, and that of their own if they do so already. text: as
-- staff.py writes it. O(R)
local function extended(a, text)
  local found, is_new = {}, false
  for kind, entries in pairs(profile_of(a.profile)) do
    found[kind] = { lines = { unpack(entries.lines) }, orders = { unpack(entries.orders) } }
  end
  for kind, added in pairs(cmsgpack.unpack(packed_profile(text))) do
    local into, known = found[kind], {}
    if not into then return a.profile end -- of another engine's agents: they do not take these
    for _, line in ipairs(into.lines) do known[line] = true end
    for _, entry in ipairs(into.orders) do known[concat(entry, ' ')] = true end
    for _, line in ipairs(added.lines) do
      if not known[line] then into.lines[#into.lines + 1], is_new = line, true end
    end
    for _, entry in ipairs(added.orders) do
      if not known[concat(entry, ' ')] then into.orders[#into.orders + 1], is_new = entry, true end
    end
  end
  if not is_new then return a.profile end
  local name = sub(redis.sha1hex(a.profile .. text), 1, 12)
  call('HSET', PREFIX .. 'profiles', name, cmsgpack.pack(found))
  return name
end

-- define(agent, profile, limits, rank, weight, intent or '', reason, device, the profile's text) -> 1. Who has never said
-- anything has that intent and that device from now on, else is logged out, device down; anybody else keeps intent,
-- device and what is at hand. O(R log n)
register('define', function(args)
  local id = args[3]
  local a = load_agent(id) or new_agent(checked_id(id))
  call('ZADD', PREFIX .. 'agents', 0, id)
  -- In no ready set while limits and rank change: settle puts them back where they now belong.
  leave_ready_sets(a)
  intern_profile(args[4], args[11])
  set_profile(a, args[4])
  a.limits, a.rank, a.weight, a.removed = args[5], tonumber(args[6]), tonumber(args[7]), 0
  if args[8] ~= '' and a.intent == 'logged_out' and a.reason == '' then
    set_intent(a, args[8], args[9])
    if a.device ~= args[10] then set_device(a, args[10]) end
  end
  settle(a)
  return 1
end)

-- step_in(profile's text, agent, agent, …) -> how many stand in these lines now who did not. Whatever else they stand in is
-- left as it is, whoever brought it in. O(R log n) for each of them
register('step_in', function(args)
  local stepped = 0
  for n = 4, #args do
    local a = load_agent(args[n])
    local profile = a and a.removed == 0 and extended(a, args[3])
    if profile and profile ~= a.profile then
      leave_ready_sets(a)
      set_profile(a, profile)
      settle(a)
      stepped = stepped + 1
    end
  end
  return stepped
end)

-- forget(agent, the empty profile, its text) -> 1, or 0 if unknown. An agent at work finishes first. O(R log n)
register('forget', function(args)
  local a = load_agent(args[3])
  call('ZREM', PREFIX .. 'agents', args[3])
  call('HDEL', PREFIX .. 'skills', args[3])
  call('ZREM', PREFIX .. 'skilled', args[3])
  if not a then return 0 end
  if a.intent ~= 'logged_out' then set_intent(a, 'logged_out', 'removed') end
  intern_profile(args[4], args[5])
  set_profile(a, args[4])
  a.limits, a.removed = '', 1
  settle(a)
  return 1
end)

-- agent(agent, intent or '', reason, device or '', actor if any) -> 1, or 0 if unknown. What does not change is not
-- reported. O(R log n)
register('agent', function(args)
  local a, intent, reason, device = load_agent(args[3]), args[4], args[5], args[6]
  if not a or a.removed == 1 then return 0 end
  local new_intent = intent ~= '' and (intent ~= a.intent or reason ~= a.reason)
  local new_device = device ~= '' and device ~= a.device
  if new_intent then
    if intent == 'ready' then a.ignored, a.dnds = 0, 0 end
    set_intent(a, intent, reason, args[7])
  end
  if new_device then set_device(a, device) end
  if new_intent or new_device then settle(a) end
  return 1
end)

-- skill(agent, skill, level or '' for as configured, actor if any) -> JSON of all skills of theirs that were changed while
-- running. Which lines that means is for define. O(1)
register('skill', function(args)
  local skills = cjson.decode(call('HGET', PREFIX .. 'skills', args[3]) or '{}')
  skills[args[4]] = tonumber(args[5])
  local text = cjson.encode(skills)
  if text == '{}' then call('HDEL', PREFIX .. 'skills', args[3])
  else call('HSET', PREFIX .. 'skills', args[3], text) end
  local latest = call('ZRANGE', PREFIX .. 'skilled', 0, 0, 'REV', 'WITHSCORES')
  call('ZADD', PREFIX .. 'skilled', whole(math.max(NOW, tonumber(latest[2] or 0))), args[3])
  journal('agent.skills_changed', '', '"agent":' .. quoted(args[3]) .. ',"skills":' .. text .. said_by(args[6]))
  return text
end)

-- wrapup(agent, ms, actor if any) -> how long they wrap up still, or -1 if they wrap nothing up. Each of their wrap-ups
-- lasts so much longer than it would; 0 ends them all. O(R log n)
register('wrapup', function(args)
  local a, ms, last = load_agent(args[3]), tonumber(args[4]), nil
  for _, hand in ipairs(a and a.hands or {}) do
    if hand.work == 'wrapup' then
      hand.till = ms > 0 and math.max(hand.till, NOW) + ms or NOW
      last = math.max(hand.till, last or 0)
      journal('wrapup.changed', match(hand.token, '^%d+%-(.+)$'),
        '"agent":' .. named(a.id) .. ',"until":' .. whole(hand.till) .. said_by(args[5]))
    end
  end
  if not last then return -1 end
  if ms > 0 then
    arm_wrapup(a)
    employ(a)
  else
    save_agent(a)
    EXPIRED.wrapup(a.id)
  end
  return last - NOW
end)
