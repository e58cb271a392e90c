"""Reads the scalars of a TensorBoard event file, by TensorBoard's own reader where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.rows import Row

_READERS: dict[Path, Any] = {}
"""The reader of each file, which goes on where it was: a file is read once per command, however often it is asked."""


def rows(file: Path) -> Iterator[Row]:
    """The first and the last value of each scalar; raises `MissingPackage` where TensorBoard is not installed."""
    accumulator = _READERS.get(file)
    if accumulator is None:
        try:
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        except ImportError as error:
            raise MissingPackage("tensorboard") from error
        accumulator = _READERS[file] = EventAccumulator(str(file), size_guidance={"scalars": 0, "tensors": 1})
    accumulator.Reload()
    series = {tag: accumulator.Scalars(tag) for tag in accumulator.Tags()["scalars"]}
    ends = [(event.step, event.wall_time, tag, event.value)
            for tag, events in series.items() if events for event in (events[0], events[-1])]
    if not ends:
        return
    began = min(time for _, time, _, _ in ends)
    for step, time, tag, value in sorted(ends, key=lambda end: end[:2]):
        yield Row(step, elapsed=time - began, metrics={tag: float(value)})
