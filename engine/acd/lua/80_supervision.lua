-- A hand from outside: the same compare-and-set as everything else, so it cannot race an offer, a hang-up or a limit.

-- assign(item, agent, actor) -> 1, or why not: gone, talking, or what stands in the agent's way. Pull (an agent takes an
-- item) and push (a supervisor gives it): whatever else rings for it stops, requirements and exclusions do not count,
-- the agent's own state does. O(k R log n)
register('assign', function(args)
  local i, a = load_item(args[3]), load_agent(args[4])
  if not i then return 'gone' end
  if i.state == 'talking' then return 'talking' end
  if not a then return 'unknown_agent' end
  if has_offer(i, a.id) then return 'rings' end
  local why = why_not_routable(a, i.terms.kind)
  if why ~= '' then return why end
  journal('item.assigned', i.id, '"agent":' .. named(a.id) .. ',"by":' .. quoted(args[5]))
  local cancelled = cancel_offers(i, 'assigned', nil, true)
  if i.state == 'deferred' then
    i.back_at = 0
    place_in_steps(i)
    i.line, i.score = step_line(i, i.step), score_of(i)
  end
  i.excluded[a.id] = nil
  i.sole = 1
  reserve(i, a, {}, 'hand')
  save_item(i)
  arm_item(i)
  employ(a)
  free_all(cancelled)
  return 1
end)

-- reprioritise(item, head_start_ms, strict, actor) -> 1, or 0: unknown or accepted. O(log n)
register('reprioritise', function(args)
  local i = load_item(args[3])
  if not i or i.state == 'talking' then return 0 end
  i.head, i.strict = tonumber(args[4]), tonumber(args[5])
  if i.state ~= 'deferred' then stand(i, i.line, score_of(i)) end
  save_item(i)
  journal('item.reprioritised', i.id, '"head_start_ms":' .. whole(i.head) .. ',"strict":' .. i.strict .. ',"by":'
    .. quoted(args[6]))
  return 1
end)

-- release(item, reason, target, actor) -> 1, or 0: unknown or accepted. Withdrawn, or moved to where target says; its engine
-- is told. O(k R log n)
register('release', function(args)
  local i = load_item(args[3])
  if not i or i.state == 'talking' then return 0 end
  journal('item.taken_out', i.id, '"reason":' .. quoted(args[4]) .. ',"target":' .. quoted(args[5]) .. ',"by":'
    .. quoted(args[6]))
  release(i, args[4], args[5])
  return 1
end)
