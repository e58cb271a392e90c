"""Repair: the last good prefix stays, the rest is named, and a copy of all is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.state.events import Approved, Effect, EffectDone, Event, Run, Started
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.repair import find_damage
from expiac.state.status import Status
from expiac.util.errors import Stale

EVENTS: tuple[Event, ...] = (
    Approved(program="stacks/x.py"),
    Started("base", Effect.CREATE, "job", "local", Run("x.base.1", "f", 0, 1)),
    EffectDone("base", Status.RUNNING),
    Started("ppo", Effect.CREATE, "job", "local", Run("x.ppo.1", "f", 0, 1)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "x.jsonl"
    with Journal.open(FileLog(path), stack="x", now=lambda: "2026-01-01T12:00:00Z") as journal:
        for event in EVENTS:
            journal.append(event)
    return path


def _flip(path: Path, line: int) -> bytes:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line - 1] = lines[line - 1].replace(b'"', b"'", 1)
    path.write_bytes(b"".join(lines))
    return path.read_bytes()


def test_a_whole_file_needs_no_repair(path):
    """Neither does one whose last line was cut short: that is dropped as it is."""
    assert find_damage(FileLog(path)) is None
    path.write_bytes(path.read_bytes()[:-9])
    assert find_damage(FileLog(path)) is None


def test_what_would_be_lost_is_said_before_it_is(path):
    """The damaged line and everything behind it, by event and address; nothing is written."""
    damaged = _flip(path, 4)
    found = find_damage(FileLog(path))
    assert found.description.splitlines()[1:] == [
        "3 lines stay; 2 would be lost:",
        f"  line 4: {len(damaged.splitlines()[3])} bytes that cannot be read",
        "  line 5: started ppo at 2026-01-01T12:00:00Z",
    ]
    assert path.read_bytes() == damaged


def test_a_repaired_file_holds_the_last_good_prefix(path):
    """It can be read and written again, and the copy is the damaged file."""
    damaged = _flip(path, 4)
    copy = find_damage(FileLog(path)).carry_out(path.parent, now=lambda: "2026-01-01T12:00:00Z")
    assert copy.name == "x.jsonl.damaged-2026-01-01T120000Z"
    assert copy.read_bytes() == damaged
    with Journal.open(FileLog(path), stack="x") as journal:
        assert journal.number == 2
        journal.append(EVENTS[2])
    assert Journal.read(FileLog(path)).state.records["base"].status is Status.RUNNING


def test_without_its_header_nothing_stays(path):
    """The lineage is what makes jobs ours; a file without it can only be put aside."""
    damaged = _flip(path, 1)
    found = find_damage(FileLog(path))
    assert "nothing stays; 5 would be lost" in found.description
    assert found.carry_out(path.parent).read_bytes() == damaged
    assert not path.exists()


def test_a_file_that_was_written_meanwhile_is_left_alone(path):
    """What was said to be lost is what is lost."""
    _flip(path, 4)
    found = find_damage(FileLog(path))
    path.write_bytes(path.read_bytes() + b"more\n")
    with pytest.raises(Stale) as error:
        found.carry_out(path.parent)
    assert error.value.code == "state-taken-over"
