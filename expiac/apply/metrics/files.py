"""Reads the metrics file of a run by its format; of a long text file the two ends only."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from expiac.apply.events import Progress
from expiac.apply.metrics.rows import Row, row_of, summarize
from expiac.apply.metrics.search import find_metrics_file

_END = 64 * 1024


def read(path: Path) -> Progress | None:
    """How far a run is by a metrics file, or by what its folder holds; None where nothing can be read yet.

    Raises `MissingPackage` if the package that reads the file is not installed.
    """
    try:
        file = find_metrics_file(path) if path.is_dir() else path
        reader = _reader(file) if file is not None else None
        return summarize(reader(file)) if file is not None and reader is not None else None
    except (OSError, ValueError, csv.Error):
        return None


def _reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics.tensorboard import rows

        return rows
    if file.suffix == ".wandb":
        from expiac.apply.metrics import wandb_files

        return wandb_files.rows
    return {".jsonl": _json_rows, ".ndjson": _json_rows, ".csv": _csv_rows}.get(file.suffix.lower())


def _json_rows(file: Path) -> Iterator[Row]:
    for line in _lines(file):
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and (row := row_of(values)) is not None:
            yield row


def _csv_rows(file: Path) -> Iterator[Row]:
    table = csv.reader(line.decode("utf-8", "replace") for line in _lines(file))
    names = next(table, [])
    for fields in table:
        if len(fields) != len(names):
            continue
        row = row_of({name: _number(field) for name, field in zip(names, fields, strict=True)})
        if row is not None:
            yield row


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return None


def _lines(file: Path) -> Iterator[bytes]:
    """The whole lines of a file; of a long one those of its two ends."""
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size <= 2 * _END:
            yield from _whole_lines(stream.read())
            return
        yield from _whole_lines(stream.read(_END))
        stream.seek(size - _END)
        _cut, _, rest = stream.read().partition(b"\n")
        yield from _whole_lines(rest)


def _whole_lines(block: bytes) -> Iterator[bytes]:
    """The lines that end: a last line without its end is still being written."""
    whole, _, _unfinished = block.rpartition(b"\n")
    return (line for line in whole.split(b"\n") if line.strip())
