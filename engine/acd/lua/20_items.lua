-- An item as a Lua table: load, change, save.
--   queue policy type engine who data    what enqueue said; data is its owner's, who a verified caller's digest
--   at head strict member                enqueued when, the item's own head start and strictness, its name in zsets
--   state                                waiting, offered (an offer is open), talking (accepted), deferred
--   step line score                      where it stands: step 0 is the preferred agent's own line
--   preferred patience_until             that agent, and until when they are waited for
--   step_at limit_at limit_why urgent_at back_at    due when, 0 for never: next step; end of the wait and why; before
--                                        everybody else; end of being deferred
--   offers                               `<agent>|<token>|<state>|<offered>|<ringing>` and so on, parted by spaces
--   attempt excluded                     offers made so far; `agent=until_ms` and so on
--   indexed waited                       1: stands in wait:<line>; 1: ever stood in line
--   said_at said_low said_high said_by   what the caller was told first: when, and the range; by when they expect somebody
--                                        after what they were told last

local ITEM_FIELDS = { 'queue', 'policy', 'type', 'engine', 'who', 'at', 'head', 'strict', 'member', 'state', 'step',
  'line', 'score', 'preferred', 'patience_until', 'step_at', 'limit_at', 'limit_why', 'urgent_at', 'back_at', 'offers',
  'attempt', 'excluded', 'indexed', 'waited', 'said_at', 'said_low', 'said_high', 'said_by' }
local ITEM_NUMBERS = { at = true, head = true, strict = true, step = true, score = true, patience_until = true,
  step_at = true, limit_at = true, urgent_at = true, back_at = true, attempt = true, indexed = true, waited = true,
  said_at = true, said_low = true, said_high = true, said_by = true }
local STRICT_LEVEL, URGENT = 1e13, 1e14

local function excluded_agents(text)
  local excluded = {}
  for agent, till in string.gmatch(text, '(%S+)=(%d+)') do
    if tonumber(till) > NOW then excluded[agent] = tonumber(till) end
  end
  return excluded
end

local function written_exclusions(excluded)
  local words = {}
  for agent, till in pairs(excluded) do words[#words + 1] = agent .. '=' .. whole(till) end
  table.sort(words)
  return table.concat(words, ' ')
end

local function read_offers(text)
  local offers = {}
  for agent, token, state, offered, ringing in string.gmatch(text, '([^|%s]+)|([^|]+)|([^|]+)|(%d+)|(%d+)') do
    offers[#offers + 1] =
      { agent = agent, token = token, state = state, offered_at = tonumber(offered), ringing_at = tonumber(ringing) }
  end
  return offers
end

local function written_offers(offers)
  local words = {}
  for n, offer in ipairs(offers) do
    words[n] = offer.agent .. '|' .. offer.token .. '|' .. offer.state .. '|' .. whole(offer.offered_at) .. '|'
      .. whole(offer.ringing_at)
  end
  return table.concat(words, ' ')
end

-- Empty or 0 fields are not stored: most items have few of them.
local function load_item(id)
  local f = call('HMGET', PREFIX .. 'item:' .. id, unpack(ITEM_FIELDS))
  if not f[1] then return nil end
  local i = { id = id, was = f }
  for n, field in ipairs(ITEM_FIELDS) do
    f[n] = f[n] or ''
    i[field] = ITEM_NUMBERS[field] and (tonumber(f[n]) or 0) or f[n]
  end
  i.offers, i.excluded = read_offers(i.offers), excluded_agents(i.excluded)
  i.terms = policy_of(i.policy)
  return i
end

local function save_item(i)
  local changes, gone, was = {}, {}, i.was
  for n, field in ipairs(ITEM_FIELDS) do
    local value = i[field]
    if field == 'offers' then value = written_offers(value)
    elseif field == 'excluded' then value = written_exclusions(value)
    elseif ITEM_NUMBERS[field] then value = value == 0 and '' or whole(value) end
    if value ~= (was[n] or '') then
      if value == '' then gone[#gone + 1] = field
      else changes[#changes + 1], changes[#changes + 2] = field, value end
      was[n] = value
    end
  end
  if changes[1] then call('HSET', PREFIX .. 'item:' .. i.id, unpack(changes)) end
  if gone[1] then call('HDEL', PREFIX .. 'item:' .. i.id, unpack(gone)) end
end

local function offer_of(i, token)
  for n, offer in ipairs(i.offers) do
    if offer.token == token then return offer, n end
  end
  return nil
end

local function item_of(token)
  local item = load_item(string.match(token, '^%d+%-(.+)$') or '')
  if not item then return nil end
  return item, offer_of(item, token)
end

-- Lower is served first: enqueued, less what it counts as having waited; strict levels and overdue items before all.
local function score_of(i)
  local score = i.at - i.head - i.terms.head_start - (i.terms.strict + i.strict) * STRICT_LEVEL
  if i.urgent_at > 0 and i.urgent_at <= NOW then score = i.at - URGENT end
  return score
end
