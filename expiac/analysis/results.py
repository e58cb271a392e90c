"""The results of a stack: a table of its runs, and one of all that they logged. Nothing is read before it is asked for.

The histories of runs that have ended are kept as files under `.expiac/cache/results`, each with the launch and the
version of what it is a copy of, so that they are read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expiac.analysis.at import At
from expiac.analysis.histories import FoundHistories, HistorySource
from expiac.analysis.runs import Run, differing, runs_of
from expiac.apply.metrics import MetricsError
from expiac.apply.metrics.places import MetricsSource
from expiac.apply.metrics.sources import FilesHere
from expiac.declare.metrics import MetricSettings
from expiac.declare.project import Project
from expiac.state.model import State

if TYPE_CHECKING:
    import polars as pl

_FORMAT = 1
"""Of the cached files; others are not read."""


class Results:
    """What the runs of one stack came to."""

    def __init__(self, state: State, project: Project, *, archived: bool = False, at: At = "last",
                 source: HistorySource | None = None, sources: Sequence[MetricsSource] = (FilesHere(),),
                 asks: bool = True) -> None:
        self.stack = state.stack
        self.at = at
        self.metrics: MetricSettings = project.metrics
        self.known: tuple[Run, ...] = runs_of(state, archived=archived)
        """The runs, in the order of the tables."""
        self.notes: list[str] = []
        """Why the history of a run could not be read, once the histories were asked for."""
        self._source = source or FoundHistories(state, sources, asks=asks, archived=archived)
        self._cache = project.state_folder / "cache" / "results"

    @cached_property
    def runs(self) -> pl.DataFrame:
        """One row for each run: job, instance, launch, status, archived, seed, the settings that differ, launched,
        seconds, cost, the last step, and a column for each metric. Cost is in dollars."""
        from expiac.analysis import frames

        return frames.runs_table(self.known, self.settings, self._last_steps, self._figures)

    def figures(self, run: Run) -> Mapping[str, float]:
        """The figure of a run for each metric that has one."""
        return self._figures.get(run.instance, {})

    def logged(self, run: Run) -> Sequence[str]:
        """The metrics that a run has logged."""
        return self._names.get(run.instance, ())

    def last_step(self, run: Run) -> float | None:
        """The last step of which a run logged anything."""
        return self._last_steps.get(run.instance)

    @cached_property
    def histories(self) -> pl.DataFrame:
        """One row for each value that was logged: job, instance, metric, step, elapsed (in seconds), value."""
        from expiac.analysis import frames

        return frames.histories(self.known, [self._history(run) for run in self.known])

    @cached_property
    def settings(self) -> tuple[str, ...]:
        """The key paths, other than the seed, at which the settings of the runs differ."""
        return differing(self.known)

    @property
    def directions(self) -> Mapping[str, str]:
        """`max`, `min` or nothing, by metric, as `[tool.expiac.metrics] show` says."""
        return {metric.name: metric.direction for metric in self.metrics.show}

    @cached_property
    def _figures(self) -> Mapping[str, Mapping[str, float]]:
        from expiac.analysis import frames

        return frames.figures(self.histories, self.at, self.directions)

    @cached_property
    def _names(self) -> Mapping[str, Sequence[str]]:
        from expiac.analysis import frames

        return frames.metric_names(self.histories)

    @cached_property
    def _last_steps(self) -> Mapping[str, float]:
        from expiac.analysis import frames

        return frames.last_steps(self.histories)

    def _history(self, run: Run) -> pl.DataFrame:
        from expiac.analysis import frames

        file = self._cache / f"{run.instance}.parquet"
        content = self._source.version(run)
        version = {"format": _FORMAT, "launch": run.launch, "content": content}
        if (kept := self._kept(run, file, version)) is not None:
            return kept
        if note := self._source.note(run):
            self.notes.append(f"{run.job}: {note}")
        try:
            frame = frames.history(self._source.rows(run))
        except MetricsError as error:
            self.notes.append(f"{run.job}: {error}")
            return frames.history(())
        if content is not None and _has_ended(run):
            with suppress(OSError):
                frames.write_cached(file, frame, version)
        return frame

    def _kept(self, run: Run, file: Path, version: Mapping[str, Any]) -> pl.DataFrame | None:
        """The cached history if it is still that of the run: of one whose files are gone, the history that they had."""
        from expiac.analysis import frames

        if not _has_ended(run) or not file.is_file():
            return None
        known = frames.cached_version(file)
        if version["content"] is None:
            known = {**known, "content": None}
        return frames.read_cached(file) if known == version else None


def _has_ended(run: Run) -> bool:
    return run.is_archived or not run.status.is_live
