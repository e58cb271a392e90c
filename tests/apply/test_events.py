"""Plan equals apply: what an apply writes down is what the plan said, step by step, and nothing else."""

from __future__ import annotations

import itertools
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.declare.fields import Kind
from expiac.plan.approval import approval_event
from expiac.plan.model import Action, Plan, Step
from expiac.state.codec import entry_of
from expiac.state.events import Effect, EffectDone, Event, Forgotten, Moved, Noted, Restored, Run, Started, Submitted
from expiac.state.status import Status
from expiac.testing import World
from tests.random_programs import NAMES, a_world, stacks

Deed = tuple[type[Event], Effect | None, Run | None]
"""An event as a plan can know it beforehand."""

fates = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([*Status]))
chapters = st.lists(st.tuples(fates, st.none() | stacks(), st.booleans()), min_size=1, max_size=5)


def deeds(step: Step) -> list[Deed]:
    """The events that carrying out the step gives, where all goes well."""
    if step.deferred:
        return []
    match step.action:
        case Action.KEEP:
            return []
        case Action.CREATE:
            return created(step.run)
        case Action.UPDATE:
            has_options = any(change.kind is Kind.OPTION and change.path != "name" for change in step.changes)
            return annotated(step) + ([(Noted, None, None)] if has_options else [])
        case Action.RESTORE | Action.RELAUNCH if step.restores is not None:
            displaced = deleted(step.record.run) if step.record and step.record.status.is_live else []
            then = created(step.run) if step.action.launches else annotated(step)
            return [*displaced, (Restored, None, None), *then]
        case Action.REPLACE | Action.RELAUNCH:
            assert step.record is not None
            return (deleted(step.record.run) if step.record.status.is_live else []) + created(step.run)
        case Action.STOP:
            return deleted(step.run)
        case Action.FORGET:
            return [(Forgotten, None, None)]


def annotated(step: Step) -> list[Deed]:
    is_annotated = any(change.kind is Kind.ANNOTATION for change in step.changes)
    return [(Started, Effect.UPDATE, step.run), (EffectDone, None, None)] if is_annotated else []


def created(run: Run) -> list[Deed]:
    return [(Started, Effect.CREATE, run), (Submitted, None, None), (EffectDone, None, None)]


def deleted(run: Run) -> list[Deed]:
    return [(Started, Effect.DELETE, run), (EffectDone, None, None)]


@settings(max_examples=150, deadline=None)
@given(chapters, st.sampled_from([1, 4]))
def test_the_events_of_an_apply_are_the_steps_of_its_plan(told, parallelism):
    """At each address these and no others; after the approval, and after those that a step waits for."""
    with a_world() as world:
        for meets, stack, retry in told:
            meet(world, meets)
            world.observe()
            shown, before = world.plan(stack, retry=retry), len(events(world))
            world.carry_out(shown, parallelism=parallelism)
            assert_as_planned(shown.plan, events(world)[before:])


def meet(world: World, fates: dict[str, Status]) -> None:
    """Lets each live job come to its fate."""
    for name, status in fates.items():
        for instance in world.memory.running():
            if instance.split(".")[1] == name:
                world.memory.vanish(instance) if status is Status.LOST else world.memory.finish(instance, status)


def events(world: World) -> list[Event]:
    """Everything that stands in the state file."""
    lines = world.file.read_bytes().splitlines(True) if world.file.exists() else []
    return [entry_of(line).event for line in lines[1:]]


def assert_as_planned(plan: Plan, seen: list[Event]) -> None:
    if plan.is_empty:
        assert seen == []
        return
    assert seen.pop(0) == approval_event(plan, {})
    if plan.moves:
        assert seen.pop(0) == Moved(plan.moves)
    done, at = defaultdict[str, list[Deed]](list), defaultdict[str, list[int]](list)
    for place, event in enumerate(seen):
        effect, run = (event.effect, event.run) if isinstance(event, Started) else (None, None)
        done[event.address].append((type(event), effect, run))
        at[event.address].append(place)
    assert done == {step.address: expected for step in plan.steps if (expected := deeds(step))}
    for step, name in itertools.chain(*([(step, name) for name in step.after] for step in plan.steps)):
        assert not at[step.address] or not at[name] or at[name][-1] < at[step.address][0]
