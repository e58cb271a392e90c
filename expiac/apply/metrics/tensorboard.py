"""Reads the scalars of a TensorBoard event file, by TensorBoard's own reader where it is installed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.rows import Row
from expiac.apply.metrics.streams import open_regular

_SCALARS = "scalars"
_FORMATS = {1: "<f", 2: "<d"}
"""How a tensor of one number is packed, by TensorFlow's number of its type: float32 and float64."""


@dataclass(slots=True)
class _Ends:
    """The first and the last value of each scalar, as far as its file has been read; the loader goes on from there."""

    loader: Any
    marked: set[str] = field(default_factory=set)
    began: float | None = None
    first: dict[str, Row] = field(default_factory=dict)
    last: dict[str, Row] = field(default_factory=dict)


_ENDS: dict[Path, _Ends] = {}
"""By file: one is read once per command, however often it is asked."""


def rows(file: Path) -> Iterator[Row]:
    """The first and the last value of each scalar; raises `MissingPackage` where TensorBoard is not installed."""
    ends = _ENDS.get(file)
    if ends is None:
        ends = _ENDS[file] = _Ends(_loader(file))
    for time, step, tag, value in _scalars(ends.loader, ends.marked):
        ends.began = time if ends.began is None else ends.began
        ends.last[tag] = Row(step, elapsed=time - ends.began, metrics={tag: value})
        ends.first.setdefault(tag, ends.last[tag])
    yield from sorted([*ends.first.values(), *ends.last.values()], key=lambda row: row.step or 0.0)


def all_rows(file: Path) -> Iterator[Row]:
    """Every value of each scalar, as it stands in the file; raises `MissingPackage` where TensorBoard is missing."""
    began = None
    for time, step, tag, value in _scalars(_loader(file), set()):
        began = time if began is None else began
        yield Row(step, elapsed=time - began, metrics={tag: value})


def _loader(file: Path) -> Any:
    open_regular(file).close()
    try:
        from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader
    except ImportError as error:
        raise MissingPackage("tensorboard") from error
    return LegacyEventFileLoader(str(file))


def _scalars(loader: Any, marked: set[str]) -> Iterator[tuple[float, float, str, float]]:
    """The time, step, tag and value of each scalar that the loader has not given yet.

    `marked` has the tags of which a first value said that they are scalars: TensorFlow 2 writes tensors.
    """
    events = loader.Load()
    while True:
        try:
            event = next(events, None)
        except Exception:  # what its reader raises for a file that is damaged, or is no event file
            return
        if event is None:
            return
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == _SCALARS:
                marked.add(value.tag)
            number = value.simple_value if value.HasField("simple_value") else _number(value, marked)
            if number is not None:
                yield event.wall_time, float(event.step), value.tag, float(number)


def _number(value: Any, marked: set[str]) -> float | None:
    if value.tag not in marked or not value.HasField("tensor"):
        return None
    tensor = value.tensor
    known = tensor.float_val or tensor.double_val
    if known:
        return float(known[0])
    form = _FORMATS.get(tensor.dtype)
    if form is None or struct.calcsize(form) != len(tensor.tensor_content):
        return None
    return float(struct.unpack(form, tensor.tensor_content)[0])
