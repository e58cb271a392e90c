"""A run that is to train longer can go on from its checkpoint: when that is offered, and what it does."""

from __future__ import annotations

import pytest

from expiac.declare.options import Options
from expiac.declare.stack import Stack
from expiac.state.status import Status
from expiac.testing import Run, World
from expiac.util.errors import ExpiacError

STEPS = {"total_steps": "trainer.steps"}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def trained(steps: object, lr: float = 0.1, **options: object) -> Stack:
    return Stack("ppo", [Run("a", config={"lr": lr, "trainer": {"steps": steps}}, options=Options(**options))])


def test_more_steps_are_a_new_run_unless_asked_otherwise(world):
    """The plan says what to ask."""
    world.converge(trained(8))
    instance, _ = world.starts[0]
    shown = world.plan(trained(16), **STEPS)
    assert (shown.glyphs, f"--extend a lets {instance} go on from its checkpoint instead" in shown.text) == ("±", True)


def test_a_run_goes_on_to_more_steps(world):
    """The same run, launched once more with the new settings; once done there is nothing left to do."""
    world.converge(trained(8))
    instance, _ = world.starts[0]
    shown = world.plan(trained(16), extend=["a"], **STEPS)
    assert shown.glyphs == "↻"
    assert "trainer.steps: 8 → 16" in shown.text
    assert "succeeded; goes on from its checkpoint, to 16 steps in place of 8" in shown.text
    world.converge(trained(16), extend=["a"], **STEPS)
    assert world.starts == [(instance, 1), (instance, 2)]
    assert world.plan(trained(16), **STEPS).is_empty
    assert world.state.records["a"].inputs["config"]["trainer"]["steps"] == 16
    assert world.state.history == ()


def test_a_run_that_lives_is_stopped_and_goes_on(world):
    world.apply(trained(8))
    instance, _ = world.starts[0]
    world.apply(trained(16), extend=["a"], **STEPS)
    assert world.memory.running() == [instance]
    assert world.starts[-1] == (instance, 2)


@pytest.mark.parametrize(("steps", "lr"), [(4, 0.1), (16, 0.2), ("many", 0.1)])
def test_what_is_no_longer_training_is_a_new_run(world, steps, lr):
    world.converge(trained(8))
    assert "--extend" not in world.plan(trained(steps, lr), **STEPS).text
    assert world.plan(trained(steps, lr), extend=["a"], **STEPS).glyphs == "±"


def test_a_result_that_others_use_is_not_changed(world):
    """Their result would no longer be what their settings say."""
    def chain(steps: int) -> Stack:
        (base,) = trained(steps).resources
        return Stack("ppo", [base, Run("b", config={"from": base.output("checkpoint")})])

    world.converge(chain(8))
    assert "--extend" not in world.plan(chain(16), **STEPS).text
    assert world.plan(chain(16), extend=["a"], **STEPS).glyphs == "±±"


def test_a_result_that_a_run_of_the_past_used_is_not_changed(world):
    """That run may stand again, and would then have used another result than this one."""
    (base,) = trained(8).resources
    world.converge(Stack("ppo", [base, Run("b", config={"from": base.output("checkpoint")})]))
    world.converge(trained(8))
    assert world.plan(trained(16), extend=["a"], **STEPS).glyphs == "±"


def test_a_protected_result_is_not_changed(world):
    world.converge(trained(8, protect=True))
    with pytest.raises(ExpiacError, match="Protected"):
        world.plan(trained(16, protect=True), extend=["a"], **STEPS)


@pytest.mark.parametrize("effects", range(4))
def test_a_death_in_between_is_finished(world, effects):
    """Nothing is launched twice, whether the run was stopped already or launched already."""
    world.apply(trained(8))
    instance, _ = world.starts[0]
    world.dies_after(effects)
    with world.survives():
        world.apply(trained(16), extend=["a"], **STEPS)
    world.memory.finish(instance, Status.RUNNING) if instance in world.memory.running() else None
    world.converge(trained(16), extend=["a"], **STEPS)
    assert world.starts == [(instance, 1), (instance, 2)]
