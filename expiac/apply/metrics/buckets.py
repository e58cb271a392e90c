"""Metrics in a bucket: of how far a run is, the two ends of its file are read; of its history, the whole file.

An address is the output `metrics` itself, or where that output is in a bucket which the job mounts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import PurePosixPath
from typing import Any

from expiac.apply.events import Progress
from expiac.apply.metrics.errors import MetricsError
from expiac.apply.metrics.files import is_text, rows_of_text
from expiac.apply.metrics.places import Found, Look
from expiac.apply.metrics.rows import Row, summarize
from expiac.apply.metrics.search import AT_ONCE, DEPTH, KINDS
from expiac.apply.metrics.streams import lines_of_ends, whole_lines
from expiac.providers.mounts import bucket_url
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record
from expiac.util.filesystems import filesystem_of
from expiac.util.parallel import ParallelCalls
from expiac.util.timeout import TimedOut

CALLS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class BucketFile:
    """The metrics file of one run, as it is now."""

    files: Any
    """Its file system, as fsspec knows it."""
    name: str
    info: Mapping[str, Any]
    ends: Sequence[bytes] = ()
    """The lines of its two ends, where only these were asked for."""

    def progress(self) -> Progress | None:
        try:
            return summarize(rows_of_text(self.name, self.ends))
        except ValueError:
            return None

    def version(self) -> str | None:
        """Its name, size, and what the store says of its content or its time."""
        known = (self.info.get(key) for key in ("ETag", "etag", "md5Hash", "LastModified", "mtime", "updated"))
        return json.dumps([self.name, self.info.get("size"), *map(str, known)])

    def rows(self) -> Iterable[Row]:
        """Row by row; raises `MetricsError` where the file can't be read."""
        try:
            with BufferedReader(self.files.open(self.name, "rb")) as stream:
                yield from rows_of_text(self.name, whole_lines(stream, int(self.info.get("size") or 0)))
        except Exception as error:  # each store has errors of its own
            raise MetricsError(_not_read(self.name, error)) from error


class Buckets:
    """The buckets that runs write their metrics to; several files are read at once."""

    def __init__(self) -> None:
        self._calls: ParallelCalls[str, Found] = ParallelCalls(at_once=CALLS_AT_ONCE)

    def find(self, runs: Sequence[Record], look: Look) -> Mapping[str, Found]:
        """One or two requests for each run whose metrics are in a bucket."""
        urls = {run.run.instance: url for run in runs if (url := _address(run)) is not None}
        if not urls or not look.seconds:
            return {}
        calls = {instance: _reader(url, look) for instance, url in urls.items()}
        ended = self._calls.run(calls, seconds=look.seconds)
        late = TimedOut(f"no answer within {look.seconds:.0f} s")
        answers = {instance: ended.get(instance, late) for instance in urls}
        return {instance: one if isinstance(one, Found) else Found(None, _not_read(urls[instance], one))
                for instance, one in answers.items()}


def _address(run: Record) -> str | None:
    """Where the metrics of a run are in a bucket; None where they are in none."""
    path = metrics_in(run.outputs)
    if path is None or "://" in path:
        return path
    mounts = run.inputs.get("file_mounts")
    return bucket_url(path, mounts) if isinstance(mounts, Mapping) else None


def _reader(url: str, look: Look) -> Callable[[], Found]:
    return lambda: _found(url, look)


def _found(url: str, look: Look) -> Found:
    """What is at the address; nothing where the run has not written anything yet."""
    files, root = filesystem_of(url)
    try:
        info = files.info(root)
        if info.get("type") == "directory":
            info = _newest(files, root)
    except FileNotFoundError:
        return Found()
    if info is None:
        return Found()
    name, size = str(info["name"]), int(info.get("size") or 0)
    if not is_text(name):
        return Found(None, f"its metrics are {name}, which is read only on this machine: expiac fetch brings it")
    if look.wants_history:
        return Found(BucketFile(files, name, info))
    ends = tuple(lines_of_ends(lambda begin, end: files.cat_file(name, start=begin, end=end), size))
    return Found(BucketFile(files, name, info, ends))


def _newest(files: Any, folder: str) -> Mapping[str, Any] | None:
    """The metrics file of a folder, as in a folder on this machine: by its name, then the newest of the first kind."""
    found: dict[str, Mapping[str, Any]] = files.find(folder, maxdepth=DEPTH + 1, detail=True)
    for name in AT_ONCE:
        if (info := found.get(f"{folder.rstrip('/')}/{name}")) is not None:
            return info
    for kind in KINDS:
        known: list[Mapping[str, Any]] = [info for name, info in found.items() if PurePosixPath(name).match(kind)]
        if known:
            return max(known, key=_modified)
    return None


def _modified(info: Mapping[str, Any]) -> str:
    return str(info.get("LastModified") or info.get("mtime") or info.get("updated") or "")


def _not_read(name: str, error: BaseException) -> str:
    said = str(error) or type(error).__name__
    if isinstance(error, ImportError):
        said = f"{said}; pip install 'expiac[shared]'"
    return f"its metrics were not read from {name}: {said}"
