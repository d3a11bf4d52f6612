"""What Redis keeps as one record: the names of its fields, in the order in which their values stand there.

What each of them means is said where the Lua functions load and save them: lua/10_agents.lua, lua/20_items.lua and
lua/62_estimate.lua. Kept are the values alone, as MessagePack, one after the other: names would be more than half of a
record, and of the work to read it.
"""

from __future__ import annotations

from collections.abc import Sequence

AGENT = (
    *("intent", "reason", "since", "device", "hands", "idle_since", "cool_until", "ignored", "dnds", "ready"),
    *("profile", "limits", "rank", "weight", "calls", "busy", "busy_at", "last_offer", "counted", "counted_in"),
    *("why", "removed"),
)
HAND = ("token", "kind", "work", "since", "till")
ITEM = (
    *("queue", "policy", "type", "engine", "who", "at", "head", "strict", "member", "state", "step", "line", "score"),
    *("preferred", "patience_until", "step_at", "limit_at", "limit_why", "urgent_at", "back_at", "offers", "attempt"),
    *("excluded", "indexed", "waited", "sole", "told", "said_place", "said_by", "has_data"),
)
OFFER = ("agent", "token", "state", "offered_at", "ringing_at")
PACE = ("at", "left", "served", "overtook", "worked", "handled", "handle", "ring")

RECORDS = {"agent": AGENT, "item": ITEM, "pace": PACE}
LISTS = {"hands": HAND, "offers": OFFER}  # fields that are lists of smaller records: their values, one after the other


def lua_records() -> str:
    """`packed_agent(a)` and `unpacked_agent(text)`, and so on for each of them, as Lua source."""
    lists = [_list(name, fields) for name, fields in LISTS.items()]
    return "\n".join(lists + [_record(name, fields) for name, fields in RECORDS.items()])


def _record(name: str, fields: Sequence[str]) -> str:
    values = [f"v{n}" for n in range(len(fields))]
    kept = [f"flat_{field}(r.{field})" if field in LISTS else f"r.{field}" for field in fields]
    read = [
        f"{field} = {field}_of({value})" if field in LISTS else f"{field} = {value}"
        for field, value in zip(fields, values, strict=True)
    ]
    return f"""local function packed_{name}(r)
  return cmsgpack.pack({", ".join(kept)})
end
local function unpacked_{name}(text)
  local {", ".join(values)} = cmsgpack.unpack(text)
  return {{ {", ".join(read)} }}
end"""


def _list(name: str, fields: Sequence[str]) -> str:
    many = len(fields)
    kept = "; ".join(f"flat[n + {n + 1}] = one.{field}" for n, field in enumerate(fields))
    read = ", ".join(f"{field} = flat[n + {n}]" for n, field in enumerate(fields))
    return f"""local function flat_{name}(list)
  local flat, n = {{}}, 0
  for m = 1, #list do
    local one = list[m]
    {kept}
    n = n + {many}
  end
  return flat
end
local function {name}_of(flat)
  local list = {{}}
  for n = 1, #flat, {many} do list[#list + 1] = {{ {read} }} end
  return list
end"""
