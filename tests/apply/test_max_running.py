"""How many jobs of a stack are live at once: planned, launched, and carried on as runs end."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from expiac.apply.events import ProgressEvent, Result, Silent, StepDeferred, Waiting
from expiac.declare.project import find_project
from expiac.plan import saved
from expiac.session import Session
from expiac.state.status import Status
from expiac.testing.memory import Died, MemoryProvider
from expiac.util.errors import ExpiacError, Stale

ROOT = Path(__file__).parents[2]
STACK = """
from expiac import ExperimentConfig, Stack
from expiac.testing import Run

class Sweep(ExperimentConfig):
    name: str = "sweep"
    runs: str = "abcd"
    lr: float = 0.1
    gpus: int = 1
    max_running: int | None = 2

def stack(config: Sweep) -> Stack:
    return Stack(config.name, [Run(name, config={"lr": config.lr, "of": name}, gpus=config.gpus)
                               for name in config.runs])
"""


class Sweep:
    """A project of independent runs on a memory provider, of which two may be live at once."""

    def __init__(self, root: Path) -> None:
        self.root, self.memory, self.most = root, MemoryProvider(), 0
        self.moments: list[ProgressEvent] = []
        (root / "pyproject.toml").write_text("[tool.expiac]\n")
        (root / "stacks").mkdir()
        (root / "stacks" / "sweep.py").write_text(STACK)

    def open(self, *overrides: str) -> Session:
        return Session.open("sweep", overrides, reporter=self, project=find_project(self.root),
                            providers={"memory": self.memory})

    def apply(self, *overrides: str, wait: bool = True) -> Result:
        with self.open(*overrides) as session:
            return session.apply(session.plan(), wait=wait, timeout=60)

    def on_event(self, moment: ProgressEvent) -> None:
        """Every look finds the jobs one step further."""
        self.moments.append(moment)
        if isinstance(moment, Waiting):
            self.most = max(self.most, len(self.memory.running()))
            self.memory.tick()

    @property
    def launched(self) -> list[str]:
        return [id.instance.split(".")[1] for id in self.memory.starts]

    def planned(self, *overrides: str) -> list[tuple[str, str, bool]]:
        """Address, sign and whether it waits, of each step."""
        with self.open(*overrides) as session:
            return [(step.address, step.action.glyph, step.deferred) for step in session.plan().steps]


@pytest.fixture
def sweep(tmp_path):
    return Sweep(tmp_path)


def test_the_plan_says_what_has_to_wait(sweep):
    """In the order of the stack."""
    with sweep.open() as session:
        steps = session.plan().steps
    assert [step.deferred for step in steps] == [False, False, True, True]
    assert steps[2].reason == "new; waits for a place: at most 2 jobs run at once"


def test_apply_launches_up_to_the_bound_and_the_next_one_goes_on(sweep):
    """One more for each that has ended, whatever its end."""
    assert [step.address for step in sweep.apply(wait=False).deferred] == ["c", "d"]
    assert sweep.apply(wait=False).done == ()
    assert sorted(sweep.launched) == ["a", "b"]
    sweep.memory.finish("b", Status.FAILED)
    sweep.apply(wait=False)
    assert sorted(sweep.launched) == ["a", "b", "c"]


def test_waiting_launches_all_as_runs_end(sweep):
    """Never more at once than the bound allows."""
    assert sweep.apply().is_well
    assert (sorted(sweep.launched), sweep.most) == (["a", "b", "c", "d"], 2)
    assert len([event for event in sweep.moments if isinstance(event, StepDeferred)]) == 2


def test_a_saved_plan_keeps_the_bound(sweep, tmp_path):
    """It is carried out without the program."""
    with sweep.open() as session:
        saved.write(session.plan(), tmp_path / "saved.plan")
    plan = saved.read(tmp_path / "saved.plan")
    with Session.of(plan, reporter=sweep, project=find_project(sweep.root),
                    providers={"memory": sweep.memory}) as session:
        assert session.apply(plan, wait=True, timeout=5).is_well
    assert (len(sweep.launched), sweep.most) == (4, 2)


def test_a_job_that_moves_or_is_replaced_hands_its_place_on(sweep):
    """It waits for nobody; what is not launched yet goes on waiting."""
    sweep.apply(wait=False)
    assert sweep.planned("lr=0.5") == [("a", "±", False), ("b", "±", False), ("c", "+", True), ("d", "+", True)]
    sweep.apply("gpus=2", wait=False)
    assert len(sweep.memory.running()) == 2


def test_a_place_that_a_stop_makes_free_is_taken_once_the_stop_has_ended(sweep):
    """In one apply, also when it does many things at once."""
    sweep.apply(wait=False)
    with sweep.open("runs=acd") as session:
        plan = session.plan()
        assert plan["c"].after == ("b",)
        assert plan["d"].deferred
        session.apply(plan)
    assert sorted(name.split(".")[1] for name in sweep.memory.running()) == ["a", "c"]


def test_without_the_stop_that_it_counts_on_nothing_is_launched(sweep):
    """As where somebody chooses steps one by one: the bound is applied again to what is left."""
    sweep.apply(wait=False)
    with sweep.open("runs=acd") as session:
        plan = session.plan()
        result = session.apply(plan.without([plan["b"]]))
    assert [step.address for step in result.deferred] == ["c", "d"]
    assert len(sweep.memory.running()) == 2


def test_of_two_people_who_apply_at_once_one_plans_again(sweep):
    """Both have planned to launch two; the second is refused, and then finds no place."""
    with sweep.open() as one, sweep.open() as other:
        first, second = one.plan(), other.plan()
        one.apply(first)
        with pytest.raises(Stale):
            other.apply(second)
    assert sweep.apply(wait=False).done == ()
    assert sorted(sweep.launched) == ["a", "b"]


@pytest.mark.parametrize("unanswered", [True, False])
@pytest.mark.parametrize("effects", [0, 1])
def test_a_kill_costs_no_place_and_gives_none_away(sweep, effects, unanswered):
    """A launch that may have been made counts until it is seen whether it was."""
    sweep.memory.dies_after(effects, unanswered=unanswered)
    with pytest.raises(Died):
        sweep.apply(wait=False)
    sweep.memory = sweep.memory.fresh()
    sweep.apply(wait=False)
    sweep.apply(wait=False)
    assert sorted(name.split(".")[1] for name in sweep.memory.running()) == ["a", "b"]
    assert sweep.apply().is_well
    assert (sorted(sweep.launched), sweep.most) == (["a", "b", "c", "d"], 2)


def test_the_project_bounds_stacks_that_do_not_say(sweep):
    """The stack's own bound, or that of its experiment, comes first."""
    (sweep.root / "pyproject.toml").write_text("[tool.expiac]\nmax_running = 1\n")
    assert [waits for _, _, waits in sweep.planned("max_running=null")] == [False, True, True, True]
    assert [waits for _, _, waits in sweep.planned("max_running=3")] == [False, False, False, True]


def test_no_place_at_all_is_refused(sweep):
    """Nothing would ever run."""
    with pytest.raises(ExpiacError, match="max_running"):
        sweep.planned("max_running=0")


def test_real_processes_run_one_after_the_other(tmp_path):
    """Each has the folder that the one before it left."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "queue.py").write_text(
        "from expiac import Job, SkypilotJobConfig, Stack\n"
        "HERE = SkypilotJobConfig(gpus=0, workdir=None)\n"
        f"RUN = 'mkdir {tmp_path}/alone && sleep 0.3 && rmdir {tmp_path}/alone'\n"
        "queue = Stack('queue', [Job(f'job_{i}', run=RUN, tags=(str(i),), skypilot=HERE) for i in range(3)],\n"
        "              max_running=1)\n")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    with Session.open("queue", reporter=Silent(), project=find_project(tmp_path)) as session:
        assert session.apply(session.plan(), wait=True, timeout=120).is_well
