-- An item as a Lua table, kept as one record (records.py): load, change, save.
--   queue policy type engine who         what enqueue said; who is a verified caller's digest
--   at head strict member                enqueued when, the item's own head start and strictness, its name in zsets
--   state                                waiting, offered (an offer is open), talking (accepted), deferred
--   step line score                      where it stands: step 0 is the preferred agent's own line
--   preferred patience_until             that agent, and until when they are waited for
--   step_at limit_at limit_why urgent_at back_at    due when, 0 for never: next step; end of the wait and why; before
--                                        everybody else; end of being deferred
--   longest_at                           when the policy's longest wait is over, 0 for never: limit_at, or after it
--   offers                               { { agent, token, state, offered_at, ringing_at }, … }; offered_at is later than
--                                        now while the agent, reserved ahead, is not free yet
--   attempt excluded                     offers made so far; { agent = until_ms, … }
--   indexed waited sole                  1: stands in wait:<line>; 1: ever stood in line; 1: given to one agent by hand,
--                                        so that nobody else rings with them
--   told                                 nil, or the first wait that they were told: { at, low, high, likely }
--   said_place said_by                   what they were told last, 0: nothing: their place; by when they expect somebody
--   has_data                             1: its owner's data stand in data:I
--   terms                                its policy; not kept with it

local STRICT_LEVEL, STRICTEST, URGENT = 1e13, 9, 1e14

local function load_item(id)
  local packed = call('GET', PREFIX .. 'item:' .. id)
  if not packed then return nil end
  local i = unpacked_item(packed)
  i.id, i.terms = id, policy_of(i.policy)
  for agent, till in pairs(i.excluded) do
    if till <= NOW then i.excluded[agent] = nil end
  end
  return i
end

local function save_item(i)
  call('SET', PREFIX .. 'item:' .. i.id, packed_item(i))
end

local function offer_of(i, token)
  local offers = i.offers
  for n = 1, #offers do
    if offers[n].token == token then return offers[n], n end
  end
  return nil
end

local function item_of(token)
  local item = load_item(match(token, '^%d+%-(.+)$') or '')
  if not item then return nil end
  return item, offer_of(item, token)
end

local function strict_level(i) return math.min(i.terms.strict + i.strict, STRICTEST) end

-- Its longest wait, or the queue's closing: whatever is first.
local function is_over(i) return i.limit_at > 0 and i.limit_at <= NOW end

local function is_urgent(i, moment) return i.urgent_at > 0 and i.urgent_at <= moment end

-- Lower is served first: enqueued, less what it counts as having waited; strict levels before that, and before all who
-- is overdue, by when they became so: limits differ within a queue.
local function score_of(i)
  if is_urgent(i, NOW) then return i.urgent_at - URGENT end
  return i.at - i.head - i.terms.head_start - strict_level(i) * STRICT_LEVEL
end
