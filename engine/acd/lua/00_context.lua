-- Hotline's ACD as one Redis library (Redis >= 7.0). library.py puts a `#!lua name=` line, VERSION, SHAPE, the tables
-- OFFER and TREATMENTS of offer.py, USUAL_POLICY of policy.py and the packed_… and unpacked_… functions of records.py in
-- front of these files, which are read in the order of their names: from 65_ on, each a block with names of its own.
--
-- Every function is called as `FCALL hotline_<version>_<verb> 1 hotline:{<domain>} <now_ms> <engine> …`:
--   now_ms   "0" for Redis' own clock (always, outside tests); <engine> who asks: its notices come back in the reply
--   reply    { result, due_in_ms, notice, notice, … }: due_in_ms is when the earliest timer set here is due, -1 if none
--            was. A notice is { 'offer', token, item, agent, queue, attempt, free_in_ms unless they are free now },
--            { 'sooner', token, item, agent, free_in_ms }, { 'cancelled', token, item, agent, reason } or { 'released',
--            item, reason, target, head, strict }. Those for other engines go to their mailbox instead.
--
-- Keys, all below hotline:{<domain>}:<SHAPE>: but the journal, which is hotline:{<domain>}:journal for readers of any
-- version (one hash tag a domain, so a domain lives on one node of a cluster). L is a line:
-- a requirement of one kind of item, `<kind>.<digest>`, or one agent's own line, `<kind>.@<agent>`:
--   life           string     another one since Redis was emptied, made by whoever defines agents first
--   seq            counter    items' sequence and offers' tokens; starts at the clock, so a lost Redis repeats none
--   lines          hash       L -> canonical expression
--   policies       hash       id -> JSON (policy.py); never changes below one id
--   profiles       hash       id -> { kind = { lines = { L, … }, orders = { { L, order, proficiency }, … } } }, packed: in which
--                             lines an agent stands
--   members:L      zset 0     the agents who meet L, in the order of their ids
--   ready:L        zset       the routable ones of them, scored by items at hand, then by idle_since
--   order:O:L      zset       the same, as order O has them; only for the pairs that a profile names
--   present        hash       L -> how many of its members are logged in (voice: and have a phone)
--   staffed        hash       L -> how many of them also mean to work
--   wait:L         zset       waiting items, `<16 digits seq>:<item>`, by score
--   heads          hash       L -> the first of wait:L, as head_of has it: an agent who looks for an item reads all at once
--   queue:Q        zset       the items of wait:… by queue (positions); Q is the queue's name
--   queues         hash       Q -> the policy last used there, '' once that is forgotten
--   leaving:…      hash       id of a policy, a profile -> who looks whether anybody needs it still (77_forgetting)
--   ahead          string     the longest `ahead` of any policy here, ms (55_ahead); none where there is none
--   item:I         string     see 20_items
--   data:I         string     its owner's, where there is any
--   engine:E       set        the items of engine E
--   mailbox:E      list       notices for E made by others, each a JSON array
--   agents         zset 0     every agent's id
--   agent:A        string     see 10_agents
--   why:K          hash       A -> why no item of kind K may be offered to them; nobody to whom one may
--   skills         hash       A -> JSON: the skills that were changed while running
--   skilled        zset       A, by when that was last
--   places         hash       `<Q>|<who>` -> enqueued_ms of a caller who hung up and may come back
--   pace:Q         string     what estimates are made of: see 62_estimate
--   accuracy:Q     hash       how good they were
--   timers         zset       `lease:<token>`, `item:<item>`, `wrapup:<agent>`, `ahead:<agent>`, `cool:<agent>`,
--                             `absent:<L>|<wait:L's member to go on after>`, `place:<Q>|<who>` by due ms
--   journal        stream     what happened, field e = JSON
-- Cost below: R = lines an agent stands in, x = agents an item excludes (few), n = members of a set, k = phones that ring
-- at once (at most 20).

local DOMAIN, NOW, NOW_TEXT, ENGINE = '', 0, '', ''
local PREFIX, JOURNAL, TIMERS, HEADS, SEQ, PRESENT, STAFFED
local notices, next_due = {}, nil
local staffed_now, heads_now = {}, {} -- what this call has read of present and heads already

-- redis.call and what is used most of Lua's own library, which do not exist yet while a library loads
local call, concat, find, format, match, sub

local function now_text(asked)
  if asked ~= '0' then return asked end
  local time = call('TIME')
  return time[1] .. sub(format('%06d', time[2]), 1, 3)
end

local function enter(keys, args)
  if not call then
    call, concat = redis.call, table.concat
    find, format, match, sub = string.find, string.format, string.match, string.sub
  end
  if keys[1] ~= DOMAIN then
    DOMAIN = keys[1]
    PREFIX, JOURNAL = DOMAIN .. ':' .. SHAPE .. ':', DOMAIN .. ':journal'
    TIMERS, HEADS, SEQ = PREFIX .. 'timers', PREFIX .. 'heads', PREFIX .. 'seq'
    PRESENT, STAFFED = PREFIX .. 'present', PREFIX .. 'staffed'
  end
  NOW_TEXT, ENGINE = now_text(args[1]), args[2]
  NOW = tonumber(NOW_TEXT)
  notices, next_due, staffed_now, heads_now = {}, nil, {}, {}
end

local function register(verb, body, flags)
  redis.register_function {
    function_name = 'hotline_' .. VERSION .. '_' .. verb,
    flags = flags,
    callback = function(keys, args)
      enter(keys, args)
      local reply = { body(args), next_due and math.max(next_due - NOW, 0) or -1 }
      for n = 1, #notices do reply[n + 2] = notices[n] end
      return reply
    end,
  }
end

local function notify(engine, notice)
  if engine == ENGINE then
    notices[#notices + 1] = notice
    return
  end
  local mailbox = PREFIX .. 'mailbox:' .. engine
  -- A dead engine reads nothing; what it missed is found by whoever adopts its items, so only the newest are kept.
  if call('RPUSH', mailbox, cjson.encode(notice)) > 1000 then call('LTRIM', mailbox, -1000, -1) end
end

-- Everything counted here is whole and below 2^53. Numbers are handed to Redis as text: its own way of writing them,
-- with 17 digits of a fraction, costs as much as the command.
local SMALL = { [0] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9' }
local function whole(number) return SMALL[number] or format('%d', number) end

-- Never below 0: the clock of a Redis that took over may be behind.
local function ms_since(moment) return whole(math.max(NOW - moment, 0)) end

local function arm(timer, due)
  call('ZADD', TIMERS, whole(due), timer)
  if not next_due or due < next_due then next_due = due end
end

local function disarm(...)
  call('ZREM', TIMERS, ...)
end

local function next_seq()
  local seq = call('INCR', SEQ)
  if seq == 1 then
    -- A fresh or emptied Redis: start above every number handed out before (never more than 1000 a millisecond).
    seq = NOW * 1000
    call('SET', SEQ, whole(seq))
  end
  return seq
end

-- What never changes below its id is parsed once and not at every call. Few of them, of what there may be one for every
-- agent: each thing that Lua remembers costs every later call something, for its garbage is collected all the time.
local function cached(most, read)
  local known, count = {}, 0
  return function(key)
    local value = known[key]
    if value == nil then
      value = read(key)
      if value ~= nil then
        if count >= most then known, count = {}, 0 end
        known[key], count = value, count + 1
      end
    end
    return value
  end
end

local USUALLY = { __index = USUAL_POLICY }

local policy_of = cached(1000, function(id)
  local text = call('HGET', PREFIX .. 'policies', id)
  if not text then return nil end
  return setmetatable(cjson.decode(text), USUALLY)
end)

-- kind -> the lines, and where an order keeps some of them apart, `orders` with their entries
local profile_of = cached(10, function(id)
  local packed = call('HGET', PREFIX .. 'profiles', id)
  return packed and cmsgpack.unpack(packed) or nil
end)

-- As staff.py writes it: JSON { kind: [[L, order, proficiency], …] }.
local function packed_profile(text)
  local profile = {}
  for kind, entries in pairs(cjson.decode(text)) do
    local lines, orders = {}, {}
    for _, entry in ipairs(entries) do
      if entry[1] ~= lines[#lines] then lines[#lines + 1] = entry[1] end
      if entry[2] then orders[#orders + 1] = entry end
    end
    profile[kind] = { lines = lines, orders = orders }
  end
  return cmsgpack.pack(profile)
end

local function quoted(text)
  if find(text, '^[%w%-_.:@ ]*$') then return '"' .. text .. '"' end
  return cjson.encode(text)
end

-- Of an agent or an item: ids that would need more to be quoted are turned away at the door.
local function named(id) return '"' .. id .. '"' end

local function checked_id(id)
  if id == '' or find(id, '[%c"\\]') then error('no id, as it would have to be quoted: ' .. cjson.encode(id)) end
  return id
end

-- Of what there are few, such as the names of queues.
local quoted_name = cached(1000, quoted)

-- item: '' or its id; fields: ready JSON members, `"queue":"sales","position":1`
local function journal(kind, item, fields)
  call('XADD', JOURNAL, '*', 'e',
    '{"type":"' .. kind .. '","call":"' .. item .. '","at":' .. NOW_TEXT .. ',' .. fields .. '}')
end
