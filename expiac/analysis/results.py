"""The results of a stack: a table of its runs, and one of all that they logged. Nothing is read before it is asked for.

The histories of runs that have ended are kept by `HistoryCache`, so that they are read once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from expiac.analysis.at import At
from expiac.analysis.cache import HistoryCache, Version
from expiac.analysis.histories import HistorySource, default_source
from expiac.analysis.runs import Run, differing, runs_of
from expiac.analysis.trials import sweeps_of
from expiac.apply.metrics import MetricsError
from expiac.declare.metrics import MetricSettings
from expiac.declare.project import Project
from expiac.providers.base import Provider
from expiac.providers.registry import Providers
from expiac.state.events import SweepFacts
from expiac.state.model import State
from expiac.util.errors import ExpiacError

if TYPE_CHECKING:
    import polars as pl

_AT_ONCE = 2_000_000
"""As many values are gathered before they are kept."""


class Results:
    """What the runs of one stack came to."""

    def __init__(self, state: State, project: Project, *, archived: bool = False, at: At = "last",
                 source: HistorySource | None = None, known: Sequence[Run] | None = None,
                 providers: Mapping[str, Provider] | None = None, asks: bool = False) -> None:
        self.stack = state.stack
        self.at = at
        self.metrics: MetricSettings = project.metrics
        self.known: tuple[Run, ...] = runs_of(state, archived=archived) if known is None else tuple(known)
        """The runs, in the order of the tables."""
        of_runs = {run.trial.sweep for run in self.known}
        self.sweeps: Mapping[str, SweepFacts] = {
            address: facts for address, facts in sweeps_of(state).items() if address in of_runs}
        """What was declared of the sweeps that the runs are trials of, by address."""
        self.notes: list[str] = []
        """Why the history of a run could not be read, once the histories were asked for."""
        self._noted: set[str] = set()
        self._source = source or default_source(state, project, self.known, providers or Providers(project), asks=asks)
        self._cache = HistoryCache(project.state_folder / "cache" / "results" / state.stack)
        self._all = [run.instance for run in runs_of(state, archived=True)]

    @cached_property
    def runs(self) -> pl.DataFrame:
        """One row for each run: job, instance, launch, status, archived, seed, the settings that differ, launched,
        seconds, cost, the last step, and a column for each metric; where there are sweeps, the sweep stands before
        the seed. Cost is in dollars."""
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

        versions = {run.instance: {"launch": run.launch, "content": self._source.version(run)} for run in self.known}
        ended = {run.instance for run in self.known if _has_ended(run)}
        kept, known = self._cache.read({one: version for one, version in versions.items() if one in ended})
        unread = [run for run in self.known if run.instance not in known]
        logged = frames.histories(self.known, [kept, *self._read(unread, versions, ended)])
        self._note_empty(logged, versions)
        self.notes.extend(note for note in self._source.notes if note not in self.notes)
        if unread:
            self._cache.tidy(self._all)
        return logged

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

    def _read(self, runs: Sequence[Run], versions: Mapping[str, Version], ended: Collection[str]
              ) -> Iterator[pl.DataFrame]:
        """The histories of these runs from their source, some runs at a time; keeps those that have ended."""
        from expiac.analysis import history_frames

        left = list(reversed(runs))
        while left:
            gathering, read = history_frames.Gathering(), list[str]()
            while left and gathering.count < _AT_ONCE:
                run = left.pop()
                try:
                    gathering.add(run.instance, self._source.rows(run))
                except MetricsError as error:
                    self._note(run, str(error))
                except OSError as error:
                    self._note(run, f"{error.filename or run.metrics_path} can't be read: {error.strerror or error}")
                except ExpiacError as error:  # a tracker that does not answer to the end
                    self._note(run, f"{error.summary}: {error.detail}")
                else:
                    read.append(run.instance)
            logged = gathering.frame()
            keeps = {one: versions[one] for one in read if one in ended and versions[one]["content"] is not None}
            if keeps:
                self._cache.add(history_frames.only(logged, keeps), keeps)
            yield logged

    def _note_empty(self, logged: pl.DataFrame, versions: Mapping[str, Version]) -> None:
        """Names the runs that have ended and of whose metrics, although there are some, nothing can be read."""
        well = {*logged["instance"].unique(), *self._noted}
        for run in self.known:
            if run.instance not in well and _has_ended(run) and versions[run.instance]["content"] is not None:
                self._note(run, f"no metrics can be read from {run.metrics_path or 'what it has told'}")

    def _note(self, run: Run, text: str) -> None:
        self._noted.add(run.instance)
        self.notes.append(f"{run.job}: {text}")


def _has_ended(run: Run) -> bool:
    return run.is_archived or not run.status.is_live
