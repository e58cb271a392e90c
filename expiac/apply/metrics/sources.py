"""Where the metrics of runs are looked for: the first of the sources that has some of a run counts.

The order stands in `sources_of`, for `status` and for the histories alike. A source is asked about many runs at once,
within a time limit, and says of those that it could not read in time why.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from expiac.apply.events import Progress
from expiac.apply.metrics.buckets import Buckets
from expiac.apply.metrics.errors import MetricsError
from expiac.apply.metrics.files import files_of, read, read_rows
from expiac.apply.metrics.places import Found, Look, MetricsSource
from expiac.apply.metrics.rows import Row
from expiac.apply.metrics.search import find_metrics_file
from expiac.providers.base import Extent, Id, Provider, TellsMetrics
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record
from expiac.state.status import Status


@dataclass(frozen=True, slots=True)
class MetricsFiles:
    """Metrics that are files on this machine, oldest first."""

    files: tuple[Path, ...]

    def progress(self) -> Progress | None:
        """By the newest file."""
        return read(self.files[-1])

    def version(self) -> str | None:
        """The path, the size, the time of the last change, and the number of each file."""
        try:
            known = [(str(file), file.stat()) for file in self._all]
        except OSError:
            return None
        return json.dumps([(name, stat.st_size, stat.st_mtime_ns, stat.st_ino) for name, stat in known])

    def rows(self) -> Iterable[Row]:
        return read_rows(self._all)

    @property
    def _all(self) -> list[Path]:
        return [one for file in self.files for one in files_of(file)]


class FilesHere:
    """The files that the output `metrics` names, where this machine has them."""

    def find(self, runs: Sequence[Record], look: Look) -> Mapping[str, Found]:
        """Asks nobody: it looks."""
        files = {run.run.instance: _file_here(run) for run in runs}
        return {name: Found(MetricsFiles((file,))) for name, file in files.items() if file is not None}


class ToldByProviders:
    """What the providers of the runs can tell of them, such as from their logs."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self._providers = providers

    def find(self, runs: Sequence[Record], look: Look) -> Mapping[str, Found]:
        """One call for each provider."""
        found: dict[str, Found] = {}
        for name in dict.fromkeys(run.provider for run in runs):
            provider: object = self._providers.get(name)
            if isinstance(provider, TellsMetrics):
                own = {_id(run, look.lineage): _extent(run, look) for run in runs if run.provider == name}
                told = provider.metrics(own, timeout=look.seconds)
                found |= {id.instance: Found(MetricsFiles(one.files) if one.files else None, one.note)
                          for id, one in told.items()}
        return found


def sources_of(providers: Mapping[str, Provider]) -> tuple[MetricsSource, ...]:
    """The sources in their order: the nearest and most complete first. Of histories, W&B stands before the last."""
    return *nearby_sources(), *told_sources(providers)


def nearby_sources() -> tuple[MetricsSource, ...]:
    """Those that have the very file which a run writes."""
    return FilesHere(), Buckets()


def told_sources(providers: Mapping[str, Provider]) -> tuple[MetricsSource, ...]:
    """Those that have what a run tells of itself."""
    return (ToldByProviders(providers),)


def find_metrics(runs: Iterable[Record], sources: Iterable[MetricsSource], look: Look) -> dict[str, Found]:
    """The metrics of each run that has some, by instance, from the first source that has them; or why there are none.
    """
    left = {run.run.instance: run for run in runs}
    found: dict[str, Found] = {}
    for source in sources:
        for instance, one in (source.find(tuple(left.values()), look) if left else {}).items():
            if one.metrics is not None:
                left.pop(instance)
            if one.metrics is not None or (one.note and instance not in found):
                found[instance] = one
    return found


def progress_of(found: Found | None) -> tuple[Progress | None, str]:
    """How far a run is by its metrics, and what is to be said of them."""
    if found is None or found.metrics is None:
        return None, found.note if found else ""
    try:
        return found.metrics.progress(), found.note
    except MetricsError as error:
        return None, str(error)


def _file_here(run: Record) -> Path | None:
    """The metrics file of a run; a path that is not absolute is one of another machine."""
    path = metrics_in(run.outputs)
    if path is None or not path.startswith("/"):
        return None
    place = Path(path)
    if place.is_dir():
        return find_metrics_file(place)
    return place if os.path.lexists(place) else None  # of a pipe or a broken link, the reader says what is wrong


def _id(run: Record, lineage: str) -> Id:
    return Id(lineage, run.run.instance, run.run.launch, run.handle)


def _extent(run: Record, look: Look) -> Extent:
    """How much is asked of a run's provider: nothing of a job that can't have printed anything yet."""
    if run.status.is_over:
        return Extent.FINAL
    if run.status is not Status.RUNNING:
        return Extent.KEPT
    return Extent.ALL if look.wants_history else Extent.NEWEST
