"""Carries out the steps of an approved plan. Decides nothing again.

The engine records each effect before it begins and after it has ended, so that the next command can resolve an effect
during which this process was killed. Steps run in parallel, in the order that the plan gives. If a step fails, the
steps that need it are skipped, and the others go on.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from expiac.apply import launch
from expiac.apply.effect_log import Ledger
from expiac.apply.effects import Effects
from expiac.apply.events import (
    ProgressEvent,
    Reporter,
    Result,
    StepBegan,
    StepDeferred,
    StepEnded,
    StepFailed,
    StepSkipped,
)
from expiac.apply.hooks import RunsHooks
from expiac.apply.judging import judge_anew_now
from expiac.apply.recording import noted, restored
from expiac.apply.refresh import id_of
from expiac.apply.step_order import StepOrder
from expiac.apply.stops import Stops, after_stop
from expiac.apply.wandb_key import secrets_of
from expiac.apply.work import Work
from expiac.declare.fields import Kind
from expiac.declare.notify import NotifySettings
from expiac.plan.kinds import combine
from expiac.plan.model import Action, Desired, Plan, Step
from expiac.providers.base import Id, Provider
from expiac.providers.registry import no_provider
from expiac.state.events import (
    DESTROYED,
    After,
    Effect,
    EffectDone,
    Forgotten,
    Moved,
    Run,
    Started,
)
from expiac.state.model import Record
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale

DONE, FAILED, SKIPPED = "done", "failed", "skipped"


@dataclass
class _Tally:
    """How the steps of one apply ended."""

    ends: dict[str, str] = field(default_factory=dict)
    done: list[Step] = field(default_factory=list)
    failed: list[tuple[Step, ExpiacError]] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)
    deferred: list[Step] = field(default_factory=list)


class Engine:
    """Applies plans of one stack to the world."""

    def __init__(self, ledger: Ledger, providers: Mapping[str, Provider], reporter: Reporter, *,
                 parallelism: int = 10, hooks: RunsHooks | None = None, notify: NotifySettings | None = None) -> None:
        self._ledger, self._providers, self._reporter, self._hooks = ledger, providers, reporter, hooks
        self._parallelism = parallelism
        self._effects = Effects(ledger, providers, notify or NotifySettings())
        self._stops = Stops(ledger, providers, self._effects)
        self._reporting = threading.Lock()
        self._stopping = threading.Event()
        self._lost = ""
        """Why this process may not write any more."""

    def stop(self) -> None:
        """Begins nothing new; running effects finish. Safe in a signal handler."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def apply(self, plan: Plan) -> Result:
        """Carries out every step that is not deferred. An `ExpiacError` of a step becomes a part of the result."""
        tally = _Tally()
        todo = {step.address: step for step in plan.steps if step.action is not Action.KEEP}
        for step in [step for step in todo.values() if step.deferred]:
            del todo[step.address]
            tally.deferred.append(step)
            tally.ends[step.address] = SKIPPED
            self._report(StepDeferred(step))
        self._move(plan)
        with ThreadPoolExecutor(self._parallelism, thread_name_prefix="expiac") as pool:
            self._run(plan, todo, tally, pool)
        return Result(tuple(tally.done), tuple(tally.failed), tuple(tally.skipped), tuple(tally.deferred),
                      interrupted=self.is_stopping)

    def _move(self, plan: Plan) -> None:
        """Records that resources were renamed, before anything is done under the new names."""
        if plan.moves:
            self._ledger.append(Moved(plan.moves))

    def _run(self, plan: Plan, todo: dict[str, Step], tally: _Tally, pool: ThreadPoolExecutor) -> None:
        order, work = StepOrder(todo), Work(pool)
        try:
            while order.ready or work.is_under_way:
                while order.ready and work.places < self._parallelism:
                    self._begin(plan, order, tally, work)
                for step, future in work.ended() if work.is_under_way else ():
                    self._end(step, future, tally)
                    order.mark_ended(step.address)
            assert not (left := todo.keys() - tally.ends.keys()), f"steps that wait for each other: {sorted(left)}"
        except BaseException:
            self.stop()
            raise

    def _begin(self, plan: Plan, order: StepOrder, tally: _Tally, work: Work) -> None:
        """Begins the next step, with all others that are ready and that its provider can stop in one call with it."""
        step = order.ready.pop()
        if why := self._why_not(step, tally):
            tally.skipped.append(step)
            tally.ends[step.address] = SKIPPED
            self._report(StepSkipped(step, why))
            order.mark_ended(step.address)
            return
        group = self._stops.take_group(step, order.ready, lambda other: not self._why_not(other, tally))
        for one in group or [step]:
            self._report(StepBegan(one))
        if group:
            work.begin_group(group, lambda answers: self._stops.run(plan, group, answers))
        else:
            work.begin(step, lambda: self._do(plan, step))

    def _why_not(self, step: Step, tally: _Tally) -> str:
        if self._lost or self.is_stopping:
            return self._lost or "interrupted"
        bad = [name for name in step.after if tally.ends.get(name, DONE) != DONE]
        return f"{bad[0]} was {'not done' if tally.ends[bad[0]] == FAILED else 'left out'}" if bad else ""

    def _end(self, step: Step, future: Future[Status], tally: _Tally) -> None:
        try:
            status = future.result()
        except ExpiacError as error:
            tally.failed.append((step, error))
            tally.ends[step.address] = FAILED
            self._report(StepFailed(step, error))
            if isinstance(error, Stale):
                self._lost = "another process is at work here"
        else:
            tally.done.append(step)
            tally.ends[step.address] = DONE
            record = self._ledger.record(step.address)
            self._report(StepEnded(step, status, record.detail if record else ""))

    def _report(self, event: ProgressEvent) -> None:
        with self._reporting:
            self._reporter.on_event(event)

    def _do(self, plan: Plan, step: Step) -> Status:
        match step.action:
            case Action.CREATE:
                return self._create(plan, step)
            case Action.UPDATE:
                return self._update(plan, step)
            case Action.RESTORE | Action.RELAUNCH if step.restores is not None:
                return self._restore(plan, step, step.restores)
            case Action.RESTORE:
                raise AssertionError("nothing to restore")
            case Action.REPLACE | Action.RELAUNCH:
                after = After.REPLACE if step.action is Action.REPLACE else After.RELAUNCH
                if step.record is not None and step.record.status.is_live and not step.retains:
                    ended = self._delete(plan, step, step.record, after)
                    record = self._ledger.record(step.address)
                    if after is After.RELAUNCH and record is not None and record.has_result:
                        return ended  # it finished before the stop reached it: its result stands
                return self._create(plan, step)
            case Action.STOP:
                assert step.record is not None
                return self._delete(plan, step, step.record, after_stop(plan, step))
            case Action.FORGET:
                assert step.record is not None
                discarded = DESTROYED if plan.destroys else ""
                self._ledger.append(Forgotten(step.address, step.reason, discarded))
                return step.record.status
            case Action.KEEP:
                raise AssertionError("nothing is done to keep")
            case _:
                assert_never(step.action)

    def _create(self, plan: Plan, step: Step) -> Status:
        want = step.desired
        assert want is not None
        provider = self._provider(want.provider, step)
        inputs = launch.inputs(want, step.run, stack=plan.stack, lineage=plan.lineage, outputs=self._outputs)
        inputs = replace(inputs, secrets=secrets_of(want))
        self._run_hook(plan, step, step.run, "before_create")
        self._ledger.append(Started(
            step.address, Effect.CREATE, want.type, want.provider, step.run, inputs=want.inputs,
            depends_on=want.depends_on, upstream=step.upstream, handle=step.adopts,
            options=want.options.lasting, trial=want.trial, sampler=want.sampler, references=want.references))
        id_ = Id(plan.lineage, step.run.instance, step.run.launch, step.adopts)
        seen = self._effects.run(plan, step, lambda note: provider.create(id_, inputs, note))
        self._run_hook(plan, step, step.run, "after_create", seen.outputs)
        return seen.status

    def _restore(self, plan: Plan, step: Step, earlier: Record) -> Status:
        """Lets a run of the past stand again, in place of what stands at the address; launches it if it is to go on."""
        want = step.desired
        assert want is not None
        if step.record is not None and step.record.status.is_live and not step.retains:
            self._delete(plan, step, step.record, After.REPLACE)
        self._ledger.append(restored(step, want, earlier))
        if step.action.launches:
            return self._create(plan, step)
        record = self._ledger.record(step.address)
        assert record is not None
        if any(change.kind is Kind.ANNOTATION for change in step.changes):
            self._annotate(plan, step, want, record)
        return judge_anew_now(self._ledger, step.address, self._providers, plan.lineage) or record.status

    def _update(self, plan: Plan, step: Step) -> Status:
        """Updates the annotations and options of a resource: at its provider and in its record."""
        want, record = step.desired, step.record
        assert want is not None
        assert record is not None
        if any(change.kind is Kind.ANNOTATION for change in step.changes):
            self._annotate(plan, step, want, record)
        if any(change.kind is Kind.OPTION and change.path != "name" for change in step.changes):
            self._ledger.append(noted(step, want, self._ledger.record(step.address) or record))
        return judge_anew_now(self._ledger, step.address, self._providers, plan.lineage) or record.status

    def _annotate(self, plan: Plan, step: Step, want: Desired, record: Record) -> None:
        provider = self._provider(record.provider, step)
        values = combine(record.inputs, want.inputs, want.kinds, taken={Kind.ANNOTATION})
        started = Started(step.address, Effect.UPDATE, record.type, record.provider, record.run, inputs=values,
                          references=want.references)
        if record.status.is_live:
            inputs = launch.inputs(want, record.run, stack=plan.stack, lineage=plan.lineage, outputs=self._outputs)
            self._ledger.append(started)
            self._effects.run(plan, step, lambda _: provider.update(id_of(record, plan.lineage), inputs), record)
        else:
            self._ledger.append(started)
            self._ledger.append(EffectDone(step.address, record.status, record.outputs, record.detail, record.seconds))

    def _delete(self, plan: Plan, step: Step, record: Record, after: After) -> Status:
        provider = self._provider(record.provider, step)
        self._run_hook(plan, step, record.run, "before_delete", record.outputs)
        self._ledger.append(Started(step.address, Effect.DELETE, record.type, record.provider, record.run, after))
        seen = self._effects.run(plan, step, lambda _: provider.delete(id_of(record, plan.lineage)), record,
                            status_if_gone=Status.CANCELLED)
        self._run_hook(plan, step, record.run, "after_delete", seen.outputs)
        return seen.status

    def _run_hook(self, plan: Plan, step: Step, run: Run, name: str, outputs: Mapping[str, Any] | None = None) -> None:
        """Runs a hook of the resource if it has one of that name. Raises `ExpiacError` if the hook fails."""
        command = getattr(step.options.hooks, name)
        if not command:
            return
        assert self._hooks is not None, "the engine was given no hook runner"
        names = {"EXPIAC_STACK": plan.stack, "EXPIAC_JOB": step.address, "EXPIAC_INSTANCE": run.instance,
                 "EXPIAC_LAUNCH": str(run.launch)}
        known = {f"EXPIAC_OUTPUT_{key}": str(value) for key, value in (outputs or {}).items()}
        self._hooks(f"{step.address}: {name}", command, names | known)

    def _outputs(self, address: str) -> Mapping[str, Any] | None:
        record = self._ledger.record(address)
        return record.outputs if record is not None and record.is_met else None

    def _provider(self, name: str, step: Step) -> Provider:
        try:
            return self._providers[name]
        except KeyError:
            raise no_provider(step.address, name) from None
