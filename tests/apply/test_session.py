"""One command's view of one stack: whose it is, what may be wished for, and what is said of what was left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from expiac.apply.events import Warned
from expiac.plan.model import Action
from expiac.plan.planner import PlanOptions
from expiac.providers.base import ABSENT
from expiac.providers.ending import EndsDuplicates
from expiac.state.status import Status
from expiac.testing.memory import Died, MemoryProvider
from expiac.util.errors import ExpiacError, Stale, UsageError


def test_an_unknown_name_to_replace_is_refused(chain):
    """A misspelt wish is not granted in silence."""
    with chain.open() as session, pytest.raises(UsageError, match="did you mean"):
        session.plan(options=PlanOptions(replace=("aa",)))


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


class Late(MemoryProvider):
    """A backend that shows a launch only at the second look: its request was under way at the first."""

    looks = 0

    def read_many(self, ids):
        self.looks += 1
        seen = super().read_many(ids)
        return dict.fromkeys(ids, ABSENT) if self.looks == 1 else seen


class Ending(MemoryProvider):
    """A backend whose runs are still alive at the first look, and have ended at the second."""

    looks = 0

    def read_many(self, ids):
        self.looks += 1
        seen = super().read_many(ids)
        if self.looks > 1:
            return seen
        return {id: replace(one, status=Status.RUNNING) for id, one in seen.items()}


def dies_unheard(chain):
    """An apply that died once its launch had reached the backend."""
    chain.memory.dies_after(1, unanswered=True)
    with pytest.raises(Died):
        chain.apply(wait=False)
    late = Late()
    vars(late).update(vars(chain.memory.fresh()), looks=0)
    chain.memory = late


def test_what_was_open_is_looked_at_again_under_the_lock(chain):
    """A launch that was under way when we planned has happened since: it is adopted."""
    dies_unheard(chain)
    with chain.open() as session:
        plan = session.plan()
        assert plan["a"].action is Action.CREATE
        session.apply(plan)
        assert session.state.records["a"].status.is_live
    assert chain.launched == ["a"]


@pytest.mark.parametrize("destroys", [True, False])
def test_a_plan_that_takes_a_run_for_unborn_is_refused_once_it_lives(chain, destroys):
    """Nothing would end it otherwise: neither a destroy nor a program with other settings knows of it."""
    dies_unheard(chain)
    with chain.open_recorded("chain") if destroys else chain.open("lr=0.5") as session:
        plan = session.plan_destroy() if destroys else session.plan()
        with pytest.raises(Stale, match="a was gone when it was planned, and is"):
            session.apply(plan)
    with chain.open_recorded("chain") as session:
        session.apply(session.plan_destroy())
    assert chain.memory.running() == []


def test_a_destroy_goes_on_where_a_run_ended_by_itself_meanwhile(chain):
    """A destroy that was killed has told the run to end; the next one planned while it was still ending."""
    chain.apply(wait=False)
    chain.memory.dies_after(1, unanswered=True)
    with pytest.raises(Died), chain.open_recorded("chain") as session:
        session.apply(session.plan_destroy())
    ending = Ending()
    vars(ending).update(vars(chain.memory.fresh()), looks=0)
    chain.memory = ending
    with chain.open_recorded("chain") as session:
        plan = session.plan_destroy()
        assert plan["a"].action is Action.STOP
        session.apply(plan)
    assert chain.memory.running() == []


@pytest.mark.parametrize(("change", "action"), [("lr=0.5", Action.REPLACE), ("a_gpus=4", Action.RELAUNCH)])
def test_an_apply_goes_on_where_its_run_was_still_ending(chain, change, action):
    """The killed apply has told the run to end, to put another in its place; it still lived when this one planned."""
    chain.apply(wait=False)
    chain.memory.dies_after(1, unanswered=True)
    with pytest.raises(Died), chain.open(change) as session:
        session.apply(session.plan())
    ending = Ending()
    vars(ending).update(vars(chain.memory.fresh()), looks=0)
    chain.memory = ending
    with chain.open(change) as session:
        plan = session.plan()
        assert plan["a"].action is action
        assert session.apply(plan).is_well
    assert chain.memory.running() == [plan["a"].run.instance]


class Twice(MemoryProvider, EndsDuplicates):
    """A backend that says that it launched something twice, until that is ended."""

    ended: tuple[str, ...] = ()
    refuses = False

    def read_many(self, ids):
        seen = super().read_many(ids)
        return seen if self.ended else {id: replace(one, duplicates=("job 13",)) for id, one in seen.items()}

    def end_duplicates(self, id):
        if self.refuses:
            raise ExpiacError("Not reachable", "the server is away")
        self.ended = ("job 13",)
        return self.ended


@pytest.mark.parametrize("command", ["refresh", "apply", "destroy"])
def test_what_was_born_twice_is_ended_and_told(chain, command):
    """By the next command that may change something; a plan warns."""
    chain.apply(wait=False)
    twice = Twice()
    vars(twice).update(vars(chain.memory))
    chain.memory = twice
    with chain.open() as session:
        plan = session.plan_destroy() if command == "destroy" else session.plan()
        assert plan["a"].warning == "launched twice: job 13 is to be ended"
        assert twice.ended == ()
        session.refresh() if command == "refresh" else session.apply(plan)
    assert twice.ended == ("job 13",)
    assert [one.text for one in chain.moments if isinstance(one, Warned)] == ["a: launched twice; job 13 was ended"]


def test_what_could_not_be_ended_is_told_too(chain):
    """And found again by the next look."""
    chain.apply(wait=False)
    twice = Twice()
    vars(twice).update(vars(chain.memory), refuses=True)
    chain.memory = twice
    with chain.open() as session:
        session.refresh()
    assert "job 13 may run still: Not reachable: the server is away" in chain.moments[-1].text
