"""Reads how far a run is from its `metrics.jsonl`. Reads the file's two ends, whatever its size; knows no trainer.

One JSON object a line: `{"step", "total_steps", "time", "elapsed", "metrics": {name: number}}`. A line may carry any
metrics; the newest value of each counts. A last line that is still being written is left out.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expiac.apply.events import Progress, ResourceStatus
from expiac.plan.durations import Durations
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record, State

METRICS = "metrics.jsonl"
_END = 64 * 1024


def read(file: Path) -> Progress | None:
    """The progress that the file tells of, or None where there is none yet."""
    try:
        lines = list(_lines(file))
    except OSError:
        return None
    if not lines:
        return None
    newest: dict[str, float] = {}
    first: dict[str, float] = {}
    for line in lines:
        metrics = line["metrics"]
        newest.update(metrics)
        first = {**metrics, **first}
    last = lines[-1]
    return Progress(
        int(last["step"]), int(last.get("total_steps", 0)), float(last.get("elapsed", 0.0)), newest, first)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size <= 2 * _END:
            yield from _parse(stream.read())
            return
        yield from _parse(stream.read(_END))
        stream.seek(size - _END)
        # The first of these lines is most likely cut.
        yield from _parse(stream.read().partition(b"\n")[2])


def _parse(block: bytes) -> Iterator[dict[str, Any]]:
    whole, _, _torn = block.rpartition(b"\n")
    for text in whole.split(b"\n"):
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if not isinstance(line, dict) or not isinstance(line.get("metrics"), dict):
            continue
        counts = (line.get("step", math.nan), line.get("total_steps", 0), line.get("elapsed", 0.0))
        if all(_is_number(count) and math.isfinite(count) for count in counts):
            yield {**line, "metrics": {name: value for name, value in line["metrics"].items() if _is_number(value)}}


def _is_number(value: Any) -> bool:
    """Whoever writes metrics may write what is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def statuses_of(state: State) -> tuple[ResourceStatus, ...]:
    """How each resource of a state is, and how far."""
    durations = Durations(state)
    return tuple(
        ResourceStatus(record.address, record.run.instance, record.provider, record.status, record.run.launch,
                       record.detail, record.unseen, progress_of(record), record.seconds,
                       durations.usual_seconds(record.address))
        for record in state.records.values())


def progress_of(record: Record) -> Progress | None:
    """How far a run is, or how far it came, where its metrics are on this machine."""
    path = metrics_in(record.outputs)
    return read(Path(path)) if path is not None and "://" not in path else None
