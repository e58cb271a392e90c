"""Keeps the histories of runs that have ended, so that they are read once: under `.expiac/cache/results/<stack>`.

Each file holds the histories of all runs that one command read, below a line that says of which runs, what these are
copies of, and the checksum of the rest. Files are written whole and never changed. So a kill leaves nothing half done,
and several commands may read and write at once: of two copies the newer counts, and a file that another command has
merged away is as one that was never there. What is damaged or of another format is read again from its source.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from expiac.util.durable import replace_file

if TYPE_CHECKING:
    import polars as pl

FORMAT = 2
"""Of the files; those of another one are removed."""
MOST_FILES = 8
"""More small ones are merged."""
_SMALL = 16 * 1024 * 1024
"""Bytes: so a merge needs little memory, and a large file is written once."""
_LONGEST_HEAD = 64 * 1024 * 1024
Version = Mapping[str, Any]
"""What a history is a copy of: the `launch` of the run, and the `content` that its source names."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    versions: Mapping[str, Version]
    """Of the runs whose histories it holds, by instance."""


class HistoryCache:
    """The histories of one stack's runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, wanted: Mapping[str, Version]) -> tuple[pl.DataFrame, Collection[str]]:
        """The histories that are kept of these runs at these versions, and the instances of these runs.

        A content of None stands for any: the source has nothing any more, and what it had is wanted.
        """
        from expiac.analysis import history_frames

        parts, found = [], set[str]()
        for file in self._files():
            fitting = {instance for instance, version in file.versions.items()
                    if instance in wanted and instance not in found and fits(version, wanted[instance])}
            if fitting and (frame := _content(file.path)) is not None:
                parts.append(frame if len(fitting) == len(file.versions)
                             else history_frames.only(frame, fitting))
                found |= fitting
        return history_frames.joined(parts), found

    def holds(self) -> set[str]:
        """The instances of which some history is kept."""
        return {instance for file in self._files() for instance in file.versions}

    def add(self, logged: pl.DataFrame, versions: Mapping[str, Version]) -> None:
        """Keeps the histories of these runs; does nothing where the folder can't be written."""
        with suppress(OSError):
            self._write(logged, versions)

    def tidy(self, known: Collection[str]) -> None:
        """Forgets the runs that are not known any more and older copies, and merges files where there are many."""
        files = self._files()
        newest: dict[str, Path] = {}
        for file in files:
            for instance in file.versions:
                if instance in known:
                    newest.setdefault(instance, file.path)
        living = {file.path: {one for one in file.versions if newest.get(one) == file.path} for file in files}
        with suppress(OSError):
            self._remove_unreadable(files)
            wasteful = [file for file in files if 2 * len(living[file.path]) <= len(file.versions)]
            small = [file for file in files if file.path.stat().st_size <= _SMALL]
            if wasteful or len(small) > MOST_FILES:
                self._merge([file for file in files if file in small or file in wasteful], living)

    def _merge(self, files: Collection[_File], living: Mapping[Path, Collection[str]]) -> None:
        from expiac.analysis import history_frames

        parts, versions = [], dict[str, Version]()
        for file in files:
            keeps = living[file.path]
            if keeps and (frame := _content(file.path)) is not None:
                parts.append(history_frames.only(frame, keeps))
                versions |= {instance: file.versions[instance] for instance in keeps}
        if versions:
            self._write(history_frames.joined(parts), versions)
        for file in files:
            file.path.unlink(missing_ok=True)

    def _write(self, logged: pl.DataFrame, versions: Mapping[str, Version]) -> None:
        from expiac.analysis import history_frames

        content = history_frames.to_bytes(logged)
        head = json.dumps({"format": FORMAT, "checksum": zlib.crc32(content), "runs": versions})
        self._folder.mkdir(parents=True, exist_ok=True)
        replace_file(self._folder / f"{time.time_ns():020d}-{uuid4().hex[:8]}.histories",
                     head.encode() + b"\n" + content, durable=False)

    def _files(self) -> list[_File]:
        """Those that can be read, the newest first."""
        return [_File(path, head["runs"]) for path in sorted(self._folder.glob("*.histories"), reverse=True)
                if (head := _head(path)) is not None]

    def _remove_unreadable(self, files: Collection[_File]) -> None:
        readable = {file.path for file in files}
        for path in self._folder.glob("*.histories"):
            if path not in readable and _head(path) is None:
                path.unlink(missing_ok=True)


def fits(version: Version, wanted: Version) -> bool:
    """Whether a copy of this version is one of what is wanted; see `HistoryCache.read`."""
    return version == (wanted if wanted["content"] is not None else {**wanted, "content": version.get("content")})


def _head(path: Path) -> dict[str, Any] | None:
    """What a file says of itself; None where it can't be read, or is of another format."""
    try:
        if not path.is_file():
            return None  # a pipe would never answer
        with path.open("rb") as stream:
            head = json.loads(stream.readline(_LONGEST_HEAD))
    except (OSError, ValueError, RecursionError):
        return None
    is_ours = isinstance(head, dict) and head.get("format") == FORMAT and isinstance(head.get("runs"), dict)
    return head if is_ours and all(isinstance(version, dict) for version in head["runs"].values()) else None


def _content(path: Path) -> pl.DataFrame | None:
    """The histories of a file; None where it is damaged, or another command has merged it away."""
    from expiac.analysis import history_frames

    try:
        head, _, content = path.read_bytes().partition(b"\n")
        return history_frames.from_bytes(content) if json.loads(head)["checksum"] == zlib.crc32(content) else None
    except (OSError, ValueError, KeyError):
        return None
