"""While a plan is carried out, the steps of a large sweep are summed up; what fails is always told."""

from __future__ import annotations

from plans import plan, step, trial

from expiac.apply.events import Began, Finished, Result, StepDeferred, StepEnded, StepFailed, StepSkipped, Waiting
from expiac.apply.events import ResourceStatus as Seen
from expiac.plan.model import Action, Step
from expiac.state.facts import SweepFacts
from expiac.state.status import Status
from expiac.util.errors import ExpiacError
from expiac.view.console import Lines

FACTS = SweepFacts(("seed",), trials=12)


def trials(number: int) -> list[Step]:
    return [trial(f"lr/seed_{seed}", {"seed": seed}) for seed in range(number)]


class Printed:
    def __init__(self, steps: list[Step], *, verbose: bool = False) -> None:
        self.lines: list[str] = []
        self.now = 0.0
        self.reporter = Lines(lambda line: self.lines.append(line.plain), clock=lambda: self.now, verbose=verbose)
        self.reporter.on_event(Began(plan(*steps, sweeps={"lr": FACTS})))

    def tell(self, *events: object) -> list[str]:
        before = len(self.lines)
        for event in events:
            self.reporter.on_event(event)
        return self.lines[before:]


def test_the_steps_of_a_large_sweep_are_one_line():
    steps = trials(12)
    assert Printed(steps).tell(*(StepEnded(one, Status.PENDING) for one in steps)) == ["+ lr   12 created"]
    verbose = Printed(steps, verbose=True)
    assert len(verbose.tell(*(StepEnded(one, Status.PENDING) for one in steps))) == 12


def test_few_steps_have_a_line_each():
    steps = trials(3)
    assert len(Printed(steps).tell(*(StepEnded(one, Status.PENDING) for one in steps))) == 3


def test_what_fails_is_told_at_once():
    first, second, *others = trials(12)
    printed = Printed([first, second, *others])
    assert printed.tell(StepFailed(first, ExpiacError("No room", "the disk is full"))) == [
        "+ lr/seed_0   No room\n  the disk is full"]
    assert printed.tell(StepEnded(second, Status.FAILED, "exit code 3"))[0].startswith("+ lr/seed_1   created")
    skipped = [StepSkipped(one, "interrupted") for one in others]
    assert printed.tell(*skipped) == ["  lr   10 skipped: interrupted"]


def test_what_was_deferred_is_told_at_the_end():
    """The steps that can be done now make the first line."""
    steps = trials(12)
    printed = Printed(steps)
    assert printed.tell(*(StepDeferred(one) for one in steps[2:]),
                        *(StepEnded(one, Status.PENDING) for one in steps[:2])) == ["+ lr   2 created"]
    assert printed.tell(*(StepEnded(one, Status.PENDING) for one in steps[2:])) == []
    assert printed.tell(Finished(Result())) == ["+ lr   10 created"]


def test_a_plan_without_groups_is_told_step_by_step():
    steps = [step(f"job_{number}", Action.STOP) for number in range(12)]
    assert len(Printed(steps).tell(*(StepEnded(one, Status.CANCELLED) for one in steps))) == 12


def seen(done: int, of: int) -> Waiting:
    statuses = [Status.SUCCEEDED] * done + [Status.RUNNING] * (of - done)
    return Waiting(tuple(Seen(f"lr/seed_{number}", f"lab.lr.seed_{number}.0a1b2c3d", "local", status, group="lr",
                              sweep=FACTS) for number, status in enumerate(statuses)))


def test_while_waiting_a_sweep_is_told_now_and_then_and_at_its_end():
    printed = Printed([])
    assert printed.tell(seen(0, 12)) == ["lr   0/12 done, 12 running"]
    assert printed.tell(seen(3, 12)) == []
    printed.now = 20.0
    assert printed.tell(seen(4, 12)) == ["lr   4/12 done, 8 running"]
    assert printed.tell(seen(12, 12)) == ["lr   12/12 done"]


def test_a_trial_that_fails_is_told_at_once():
    printed = Printed([])
    printed.tell(seen(0, 12))
    failed = Waiting((*seen(0, 11).seen, Seen("lr/seed_11", "lab.lr.seed_11.0a1b2c3d", "local", Status.FAILED,
                                              group="lr", sweep=FACTS)))
    assert printed.tell(failed) == ["lr/seed_11   failed"]
