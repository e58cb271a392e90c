"""Reads the scalars of a TensorBoard event file, by TensorBoard's own reader where it is installed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.rows import Row

_READERS: dict[Path, Any] = {}
"""The reader of each file, which goes on where it was: a file is read once per command, however often it is asked."""


def rows(file: Path) -> Iterator[Row]:
    """The first and the last value of each scalar; raises `MissingPackage` where TensorBoard is not installed."""
    return _rows((tag, event) for tag, events in _series(file).items() if events for event in (events[0], events[-1]))


def all_rows(file: Path) -> Iterator[Row]:
    """Every value of each scalar; raises `MissingPackage` where TensorBoard is not installed."""
    return _rows((tag, event) for tag, events in _series(file).items() for event in events)


def _series(file: Path) -> dict[str, Any]:
    accumulator = _READERS.get(file)
    if accumulator is None:
        try:
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        except ImportError as error:
            raise MissingPackage("tensorboard") from error
        accumulator = _READERS[file] = EventAccumulator(str(file), size_guidance={"scalars": 0, "tensors": 1})
    accumulator.Reload()
    return {tag: accumulator.Scalars(tag) for tag in accumulator.Tags()["scalars"]}


def _rows(scalars: Iterable[tuple[str, Any]]) -> Iterator[Row]:
    values = [(event.step, event.wall_time, tag, event.value) for tag, event in scalars]
    if not values:
        return
    began = min(time for _, time, _, _ in values)
    for step, time, tag, value in sorted(values, key=lambda value: value[:2]):
        yield Row(step, elapsed=time - began, metrics={tag: float(value)})
