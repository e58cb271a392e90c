"""A look records what it saw where it may, decides nothing, and waits for nobody."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest

from expiac.declare.project import find_project
from expiac.plan.planner import PlanOptions
from expiac.state.looks import Looks
from expiac.state.status import Status
from expiac.testing.memory import Died


def recorded(chain) -> Status:
    with chain.open_recorded("chain") as session:
        return session.state.records["a"].status


def look(chain) -> Status:
    """What `status` shows of the first run."""
    with chain.open_recorded("chain") as session:
        return session.status()[0].status


def looks(chain) -> Looks:
    return Looks(find_project(chain.root), "chain")


def journal(chain):
    return chain.root / ".expiac" / "chain.jsonl"


def test_a_look_records_how_a_run_ended(chain):
    """Whoever reads the state alone knows it from then on."""
    chain.apply(wait=False)
    chain.memory.finish("a")
    assert (recorded(chain), look(chain), recorded(chain)) == (Status.PENDING, Status.SUCCEEDED, Status.SUCCEEDED)


def test_a_look_makes_no_plan_stale(chain):
    """An observation is no decision."""
    chain.apply(wait=False)
    with chain.open("lr=0.5") as session:
        plan = session.plan()
        chain.memory.tick()
        look(chain)
        assert session.apply(plan).is_well


def test_a_plan_still_writes_nothing(chain):
    chain.apply(wait=False)
    before = {path: path.read_bytes() for path in chain.root.rglob("*") if path.is_file() and ".py" not in path.name}
    chain.memory.finish("a")
    with chain.open() as session:
        session.plan(options=PlanOptions())
    assert {path: path.read_bytes() for path in before} == before
    assert recorded(chain) is Status.PENDING
    assert not looks(chain).last


def test_a_look_waits_for_no_lock(chain):
    """While another command holds it, the look is shown and nothing is written."""
    chain.apply(wait=False)
    chain.memory.finish("a")
    before = journal(chain).read_bytes()
    with chain.open_recorded("chain") as session, ExitStack() as held:
        held.enter_context(session._journal.lock(purpose="apply", wait_seconds=0))
        assert look(chain) is Status.SUCCEEDED
    assert journal(chain).read_bytes() == before
    assert not looks(chain).last
    assert look(chain) is recorded(chain) is Status.SUCCEEDED


def test_a_look_at_a_state_that_cannot_be_written_is_shown(chain):
    """Here the lock's file cannot even be opened."""
    chain.apply(wait=False)
    chain.memory.finish("a")
    lock = journal(chain).with_suffix(".lock")
    lock.unlink(missing_ok=True)
    lock.mkdir()
    assert look(chain) is Status.SUCCEEDED
    lock.rmdir()
    assert recorded(chain) is Status.PENDING


def test_a_look_ends_no_open_effect(chain):
    """What a killed apply left open is for the next apply: until then it stays open."""
    chain.memory.dies_after(1, unanswered=True)
    with pytest.raises(Died):
        chain.apply(wait=False)
    chain.memory = chain.memory.fresh()
    before = journal(chain).read_bytes()
    look(chain)
    assert journal(chain).read_bytes() == before
    assert not looks(chain).last


def test_a_look_leaves_the_format_of_an_older_release(chain):
    """Or that release could not read the state any more, because somebody asked how it is."""
    chain.apply(wait=False)
    chain.memory.finish("a")
    before = journal(chain).read_bytes()
    with chain.open_recorded("chain") as session:
        session._journal.header = replace(session._journal.header, format=1)
        assert session.status()[0].status is Status.SUCCEEDED
    assert journal(chain).read_bytes() == before


def test_what_is_known_is_as_old_as_the_last_look(chain):
    """Also of one that found nothing new; and a run that was launched since is known since then."""
    chain.apply(wait=False)
    with chain.open_recorded("chain") as session:
        records = session.state.records.values()
    launched = looks(chain).as_of(records)
    assert launched == next(iter(records)).at
    look(chain)
    assert looks(chain).as_of(records) == looks(chain).last > launched
    chain.memory.finish("a")
    look(chain)
    with chain.open_recorded("chain") as session:
        assert looks(chain).as_of(session.state.records.values()) == ""


def test_a_look_that_saw_nothing_is_none(chain):
    """What was known before is as old as before."""
    chain.apply(wait=False)
    chain.memory.answer_unknown("the server is away")
    look(chain)
    assert not looks(chain).last


def test_a_journal_that_somebody_writes_to_is_left_to_them(chain):
    """Whoever wrote between the look and the lock has looked too."""
    chain.apply(wait=False)
    with chain.open_recorded("chain") as session:
        session._refresher.query()
        chain.memory.finish("a")
        look(chain)
        before = journal(chain).read_bytes()
        session._refresher.record_if_free()
    assert journal(chain).read_bytes() == before
