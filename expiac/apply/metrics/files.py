"""Reads the metrics of a run by their format: how far it is, of a long text file from its two ends; or every row."""

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


def files_of(path: Path) -> tuple[Path, ...]:
    """The files that hold every row of a run: the metrics file or, of TensorBoard, all event files beside it."""
    file = find_metrics_file(path) if path.is_dir() else path
    if file is None or not file.is_file():
        return ()
    return tuple(sorted(file.parent.glob("*.tfevents.*"))) if ".tfevents." in file.name else (file,)


def read_rows(files: Iterable[Path]) -> Iterator[Row]:
    """Every row of these files, in the order in which they were written; what can't be read is left out.

    Raises `MissingPackage` if the package that reads a file is not installed.
    """
    for file in files:
        reader = _whole_reader(file)
        try:
            yield from reader(file) if reader is not None else ()
        except (OSError, ValueError, csv.Error):
            continue


def _whole_reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics.tensorboard import all_rows

        return all_rows
    if file.suffix == ".wandb":
        from expiac.apply.metrics import wandb_files

        return wandb_files.all_rows
    whole = {".jsonl": _all_json_rows, ".ndjson": _all_json_rows, ".csv": _all_csv_rows}
    return whole.get(file.suffix.lower()) or _reader(file)


def _reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics.tensorboard import rows

        return rows
    if file.suffix == ".wandb":
        from expiac.apply.metrics import wandb_files

        return wandb_files.rows
    return {".jsonl": _json_rows, ".ndjson": _json_rows, ".csv": _csv_rows}.get(file.suffix.lower())


def _json_rows(file: Path) -> Iterator[Row]:
    return _rows_of_json(_lines(file))


def _all_json_rows(file: Path) -> Iterator[Row]:
    return _rows_of_json(_whole_lines(file.read_bytes()))


def _rows_of_json(lines: Iterable[bytes]) -> Iterator[Row]:
    for line in lines:
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and (row := row_of(values)) is not None:
            yield row


def _csv_rows(file: Path) -> Iterator[Row]:
    return _rows_of_csv(_lines(file))


def _all_csv_rows(file: Path) -> Iterator[Row]:
    return _rows_of_csv(_whole_lines(file.read_bytes()))


def _rows_of_csv(lines: Iterable[bytes]) -> Iterator[Row]:
    table = csv.reader(line.decode("utf-8", "replace") for line in lines)
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
