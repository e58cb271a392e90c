"""A last line that was cut short is dropped and said; any other damage is refused by its line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from journals import CREATE, LIFE, NOON, folded, journal, line_of, written

from expiac.state import codec
from expiac.state.events import Effect, EffectDone, Observed
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.model import State
from expiac.state.replay import Damage, replay
from expiac.state.status import Status


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
    (HEAD + line_of(1, "exploded", "{}}"), "line 2: an unknown event, exploded"),
    (HEAD + line_of(1, "observed", '{"address":"a"}'), "line 2: observed: status: Field required"),
    (HEAD + line_of(1, "approved", '{"colour":"red"}'), "line 2: approved: colour: Unexpected"),
    (HEAD + line_of(1, "approved", '{"program":'), "line 2: approved: : Invalid JSON"),
    (HEAD + codec.seal(line_of(1, "forgotten", '{"address":"\xff"}').replace(b"\xc3\xbf", b"\xff")[:-20]),
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
