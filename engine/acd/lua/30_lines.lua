-- The two sides of a line: items that wait in it, agents who stand ready in it.

local ABSENT_MS = 3000

local function own_line(a, kind) return kind .. '.@' .. a.id end

-- kind and agent, when it is an agent's own line
local function owner_of(line)
  if not find(line, '@', 1, true) then return nil end
  return match(line, '^([^.]+)%.@(.+)$')
end

local function interned(line)
  local _, agent = owner_of(line)
  return agent and 'agent:' .. agent or call('HGET', PREFIX .. 'lines', line) or nil
end

local function requirement_of(line) return interned(line) or '' end

local quoted_interned = cached(1000, function(line)
  local text = interned(line)
  return text and quoted(text)
end)

local function quoted_requirement(line) return quoted_interned(line) or '""' end

-- Whether anybody is logged in who could come to take an item from this line. An agent's own line needs them at work:
-- somebody on a break is not waited for. O(1)
local function is_staffed(line)
  local kind, id = owner_of(line)
  if not id then
    if staffed_now[line] == nil then staffed_now[line] = tonumber(call('HGET', PRESENT, line) or 0) > 0 end
    return staffed_now[line]
  end
  local a = load_agent(id)
  return a ~= nil and at_work(a, kind)
end

-- A line in which somebody waits and nobody is logged in is looked after within a moment, and again while that lasts
-- (60_rules).
local function watch(line)
  local due = NOW + ABSENT_MS
  if call('ZADD', TIMERS, 'NX', whole(due), 'absent:' .. line) == 1 and (not next_due or due < next_due) then
    next_due = due
  end
end

-- As text that sorts as wait:L does: the score, made positive and as long as all others, then the member.
local function head_of(score, member) return format('%016d', score + 1e15) .. member end

local function head_in(line)
  if heads_now[line] == nil then heads_now[line] = call('HGET', HEADS, line) end
  return heads_now[line]
end

local function set_head(line, head)
  if head then call('HSET', HEADS, line, head) else call('HDEL', HEADS, line) end
  heads_now[line] = head or false
end

local function enter_line(i)
  if i.indexed == 1 then return end
  local line = i.line
  call('ZADD', PREFIX .. 'wait:' .. line, whole(i.score), i.member)
  i.indexed = 1
  local first, mine = head_in(line), head_of(i.score, i.member)
  if not first or mine < first then set_head(line, mine) end
  if not is_staffed(line) then watch(line) end
end

local function leave_line(i)
  if i.indexed == 0 then return end
  local line, wait = i.line, PREFIX .. 'wait:' .. i.line
  call('ZREM', wait, i.member)
  i.indexed = 0
  local first = head_in(line)
  if not first or sub(first, 17) ~= i.member then return end
  local next = call('ZRANGE', wait, '0', '0', 'WITHSCORES')
  set_head(line, next[1] and head_of(next[2], next[1]))
end

-- The item moves in its line, or into another one, and keeps its name.
local function stand(i, line, score)
  local was_in = i.indexed == 1
  local in_queue = was_in and call('ZSCORE', PREFIX .. 'queue:' .. i.queue, i.member)
  if was_in then leave_line(i) end
  i.line, i.score = line, score
  if was_in then enter_line(i) end
  if in_queue then call('ZADD', PREFIX .. 'queue:' .. i.queue, whole(score), i.member) end
end

-- 1 is next; 0 when the item is not waiting. O(log n)
local function position_of(i)
  local rank = call('ZRANK', PREFIX .. 'queue:' .. i.queue, i.member)
  return rank and rank + 1 or 0
end

-- Where an order has an agent: lower is offered first. Ties go by idle time (a step of 1e11 ms is three years of it),
-- and where they cannot, by chance of name. For weighted it is the weight, to be drawn by.
local A_STEP = 1e11
local NEVER_AT_WORK = 100 * A_STEP
local RANKED = {
  fewest_calls = function(a) return a.calls * A_STEP + a.idle_since end,
  most_proficient = function(a, entry) return a.idle_since - entry[3] * A_STEP end,
  round_robin = function(a) return a.last_offer end,
  linear = function(a) return a.rank end,
  weighted = function(a) return a.weight end,
  -- Everybody's share decays alike, so this order stays true while nobody does anything; who has none comes first.
  least_occupied = function(a)
    local busy = decayed_busy(a)
    return busy > 0 and math.floor(math.log(busy) * BUSY_DECAY_MS + NOW + 0.5) or a.idle_since - NEVER_AT_WORK
  end,
}

-- Before every order: how many items of that kind they have at hand. Above every rank, and exact up to nine of them.
local AN_ITEM_AT_HAND = 1e15

-- Where the ready agents of a line stand as an order has them.
local function ranked(order, line)
  return PREFIX .. (RANKED[order] and 'order:' .. order .. ':' or 'ready:') .. line
end

local value_of -- (order, score): what the order went by with this agent, read back out of their score, as JSON members
do
  local function idle(since) return ',"idle_ms":' .. ms_since(since) end

  local VALUES = {
    longest_idle = idle,
    fewest_calls = function(rank)
      local calls = math.floor((rank - NOW) / A_STEP + 0.5)
      return ',"calls":' .. whole(calls) .. idle(rank - calls * A_STEP)
    end,
    most_proficient = function(rank)
      local level = math.floor((NOW - rank) / A_STEP + 0.5)
      return ',"proficiency":' .. whole(level) .. idle(rank + level * A_STEP)
    end,
    least_occupied = function(rank)
      if rank < 0 then return ',"busy_ms":0' .. idle(rank + NEVER_AT_WORK) end
      return ',"busy_ms":' .. whole(math.floor(math.exp((rank - NOW) / BUSY_DECAY_MS) + 0.5))
    end,
    round_robin = function(rank) return ',"last_offer":' .. whole(rank) end,
    linear = function(rank) return ',"rank":' .. whole(rank) end,
    weighted = function(rank) return ',"weight":' .. whole(rank) end,
    random = function() return '' end,
  }

  value_of = function(order, score)
    score = tonumber(score)
    -- Ranks are a small part of AN_ITEM_AT_HAND, except the numbers of offers, which are about a thousand times the clock
    -- (next_seq).
    local numbers_from = order == 'round_robin' and score % AN_ITEM_AT_HAND > 0 and NOW * 1000 or 0
    local at_hand = math.floor((score - numbers_from) / AN_ITEM_AT_HAND + 0.25)
    return (at_hand > 0 and ',"at_hand":' .. whole(at_hand) or '') .. VALUES[order](score - at_hand * AN_ITEM_AT_HAND)
  end
end

local function kinds_of(text) return string.gmatch(text, '%S+') end

local NOWHERE = { lines = {}, orders = {} }

local function join_ready_sets(a, kind)
  local count = 0
  for _, hand in ipairs(a.hands) do
    if hand.kind == kind then count = count + 1 end
  end
  local first_by = count * AN_ITEM_AT_HAND
  local idle = whole(first_by + a.idle_since)
  local profile = profile_of(a.profile)[kind] or NOWHERE
  local lines, ready, id = profile.lines, PREFIX .. 'ready:', a.id
  for n = 1, #lines do call('ZADD', ready .. lines[n], idle, id) end
  for _, entry in ipairs(profile.orders) do
    local line, order = entry[1], entry[2]
    call('ZADD', PREFIX .. 'order:' .. order .. ':' .. line, first_by + RANKED[order](a, entry), a.id)
  end
  a.ready = a.ready == '' and kind or a.ready .. ' ' .. kind
end

local function leave_ready_sets(a)
  if a.ready == '' then return end
  local profile = profile_of(a.profile) or {}
  for kind in kinds_of(a.ready) do
    local entries = profile[kind] or NOWHERE
    local lines, ready, id = entries.lines, PREFIX .. 'ready:', a.id
    for n = 1, #lines do call('ZREM', ready .. lines[n], id) end
    for _, entry in ipairs(entries.orders) do
      call('ZREM', PREFIX .. 'order:' .. entry[2] .. ':' .. entry[1], a.id)
    end
  end
  a.ready = ''
end

local function is_ready(a, kind)
  return find(' ' .. a.ready .. ' ', ' ' .. kind .. ' ', 1, true) ~= nil
end

-- How many agents of the line an item could be offered now. O(1)
local function ready_in(line)
  local kind, id = owner_of(line)
  if not id then return call('ZCARD', PREFIX .. 'ready:' .. line) end
  local a = load_agent(id)
  return a and is_ready(a, kind) and 1 or 0
end

local function each_line(entries, visit)
  for _, line in ipairs((entries or NOWHERE).lines) do visit(line) end
end

-- When the last one goes, the line's waiting are looked after a moment later.
local function deserted(line)
  if call('EXISTS', PREFIX .. 'wait:' .. line) == 1 then arm('absent:' .. line, NOW + ABSENT_MS) end
end

-- How many are logged in, and how many of them mean to work, a line. Costs something only when that changes. O(R)
local function count(a)
  local profile, words = profile_of(a.profile) or {}, {}
  for kind in pairs(profile) do
    local there = a.intent ~= 'logged_out' and (kind ~= 'voice' or a.device ~= 'down')
    words[#words + 1] = kind .. '=' .. (there and 'p' or '') .. (at_work(a, kind) and 's' or '')
  end
  table.sort(words)
  local text = concat(words, ' ')
  if text == a.counted and a.profile == a.counted_in then return end
  local change, own = { p = {}, s = {} }, {}
  local function add(lines, counted, step)
    for kind, marks in string.gmatch(counted, '([^=%s]+)=(%l*)') do
      for mark in string.gmatch(marks, '%l') do
        local of = change[mark]
        each_line(lines[kind], function(line) of[line] = (of[line] or 0) + step end)
        if mark == 's' then own[kind] = (own[kind] or 0) + step end
      end
    end
  end
  add(profile_of(a.counted_in) or {}, a.counted, -1)
  add(profile, text, 1)
  staffed_now = {}
  for mark, key in pairs({ p = PRESENT, s = STAFFED }) do
    for line, step in pairs(change[mark]) do
      local left = step ~= 0 and call('HINCRBY', key, line, whole(step))
      if left == 0 then call('HDEL', key, line) end -- or lines that are gone would stay here
      if mark == 'p' and left == 0 then deserted(line) end
    end
  end
  for kind, step in pairs(own) do
    if step < 0 then deserted(own_line(a, kind)) end
  end
  a.counted, a.counted_in = text, a.profile
end
