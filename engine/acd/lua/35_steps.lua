-- Whom an item may go to by now: the steps of its policy, before them the preferred agent's own line.

-- All lines that a policy uses, as Redis has it.
local function lines_of(policy)
  local lines = { policy.base }
  for _, step in ipairs(policy.steps) do
    lines[#lines + 1] = step.line
    for _, line in ipairs(step.prefer or {}) do lines[#lines + 1] = line end
  end
  return lines
end

local function step_line(i, n)
  if n == 0 then return i.terms.kind .. '.@' .. i.preferred end
  return i.terms.steps[n].line
end

-- Whether to wait for the preferred agent still: they are at work, and there will be time when they may have it.
local function waits_for_preferred(i)
  return i.patience_until > NOW and (i.excluded[i.preferred] or 0) < i.patience_until and is_staffed(step_line(i, 0))
end

-- The step an item stands at by now: the latest that has begun; but where nobody is logged in who could take it, the
-- first later one where somebody is. Sets step_at, when the next one begins. O(steps)
local function place_in_steps(i)
  local steps, waited, n = i.terms.steps, NOW - i.at, i.step
  if n == 0 and not waits_for_preferred(i) then n = 1 end
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

-- Why nobody could come, as far as this item's queue minds; '' when somebody could. O(steps)
local function nobody(i)
  local minds = i.terms.leave_when
  if minds.no_agents and not is_staffed(i.terms.base) then return 'no_agents' end
  if minds.none_eligible then
    for n = i.step, #i.terms.steps do
      if is_staffed(step_line(i, n)) then return '' end
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
      .. quoted_requirement(i.line) .. ',"wait_ms":' .. whole(NOW - i.at))
  end
end
