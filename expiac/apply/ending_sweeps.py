"""Ends sweeps of which too many trials have failed: begins no further one, and says why, with the first errors."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from expiac.apply.engine import Engine
from expiac.apply.events import Reporter, Result, StepSkipped, Warned
from expiac.apply.refresh import id_of
from expiac.apply.refreshing import Refresher
from expiac.plan.failures import EndedSweep, ended_sweeps, stops_of_queued
from expiac.plan.model import Plan
from expiac.providers.base import Logs, Provider
from expiac.state.journal import Journal
from expiac.state.locking import lock_state
from expiac.state.model import Record
from expiac.util.errors import ExpiacError

_ERRORS = 3
"""How many errors are shown of a sweep."""


class SweepEnder:
    """Watches the sweeps of one plan."""

    def __init__(self, journal: Journal, refresher: Refresher, engine: Engine, providers: Mapping[str, Provider],
                 reporter: Reporter, approve: Callable[[Plan], None], *, max_failures: int | None = None) -> None:
        self._journal, self._refresher, self._engine = journal, refresher, engine
        self._providers, self._reporter, self._approve = providers, reporter, approve
        self._max_failures = max_failures
        self._told: set[str] = set()
        self.ended: set[str] = set()
        """The sweeps of which nothing more is to be begun."""

    def end(self, plan: Plan, result: Result) -> Result:
        """The result, in which deferred trials of ended sweeps are skipped; takes back those that wait in a queue."""
        ended = ended_sweeps(plan.sweeps, self._refresher.state, self._max_failures)
        for sweep in ended:
            self._tell(sweep)
            self.ended.add(sweep.name)
        if not ended:
            return result
        skipped = {step.address: (step, sweep) for step in result.deferred for sweep in ended
                   if sweep.has(step.address)}
        for step, sweep in skipped.values():
            self._reporter.on_event(StepSkipped(step, sweep.why))
        result = replace(result, skipped=(*result.skipped, *(step for step, _ in skipped.values())),
                         deferred=tuple(step for step in result.deferred if step.address not in skipped))
        return self._take_back(plan, result, ended)

    def _take_back(self, plan: Plan, result: Result, ended: Sequence[EndedSweep]) -> Result:
        if not stops_of_queued(ended, self._refresher.state):
            return result
        with lock_state(self._journal, None, purpose="apply"):
            self._refresher.query()  # the queue may have moved on since
            self._refresher.record()
            self._refresher.reload()
            stops = stops_of_queued(ended, self._refresher.state)
            if stops:
                part = replace(plan, steps=stops, moves={})
                self._approve(part)
                more = self._engine.apply(part)
                result = replace(result, done=result.done + more.done, failed=result.failed + more.failed,
                                 skipped=result.skipped + more.skipped, interrupted=more.interrupted)
        self._refresher.reload()
        return result

    def _tell(self, sweep: EndedSweep) -> None:
        if sweep.name in self._told:
            return
        self._told.add(sweep.name)
        errors = [f"  {record.address}: {self._error(record)}" for record in sweep.failed[:_ERRORS]]
        more = len(sweep.failed) - _ERRORS
        lines = [f"{sweep.why}; no further one is begun", *errors, *([f"  and {more:,} more"] if more > 0 else [])]
        self._reporter.on_event(Warned("\n".join(lines)))

    def _error(self, record: Record) -> str:
        """What its backend says of a failed run, with the last line that it printed."""
        said, line = record.detail or record.status.value, self._last_line(record)
        return f"{said}: {line}" if line and line not in said else said

    def _last_line(self, record: Record) -> str:
        provider: object = self._providers.get(record.provider)
        if not isinstance(provider, Logs):
            return ""
        try:
            last = deque(provider.logs(id_of(record, self._journal.state.lineage)), maxlen=1)
        except ExpiacError:
            return ""
        return last[0].strip() if last else ""
