"""What runs have cost, from their records; and `expiac cost`, of real runs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from expiac.analysis.listing import ListedRun
from expiac.analysis.runs import run_of
from expiac.analysis.spending import Spent, launched_since, since_of, spending, spent_on, total
from expiac.cli import run
from expiac.plan.approval import approval_event
from expiac.plan.cost import add_price
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.state import codec
from expiac.state.events import Approved
from expiac.state.events import Run as RunName
from expiac.state.facts import PastLaunch
from expiac.state.model import Approval, Record
from expiac.state.status import Status
from expiac.util.errors import UsageError

VALID = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text("utf-8")))
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def listed(job: str = "a", *, hours_ago: float = 10, seconds: float | None = 7200.0, price: float | None = None,
           status: Status = Status.SUCCEEDED, cost: float | None = None, user: str = "ada", stack: str = "lab",
           **inputs: Any) -> ListedRun:
    name = f"{stack}.{job}.0a1b2c3d"
    record = Record(job, "job", "skypilot", RunName(name, "f", 1, 1), inputs, status=status, seconds=seconds,
                    at=(NOW - timedelta(hours=hours_ago)).isoformat(), outputs={} if cost is None else {"cost": cost})
    approved = Approved(provenance={"user": user}, prices={} if price is None else {name: price})
    return ListedRun(stack, record, Approval(1, record.at, approved), run_of(record), inputs)


@pytest.mark.parametrize(("one", "rents", "spent"), [
    (listed(cost=3.0, price=9.0), True, Spent(1, 2.0, 0.0, 3.0)),
    (listed(price=4.0, gpus="H100:8", nodes=2), True, Spent(1, 2.0, 32.0, 8.0, 8.0)),
    (listed(gpus=1), True, Spent(1, 2.0, 2.0, unknown=1)),
    (listed(price=4.0, seconds=None), True, Spent(1, 0.0, 0.0, unknown=1)),
    (listed(price=4.0, seconds=None, status=Status.RUNNING), True, Spent(1, 10.0, 0.0, 40.0, 40.0)),
    (listed(gpus=4), False, Spent(1, 2.0, 8.0, free=1)),
])
def test_what_a_run_has_cost(one, rents, spent):
    """What its backend wrote, else an estimate, else nothing is said; a live run until now."""
    assert spent_on(one, NOW, rents=rents) == spent


@pytest.mark.parametrize(("one", "spent"), [
    (listed(cost=3.0), Spent(1, 3.5, 0.0, 4.0, unknown=1)),
    (listed(cost=3.0, price=9.0), Spent(1, 3.5, 0.0, 8.5, 4.5)),
    (listed(price=2.0, gpus=2), Spent(1, 3.5, 7.0, 6.0, 5.0)),
    (listed(price=2.0, seconds=None), Spent(1, 1.5, 0.0, 1.0, unknown=1)),
])
def test_earlier_launches_cost_too(one, spent):
    """Here an hour of which its backend told the cost, $1, and half an hour of which it told nothing."""
    earlier = (PastLaunch(3600.0, 1.0), PastLaunch(1800.0))
    assert spent_on(replace(one, record=replace(one.record, earlier=earlier)), NOW, rents=True) == spent


def test_a_training_job_has_one_gpu_where_it_does_not_say():
    one = listed()
    assert spent_on(replace(one, record=replace(one.record, type="training-job")), NOW, rents=True).gpu_hours == 2.0


def test_the_price_is_recorded_as_the_plan_had_it():
    """And the state file gives it back."""
    run_name, want = RunName("s.a.00000000", "f", 0, 1), Desired("a", "job", "skypilot", {}, {}, "d")
    steps = (add_price(Step("a", "job", Action.CREATE, "new", run_name, desired=want), 2.5),
             Step("b", "job", Action.CREATE, "new", RunName("s.b.00000000", "g", 0, 1), desired=want))
    event = approval_event(Plan("s", "l", 0, steps), {})
    read = codec.entry_of(codec.event_line(1, "", event)).event
    assert (event.prices, read) == ({"s.a.00000000": 2.5}, event)


@pytest.mark.parametrize(("by", "sums"), [
    ("stack", {"other": 8.0, "lab": 3.0}), ("job", {"other/b": 8.0, "lab/c": 2.0, "lab/a": 1.0}),
    ("user", {"bob": 8.0, "ada": 3.0}), ("week", {"2026-W10": 2.0, "2026-W11": 9.0})])
def test_by_what_it_is_summed(by, sums):
    runs = [listed(cost=1.0), listed("b", stack="other", user="bob", cost=8.0), listed("c", cost=2.0, hours_ago=100)]
    spent = [(one, spent_on(one, NOW, rents=True)) for one in runs]
    found = spending(spent, by)
    assert {name: one.dollars for name, one in found.items()} == sums
    assert list(found) == list(sums)
    assert total(found.values()).runs == 3


def test_since():
    runs = [listed(hours_ago=1), listed("b", hours_ago=30)]
    assert [one.run.job for one in launched_since(runs, since_of("1d", NOW))] == ["a"]
    assert [one.run.job for one in launched_since(runs, since_of("2026-03-01", NOW))] == ["a", "b"]
    for word in ("yesterday", "30", "", "0d", "99999999999d"):
        with pytest.raises(UsageError):
            since_of(word, NOW)


@pytest.fixture
def cost(applied, capfd, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    def command(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(["cost", *words])
        return code, *capfd.readouterr()

    return command


def test_local_runs_are_free(cost):
    """They say their hours."""
    code, out, err = cost()
    assert (code, err, [line.split() for line in out.splitlines()]) == (
        0, "", [["stack", "runs", "hours", "GPU-hours", "cost"], ["lab", "4", "0.0", "0.0", "free"]])
    assert cost("--by", "job")[1].splitlines()[-1].split()[:2] == ["total", "4"]


def test_the_cost_of_runs_of_the_past_counts(cost):
    """Destroyed, they have cost what they have cost."""
    assert run(["destroy", "lab", "--yes"]) == 0
    document = json.loads(cost("lab", "--since", "1h", "--by", "user", "--json")[1])
    VALID.validate(document)
    assert (document["total"]["runs"], document["total"]["free"], document["as_of"]) == (4, 4, None)


def test_errors(cost):
    assert cost("--by", "users")[0] == 64
    assert cost("--since", "yesterday")[0] == 64
