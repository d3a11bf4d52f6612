-- The two sides of a line: items that wait in it, agents who stand ready in it.

local ABSENT_MS = 3000

local function own_line(a, kind) return kind .. '.@' .. a.id end

-- kind and agent, when it is an agent's own line
local function owner_of(line) return string.match(line, '^([^.]+)%.@(.+)$') end

local interned = cached(function(line)
  local _, agent = owner_of(line)
  return agent and 'agent:' .. agent or call('HGET', PREFIX .. 'lines', line) or nil
end)

local function requirement_of(line) return interned(line) or '' end

-- Whether anybody is logged in who could come to take an item from this line. An agent's own line needs them at work:
-- somebody on a break is not waited for. O(1)
local function is_staffed(line)
  local kind, id = owner_of(line)
  if not id then return tonumber(call('HGET', PREFIX .. 'present', line) or 0) > 0 end
  local a = load_agent(id)
  return a ~= nil and at_work(a, kind)
end

-- A line in which somebody waits and nobody is logged in is looked after a moment later, and again while that lasts
-- (60_rules).
local function watch(line)
  local due = NOW + ABSENT_MS
  if call('ZADD', PREFIX .. 'timers', 'NX', due, 'absent:' .. line) == 1 and (not next_due or due < next_due) then
    next_due = due
  end
end

local function enter_line(i)
  if i.indexed == 1 then return end
  call('ZADD', PREFIX .. 'wait:' .. i.line, i.score, i.member)
  i.indexed = 1
  if not is_staffed(i.line) then watch(i.line) end
end

local function leave_line(i)
  if i.indexed == 0 then return end
  call('ZREM', PREFIX .. 'wait:' .. i.line, i.member)
  i.indexed = 0
end

-- The item moves in its line, or into another one, and keeps its name.
local function stand(i, line, score)
  local was_in = i.indexed == 1
  local in_queue = was_in and call('ZSCORE', PREFIX .. 'queue:' .. i.queue, i.member)
  if was_in then leave_line(i) end
  i.line, i.score = line, score
  if was_in then enter_line(i) end
  if in_queue then call('ZADD', PREFIX .. 'queue:' .. i.queue, score, i.member) end
end

-- 1 is next; 0 when the item is not waiting. O(log n)
local function position_of(i)
  local rank = call('ZRANK', PREFIX .. 'queue:' .. i.queue, i.member)
  return rank and rank + 1 or 0
end

-- Where an order has an agent: lower is offered first. Ties go by idle time (a step of 1e11 ms is three years of it),
-- and where they cannot, by chance of name. For weighted it is the weight, to be drawn by.
local RANKED = {
  fewest_calls = function(a) return a.calls * 1e11 + a.idle_since end,
  most_proficient = function(a, entry) return a.idle_since - entry[3] * 1e11 end,
  round_robin = function(a) return a.last_offer end,
  linear = function(a) return a.rank end,
  weighted = function(a) return a.weight end,
  -- Everybody's share decays alike, so this order stays true while nobody does anything.
  least_occupied = function(a) return math.log(math.max(decayed_busy(a), 1)) * BUSY_DECAY_MS + NOW end,
}

-- Before every order: how many items of that kind they have at hand. Above every rank, and exact up to nine of them.
local AN_ITEM_AT_HAND = 1e15

local function kinds_of(text) return string.gmatch(text, '%S+') end

local function join_ready_sets(a, kind)
  local count = 0
  for _, hand in ipairs(a.hands) do
    if hand.kind == kind then count = count + 1 end
  end
  local first_by = count * AN_ITEM_AT_HAND
  local idle = first_by + a.idle_since
  local lines = profile_of(a.profile)[kind] or {}
  for _, line in ipairs(lines) do call('ZADD', PREFIX .. 'ready:' .. line, idle, a.id) end
  for _, entry in ipairs(lines.orders or {}) do
    local line, order = entry[1], entry[2]
    call('ZADD', PREFIX .. 'order:' .. order .. ':' .. line, first_by + RANKED[order](a, entry), a.id)
  end
  a.ready = a.ready == '' and kind or a.ready .. ' ' .. kind
end

local function leave_ready_sets(a)
  if a.ready == '' then return end
  local profile = profile_of(a.profile) or {}
  for kind in kinds_of(a.ready) do
    local lines = profile[kind] or {}
    for _, line in ipairs(lines) do call('ZREM', PREFIX .. 'ready:' .. line, a.id) end
    for _, entry in ipairs(lines.orders or {}) do
      call('ZREM', PREFIX .. 'order:' .. entry[2] .. ':' .. entry[1], a.id)
    end
  end
  a.ready = ''
end

local function is_ready(a, kind)
  return string.find(' ' .. a.ready .. ' ', ' ' .. kind .. ' ', 1, true) ~= nil
end

-- How many agents of the line an item could be offered now. O(1)
local function ready_in(line)
  local kind, id = owner_of(line)
  if not id then return call('ZCARD', PREFIX .. 'ready:' .. line) end
  local a = load_agent(id)
  return a and is_ready(a, kind) and 1 or 0
end

local function step_count(key, line, step)
  local left = call('HINCRBY', PREFIX .. key, line, step)
  if left == 0 and key == 'present' and call('EXISTS', PREFIX .. 'wait:' .. line) == 1 then watch(line) end
end

local function each_line(lines, visit)
  for _, line in ipairs(lines or {}) do visit(line) end
end

-- How many are logged in, and how many of them mean to work, a line. Costs something only when that changes. O(R)
local function count(a)
  local profile = profile_of(a.profile) or {}
  local now = {}
  for kind in pairs(profile) do
    local there = a.intent ~= 'logged_out' and (kind ~= 'voice' or a.device ~= 'down')
    now[#now + 1] = kind .. '=' .. (there and 'p' or '') .. (at_work(a, kind) and 's' or '')
  end
  table.sort(now)
  local text = table.concat(now, ' ')
  if text == a.counted then return end
  local before = {}
  for kind, marks in string.gmatch(a.counted, '([^=%s]+)=(%l*)') do before[kind] = marks end
  for kind, marks in string.gmatch(text, '([^=%s]+)=(%l*)') do
    local old = before[kind] or ''
    for mark, key in pairs({ p = 'present', s = 'staffed' }) do
      local step = (string.find(marks, mark) and 1 or 0) - (string.find(old, mark) and 1 or 0)
      if step ~= 0 then
        each_line(profile[kind], function(line) step_count(key, line, step) end)
      end
    end
    local mine = own_line(a, kind)
    if not at_work(a, kind) and call('EXISTS', PREFIX .. 'wait:' .. mine) == 1 then watch(mine) end
  end
  a.counted = text
end

-- Before an agent's profile is exchanged: out of everything that the old one names.
local function uncount(a)
  local profile = profile_of(a.profile) or {}
  for kind, marks in string.gmatch(a.counted, '([^=%s]+)=(%l*)') do
    each_line(profile[kind], function(line)
      if string.find(marks, 'p') then step_count('present', line, -1) end
      if string.find(marks, 's') then step_count('staffed', line, -1) end
    end)
  end
  a.counted = ''
end
