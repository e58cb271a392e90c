"""Keeps what a long state file was found to say, so that the next command reads only the lines that came after.

What is kept counts only where the file still begins with the very bytes that it was made of, by their digest: a state
that was cut, repaired, compacted or replaced is read anew. It is a file of the checkout's own, written whole; one that
is damaged, or was written by another release, is as one that is not there. It holds values of a state alone, and
nothing in it is ever run.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from expiac.declare import options, resource
from expiac.state import codec, events, facts, fold, model, replay, status
from expiac.util.hashing import exact
from expiac.util.kept import read_kept, write_kept
from expiac.util.version import VERSION

_MODULES = {module.__name__: module
            for module in (replay, fold, codec, events, facts, model, status, options, resource)}
"""Those that say what a state is: all that a file may hold, besides numbers, texts, lists, tuples and dictionaries, are
values of their own dataclasses and enums."""


_SHARED_LEVELS = 3
"""The inputs, the config among them, and its sections: below them a part is shared as a whole or not at all."""


@dataclass(frozen=True, slots=True)
class ReplayCache:
    """What is kept of one stack's state."""

    file: Path

    def find(self, data: bytes) -> replay.Beginning | None:
        """What the longest beginning of this state says that is known; None where none is."""
        content = read_kept(self.file, lambda head: _is_of(head, data))
        return None if content is None else _loaded(content)

    def keep(self, data: bytes, known: replay.Beginning) -> None:
        """Remembers what the first `known.length` bytes say; does nothing where the file can't be written."""
        head = {"made_by": _maker(), "length": known.length, "digest": _digest(data, known.length)}
        with suppress(RecursionError):  # inputs as deep as that are read each time
            shared = replace(known, state=_with_shared_inputs(known.state))
            write_kept(self.file, head, _dumped(shared))


def replay_cache(folder: Path, stack: str) -> ReplayCache:
    """That of a stack, in the folder of its project's own files."""
    return ReplayCache(folder / "cache" / "states" / stack)


def _is_of(head: Mapping[str, Any], data: bytes) -> bool:
    """Whether a file was written by this release, of a beginning of this state."""
    length = head.get("length")
    return (head.get("made_by") == _maker() and isinstance(length, int) and 0 < length <= len(data)
            and head.get("digest") == _digest(data, length))


def _digest(data: bytes, length: int) -> str:
    return blake2b(memoryview(data)[:length], digest_size=32).hexdigest()


@cache
def _maker() -> str:
    """Names the code that gives a state its meaning: another release may read the same lines otherwise."""
    files = [os.stat(module.__file__ or "") for module in _MODULES.values()]
    known = [VERSION, sys.version, [(file.st_size, file.st_mtime_ns) for file in files]]
    return blake2b(repr(known).encode(), digest_size=16).hexdigest()


def _with_shared_inputs(state: model.State) -> model.State:
    """The same state, in which records have the equal parts of their inputs in common: it is read in half the time."""
    parts: dict[bytes, Any] = {}

    def share(value: Any, levels: int) -> Any:
        if levels and isinstance(value, dict):
            return {key: share(part, levels - 1) for key, part in value.items()}
        return parts.setdefault(exact(value), value)

    def shared(record: model.Record) -> model.Record:
        return replace(record, inputs=share(record.inputs, _SHARED_LEVELS))

    return replace(state, records={address: shared(record) for address, record in state.records.items()},
                   history=tuple(map(shared, state.history)))


class _Writer(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        """Of the values of which there are many: made by a call, in half the time that it takes to set each field."""
        kind = type(value)
        if kind not in (model.Record, events.Run):
            return NotImplemented
        return kind, tuple(getattr(value, field.name) for field in fields(kind))


def _dumped(known: replay.Beginning) -> bytes:
    content = io.BytesIO()
    _Writer(content, protocol=5).dump(known)
    return content.getvalue()


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """One of our own values; raises where a file names anything else."""
        kind = vars(_MODULES[module]).get(name) if module in _MODULES else None
        if isinstance(kind, type) and kind.__module__ == module and (is_dataclass(kind) or issubclass(kind, Enum)):
            return kind
        raise pickle.UnpicklingError(f"{module}.{name} is no value of a state")


def _loaded(content: bytes) -> replay.Beginning | None:
    try:
        found = _Reader(io.BytesIO(content)).load()
    except Exception:  # whatever stands there: the state is read as if nothing did
        return None
    return found if isinstance(found, replay.Beginning) else None
