"""The results of a stack: a table of its runs, and one of all that they logged. Nothing is read before it is asked for.

The histories of runs that have ended are kept by `HistoryCache`, so that they are read once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING

from expiac.analysis.at import At
from expiac.analysis.cache import HistoryCache, Version
from expiac.analysis.histories import HistorySource, default_source
from expiac.analysis.runs import Run, differing, runs_of
from expiac.analysis.summaries import Summary, SummaryCache
from expiac.analysis.trials import sweeps_of
from expiac.apply.metrics import MetricsError, Row
from expiac.declare.metrics import MetricSettings
from expiac.declare.project import Project
from expiac.providers.base import Provider
from expiac.providers.registry import Providers
from expiac.state.facts import SweepFacts
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
        folder = project.state_folder / "cache" / "results" / state.stack
        self._cache = HistoryCache(folder)
        self._kept = SummaryCache(folder, at, self.directions)
        self._all = {record.run.instance for record in (*state.history, *state.records.values())}

    @cached_property
    def runs(self) -> pl.DataFrame:
        """One row for each run: job, instance, launch, status, archived, seed, the settings that differ, launched,
        seconds, cost, the last step, and a column for each metric; where there are sweeps, the sweep stands before
        the seed. Cost is in dollars."""
        from expiac.analysis import frames

        return frames.runs_table(self.known, self.settings, self._summaries)

    def figures(self, run: Run) -> Mapping[str, float]:
        """The figure of a run for each metric that has one."""
        return self._summaries[run.instance].figures

    def logged(self, run: Run) -> Sequence[str]:
        """The metrics that a run has logged."""
        return self._summaries[run.instance].names

    def last_step(self, run: Run) -> float | None:
        """The last step of which a run logged anything."""
        return self._summaries[run.instance].step

    @cached_property
    def histories(self) -> pl.DataFrame:
        """One row for each value that was logged: job, instance, metric, step, elapsed (in seconds), value."""
        logged = self._histories_of(self.known)
        self._note_empty(self.known, {*logged["instance"].unique()})
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
    def _versions(self) -> Mapping[str, Version]:
        versions = {run.instance: {"launch": run.launch, "content": self._source.version(run)} for run in self.known}
        self._take_notes()
        return versions

    @cached_property
    def _ended(self) -> Mapping[str, Version]:
        """The versions of the runs that have ended: what is kept of them counts."""
        return {run.instance: self._versions[run.instance] for run in self.known if _has_ended(run)}

    @cached_property
    def _summaries(self) -> Mapping[str, Summary]:
        """What tables show of each run. Histories are opened only of runs of which that is not kept."""
        found = self._kept.read(self._ended)
        if left := [run for run in self.known if run.instance not in found]:
            new = self._summaries_of(left)
            keeps = {one: summary for one, summary in new.items() if one in self._readable}
            if keeps:
                self._kept.add(keeps, self._ended, self._all)
            found |= new
        self._note_empty(self.known, {one for one, summary in found.items() if summary.names})
        return found

    def _summaries_of(self, runs: Sequence[Run]) -> dict[str, Summary]:
        """Those of runs that have to be read; without polars where there is nothing to read of any."""
        found: Mapping[str, Summary] = {}
        held = self._cache.holds()
        if not all(run.instance not in held and self._has_nothing(run) for run in runs):
            from expiac.analysis import frames

            logged = self.histories if len(runs) == len(self.known) else self._histories_of(runs)
            found = frames.summaries(logged, self.at, self.directions)
        return {run.instance: found.get(run.instance, Summary()) for run in runs}

    def _has_nothing(self, run: Run) -> bool:
        """Whether a run has no row; where there should be some, says why."""
        first: list[Row] = []
        if self._versions[run.instance]["content"] is None:
            self._take_rows(run, lambda rows: first.extend(islice(rows, 1)))
        return not first and self._versions[run.instance]["content"] is None

    @property
    def _readable(self) -> set[str]:
        """The runs that have ended, and whose histories were read to their end."""
        with_content = {one for one, version in self._ended.items() if version["content"] is not None}
        return with_content - self._noted

    def _histories_of(self, runs: Sequence[Run]) -> pl.DataFrame:
        """The histories of these runs, from what is kept and from their sources."""
        from expiac.analysis import frames

        wanted = {run.instance for run in runs}
        kept, known = self._cache.read({one: version for one, version in self._ended.items() if one in wanted})
        unread = [run for run in runs if run.instance not in known]
        logged = frames.histories(runs, [kept, *self._read(unread)])
        if unread:
            self._cache.tidy(self._all)
        self._take_notes()
        return logged

    def _read(self, runs: Sequence[Run]) -> Iterator[pl.DataFrame]:
        """The histories of these runs from their source, some runs at a time; keeps those that have ended."""
        from expiac.analysis import history_frames

        left = list(reversed(runs))
        while left:
            gathering, read = history_frames.Gathering(), list[str]()
            while left and gathering.count < _AT_ONCE:
                run = left.pop()
                if self._take_rows(run, partial(gathering.add, run.instance)):
                    read.append(run.instance)
            logged = gathering.frame()
            readable = self._readable
            keeps = {one: self._versions[one] for one in read if one in readable}
            if keeps:
                self._cache.add(history_frames.only(logged, keeps), keeps)
            yield logged

    def _take_rows(self, run: Run, take: Callable[[Iterable[Row]], None]) -> bool:
        """Whether the rows of a run could be taken to their end; a note says why not."""
        try:
            take(self._source.rows(run))
        except MetricsError as error:
            self._note(run, str(error))
        except OSError as error:
            self._note(run, f"{error.filename or run.metrics_path} can't be read: {error.strerror or error}")
        except ExpiacError as error:  # a tracker that does not answer to the end
            self._note(run, f"{error.summary}: {error.detail}")
        else:
            return True
        return False

    def _note_empty(self, runs: Sequence[Run], logged: set[str]) -> None:
        """Names the runs that have ended and of whose metrics, although there are some, nothing can be read."""
        empty = self._readable - logged
        for run in runs:
            if run.instance in empty:
                self._add_note(f"{run.job}: no metrics can be read from {run.metrics_path or 'what it has told'}")

    def _note(self, run: Run, text: str) -> None:
        self._noted.add(run.instance)
        self._add_note(f"{run.job}: {text}")

    def _take_notes(self) -> None:
        for note in self._source.notes:
            self._add_note(note)

    def _add_note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _has_ended(run: Run) -> bool:
    return run.is_archived or not run.status.is_live
