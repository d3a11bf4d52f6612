import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.http.line import Heard, NoAnswer, Silence
from engine.identity.contract import Action, Customer, Reply, Route
from engine.identity.endpoint import read_reply


def reply(**fields: Any) -> Reply:
    return Reply.model_validate_json(orjson.dumps({"status": "ok", **fields}))


def test_unknown_fields_are_dropped_at_every_level() -> None:
    answer = reply(new=1, customer={"name": "张三", "crm": {"deep": [1]}}, route={"priority": 5, "colour": "red"})
    assert answer.model_dump(exclude_defaults=True) == {
        "status": "ok",
        "customer": {"name": "张三"},
        "route": {"priority": 5.0},
    }


def test_numbers_are_taken_as_text_where_text_is_meant() -> None:
    answer = reply(customer={"id": 1001}, route={"action": "agent", "target": 8001})
    assert answer.customer is not None and answer.customer.id == "1001"
    assert answer.route is not None and answer.route.target == "8001"


def test_attributes_and_variables_keep_their_types() -> None:
    values = {"text": "a", "whole": 3, "part": 1.5, "yes": True, "none": None, "id": 2**63 - 1}
    answer = reply(customer={"attributes": values}, variables=values)
    assert answer.customer is not None
    for given_back in (answer.customer.attributes, answer.variables):
        assert dict(given_back) == values
        assert given_back["yes"] is True and isinstance(given_back["whole"], int)


@pytest.mark.parametrize("field", ["id", "name", "tier"])
@pytest.mark.parametrize("evil", ["张\r\nVia: x", "a\x00", "\x1b[2J", "a\u2028b", "\x85"])
def test_control_characters_are_refused_in_what_reaches_sip_headers(field: str, evil: str) -> None:
    with pytest.raises(ValidationError):
        reply(customer={field: evil})


def test_control_characters_in_free_text_become_spaces() -> None:
    answer = reply(variables={"note": "line one\r\nline two"})
    assert answer.variables["note"] == "line one  line two"


def test_invisible_and_wide_characters_in_names_are_tidied() -> None:
    answer = reply(customer={"name": "\ufeff张\u3000三\u202e "})
    assert answer.customer is not None and answer.customer.name == "张 三"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "OK"},
        {"status": None},
        {"customer": "张三"},
        {"customer": {"name": "x" * 65}},
        {"customer": {"name": ["x"]}},
        {"customer": {"attributes": {f"k{n}": n for n in range(65)}}},
        {"customer": {"attributes": {"": 1}}},
        {"customer": {"attributes": {"k": {"nested": 1}}}},
        {"variables": {"k": "x" * 1025}},
        {"variables": {"a\nb": 1}},
        {"variables": []},
        {"route": {"action": "teleport", "target": "mars"}},
        {"route": {"action": "queue"}},
        {"route": {"action": "agent", "target": " "}},
        {"route": {"action": "queue", "target": "a\nb"}},
        {"route": {"action": "number", "target": "8001&PJSIP/9"}},
        {"route": {"action": "number", "target": "alice"}},
        {"route": {"action": "extension", "target": "${EVIL}"}},
        {"route": {"priority": -1}},
        {"route": {"priority": 86_401}},
        {"route": {"require": "x" * 257}},
        {"route": {"require": "mandarin >= "}},
        {"route": {"announce": "../../etc/passwd"}},
        {"route": {"announce": "a,b"}},
        {"route": {"action": "queue", "target": "sales,1"}},
        {"route": {"action": "agent", "target": "8001&8002"}},
        {"route": {"action": "flow", "target": "../main"}},
        {"route": {"action": "voicemail", "target": "/etc"}},
        {"route": {"action": "play", "target": "a&b"}},
    ],
)
def test_an_answer_outside_the_contract_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        reply(**fields)


@pytest.mark.parametrize("action", list(Action))
def test_every_action_can_be_said(action: Action) -> None:
    answer = reply(route={"action": action.value, "target": "8001"})
    assert answer.route is not None and answer.route.action is action


@pytest.mark.parametrize("action", [None, "hangup", "voicemail"])
def test_these_need_no_target(action: str | None) -> None:
    assert reply(route={"action": action}).route is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>502</html>",
        b'{"status":"ok"',
        b'{"status":"ok","variables":{"x":NaN}}',
        b'{"status":"ok","customer":{"name":"\\ud800"}}',
        b"[" * 60_000,
        b"\xff\xfe\x00",
    ],
)
def test_nonsense_is_invalid(body: bytes) -> None:
    with pytest.raises(NoAnswer) as caught:
        read_reply(Heard(200, body))
    assert caught.value.silence is Silence.INVALID


def test_the_reason_names_the_place_and_quotes_no_customer() -> None:
    with pytest.raises(NoAnswer) as caught:
        read_reply(Heard(200, '{"status":"ok","customer":{"name":"王小明\\n"}}'.encode()))
    assert caught.value.detail == "customer.name: Value error, control characters are not allowed here"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_chinese_encodings_are_understood(encoding: str) -> None:
    answer = read_reply(Heard(200, '{"status":"ok","customer":{"name":"张三丰"}}'.encode(encoding)))
    assert answer.customer is not None and answer.customer.name == "张三丰"


@given(st.binary(max_size=200) | st.builds(orjson.dumps, st.dictionaries(st.text(max_size=8), st.text(max_size=8))))
def test_any_bytes_are_a_reply_or_a_typed_failure(body: bytes) -> None:
    try:
        assert isinstance(read_reply(Heard(200, body)), Reply)
    except NoAnswer as error:
        assert error.silence is Silence.INVALID


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80)
_json = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
_values = st.dictionaries(st.text(max_size=70), _json, max_size=4) | _json
_routes = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from([*Action, "teleport"]) | _json,
        "target": st.sampled_from(["sales", "8001", "+8675588881234", "welcome@en"]) | _json,
        "priority": st.floats() | st.integers() | _json,
        "require": st.sampled_from(["mandarin>=3 & billing", "any", "agent:8001", ")("]) | _json,
        "announce": st.sampled_from(["welcome", "../x"]) | _json,
    },
)
_customers = st.fixed_dictionaries(
    {}, optional={"id": _json, "name": _json, "tier": _json, "attributes": _values, "extra": _json}
)
_replies = st.fixed_dictionaries(
    {"status": st.sampled_from(["ok", "not_found", "rejected", "locked", "OK"]) | _json},
    optional={"customer": _customers | _json, "route": _routes | _json, "variables": _values, "extra": _json},
)
_HARMFUL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@given(answer=_replies, encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]))
def test_whatever_is_let_in_holds_nothing_that_could_act_elsewhere(answer: Any, encoding: str) -> None:
    body = json.dumps(answer, ensure_ascii=False).encode(encoding, errors="replace")
    try:
        said = read_reply(Heard(200, body))
    except NoAnswer as error:
        assert error.silence is Silence.INVALID
        assert not _HARMFUL.search(error.detail)
        return
    customer, route = said.customer or Customer(), said.route or Route()
    for line in (customer.id, customer.name, customer.tier, route.target, route.require, route.announce):
        assert not _HARMFUL.search(line) and len(line) <= 256
    if route.action in (Action.NUMBER, Action.EXTENSION):
        assert re.fullmatch(r"\+?[0-9*#]{1,32}", route.target)
    elif route.action not in (None, Action.HANGUP):
        assert re.fullmatch(r"[A-Za-z0-9_@-]*", route.target)
    assert 0 <= route.priority <= 86_400
    for value in (*customer.attributes.values(), *said.variables.values()):
        assert value is None or isinstance(value, str | bool | int | float)
        assert not isinstance(value, str) or (len(value) <= 1024 and not _HARMFUL.search(value))
    assert Reply.model_validate_json(said.model_dump_json()) == said
