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


def rows_of_text(name: str, lines: Iterable[bytes]) -> Iterator[Row]:
    """The rows of a text file of this name, whose format expiac reads line by line."""
    yield from _LINE_READERS[Path(name).suffix.lower()](lines)


def is_text(name: str) -> bool:
    """Whether a file of this name is read line by line."""
    return Path(name).suffix.lower() in _LINE_READERS


def _whole_reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics.tensorboard import all_rows

        return all_rows
    return _all_rows_of_text if is_text(file.name) else _reader(file)


def _reader(file: Path) -> Callable[[Path], Iterable[Row]] | None:
    if ".tfevents." in file.name:
        from expiac.apply.metrics.tensorboard import rows

        return rows
    if file.suffix == ".wandb":
        from expiac.apply.metrics import wandb_files

        return wandb_files.rows
    return _end_rows_of_text if is_text(file.name) else None


def _end_rows_of_text(file: Path) -> Iterator[Row]:
    return rows_of_text(file.name, _lines(file))


def _all_rows_of_text(file: Path) -> Iterator[Row]:
    return rows_of_text(file.name, whole_lines(file.read_bytes()))


def _rows_of_json(lines: Iterable[bytes]) -> Iterator[Row]:
    for line in lines:
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, dict) and (row := row_of(values)) is not None:
            yield row


def _rows_of_csv(lines: Iterable[bytes]) -> Iterator[Row]:
    table = csv.reader(line.decode("utf-8", "replace") for line in lines)
    names = next(table, [])
    for fields in table:
        if len(fields) != len(names):
            continue
        row = row_of({name: _number(field) for name, field in zip(names, fields, strict=True)})
        if row is not None:
            yield row


_LINE_READERS: dict[str, Callable[[Iterable[bytes]], Iterator[Row]]] = {
    ".jsonl": _rows_of_json, ".ndjson": _rows_of_json, ".csv": _rows_of_csv}


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return None


def _lines(file: Path) -> Iterator[bytes]:
    """The whole lines of a file; of a long one those of its two ends."""
    with file.open("rb") as stream:

        def read(begin: int, end: int) -> bytes:
            stream.seek(begin)
            return stream.read(end - begin)

        yield from lines_of_ends(read, os.fstat(stream.fileno()).st_size)


def lines_of_ends(read: Callable[[int, int], bytes], size: int) -> Iterator[bytes]:
    """The whole lines of a text of this size; of a long one those of its two ends. `read` gives a range of bytes."""
    if size <= 2 * _END:
        yield from whole_lines(read(0, size))
        return
    yield from whole_lines(read(0, _END))
    _cut, _, rest = read(size - _END, size).partition(b"\n")
    yield from whole_lines(rest)


def whole_lines(block: bytes) -> Iterator[bytes]:
    """The lines that end: a last line without its end is still being written."""
    whole, _, _unfinished = block.rpartition(b"\n")
    return (line for line in whole.split(b"\n") if line.strip())
