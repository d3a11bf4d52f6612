-- Hotline's ACD as one Redis library (Redis >= 7.0). library.py puts a `#!lua name=` line, VERSION and the tables
-- OFFER, TREATMENTS and RONA_AFTER of offer.py in front of these files, which are read in the order of their names.
--
-- Every function is called as `FCALL hotline_<version>_<verb> 1 hotline:{<domain>} <now_ms> <engine> …`:
--   now_ms   "0" for Redis' own clock (always, outside tests); <engine> who asks: its offers come back in the reply
--   reply    { result, due_in_ms, offer, offer, … }: due_in_ms is when the earliest timer set here is due, -1 if none
--            was; an offer is { token, item, agent, queue, attempt }. Offers for the items of other engines go to
--            their mailbox instead.
-- Keys, all below hotline:{<domain>}: (one hash tag a domain, so a domain lives on one node of a cluster); R is a
-- requirement's id, `<kind>.<digest>`, so the sets of voice and of other items never mix:
--   seq            counter    items' sequence and offers' tokens; starts at the clock, so a lost Redis repeats none
--   reqs           hash       R -> canonical expression
--   members:R      zset 0     the agents who meet R, in the order of their ids
--   ready:R        zset       the routable ones of them, scored by idle_since
--   wait:R         zset       waiting items, `<16 digits seq>:<item>`, scored by enqueued_ms - head_start_ms
--   queue:Q        zset       the same items by queue (positions); Q is the queue's name
--   queues         hash       Q -> the R last asked for there
--   item:I         hash       queue rid engine at score member state agent token attempt lease_ms wrapup_ms excluded
--                             preferred offered_at ringing_at ("excluded" is `agent=until_ms agent=until_ms …`)
--   engine:E       set        the items of engine E
--   mailbox:E      list       offers for E made by others, each a JSON array like an offer in a reply
--   agents         zset 0     every agent's id
--   agent:A        hash       intent reason device work since item token idle_since cool_until misses wrapup_until
--                             reqs (`R R …`) ready (1 while in the ready sets); idle_since 0 = place not earned yet
--   timers         zset       `lease:<token>`, `wrapup:<agent>`, `cooldown:<agent>`, `exclusion:<item>` by due ms
--   journal        stream     what happened, field e = JSON
-- Cost below: R = requirements the agent meets (few), x = agents an item excludes (few), n = members of a set.

local PREFIX, NOW, ENGINE = '', 0, ''
local offers, next_due = {}, nil

local function call(...) return redis.call(...) end -- redis.call does not exist yet while a library loads

local function now_ms(asked)
  if asked ~= '0' then return tonumber(asked) end
  local time = call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function enter(keys, args)
  PREFIX, NOW, ENGINE = keys[1] .. ':', now_ms(args[1]), args[2]
  offers, next_due = {}, nil
end

local function register(verb, body, flags)
  redis.register_function {
    function_name = 'hotline_' .. VERSION .. '_' .. verb,
    flags = flags,
    callback = function(keys, args)
      enter(keys, args)
      local reply = { body(args), next_due and math.max(next_due - NOW, 0) or -1 }
      for _, offer in ipairs(offers) do reply[#reply + 1] = offer end
      return reply
    end,
  }
end

local function arm(timer, due)
  call('ZADD', PREFIX .. 'timers', due, timer)
  if not next_due or due < next_due then next_due = due end
end

local function disarm(timer)
  call('ZREM', PREFIX .. 'timers', timer)
end

local function next_seq()
  local seq = call('INCR', PREFIX .. 'seq')
  if seq == 1 then
    -- A fresh or emptied Redis: start above every number handed out before (never more than 1000 a millisecond).
    seq = NOW * 1000
    call('SET', PREFIX .. 'seq', string.format('%.0f', seq))
  end
  return seq
end

local function quoted(text)
  if string.find(text, '^[%w%-_.:@ ]*$') then return '"' .. text .. '"' end
  return cjson.encode(text)
end

-- fields: ready JSON members, `"queue":"sales","position":1`, or ''
local function journal(kind, item, fields)
  if fields ~= '' then fields = ',' .. fields end
  call('XADD', PREFIX .. 'journal', 'MAXLEN', '~', 1000000, '*', 'e',
    '{"type":"' .. kind .. '","call":' .. quoted(item) .. ',"at":' .. NOW .. fields .. '}')
end
