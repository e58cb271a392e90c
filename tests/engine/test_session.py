"""One command's view of one stack: whose it is, what may be wished for, and what is said of what was left alone."""

from __future__ import annotations

import pytest

from expiac.errors import ExpiacError, UsageError
from expiac.planner import Wishes


def test_an_unknown_name_to_replace_is_refused(chain):
    """A misspelt wish is not granted in silence."""
    with chain.open() as session, pytest.raises(UsageError, match="did you mean"):
        session.plan(wishes=Wishes(replace=("aa",)))


def test_a_destroy_that_left_something_alone_says_so(chain):
    """Something of it may still run: no exit 0, and no word of success."""
    chain.apply(wait=False)
    chain.memory.answer_unknown("the server is away")
    with chain.open_recorded("chain") as session:
        result = session.apply(session.plan_destroy())
    assert not result.is_well
    assert [step.address for step in result.skipped] == ["a"]


def test_a_destroy_is_no_apply_with_other_overrides(chain):
    """The next plan compares with the last program that was applied."""
    chain.apply("lr=0.2", wait=False)
    with chain.open_recorded("chain") as session:
        session.apply(session.plan_destroy())
    with chain.open("lr=0.2") as session:
        assert session.plan().previous_overrides is None


def test_two_stacks_of_one_program_are_not_mixed_up(chain):
    """Whose is to be destroyed has to be said."""
    chain.apply("name=one", wait=False)
    chain.apply("name=two", wait=False)
    with pytest.raises(UsageError, match="Which stack"):
        chain.open_recorded("chain")


def test_a_program_that_moved_still_owns_its_stack(chain):
    """Another one of that name is refused, whatever the first was called at the beginning."""
    chain.apply(wait=False)
    stacks = chain.root / "stacks"
    (stacks / "chain.py").rename(stacks / "moved.py")
    chain.apply("lr=0.2", wait=False, program="moved")
    (stacks / "other.py").write_text((stacks / "moved.py").read_text())
    with pytest.raises(ExpiacError, match=r"belongs to stacks/moved\.py"):
        chain.open(program="other")


def test_an_interrupt_before_the_wait_is_one(chain):
    """There is nothing to do, so only the wait could hear of it."""
    chain.apply()
    with chain.open() as session:
        plan = session.plan()
        assert plan.is_empty
        session.stop()
        assert session.apply(plan, wait=True, timeout=5).interrupted
