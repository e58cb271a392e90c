"""Reads the records in the file of a Weights & Biases run: what it logged, and all else that its client wrote.

The log is read by `run_log`; W&B itself, which is imported here, says what the bytes of a record mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.rows import Row, row_of, summarize
from expiac.apply.metrics.run_log import RunLog
from expiac.util.errors import ExpiacError

HISTORY, SUMMARY = 0x12, 0x1A
"""How the content of a record begins, after its number: these two kinds are nearly all of a file."""
_ENDS: dict[Path, tuple[int, list[Row]]] = {}
"""The first and the newest values in each file at a size: it is read again only once it has grown."""


def rows(file: Path) -> list[Row]:
    """The first and the newest value of each metric; raises `MissingPackage` where W&B is not installed."""
    size = file.stat().st_size
    known = _ENDS.get(file)
    if known is None or known[0] != size:
        known = _ENDS[file] = (size, _ends(file))
    return known[1]


def all_rows(file: Path) -> Iterator[Row]:
    """What each call of `log` logged. Raises `OSError`, and `MissingPackage` where W&B is not installed."""
    try:
        for values in history(RunLog(file)):
            if (row := row_of(values)) is not None:
                yield row
    except ExpiacError:
        return  # no file of W&B's


def _ends(file: Path) -> list[Row]:
    seen = summarize(all_rows(file))
    return [] if seen is None else [Row(None, metrics=seen.first),
                                    Row(seen.step, seen.total_steps, seen.elapsed, seen.metrics)]


def history(log: RunLog) -> Iterator[dict[str, Any]]:
    """What each call of `log` logged, by key path. The last record of a live run may not be whole: it is left out."""
    for record in records(log, without=SUMMARY):
        if record.WhichOneof("record_type") == "history":
            yield values_of(record.history.item)


def records(log: Iterable[bytes], *, without: int | None = None) -> Iterator[Any]:
    """The records of a file, but those of one kind. Raises `MissingPackage` where W&B is not installed."""
    try:
        from google.protobuf.message import DecodeError
        from wandb.proto.wandb_internal_pb2 import Record
    except ImportError as error:
        raise MissingPackage("wandb") from error
    for data in log:
        if _kind(data) == without:
            continue
        record = Record()
        try:
            record.ParseFromString(data)
        except DecodeError:
            continue  # of a kind that this version of W&B can't read
        yield record


def values_of(items: Iterable[Any]) -> dict[str, Any]:
    """The values of items by key path, with dots as W&B has them; a value that is no JSON is left out."""
    found: dict[str, Any] = {}
    for item in items:
        try:
            value = json.loads(item.value_json)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.update(flat(path_of(item), value))
        else:
            found[path_of(item)] = value
    return found


def path_of(item: Any) -> str:
    """The key path of an item, with dots."""
    return ".".join(item.nested_key) or str(item.key)


def flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not value or "_type" in value:  # a picture, a table, … is one value
        yield path, value
        return
    for key, inner in value.items():
        yield from flat(f"{path}.{key}", inner)


def _kind(data: bytes) -> int:
    """The first byte of a record's content: it stands after the record's number, of field 1, which may be left out."""
    position = 0
    if data[:1] == b"\x08":
        position = 1
        while position < len(data) and data[position] & 0x80:
            position += 1
        position += 1
    return data[position] if position < len(data) else -1
