"""The lines of a state file, to and from values. Knows nothing of files, folders or locks.

Line 1 is the header, line 2 may be a checkpoint, every other line is one event. They are JSON:

    {"format":1,"lineage":"5f0c…","stack":"lr_ab_test","program":"stacks/lr_ab_test.py","crc":"89abcdef"}
    {"n":1,"at":"2026-11-22T21:40:03.120Z","event":"started","body":{…},"crc":"01234567"}

`crc` is the CRC-32 of the line's bytes before `,"crc"`, so that every changed byte is found. The header keeps this
form in every format: a reader first sees that a line is whole, then whether it may understand it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

from pydantic import TypeAdapter, ValidationError

from expiac.errors import ExpiacError
from expiac.state import EVENTS, Approved, Entry, Event, Json, Record, State, fold

FORMAT = 1
Migrate = Callable[[str, Json], tuple[str, Json]]
"""Turns one line's tag and body into those of the next format; the header's tag is `header`."""
MIGRATIONS: Mapping[int, Migrate] = {}
"""By the format that each one reads."""

_CRC = len(',"crc":"01234567"}')
_LINE = re.compile(rb'\{"n":(\d{1,15}),"at":"([\w:.+-]*)","event":"(\w+)","body":(.*)', re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class Header:
    """Whose state the file is."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    lineage: str
    stack: str
    program: str = ""
    """Path of the program that the first event came from, as its session named it."""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole State in one line; its number is that of the last event it holds."""

    tag: ClassVar[str] = "checkpoint"
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    serial: int
    records: tuple[Record, ...] = ()
    history: tuple[Record, ...] = ()
    approved: Approved | None = None
    approval: int = 0


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


class Damage(ExpiacError):
    """A line that was not written so; `repair` catches it."""

    def __init__(self, path: Path, line: int, start: int, what: str) -> None:
        super().__init__("Damaged state", f"{path}: line {line}: {what}", f"expiac state repair {path.stem}")
        self.line, self.start, self.what = line, start, what


def header_line(header: Header) -> bytes:
    return _seal(_adapter("header").dump_json(replace(header, format=FORMAT))[:-1])


def event_line(number: int, at: str, event: Event | Checkpoint) -> bytes:
    body = _adapter(event.tag).dump_json(event, exclude_defaults=True)
    return _seal(b'{"n":%d,"at":"%s","event":"%s","body":%s' % (number, at.encode(), event.tag.encode(), body))


def checkpoint_line(number: int, at: str, state: State) -> bytes:
    """The whole state; what only the last refresh knew of it is left out."""
    records = tuple(replace(record, unseen="") if record.unseen else record for record in state.records.values())
    return event_line(number, at, Checkpoint(state.serial, records, state.history, state.approved, state.approval))


def entry_of(line: bytes) -> Entry:
    """The event of a line just made, exactly as a later reader will have it."""
    number, at, tag, body = _parts(line.rstrip(b"\n")) or (0, "", "", b"")
    return Entry(number, at, _adapter(tag).validate_json(body))


def replay(data: bytes, path: Path, migrations: Mapping[int, Migrate] = MIGRATIONS) -> Reading:
    """The meaning of a whole state file; `path` is for messages. Raises `Damage`, or names a format it cannot read."""
    reader = _Reader(data, path, migrations)
    try:
        state = fold(reader.begin(), reader.entries())
    except (AssertionError, KeyError, TypeError) as error:
        raise reader.damage(f"does not follow from the lines before it: {error}") from error
    return Reading(reader.header, state, reader.number, reader.end, len(data), reader.ended, reader.base, reader.notes)


class _Reader:
    """Goes through the lines one by one and remembers where it stands."""

    def __init__(self, data: bytes, path: Path, migrations: Mapping[int, Migrate]) -> None:
        self.path, self.migrations = path, migrations
        *self.lines, tail = data.split(b"\n")
        self.ended, self.notes = True, ()  # type: tuple[bool, tuple[str, ...]]
        self.line = self.start = self.end = self.number = self.base = 0
        if tail and (not self.lines or _holds_json(tail)):
            self.lines.append(tail)
            self.ended = False
        elif tail:
            self.notes = (f"{path}: line {len(self.lines) + 1} was cut short after {len(tail)} bytes and is left out: "
                          "whoever wrote it died before it was whole",)

    def damage(self, what: str) -> Damage:
        return Damage(self.path, self.line, self.start, what)

    def begin(self) -> State:
        """The state that the header and the checkpoint, where there is one, say."""
        self.header, self.upgrades = self._header()
        state = State(self.header.stack, self.header.lineage)
        if len(self.lines) < 2 or b'"event":"checkpoint"' not in self.lines[1][:128]:
            return state
        self.number, _, first = self._event(self._next())
        if not isinstance(first, Checkpoint):
            raise self.damage("no checkpoint")
        self.base = self.end
        records = {record.address: record for record in first.records}
        return State(state.stack, state.lineage, first.serial, records, first.history, first.approved, first.approval)

    def entries(self) -> Iterator[Entry]:
        while self.line < len(self.lines):
            number, at, event = self._event(self._next())
            if isinstance(event, Checkpoint):
                raise self.damage("a checkpoint in the middle")
            if number != self.number + 1:
                raise self.damage(f"it has number {number} where {self.number + 1} is due")
            self.number = number
            yield Entry(number, at, event)

    def _next(self) -> bytes:
        """The next line, seen to be as it was written."""
        line, self.start = self.lines[self.line], self.end
        self.line += 1
        if line[-_CRC:] != _crc(line[:-_CRC]):
            what = "its checksum does not match" if line[-_CRC:].startswith(b',"crc":"') else "not a whole line"
            raise self.damage(what)
        self.end += len(line) + (self.line < len(self.lines) or self.ended)
        return line

    def _header(self) -> tuple[Header, Sequence[Migrate]]:
        if not self.lines:
            self.line = 1
            raise self.damage("there is no header")
        try:
            value = json.loads(self._next()[:-_CRC] + b"}")
            written = int(value["format"])
        except (ValueError, KeyError, TypeError) as error:
            raise self.damage("not a header") from error
        upgrades = self._upgrades(written)
        for upgrade in upgrades:
            _, value = upgrade("header", value)
        try:
            return replace(_adapter("header").validate_python(value), format=written), upgrades
        except ValidationError as error:
            raise self.damage(f"header: {_first(error)}") from error

    def _upgrades(self, written: int) -> Sequence[Migrate]:
        if written > FORMAT:
            raise ExpiacError("State of a newer format", f"{self.path}: line 1: written by a newer expiac: "
                              f"format {written}, this one reads {FORMAT}", "uv pip install --upgrade expiac")
        try:
            return [self.migrations[number] for number in range(written, FORMAT)]
        except KeyError:
            raise ExpiacError("State of an older format", f"{self.path}: line 1: written by an older expiac: "
                              f"format {written}, which this one does not read any more") from None

    def _event(self, line: bytes) -> tuple[int, str, Event | Checkpoint]:
        parts = _parts(line)
        if parts is None:
            raise self.damage("not an event")
        number, at, tag, body = parts
        try:
            for upgrade in self.upgrades:
                tag, value = upgrade(tag, json.loads(body))
                body = json.dumps(value).encode()
            return number, at, _adapter(tag).validate_json(body)
        except KeyError:
            raise self.damage(f"an unknown event, {tag}; its checksum is good: did a newer expiac write it?") from None
        except ValidationError as error:
            raise self.damage(f"{tag}: {_first(error)}") from error


def _parts(line: bytes) -> tuple[int, str, str, bytes] | None:
    match = _LINE.fullmatch(line, 0, len(line) - _CRC)
    if match is None:
        return None
    number, at, tag, body = match.groups()
    return int(number), at.decode(), tag.decode(), body


def _crc(content: bytes) -> bytes:
    return b',"crc":"%08x"}' % crc32(content)


def _seal(content: bytes) -> bytes:
    return content + _crc(content) + b"\n"


def _holds_json(tail: bytes) -> bool:
    """A complete document stands at its start: then it was whole once, and what is wrong with it is not a short write."""
    try:
        json.JSONDecoder().raw_decode(tail.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return ".".join(map(str, problem["loc"])) + ": " + problem["msg"]


@cache
def _adapter(tag: str) -> TypeAdapter[Any]:
    """Built at the first need: a command that reads no state does not pay for it."""
    kinds: Mapping[str, type] = {"header": Header, "checkpoint": Checkpoint, **EVENTS}
    return TypeAdapter(kinds[tag])
