"""Stops many runs in one call of their provider, where it can do that: each is recorded by itself, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from expiac.apply.effect_log import Ledger
from expiac.apply.effects import Effects
from expiac.apply.refresh import id_of
from expiac.apply.work import Answers
from expiac.plan.model import Action, Plan, Step
from expiac.providers.base import Observation, Provider
from expiac.providers.ending import DeletesMany
from expiac.state.events import After, Effect, Started
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Uncertain


def after_stop(plan: Plan, step: Step) -> After:
    """What a stop makes room for."""
    if step.pauses:
        return After.RELAUNCH
    return After.DESTROY if plan.destroys else After.NOTHING


class Stops:
    """The steps of an apply that only stop a run, as groups."""

    def __init__(self, ledger: Ledger, providers: Mapping[str, Provider], effects: Effects) -> None:
        self._ledger, self._providers, self._effects = ledger, providers, effects

    def take_group(self, step: Step, ready: list[Step], may_begin: Callable[[Step], bool]) -> list[Step]:
        """The step and those of `ready` that are stopped in one call with it, which are taken out of `ready`.

        Empty if it is stopped alone: its provider cannot do it with others, or it has hooks or a timeout of its own.
        """
        name = self._provider_of(step)
        if not name:
            return []
        others = [other for other in reversed(ready) if self._provider_of(other) == name and may_begin(other)]
        taken = {other.address for other in others}
        ready[:] = [other for other in ready if other.address not in taken]
        return [step, *others]

    def run(self, plan: Plan, steps: Sequence[Step], answers: Answers) -> None:
        """Stops the runs; each step ends when its run has."""
        left = {id_of(record, plan.lineage): step for step in steps if (record := step.record) is not None}
        self._record_begin(plan, steps)
        provider: object = self._providers[self._provider_of(steps[0])]
        assert isinstance(provider, DeletesMany)
        for id, ended in provider.delete_many(list(left)):
            self._end(plan, left.pop(id), ended, answers)
        for id, step in left.items():
            unsaid = Uncertain("Not known whether it has ended", f"{id.instance}: its backend said nothing of it",
                               "run the command again")
            self._end(plan, step, unsaid, answers)

    def _end(self, plan: Plan, step: Step, ended: Observation | ExpiacError, answers: Answers) -> None:
        try:
            seen = self._effects.record(plan, step, ended, step.record, Status.CANCELLED)
        except ExpiacError as error:
            answers[step.address].set_exception(error)
        else:
            answers[step.address].set_result(seen.status)

    def _record_begin(self, plan: Plan, steps: Sequence[Step]) -> None:
        """Records that each run is about to be stopped; the last one syncs them all."""
        for number, step in enumerate(steps, start=1):
            record = step.record
            assert record is not None
            started = Started(step.address, Effect.DELETE, record.type, record.provider, record.run,
                              after_stop(plan, step))
            self._ledger.append(started, durable=number == len(steps))
        self._ledger.confirm()

    def _provider_of(self, step: Step) -> str:
        """The provider that can stop the run of this step with others; empty where that is not all that there is to do.
        """
        hooks = step.options.hooks
        if step.action is not Action.STOP or step.record is None:
            return ""
        if step.options.timeout is not None or hooks.before_delete or hooks.after_delete:
            return ""
        name = step.record.provider
        provider: object = self._providers.get(name)
        return name if isinstance(provider, DeletesMany) else ""
