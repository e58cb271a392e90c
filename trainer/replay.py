"""Replays as runs leave them: mettagrid's files `*.json.z`, as things and where they are at each step."""

import json
import zlib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import TrainerError

SUFFIX = ".json.z"
Changes = tuple[tuple[int, Any], ...]
"""A value and the step from which on it holds, by step."""


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of the grid: what it is, where it is when, and whether it is still there."""

    kind: str
    places: Changes
    alive: Changes

    def place(self, step: int) -> tuple[int, int] | None:
        """Its column and row; None if it is not there."""
        where = _at(self.places, step)
        return (int(where[0]), int(where[1])) if where is not None and _at(self.alive, step) is not False else None


@dataclass(frozen=True, slots=True)
class Replay:
    """An episode on a grid of `width` × `height` cells."""

    width: int
    height: int
    steps: int
    things: tuple[Thing, ...]


def find(run: Path) -> Path:
    """The newest replay of a run's folder or of a folder of replays; a file is itself. Raises `TrainerError`."""
    if run.is_file():
        return run
    found = sorted([*run.glob(f"*{SUFFIX}"), *run.glob(f"replays/*{SUFFIX}")])
    if not found:
        raise TrainerError(f"there is no replay ({SUFFIX}) in {run} or {run / 'replays'}")
    return found[-1]


def read(path: Path) -> Replay:
    """The replay in a file. Raises `TrainerError` if it is none."""
    try:
        known = json.loads(zlib.decompress(path.read_bytes()))
        width, height = (int(size) for size in known["map_size"])
        things = tuple(_thing(each) for each in known["objects"])
        replay = Replay(width, height, int(known["max_steps"]), things)
    except OSError as error:
        raise TrainerError(f"{path} can't be read: {error.strerror}") from error
    except (zlib.error, ValueError, KeyError, TypeError, IndexError) as error:
        raise TrainerError(f"{path} is no replay of mettagrid: {type(error).__name__}: {error}") from error
    if replay.width < 1 or replay.height < 1 or replay.steps < 1:
        raise TrainerError(f"{path} has {replay.width} × {replay.height} cells and {replay.steps} steps")
    return replay


def _thing(known: Mapping[str, Any]) -> Thing:
    return Thing(str(known["type_name"]), _changes(known["location"], 2), _changes(known.get("alive", True)))


def _changes(value: Any, length: int = 0) -> Changes:
    """The changes of a value; one that never changes is given by itself, and `length` tells it from a list of them."""
    is_constant = not isinstance(value, list) or (length > 0 and not isinstance(value[-1], list))
    return ((0, value),) if is_constant else tuple((int(step), inner) for step, inner in value)


def _at(changes: Changes, step: int) -> Any:
    index = bisect_right(changes, step, key=lambda change: change[0])
    return changes[index - 1][1] if index else None
