-- An agent as a Lua table, kept as one record (records.py): load, change, save. Three axes: intent, device, and what is
-- at hand.
--   intent reason since    what they want, why, from when
--   device                 down, idle, busy
--   hands                  { { token, kind, work, since, till }, … }; till: the end of a wrap-up; of what was reserved
--                          ahead of one, when they are free for it
--   idle_since             when they became ready by their own merit; 0: that place is yet to be earned
--   cool_until             offered nothing before
--   ignored dnds           missed offers in a row, by class
--   ready                  the kinds in whose ready sets they stand, parted by spaces
--   profile limits rank weight    what define said: `voice=1 chat=3`; `voice=1!` when voice interrupts other kinds; `chat=1*30`
--                          when one chat is 30 % of them and not the whole
--   calls busy busy_at last_offer  what orders go by: accepted since login; decayed ms at work, as of; last offer's number
--   counted counted_in     what present and staffed count of them, `voice=ps chat=p`, and in which profile's lines
--   why                    { kind = why no item of it may be offered to them, … }
--   removed                1: no longer defined, and gone when nothing is at hand any more

local BUSY_DECAY_MS = 3600000 -- occupancy is that of about the last hour

local function load_agent(id)
  local packed = call('GET', PREFIX .. 'agent:' .. id)
  if not packed then return nil end
  local a = unpacked_agent(packed)
  a.id = id
  return a
end

local function new_agent(id)
  return {
    id = id, intent = 'logged_out', reason = '', since = NOW, device = 'down', hands = {}, idle_since = 0,
    cool_until = 0, ignored = 0, dnds = 0, ready = '', profile = '', limits = '', rank = 0, weight = 1, calls = 0,
    busy = 0, busy_at = NOW, last_offer = 0, counted = '', counted_in = '', why = {}, removed = 0,
  }
end

local function hand_of(a, token)
  local hands = a.hands
  for n = 1, #hands do
    if hands[n].token == token then return hands[n] end
  end
  return nil
end

local function decayed_busy(a)
  return a.busy * math.exp((a.busy_at - NOW) / BUSY_DECAY_MS)
end

-- What is at hand changes its state; the time until now counts as work.
local function set_hand(a, hand, work, till)
  if hand.work == 'talking' or hand.work == 'wrapup' then
    a.busy, a.busy_at = decayed_busy(a) + (NOW - hand.since), NOW
  end
  hand.work, hand.since, hand.till = work, NOW, till or 0
end

local function drop_hand(a, token)
  for n, hand in ipairs(a.hands) do
    if hand.token == token then
      set_hand(a, hand, 'idle')
      table.remove(a.hands, n)
      return true
    end
  end
  return false
end

-- One timer an agent, at the first of their wrap-ups to end.
local function arm_wrapup(a)
  local first = nil
  for _, hand in ipairs(a.hands) do
    if hand.work == 'wrapup' and (not first or hand.till < first) then first = hand.till end
  end
  if first then arm('wrapup:' .. a.id, first) else disarm('wrapup:' .. a.id) end
end

local limits_of = cached(1000, function(text)
  local limits = {}
  for kind, most, mark, percent in string.gmatch(text, '([^=%s]+)=(%d+)(!?)%*?(%d*)') do
    local share = percent == '' and 1 / tonumber(most) or tonumber(percent) / 100
    limits[kind] = { most = tonumber(most), share = share, interrupts = mark == '!' }
  end
  return limits
end)

-- Room for one more of that kind: below its own limit, and not more than one whole agent altogether.
local function has_room(a, kind)
  local limits = limits_of(a.limits)
  local mine = limits[kind]
  if not mine then return false end
  if not a.hands[1] then return true end
  if mine.most == 1 and a.hands[1].kind == kind then return false end
  local count, used = 0, 0
  for n = 1, #a.hands do
    local hand = a.hands[n]
    if hand.kind == kind then count = count + 1 end
    if hand.kind == kind or not mine.interrupts then
      used = used + (limits[hand.kind] and limits[hand.kind].share or 1)
    end
  end
  return count < mine.most and used + mine.share < 1.000001
end

-- '' when an item of that kind may be offered to them now, else what stands in the way
local function why_not_routable(a, kind)
  if a.intent ~= 'ready' then return a.intent end
  if kind == 'voice' and a.device == 'down' then return 'device_down' end
  if not has_room(a, kind) then
    for n = 1, #a.hands do
      if a.hands[n].work == 'talking' then return 'talking' end
    end
    return a.hands[1] and a.hands[1].work == 'wrapup' and 'wrapup' or a.hands[1] and 'busy' or 'no_capacity'
  end
  if a.device == 'busy' then return 'busy' end
  if a.cool_until > NOW then return 'cooldown' end
  return ''
end

local function routable(a, kind) return why_not_routable(a, kind) == '' end

-- why:K says of every agent why no item of kind K may be offered to them, so that whoever tells of an offer need not read
-- all those whom it passed over. Whether somebody who is busy talks by now is not worth writing down. O(kinds)
local function tell_why(a)
  local limits = limits_of(a.limits)
  for kind in pairs(a.why) do
    if not limits[kind] then
      call('HDEL', PREFIX .. 'why:' .. kind, a.id)
      a.why[kind] = nil
    end
  end
  for kind in pairs(limits) do
    local why = why_not_routable(a, kind)
    if why == 'talking' then why = 'busy' end
    if why ~= (a.why[kind] or '') then
      if why == '' then call('HDEL', PREFIX .. 'why:' .. kind, a.id)
      else call('HSET', PREFIX .. 'why:' .. kind, a.id, why) end
      a.why[kind] = why ~= '' and why or nil
    end
  end
end

local function save_agent(a)
  tell_why(a)
  call('SET', PREFIX .. 'agent:' .. a.id, packed_agent(a))
end

local function at_work(a, kind)
  return a.intent == 'ready' and limits_of(a.limits)[kind] ~= nil and (kind ~= 'voice' or a.device ~= 'down')
end
