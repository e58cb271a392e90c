"""Writes one W&B file of all the files of a run: what W&B uploads as one run, each row once.

A run that was resumed offline has a file for each launch. Of rows that a later launch logged again, because it went on
from a checkpoint, the later ones count. The end of a file that is being written, or is torn, is left out.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from expiac.apply.metrics import wandb_files
from expiac.apply.metrics.rows import own_step
from expiac.apply.metrics.run_log import RunLog
from expiac.apply.metrics.run_names import HISTORY, is_artifact, kind_of
from expiac.tracking.records import working_folder
from expiac.util.errors import ExpiacError

_BLOCK = 32 * 1024
_HEADER, _PART = struct.pack("<4sHB", b":W&B", 0xBEE1, 0), struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_OF_FIRST, _OF_LAST = ("header", "run"), ("exit", "final", "footer")


def copy_run(files: Sequence[Path], target: Path, *, without: Collection[str] = ()) -> int:
    """Copies the records of the files, the oldest first, into one; gives how many rows of the history it has.

    Artifacts with a digest in `without` are left out.

    Raises `ExpiacError` where a file is damaged: more follows what can't be read.
    """
    records = _raw(files[0]) if len(files) == 1 else _merged(files)
    rows = 0
    with target.open("wb") as stream:
        writer = _Writer(stream)
        for data in records:
            if without and is_artifact(data) and _digest(data) in without:
                continue
            rows += kind_of(data) == HISTORY
            writer.write(data)
    return rows


def _digest(data: bytes) -> str:
    """Of an artifact."""
    return next((str(record.artifact.digest) for record in wandb_files.records([data])), "")


def _raw(file: Path) -> Iterator[bytes]:
    log = RunLog(file)
    for data in log:
        yield _with_absolute_paths(data, file) if is_artifact(data) else data
    if log.damaged_at is not None:
        raise ExpiacError("Damaged W&B run", f"{file}: it can't be read from byte {log.damaged_at} on",
                          "move its folder away to upload the others")


def _with_absolute_paths(data: bytes, file: Path) -> bytes:
    """An artifact whose files are found from any folder, if they lie where the run ran."""
    for record in wandb_files.records([data]):
        relative = [entry for entry in record.artifact.manifest.contents
                    if entry.local_path and not os.path.isabs(entry.local_path)]
        for entry in relative:
            entry.local_path = str(working_folder(file) / entry.local_path)
        if relative:
            return bytes(record.SerializeToString())
    return data


def _merged(files: Sequence[Path]) -> Iterator[bytes]:
    cuts = _cuts(files)
    last = -1
    for index, (file, cut) in enumerate(zip(files, cuts, strict=True)):
        shift: int | None = None
        for record in wandb_files.records(_raw(file)):
            kind = record.WhichOneof("record_type")
            if (index and kind in _OF_FIRST) or (file is not files[-1] and kind in _OF_LAST):
                continue
            if kind == "history":
                step = _own_step(record)
                if cut is not None and step is not None and step >= cut:
                    continue
                if shift is None:
                    shift = max(0, last + 1 - record.history.step.num)
                last = _shift(record, shift)
            yield record.SerializeToString()


def _cuts(files: Sequence[Path]) -> list[float | None]:
    """For each file, the trainer's own step from which a later file has the rows; None where that is not known."""
    first = [_first_step(file) for file in files]
    later = [[step for step in first[index + 1:] if step is not None] for index in range(len(files))]
    return [min(steps) if steps else None for steps in later]


def _first_step(file: Path) -> float | None:
    histories = (record for record in wandb_files.records(_raw(file)) if record.WhichOneof("record_type") == "history")
    return next((_own_step(record) for record in histories), None)


def _own_step(record: Any) -> float | None:
    return own_step(wandb_files.values_of(record.history.item))


def _shift(record: Any, by: int) -> int:
    """Moves a row behind those of an earlier launch, by W&B's own count; gives its place."""
    step = int(record.history.step.num) + by
    record.history.step.num = step
    for item in record.history.item:
        if "_step" in (item.key, *item.nested_key[:1]):
            item.value_json = str(step)
    return step


class _Writer:
    """Writes records as a log in LevelDB's format; `run_log` has the reader."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._left = stream, _BLOCK - len(_HEADER)
        stream.write(_HEADER)

    def write(self, data: bytes) -> None:
        for kind, part in self._parts(data):
            checksum = zlib.crc32(part, zlib.crc32(bytes([kind])))
            self._stream.write(_PART.pack(checksum, len(part), kind) + part)

    def _parts(self, data: bytes) -> Iterable[tuple[int, bytes]]:
        is_first = True
        while True:
            if self._left <= _PART.size:  # no room for a part: zeros fill the block
                self._stream.write(bytes(self._left))
                self._left = _BLOCK
            part, data = data[:self._left - _PART.size], data[self._left - _PART.size:]
            self._left -= _PART.size + len(part)
            yield _FULL if is_first and not data else _FIRST if is_first else _MIDDLE if data else _LAST, part
            is_first = False
            if not data:
                return
