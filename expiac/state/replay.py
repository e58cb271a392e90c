"""A whole state file, to its meaning. Never writes, and takes no lock.

A last line that was cut short is left out, and said. Whatever else is wrong is damage: refused by line number, never
half-read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Protocol

from pydantic import ValidationError

from expiac.state.codec import FORMAT, Checkpoint, Header, adapter, content_of, parts_of
from expiac.state.events import EVENTS, Entry, Event, Json
from expiac.state.fold import InvalidEvent, fold
from expiac.state.log import StateLog
from expiac.state.model import State
from expiac.util.errors import ExpiacError

Migrate = Callable[[str, Json], tuple[str, Json]]
"""Turns one line's tag and body into those of the next format; the header's tag is `header`."""


def _migrate_from_1(tag: str, body: Json) -> tuple[str, Json]:
    """A checkpoint kept the last approval only."""
    if tag != Checkpoint.tag or "approved" not in body:
        return tag, body
    kept = {key: value for key, value in body.items() if key not in ("approved", "approval")}
    last = {"serial": body.get("approval", 0), "at": "", "approved": body["approved"]}
    return tag, {**kept, "approvals": [last]}


WORTH_KEEPING = 64 * 1024
"""Bytes of a state: to read them takes longer than to keep what they say."""
MIGRATIONS: Mapping[int, Migrate] = {1: _migrate_from_1}
"""By the format that each one reads."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a state file says."""

    header: Header
    state: State
    number: int = 0
    """The number of the last event."""
    length: int = 0
    """Bytes up to the end of the last whole line."""
    size: int = 0
    """Bytes of the file: more than `length` where the last line was cut short."""
    ended: bool = True
    """The last whole line has its newline."""
    base: int = 0
    """Bytes of the header and the checkpoint; 0 where there is none."""
    notes: tuple[str, ...] = ()
    """What the user should hear."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the first lines of a state say, each of them whole and of the present format."""

    header: Header
    state: State
    number: int
    """That of their last event."""
    base: int
    """As in `Reading`."""
    length: int
    """Their bytes."""
    lines: int
    """How many they are."""


class Kept(Protocol):
    """Remembers what the beginning of a state says."""

    def find(self, data: bytes) -> Beginning | None:
        """What is known of the beginning of these very bytes."""

    def keep(self, data: bytes, known: Beginning) -> None:
        """Remembers what these bytes begin with."""


class Damage(ExpiacError):
    """A line that was not written so; `repair` catches it."""

    def __init__(self, name: str, line: int, start: int, what: str) -> None:
        stack = PurePath(name).stem
        super().__init__("Damaged state", f"{name}: line {line}: {what}", f"expiac state repair {stack}")
        self.line, self.start, self.what = line, start, what


def read(log: StateLog, migrations: Mapping[int, Migrate] = MIGRATIONS, kept: Kept | None = None) -> Reading | None:
    """What a state log says, or None where it holds nothing; of what is `kept`, only the rest is read."""
    data = log.read()
    if data is None or kept is None:
        return None if data is None else replay(data, log.name, migrations)
    known = kept.find(data)
    reading = replay(data, log.name, migrations, known)
    is_whole = reading.length == reading.size and reading.ended and reading.header.format == FORMAT
    if is_whole and reading.size - (known.length if known else 0) >= WORTH_KEEPING:
        kept.keep(data, Beginning(reading.header, reading.state, reading.number, reading.base, reading.length,
                                  data.count(b"\n")))
    return reading


def replay(data: bytes, name: Path | str, migrations: Mapping[int, Migrate] = MIGRATIONS,
           known: Beginning | None = None) -> Reading:
    """The meaning of a whole state, called so in messages. Raises `Damage`, or names a format it cannot read.

    What is `known` of its beginning is not read again.
    """
    reader = _Reader(data, str(name), migrations, known)
    try:
        state = fold(reader.initial_state(), reader.entries())
    except (InvalidEvent, TypeError, AttributeError) as error:
        raise reader.damage(f"does not follow from the lines before it: {error}") from error
    return Reading(reader.header, state, reader.number, reader.end, len(data), reader.ended, reader.base, reader.notes)


class _Reader:
    """Goes through the lines one by one and remembers where it stands."""

    def __init__(self, data: bytes, name: str, migrations: Mapping[int, Migrate], known: Beginning | None) -> None:
        self.name, self.migrations, self.known = name, migrations, known
        self.skipped = known.lines if known else 0
        """Lines of which it is known what they say."""
        self.start = self.end = known.length if known else 0
        self.number, self.base = (known.number, known.base) if known else (0, 0)
        self.line = self.skipped
        *self.lines, tail = data[self.start:].split(b"\n")
        self.ended = True
        self.upgrades: Sequence[Migrate] = ()
        self.notes: tuple[str, ...] = ()
        if tail and (not (self.lines or known) or _has_json(tail)):
            self.lines.append(tail)
            self.ended = False
        elif tail:
            self.notes = (f"{name}: line {self.line_count + 1} was cut short after {len(tail)} bytes and is left out: "
                          "whoever wrote it died before it was whole",)

    @property
    def line_count(self) -> int:
        return self.skipped + len(self.lines)

    def damage(self, what: str) -> Damage:
        return Damage(self.name, self.line, self.start, what)

    def initial_state(self) -> State:
        """The state that the known beginning says, or else the header and the checkpoint, where there is one."""
        if self.known is not None:
            self.header = self.known.header
            return self.known.state
        self.header, self.upgrades = self._header()
        state = State(self.header.stack, self.header.lineage)
        if len(self.lines) < 2 or b'"event":"checkpoint"' not in self.lines[1][:128]:
            return state
        self.number, _, first = self._event(self._next_content())
        if not isinstance(first, Checkpoint):
            raise self.damage("no checkpoint")
        self.base = self.end
        records = {record.address: record for record in first.records}
        if len(records) != len(first.records):
            raise self.damage("a checkpoint with two records at one address")
        return State(state.stack, state.lineage, first.serial, records, first.history, first.approvals)

    def entries(self) -> Iterator[Entry]:
        while self.line < self.line_count:
            number, at, event = self._event(self._next_content())
            if isinstance(event, Checkpoint):
                raise self.damage("a checkpoint in the middle")
            if number != self.number + 1:
                raise self.damage(f"it has number {number} where {self.number + 1} is due")
            self.number = number
            yield Entry(number, at, event)

    def _next_content(self) -> bytes:
        """The next line's content, seen to be as it was written."""
        line, self.start = self.lines[self.line - self.skipped], self.end
        self.line += 1
        content = content_of(line)
        if content is None:
            raise self.damage("its checksum does not match")
        self.end += len(line) + (self.line < self.line_count or self.ended)
        return content

    def _header(self) -> tuple[Header, Sequence[Migrate]]:
        if not self.lines:
            self.line = 1
            raise self.damage("there is no header")
        try:
            value = json.loads(self._next_content() + b"}")
            written = int(value["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise self.damage("not a header") from error
        upgrades = self._upgrades(written)
        for upgrade in upgrades:
            _, value = upgrade("header", value)
        try:
            return replace(adapter("header").validate_python(value), format=written), upgrades
        except ValidationError as error:
            raise self.damage(f"header: {_first_problem(error)}") from error

    def _upgrades(self, written: int) -> Sequence[Migrate]:
        if written > FORMAT:
            raise ExpiacError("State of a newer format", f"{self.name}: line 1: written by a newer expiac: "
                              f"format {written}, this one reads {FORMAT}", "uv pip install --upgrade expiac")
        try:
            return [self.migrations[number] for number in range(written, FORMAT)]
        except KeyError:
            raise ExpiacError("State of an older format", f"{self.name}: line 1: written by an older expiac: "
                              f"format {written}, which this one does not read any more") from None

    def _event(self, content: bytes) -> tuple[int, str, Event | Checkpoint]:
        parts = parts_of(content)
        if parts is None:
            raise self.damage("not an event")
        number, at, tag, body = parts
        for upgrade in self.upgrades:
            tag, value = upgrade(tag, json.loads(body))
            body = json.dumps(value).encode()
        if tag not in EVENTS and tag != Checkpoint.tag:
            raise self.damage(
                f"an unknown event, {tag}; its checksum is good: did a newer expiac write it?")
        try:
            return number, at, adapter(tag).validate_json(body)
        except ValidationError as error:
            raise self.damage(f"{tag}: {_first_problem(error)}") from error


def _has_json(tail: bytes) -> bool:
    """A complete document stands at its start: it was whole once, so what is wrong with it is no short write."""
    try:
        json.JSONDecoder().raw_decode(tail.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return ".".join(map(str, problem["loc"])) + ": " + problem["msg"]


