"""Waiting beside other commands on one stack: nothing is launched twice, and nothing that nobody wants any more."""

from __future__ import annotations

import pytest

from expiac.apply.events import StepSkipped, Warned
from expiac.plan.history import approver, code_of, runs
from expiac.plan.planner import PlanOptions
from expiac.testing.memory import Died
from expiac.util.errors import Stale


def first_look(chain, interfere):
    """Lets another command work at the first look; after that every look finds that the runs have ended."""
    def look():
        chain.on_look = lambda: setattr(chain.memory, "autofinish", True)
        interfere()

    chain.on_look = look


def test_two_that_wait_for_one_chain_launch_it_once(chain):
    """Whoever comes second goes on waiting for what the other began."""
    first_look(chain, lambda: chain.apply())
    assert chain.apply().is_well
    assert chain.launched == ["a", "b", "c"]


def test_what_another_one_began_and_did_not_launch_is_launched(chain):
    """It was killed between the record and the launch."""
    def interfere():
        chain.memory.finish("a")
        chain.memory.dies_after(0, unanswered=False)
        with pytest.raises(Died):
            chain.apply(wait=False)
        chain.memory.fresh()

    first_look(chain, interfere)
    assert chain.apply().is_well
    assert chain.launched == ["a", "b", "c"]


def test_what_was_launched_and_archived_meanwhile_is_not_launched_again(chain):
    def interfere():
        chain.memory.finish("a")
        chain.apply(wait=False)
        chain.memory.finish("b")
        with chain.open_recorded("chain") as session:
            session.apply(session.plan_destroy(PlanOptions(target=["b"])))
        chain.apply(wait=False, target=["a"])

    first_look(chain, interfere)
    with pytest.raises(Stale, match="another plan was approved"):
        chain.apply()
    assert chain.launched == ["a", "b"]


def test_another_declaration_ends_the_launches_of_this_one(chain):
    """Although it did nothing yet to what this one waits for."""
    first_look(chain, lambda: chain.apply("b_lr=0.3", wait=False))
    with pytest.raises(Stale, match="another plan was approved"):
        chain.apply()
    assert chain.launched == ["a"]


def test_a_lock_that_is_held_is_waited_for(chain, monkeypatch):
    """However long another one launches; it is said once."""
    monkeypatch.setattr("expiac.state.locking.LOCK_TIMEOUT", 0.01)
    with chain.open() as other:
        held = other._journal.lock(purpose="apply", wait_seconds=0)
        looks = iter([lambda: held.__enter__(), lambda: None, lambda: held.__exit__(None, None, None)])

        def look():
            chain.memory.autofinish = True
            next(looks, lambda: None)()

        chain.on_look = look
        assert chain.apply().is_well
    assert chain.launched == ["a", "b", "c"]
    assert len([moment for moment in chain.moments if isinstance(moment, Warned)]) == 1


def test_a_deferred_launch_belongs_to_the_apply_that_makes_it(chain, monkeypatch):
    """Not to that of whoever approved a plan last."""
    monkeypatch.setenv("LOGNAME", "ada")

    def interfere():
        with monkeypatch.context() as patch:
            patch.setenv("LOGNAME", "bob")
            chain.apply(wait=False)

    first_look(chain, interfere)
    chain.apply()
    with chain.open_recorded("chain") as session:
        assert {past.record.address: approver(past.approval).split("@")[0] for past in runs(session.state)} == {
            "a": "ada", "b": "ada", "c": "ada"}


def test_a_deferred_launch_has_the_code_that_it_is_launched_with(chain):
    """A file was changed while the apply waited."""
    first_look(chain, lambda: (chain.root / "train.py").write_text("changed = True"))
    chain.apply()
    with chain.open_recorded("chain") as session:
        code = {address: code_of(session.state, record) for address, record in session.state.records.items()}
    assert code["a"] != code["b"] == code["c"]


def test_what_stands_elsewhere_now_is_left_out_with_a_reason(chain):
    """A resource was renamed in the state by hand."""
    def interfere():
        from expiac.state.edit import move

        with chain.open_recorded("chain") as session:
            move(session._journal, "a", "z")

    first_look(chain, interfere)
    assert not chain.apply().is_well
    assert [moment.why for moment in chain.moments if isinstance(moment, StepSkipped)] == ["a was not done"] * 1 + [
        "b was not done"]
