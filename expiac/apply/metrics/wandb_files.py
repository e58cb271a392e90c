"""Reads the history in the file of an offline Weights & Biases run, by W&B's own reader where it is installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.rows import Row, row_of

_ROWS: dict[Path, tuple[int, list[Row]]] = {}
"""The rows of each file at a size: it is read again only once it has grown."""


def rows(file: Path) -> list[Row]:
    """What was logged so far; raises `MissingPackage` where W&B is not installed."""
    size = file.stat().st_size
    known = _ROWS.get(file)
    if known is None or known[0] != size:
        known = _ROWS[file] = (size, [row for values in _history(file) if (row := row_of(values)) is not None])
    return known[1]


def _history(file: Path) -> Iterator[dict[str, Any]]:
    """What each call of `log` logged. The last record of a live run may not be whole: it is left out."""
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
