-- Who gets what. Matching reserves: when these functions return, the offer exists and nobody else can have either.

local function leave_ready_sets(a)
  for rid in string.gmatch(a.reqs, '%S+') do call('ZREM', PREFIX .. 'ready:' .. rid, a.id) end
  a.ready = false
end

local function hand_over(i)
  local offer = { i.token, i.id, i.agent, i.queue, i.attempt }
  if i.engine == ENGINE then
    offers[#offers + 1] = offer
    return
  end
  local mailbox = PREFIX .. 'mailbox:' .. i.engine
  call('RPUSH', mailbox, cjson.encode(offer))
  -- A dead engine reads nothing; what it missed lapses with its lease, so only the newest are worth keeping.
  call('LTRIM', mailbox, -1000, -1)
end

local function offer_event(i)
  return '"token":' .. quoted(i.token) .. ',"agent":' .. quoted(i.agent)
end

-- Saves the item; the agent is the caller's to save. O(R log n)
local function reserve(i, a, page)
  local explained = explain(i, a, page)
  if i.state == 'waiting' then stop_waiting(i) end
  if a.ready then leave_ready_sets(a) end
  i.token = string.format('%.0f-%s', next_seq(), i.id)
  i.state, i.agent, i.attempt, i.offered_at, i.ringing_at = 'offered', a.id, i.attempt + 1, NOW, 0
  set_work(a, 'reserved', i.id, i.token)
  save_item(i)
  arm('lease:' .. i.token, NOW + i.lease_ms)
  hand_over(i)
  journal('offer.created', i.id, offer_event(i) .. ',"queue":' .. quoted(i.queue) .. ',"requirement":'
    .. quoted(call('HGET', PREFIX .. 'reqs', i.rid) or '') .. ',"idle_ms":' .. math.max(NOW - a.idle_since, 0)
    .. ',"wait_ms":' .. math.max(NOW - i.at, 0) .. ',"attempt":' .. i.attempt .. ',' .. explained)
end

-- The longest idle ready agent whom the item does not exclude; nil if there is none. At most x of those before it
-- are excluded, so a page of x + 1 always holds it: no cap that piled-up unfit agents could exhaust. O(log n + x)
local function match_item(i)
  local excluded = 0
  for _ in pairs(i.excluded) do excluded = excluded + 1 end
  local ready = PREFIX .. 'ready:' .. i.rid
  local page = call('ZRANGE', ready, 0, math.max(4, excluded), 'WITHSCORES')
  local chosen = nil
  if i.preferred ~= '' and not i.excluded[i.preferred] and call('ZSCORE', ready, i.preferred) then
    chosen = i.preferred
  end
  for n = 1, #page, 2 do
    if not chosen and not i.excluded[page[n]] then chosen = page[n] end
  end
  if not chosen then return false end
  local a = load_agent(chosen)
  reserve(i, a, page)
  save_agent(a)
  return true
end

-- The waiting item with the lowest score, first come first among equals, over all requirements that the agent meets
-- and without those that exclude this agent (at most as many as it missed within an exclusion). O(R log n)
local function best_item_for(a)
  local heads = {}
  local function look(rid, index)
    local found = call('ZRANGE', PREFIX .. 'wait:' .. rid, index, index, 'WITHSCORES')
    heads[rid] = found[1] and { member = found[1], score = tonumber(found[2]), index = index } or nil
  end
  for rid in string.gmatch(a.reqs, '%S+') do look(rid, 0) end
  while true do
    local best, at = nil, nil
    for rid, head in pairs(heads) do
      if not best or head.score < best.score or (head.score == best.score and head.member < best.member) then
        best, at = head, rid
      end
    end
    if not best then return nil end
    local item = load_item(string.sub(best.member, 18))
    if item and not item.excluded[a.id] then return item end
    look(at, best.index + 1)
  end
end

-- Brings the ready sets into line with the three axes, matching at once; saves the agent. Every change of an agent
-- ends here. O(R log n)
local function settle(a)
  if not routable(a) then
    if a.ready then leave_ready_sets(a) end
  elseif not a.ready then
    if a.idle_since == 0 then a.idle_since = NOW end
    local item = best_item_for(a)
    if item then
      reserve(item, a, call('ZRANGE', PREFIX .. 'ready:' .. item.rid, 0, 4, 'WITHSCORES'))
    else
      for rid in string.gmatch(a.reqs, '%S+') do call('ZADD', PREFIX .. 'ready:' .. rid, a.idle_since, a.id) end
      a.ready = true
    end
  end
  save_agent(a)
end
