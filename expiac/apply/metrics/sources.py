"""Where the metrics of runs are looked for: the first of the sources that has some of a run counts.

The order stands in `sources_of`, for `status` and for the histories alike. A source is asked about many runs at once,
within a time limit, and says of those that it could not read in time why.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from expiac.apply.events import Progress
from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.files import files_of, read, read_rows
from expiac.apply.metrics.rows import Row
from expiac.apply.metrics.search import find_metrics_file
from expiac.providers.base import Extent, Id, Provider, TellsMetrics
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record
from expiac.state.status import Status

STATUS_SECONDS = 8.0
"""How long a look at how far the runs are may ask the backends for their metrics, all together."""
HISTORY_SECONDS = 60.0
"""How long a look at their histories may."""


class RunMetrics(Protocol):
    """The metrics of one run at one place."""

    def progress(self) -> Progress | None:
        """How far it is; None where nothing can be read yet. Raises `MissingPackage` if the format needs one."""

    def version(self) -> str | None:
        """Names what `rows` would give now: it changes whenever that may have changed."""

    def rows(self) -> Iterable[Row]:
        """Every row, in the order of the logging. Raises `MissingPackage` if the format needs one."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a source has of a run."""

    metrics: RunMetrics | None = None
    note: str = ""
    """Why there is nothing, or may be more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for."""

    lineage: str
    wants_history: bool = False
    """Every row, and not only how far the runs are."""
    seconds: float = STATUS_SECONDS
    """For each source, for all runs together; with 0, nobody is asked."""


class MetricsSource(Protocol):
    """A place that may have metrics of runs."""

    def find(self, runs: Sequence[Record], look: Look) -> Mapping[str, Found]:
        """By instance; a run that is not in it has nothing here."""


@dataclass(frozen=True, slots=True)
class MetricsFiles:
    """Metrics that are files on this machine, oldest first."""

    files: tuple[Path, ...]

    def progress(self) -> Progress | None:
        """By the newest file."""
        return read(self.files[-1])

    def version(self) -> str | None:
        """The path, size and time of each file."""
        try:
            known = [(str(file), file.stat()) for file in self._all]
        except OSError:
            return None
        return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in known])

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
    """The sources in their order: the nearest and most complete first."""
    return FilesHere(), ToldByProviders(providers)


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
    except MissingPackage as error:
        return None, str(error)


def _file_here(run: Record) -> Path | None:
    """The metrics file of a run; a path that is not absolute is one of another machine."""
    path = metrics_in(run.outputs)
    if path is None or not path.startswith("/"):
        return None
    return find_metrics_file(Path(path)) if Path(path).is_dir() else Path(path) if Path(path).is_file() else None


def _id(run: Record, lineage: str) -> Id:
    return Id(lineage, run.run.instance, run.run.launch, run.handle)


def _extent(run: Record, look: Look) -> Extent:
    """How much is asked of a run's provider: nothing of a job that can't have printed anything yet."""
    if run.status.is_over:
        return Extent.FINAL
    if run.status is not Status.RUNNING:
        return Extent.KEPT
    return Extent.ALL if look.wants_history else Extent.NEWEST
