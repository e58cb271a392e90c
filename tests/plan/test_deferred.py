"""What becomes of a deferred step while an apply waits, and another command is at work on the same stack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expiac.declare.stack import Stack
from expiac.plan.deferred import outlook
from expiac.state.edit import remove
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.status import Status
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


def removed_by_hand(world: World, *addresses: str) -> None:
    with Journal.open(FileLog(world.file), stack="ppo") as journal:
        remove(journal, addresses)


def test_a_run_that_was_launched_and_archived_meanwhile_is_not_launched_again(world):
    """Its name and its number are used, though nothing stands at its address, as when this plan was made."""
    world.apply(chain(1))
    shown = world.plan(chain(1))
    made = replace(shown.plan, steps=tuple(replace(step, depends_on=()) for step in shown.plan.steps))
    (deferred,) = [step for step in made.steps if step.deferred]
    world.memory.finish("base")
    world.observe()
    world.apply(chain(1))
    removed_by_hand(world, "tuned")
    expected = outlook([deferred], made, world.state)
    assert (expected.ready, [why for _, why in expected.blocked]) == (
        (), [f"{deferred.run.instance} was launched meanwhile, and archived"])


def test_a_launch_whose_number_is_used_is_not_made_again(world):
    """Another command launched the run again, and once more."""
    world.apply(chain(1))
    world.memory.finish("base", Status.FAILED)
    world.observe()
    made = world.plan(chain(1), retry=True).plan
    assert made["base"].run.launch == 2
    for _ in range(2):
        world.apply(chain(1), retry=True)
        world.memory.finish("base", Status.FAILED)
        world.observe()
    expected = outlook([made["base"]], made, world.state)
    assert (expected.ready, len(expected.blocked), world.starts[-1][1]) == ((), 1, 3)


def test_what_another_command_has_begun_is_waited_for(world):
    """It may have been killed before the launch. Where the old run is gone by then, the next plan makes the new one."""
    made = waiting(world)
    world.dies_after(1, unanswered=False)  # after the end of the old run
    with world.survives():
        world.apply(chain(2))
    assert world.state.records["tuned"].pending
    expected = outlook([made["tuned"]], made, world.state)
    assert [step.address for step in expected.waiting] == ["tuned"]
    world.observe()
    expected = outlook([made["tuned"]], made, world.state)
    assert (expected.done, [why for _, why in expected.blocked]) == ((), ["what stood there is gone"])
