"""What runs have used, by their records: all launches, and none of the time for which they wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from expiac.plan.budgets import budgets_of, sweep_usage
from expiac.plan.usage import Usage, hours_of, usage_of
from expiac.state.events import (
    Approved,
    Effect,
    EffectDone,
    EffectFailed,
    Entry,
    Event,
    Forgotten,
    Observed,
    Run,
    Started,
)
from expiac.state.facts import SweepFacts
from expiac.state.fold import fold
from expiac.state.model import Record, State
from expiac.state.status import Status

NOON = datetime.fromisoformat("2026-01-01T12:00:00Z")
RUN = Run("lab.lr.a.0123abcd", "f" * 64, attempt=0, launch=1)


def started(launch: int = 1, **inputs: object) -> Started:
    run = Run(RUN.instance, RUN.fingerprint, RUN.attempt, launch)
    return Started("lr/a", Effect.CREATE, "job", "cloud", run, inputs={"gpus": 2, **inputs})


def state_of(*events: tuple[str, Event]) -> State:
    """The state after events at these times of the day: `9:30`."""
    at = [f"2026-01-01T{time:0>5}:00Z" for time, _ in events]
    return fold(State("lab", "0" * 32), (Entry(number, at[number], event) for number, (_, event) in enumerate(events)))


def record_of(*events: tuple[str, Event]) -> Record:
    return state_of(*events).records["lr/a"]


SUBMITTED = (("8:00", started()), ("8:00", EffectDone("lr/a", Status.PENDING)))


@pytest.mark.parametrize(("events", "hours"), [
    ([], 0.0),  # it waits
    ([("9:00", Observed("lr/a", Status.RUNNING))], 3.0),  # since it was first seen at work
    ([("9:00", Observed("lr/a", Status.RUNNING, began_at="2026-01-01T08:30:00Z"))], 3.5),  # as its backend says
    ([("9:00", Observed("lr/a", Status.STARTING)), ("10:00", Observed("lr/a", Status.RUNNING))], 3.0),
    ([("9:00", Observed("lr/a", Status.RUNNING)), ("11:00", Observed("lr/a", Status.FAILED))], 2.0),
    ([("9:00", Observed("lr/a", Status.RUNNING)), ("11:00", Observed("lr/a", Status.FAILED, seconds=1800))], 0.5),
    ([("9:00", Observed("lr/a", Status.RUNNING)), ("11:00", Observed("lr/a", Status.LOST))], 2.0),
    ([("11:00", Observed("lr/a", Status.FAILED))], 3.0),  # it may have begun at once
    ([("11:00", Observed("lr/a", Status.CANCELLED))], 0.0),  # taken back before it began
])
def test_how_long_a_launch_has_run(events: Sequence[tuple[str, Event]], hours: float) -> None:
    assert hours_of(record_of(*SUBMITTED, *events), NOON) == hours


def test_no_longer_than_it_may_run() -> None:
    """Where the backend does not say: it may have been lost long before anybody looked."""
    events = (("8:00", started(max_runtime="90m")), ("8:00", EffectDone("lr/a", Status.RUNNING)))
    assert hours_of(record_of(*events), NOON) == 1.5
    assert hours_of(record_of(*events, ("11:00", Observed("lr/a", Status.LOST))), NOON) == 1.5


def test_every_launch_counts_once() -> None:
    """Also where a launch in between surely did not happen; what the backend says of the cost goes before the price."""
    record = record_of(
        *SUBMITTED, ("9:00", Observed("lr/a", Status.RUNNING)),
        ("10:00", Observed("lr/a", Status.FAILED, {"cost": 7.0}, seconds=3600)),
        ("10:00", started(2)), ("10:00", EffectFailed("lr/a", "no machine")),
        ("10:00", started(2)), ("10:00", EffectDone("lr/a", Status.RUNNING)),
        ("10:30", Observed("lr/a", Status.SUCCEEDED, seconds=1800)))
    assert [(one.seconds, one.cost) for one in record.earlier] == [(3600.0, 7.0)]
    assert usage_of(record, 2.0, NOON) == Usage(7.0 + 1.0, 2 * 1.5)


def test_archived_runs_count_and_those_of_others_do_not() -> None:
    """At the price at which each was launched; a run of which nobody knows the end counts until it was archived."""
    state = state_of(
        ("8:00", Approved(prices={RUN.instance: 4.0})), *SUBMITTED, ("9:00", Observed("lr/a", Status.RUNNING)),
        ("10:00", Forgotten("lr/a", "removed")),
        ("10:00", Started("other", Effect.CREATE, "job", "cloud", Run("lab.other.1", "", 0, 1), inputs={"gpus": 1})),
        ("10:00", EffectDone("other", Status.RUNNING)))
    assert sweep_usage("lr", state, NOON) == Usage(4.0, 2.0)


def test_what_runs_has_its_worst_case_set_aside() -> None:
    state = state_of(
        ("8:00", Approved(prices={RUN.instance: 4.0})), ("8:00", started(max_runtime="6h", max_restarts=1)),
        ("8:00", EffectDone("lr/a", Status.RUNNING)))
    dollars, hours = budgets_of({"lr": SweepFacts(budget=100.0, gpu_hours=50.0)}, state, NOON).accounts
    assert (dollars.used, dollars.running, dollars.left) == (16.0, {"lr/a": 32.0}, 52.0)
    assert (hours.used, hours.running, hours.left) == (8.0, {"lr/a": 16.0}, 26.0)


def test_a_sweep_without_a_limit_has_no_account() -> None:
    sweeps = {"lr": SweepFacts(), "found": SweepFacts(is_search=True, budget=5.0)}
    assert [one.sweep for one in budgets_of(sweeps, State("lab", "0" * 32), NOON).accounts] == ["found"]
