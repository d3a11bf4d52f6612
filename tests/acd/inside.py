"""Everything that the ACD keeps in Redis, in one look: for tests that hold it against a model."""

from __future__ import annotations

from typing import Any

import orjson

from engine.acd.library import SHAPE
from engine.acd.records import LISTS, RECORDS
from engine.redis_line import RedisLine
from tests.acd.model import Model, ModelAgent, ModelItem

JOURNAL = "hotline:{default}:journal"
LIBRARIES = "hotline:{default}:libraries"
PREFIX = f"hotline:{{default}}:{SHAPE}:"
# What may stay when nobody is at work and nothing waits: what is known of lines, queues and agents, and history.
KEPT = {"seq", "life", "lines", "policies", "profiles", "agents", "queues", "ahead", "present", "staffed"}
KEPT |= {"skills", "skilled"}
KEPT_BY_NAME = {"agent", "why", "members", "pace", "accuracy"}

# Numbers as text: Lua's own way of writing them loses digits.
_LOOK = """
local function plain(value)
  if type(value) == 'table' then
    local copy = {}
    for key, one in pairs(value) do copy[tostring(key)] = plain(one) end
    return copy
  end
  return type(value) == 'number' and string.format('%.17g', value) or value
end
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind, name = redis.call('TYPE', key).ok, string.sub(key, #ARGV[1] + 1)
  if kind == 'string' then
    local text, of = redis.call('GET', key), string.match(name, '^%l+')
    local packed = of == 'agent' or of == 'item' or of == 'pace'
    if packed then
      local values = { cmsgpack.unpack(text) }
      found[name] = {}
      for n = 1, 40 do found[name][n] = plain(values[n]) or cjson.null end
    else found[name] = text end
  elseif kind == 'zset' then found[name] = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif name == 'profiles' then found[name] = {} -- packed, and told by members
  elseif kind == 'hash' then found[name] = redis.call('HGETALL', key)
  elseif kind == 'set' then found[name] = redis.call('SMEMBERS', key)
  elseif kind == 'list' then found[name] = redis.call('LRANGE', key, 0, -1)
  else found[name] = kind end
end
return cjson.encode(found)
"""


async def look(line: RedisLine) -> dict[str, Any]:
    """Every key of the ACD, without the prefix; sorted sets as {member: score}, numbers of records as text."""
    found: dict[str, Any] = orjson.loads(await line.call("EVAL", _LOOK, 0, PREFIX))
    for name, value in found.items():
        kind = name.partition(":")[0]
        if kind in RECORDS:
            found[name] = _record(kind, value)
        elif isinstance(value, list) and kind not in {"engine", "mailbox"}:
            found[name] = dict(zip(value[::2], value[1::2], strict=True))
    return found


def _record(kind: str, values: list[Any]) -> dict[str, Any]:
    record = RECORDS[kind]
    usual = {of: None if value == "nil" else value.strip("'") for of, value in record.usual.items()}
    found = usual | {of: value for of, value in zip(record.fields, values, strict=False) if value is not None}
    return found | {of: _list(found[of], fields) for of, fields in LISTS.items() if of in found}


def _list(flat: dict[str, Any], fields: tuple[str, ...]) -> list[dict[str, Any]]:
    values = [flat[str(n + 1)] for n in range(len(flat))]
    return [dict(zip(fields, values[n:], strict=False)) for n in range(0, len(values), len(fields))]


def leftovers(found: dict[str, Any]) -> set[str]:
    """Keys that must not be there when everything is over."""
    return {name for name in found if name not in KEPT and name.partition(":")[0] not in KEPT_BY_NAME}


def indexes(found: dict[str, Any]) -> dict[str, Any]:
    """The indexes that stand in Redis, comparable with `expected`."""
    seen: dict[str, Any] = {}
    for name, value in found.items():
        match name.partition(":")[0]:
            case "wait" | "queue" | "ready":
                seen[name] = {_item(member): round(float(score)) for member, score in value.items()}
            case "timers" | "places":
                seen[name] = {member: round(float(score)) for member, score in value.items()}
            case "order" | "members":
                seen[name] = set(value)
            case "engine":
                seen[name] = set(value)
            case "present" | "staffed":
                seen[name] = {line: int(count) for line, count in value.items() if count != "0"}
            case "agents":
                seen[name] = set(value)
            case "heads":
                seen[name] = {line: _item(head[16:]) for line, head in value.items()}
    return {name: value for name, value in seen.items() if value}


def expected(model: Model) -> dict[str, Any]:
    """The same, worked out from the model: a recount."""
    found: dict[str, Any] = {
        "timers": dict(model.timers),
        "places": dict(model.places),
        "agents": {agent.id for agent in model.agents.values() if not agent.removed},
    }
    for item in model.items.values():
        found.setdefault(f"engine:{item.engine}", set()).add(item.id)
        if item.in_line:
            found.setdefault(f"wait:{item.line}", {})[item.id] = item.score
            found.setdefault("heads", {})[item.line] = model.in_line(item.line)[0].id
        if item.state == "waiting":
            found.setdefault(f"queue:{item.queue}", {})[item.id] = item.score
    for agent in model.agents.values():
        for line in model.lines:
            if model.meets(agent, line):
                _count_in(found, model, agent, line)
    return {name: value for name, value in found.items() if value}


def _count_in(found: dict[str, Any], model: Model, agent: ModelAgent, line: str) -> None:
    kind = line.partition(".")[0]
    found.setdefault(f"members:{line}", set()).add(agent.id)
    for name, so in (("present", model.there(agent, kind)), ("staffed", model.at_work(agent, kind))):
        if so:
            counts = found.setdefault(name, {})
            counts[line] = counts.get(line, 0) + 1
    if kind in agent.ready:
        found.setdefault(f"ready:{line}", {})[agent.id] = agent.at_hand(kind) * 10**15 + agent.idle_since
        for order in (order for other, order in model.orders if other == line):
            found.setdefault(f"order:{order}:{line}", set()).add(agent.id)


def kept_from(found: dict[str, Any]) -> dict[str, Any]:
    """By kind, the agents to whom nothing of it can be offered."""
    return {name[4:]: set(value) for name, value in found.items() if name.startswith("why:")}


def expected_to_be_kept_from(model: Model) -> dict[str, Any]:
    kept: dict[str, set[str]] = {}
    for agent in model.agents.values():
        for kind in agent.terms.takes:
            if agent.takes(kind) and not model.routable(agent, kind):
                kept.setdefault(kind, set()).add(agent.id)
    return kept


def agent_kept(record: dict[str, Any]) -> dict[str, Any]:
    """An agent's record, comparable with `agent_expected`."""
    words = ("intent", "reason", "device")
    numbers = ("idle_since", "cool_until", "ignored", "dnds", "calls", "last_offer", "removed")
    hands = sorted(
        (hand["token"], hand["kind"], hand["work"], int(hand["since"]), int(hand["till"])) for hand in record["hands"]
    )
    return {
        **{name: record[name] for name in words},
        **{name: int(record[name]) for name in numbers},
        "ready": set(record["ready"].split()),
        "hands": hands,
        "busy": round(float(record["busy"]), 3),
    }


def agent_expected(agent: ModelAgent) -> dict[str, Any]:
    names = ("intent", "reason", "device", "idle_since", "cool_until", "ignored", "dnds", "calls", "last_offer")
    return {
        **{name: getattr(agent, name) for name in names},
        "removed": int(agent.removed),
        "ready": set(agent.ready),
        "hands": sorted((hand.token, hand.kind, hand.work, hand.since, hand.until) for hand in agent.hands),
        "busy": round(agent.busy, 3),
    }


_ITEM_WORDS = ("queue", "engine", "who", "preferred", "state", "line", "limit_why")
_ITEM_NUMBERS = ("at", "head", "strict", "step", "score", "attempt", "step_at", "limit_at", "urgent_at", "back_at")


def item_kept(record: dict[str, Any], now: int) -> dict[str, Any]:
    """An item's record, comparable with `item_expected`."""
    excluded = {agent: int(float(till)) for agent, till in (record["excluded"] or {}).items()}
    return {
        **{name: record[name] for name in _ITEM_WORDS},
        "policy": record["policy"],
        **{name: int(float(record[name])) for name in _ITEM_NUMBERS},
        "in_line": record["indexed"] == "1",
        "sole": record["sole"] == "1",
        "excluded": {agent: till for agent, till in excluded.items() if till > now},
        "offers": sorted((o["token"], o["agent"], o["state"]) for o in record["offers"]),
    }


def item_expected(item: ModelItem, now: int) -> dict[str, Any]:
    return {
        **{name: getattr(item, name) for name in _ITEM_WORDS + _ITEM_NUMBERS},
        "policy": item.policy.id,
        "in_line": item.in_line,
        "sole": item.sole,
        "excluded": {agent: till for agent, till in item.excluded.items() if till > now},
        "offers": sorted((offer.token, offer.agent, str(offer.state)) for offer in item.offers),
    }


def _item(member: str) -> str:
    """`<16 digits>:<item>` without the number; an agent's id as it is."""
    return member[17:] if member[16:17] == ":" else member
