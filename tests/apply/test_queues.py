"""Which commands start what waits in a provider's queue: those that act. Those that read never do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from expiac.apply.events import Warned
from expiac.providers.base import AdvancesQueue, Id
from expiac.state.status import Status
from expiac.testing.memory import MemoryProvider
from expiac.util.errors import ExpiacError


class QueuedMemory(MemoryProvider, AdvancesQueue):
    """A memory provider with a queue that remembers how it was moved on."""

    error: ExpiacError | None = None

    def advance_queue(self, ids: Sequence[Id]) -> None:
        self.calls.append(("advance", " ".join(id.instance.split(".")[1] for id in ids)))
        if self.error is not None:
            raise self.error


@pytest.fixture
def queued(chain):
    """The chain of runs on such a provider, applied once; only `a` can have begun."""
    chain.memory = QueuedMemory()
    chain.apply(wait=False)
    return chain


def moves(queued) -> list[str]:
    """The live runs that each move of the queue was about, since the last call."""
    found = [about for verb, about in queued.memory.calls if verb == "advance"]
    queued.memory.calls.clear()
    return found


def test_apply_moves_the_queue_on(queued):
    """After its steps, and also where there is nothing to do."""
    assert moves(queued) == ["a"]
    queued.apply(wait=False)
    assert moves(queued) == ["a"]


def test_refresh_moves_the_queue_on(queued):
    moves(queued)
    with queued.open_recorded("chain") as session:
        session.refresh()
    assert moves(queued) == ["a"]


def test_waiting_moves_the_queue_on_at_every_look(queued):
    moves(queued)
    queued.apply()
    assert moves(queued)[:2] == ["a", "a"]


def test_what_reads_moves_no_queue_on(queued):
    """Plan, status and watch promise to change nothing."""
    moves(queued)
    with queued.open("lr=0.5") as session:
        session.confirm(session.plan())
    with queued.open_recorded("chain") as session:
        session.status()
        session.watch(timeout=5)
    assert moves(queued) == []


def test_destroy_moves_no_queue_on(queued):
    """It ends what runs, and starts nothing."""
    moves(queued)
    with queued.open_recorded("chain") as session:
        session.apply(session.plan_destroy())
    assert moves(queued) == []


def test_an_interrupted_apply_moves_no_queue_on(queued):
    """Nothing new is begun."""
    moves(queued)
    with queued.open() as session:
        plan = session.plan()
        session.stop()
        session.apply(plan)
    assert moves(queued) == []


def test_what_has_ended_is_not_asked_for(queued):
    queued.memory.finish("a", Status.FAILED)
    moves(queued)
    with queued.open_recorded("chain") as session:
        session.refresh()
    assert moves(queued) == []


def test_a_queue_that_cannot_be_moved_on_is_a_warning(queued):
    """What the apply did stands, and the next command tries again."""
    queued.memory.error = ExpiacError("The disk refuses", "queue.json: no space left")
    assert queued.apply(wait=False).is_well
    assert [event.text for event in queued.moments if isinstance(event, Warned)] == [
        "the queue of memory was not moved on: The disk refuses: queue.json: no space left"]
