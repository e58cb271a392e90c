"""Whose a W&B run is and how it is called, by its own file. Reads the few bytes that say so, without W&B.

To import W&B takes a second, which `status` does not have. The numbers are those of the fields in
`wandb/proto/wandb_internal.proto`, which W&B keeps, because its servers and clients differ in age.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from expiac.apply.metrics.run_log import RunLog
from expiac.util.errors import ExpiacError

HISTORY, RUN = 2, 17
"""Kinds of records."""
_ARTIFACT = 8
_RUN_ID, _ENTITY, _PROJECT = 1, 2, 3
_LOOKED_AT = 20
"""How many records: that of the run is the second."""


@dataclass(frozen=True, slots=True)
class RunNames:
    """The names of a W&B run; one that its client has not said is empty."""

    id: str
    entity: str
    project: str


def run_names(file: Path) -> RunNames | None:
    """The names of the run that a file is of; None where it does not say. Raises `ExpiacError` as `RunLog` does."""
    for data in islice(RunLog(file), _LOOKED_AT):
        try:
            run = dict(_fields(data)).get(RUN)
            if run is not None:
                texts = {number: value.decode("utf-8", "replace") for number, value in _fields(run)}
                return RunNames(texts.get(_RUN_ID, ""), texts.get(_ENTITY, ""), texts.get(_PROJECT, ""))
        except ValueError as error:
            raise ExpiacError("Not a W&B run", f"{file}: {error}", "move it out of the folder") from error
    return None


def kind_of(data: bytes) -> int:
    """The kind of a record, by the first field that holds something; -1 where none does."""
    try:
        return next((number for number, _ in _fields(data)), -1)
    except ValueError:
        return -1


def is_artifact(data: bytes) -> bool:
    """Whether a record is that of an artifact: the client writes about itself first, with it."""
    try:
        return any(number == _ARTIFACT for number, _ in _fields(data))
    except ValueError:
        return False


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that have a length, with their numbers. Raises ValueError where it is no message."""
    position = 0
    while position < len(data):
        key, position = _number(data, position)
        match key & 7:
            case 0:
                _, position = _number(data, position)
            case 1:
                position += 8
            case 5:
                position += 4
            case 2:
                length, position = _number(data, position)
                if position + length > len(data):
                    raise ValueError("a record is cut short")
                yield key >> 3, data[position:position + length]
                position += length
            case kind:
                raise ValueError(f"a record has a field of kind {kind}")


def _number(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
    raise ValueError("a record is cut short")
