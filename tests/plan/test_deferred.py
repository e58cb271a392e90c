"""What becomes of a deferred step while an apply waits, and another command is at work on the same stack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expiac.declare.stack import Stack
from expiac.plan.deferred import outlook
from expiac.testing import Run, World


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def chain(lr: float, x: float = 1) -> Stack:
    base = Run("base", config={"lr": lr})
    return Stack("ppo", [base, Run("tuned", config={"from": base.output("checkpoint"), "x": x})])


def waiting(world: World):
    """An apply in which `tuned`, which lives, is to be replaced once its new upstream has succeeded."""
    world.apply(chain(1))
    world.memory.finish("base")
    world.observe()
    world.apply(chain(1))
    shown = world.plan(chain(2))
    world.carry_out(shown)
    world.memory.finish("base")
    world.observe()
    return shown.plan


def test_a_step_begins_where_its_run_still_stands(world):
    made = waiting(world)
    expected = outlook([made["tuned"]], made, world.state)
    (step,) = expected.ready
    assert step.record == world.state.records["tuned"]


def test_what_another_command_has_launched_is_done(world):
    """It is not launched again, and the run is not taken for the one that was to be replaced."""
    made = waiting(world)
    world.apply(chain(2))
    expected = outlook([made["tuned"]], made, world.state)
    assert ([step.address for step in expected.done], expected.ready, expected.blocked) == (["tuned"], (), ())


def test_a_step_does_not_touch_another_run_that_stands_there_now(world):
    made = waiting(world)
    world.apply(chain(2, x=5))
    instance = world.state.records["tuned"].run.instance
    expected = outlook([made["tuned"]], made, world.state)
    assert (expected.ready, [why for _, why in expected.blocked]) == ((), [f"{instance} stands there now"])


def test_a_step_whose_run_is_gone_launches_nothing(world):
    """The stack was destroyed while the apply waited."""
    made = waiting(world)
    world.destroy()
    expected = outlook([made["tuned"]], made, world.state)
    assert (expected.ready, [why for _, why in expected.blocked]) == ((), ["what stood there is gone"])


def test_a_run_of_the_past_that_is_back_elsewhere_is_not_brought_back_twice(world):
    made = waiting(world)
    earlier = replace(made["tuned"], restores=world.state.records["base"], record=made["tuned"].record)
    expected = outlook([earlier], made, world.state)
    assert [why for _, why in expected.blocked] == [
        f"{world.state.records['base'].run.instance} is no longer in the history"]
