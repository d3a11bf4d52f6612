-- What ends or widens a wait. Everything that can end one comes through here or through withdraw and accept, each a
-- single step on the item's state: the first to come wins, and all others find it gone.

local BATCH = 100

local EXPIRED -- what to do when a timer is due (70_timers)

-- Takes the item out and tells its engine. Open offers are taken back uncharged. O(k R log n)
release = function(i, reason, target)
  local cancelled = cancel_offers(i, reason, nil, true)
  delete_item(i)
  journal('item.ended', i.id, '"reason":' .. quoted(reason) .. ',"target":' .. quoted(target))
  notify(i.engine, { 'released', i.id, reason, target, i.head, i.strict })
  free_all(cancelled)
end

-- Whatever of an item is due: back from being deferred, its limit, its turn before everybody else, its next step, an
-- exclusion that has passed. O(log n + x + k R log n)
local function due_item(id)
  local i = load_item(id)
  if not i or i.state == 'talking' then return end
  if i.state == 'deferred' then
    if i.back_at > NOW then return arm_item(i) end
    i.back_at = 0
    place_in_steps(i)
    i.line = step_line(i, i.step)
    start_waiting(i)
    journal('item.returned', i.id, '"queue":' .. quoted_name(i.queue))
  end
  if i.state == 'waiting' and is_over(i) then return release(i, i.limit_why, '') end
  relax(i)
  local score = score_of(i)
  if score ~= i.score then
    stand(i, i.line, score)
    journal('item.urgent', i.id, '"wait_ms":' .. whole(NOW - i.at))
  end
  match_item(i)
  save_item(i)
  arm_item(i)
end

-- Nobody has been logged in for this line for a moment: its waiting move on to a step where somebody is, or out, if
-- their queue says so; the others wait on, and are looked after again. after: the member of wait:<line> up to which that
-- is done. O(100 (steps + log n)), and R log n for each that is offered to somebody, and again at once while there are more
local function absent(subject)
  local line, after = match(subject, '^([^|]+)|?(.*)$')
  if is_staffed(line) then return end
  local wait = PREFIX .. 'wait:' .. line
  local done = after ~= '' and call('ZRANK', wait, after) or -1
  local members = call('ZRANGE', wait, done + 1, done + BATCH)
  for _, member in ipairs(members) do
    local i = load_item(sub(member, 18))
    local why = i and i.state == 'waiting' and nobody(i) or ''
    if why ~= '' then release(i, why, '')
    elseif i then
      relax(i)
      match_item(i)
      save_item(i)
      arm_item(i)
      if i.indexed == 1 and i.line == line then after = member end
    end
  end
  if members[BATCH] then arm('absent:' .. line .. '|' .. after, NOW)
  elseif call('EXISTS', wait) == 1 then watch(line) end
end
