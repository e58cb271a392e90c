"""A sweep ends early once too many of its trials have failed: nothing further begins, what runs goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.apply.events import ProgressEvent, Result, Waiting, Warned
from expiac.declare.project import find_project
from expiac.session import Session
from expiac.state.status import Status
from expiac.testing.memory import MemoryProvider

STACK = """
from expiac import ExperimentConfig, Stack, Sweep
from expiac.testing import Run

class Lab(ExperimentConfig):
    name: str = "lab"
    max_running: int | None = 2
    max_failures: int | None = None

def stack(config: Lab) -> Stack:
    sweep = Sweep("lr", Run("train", config={"seed": 0}), over={"config.seed": range(6)},
                  max_failures=config.max_failures)
    return Stack(config.name, [sweep, Run("other")], max_running=config.max_running)
"""


class Lab:
    """A sweep on a memory provider, whose trials fail in turn as they begin to run."""

    def __init__(self, root: Path) -> None:
        self.root, self.memory, self.moments = root, MemoryProvider(), list[ProgressEvent]()
        self.runs: list[str] = []
        """The trials that run and do not fail."""
        (root / "pyproject.toml").write_text("[tool.expiac]\n")
        (root / "stacks").mkdir()
        (root / "stacks" / "lab.py").write_text(STACK)

    def apply(self, *overrides: str, max_failures: int | None = None) -> Result:
        with Session.open("lab", overrides, reporter=self, project=find_project(self.root),
                          providers={"memory": self.memory}) as session:
            return session.apply(session.plan(), wait=True, timeout=60, max_failures=max_failures)

    def on_event(self, moment: ProgressEvent) -> None:
        """At each look the oldest trial fails, unless it is one of those that run on; the others go on."""
        self.moments.append(moment)
        if isinstance(moment, Waiting):
            failing = [name for name in self.memory.running() if ".lr." in name and name not in self.runs]
            if failing:
                self.memory.finish(failing[0], Status.FAILED, detail="exit code 3")
            else:
                self.memory.tick()

    @property
    def launched(self) -> int:
        return sum(".lr." in one.instance for one in self.memory.starts)

    @property
    def warnings(self) -> list[str]:
        return [moment.text for moment in self.moments if isinstance(moment, Warned)]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_without_a_bound_every_trial_is_begun(lab: Lab) -> None:
    lab.apply()
    assert (lab.launched, lab.warnings) == (6, [])


def test_deferred_trials_are_left_out(lab: Lab) -> None:
    """Once more have failed than may; it says so once, with the first errors and what was printed last."""
    result = lab.apply(max_failures=1)
    assert lab.launched < 6
    assert not result.is_well
    assert {step.address for step in result.skipped} == {f"lr/seed_{seed}" for seed in range(lab.launched, 6)}
    (warning,) = lab.warnings
    first, *errors = warning.splitlines()
    assert first == "lr ends early: 2 of its runs failed, and max_failures is 1; no further one is begun"
    assert errors[0].startswith("  lr/seed_0: exit code 3: lab.lr.seed_0.")
    assert "other" in {step.address for step in result.done}


def test_a_sweep_says_it_itself(lab: Lab) -> None:
    lab.apply("max_failures=0")
    assert lab.launched < 6
    assert "max_failures is 0" in lab.warnings[0]


def test_trials_in_a_queue_are_taken_back_and_runs_go_on(lab: Lab) -> None:
    """All of them were launched; those that the backend has not begun are stopped."""
    running: list[str] = []

    def run_two(moment: ProgressEvent) -> None:
        lab.moments.append(moment)
        if not isinstance(moment, Waiting):
            return
        names = [name for name in lab.memory.running() if ".lr." in name]
        if not running:
            running.extend(names[:2])
            lab.memory.finish(running[0], Status.RUNNING)
            lab.memory.finish(running[1], Status.FAILED)
        else:
            lab.memory.tick()

    lab.on_event = run_two  # type: ignore[method-assign]
    result = lab.apply("max_running=null", max_failures=0)
    ended = {one.address: one.status for one in result.seen}
    assert sorted(ended.values()) == [Status.FAILED, Status.SUCCEEDED, Status.SUCCEEDED]
    assert len([step for step in result.done if step.action.value == "stop"]) == 4
