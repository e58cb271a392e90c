"""Whatever is declared, edited, wished for, lost or interrupted, in any order: the laws hold after every step."""

from __future__ import annotations

from contextlib import ExitStack

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from random_programs import NAMES, a_world

from expiac.errors import UsageError
from expiac.journal import Journal
from expiac.plan import Action
from expiac.reporter import Moment, StepBegan
from expiac.stack import Stack
from expiac.state import State
from expiac.status import Status
from expiac.testing import Run
from expiac.testing.integrity import flaws

names = st.sampled_from(NAMES)
patterns = st.lists(st.sampled_from([*NAMES, "*", "[ab]"]), max_size=2)


class Life(RuleBasedStateMachine):
    """One stack, whose program is edited and applied by a user, and whose jobs have fates of their own."""

    @initialize()
    def begin(self) -> None:
        self.opened = ExitStack()
        self.world = self.opened.enter_context(a_world())
        self.runs: dict[str, Run] = {}
        self.last: State | None = None

    def teardown(self) -> None:
        self.opened.close()

    @property
    def stack(self) -> Stack | None:
        return Stack("ppo", list(self.runs.values())) if self.runs else None

    # The user edits

    @rule(name=names, lr=st.sampled_from([1, 2]), gpus=st.sampled_from([1, 8]), tags=st.sampled_from([(), ("t",)]),
          needs=st.sets(names, max_size=2))
    def declare(self, name, lr, gpus, tags, needs):
        """A new run, or another one of that name; it may need those of earlier letters."""
        uris = [self.runs[other].output("checkpoint") for other in sorted(needs) if other < name and other in self.runs]
        self.runs[name] = Run(name, config={"lr": lr, "from": uris}, gpus=gpus, tags=tags)

    @precondition(lambda self: self.removable)
    @rule(data=st.data())
    def remove(self, data):
        del self.runs[data.draw(st.sampled_from(self.removable))]

    @precondition(lambda self: self.removable)
    @rule(data=st.data(), to=names)
    def rename(self, data, to):
        """To a name that is free; it is the same run to the user only."""
        name = data.draw(st.sampled_from(self.removable))
        if to not in self.runs:
            run = self.runs.pop(name)
            self.runs[to] = Run(to, config={"lr": run.config["lr"], "from": []}, gpus=run.gpus, tags=run.tags)

    @property
    def removable(self) -> list[str]:
        """What nothing else needs."""
        needed = {ref.resource for run in self.runs.values() for ref in run.refs()}
        return sorted(self.runs.keys() - needed)

    # The jobs go their ways

    @precondition(lambda self: self.world.memory.running())
    @rule(data=st.data(), status=st.sampled_from(Status))
    def meet(self, data, status):
        """A live job comes to any status, or is gone without a trace."""
        name = data.draw(st.sampled_from(self.world.memory.running()))
        self.world.memory.vanish(name) if status is Status.LOST else self.world.memory.finish(name, status)

    @rule(name=names, is_ill=st.booleans())
    def refuse(self, name, is_ill):
        """From now on the backend refuses, or not any more."""
        self.world.memory.fail(name) if is_ill else self.world.memory.heal(name)

    # The user acts

    @rule(retry=st.booleans(), parallelism=st.sampled_from([1, 4]), data=st.data())
    def apply(self, retry, parallelism, data):
        """Launches what is new, and again what failed or is wished for."""
        again = data.draw(st.sets(st.sampled_from(sorted(self.runs)), max_size=1)) if self.runs else set()
        self.world.apply(self.stack, parallelism=parallelism, retry=retry, replace=again)

    @rule(only=patterns, but=patterns)
    def apply_a_part(self, only, but):
        """A pattern may match nothing: that is refused."""
        try:
            shown = self.world.plan(self.stack, target=only, exclude=but)
        except UsageError:
            return
        self.world.carry_out(shown)

    @rule(effects=st.integers(0, 4), unanswered=st.booleans(), destroys=st.booleans())
    def die(self, effects, unanswered, destroys):
        """The process is gone after some effects, or before it hears of the last."""
        self.world.dies_after(effects, unanswered=unanswered)
        with self.world.survives():
            self.world.apply(None if destroys else self.stack)
        self.world.memory = self.world.memory.fresh()

    @rule(steps=st.integers(1, 3))
    def interrupt(self, steps):
        """^C: what is running ends, and nothing new begins."""
        self.world.hear = Interrupting(self.world, steps)
        self.world.apply(self.stack)
        del self.world.hear

    @rule()
    def refresh(self):
        self.world.observe()

    @precondition(lambda self: self.world.file.exists())
    @rule()
    def compact(self):
        """A checkpoint says what the events said."""
        before = self.world.state
        with Journal.open(self.world.file, stack="ppo") as journal:
            journal.compact()
        assert self.world.state == before

    @rule()
    def converge(self):
        """Once nothing is refused and every run succeeds, a plan has nothing left."""
        self.heal()
        self.world.converge(self.stack, retry=True)
        self.world.memory.autofinish = False
        assert {step.action for step in self.world.plan(self.stack).plan.steps} <= {Action.KEEP}
        assert self.world.state.records.keys() == self.runs.keys()

    @rule()
    def destroy(self):
        """Nothing runs, and there is nothing left to destroy."""
        self.heal()
        self.world.destroy()
        assert self.world.memory.running() == []
        assert self.world.plan(None).is_empty

    def heal(self) -> None:
        for name in NAMES:
            self.world.memory.heal(name)

    # What holds at any time

    @invariant()
    def the_state_is_whole(self):
        state = self.world.state
        assert flaws(state, self.last) == []
        self.last = state if self.world.file.exists() else None

    @invariant()
    def nothing_was_born_twice(self):
        assert len(self.world.births) == len(set(self.world.births))

    @invariant()
    def what_runs_is_known(self):
        """Wherever a process died: a launch whose end is not written down has its beginning there."""
        known = {record.run.instance for record in self.world.state.records.values()}
        assert set(self.world.memory.running()) <= known


class Interrupting:
    """Stops the engine once so many steps began."""

    def __init__(self, world, steps) -> None:
        self.world, self.steps = world, steps

    def __call__(self, moment: Moment) -> None:
        self.steps -= isinstance(moment, StepBegan)
        if self.steps == 0:
            self.world.engine.stop()


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
