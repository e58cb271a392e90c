"""The lines of a state file, to and from values. Knows nothing of files, folders or locks.

Line 1 is the header, line 2 may be a checkpoint, every other line is one event. They are JSON:

    {"format":2,"lineage":"5f0c…","stack":"lr_ab_test","program":"stacks/lr_ab_test.py","crc":"89abcdef"}
    {"n":1,"at":"2026-11-22T21:40:03.120Z","event":"started","body":{…},"crc":"01234567"}

`crc` is the CRC-32 of the line's bytes before `,"crc"`, so that every changed byte is found. The header keeps this
form in every format: a reader first sees that a line is whole, then whether it may understand it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar
from zlib import crc32

from pydantic import TypeAdapter
from pydantic_core import to_json

from expiac.state.events import EVENTS, Entry, Event
from expiac.state.model import Approval, Record, State

FORMAT = 2

_CRC = len(',"crc":"01234567"}')
_LINE = re.compile(rb'\{"n":(\d{1,15}),"at":"([\w:.+-]*)","event":"(\w+)","body":(.*)', re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Whose state the file is."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    format: int = FORMAT
    lineage: str
    stack: str
    program: str = ""
    """Path of the program that the first event came from, as its session named it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole State in one line; its number is that of the last event it holds."""

    tag: ClassVar[str] = "checkpoint"
    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}
    serial: int
    records: tuple[Record, ...] = ()
    history: tuple[Record, ...] = ()
    approvals: tuple[Approval, ...] = ()


def header_line(header: Header) -> bytes:
    return seal(adapter("header").dump_json(replace(header, format=FORMAT))[:-1])


def event_line(number: int, at: str, event: Event | Checkpoint) -> bytes:
    # Not dump_json: that writes NaN and infinities as null.
    body = to_json(adapter(event.tag).dump_python(event, exclude_defaults=True), inf_nan_mode="constants")
    values = (number, at.encode(), event.tag.encode(), body)
    return seal(b'{"n":%d,"at":"%s","event":"%s","body":%s' % values)


def checkpoint_line(number: int, at: str, state: State) -> bytes:
    """The whole state; what only the last refresh knew of it is left out."""
    present = state.records.values()
    records = tuple(replace(record, unseen="") if record.unseen else record for record in present)
    checkpoint = Checkpoint(state.serial, records, state.history, state.approvals)
    return event_line(number, at, checkpoint)


def content_of(line: bytes) -> bytes | None:
    """The line without its checksum, or None where that does not match."""
    return line[:-_CRC] if line[-_CRC:] == _crc(line[:-_CRC]) else None


def entry_of(line: bytes) -> Entry:
    """The event of a line just made, exactly as a later reader will have it."""
    parts = parts_of(line[: -_CRC - 1])
    assert parts is not None, "a line of ours that we cannot read"
    number, at, tag, body = parts
    return Entry(number, at, adapter(tag).validate_json(body))


def parts_of(content: bytes) -> tuple[int, str, str, bytes] | None:
    """Number, time, tag and body of an event's content."""
    match = _LINE.fullmatch(content)
    if match is None:
        return None
    number, at, tag, body = match.groups()
    return int(number), at.decode(), tag.decode(), body


def _crc(content: bytes) -> bytes:
    return b',"crc":"%08x"}' % crc32(content)


def seal(content: bytes) -> bytes:
    """The line that holds this content, which lacks its closing brace."""
    return content + _crc(content) + b"\n"


@cache
def adapter(tag: str) -> TypeAdapter[Any]:
    """Built at the first need: a command that reads no state does not pay for it."""
    kinds: Mapping[str, type] = {"header": Header, "checkpoint": Checkpoint, **EVENTS}
    return TypeAdapter(kinds[tag])
