"""The formulae that the ACD is held against, held against published values."""

from __future__ import annotations

from statistics import fmean

import pytest

from engine.simulation.chance import Duration, Rate, arrivals, stream
from tests.acd.queueing import ErlangA, ErlangC, first_come


def test_erlang_c_gives_the_published_example_of_pyworkforce() -> None:
    # pyworkforce 0.1.0, README: 100 calls in 30 minutes of 3 minutes each, 14 agents, 20 s
    centre = ErlangC(agents=14, load=100 / 30 * 3)
    assert centre.waits == pytest.approx(0.1741319335950498, rel=1e-12)
    assert centre.answered_within(20 / 180) == pytest.approx(0.8883500191794669, rel=1e-12)


def test_erlang_c_and_erlang_a_give_the_published_example_with_and_without_patience() -> None:
    # What Garnett, Mandelbaum and Reiman (2002) begin with: 50 agents, 48 calls a minute of one minute each, patience
    # two minutes
    endless, patient = ErlangC(50, 48), ErlangA(50, 48, patience=2)
    assert endless.asa * 60 == pytest.approx(20.8, abs=0.05)
    assert endless.answered_within(58.1 / 60) == pytest.approx(0.9, abs=0.0005)
    assert patient.abandons == pytest.approx(0.031, abs=0.0005)
    assert patient.abandons * patient.patience * 60 == pytest.approx(3.7, abs=0.05)  # the mean wait of everybody


def test_whoever_is_endlessly_patient_makes_erlang_a_erlang_c() -> None:
    endless, patient = ErlangC(6, 4.2), ErlangA(6, 4.2, patience=1e7)
    assert patient.waits == pytest.approx(endless.waits, rel=1e-4)
    assert patient.asa == pytest.approx(endless.asa, rel=1e-4)


def test_first_come_first_served_is_what_both_formulae_describe() -> None:
    """200,000 callers: what chance makes of rates and means is Poisson and exponential, to a percent or two."""
    agents, talk, patience = 5, Duration(180_000), Duration(240_000)
    moments = list(arrivals([Rate(0, 2_000 * 3_600_000, 100.0)], stream(7, "arrivals")))
    talks = [talk.draw(chance) for chance in [stream(7, "talk")] for _ in moments]
    limits = [patience.draw(chance) for chance in [stream(7, "patience")] for _ in moments]
    assert len(moments) == pytest.approx(200_000, rel=0.007)

    eased = [moment * 10 // 7 for moment in moments]  # 3.5 erlang for those who never give up
    endless = [wait for wait, _ in first_come(((a, t, None) for a, t in zip(eased, talks, strict=True)), agents)]
    told = ErlangC(agents, 3.5)
    assert fmean(wait > 0 for wait in endless) == pytest.approx(told.waits, rel=0.02)
    assert fmean(endless) / 180_000 == pytest.approx(told.asa, rel=0.05)

    ends = list(first_come(zip(moments, talks, limits, strict=True), agents))
    foretold = ErlangA(agents, 5.0, patience=240 / 180)
    assert fmean(not answered for _, answered in ends) == pytest.approx(foretold.abandons, rel=0.02)
    assert fmean(wait for wait, answered in ends if answered) / 180_000 == pytest.approx(foretold.asa, rel=0.02)
