"""Runs that are only stopped go to their provider together; each is recorded by itself, before and after."""

from __future__ import annotations

import json
from typing import ClassVar

import pytest

from expiac.apply.events import StepEnded, StepFailed, StepSkipped
from expiac.declare.options import Hooks, Options
from expiac.declare.stack import Stack
from expiac.providers.ending import DeletesMany
from expiac.testing import Run, World
from expiac.testing.memory import Died, MemoryProvider
from expiac.util.errors import ExpiacError, Uncertain


class Together(MemoryProvider, DeletesMany):
    """A backend that ends many in one call."""

    def delete_many(self, ids):
        self.calls.append(("delete many", str(len(ids))))
        for id in ids:
            try:
                yield id, self.delete(id)
            except ExpiacError as error:
                yield id, error


class Service(Run):
    """It is there once it is made."""

    type: ClassVar[str] = "service"
    completes: ClassVar[bool] = False

    def output_paths(self):
        return {}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path, provider=Together())


def many(count: int, **options) -> Stack:
    return Stack("ppo", [Run(f"run{number}", **options) for number in range(count)])


def groups(world: World) -> list[int]:
    return [int(count) for verb, count in world.memory.calls if verb == "delete many"]


def alone(world: World) -> int:
    return len([verb for verb, _ in world.memory.calls if verb == "delete"]) - sum(groups(world))


def of(world: World, kind: type) -> list[str]:
    return sorted(event.step.address for event in world.events if isinstance(event, kind))


@pytest.mark.parametrize("parallelism", [1, 10])
def test_a_destroy_of_many_is_one_call(world, parallelism):
    world.apply(many(25))
    result = world.apply(None, parallelism=parallelism)
    assert (len(result.done), groups(world), world.memory.running()) == (25, [25], [])
    assert len(of(world, StepEnded)) == 50
    assert not world.state.records


def test_what_an_apply_leaves_out_is_one_call(world):
    """The others go on."""
    world.apply(many(25))
    world.apply(many(5))
    assert (groups(world), len(world.memory.running())) == ([20], 5)


def test_each_stop_is_recorded_before_the_call_and_after_its_end(world):
    world.apply(many(3))
    before = len(world.file.read_text().splitlines())
    world.apply(None)
    lines = map(json.loads, world.file.read_text().splitlines()[before:])
    told = [(line["event"], line["body"]["address"]) for line in lines if "address" in line["body"]]
    names = ["run0", "run1", "run2"]
    assert sorted(told[:3]) == [("started", name) for name in names]
    assert sorted(told[3:6]) == [("done", name) for name in names]


def test_one_that_fails_is_told_and_keeps_no_other(world):
    world.apply(many(5))
    world.memory.fail("run2")
    result = world.apply(None)
    assert [step.address for step, _ in result.failed] == of(world, StepFailed) == ["run2"]
    assert (len(result.done), list(world.state.records)) == (4, ["run2"])
    assert world.state.records["run2"].pending is None, "it is known that it was not ended"
    world.memory.heal("run2")
    assert world.apply(None).is_well
    assert world.memory.running() == []


def test_an_end_that_is_not_known_stays_open(world):
    world.apply(many(3))
    world.memory.fail("run1", Uncertain("It is still ending", "run1"))
    world.apply(None)
    assert world.state.records["run1"].pending is not None
    world.memory.heal("run1")
    assert world.apply(None).is_well
    assert world.memory.running() == []


def test_a_run_with_a_hook_or_a_timeout_of_its_own_is_stopped_alone(world):
    lasting = [Run("a"), Run("b"), Run("c", options=Options(timeout="1h")),
               Run("d", options=Options(hooks=Hooks(before_delete="true")))]
    world.apply(Stack("ppo", lasting))
    world.apply(None)
    assert (groups(world), alone(world), world.memory.running()) == ([2], 2, [])


def test_what_others_need_is_stopped_after_them(world):
    """And not at all where they were not."""
    world.apply(Stack("ppo", [Service("a"), *(Run(f"b{number}", depends_on=("a",)) for number in range(3))]))
    assert len(world.memory.running()) == 4
    world.memory.fail("b1")
    world.apply(None)
    assert groups(world) == [3]
    assert of(world, StepSkipped) == ["a"]
    world.memory.heal("b1")
    world.apply(None)
    assert (groups(world)[1:], world.memory.running()) == ([1, 1], [])


@pytest.mark.parametrize("unanswered", [True, False])
@pytest.mark.parametrize("effects", range(1, 4))
def test_killed_in_the_middle_the_next_destroy_ends_the_rest(world, effects, unanswered):
    world.apply(many(4))
    world.memory.dies_after(effects, unanswered=unanswered)
    with pytest.raises(Died):
        world.apply(None)
    assert world.memory.running()
    world.memory = world.memory.fresh()
    assert world.apply(None).is_well
    assert (world.memory.running(), dict(world.state.records)) == ([], {})


def test_the_end_of_one_that_the_provider_left_out_is_not_known(world):
    """It is looked at by the next one."""
    class Forgetful(Together):
        def delete_many(self, ids):
            yield from ((id, self.delete(id)) for id in ids[1:])

    world.apply(many(3))
    world.memory.__class__ = Forgetful
    result = world.apply(None)
    assert (len(result.done), len(of(world, StepFailed)), len(world.memory.running())) == (2, 1, 1)
    world.memory.__class__ = Together
    assert world.apply(None).is_well
    assert (world.memory.running(), dict(world.state.records)) == ([], {})
