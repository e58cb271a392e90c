"""The state file: what is written comes back, and what is not whole is refused or said."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.declare.options import Hooks, Options
from expiac.state import codec
from expiac.state.codec import FORMAT
from expiac.state.events import (
    EVENTS,
    After,
    Approved,
    ApprovedStep,
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
from expiac.state.fold import Fold, InvalidEvent, fold
from expiac.state.journal import Journal
from expiac.state.model import Approval, State
from expiac.state.replay import Damage, replay
from expiac.state.status import Status
from expiac.util.durable import Disk
from expiac.util.errors import ExpiacError, Stale

NOON = "2026-01-01T12:00:00Z"
RUN = Run("x.ppo.0123abcd", "f" * 64, attempt=0, launch=1)
CREATE = Started("ppo", Effect.CREATE, "training_job", "local", RUN, inputs={"gpus": 4, "name": "é ≠ \n\" \\"},
                 depends_on=("base",), upstream={"base": "x.base.1"}, reason="new")
LIFE: tuple[Event, ...] = (
    Approved({"gpus": "4"}, "stacks/x.py", {"create": 1}, {"commit": "abc", "dirty": None},
             ("sac",), (ApprovedStep("ppo", "replace", "new", ("gpus: 4 → 8",)),)),
    CREATE,
    Submitted("ppo", {"request": "r1"}),
    EffectDone("ppo", Status.PENDING, {"checkpoint": "/runs/x/latest.pt"}, "queued"),
    Observed("ppo", Status.FAILED, {"checkpoint": "/runs/x/latest.pt"}, "exit code 1"),
    replace(CREATE, run=replace(RUN, launch=2), reason="failed"),
    EffectFailed("ppo", "no such GPU"),
    Noted("ppo", ("base", "other"), Options(protect=True, hooks=Hooks(after_delete="rm -r out"))),
    Moved({"ppo": "sac"}),
    Forgotten("sac", "no longer declared"),
)


def journal(path: Path, *, disk: Disk | None = None, **kwargs: object) -> Journal:
    log = FileLog(path, disk)
    return Journal.open(log, stack="x", program="stacks/x.py", now=lambda: NOON, **kwargs)  # type: ignore[arg-type]


def written(path: Path, *events: Event, **kwargs: object) -> State:
    with journal(path, **kwargs) as open_:
        for event in events:
            open_.append(event)
        return open_.state


def folded(lineage: str, *events: Event) -> State:
    return fold(State("x", lineage), (Entry(number, NOON, event) for number, event in enumerate(events, 1)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".expiac" / "x.jsonl"


# ── what is written comes back ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("event", LIFE, ids=lambda event: event.tag)
def test_every_event_comes_back_as_it_was(event):
    """Encoding and decoding one event changes nothing."""
    assert codec.entry_of(codec.event_line(7, NOON, event)) == Entry(7, NOON, event)


def test_the_events_above_are_all_there_are():
    """A new event has to be added to these tests."""
    assert {event.tag for event in LIFE} == set(EVENTS)


def test_a_read_state_is_the_fold_of_the_events(path):
    """Replaying means folding, and the journal in memory knows the same."""
    known = written(path, *LIFE)
    assert Journal.read(FileLog(path)).state == known == folded(known.lineage, *LIFE)


def test_not_a_number_comes_back(path):
    """A metric may be NaN or infinite; neither becomes null."""
    done = EffectDone("ppo", Status.SUCCEEDED, {"loss": math.nan, "best": math.inf})
    outputs = written(path, CREATE, done).records["ppo"].outputs
    assert math.isnan(outputs["loss"])
    assert outputs["best"] == math.inf
    assert math.isnan(Journal.read(FileLog(path)).state.records["ppo"].outputs["loss"])


def test_what_is_remembered_is_what_was_written(path):
    """A tuple among inputs is a list in JSON; the state in memory says so at once."""
    state = written(path, replace(CREATE, inputs={"tags": ("a", "b")}))
    assert state.records["ppo"].inputs == {"tags": ["a", "b"]}


def test_a_stack_without_a_file_is_empty_and_leaves_no_trace(path):
    """Reading makes neither the file nor its folder; every look has a lineage of its own."""
    first, second = Journal.read(FileLog(path)), journal(path)
    assert first.state == State("x", first.header.lineage)
    assert first.header.lineage != second.header.lineage
    assert not path.parent.exists()


def test_the_header_says_whose_state_it_is(path):
    """Line 1 holds format, lineage, stack and program; the lineage stays."""
    lineage = written(path, *LIFE[:2]).lineage
    header = json.loads(path.read_text().splitlines()[0])
    assert (header["format"], header["stack"], header["program"]) == (FORMAT, "x", "stacks/x.py")
    assert header["lineage"] == lineage == written(path, LIFE[2]).lineage


def test_a_chosen_lineage_begins_a_new_file(path):
    """A plan saved before the first apply names the lineage that its apply will have."""
    assert written(path, CREATE, lineage="abc").lineage == Journal.read(FileLog(path)).state.lineage == "abc"


def test_another_stacks_state_is_refused(path):
    """A copied file doesn't make one stack's jobs another's."""
    written(path, CREATE)
    with pytest.raises(ExpiacError, match="the state of x, not of y"):
        Journal.open(FileLog(path), stack="y")


def test_numbers_go_on_from_one_process_to_the_next(path):
    """The n-th event has number n, whoever wrote it."""
    for event in LIFE:
        written(path, event)
    assert [json.loads(line)["n"] for line in path.read_text().splitlines()[1:]] == list(range(1, len(LIFE) + 1))


def test_an_event_that_cannot_follow_is_not_written(path):
    """Our own mistake is a traceback, never a damaged file; the journal goes on."""
    with journal(path) as open_:
        open_.append(CREATE)
        with pytest.raises(InvalidEvent, match="nobody"):
            open_.append(Observed("nobody", Status.RUNNING))
        open_.append(LIFE[2])
    assert Journal.read(FileLog(path)).number == 2


def test_what_only_a_refresh_knew_is_never_written(path):
    """`unseen` belongs to one command."""
    state = folded("abc", CREATE)
    blind = replace(state, records={"ppo": replace(state.records["ppo"], unseen="no network")})
    data = codec.header_line(codec.Header(lineage="abc", stack="x")) + codec.checkpoint_line(1, NOON, blind)
    assert replay(data, path).state == state


# ── a last line cut short, and damage ────────────────────────────────────────────────────────────────────────────────


def test_a_last_line_cut_short_is_dropped_at_every_length_and_said(path):
    """A torn line is what a dead writer leaves; a whole line that only lacks its newline counts."""
    before = written(path, *LIFE[:3])
    whole = written(path, LIFE[3])
    data = path.read_bytes()
    start = data[:-1].rindex(b"\n") + 1
    for length in range(start + 1, len(data)):
        path.write_bytes(data[:length])
        reading = Journal.read(FileLog(path))
        complete = length == len(data) - 1
        assert reading.state == (whole if complete else before)
        assert [f"line 5 was cut short after {length - start} bytes" in note for note in reading.notes] == [True] * (
            not complete)
        written(path, *LIFE[4:5] if complete else LIFE[3:5])
        assert Journal.read(FileLog(path)).state == folded(whole.lineage, *LIFE[:5])


def test_a_file_cut_within_its_header_is_refused(path):
    """The header is written with the first event and put in place as one; half of one is no dead writer's."""
    written(path, CREATE)
    data = path.read_bytes()
    for length in range(data.index(b"\n")):
        with pytest.raises(Damage, match="line 1: "):
            replay(data[:length], path)


@pytest.mark.parametrize("compacted", [False, True])
def test_every_changed_byte_is_refused_with_its_line(path, compacted):
    """Whichever byte changes, and to whatever: the exact state or a refusal, never a lost event."""
    state = written(path, *LIFE[:4])
    if compacted:
        with journal(path) as open_:
            open_.compact()
        state = written(path, *LIFE[4:6])
    data, line = bytearray(path.read_bytes()), 1
    for at, byte in enumerate(data):
        masks = range(1, 256) if byte == 0x0A else (1, 2, 4, 8, 16, 32, 64, 128, 255, byte ^ 0x0A)
        for mask in masks:
            data[at] = byte ^ mask
            _assert_exact_or_refused(bytes(data), path, state, line)
        data[at] = byte
        line += byte == 0x0A


def _assert_exact_or_refused(data: bytes, path: Path, state: State, line: int) -> None:
    refused = _refusal(data, path, state)
    if refused is not None:
        assert (refused.line, refused.summary) == (line, "Damaged state")
        assert refused.hint == "expiac state repair x"


def _refusal(data: bytes, path: Path, state: State) -> Damage | None:
    try:
        assert replay(data, path).state == state
    except Damage as refused:
        return refused
    return None


def _line(number: int, tag: str, body: str) -> bytes:
    return codec.seal(f'{{"n":{number},"at":"{NOON}","event":"{tag}","body":{body}'.encode())


HEAD = codec.header_line(codec.Header(lineage="abc", stack="x"))
FIRST = codec.event_line(1, NOON, CREATE)
SEEN = codec.event_line(2, NOON, Observed("ppo", Status.RUNNING))


@pytest.mark.parametrize(("data", "what"), [
    (b"", "line 1: there is no header"),
    (b"\n", "line 1: its checksum does not match"),
    (b"hello\n", "line 1: its checksum does not match"),
    (FIRST, "line 1: not a header"),
    (codec.seal(b'{"format":1,"lineage":"abc"'), "line 1: header: "),
    (codec.seal(b'{"format":1,"lineage":"abc","stack":"x","colour":"red"'), "line 1: header: colour"),
    (HEAD + FIRST + b"\n", "line 3: its checksum does not match"),
    (HEAD + HEAD, "line 2: not an event"),
    (HEAD + SEEN, "line 2: it has number 2 where 1 is due"),
    (HEAD + FIRST + FIRST, "line 3: it has number 1 where 2 is due"),
    (HEAD + FIRST + SEEN[:-1] + b" ", "line 3: its checksum does not match"),
    (HEAD + FIRST + SEEN[:-1] + SEEN, "line 3: its checksum does not match"),
    (HEAD + FIRST[:40] + SEEN, "line 2: its checksum does not match"),
    (HEAD + _line(1, "exploded", "{}}"), "line 2: an unknown event, exploded"),
    (HEAD + _line(1, "observed", '{"address":"a"}'), "line 2: observed: status: Field required"),
    (HEAD + _line(1, "approved", '{"colour":"red"}'), "line 2: approved: colour: Unexpected"),
    (HEAD + _line(1, "approved", '{"program":'), "line 2: approved: : Invalid JSON"),
    (HEAD + codec.seal(_line(1, "forgotten", '{"address":"\xff"}').replace(b"\xc3\xbf", b"\xff")[:-20]),
     "line 2: forgotten: : Invalid JSON"),
    (HEAD + codec.event_line(1, NOON, Observed("ppo", Status.RUNNING)), "line 2: does not follow"),
    (HEAD + codec.event_line(1, NOON, replace(CREATE, effect=Effect.DELETE)), "line 2: does not follow"),
    (HEAD + FIRST + codec.event_line(2, NOON, EffectDone("ppo", Status.RUNNING))
     + codec.event_line(3, NOON, EffectDone("ppo", Status.RUNNING)), "line 4: does not follow"),
    (HEAD + FIRST + codec.checkpoint_line(1, NOON, State("x", "abc")), "line 3: a checkpoint in the middle"),
])
def test_what_nobody_wrote_so_is_refused_by_line(path, data, what):
    """Anything but a last line cut short is damage."""
    path.parent.mkdir()
    path.write_bytes(data)
    with pytest.raises(Damage) as refused:
        Journal.read(FileLog(path))
    assert refused.value.detail.startswith(f"{path}: {what}")


# ── formats ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_newer_format_is_refused(path):
    """What a newer release wrote is not guessed at, whatever else its header says."""
    newer = FORMAT + 1
    data = codec.seal(b'{"format":%d,"lineage":"abc","stack":"x","colour":"red"' % newer) + codec.seal(b'{"whatever":1')
    with pytest.raises(ExpiacError, match=f"written by a newer expiac: format {newer}, this one reads {FORMAT}"):
        replay(data, path)


OLD = (codec.seal(b'{"format":0,"lineage":"abc","name":"x"') + _line(1, "approved", "{}")
       + _line(2, "born", '{"who":"ppo"}'))


def _from_0(tag: str, body: dict[str, object]) -> tuple[str, dict[str, object]]:
    """A format that never was: a stack was a name, and a birth was all there was to say."""
    if tag == "header":
        return tag, {"lineage": body["lineage"], "stack": body["name"]}
    if tag == "born":
        run = {"instance": "x.ppo.1", "fingerprint": "f", "attempt": 0, "launch": 1}
        return "started", {"address": body["who"], "effect": "create", "type": "job", "provider": "local", "run": run}
    return tag, body


OURS = {0: _from_0, 1: lambda tag, body: (tag, body)}


def test_an_older_format_migrates_on_read(path):
    """Each line goes through the migrations from its file's format to ours."""
    reading = replay(OLD, path, OURS)
    assert reading.state.stack == "x"
    assert reading.state.records["ppo"].run.instance == "x.ppo.1"


def test_an_older_format_gives_way_at_the_first_append(path):
    """Reading leaves it as it is; writing puts a checkpoint of our format in its place."""
    path.parent.mkdir()
    path.write_bytes(OLD)
    assert Journal.read(FileLog(path), migrations=OURS).number == 2
    assert path.read_bytes() == OLD
    state = written(path, Submitted("ppo", {"request": 1}), migrations=OURS)
    assert Journal.read(FileLog(path)).state == state
    reading = Journal.read(FileLog(path))
    assert (reading.number, reading.header) == (3, codec.Header(lineage="abc", stack="x"))


def test_an_older_format_that_nobody_knows_is_refused(path):
    """Without its migration a format is as foreign as a newer one."""
    with pytest.raises(ExpiacError, match="format 0, which this one does not read any more"):
        replay(OLD, path)


def test_a_checkpoint_of_format_1_keeps_its_approval(path):
    """It knew the last one only, and not when that was."""
    body = '{"serial":3,"approved":{"program":"stacks/x.py","overrides":{"gpus":"4"}},"approval":2}'
    state = replay(codec.seal(b'{"format":1,"lineage":"abc","stack":"x"') + _line(3, "checkpoint", body), path).state
    assert state.approvals == (Approval(2, "", Approved({"gpus": "4"}, "stacks/x.py")),)
    assert state.serial == 3


# ── compaction ───────────────────────────────────────────────────────────────────────────────────────────────────────


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


class Unsynced(Disk):
    """Forgets to sync, and counts how often files were replaced."""

    def __init__(self) -> None:
        self.replaced = self.synced = 0

    def sync(self, fd: int) -> None:
        self.synced += 1

    def sync_folder(self, folder: Path) -> None:
        pass

    def replace(self, source: Path, target: Path) -> None:
        self.replaced += 1
        super().replace(source, target)


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


# ── several at once ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_threads_append_at_once(path):
    """Numbers stay consecutive, every event is there, and one sync may serve several of them."""
    with journal(path, compact_above=8192) as open_:
        def work(name: str) -> None:
            for launch in range(1, 31):
                open_.append(replace(CREATE, address=name, run=replace(RUN, launch=launch)))
                open_.append(Observed(name, Status.RUNNING), durable=False)

        threads = [threading.Thread(target=work, args=(f"job{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reading = Journal.read(FileLog(path))
    assert (reading.number, reading.state) == (360, open_.state)
    assert {record.run.launch for record in reading.state.records.values()} == {30}


def test_a_file_that_somebody_else_wrote_is_not_written_over(path):
    """Without the lock two writers would both write number 3; the second one notices."""
    written(path, *LIFE[:2])
    with journal(path) as mine, journal(path) as theirs:
        theirs.append(LIFE[2])
        for _ in range(2):
            with pytest.raises(ExpiacError):
                mine.append(LIFE[2])
        assert mine.reload() == theirs.state
        mine.append(LIFE[3])
        with pytest.raises(Stale):
            theirs.append(LIFE[3])
    assert Journal.read(FileLog(path)).number == 4


def test_a_file_that_was_begun_meanwhile_is_not_replaced(path):
    """Two first applies at once: the second finds another lineage."""
    with journal(path) as mine, journal(path) as theirs:
        theirs.append(CREATE)
        with pytest.raises(Stale):
            mine.reload()
        with pytest.raises(Stale):
            mine.append(CREATE)
    assert Journal.read(FileLog(path)).header.lineage == theirs.header.lineage


def test_reloading_what_did_not_change_changes_nothing(path):
    """Between two effects nobody else wrote: the journal goes on."""
    with journal(path) as open_:
        assert open_.reload() == open_.state
        open_.append(CREATE)
        assert open_.reload() == open_.state
        open_.append(LIFE[2])
    assert Journal.read(FileLog(path)).number == 2


WRITER = """
import sys
from pathlib import Path
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.declare.options import Hooks, Options
from expiac.state.events import Effect, Observed, Run, Started
from expiac.state.status import Status

path = Path(sys.argv[1])
with Journal.open(FileLog(path), stack="x", lineage="abc", now=lambda: "{noon}", compact_above=3000) as journal:
    while True:
        number = journal.number + 1
        if number % 3:
            event = Observed(f"job{{number // 3 % 7}}", Status.RUNNING, {{"number": number}})
        else:
            event = Started(f"job{{number // 3 % 7}}", Effect.CREATE, "job", "local", Run("x", "f", 0, number))
        if number < 3:
            event = Started("job0", Effect.CREATE, "job", "local", Run("x", "f", 0, number))
        journal.append(event)
        print(number, flush=True)
"""


def test_a_killed_writer_leaves_a_prefix_of_what_it_wrote(path):
    """Killed at any moment, also while compacting: whatever was acknowledged is there, and the file goes on."""
    chance = random.Random(0)
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", WRITER.format(noon=NOON), str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        until = time.monotonic() + chance.uniform(0.0, 0.15)
        while time.monotonic() < until:
            _assert_prefix(path, 1)  # a reader without the lock
        child.kill()
        said = child.stdout.read().split()
        child.wait()
        _assert_prefix(path, int(said[-1]) if said else 1)


def _assert_prefix(path: Path, at_least: int) -> None:
    reading = Journal.read(FileLog(path))
    assert reading.number >= at_least
    newest = max(record.run.launch for record in reading.state.records.values())
    assert reading.number - newest < 3
    seen = [record.outputs.get("number", 0) for record in reading.state.records.values()]
    assert reading.number in (newest, *seen)


# ── disks that fail ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_short_write_is_taken_back(path):
    """The disk takes ten bytes and then no more: the earlier state stays, and nothing more is written."""
    class Full(Disk):
        room = 10_000

        def write(self, fd: int, data: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            count = super().write(fd, data[: self.room])
            self.room -= count
            return count

    disk = Full()
    with journal(path, disk=disk) as open_:
        open_.append(CREATE)
        before, disk.room = path.read_bytes(), 10
        with pytest.raises(ExpiacError, match=r"not written\n .*x.jsonl: No space left on device\n .*make room for"):
            open_.append(LIFE[2])
        disk.room = 10_000
        with pytest.raises(ExpiacError, match="an earlier write failed: No space left"):
            open_.append(LIFE[2])
    assert path.read_bytes() == before
    assert written(path, LIFE[2]).records["ppo"].handle == {"request": "r1"}


def test_a_failed_sync_ends_the_writing(path):
    """After a failed sync the kernel may have thrown the data away; a second one would lie."""
    class Ill(Disk):
        ill = False

        def sync(self, fd: int) -> None:
            if self.ill:
                raise OSError(5, "Input/output error")

    disk = Ill()
    with journal(path, disk=disk) as open_:
        open_.append(CREATE)
        disk.ill = True
        with pytest.raises(ExpiacError, match=r"State not written\n .*Input/output error"):
            open_.append(LIFE[2])
        disk.ill = False
        with pytest.raises(ExpiacError, match="an earlier write failed: Input/output error"):
            open_.append(LIFE[3])
    assert Journal.read(FileLog(path)).number in (1, 2)


def test_an_interrupted_write_ends_the_writing(path):
    """^C in the middle of a write: the line is taken back, and this journal says no more."""
    class Interrupts(Disk):
        def write(self, fd: int, data: bytes) -> int:
            super().write(fd, data[:20])
            raise KeyboardInterrupt

    written(path, CREATE)
    before = path.read_bytes()
    with journal(path, disk=Interrupts()) as open_:
        with pytest.raises(KeyboardInterrupt):
            open_.append(LIFE[2])
        with pytest.raises(ExpiacError, match="interrupted"):
            open_.append(LIFE[2])
    assert path.read_bytes() == before


FILL = """
import sys
from pathlib import Path
from expiac.util.errors import ExpiacError
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.declare.options import Hooks, Options
from expiac.state.events import Effect, Run, Started

journal = Journal.open(FileLog(Path(sys.argv[1])), stack="x")
try:
    while True:
        journal.append(Started("a" * 300, Effect.CREATE, "job", "local", Run("x", "f", 0, journal.number)))
except ExpiacError as error:
    print(journal.number, error)
"""


def _fill(path: Path, **kwargs: object) -> tuple[int, str]:
    child = subprocess.run([sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, check=True,
                           **kwargs)  # type: ignore[call-overload]
    number, error = child.stdout.split(" ", 1)
    return int(number), error


def _small_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_file_that_may_not_grow_keeps_its_state(path):
    """The kernel cuts a line short at 20,000 bytes: what was acknowledged is whole, without a torn line."""
    number, error = _fill(path, preexec_fn=_small_files)
    assert "State not written" in error
    assert "File too large" in error
    reading = Journal.read(FileLog(path))
    assert (reading.number, reading.notes) == (number, ())


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 64 KiB; `remount` changes how it is mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if mount.returncode:
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_its_state(small_disk):
    """No space left: what was acknowledged is whole, and once there is room the stack goes on."""
    path = small_disk / "x.jsonl"
    number, error = _fill(path)
    assert "No space left on device" in error
    assert f"make room for {small_disk}" in error
    assert Journal.read(FileLog(path)).number == number
    subprocess.run(["mount", "-o", "remount,size=256k", str(small_disk)], check=True)
    assert written(path, Forgotten("a" * 300)).records == {}


def test_a_read_only_disk_is_named(small_disk):
    """Reading works; writing is refused with the path."""
    path = small_disk / "x.jsonl"
    state = written(path, CREATE)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert Journal.read(FileLog(path)).state == state
    for file in (path, small_disk / "new" / "x.jsonl"):
        with pytest.raises(ExpiacError, match=f"{file}: Read-only file system"):
            written(file, LIFE[2] if file == path else CREATE)


def test_a_folder_that_is_a_file_is_named(tmp_path):
    """Neither reading nor writing shows a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExpiacError, match="State not readable"):
        Journal.read(FileLog(tmp_path / "file" / "x.jsonl"))
    with pytest.raises(ExpiacError, match="State not readable"):
        Journal.read(FileLog(tmp_path))
    with journal(tmp_path / "gone" / "x.jsonl") as open_:
        (tmp_path / "gone").write_text("")
        with pytest.raises(ExpiacError, match="State not written"):
            open_.append(CREATE)


def test_no_descriptor_is_left_open(path):
    """Opening, compacting and closing many times leaves nothing behind."""
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for event in LIFE:
        with journal(path) as open_:
            open_.append(event)
            open_.compact()
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before
