"""What Redis keeps as one record: the names of its fields, in the order in which their values stand there.

What each of them means is said where the Lua functions load and save them: lua/10_agents.lua, lua/20_items.lua and
lua/62_estimate.lua. Kept are the values alone, as MessagePack, one after the other: names would be more than half of a
record, and of the work to read it. Fields that mostly have one value stand last, and only if one of them has another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Record:
    """`usual`: the fields behind, and the value that each has when it does not stand there, as Lua writes it."""

    always: tuple[str, ...]
    usual: dict[str, str] = field(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        return (*self.always, *self.usual)


AGENT = Record(
    (
        *("intent", "since", "device", "hands", "idle_since", "ready", "profile", "limits", "rank", "calls", "busy"),
        *("busy_at", "last_offer", "counted", "counted_in", "why"),
    ),
    {"reason": "''", "weight": "1"} | dict.fromkeys(("cool_until", "ignored", "dnds", "removed"), "0"),
)
ITEM = Record(
    (
        *("queue", "policy", "type", "engine", "at", "member", "state", "step", "line", "score", "step_at", "limit_at"),
        *("longest_at", "limit_why", "offers", "attempt", "excluded", "indexed", "waited"),
    ),
    {"who": "''", "preferred": "''", "told": "nil"}
    | dict.fromkeys(("head", "strict", "patience_until", "urgent_at", "back_at", "sole"), "0")
    | dict.fromkeys(("said_place", "said_by", "has_data"), "0"),
)
PACE = Record(("at", "left", "served", "overtook", "worked", "handled", "handle", "ring"))

RECORDS = {"agent": AGENT, "item": ITEM, "pace": PACE}
# Fields that are lists of smaller records: their values, one after the other.
LISTS = {
    "hands": ("token", "kind", "work", "since", "till"),
    "offers": ("agent", "token", "state", "offered_at", "ringing_at"),
}


def lua_records() -> str:
    """`packed_agent(a)` and `unpacked_agent(text)`, and so on for each of them, as Lua source."""
    lists = [_list(name, fields) for name, fields in LISTS.items()]
    return "\n".join(lists + [_record(name, record) for name, record in RECORDS.items()])


def _record(name: str, record: Record) -> str:
    values = dict(zip(record.fields, (f"v{n}" for n in range(len(record.fields))), strict=True))
    kept = {each: f"flat_{each}(r.{each})" if each in LISTS else f"r.{each}" for each in record.fields}
    read = [
        f"{each} = {each}_of({values[each]})" if each in LISTS else f"{each} = {values[each]}" for each in record.always
    ]
    read += [f"{each} = {values[each]} or {value}" for each, value in record.usual.items()]
    shorter = f"""  if {" and ".join(f"r.{each} == {value}" for each, value in record.usual.items())} then
    return cmsgpack.pack({", ".join(kept[each] for each in record.always)})
  end
"""
    return f"""local function packed_{name}(r)
{shorter if record.usual else ""}  return cmsgpack.pack({", ".join(kept.values())})
end
local function unpacked_{name}(text)
  local {", ".join(values.values())} = cmsgpack.unpack(text)
  return {{ {", ".join(read)} }}
end"""


def _list(name: str, fields: Sequence[str]) -> str:
    kept = "; ".join(f"flat[n + {n + 1}] = one.{each}" for n, each in enumerate(fields))
    read = ", ".join(f"{each} = flat[n + {n}]" for n, each in enumerate(fields))
    return f"""local function flat_{name}(list)
  local flat, n = {{}}, 0
  for m = 1, #list do
    local one = list[m]
    {kept}
    n = n + {len(fields)}
  end
  return flat
end
local function {name}_of(flat)
  local list = {{}}
  for n = 1, #flat, {len(fields)} do list[#list + 1] = {{ {read} }} end
  return list
end"""
