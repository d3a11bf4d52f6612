-- What offer.created tells about the others: who else could have had it, and who could not and why.

local CANDIDATES, PASSED, MEMBERS_SHOWN_BELOW = 5, 8, 3

local function why_not(id, item)
  if item.excluded[id] then return 'excluded' end
  local f = call('HMGET', PREFIX .. 'agent:' .. id, 'intent', 'device', 'work', 'cool_until')
  if not f[1] then return nil end
  if f[1] ~= 'ready' then return f[1] end
  if f[3] == 'reserved' or f[3] == 'ringing' then return 'busy' end
  if f[3] ~= 'idle' then return f[3] end
  if f[2] ~= 'idle' then return f[2] == 'down' and 'device_down' or 'busy' end
  if tonumber(f[4]) > NOW then return 'cooldown' end
  return nil
end

local function candidate(id, idle_since)
  return '{"agent":' .. quoted(id) .. ',"idle_ms":' .. math.max(NOW - idle_since, 0) .. '}'
end

-- page: { agent, idle_since, … } of the requirement's ready agents in order, the chosen one among them or not
local function explain(item, chosen, page)
  local candidates, passed, seen = {}, {}, { [chosen.id] = true }
  local function pass(id)
    local why = #passed < PASSED and not seen[id] and why_not(id, item)
    seen[id] = true
    if why then passed[#passed + 1] = '{"agent":' .. quoted(id) .. ',"why":"' .. why .. '"}' end
  end
  local placed = false
  for n = 1, #page, 2 do
    local id, idle_since = page[n], tonumber(page[n + 1])
    if not placed and (id == chosen.id or idle_since > chosen.idle_since) then
      candidates[#candidates + 1], placed = candidate(chosen.id, chosen.idle_since), true
    end
    if item.excluded[id] then pass(id)
    elseif id ~= chosen.id then
      candidates[#candidates + 1] = candidate(id, idle_since)
      seen[id] = true
    end
  end
  if not placed then candidates[#candidates + 1] = candidate(chosen.id, chosen.idle_since) end
  if #candidates < MEMBERS_SHOWN_BELOW then
    for _, id in ipairs(call('ZRANGE', PREFIX .. 'members:' .. item.rid, 0, PASSED + CANDIDATES)) do pass(id) end
  end
  return '"candidates":[' .. table.concat(candidates, ',', 1, math.min(#candidates, CANDIDATES))
    .. '],"passed":[' .. table.concat(passed, ',') .. ']'
end
