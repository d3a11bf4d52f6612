"""What `hotline check` finds in flows that are written correctly and lead nowhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.config import site as sites
from engine.config.check_site import look

PROJECT = Path(__file__).resolve().parents[3]

Check = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """The findings about the default site with `main.yaml` (and other flows) of these steps."""
    shutil.copytree(PROJECT / "dialplan", tmp_path / "dialplan")
    shutil.copytree(PROJECT / "sip_trunks", tmp_path / "sip_trunks")
    shutil.rmtree(tmp_path / "dialplan/flows")
    shutil.rmtree(tmp_path / "dialplan/tests")

    def found(main: dict[str, Any], **others: dict[str, Any]) -> list[str]:
        for name, steps in {"main": main, **others}.items():
            write(tmp_path / f"dialplan/flows/{name}.yaml", steps)
        return list(map(str, look(sites.load(tmp_path, unspoken=True))))

    return found


def write(file: Path, steps: dict[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump({"steps": steps}, allow_unicode=True, sort_keys=False))


def asks(**others: Any) -> dict[str, Any]:
    return {"menu": ["menu-main"], "keys": {"1": "end"}, **others}


END: dict[str, Any] = {"end": {"hangup": "flow_hangup"}}


def test_the_default_site_has_no_findings() -> None:
    assert list(map(str, look(sites.load(PROJECT)))) == []


def test_steps_that_nobody_reaches_are_told(check: Check) -> None:
    (said,) = check({"a": {"play": ["welcome"], "then": "end"}, "lost": {"play": ["goodbye"]}, **END})
    assert said.startswith("dialplan/flows/main.yaml:6:3: warning: no step leads to `lost`")


def test_a_flow_that_nobody_enters_is_told_once(check: Check) -> None:
    (said,) = check(END, spare={"a": {"play": ["welcome"]}, "b": {"play": ["goodbye"]}})
    assert "no number and no step leads to flow `spare`" in said


def test_steps_behind_a_call_a_goto_and_a_target_in_another_flow_are_reached(check: Check) -> None:
    main = {"a": {"call": "one"}, "b": {"menu": ["menu-main"], "keys": {"1": "two/y"}}, "c": {"goto": "three"}}
    end = {"x": {"hangup": "flow_hangup"}}
    assert check(main, one={"x": {"play": ["welcome"]}}, two={"y": {"play": ["goodbye"]}}, three=end) == []


def test_a_circle_that_nobody_can_leave_is_an_error(check: Check) -> None:
    main = {"a": {"menu": ["menu-main"], "keys": {"1": "b"}, "then": "a"}, "b": {"play": ["welcome"], "then": "a"}}
    (said,) = check(main)
    assert "main.yaml:2:3: error: whatever the caller does, the call goes round here without end" in said
    assert "(main/a → main/b → main/a)" in said


def test_a_circle_that_asks_nothing_and_changes_nothing_is_an_error(check: Check) -> None:
    main = {"a": {"play": ["welcome"]}, "b": {"if": 'caller.area == "x"', "then": "end", "else": "a"}, **END}
    (said,) = check(main)
    assert "error: the call goes round here without asking the caller anything" in said


def test_a_circle_that_counts_is_none(check: Check) -> None:
    main = {
        "a": {"play": ["welcome"]},
        "count": {"set": {"rounds": "number(rounds) + 1"}},
        "again": {"if": "rounds < 3", "then": "a", "else": "end"},
        **END,
    }
    assert check(main) == []


def test_a_line_that_a_silent_caller_never_leaves_is_told(check: Check) -> None:
    (said,) = check({"a": asks(then="a"), **END})
    assert "warning: a caller who presses nothing goes round here for ever" in said


def test_a_silent_caller_who_gets_out_is_fine(check: Check) -> None:
    assert check({"a": asks(when={"silence": "end"}, then="a"), **END}) == []


def test_a_menu_that_can_be_heard_again_is_fine(check: Check) -> None:
    assert check({"a": {"menu": ["menu-main"], "keys": {"*": "a", "1": "end"}, "then": "end"}, **END}) == []


# Keys that could mean two things.


def number(**settings: Any) -> dict[str, Any]:
    return {"collect": "order", "ask": ["enter-order-number"], **settings}


def test_a_number_without_an_end_before_a_menu_is_told(check: Check) -> None:
    main = {"order": number(min=6, max=12, end=""), "said": {"play": ["welcome"]}, "menu": asks(then="end"), **END}
    (said,) = check(main)
    assert "6 to 12 keys without a key that ends it: what is typed ahead for `main/menu` is taken as part of it" in said


@pytest.mark.parametrize(
    "settings",
    [{"min": 6, "max": 12}, {"min": 11, "max": 11, "end": ""}],
    ids=["an end key", "one length"],
)
def test_a_number_whose_end_is_certain_is_fine(check: Check, settings: dict[str, Any]) -> None:
    assert check({"order": number(**settings), "menu": asks(then="end"), **END}) == []


def test_a_menu_that_forgets_what_was_typed_ahead_is_fine(check: Check) -> None:
    main = {"order": number(min=6, max=12, end=""), "menu": asks(then="end", type_ahead=False), **END}
    assert check(main) == []


def test_an_end_key_that_is_a_choice_of_the_next_menu_is_told(check: Check) -> None:
    main = {"order": number(min=6, max=12), "menu": {"menu": ["menu-main"], "keys": {"#": "end"}}, **END}
    (said,) = check(main)
    assert "# ends this number and is a choice of `main/menu`" in said


def test_a_digit_that_ends_a_number_is_told(check: Check) -> None:
    (said,) = check({"order": number(end="0"), **END})
    assert "`end: 0`: no number that is keyed in here can hold a 0" in said


# Variables.


def test_a_name_that_nothing_sets_is_told_with_the_one_that_was_meant(check: Check) -> None:
    main = {"order": number(), "is": {"if": "ordr > 5", "then": "end"}, **END}
    (said,) = check(main)
    assert "warning: nothing gives `ordr` a value: it is always empty (did you mean `order`?)" in said


def test_a_name_that_an_endpoints_answer_may_hold_is_not(check: Check) -> None:
    main = {"who": {"lookup": "caller"}, "is": {"if": "balance > 5 and customer.since", "then": "end"}, **END}
    assert check(main) == []
    (said,) = check(main | {"who": {"play": ["welcome"]}, "is": {"if": "balance > 5", "then": "end"}})
    assert "nothing gives `balance` a value" in said


def test_what_every_call_has_is_known(check: Check) -> None:
    main = {"is": {"switch": "caller.area", "cases": {"上海市": "end"}}, "b": {"say": [{"digits": "{dialled}"}]}, **END}
    assert check(main) == []


# Who could answer.


def test_a_requirement_of_a_step_that_no_agent_meets_is_an_error(check: Check) -> None:
    (said,) = check({"a": {"queue": "vip", "require": "french"}, **END})
    assert "error: no agent in agents.yaml can ever meet `french`" in said
