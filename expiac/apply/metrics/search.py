"""Finds the metrics file in the folder of a run, within limits: a run may leave any number of files behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

KINDS = ("*/metrics.jsonl", "*/metrics.csv", "*/events.out.tfevents.*", "offline-run-*/run-*.wandb")
"""A metrics file by its folder's name and its own; the first kind that is there counts."""
_OFFLINE = len(KINDS) - 1
AT_ONCE = ("metrics.jsonl", "metrics.csv")
"""If the folder itself has one of these, nothing else is looked at."""
DEPTH = 6
"""How many levels below the folder are searched."""
ENTRIES = 20_000
"""How many files and folders are looked at."""


def find_metrics_file(folder: Path, *, limit: int = ENTRIES) -> Path | None:
    """The file that the folder's metrics are read from: the newest of the first kind that is there.

    If there is none, what has the name of one, such as a pipe or a link that leads nowhere.
    """
    folder = folder.resolve()  # `latest-run` is a link to an `offline-run-*`
    for name in AT_ONCE:
        if (folder / name).is_file():
            return folder / name
    newest: dict[int, tuple[float, str]] = {}
    for entry in _entries(folder, limit):
        kind = _kind(entry)
        if kind is not None and _is_file(entry):
            newest[kind] = max(newest.get(kind, (0.0, "")), (_modified(entry), entry.path))
    if newest:
        return Path(newest[min(newest)][1])
    return next((folder / name for name in AT_ONCE if os.path.lexists(folder / name)), None)  # to say what is wrong


def offline_files(folder: Path, *, limit: int = ENTRIES) -> Iterator[Path]:
    """The files of all offline W&B runs in the folder and below it."""
    yield from (Path(entry.path) for entry in _entries(folder.resolve(), limit)
                if _kind(entry) == _OFFLINE and entry.is_file(follow_symlinks=False))


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link that leads to itself
        return False


def _kind(entry: os.DirEntry[str]) -> int | None:
    parent = os.path.basename(os.path.dirname(entry.path))
    name = f"{parent}/{entry.name}"
    return next((index for index, pattern in enumerate(KINDS) if fnmatchcase(name, pattern)), None)


def _entries(folder: Path, left: int) -> Iterator[os.DirEntry[str]]:
    """What the folder holds, level by level, the newest folders of a level first. Follows no link to a folder."""
    level = [str(folder)]
    for _ in range(DEPTH + 1):
        below: list[os.DirEntry[str]] = []
        for parent in level:
            for entry in islice(_scan(parent), left):
                left -= 1
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry)
        level = [entry.path for entry in sorted(below, key=_modified, reverse=True)]


def _scan(folder: str) -> Iterator[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:  # it may be gone, or another user's
        yield from entries


def _modified(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0
