"""Ends sweeps of which too many trials have failed, or whose budget is spent: begins no further one, and says why."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from expiac.apply.approvals import Approvals
from expiac.apply.engine import Engine
from expiac.apply.events import Reporter, Result, StepSkipped, Warned
from expiac.apply.refresh import id_of
from expiac.apply.refreshing import Refresher
from expiac.apply.wait import OnceIn
from expiac.plan.budgeting import beyond_budgets
from expiac.plan.budgets import Budgets, budgets_of
from expiac.plan.failures import EndedSweep, ended_sweeps, overspent_sweeps, stops_of
from expiac.plan.model import Plan, Step
from expiac.providers.base import Logs, Provider
from expiac.state.journal import Journal
from expiac.state.locking import lock_state
from expiac.state.model import Record
from expiac.util.errors import ExpiacError

_ERRORS = 3
"""How many errors are shown of a sweep."""
_PAUSE = 60.0
"""Seconds after which a stop that failed is tried again."""


def skip_unaffordable(result: Result, budgets: Budgets, reporter: Reporter) -> Result:
    """The result, in which deferred trials are skipped that no budget is left for, whatever those come to that run."""
    skipped = dict[str, Step]()
    for step, why in beyond_budgets(result.deferred, budgets):
        reporter.on_event(StepSkipped(step, why))
        skipped[step.address] = step
    return replace(result, skipped=(*result.skipped, *skipped.values()),
                   deferred=tuple(step for step in result.deferred if step.address not in skipped))


class SweepEnder:
    """Watches the sweeps of one plan."""

    def __init__(self, journal: Journal, refresher: Refresher, engine: Engine, providers: Mapping[str, Provider],
                 reporter: Reporter, approvals: Approvals, *, max_failures: int | None = None) -> None:
        self._journal, self._refresher, self._engine = journal, refresher, engine
        self._providers, self._reporter, self._approvals = providers, reporter, approvals
        self._max_failures = max_failures
        self._told: set[str] = set()
        self._tries: dict[str, OnceIn] = {}
        """When a stop that failed is tried again, by address."""
        self.ended: set[str] = set()
        """The sweeps of which nothing more is to be begun."""

    def end(self, plan: Plan, result: Result) -> Result:
        """The result, in which deferred trials of ended sweeps are skipped; takes back those that wait in a queue."""
        budgets = self._budgets_now(plan, result)
        ended = self._ended(plan, budgets)
        for sweep in ended:
            self._tell(sweep)
            self.ended.add(sweep.name)
        result = skip_unaffordable(result, budgets, self._reporter)
        if not ended:
            return result
        skipped = {step.address: (step, sweep) for step in result.deferred for sweep in ended
                   if sweep.has(step.address)}
        for step, sweep in skipped.values():
            self._reporter.on_event(StepSkipped(step, sweep.why))
        result = replace(result, skipped=(*result.skipped, *(step for step, _ in skipped.values())),
                         deferred=tuple(step for step in result.deferred if step.address not in skipped))
        return self._take_back(plan, result, ended)

    def budgets(self, plan: Plan) -> Budgets:
        """What its sweeps may still use."""
        return budgets_of(self._approvals.sweeps(plan), self._refresher.state, datetime.now(UTC))

    def _budgets_now(self, plan: Plan, result: Result) -> Budgets:
        """The same; before anything is ended or left out by them, another command may have raised them."""
        budgets = self.budgets(plan)
        is_new = any(sweep.name not in self.ended for sweep in overspent_sweeps(plan, budgets))
        if not is_new and not beyond_budgets(result.deferred, budgets):
            return budgets
        self._journal.reload()
        self._refresher.reload()
        return self.budgets(plan)

    def _ended(self, plan: Plan, budgets: Budgets) -> tuple[EndedSweep, ...]:
        return (*ended_sweeps(plan.sweeps, self._refresher.state, self._max_failures), *overspent_sweeps(plan, budgets))

    def _take_back(self, plan: Plan, result: Result, ended: Sequence[EndedSweep]) -> Result:
        due = {step.address for step in stops_of(ended, self._refresher.state)
               if self._tries.setdefault(step.address, OnceIn(_PAUSE))()}
        if not due:
            return result
        with lock_state(self._journal, None, purpose="apply"):
            self._refresher.query()  # the queue may have moved on since
            self._refresher.record()
            self._refresher.reload()
            now = self._ended(plan, self.budgets(plan))
            stops = tuple(step for step in stops_of(now, self._refresher.state) if step.address in due)
            if stops:
                part = replace(plan, steps=stops, moves={})
                self._approvals.record_again(part)
                more = self._engine.apply(part)
                before = tuple((step, error) for step, error in result.failed if step.address not in due)
                result = replace(result, done=result.done + more.done, failed=before + more.failed,
                                 skipped=result.skipped + more.skipped, interrupted=more.interrupted)
        self._refresher.reload()
        return result

    def _tell(self, sweep: EndedSweep) -> None:
        if sweep.name in self._told:
            return
        self._told.add(sweep.name)
        errors = [f"  {record.address}: {self._error(record)}" for record in sweep.failed[:_ERRORS]]
        more = len(sweep.failed) - _ERRORS
        then = "nothing more is begun, and what runs is stopped" if sweep.stops_runs else "no further one is begun"
        lines = [f"{sweep.why}; {then}", *errors, *([f"  and {more:,} more"] if more > 0 else [])]
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
