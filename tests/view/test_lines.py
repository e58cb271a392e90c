"""What is said in a pipe while something happens."""

from __future__ import annotations

import pytest
from plans import plan, step

from expiac.apply.events import (
    Began,
    Progress,
    ResourceStatus,
    SearchLeft,
    StepDeferred,
    StepEnded,
    StepFailed,
    Waiting,
)
from expiac.plan.model import Action
from expiac.state.status import Status
from expiac.util.errors import ExpiacError
from expiac.view.console import Lines


class Heard:
    """A reporter whose lines are kept, with a clock moved by hand."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = 0.0
        self.reporter = Lines(lambda line: self.lines.append(line.plain), clock=lambda: self.now)

    def look(self, status: Status, step: int = 0) -> None:
        progress = Progress(step, 1_000_000, step / 1000, {"reward": 1.5}) if step else None
        train = ResourceStatus("train", "lab.train.0a1b2c3d", "local", status, progress=progress)
        self.reporter.on_event(Waiting((train,)))


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_steps_are_said_as_they_end(heard):
    """What is under way is not a line, nor what the plan has said to be deferred; what has ended is one."""
    job = step("train", Action.CREATE, "new")
    for moment in (Began(plan(job)), StepEnded(job, Status.PENDING), StepDeferred(step("b", Action.CREATE, "waits")),
                   StepFailed(job, ExpiacError("No room", "8 GPUs asked, 0 here", "gpus=0"))):
        heard.reporter.on_event(moment)
    assert heard.lines == [
        "+ train   created: lab.train.0a1b2c3d",
        "+ train   No room\n  8 GPUs asked, 0 here\n  Hint: gpus=0",
    ]


def test_looks_are_rationed(heard):
    """A changed status is said at once, progress every fifteen seconds."""
    heard.look(Status.RUNNING)
    for heard.now in range(1, 15):
        heard.look(Status.RUNNING, step=100_000)
    heard.now = 16.0
    heard.look(Status.RUNNING, step=420_000)
    heard.look(Status.SUCCEEDED, step=1_000_000)
    assert heard.lines == [
        "train   running",
        "train   running   420k/1.00M   42%   reward 1.5   9m 40s left",
        "train   succeeded   1.00M",
    ]


def test_the_hint_of_a_failed_step_can_be_typed():
    """As those of other errors."""
    lines: list[str] = []
    reporter = Lines(lambda line: lines.append(line.plain), call=lambda text: text.replace("expiac ", "bin/expiac "))
    error = ExpiacError("No room", "none", "expiac plan lab")
    reporter.on_event(StepFailed(step("train", Action.CREATE, "new"), error))
    assert lines[0].endswith("Hint: bin/expiac plan lab")


def test_a_search_that_nobody_goes_on_with_is_told_once(heard):
    for left in (4, 3):
        heard.reporter.on_event(Waiting((), (SearchLeft("lr", left, 60, "expiac status lab --watch --continue"),)))
    assert heard.lines == ["lr: 4 of 60 trials remain; to go on: expiac status lab --watch --continue"]
