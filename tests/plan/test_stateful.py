"""Whatever is declared, edited, wished for, lost or interrupted, in any order: the laws hold after every step."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from expiac.apply.events import ProgressEvent, StepBegan
from expiac.declare.options import Options
from expiac.declare.resource import rename_refs
from expiac.declare.stack import Stack
from expiac.plan.model import Action
from expiac.state.codec import Header, checkpoint_line, header_line
from expiac.state.model import State
from expiac.state.replay import replay
from expiac.state.status import Status
from expiac.testing import Run
from expiac.testing.integrity import flaws
from expiac.util.errors import UsageError
from tests.random_programs import NAMES, a_world

names = st.sampled_from(NAMES)
specs = {"lr": st.sampled_from([1, 2]), "gpus": st.sampled_from([1, 8]), "tags": st.sampled_from([(), ("t",)]),
         "needs": st.sets(names, max_size=2),
         "options": st.sampled_from([Options(), Options(), Options(ignore_changes=("lr",)),
                                     Options(replace_on_changes=("gpus",), timeout="1h")])}
patterns = st.lists(st.sampled_from([*NAMES, "*", "[ab]"]), max_size=2)


class Life(RuleBasedStateMachine):
    """One stack, whose program is edited and applied by a user, and whose jobs have fates of their own."""

    @initialize(program=st.dictionaries(names, st.fixed_dictionaries(specs), min_size=1))
    def begin(self, program) -> None:
        self.opened = ExitStack()
        self.world = self.opened.enter_context(a_world())
        self.world.compact_above = 5000  # so that it happens
        self.last: State | None = None
        self.runs: dict[str, Run] = {}
        for name in sorted(program):
            self.declare(name, **program[name])

    def teardown(self) -> None:
        self.opened.close()

    @property
    def stack(self) -> Stack | None:
        return Stack("ppo", list(self.runs.values())) if self.runs else None

    # The user edits

    @rule(name=names, **specs)
    def declare(self, name, lr, gpus, tags, needs, options):
        """A new run, or another one of that name; it may need others that do not need it."""
        uris = [self.runs[other].output("checkpoint") for other in sorted(needs) if name not in self.closure(other)]
        self.runs[name] = Run(name, config={"lr": lr, "from": uris}, gpus=gpus, tags=tags, options=options)

    def closure(self, name: str) -> set[str]:
        """What a run needs, and itself; everything, where there is no such run."""
        if name not in self.runs:
            return set(NAMES)
        return {name}.union(*(self.closure(ref.resource) for ref in self.runs[name].refs()))

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

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), to=names)
    def rename_with_an_alias(self, data, to):
        """To a name that is free; it is the same run to expiac too, and whatever refers to it follows."""
        name = data.draw(st.sampled_from(sorted(self.runs)))
        if to in self.runs:
            return
        run = self.runs.pop(name)
        self.runs[to] = replace(run, name=to, options=replace(run.options, aliases=(name, *run.options.aliases)))
        for other, needing in self.runs.items():
            self.runs[other] = replace(needing, config=rename_refs(needing.config, {name: to}))

    @property
    def removable(self) -> list[str]:
        """What nothing else needs."""
        needed = {ref.resource for run in self.runs.values() for ref in run.refs()}
        return sorted(self.runs.keys() - needed)

    # The jobs go their ways

    @precondition(lambda self: self.world.memory.running())
    @rule(data=st.data(), status=st.sampled_from(Status))
    def meet(self, data, status):
        """A live job comes to any status, or is gone without a trace.

        What is gone before anybody heard of its launch was never launched, as far as anybody can tell; it is left out.
        """
        name = data.draw(st.sampled_from(self.world.memory.running()))
        pending = {one.run.instance for one in self.world.state.records.values() if one.pending}
        if status is not Status.LOST:
            self.world.memory.finish(name, status)
        elif name not in pending:
            self.world.memory.vanish(name)

    @rule(name=names, is_ill=st.booleans())
    def refuse(self, name, is_ill):
        """From now on the backend refuses, or not any more."""
        self.world.memory.fail(name) if is_ill else self.world.memory.heal(name)

    # The user acts

    @property
    def has_work(self) -> bool:
        """There would be something to do."""
        return not self.world.plan(self.stack).is_empty

    @precondition(lambda self: self.runs)
    @rule(retry=st.booleans(), parallelism=st.sampled_from([1, 4]), data=st.data())
    def apply(self, retry, parallelism, data):
        """Launches what is new, and again what failed or is wished for."""
        again = data.draw(st.sets(st.sampled_from(sorted(self.runs)), max_size=1))
        self.world.apply(self.stack, parallelism=parallelism, retry=retry, replace=again)

    @precondition(lambda self: self.has_work)
    @rule(only=patterns, but=patterns)
    def apply_a_part(self, only, but):
        """A pattern may match nothing: that is refused."""
        try:
            shown = self.world.plan(self.stack, target=only, exclude=but)
        except UsageError:
            return
        self.world.carry_out(shown)

    @precondition(lambda self: self.has_work)
    @rule(effects=st.integers(1, 4), unanswered=st.booleans(), destroys=st.booleans())
    def die(self, effects, unanswered, destroys):
        """The process is gone after some effects, or before it hears of the last."""
        self.world.dies_after(effects, unanswered=unanswered)
        with self.world.survives():
            self.world.apply(None if destroys else self.stack)
        self.world.memory = self.world.memory.fresh()

    @precondition(lambda self: self.has_work)
    @rule(steps=st.integers(1, 3))
    def interrupt(self, steps):
        """^C: what is running ends, and nothing new begins."""
        self.world.on_event = Interrupting(self.world, steps)
        self.world.apply(self.stack)
        del self.world.on_event

    @precondition(lambda self: self.world.state.records)
    @rule()
    def refresh(self):
        self.world.observe()

    @precondition(lambda self: self.has_work)
    @rule()
    def converge(self):
        """Once nothing is refused and every run succeeds, a plan has nothing left."""
        self.heal()
        for instance in self.world.memory.running():
            self.world.memory.finish(instance, Status.RUNNING)
        self.world.converge(self.stack, retry=True)
        self.world.memory.autofinish = False
        assert {step.action for step in self.world.plan(self.stack).plan.steps} <= {Action.KEEP}
        assert self.world.state.records.keys() == self.runs.keys()

    @precondition(lambda self: self.world.state.records)
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
    def a_checkpoint_says_the_same(self):
        state = self.world.state
        lines = header_line(Header(lineage=state.lineage, stack="ppo")) + checkpoint_line(1, "", state)
        assert replay(lines, self.world.file).state == state

    @invariant()
    def nothing_was_born_twice(self):
        assert len(self.world.starts) == len(set(self.world.starts))

    @invariant()
    def what_runs_is_known(self):
        """Wherever a process died: a launch whose end is not written down has its beginning there."""
        known = {record.run.instance for record in self.world.state.records.values()}
        assert set(self.world.memory.running()) <= known


class Interrupting:
    """Stops the engine once so many steps began."""

    def __init__(self, world, steps) -> None:
        self.world, self.steps = world, steps

    def __call__(self, moment: ProgressEvent) -> None:
        self.steps -= isinstance(moment, StepBegan)
        if self.steps == 0:
            self.world.engine.stop()


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestLife = Life.TestCase
