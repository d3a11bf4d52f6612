"""What Redis keeps has the form that SHAPE stands for: to engines of another form it must look empty."""

from __future__ import annotations

import hashlib

from engine.acd.library import SHAPE
from engine.acd.lines import Lines
from engine.acd.policy import USUAL, Order, Policy, Step
from engine.acd.records import LISTS, RECORDS

FORMS = {3: "c2d14deb988b"}


def test_what_redis_keeps_has_the_form_of_its_shape() -> None:
    records = {name: (record.always, record.usual) for name, record in RECORDS.items()}
    policy = Policy((Step(0, "a", ("b",)), Step(9, "any")), lease_ms=1, wrapup_ms=2, order=Order.MOST_PROFICIENT)
    lines = Lines()
    lines.add(policy)
    profile = lines.profile("8001", {"a": 2, "b": 1}, {"voice": 1})
    kept = repr((records, LISTS, sorted(USUAL.items()), policy.text, profile.text))
    digest = hashlib.blake2s(kept.encode(), digest_size=6).hexdigest()
    assert FORMS.get(SHAPE) == digest, (
        f"records, policies or profiles have another form than SHAPE {SHAPE} had. Engines of both forms would misread "
        f"each other's: raise SHAPE (engine/acd/library.py) and add its digest to FORMS here, {SHAPE + 1}: {digest!r}. "
        f"Only where that version was never released, replace the digest of {SHAPE}."
    )
