"""A part of a plan: what was asked for and what it needs, and the rest another time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.declare.component import Component
from expiac.declare.stack import Stack
from expiac.plan.model import Action
from expiac.testing import Run, World
from expiac.util.errors import UsageError
from tests.random_programs import NAMES, a_world, stacks

ACTIONS = st.sets(st.sampled_from([Action.CREATE, Action.REPLACE, Action.RELAUNCH, Action.STOP]), max_size=3)
PATTERNS = st.lists(st.sampled_from([*NAMES, "*", "[ab]"]), max_size=2)


@settings(max_examples=200, deadline=None)
@given(stacks(), stacks(), PATTERNS, PATTERNS, ACTIONS)
def test_a_part_stands_by_itself_and_the_rest_comes_later(before, after, target, exclude, only):
    """Nothing is done without what it needs, nothing is lost, and in the end the world is what it would have been."""
    with a_world() as world, a_world() as at_once:
        for one in (world, at_once):
            one.converge(before)
        whole = world.plan(after).plan
        try:
            part = world.plan(after, target=target, exclude=exclude, only=only)
        except UsageError:
            return
        todo = {step.address for step in part.plan.steps if step.action is not Action.KEEP}
        assert {part[address].action for address in todo} <= (only or set(Action))
        active = {step.address for step in whole.steps if step.action is not Action.KEEP}
        assert todo | set(part.plan.left_out) == active
        assert not todo & set(part.plan.left_out)
        for address in todo:
            needed = whole[address].depends_on if whole[address].desired else whole[address].after
            assert not set(needed) & set(part.plan.left_out), address
        world.carry_out(part)
        for one in (world, at_once):
            one.converge(after)
        assert set(world.starts) == set(at_once.starts)
        assert len(world.starts) == len(set(world.starts))
        assert set(world.plan(after).glyphs) == {"="}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def chain(lr: float) -> Stack:
    a = Run("base", config={"lr": lr})
    b = Run("tuned", config={"uri": a.output("checkpoint")})
    return Stack("ppo", [a, b, Run("other", config={"lr": lr})])


def test_what_a_target_needs_comes_along_and_is_named(world):
    shown = world.plan(chain(1), target=["tuned"])
    assert [step.address for step in shown.plan.steps] == ["base", "tuned"]
    assert (shown.plan.along, shown.plan.left_out) == (("base",), ("other",))


def test_what_needs_an_excluded_run_is_left_out(world):
    shown = world.plan(chain(1), exclude=["b*"])
    assert ([step.address for step in shown.plan.steps], shown.plan.left_out) == (["other"], ("base", "tuned"))


def test_what_needs_an_unchanged_run_is_not(world):
    world.converge(chain(1))
    base = chain(1).resources[0]
    edited = Stack("ppo", [base, Run("tuned", config={"uri": base.output("checkpoint"), "lr": 2})])
    shown = world.plan(edited, exclude=["base", "other"])
    assert (shown.plan["tuned"].action, shown.plan.left_out) == (Action.REPLACE, ("other",))


def test_what_stands_on_a_run_is_stopped_before_it(world):
    """Though only the run was named."""
    world.apply(Stack("ppo", [Run("base")]))
    world.memory.autofinish = True
    world.converge(chain(1))
    world.memory.autofinish = False
    shown = world.plan(None, target=["base"])
    assert shown.plan.left_out == ("other",)
    assert set(shown.plan.along) == {"tuned"}


def test_a_pattern_that_matches_nothing_is_refused(world):
    with pytest.raises(UsageError, match="tunde"):
        world.plan(chain(1), target=["tunde"])


def test_the_name_of_a_component_means_all_that_stands_in_it(world):
    """For targets and exclusions; a name that is none is told the nearest one."""
    stack = Stack("lab", [Run("base"), Component("lr", [Run("a"), Run("b")]), Component("lr2", [Run("a")])])
    assert list(world.plan(stack, target=["lr"]).glyphs) == ["+", "+"]
    assert [step.address for step in world.plan(stack, target=["lr"]).plan.steps] == ["lr/a", "lr/b"]
    assert [step.address for step in world.plan(stack, exclude=["lr"]).plan.steps] == ["base", "lr2/a"]
    with pytest.raises(UsageError) as raised:
        world.plan(stack, target=["lrr"])
    assert raised.value.hint == "did you mean lr?"
