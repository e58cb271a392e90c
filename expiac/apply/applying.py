"""Applies one plan: takes the lock, records what the refresh found, runs the engine, and waits if asked to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from expiac.apply.approvals import Approvals
from expiac.apply.ending_sweeps import SweepEnder, skip_unaffordable
from expiac.apply.engine import Engine
from expiac.apply.events import (
    Began,
    Finished,
    Reporter,
    ResourceStatus,
    Result,
    StepEnded,
    StepSkipped,
    Waiting,
    Warned,
)
from expiac.apply.hooks import ShellHooks
from expiac.apply.preconditions import refuse_unchecked, without_ended_runs
from expiac.apply.refreshing import Refresher
from expiac.apply.search import Proposals, record_told
from expiac.apply.stack_outputs import refuse_changed_references
from expiac.apply.wait import METRICS_PAUSE, UNDER_WAY, OnceIn, are_under_way, poll
from expiac.declare.component import component_of
from expiac.declare.project import Project
from expiac.plan.budgeting import bound_launches, within_budgets
from expiac.plan.budgets import Budgets, budgets_of
from expiac.plan.deferred import Outlook, outlook
from expiac.plan.model import Action, Plan, Step
from expiac.plan.preflight import refuse_without_access
from expiac.plan.running import bound_running, first_to_run
from expiac.providers.base import Provider
from expiac.state.journal import Journal
from expiac.state.locking import lock_state, refuse_stale
from expiac.state.model import State
from expiac.util.errors import ExpiacError, Locked, Stale

_MOST_PLANS = 3
"""How many plans are made of one apply: that of its beginning, and two more under the lock."""
_STALE_PLAN = "stale-plan"
"""The code of the error that another plan mends."""


class Applying:
    """Carries out plans of one stack, for one command."""

    def __init__(self, project: Project, journal: Journal, refresher: Refresher, providers: Mapping[str, Provider],
                 reporter: Reporter, approvals: Approvals, *, parallelism: int = 10,
                 proposals: Proposals | None = None) -> None:
        self._project, self._journal, self._refresher, self._reporter = project, journal, refresher, reporter
        self._providers = providers
        self._engine = Engine(journal, providers, reporter, parallelism=parallelism, hooks=ShellHooks(project.root),
                              notify=project.notify)
        self._proposals = proposals
        self._stopped = threading.Event()
        self._asks_for_metrics = OnceIn(METRICS_PAUSE)
        self._approvals = approvals
        self._resumes = False
        """What a killed command has left of the searches is to be done first."""
        self._sweeps: SweepEnder | None = None

    def stop(self) -> None:
        """Begins nothing new; running effects finish. Safe in a signal handler."""
        self._stopped.set()
        self._engine.stop()

    def apply(self, plan: Plan, make_anew: Callable[[], Plan] | None = None) -> tuple[Plan, Result]:
        """Carries out what can be done now, and starts what waits in a queue; a destroy starts nothing.

        Gives the plan that was carried out: where this one is stale once the lock is held, and nobody has approved it,
        `make_anew` makes another one under the lock.
        """
        self._begin(plan)
        self._approvals.serial = plan.serial
        result = Result()
        if self._approvals.decides(plan) or plan.told or self._refresher.has_news:
            with lock_state(self._journal, None, purpose="apply" if plan.program else "destroy"):
                plan = self._settle(plan, make_anew)
                record_told(plan, self._journal)
                if self._approvals.decides(plan):
                    self._approvals.record(plan)
                    remaining, stopped = without_ended_runs(plan, self._journal.state)
                    remaining = bound_launches(remaining, _budgets(plan, self._journal.state))
                    remaining = bound_running(remaining, self._journal.state, plan.max_running)
                    self._report_ended(stopped)
                    result = self._engine.apply(remaining)
                    result = skip_unaffordable(result, _budgets(plan, self._journal.state), self._reporter)
                    result = replace(result, done=(*stopped, *result.done))
                    self._refresher.send_notices()
            self._refresher.reload()
            self._refresher.send_remaining_notices()
        if not plan.program:
            return plan, self._with_left_alone(plan, result)
        if not self._engine.is_stopping:
            self._refresher.advance_queues()
        return plan, result

    def _begin(self, plan: Plan) -> None:
        self._reporter.on_event(Began(plan))
        refuse_unchecked(plan, self._project)
        refuse_without_access(plan, self._providers)

    def _settle(self, plan: Plan, make_anew: Callable[[], Plan] | None) -> Plan:
        """The plan that fits the state under the lock, in which what the query found is then recorded."""
        for attempt in range(_MOST_PLANS):
            try:
                refuse_stale(plan, self._journal.state)
                refuse_changed_references(plan, self._project)
                self._refresher.record(plan)
            except Stale as error:
                if make_anew is None or error.code != _STALE_PLAN or attempt + 1 == _MOST_PLANS:
                    raise
                self._reporter.on_event(Warned(f"planned anew, under the lock: {error.detail}"))
                plan = make_anew()
                self._begin(plan)
                continue
            break
        return plan

    def wait(self, plan: Plan, result: Result, timeout: float) -> Result:
        """Waits until every run has ended, and begins deferred steps as they become ready.

        Begins no further trial of a sweep of which more have failed than the approval says, or than it says itself.
        """
        if self._engine.is_stopping:
            return replace(result, interrupted=True)
        sweeps = self._sweeps = SweepEnder(self._journal, self._refresher, self._engine, self._providers,
                                           self._reporter, self._approvals,
                                           max_failures=self._approvals.max_failures)

        if self._proposals:
            self._proposals.leave_out({component_of(address) for address in plan.left_out})
        busy = ""

        def advance() -> tuple[ResourceStatus, ...]:
            nonlocal result, busy
            try:
                self._refresher.update()
                result = sweeps.end(plan, result)
                result, busy = self._begin_proposed(plan, self._begin_ready(plan, result)), ""
            except Locked as error:  # another command is at work here: look again later
                if not busy:
                    self._reporter.on_event(Warned(f"waits for the lock: {error.detail}"))
                busy = error.detail
            result = replace(result, seen=self._status())
            return result.seen

        try:
            for now in poll(advance, self._stopped, timeout=timeout, stack=plan.stack):
                self._reporter.on_event(Waiting(now))
                if not busy and not result.deferred and not are_under_way(now) and not self._goes_on(result):
                    return result
        except ExpiacError:
            self._reporter.on_event(Finished(result))
            raise
        return replace(result, interrupted=True)

    def go_on(self, plan: Plan, since: int, timeout: float) -> Result:
        """As `wait`, for a plan without steps, of which all that it declares was approved at the serial `since`."""
        self._approvals.serial, self._resumes = since, True
        return self.wait(plan, Result(), timeout)

    def _status(self) -> tuple[ResourceStatus, ...]:
        """How each resource is; asks the backends how far the runs are once in a while, and when all have ended."""
        records = self._refresher.observed.records.values()
        asks = self._asks_for_metrics() or not any(record.status in UNDER_WAY for record in records)
        return self._refresher.status(asks=asks)

    def _report_ended(self, stopped: Sequence[Step]) -> None:
        """Reports steps whose runs the refresh under the lock found ended: they are archived."""
        archived = {record.run.instance: record for record in self._journal.state.history}
        for step in stopped:
            record = archived[step.run.instance]
            self._reporter.on_event(StepEnded(step, record.status, record.detail))

    def _with_left_alone(self, plan: Plan, result: Result) -> Result:
        """A destroy leaves alone what it cannot see. That may still run, so the result is not well."""
        kept = tuple(step for step in plan.steps if step.action is Action.KEEP)
        for step in kept:
            self._reporter.on_event(StepSkipped(step, step.warning))
        return replace(result, skipped=result.skipped + kept)

    def _begin_ready(self, plan: Plan, result: Result) -> Result:
        """Begins the deferred steps whose time has come, as the state under the lock has it: others may be at work."""
        expected = outlook(result.deferred, plan, self._refresher.state)
        if not (self._first_to_run(expected, plan) or expected.blocked or expected.done):
            return result
        with lock_state(self._journal, None, purpose="apply"):
            self._refresher.reload()
            result = self._begin_now(plan, result)
            self._refresher.send_notices()
        self._refresher.reload()
        return result

    def _begin_now(self, plan: Plan, result: Result) -> Result:
        """Begins them. Needs the lock, and the state that it guards."""
        self._approvals.refuse_other(plan)
        expected = outlook(result.deferred, plan, self._refresher.state)
        begun = self._first_to_run(expected, plan)
        for step, why in expected.blocked:
            self._reporter.on_event(StepSkipped(step, why))
        left_out = tuple(step for step, _ in expected.blocked)
        gone = {step.address for step in (*begun, *left_out, *expected.done)}
        waiting = tuple(step for step in result.deferred if step.address not in gone)
        result = replace(result, deferred=waiting, skipped=result.skipped + left_out)
        if not begun:
            return result
        part = replace(plan, steps=begun, moves={})
        self._approvals.record_again(part)
        return _joined(result, self._engine.apply(part))

    def _first_to_run(self, expected: Outlook, plan: Plan) -> tuple[Step, ...]:
        """The deferred steps for which there are a place and a budget now."""
        assert self._sweeps is not None, "it waits"
        ready = within_budgets(expected.ready, self._sweeps.budgets(plan))
        return first_to_run(ready, self._refresher.state, plan.max_running)

    def _begin_proposed(self, plan: Plan, result: Result) -> Result:
        """Records what trials of searches came to, begins those that are proposed, and ends those that are losing.

        After a launch that failed, nothing more is proposed: it would fail again.
        """
        proposals = self._proposals
        if proposals is None or not self._are_proposals_due(result):
            return result
        with lock_state(self._journal, None, purpose="apply"):
            self._refresher.reload()
            self._approvals.refuse_other(plan)
            more, self._resumes = proposals.plan(), False
            if more is None:
                return result
            refuse_unchecked(more, self._project)
            refuse_without_access(more, self._providers)
            self._refresher.record()
            record_told(more, self._journal)
            if not more.is_empty:
                self._approvals.record_part(more)
                result = _joined(result, self._engine.apply(more))
            self._refresher.send_notices()
        self._refresher.reload()
        return result

    def _are_proposals_due(self, result: Result) -> bool:
        if self._proposals is None or result.failed or self._engine.is_stopping:
            return False
        if self._sweeps:
            self._proposals.leave_out(self._sweeps.ended)
        return self._resumes or self._proposals.are_due()

    def _goes_on(self, result: Result) -> bool:
        """Whether a search has something to begin, or waits for results that are on their way."""
        if self._proposals is None or result.failed or self._engine.is_stopping:
            return False
        return self._are_proposals_due(result) or self._proposals.are_awaited()


def _joined(result: Result, more: Result) -> Result:
    return replace(result, done=result.done + more.done, failed=result.failed + more.failed,
                   skipped=result.skipped + more.skipped, interrupted=more.interrupted)


def _budgets(plan: Plan, state: State) -> Budgets:
    return budgets_of(plan.sweeps, state, datetime.now(UTC))
