"""A compacted journal means the same, and is rarely compacted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from journals import CREATE, LIFE, NOON, Unsynced, folded, journal, written

from expiac.declare.options import Options
from expiac.state.events import (
    After,
    Approved,
    Effect,
    EffectDone,
    EffectFailed,
    Entry,
    Event,
    Forgotten,
    Moved,
    Noted,
    Observed,
    Run,
    Started,
    Submitted,
)
from expiac.state.file_log import FileLog
from expiac.state.fold import Fold
from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.state.status import Status


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """Events in an order in which they can happen."""
    known, events = Fold(State("x", "abc")), list[Event]()
    for number in range(1, draw(st.integers(1, 25)) + 1):
        address = draw(st.sampled_from("abc"))
        events.append(_next(draw, known, address))
        known.add(Entry(number, NOON, events[-1]))
    return events


def _next(draw: st.DrawFn, known: Fold, address: str) -> Event:
    record = known.record(address)
    kinds: list[type[Event]] = [Approved, Started]
    if record is not None:
        kinds += [Started, Submitted, Observed, Forgotten, Noted]
        if not known.record(address.upper()):
            kinds.append(Moved)
    if record is not None and record.pending is not None:
        kinds += [EffectDone, EffectDone, EffectFailed]
    kind, some, words = draw(st.sampled_from(kinds)), draw(SOME), draw(st.text(max_size=3))
    if kind is Approved:
        return Approved(some, words)
    if kind is Noted:
        return Noted(address, (words,), Options(retain=draw(st.booleans())))
    if kind is Moved:
        return Moved({address: address.upper()})
    if kind is Started:
        effect = draw(st.sampled_from(Effect)) if record else Effect.CREATE
        run = Run(draw(st.sampled_from("uvw")), "f", 0, draw(st.integers(1, 3)))
        return Started(address, effect, "job", "local", run, draw(st.sampled_from(After)), some)
    if kind in (EffectDone, Observed):
        return kind(address, draw(st.sampled_from(Status)), some, words)
    return kind(address, some if kind is Submitted else words)


SOME = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=5), max_size=2)


@settings(max_examples=60, deadline=None)
@given(events=lives(), at=st.sets(st.integers(0, 25)))
def test_a_compacted_journal_means_the_same(tmp_path_factory, events, at):
    """Whenever it is compacted, a journal replays to the same state, serial and number, and goes on from there."""
    path = tmp_path_factory.mktemp("any") / "x.jsonl"
    with journal(path, lineage="abc", disk=Unsynced()) as open_:
        for number, event in enumerate(events):
            open_.append(event, durable=False)
            if number in at:
                open_.compact()
    reading = Journal.read(FileLog(path))
    assert reading.state == open_.state == folded("abc", *events)
    assert list(reading.state.records) == list(open_.state.records)
    assert reading.number == len(events)


def test_a_large_journal_compacts_itself_but_rarely(path):
    """The file stays near the size of what it says, and the cost of that is shared by many appends."""
    disk = Unsynced()
    with journal(path, disk=disk, compact_above=4096) as open_:
        for _ in range(2000):
            open_.append(Observed("ppo", Status.RUNNING) if open_.number else CREATE, durable=False)
    reading = Journal.read(FileLog(path))
    assert reading.number == 2000
    assert path.stat().st_size < 8192
    assert 20 < disk.replaced < 120


def test_a_journal_of_many_live_records_is_left_to_grow(path):
    """Where a checkpoint is as long as the events, compaction waits until the file has grown fourfold."""
    disk = Unsynced()
    with journal(path, disk=disk, compact_above=4096) as open_:
        for number in range(1000):
            open_.append(replace(CREATE, address=f"job{number}"), durable=False)
    assert disk.replaced < 7
    assert len(Journal.read(FileLog(path)).state.records) == 1000


def test_a_reader_keeps_the_file_it_opened(path):
    """Compaction makes a new file; whoever reads the old one gets all of it."""
    written(path, *LIFE[:5])
    data = path.read_bytes()
    with path.open("rb") as reader, journal(path) as open_:
        open_.compact()
        open_.append(LIFE[5])
        assert reader.read() == data
    assert path.read_bytes().count(b"\n") == 3


def test_no_room_for_a_checkpoint_leaves_the_long_file(path):
    """The event is written already; a journal that could not be compacted is only longer."""
    class Full(Unsynced):
        def replace(self, source: Path, target: Path) -> None:
            if self.replaced:
                raise OSError(28, "No space left on device")
            super().replace(source, target)

    with journal(path, disk=Full(), compact_above=512) as open_:
        for event in LIFE:
            open_.append(event)
    assert Journal.read(FileLog(path)).state == open_.state
    assert [file.name for file in path.parent.iterdir()] == ["x.jsonl"]
