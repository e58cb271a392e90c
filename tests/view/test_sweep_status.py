"""How a sweep is as a whole: counts, the best trial, the time left, dollars, and which of its runs are shown."""

from __future__ import annotations

from dataclasses import replace

from expiac.apply.events import Progress, ResourceStatus
from expiac.declare.metrics import Metric, MetricSettings
from expiac.plan.usage import Usage
from expiac.state.facts import SweepFacts
from expiac.state.status import Status
from expiac.view import sweep_status

FACTS = SweepFacts(("optimizer.lr",), "loss", "minimize", 60)


def trial(number: int, status: Status, loss: float | None = None, **more: object) -> ResourceStatus:
    progress = None if loss is None else Progress(1, 2, 10.0, {"loss": loss})
    return ResourceStatus(f"lr/t_{number}", f"lab.lr.t_{number}.0a1b2c3d", "local", status, progress=progress,
                          group="lr", sweep=FACTS, trial={"optimizer.lr": number / 10}, **more)


def told(*resources: ResourceStatus, settings: MetricSettings | None = None) -> str:
    (group,) = sweep_status.group_statuses(resources).values()
    return sweep_status.sentence(group, settings or MetricSettings())


def test_a_sweep_is_a_sentence():
    """The best trial by the sweep's own metric; the rest at the pace of what runs."""
    seen = [*(trial(number, Status.SUCCEEDED, 5.0 + number, seconds=20.0, dollars=0.5) for number in range(47)),
            *(trial(number, Status.RUNNING, 9.0) for number in range(47, 51)), trial(51, Status.FAILED, 0.1)]
    assert told(*seen) == "47/60 done, 4 running, 1 failed, best 5 (lr 0.0), 50s left, $23.50"
    settings = MetricSettings(show=(Metric("loss", format=".2f"),))
    assert "best 5.00 (lr 0.0)" in told(*seen, settings=settings)


def test_what_is_not_known_is_not_said():
    assert told(trial(0, Status.PENDING), trial(1, Status.RUNNING)) == "0/60 done, 1 running, 1 pending"


def test_a_budget_says_what_is_used_of_it_and_what_was_not_begun():
    """What is archived counts too."""
    facts = replace(FACTS, trials=3, budget=5.0, gpu_hours=10.0)
    seen = [replace(trial(0, Status.SUCCEEDED, seconds=20.0, dollars=0.5), sweep=facts, sweep_usage=Usage(4.0, 2.5))]
    assert told(*seen) == "1/3 done, 2 not begun, $4.00 of $5.00, 2.5 of 10 GPU-hours"
    seen = [replace(seen[0], sweep_usage=Usage(4.0, 12.0))]
    assert told(*seen) == "1/3 done, 2 not begun, $4.00 of $5.00, 12 of 10 GPU-hours, budget spent"
    (document,) = sweep_status.sweep_documents(seen).values()
    assert (document["cost"], document["gpu_hours_used"]) == (4.0, 12.0)
    assert document["spent"] == "its trials have used 12 GPU-hours, and it has 10 GPU-hours"


def test_what_a_search_pruned_has_not_failed():
    assert told(trial(0, Status.CANCELLED, 3.0, was_pruned=True)) == "0/60 done, 1 ended early, best 3 (lr 0.0)"


def test_a_value_that_is_no_number_is_never_best():
    seen = trial(0, Status.SUCCEEDED, float("nan")), trial(1, Status.SUCCEEDED, 2.0)
    assert "best 2 (lr 0.1)" in told(*seen)


def test_a_component_is_counted_by_status():
    seen = [ResourceStatus(f"small/{name}", f"lab.small.{name}.0a1b2c3d", "local", status, group="small")
            for name, status in (("a", Status.SUCCEEDED), ("b", Status.RUNNING))]
    assert told(*seen) == "1 succeeded, 1 running"


def test_a_trial_of_several_jobs_counts_once():
    both = [ResourceStatus(f"lr/t_0/{name}", f"lab.lr.t_0.{name}.0a1b2c3d", "local", status, group="lr", sweep=FACTS)
            for name, status in (("base", Status.SUCCEEDED), ("use", Status.FAILED))]
    assert told(*both) == "0/60 done, 1 failed"


def test_few_runs_are_shown_and_failures_always_have_room():
    seen = [*(trial(number, Status.RUNNING) for number in range(40)),
            *(trial(number, Status.FAILED) for number in range(40, 60)), trial(60, Status.SUCCEEDED)]
    groups = sweep_status.group_statuses(seen)
    shown = sweep_status.shown_rows(seen, groups)
    assert [one.status for one in shown] == [Status.RUNNING] * 5 + [Status.FAILED] * 5
    assert sweep_status.more_line(groups["lr"]) == "… 50 more of lr run or have failed: --verbose"
