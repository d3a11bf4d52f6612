-- What ends or widens a wait. Everything that can end one comes through here or through withdraw and accept, each a
-- single step on the item's state: the first to come wins, and all others find it gone.

local BATCH = 100

-- Takes the item out and tells its engine. Open offers are taken back uncharged. O(k R log n)
release = function(i, reason, target)
  local cancelled = cancel_offers(i, reason, nil, true)
  delete_item(i)
  journal('item.ended', i.id, '"reason":' .. quoted(reason) .. ',"target":' .. quoted(target))
  notify(i.engine, { 'released', i.id, reason, target })
  free_all(cancelled)
end

local function step_line(i, n)
  if n == 0 then return i.terms.kind .. '.@' .. i.preferred end
  return i.terms.steps[n].line
end

-- The step an item stands at by now: the latest that has begun; but where nobody is logged in who could take it, the
-- first later one where somebody is. Sets step_at, when the next one begins. O(steps)
local function place_in_steps(i)
  local steps, waited, n = i.terms.steps, NOW - i.at, i.step
  if n == 0 and not (i.patience_until > NOW and is_staffed(step_line(i, 0))) then n = 1 end
  if n > 0 then
    while steps[n + 1] and steps[n + 1].after <= waited do n = n + 1 end
    if steps[n + 1] and not is_staffed(steps[n].line) then
      for later = n + 1, #steps do
        if is_staffed(steps[later].line) then
          n = later
          break
        end
      end
    end
  end
  i.step = n
  if n == 0 then i.step_at = i.patience_until
  else i.step_at = steps[n + 1] and i.at + steps[n + 1].after or 0 end
end

-- Why nobody could ever come, as far as this item's queue minds; '' when somebody could. O(steps)
local function nobody(i)
  local minds = i.terms.leave_when
  if minds.no_agents and not is_staffed(i.terms.base) then return 'no_agents' end
  if minds.none_eligible then
    for n = 1, #i.terms.steps do
      if is_staffed(i.terms.steps[n].line) then return '' end
    end
    return 'none_eligible'
  end
  return ''
end

local function relax(i)
  local before, line = i.step, i.line
  place_in_steps(i)
  if i.step == before then return end
  stand(i, step_line(i, i.step), i.score)
  if i.line ~= line then
    journal('item.requirements_relaxed', i.id, '"step":' .. i.step .. ',"requirement":'
      .. quoted(requirement_of(i.line)) .. ',"wait_ms":' .. whole(NOW - i.at))
  end
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
    journal('item.returned', i.id, '"queue":' .. quoted(i.queue))
  end
  if i.state == 'waiting' and i.limit_at > 0 and i.limit_at <= NOW then return release(i, i.limit_why, '') end
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
-- their queue says so; the others wait on. O(100 steps log n), and again at once while there are more
local function absent(line)
  if is_staffed(line) then return end
  local members = call('ZRANGE', PREFIX .. 'wait:' .. line, 0, BATCH - 1)
  local moved_on = 0
  for _, member in ipairs(members) do
    local i = load_item(string.sub(member, 18))
    local why = i and i.state == 'waiting' and nobody(i) or ''
    if why ~= '' then
      release(i, why, '')
      moved_on = moved_on + 1
    elseif i then
      relax(i)
      if i.line ~= line then moved_on = moved_on + 1 end
      match_item(i)
      save_item(i)
      arm_item(i)
    end
  end
  if #members == BATCH and moved_on > 0 then arm('absent:' .. line, NOW) end
end
