"""Runs the effect of a step on a run, and records how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from expiac.apply.effect_log import Ledger, Notes
from expiac.apply.judging import judge
from expiac.apply.notices import notice_of
from expiac.declare.notify import NotifySettings
from expiac.plan.model import Plan, Step
from expiac.providers.base import Note, Observation, Presence, Provider
from expiac.state.events import EffectDone, EffectFailed
from expiac.state.model import Record
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale, Uncertain


class Effects:
    """The effects of one apply. An unknown end stays open for the next command to resolve."""

    def __init__(self, ledger: Ledger, providers: Mapping[str, Provider], notify: NotifySettings) -> None:
        self._ledger, self._providers, self._notify = ledger, providers, notify

    def run(self, plan: Plan, step: Step, effect: Callable[[Note], Observation], record: Record | None = None,
            status_if_gone: Status = Status.LOST) -> Observation:
        """Runs the effect, and records its end."""
        notes = Notes(self._ledger, step.address)
        self._ledger.confirm()
        try:
            ended: Observation | ExpiacError = notes.run_within(step.options.timeout, lambda: effect(notes))
        except ExpiacError as error:
            ended = error
        return self.record(plan, step, ended, record, status_if_gone)

    def record(self, plan: Plan, step: Step, ended: Observation | ExpiacError, record: Record | None = None,
               status_if_gone: Status = Status.LOST) -> Observation:
        """Records how an effect ended; raises what it raised."""
        if isinstance(ended, Observation) and ended.presence is Presence.UNKNOWN:
            ended = Uncertain("End not seen", f"{step.address}: {ended.detail}".removesuffix(": "))
        if isinstance(ended, ExpiacError):
            if not isinstance(ended, Uncertain | Stale):
                self._ledger.append(EffectFailed(step.address, f"{ended.summary}: {ended.detail}"))
            raise ended
        if ended.presence is not Presence.PRESENT:
            ended = Observation(Presence.PRESENT, status_if_gone, record.outputs if record else {}, ended.detail)
        return self._record_done(plan, step, ended)

    def _record_done(self, plan: Plan, step: Step, seen: Observation) -> Observation:
        done = EffectDone(step.address, seen.status, seen.outputs, seen.detail, seen.seconds, began_at=seen.began_at)
        recorded = self._ledger.record(step.address)
        if recorded is not None:
            (done,) = judge([done], {step.address: recorded}, self._providers, plan.lineage)
            for notice in notice_of(done, recorded, self._notify):
                self._ledger.append(notice)
        self._ledger.append(done)
        return replace(seen, status=done.status, detail=done.detail)
