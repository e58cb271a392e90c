"""Waiting: what was deferred begins once what it waits for is there, and is given up once that can't come."""

from __future__ import annotations

import pytest

from expiac.apply.events import Finished, StepSkipped, Waiting
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale


def test_a_chain_of_three_is_born_one_after_the_other(chain):
    """Each begins with what the one before it left, and no later wait begins it again."""
    assert chain.apply().is_well
    assert chain.launched == ["a", "b", "c"]


def test_a_new_run_far_down_the_chain_waits_for_the_new_ones_above(chain):
    """That the old run of its upstream succeeded is nothing to it."""
    chain.apply()
    chain.apply("lr=0.2")
    assert chain.launched == ["a", "b", "c", "a", "b", "c"]
    c, b = chain.memory.starts[5], chain.memory.starts[4]
    assert chain.memory.inputs[c].values["config"] == {"uri": f"memory://{b.instance}/latest.pt"}


def test_what_stands_on_a_step_that_failed_is_given_up(chain):
    """Waiting for a run that was never launched would never end."""
    chain.memory.fail("b", ExpiacError("Quota exceeded", "no H100 left"))
    result = chain.apply()
    assert [step.address for step, _ in result.failed] == ["b"]
    assert [step.address for step in result.skipped] == ["c"]
    assert [moment.why for moment in chain.moments if isinstance(moment, StepSkipped)] == ["b was not done"]


def test_what_stands_on_a_run_that_failed_is_given_up(chain):
    """All of it, down the chain; what failed is named."""
    chain.on_look = lambda: chain.memory.finish("a", Status.FAILED)
    result = chain.apply()
    assert [step.address for step in result.skipped] == ["b", "c"]
    assert chain.launched == ["a"]


def test_what_stands_on_a_run_that_vanished_is_given_up(chain):
    """Only another plan launches it again."""
    def vanish() -> None:
        if chain.memory.running():
            chain.memory.vanish("a")

    chain.on_look = vanish
    result = chain.apply()
    assert [step.address for step in result.skipped] == ["b", "c"]


def test_the_old_end_of_a_run_that_is_still_to_come_anew_does_not_count(chain):
    """It failed once; its replacement is deferred, and what needs it waits for that."""
    def fail_b() -> None:
        chain.memory.tick()
        if "b" in chain.launched:
            chain.memory.finish("b", Status.FAILED)

    chain.on_look = fail_b
    chain.apply()
    chain.on_look = chain.memory.tick
    chain.apply("lr=0.2")
    assert chain.launched == ["a", "b", "a", "b", "c"]


def test_another_apply_in_between_ends_the_waiting(chain):
    """What this one would begin was decided on a state that is no more."""
    def interfere() -> None:
        chain.on_look = chain.memory.tick
        other = chain.apply("b_gpus=2", "lr=0.3", wait=False)
        assert other.is_well
        chain.memory.tick()

    chain.on_look = interfere
    with pytest.raises(Stale):
        chain.apply()


def test_watching_tells_every_look_until_all_have_ended(chain):
    """It begins nothing, and what it saw is recorded."""
    chain.apply(wait=False)
    chain.moments.clear()
    with chain.open_recorded("chain") as session:
        result = session.watch(timeout=5)
    assert [(one.address, one.status) for one in result.seen] == [("a", Status.SUCCEEDED)]
    looks = [moment.seen[0].status for moment in chain.moments if isinstance(moment, Waiting)]
    assert (looks[0].is_live, looks[-1]) == (True, Status.SUCCEEDED)
    assert isinstance(chain.moments[-1], Finished)
    assert chain.launched == ["a"]
    with chain.open_recorded("chain") as session:
        assert session.state.records["a"].status is Status.SUCCEEDED


def test_watching_ends_when_it_is_told_to(chain):
    chain.apply(wait=False)
    with chain.open_recorded("chain") as session:
        chain.on_look = session.stop
        result = session.watch(timeout=5)
    assert (result.interrupted, result.seen[0].status.is_live) == (True, True)


def test_watching_has_a_time_limit(chain):
    chain.apply(wait=False)
    chain.on_look = lambda: None
    with chain.open_recorded("chain") as session, pytest.raises(ExpiacError, match="Still running"):
        session.watch(timeout=0.01)
    assert isinstance(chain.moments[-1], Finished)


def test_watching_outlives_a_backend_that_is_away(chain):
    """What cannot be seen is not ended."""
    chain.apply(wait=False)
    answers = iter(["the server is away", "", "the server is away"])

    def look() -> None:
        chain.memory.answer_unknown(next(answers, ""))
        chain.memory.tick()

    chain.on_look = look
    with chain.open_recorded("chain") as session:
        assert session.watch(timeout=10).seen[0].status is Status.SUCCEEDED
    assert any(moment.seen[0].unseen for moment in chain.moments if isinstance(moment, Waiting))
