"""Reads the history in the file of an offline Weights & Biases run, by W&B's own reader where it is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.rows import Row, row_of, summarize
from expiac.apply.metrics.streams import open_regular

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
    """What each call of `log` logged; raises `MissingPackage` where W&B is not installed."""
    return (row for values in _history(file) if (row := row_of(values)) is not None)


def _ends(file: Path) -> list[Row]:
    seen = summarize(all_rows(file))
    return [] if seen is None else [Row(None, metrics=seen.first),
                                    Row(seen.step, seen.total_steps, seen.elapsed, seen.metrics)]


def _history(file: Path) -> Iterator[dict[str, Any]]:
    """What each call of `log` logged. The last record of a live run may not be whole: it is left out."""
    open_regular(file).close()
    try:
        from wandb.proto.wandb_internal_pb2 import Record
        from wandb.sdk.internal.datastore import DataStore
    except ImportError as error:
        raise MissingPackage("wandb") from error
    store = DataStore()
    try:
        store.open_for_scan(str(file))
        while (data := store.scan_data()) is not None:
            record = Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                yield {"/".join(item.nested_key) or item.key: json.loads(item.value_json) for item in items}
    except Exception:  # what W&B's reader raises at the end of a file that is being written, assertions and others
        return
    finally:
        if store._fp is not None:
            store._fp.close()
