"""Reads the metrics of a run by their format: how far it is, of a long text file from its two ends; or every row."""

from __future__ import annotations

import csv
import json
import os.path
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from expiac.apply.events import Progress
from expiac.apply.metrics.rows import Row, row_of, summarize
from expiac.apply.metrics.search import find_metrics_file
from expiac.apply.metrics.streams import all_lines, end_lines


def read(path: Path) -> Progress | None:
    """How far a run is by a metrics file, or by what its folder holds; None where nothing can be read yet.

    Raises `MissingPackage` if the package that reads the file is not installed.
    """
    try:
        file = find_metrics_file(path) if path.is_dir() else path
        reader = _reader(file) if file is not None else None
        return summarize(reader(file)) if file is not None and reader is not None else None
    except (OSError, ValueError):
        return None


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that hold every row of a run: the metrics file or, of TensorBoard, all event files beside it."""
    file = find_metrics_file(path) if path.is_dir() else path
    if file is None or not os.path.lexists(file):
        return ()
    return tuple(sorted(file.parent.glob("*.tfevents.*"))) if ".tfevents." in file.name else (file,)


def read_rows(files: Iterable[Path]) -> Iterator[Row]:
    """Every row of these files, in the order in which they were written; a line that can't be read is left out.

    Holds one row at a time. Raises `OSError` if a file can't be read, and `MissingPackage` if the package that reads it
    is not installed.
    """
    for file in files:
        reader = _whole_reader(file)
        if reader is not None:
            yield from reader(file)


def rows_of_text(name: str, lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a text file of this name, whose format expiac reads line by line."""
    return _LINE_READERS[Path(name).suffix.lower()](lines)


def is_text(name: str) -> bool:
    """Whether a file of this name is read line by line."""
    return Path(name).suffix.lower() in _LINE_READERS


def _whole_reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics import tensorboard

        return tensorboard.all_rows
    if file.suffix == ".wandb":
        from expiac.apply.metrics import wandb_files

        return wandb_files.all_rows
    return _all_rows_of_text if is_text(file.name) else None


def _reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics import tensorboard

        return tensorboard.rows
    if file.suffix == ".wandb":
        from expiac.apply.metrics import wandb_files

        return wandb_files.rows
    return _end_rows_of_text if is_text(file.name) else None


def _end_rows_of_text(file: Path) -> Iterator[Row]:
    return rows_of_text(file.name, end_lines(file))


def _all_rows_of_text(file: Path) -> Iterator[Row]:
    return rows_of_text(file.name, all_lines(file))


def _rows_of_json(lines: Iterable[bytes]) -> Iterator[Row]:
    for line in lines:
        try:
            values = _json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(values, dict) and (row := row_of(values)) is not None:
            yield row


def _json(line: bytes) -> Any:
    """The value of a line. Python's own parser takes twice as long, and reads some that the other one refuses."""
    try:
        return from_json(line)
    except ValueError:
        return json.loads(line)


def _rows_of_csv(lines: Iterable[bytes]) -> Iterator[Row]:
    """Line by line, so that a quotation mark that is never closed costs one row."""
    names: list[str] = []
    for line in lines:
        fields = _fields(line)
        if not names:
            names = fields
        elif len(fields) == len(names):
            row = row_of({name: _number(field) for name, field in zip(names, fields, strict=True)})
            if row is not None:
                yield row


_LINE_READERS: dict[str, Callable[[Iterable[bytes]], Iterator[Row]]] = {
    ".jsonl": _rows_of_json, ".ndjson": _rows_of_json, ".csv": _rows_of_csv}


def _fields(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8", "replace").rstrip("\r\n")]), [])
    except csv.Error:
        return []


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
