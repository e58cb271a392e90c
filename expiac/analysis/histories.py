"""Where the history of a run is read from: whatever it logged, row by row. Files on this machine, or W&B."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from expiac.analysis.runs import Run
from expiac.apply import metrics
from expiac.apply.metrics import Row, row_of
from expiac.tracking import TrackedRun, WandbService, get_wandb_service
from expiac.tracking.access import find_access
from expiac.util.errors import ExpiacError


class HistorySource(Protocol):
    """Gives the histories of runs."""

    @property
    def notes(self) -> Sequence[str]:
        """Why runs could not be read, so far."""

    def version(self, run: Run) -> str | None:
        """Names what a read would give now: it changes whenever that may have changed. None where there is nothing."""

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row that the run logged, in the order of the logging; they are read one by one.

        May raise `MissingPackage` or `OSError`: the run is named with the reason, and the others are shown.
        """


class MetricsFiles:
    """The metrics files of runs, by their output `metrics`."""

    notes: Sequence[str] = ()

    def version(self, run: Run) -> str | None:
        """The path, size and time of each file."""
        try:
            known = [(str(file), file.stat()) for file in self._files(run)]
        except OSError:
            return None
        return json.dumps([(name, stat.st_size, stat.st_mtime_ns) for name, stat in known]) if known else None

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row of the files; raises `MissingPackage` where the package for their format is not installed."""
        return metrics.read_rows(self._files(run))

    def _files(self, run: Run) -> tuple[Path, ...]:
        return metrics.files_of(Path(run.metrics_path)) if run.metrics_path is not None else ()


class WandbHistories:
    """The histories at W&B: the ID of a run there is the name of its instance.

    All that are asked for are looked up by one query, when the first one is.
    """

    def __init__(self, service: WandbService, instances: Iterable[str]) -> None:
        self.notes: list[str] = []
        self._service = service
        self._instances = tuple(instances)

    def version(self, run: Run) -> str | None:
        """Its state and its last step there; None where W&B has no such run, or does not answer, which a note says."""
        found = self._known.get(run.instance)
        if found is None:
            return None
        return json.dumps([found.url, found.state, found.summary.get("_step"), found.summary.get("_timestamp")])

    def rows(self, run: Run) -> Iterable[Row]:
        """Every row; raises `ExpiacError` where W&B does not answer to the end."""
        found = self._known.get(run.instance)
        rows = () if found is None else self._service.get_history(found)
        return (row for values in rows if (row := row_of(values)) is not None)

    @cached_property
    def _known(self) -> Mapping[str, TrackedRun]:
        try:
            return {run.id: run for run in self._service.find_runs(ids=self._instances)}
        except ExpiacError as error:
            if error.code != "no-such-wandb-project":  # nothing was uploaded yet
                self.notes.append(f"{error.summary}: {error.detail}")
            return {}


class InOrder:
    """Several sources: of each run, the first that has something."""

    def __init__(self, *sources: HistorySource) -> None:
        self._sources = sources

    @property
    def notes(self) -> Sequence[str]:
        """Those of all."""
        return [note for source in self._sources for note in source.notes]

    def version(self, run: Run) -> str | None:
        """That of the first source that has one."""
        return next((known for source in self._sources if (known := source.version(run)) is not None), None)

    def rows(self, run: Run) -> Iterable[Row]:
        """Those of the same source."""
        source = next((source for source in self._sources if source.version(run) is not None), self._sources[0])
        return source.rows(run)


def default_source(root: Path, runs: Iterable[Run]) -> HistorySource:
    """The metrics files; then W&B, where it is installed and there is a key for it."""
    if find_access(os.environ) is None or find_spec("wandb") is None:
        return MetricsFiles()
    return InOrder(MetricsFiles(), WandbHistories(get_wandb_service(root, online=True), (run.instance for run in runs)))
