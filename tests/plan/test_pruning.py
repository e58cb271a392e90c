"""Which runs may go: archived ones that are meant, and that nobody refers to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from expiac.plan.pruning import PruneOptions, referrers, select_runs, why_referred
from expiac.state.events import Run
from expiac.state.model import Record, State
from expiac.state.status import Status

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def run(address: str, name: str, day: int = 1, **more: object) -> Record:
    """A run that was archived on this day of January."""
    one = Run(f"lab.{address}.{name}", "f", attempt=0, launch=1)
    record = Record(address, "job", "local", one, {}, status=Status.SUCCEEDED, ended_at=f"2026-01-{day:02}T00:00:00Z")
    return replace(record, **more)  # type: ignore[arg-type]


HISTORY = (run("a", "1", 1), run("b", "1", 2), run("a", "2", 5), run("a", "3", 9))


@pytest.mark.parametrize(("options", "chosen"), [
    (PruneOptions(), ["a.1", "b.1", "a.2", "a.3"]),
    (PruneOptions(keep=1), ["a.1", "a.2"]),
    (PruneOptions(keep=3), []),
    (PruneOptions(older_than=5 * 86400), ["a.1", "b.1", "a.2"]),
    (PruneOptions(keep=1, older_than=6 * 86400), ["a.1"]),
])
def test_what_is_meant(options: PruneOptions, chosen: list[str]) -> None:
    """`keep` counts by job, from the last archived one; both options have to let a run go."""
    state = State("lab", "lineage", history=HISTORY)
    assert [record.run.instance for record in select_runs(state, options, NOW)] == [f"lab.{name}" for name in chosen]


def test_a_run_that_is_present_again_is_not_meant() -> None:
    state = State("lab", "lineage", records={"a": run("a", "2")}, history=HISTORY)
    assert "lab.a.2" not in [record.run.instance for record in select_runs(state, PruneOptions(), NOW)]


@pytest.mark.parametrize("referrer", [
    run("b", "2", upstream={"a": "lab.a.1"}),
    run("b", "2", inputs={"run": "cat /p/.expiac/local/lab.a.1/home/out/model"}),
    run("b", "2", inputs={"config": {"initial_policy": {"uri": "file:///x/lab.a.1/latest.pt"}}}),
])
def test_a_run_that_another_refers_to_is_kept(referrer: Record) -> None:
    """By what it was given, or by a path in its settings; whichever stack it is of."""
    other = State("other", "lineage", records={"b": referrer})
    texts = referrers([State("lab", "lineage", history=HISTORY), other], {})
    assert why_referred(HISTORY[0], texts) == "other.b refers to it"
    assert why_referred(HISTORY[1], texts) == ""


def test_so_is_one_that_a_retained_run_or_a_file_refers_to() -> None:
    live = run("b", "2", upstream={"a": "lab.a.1"}, status=Status.RUNNING)
    ended = replace(live, status=Status.FAILED)
    assert why_referred(HISTORY[0], referrers([State("lab", "x", history=(live,))], {})) == "lab.b refers to it"
    assert why_referred(HISTORY[0], referrers([State("lab", "x", history=(ended,))], {})) == ""
    files = {"stacks/next.py": "URI = '.expiac/local/lab.a.1/home/latest.pt'"}
    assert why_referred(HISTORY[0], referrers([], files)) == "stacks/next.py refers to it"
