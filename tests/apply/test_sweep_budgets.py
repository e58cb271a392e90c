"""The budget of a sweep: what it allows is launched, and what runs is stopped once it is spent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from expiac.apply.events import ProgressEvent, Result, StepSkipped, Waiting, Warned
from expiac.declare.project import find_project
from expiac.plan import saved
from expiac.plan.model import Action, Plan
from expiac.plan.planner import PlanOptions
from expiac.providers.base import Estimates, Id, Inputs, Observation
from expiac.session import Session
from expiac.state.status import Status
from expiac.testing.memory import Died, MemoryProvider
from expiac.util.errors import ExpiacError
from expiac.view import sweep_status

STACK = """
from expiac import ExperimentConfig, Options, Placement, Stack, Sweep
from expiac.testing import Run

class Timed(Run):
    type = "timed"
    gpus: Placement[int] = 0
    max_runtime: Placement[str | None] = None

class Lab(ExperimentConfig):
    name: str = "lab"
    dollars: float | None = None
    gpu_hours: float | None = None
    limit: str | None = "1h"
    trials: int = 6
    protect: bool = False

def stack(config: Lab) -> Stack:
    job = Timed("train", config={"seed": 0}, gpus=1, max_runtime=config.limit, options=Options(protect=config.protect))
    sweep = Sweep("lr", job, over={"config.seed": range(config.trials)}, budget=config.dollars,
                  gpu_hours=config.gpu_hours)
    return Stack(config.name, [sweep, Run("other")], max_running=config.max_running)
"""


class Priced(MemoryProvider, Estimates):
    """A memory provider with a price of $2 an hour, which says what jobs have cost."""

    def __init__(self) -> None:
        super().__init__()
        self.costs: dict[str, float] = {}
        """By the name of the trial."""

    def estimate(self, inputs: Inputs) -> float:
        return 2.0

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        return {id: self._with_cost(id, seen) for id, seen in super().read_many(ids).items()}

    def delete(self, id: Id) -> Observation:
        return self._with_cost(id, super().delete(id))

    def _with_cost(self, id: Id, seen: Observation) -> Observation:
        cost = self.costs.get(id.instance.split(".")[-2])
        return seen if cost is None else replace(seen, outputs={**seen.outputs, "cost": cost})


class Lab:
    """A sweep of six trials, each of which may run for an hour on a GPU, in a project of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.memory, self.moments = root, Priced(), list[ProgressEvent]()
        self.on_look: Callable[[], None] = self.memory.tick
        (root / "pyproject.toml").write_text("[tool.expiac]\n")
        (root / "stacks").mkdir()
        (root / "stacks" / "lab.py").write_text(STACK)

    def open(self, *overrides: str) -> Session:
        return Session.open("lab", overrides, reporter=self, project=find_project(self.root),
                            providers={"memory": self.memory})

    def plan(self, *overrides: str, **options: object) -> Plan:
        with self.open(*overrides) as session:
            return session.plan(options=PlanOptions(**options))  # type: ignore[arg-type]

    def apply(self, *overrides: str, wait: bool = False, **options: object) -> Result:
        self.moments.clear()
        with self.open(*overrides) as session:
            plan = session.plan(options=PlanOptions(**options))  # type: ignore[arg-type]
            return session.apply(plan, wait=wait, timeout=60)

    def status(self, *overrides: str) -> str:
        with self.open(*overrides) as session:
            seen = session.status()
            groups = sweep_status.group_statuses(seen)
            return sweep_status.sentence(groups["lr"], session.project.metrics)

    def on_event(self, moment: ProgressEvent) -> None:
        self.moments.append(moment)
        if isinstance(moment, Waiting):
            self.on_look()

    def end_one(self, seconds: float = 3600.0) -> None:
        """The oldest trial that runs succeeds, after so long."""
        self.memory.tick()
        if running := self.running:
            self.memory.finish(f"lr/{running[0]}", seconds=seconds)

    @property
    def running(self) -> list[str]:
        return [name.split(".")[-2] for name in self.memory.running() if ".lr." in name]

    @property
    def launched(self) -> list[str]:
        return sorted(one.instance.split(".")[-2] for one in self.memory.starts if ".lr." in one.instance)

    @property
    def warnings(self) -> list[str]:
        return [moment.text for moment in self.moments if isinstance(moment, Warned)]

    @property
    def skipped(self) -> dict[str, str]:
        return {moment.step.address: moment.why for moment in self.moments if isinstance(moment, StepSkipped)}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def deferred(plan: Plan) -> dict[str, str]:
    return {step.address: step.reason for step in plan.steps if step.deferred}


@pytest.mark.parametrize(("budget", "line"), [
    ("gpu_hours=2.5", "lr: 0 of 2.5 GPU-hours used, 6 to launch: at most 6 GPU-hours; it may not suffice"),
    ("dollars=5", "lr: $0.00 of $5.00 spent, 6 to launch: at most $12.00; it may not suffice"),
])
def test_the_worst_case_of_what_runs_is_set_aside(lab: Lab, budget: str, line: str) -> None:
    """Two of an hour fit in two and a half; the plan says so, and what all of them may use."""
    plan = lab.plan(budget)
    assert sorted(deferred(plan)) == [f"lr/seed_{seed}" for seed in range(2, 6)]
    assert "waits for the budget of lr" in plan["lr/seed_2"].reason
    assert plan.outlook == (line,)


def test_a_budget_that_suffices_bounds_nothing(lab: Lab) -> None:
    plan = lab.plan("gpu_hours=6")
    assert deferred(plan) == {}
    assert plan.outlook == ("lr: 0 of 6 GPU-hours used, 6 to launch: at most 6 GPU-hours",)


def test_without_waiting_each_apply_launches_what_fits(lab: Lab) -> None:
    """A trial that ended early leaves its rest to the next one; other jobs know nothing of it."""
    assert [step.address for step in lab.apply("gpu_hours=2.5").deferred] == [f"lr/seed_{one}" for one in range(2, 6)]
    assert lab.launched == ["seed_0", "seed_1"]
    assert "other" in {one.instance.split(".")[1] for one in lab.memory.starts}
    lab.memory.finish("lr/seed_0", seconds=600)
    lab.apply("gpu_hours=2.5")
    assert lab.launched == ["seed_0", "seed_1", "seed_2"]


def test_waiting_launches_until_no_other_fits(lab: Lab) -> None:
    """Each ran for its hour: a third one would exceed it. What is left out is said, and the apply is not well."""
    lab.on_look = lab.end_one
    result = lab.apply("gpu_hours=2.5", wait=True)
    assert lab.launched == ["seed_0", "seed_1"]
    assert not result.is_well
    assert sorted(step.address for step in result.skipped) == [f"lr/seed_{seed}" for seed in range(2, 6)]
    assert lab.skipped["lr/seed_2"] == "it may use 1 GPU-hour, and the budget of lr has 0.5 GPU-hours left"
    assert lab.status() == "2/6 done, 4 not begun, $4.00, 2 of 2.5 GPU-hours"


def test_a_place_is_not_kept_for_what_the_budget_refuses(lab: Lab) -> None:
    lab.on_look = lambda: lab.end_one(seconds=60)
    assert lab.apply("gpu_hours=1.2", "max_running=2", wait=True).is_well
    assert len(lab.launched) == 6


def test_a_later_plan_says_that_the_budget_is_spent_and_a_larger_one_goes_on(lab: Lab) -> None:
    lab.on_look = lab.end_one
    lab.apply("gpu_hours=2", wait=True)
    plan = lab.plan("gpu_hours=2")
    why = "its trials have used 2 GPU-hours, and it has 2 GPU-hours"
    assert set(deferred(plan).values()) == {f"new; the budget of lr is spent: {why}"}
    assert plan.outlook == ("lr: 2 of 2 GPU-hours used, 4 not launched until there is more",)
    result = lab.apply("gpu_hours=2")
    assert [step.address for step in result.skipped] == [f"lr/seed_{seed}" for seed in range(2, 6)]
    lab.apply("gpu_hours=3", wait=True)
    assert lab.launched == ["seed_0", "seed_1", "seed_2"]


def test_what_never_fits_is_never_begun(lab: Lab) -> None:
    plan = lab.plan("gpu_hours=2.5", "limit=3h")
    assert len(deferred(plan)) == 6
    assert plan.outlook[0].endswith("; it will not suffice: 6 will not be launched")


def test_what_runs_is_stopped_once_the_budget_is_spent(lab: Lab) -> None:
    """Nothing bounds the trials: all begin. They stay, stopped, and go on as the same runs once there is more."""
    def work() -> None:
        lab.memory.finish("other")
        lab.memory.costs["seed_0"] = min(6.0, lab.memory.costs.get("seed_0", 0.0) + 2.0)  # however often it looks
        for name in lab.running:
            lab.memory.finish(f"lr/{name}", Status.RUNNING)

    lab.on_look = work
    assert "no max_runtime bounds them" in lab.plan("dollars=5", "limit=null").outlook[0]
    result = lab.apply("dollars=5", "limit=null", wait=True)
    assert (len(lab.launched), lab.running, result.is_well) == (6, [], False)
    why = "lr ends early: its trials have cost $6.00, and its budget is $5.00"
    assert lab.warnings == [f"{why}; nothing more is begun, and what runs is stopped"]
    assert {one.status for one in result.seen if one.group == "lr"} == {Status.STOPPED}
    plan = lab.plan("dollars=5", "limit=null")
    assert {step.action.value for step in plan.steps if step.deferred} == {"relaunch"}
    assert len(deferred(plan)) == 6
    assert lab.status() == "0/6 done, 6 ended early, $6.00 of $5.00, budget spent"
    lab.apply("dollars=50", "limit=null")
    assert len(lab.running) == 6
    assert {one.launch for one in lab.memory.starts[-6:]} == {2}


def test_without_waiting_the_next_apply_stops_what_runs(lab: Lab) -> None:
    """The plan says it first; only of trials."""
    lab.apply("dollars=5", "limit=null")
    lab.memory.tick()
    lab.memory.costs["seed_3"] = 7.0
    plan = lab.plan("dollars=5", "limit=null")
    assert {step.address for step in plan.steps if step.pauses} == {f"lr/seed_{seed}" for seed in range(6)}
    assert plan.outlook == ("lr: $7.00 of $5.00 spent, 6 to stop",)
    result = lab.apply("dollars=5", "limit=null")
    assert (lab.running, result.is_well) == ([], False)
    assert [name for name in lab.memory.running() if ".other." in name]


def test_earlier_launches_and_replaced_runs_count(lab: Lab) -> None:
    """A run that was launched again has used what both launches did, and one that was destroyed what it did."""
    lab.apply("gpu_hours=9", "trials=1")
    lab.memory.finish("lr/seed_0", Status.FAILED, seconds=1800)
    lab.apply("gpu_hours=9", "trials=1", retry=True)
    lab.memory.finish("lr/seed_0", seconds=3600)
    assert lab.plan("gpu_hours=9", "trials=1").outlook == ("lr: 1.5 of 9 GPU-hours used",)
    lab.apply("gpu_hours=9", "trials=1", replace=["lr/seed_0"])
    lab.memory.finish("lr/seed_0", seconds=7200)
    assert lab.plan("gpu_hours=9", "trials=1").outlook == ("lr: 3.5 of 9 GPU-hours used",)
    with lab.open() as session:
        session.apply(session.plan_destroy())
    assert lab.plan("gpu_hours=9").outlook[0].startswith("lr: 3.5 of 9 GPU-hours used, ")


def test_what_waits_in_a_queue_uses_nothing(lab: Lab) -> None:
    """It has not begun, however long ago it was launched, and costs nothing if it is taken back."""
    lab.apply("gpu_hours=0.000001", "limit=null")
    assert lab.plan("gpu_hours=0.000001", "limit=null").outlook == ("lr: 0 of 0.000001 GPU-hours used",)
    lab.apply("gpu_hours=1", "trials=1", "limit=null")
    assert lab.plan("gpu_hours=1", "trials=1", "limit=null").outlook == ("lr: 0 of 1 GPU-hour used",)


def test_without_a_price_dollars_bound_nothing_and_the_plan_says_so(lab: Lab) -> None:
    lab.memory.estimate = lambda inputs: None  # type: ignore[method-assign, assignment, return-value]
    plan = lab.plan("dollars=5")
    assert deferred(plan) == {}
    assert any("6 of its launches have no price" in warning for warning in plan.warnings)


def test_another_command_raises_the_budget_while_it_waits(lab: Lab) -> None:
    """The one that waits goes by what was approved last, also for what it begins later."""
    raised: list[Result] = []

    def work() -> None:
        lab.end_one()
        if not raised:
            raised.append(lab.apply("gpu_hours=100", "max_running=2"))

    lab.on_look = work
    assert lab.apply("gpu_hours=1", "max_running=2", wait=True).is_well
    assert len(lab.launched) == 6
    assert lab.status().endswith("6 of 100 GPU-hours")


def test_another_budget_is_recorded_though_there_is_nothing_else_to_do(lab: Lab) -> None:
    """So that `status` tells of it."""
    lab.apply("gpu_hours=9", "trials=1")
    lab.apply("gpu_hours=7", "trials=1")
    assert lab.status().endswith(" of 7 GPU-hours")


def test_a_protected_trial_goes_on(lab: Lab) -> None:
    lab.apply("dollars=5", "limit=null", "protect=true")
    lab.memory.tick()
    lab.memory.costs["seed_3"] = 7.0
    assert lab.apply("dollars=5", "limit=null", "protect=true").is_well
    assert len(lab.running) == 6


@pytest.mark.parametrize("options", [{"target": ["other"]}, {"exclude": ["lr"]}, {"only": [Action.CREATE]}])
def test_a_sweep_that_is_left_out_is_left_alone(lab: Lab, options: Mapping[str, object]) -> None:
    lab.apply("dollars=5", "limit=null")
    lab.memory.tick()
    lab.memory.costs["seed_3"] = 7.0
    assert lab.apply("dollars=5", "limit=null", wait=True, **options).done == ()
    assert lab.warnings == []


def test_a_saved_plan_keeps_the_budget(lab: Lab, tmp_path: Path) -> None:
    """It is carried out without the program, and launches on as runs end."""
    saved.write(lab.plan("dollars=5"), tmp_path / "saved.plan")
    plan = saved.read(tmp_path / "saved.plan")
    lab.on_look = lab.end_one
    with Session.of(plan, reporter=lab, project=find_project(lab.root), providers={"memory": lab.memory}) as session:
        assert not session.apply(plan, wait=True, timeout=60).is_well
    assert lab.launched == ["seed_0", "seed_1"]


@pytest.mark.parametrize("unanswered", [True, False])
@pytest.mark.parametrize("effects", range(3))
def test_a_kill_launches_nothing_beyond_the_budget(lab: Lab, effects: int, unanswered: bool) -> None:
    """What was launched before counts, whether or not it was seen."""
    lab.memory.dies_after(effects, unanswered=unanswered)
    with pytest.raises(Died):
        lab.apply("gpu_hours=2.5", wait=True)
    lab.memory = lab.memory.fresh()  # type: ignore[assignment]
    lab.on_look = lab.end_one
    lab.apply("gpu_hours=2.5", wait=True)
    assert lab.launched == ["seed_0", "seed_1"]


@pytest.mark.parametrize("unanswered", [True, False])
@pytest.mark.parametrize("effects", range(6))
def test_a_kill_while_it_stops_what_runs(lab: Lab, effects: int, unanswered: bool) -> None:
    """The next apply stops the rest, and a larger budget lets each go on once."""
    lab.apply("dollars=5", "limit=null")
    lab.memory.tick()
    lab.memory.costs["seed_3"] = 7.0
    lab.memory.dies_after(effects, unanswered=unanswered)
    if effects or not unanswered:
        with pytest.raises(Died):
            lab.apply("dollars=5", "limit=null")
    lab.memory = lab.memory.fresh()  # type: ignore[assignment]
    lab.apply("dollars=5", "limit=null")
    assert lab.running == []
    lab.apply("dollars=50", "limit=null")
    assert sorted(lab.running) == [f"seed_{seed}" for seed in range(6)]
    assert len(lab.launched) == 12


@pytest.mark.parametrize("budget", ["gpu_hours=0", "dollars=-1"])
def test_no_budget_at_all_is_refused(lab: Lab, budget: str) -> None:
    with pytest.raises(ExpiacError, match="greater than 0"):
        lab.plan(budget)
