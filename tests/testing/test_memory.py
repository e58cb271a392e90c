"""The memory provider does what a test tells it."""

from __future__ import annotations

import threading

import pytest

from expiac.providers.base import ABSENT, Id, Inputs, Presence
from expiac.state.status import Status
from expiac.testing.memory import Died, MemoryProvider
from expiac.util.errors import ExpiacError

A, B = Id("lineage", "stack.a.00000001", 1), Id("lineage", "stack.b.00000002", 1)
JOB = Inputs({}, outputs={"checkpoint": "latest.pt"})


def create(memory: MemoryProvider, id: Id = A, inputs: Inputs = JOB) -> Status:
    return memory.create(id, inputs, lambda _: None).status


def test_jobs_move_along() -> None:
    memory = MemoryProvider()
    seen = [create(memory)]
    for _ in range(4):
        memory.tick()
        seen.append(memory.read_many([A])[A].status)
    assert seen == [Status.PENDING, Status.STARTING, Status.RUNNING, Status.SUCCEEDED, Status.SUCCEEDED]
    assert memory.read_many([A])[A].outputs == {"checkpoint": "memory://stack.a.00000001/latest.pt"}


def test_or_succeed_at_the_next_look() -> None:
    memory = MemoryProvider(autofinish=True)
    assert create(memory) is Status.PENDING
    assert memory.read_many([A])[A].status is Status.SUCCEEDED


def test_what_is_no_job_is_ready_and_then_gone() -> None:
    memory = MemoryProvider()
    assert create(memory, inputs=Inputs({"size": 3})) is Status.READY
    assert memory.read_many([A])[A].outputs == {"size": 3}
    assert memory.delete(A) == ABSENT


def test_it_fails_and_vanishes_by_address_or_instance() -> None:
    memory = MemoryProvider()
    memory.fail("a", ExpiacError("No capacity"))
    with pytest.raises(ExpiacError, match="No capacity"):
        create(memory)
    assert create(memory, B) is Status.PENDING
    memory.vanish("b")
    memory.heal("a")
    assert create(memory) is Status.PENDING
    assert memory.read_many([B])[B] == ABSENT
    memory.finish(A.instance, Status.FAILED, "exit code 3")
    assert memory.read_many([A])[A].detail == "exit code 3"


def test_it_does_not_answer() -> None:
    memory = MemoryProvider()
    memory.answer_unknown("no network")
    assert memory.read_many([A])[A].presence is Presence.UNKNOWN


@pytest.mark.parametrize(("unanswered", "started"), [(True, [A]), (False, [A, B])])
def test_it_dies_before_or_after_an_effect(unanswered: bool, started: list[Id]) -> None:
    """`unanswered`: the effect took place and nobody heard of it; else the next one does not take place."""
    memory = MemoryProvider()
    memory.dies_after(effects=1 if unanswered else 2, unanswered=unanswered)
    third = Id("lineage", "stack.c.00000003", 1)
    with pytest.raises(Died):
        [create(memory, id) for id in (A, B, third)]
    with pytest.raises(Died):
        memory.read_many([A])
    assert memory.starts == started
    assert all(seen.presence is Presence.PRESENT for seen in memory.fresh().read_many(started).values())


def test_it_stalls_until_healed() -> None:
    memory = MemoryProvider()
    memory.stall("a")
    thread = threading.Thread(target=create, args=[memory])
    thread.start()
    assert create(memory, B) is Status.PENDING
    assert memory.starts == [B]
    memory.heal("a")
    thread.join(10)
    assert memory.starts == [B, A]
