-- Agents and items as Lua tables: load, change, save.

local function load_agent(id)
  local f = call('HMGET', PREFIX .. 'agent:' .. id, 'intent', 'reason', 'device', 'work', 'since', 'item', 'token',
    'idle_since', 'cool_until', 'misses', 'wrapup_until', 'reqs', 'ready')
  if not f[1] then return nil end
  return {
    id = id, intent = f[1], reason = f[2], device = f[3], work = f[4], since = f[5], item = f[6], token = f[7],
    idle_since = tonumber(f[8]), cool_until = tonumber(f[9]), misses = tonumber(f[10]),
    wrapup_until = tonumber(f[11]), reqs = f[12], ready = f[13] == '1',
  }
end

local function save_agent(a)
  call('HSET', PREFIX .. 'agent:' .. a.id, 'intent', a.intent, 'reason', a.reason, 'device', a.device,
    'work', a.work, 'since', a.since, 'item', a.item, 'token', a.token, 'idle_since', a.idle_since,
    'cool_until', a.cool_until, 'misses', a.misses, 'wrapup_until', a.wrapup_until, 'reqs', a.reqs,
    'ready', a.ready and '1' or '0')
end

local function set_work(a, work, item, token)
  a.work, a.item, a.token, a.since = work, item, token, NOW
end

local function routable(a)
  return a.intent == 'ready' and a.device == 'idle' and a.work == 'idle' and a.cool_until <= NOW
end

local function excluded_agents(text)
  local excluded = {}
  for agent, till in string.gmatch(text, '(%S+)=(%d+)') do
    if tonumber(till) > NOW then excluded[agent] = tonumber(till) end
  end
  return excluded
end

local function load_item(id)
  local f = call('HMGET', PREFIX .. 'item:' .. id, 'queue', 'rid', 'engine', 'at', 'score', 'member', 'state',
    'agent', 'token', 'attempt', 'lease_ms', 'wrapup_ms', 'excluded', 'preferred', 'offered_at', 'ringing_at')
  if not f[1] then return nil end
  return {
    id = id, queue = f[1], rid = f[2], engine = f[3], at = tonumber(f[4]), score = tonumber(f[5]), member = f[6],
    state = f[7], agent = f[8], token = f[9], attempt = tonumber(f[10]), lease_ms = tonumber(f[11]),
    wrapup_ms = tonumber(f[12]), excluded = excluded_agents(f[13]), preferred = f[14],
    offered_at = tonumber(f[15]), ringing_at = tonumber(f[16]),
  }
end

-- What changes in an item's life; the rest is written once by enqueue.
local function save_item(i)
  local excluded = {}
  for agent, till in pairs(i.excluded) do excluded[#excluded + 1] = agent .. '=' .. till end
  call('HSET', PREFIX .. 'item:' .. i.id, 'state', i.state, 'agent', i.agent, 'token', i.token,
    'attempt', i.attempt, 'excluded', table.concat(excluded, ' '), 'offered_at', i.offered_at,
    'ringing_at', i.ringing_at)
end

local function delete_item(i)
  call('DEL', PREFIX .. 'item:' .. i.id)
  call('SREM', PREFIX .. 'engine:' .. i.engine, i.id)
end

local function start_waiting(i)
  i.state, i.agent, i.token, i.offered_at, i.ringing_at = 'waiting', '', '', 0, 0
  call('ZADD', PREFIX .. 'wait:' .. i.rid, i.score, i.member)
  call('ZADD', PREFIX .. 'queue:' .. i.queue, i.score, i.member)
end

local function stop_waiting(i)
  call('ZREM', PREFIX .. 'wait:' .. i.rid, i.member)
  call('ZREM', PREFIX .. 'queue:' .. i.queue, i.member)
end

-- 1 is next; 0 when the item is not waiting
local function position_of(i)
  local rank = call('ZRANK', PREFIX .. 'queue:' .. i.queue, i.member)
  return rank and rank + 1 or 0
end

local function item_of(token)
  local item = load_item(string.match(token, '^%d+%-(.+)$') or '')
  return item and item.token == token and item or nil
end
