"""Finds the outputs of other stacks that a stack uses, while it is planned, and says whether they are as they were."""

from __future__ import annotations

from collections.abc import Iterable

from expiac.apply.addresses import Addresses
from expiac.apply.other_stacks import OtherStacks
from expiac.compile.run_addresses import Elsewhere
from expiac.declare.project import Project
from expiac.declare.stack_reference import StackRef
from expiac.plan.exported import exported_under
from expiac.plan.model import Plan
from expiac.plan.references import differences, ref_of
from expiac.state.facts import Reference
from expiac.state.lookup import latest
from expiac.state.model import Record, State
from expiac.util.errors import ExpiacError, Stale, did_you_mean


class StackOutputs:
    """Resolves references by the states of the stacks. `asks`: whether the backends of runs that live are asked."""

    def __init__(self, stacks: OtherStacks, *, asks: bool = True) -> None:
        self._stacks, self._asks = stacks, asks

    def find(self, ref: StackRef) -> Reference:
        """The value of the output and its run.

        Raises `ExpiacError` where there is no such stack, resource or output, and where the run has not succeeded.
        """
        record, output = self.record_of(ref)
        name = f"{ref.stack}.{record.address}"
        if not record.is_met:
            raise _not_there(ref, name, record)
        if output not in record.outputs:
            raise ExpiacError("No such output", f"{ref.said}: {name} ({record.status.value}) left none called {output}",
                              did_you_mean(output, record.outputs) or f"expiac output {ref.stack} {record.address}")
        return Reference(str(ref), ref.stack, record.address, output, record.run.instance, record.run.launch,
                         str(record.outputs[output]))

    def record_of(self, ref: StackRef) -> tuple[Record, str]:
        """The present record of the resource that has the output, and the output's name there."""
        state = self._stacks.state(ref.stack)
        resource, output = ref.resource, ref.output
        if not resource:
            resource, output = _exported(ref, state)
        record = state.records.get(resource)
        if record is None:
            raise _no_resource(ref, resource, state)
        if self._asks and not record.status.is_over:
            record = self._stacks.observed(ref.stack).records.get(resource, record)
        return record, output


def elsewhere(project: Project, kept: Iterable[Reference] = (), *, asks: bool = True) -> Elsewhere:
    """How runs and outputs of a project's other stacks are found, as their states are from now on; `kept` stay as they
    are."""
    stacks = OtherStacks(project)
    outputs, known = StackOutputs(stacks, asks=asks), {one.text: one for one in kept}
    return Elsewhere(Addresses(stacks).resolve, lambda ref: known.get(ref) or outputs.find(ref))


def changed_references(references: tuple[Reference, ...], project: Project) -> list[str]:
    """How outputs of other stacks are not as they were found; none where all are."""
    outputs = StackOutputs(OtherStacks(project))
    try:
        return differences(references, [outputs.find(ref_of(one)) for one in references])
    except ExpiacError as error:
        return [f"{error.summary}: {error.detail}"]


def refuse_changed_references(plan: Plan, project: Project) -> None:
    """Raises `Stale` where an output of another stack that the plan uses is not as it was when it was planned."""
    used = tuple(dict.fromkeys(one for step in plan.steps for one in step.references))
    if changed := changed_references(used, project) if used else []:
        raise Stale("Stale plan", f"since it was planned: {'; '.join(changed)}", f"expiac plan {plan.stack}")


def _exported(ref: StackRef, state: State) -> tuple[str, str]:
    """The resource and its output that a stack exports under a name."""
    if found := exported_under(ref.output, state):
        return found.address, found.output
    a_job = f'output("{ref.output}", NAME) is an output of the job {ref.output}' if ref.output in state.records else ""
    raise ExpiacError("No such output", f"{ref.said}: {ref.stack} exports no {ref.output}",
                      a_job or did_you_mean(ref.output, state.outputs)
                      or f'Stack("{ref.stack}", …, outputs={{"{ref.output}": job.output(NAME)}})')


def _no_resource(ref: StackRef, resource: str, state: State) -> ExpiacError:
    earlier = latest(state, resource)
    if earlier is None:
        return ExpiacError("No such resource", f"{ref.said}: {resource} is not in the state of {ref.stack}",
                           did_you_mean(resource, state.records) or f"expiac apply {ref.stack}")
    gone = earlier.discarded or "archived"
    return ExpiacError("No such resource", f"{ref.said}: {earlier.run.instance} was {gone}, and {ref.stack} has no "
                       f"{resource} now", f"expiac apply {ref.stack}")


def _not_there(ref: StackRef, name: str, record: Record) -> ExpiacError:
    """Why a run has no outputs that can be used."""
    detail = f": {record.detail}" if record.detail else ""
    run = f"{ref.said}: {record.run.instance}"
    if record.pending or record.unseen or record.status.is_live:
        how = record.unseen or f"is {record.status.value}"
        return ExpiacError("Upstream not finished", f"{run} {how}", "expiac apply --wait waits for it")
    if record.has_result and not record.is_judged:
        return ExpiacError("Upstream not finished", f"{run} is not judged by what is expected of it now",
                           f"expiac refresh {ref.stack}")
    return ExpiacError("Upstream failed", f"{run} {record.status.value}{detail}",
                       f"expiac logs {ref.stack} {record.address}")
