"""A real state file, with every event there is: each byte changed in turn, and the file cut at every length."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from expiac.declare.options import Options
from expiac.declare.stack import Stack
from expiac.state.events import EVENTS, Approved, NoticeDue, NoticeSent, Pruned, TrialTold
from expiac.state.facts import ApprovedSearch, Outcome
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.replay import Damage, Reading, replay
from expiac.state.status import Status
from expiac.testing import Run, World
from expiac.util.errors import ExpiacError


@pytest.fixture(params=[False, True], ids=["events", "checkpoint"])
def world(request, tmp_path):
    """A stack's file after some of its life; in one case what was before is a checkpoint."""
    world = World(tmp_path)
    a = Run("a", config={"lr": 0.1, "text": 'é ≠ \n" \\'})
    world.apply(Stack("ppo", [a, Run("ended"), Run("over"), Run("b", config={"uri": a.output("checkpoint")})]))
    world.memory.finish("ended", Status.FAILED, "exit code 1")
    world.memory.finish("over", Status.FAILED, "exit code 2")
    world.memory.finish("a")
    world.apply(Stack("ppo", [a, Run("over"), Run("b", config={"uri": a.output("checkpoint")})]))
    if request.param:
        with Journal.open(FileLog(world.file), stack="ppo") as journal:
            journal.compact()
    other = {"lr": 0.5}
    world.memory.fail("c", ExpiacError("Quota exceeded", "no H100 left"))
    world.apply(Stack("ppo", [Run("a", config={"lr": 0.2}), Run("c", config={"lr": 0.4}),
                              Run("d", config=other, tags=("t",))]))
    world.memory.tick()
    world.apply(Stack("ppo", [Run("d", config=other, gpus=8), Run("over")]))
    world.memory.finish("over")
    with Journal.open(FileLog(world.file), stack="ppo") as journal:
        journal.append(Pruned((journal.state.history[0].run.instance,)))
        journal.append(NoticeDue("over", "succeeded", "succeeded"))
        journal.append(NoticeSent(journal.state.records["over"].run.instance, "succeeded"))
        journal.append(Approved(rendered={"ppo.a.0123abcd": "0f" * 32}, reviewed={"ppo.a.0123abcd": "ppo@lr=0.2"},
                                searches={"lr": ApprovedSearch(60, digests={"space": "0f" * 8})}, max_failures=3))
        journal.append(TrialTold("over", journal.state.records["over"].run.instance, Outcome("complete", (0.5,))))
    renamed = Options(aliases=("d",), protect=True)
    world.apply(Stack("ppo", [Run("e", config=other, gpus=8, tags=("t",), options=renamed)]))
    return world


def test_the_file_has_every_event(world):
    """Otherwise the rest would say little."""
    text = world.file.read_text()
    assert [tag for tag in EVENTS if f'"event":"{tag}"' not in text] == []


def test_every_changed_byte_is_refused_with_its_line(world):
    """The exact state or a refusal that names the line; never another state, and never a traceback."""
    chance, data, whole = random.Random(0), bytearray(world.file.read_bytes()), world.state
    line = 1
    for at, byte in enumerate(data):
        data[at] = byte ^ chance.randrange(1, 256)
        reading = _read(bytes(data), world.file)
        assert reading.line == line if isinstance(reading, Damage) else reading.state == whole
        data[at] = byte
        line += byte == 0x0A


def test_a_file_cut_at_any_length_is_what_was_there_by_then(world):
    """A line counts once it is whole; a part of one is left out and said, or refused where it is the first."""
    data = world.file.read_bytes()
    ends = [at for at, byte in enumerate(data) if byte == 0x0A]
    by_then = {end: replay(data[: end + 1], world.file).state for end in ends}
    for length in range(len(data) + 1):
        reading = _read(data[:length], world.file)
        whole = [end for end in ends if end <= length]  # a line that lacks only its newline is whole
        if not whole:
            assert isinstance(reading, Damage)
            assert reading.line == 1
            continue
        assert isinstance(reading, Reading)
        assert reading.state == by_then[whole[-1]]
        torn = length - reading.length
        assert [f"cut short after {torn} bytes" in note for note in reading.notes] == [True] * bool(torn)
    assert by_then[ends[-1]] == world.state


def _read(data: bytes, path: Path) -> Reading | Damage:
    try:
        return replay(data, path)
    except Damage as refused:
        return refused
