"""What was done to a stack, by whom, and how two of its runs differ. Pure: reads states, and no files or clocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from expiac.plan.approval import steps
from expiac.plan.diff import diff
from expiac.plan.groups import ancestors
from expiac.plan.identity import address_in
from expiac.plan.model import Change
from expiac.plan.references import inputs_of
from expiac.state.model import Approval, Record, State
from expiac.util.errors import UsageError, did_you_mean, listed

_MOST_SHOWN = 10
"""Of more runs of a component, only so many are named."""


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run, present or archived, and the approval under which it was launched, where that is known."""

    stack: str
    record: Record
    approval: Approval | None
    lineage: str = ""
    """Of the state that it is recorded in."""


def runs(state: State) -> Iterator[PastRun]:
    """Every run of a state, the archived ones first, in the order of their launches."""
    approvals = {approval.serial: approval for approval in state.approvals}
    for record in (*state.history, *state.records.values()):
        yield PastRun(state.stack, record, approvals.get(record.approval), state.lineage)


def runs_by_approval(state: State) -> Mapping[int, list[Record]]:
    """The runs whose last launch belongs to each approval, by its serial."""
    found: dict[int, list[Record]] = defaultdict(list)
    for record in (*state.history, *state.records.values()):
        found[record.approval].append(record)
    return found


def approval(state: State, serial: int) -> Approval:
    """The approval of this serial; raises where there is none."""
    for one in state.approvals:
        if one.serial == serial:
            return one
    known = ", ".join(str(one.serial) for one in state.approvals[-10:])
    raise UsageError("No such approval", f"{state.stack} has none of serial {serial}",
                     f"known: {known}" if known else "expiac apply makes one")


def find_run(states: Iterable[State], word: str) -> PastRun:
    """The run that a word means: an instance name, its 8 hex digits, `stack/job`, or a job of which there is one.

    A job means its present run; where it has none, its last one. The beginning of an instance name or of its digits
    will do where only one run has it.
    """
    known = [past for state in states for past in runs(state)]
    exact = [past for past in known if word in (past.record.run.instance, past.record.run.instance.rpartition(".")[2])]
    if exact:
        return exact[-1]
    by_job = {(past.stack, past.record.address): past for past in known}
    by_name = [past for (stack, address), past in by_job.items()
               if word in (address, f"{stack}.{address}", f"{stack}/{address}")]
    named = by_name or _in_component(word, by_job) or _beginning_with(word, known)
    if len(named) == 1:
        return named[0]
    instances = [past.record.run.instance for past in named or known]
    if named and not by_name and len(named) > _MOST_SHOWN:
        instances = [*instances[:_MOST_SHOWN], "…"]
    if named:
        raise UsageError("Which run?", f"{word} may be one of {len(named)}", f"known: {listed(instances)}")
    names = {past.record.address for past in known} | set(instances)
    raise UsageError("No such run", f"{word} is no run of a stack here",
                     did_you_mean(word, names) or "expiac apply makes one")


def _in_component(word: str, by_job: Mapping[tuple[str, str], PastRun]) -> list[PastRun]:
    """The runs in a component of this name."""
    return [past for (stack, address), past in by_job.items()
            if word in (name for above in ancestors(address) for name in (above, f"{stack}/{above}"))]


def _beginning_with(word: str, known: Iterable[PastRun]) -> list[PastRun]:
    by_instance = {past.record.run.instance: past for past in known}
    return [past for instance, past in by_instance.items()
            if word and (instance.startswith(word) or instance.rpartition(".")[2].startswith(word))]


def names_of(past: PastRun) -> tuple[str, str]:
    """What the run is called now, and what it was called when it was first launched."""
    return past.record.address, address_in(past.record.run.instance, past.stack)


def compare(before: PastRun, after: PastRun) -> tuple[Change, ...]:
    """How the settings of two runs differ, and the code that they were launched from."""
    changes = diff(inputs_of(before.record), inputs_of(after.record), {})
    return changes + diff(_code(before.approval), _code(after.approval), {})


def code_settings(past: PastRun) -> Mapping[str, Any]:
    """The commit and the digest of a diff from which a run was launched, as settings."""
    return _code(past.approval)


def code_of(state: State, record: Record) -> str:
    """The digest of the code that a run was launched from; empty where it is not known."""
    for one in reversed(state.approvals):
        if one.serial == record.approval:
            return str(one.approved.provenance.get("code", ""))
    return ""


def _code(approval: Approval | None) -> Mapping[str, Any]:
    provenance = approval.approved.provenance if approval is not None else {}
    return {f"code.{name}": provenance[name] for name in ("commit", "diff") if name in provenance}


def rendered_digest(past: PastRun) -> str:
    """The digest of the rendered files that the last launch of a run came from; empty where it is not known."""
    approved = past.approval.approved if past.approval is not None else None
    return approved.rendered.get(past.record.run.instance, "") if approved is not None else ""


def reviewed_set(past: PastRun) -> str | None:
    """The set of reviewed snapshots that held these files; empty where none did, None where there were no snapshots."""
    approved = past.approval.approved if past.approval is not None else None
    return approved.reviewed.get(past.record.run.instance) if approved is not None else None


def summary(approval: Approval) -> str:
    """What an approved plan was to do: `2 create, 1 replace`."""
    counts = [f"{count} {action}" for action, count in approval.approved.summary.items() if count and action != "keep"]
    return ", ".join(counts) or "nothing"


def approver(approval: Approval) -> str:
    """`ada@gpu1`."""
    provenance = approval.approved.provenance
    return f"{provenance.get('user', '?')}@{provenance.get('host', '?')}"


def commit(approval: Approval) -> str:
    """The first digits of the commit, with a `+` where the tree had changes of its own."""
    provenance = approval.approved.provenance
    return str(provenance.get("commit", ""))[:9] + ("+" if provenance.get("dirty") else "")


def documents(state: State) -> Sequence[Mapping[str, Any]]:
    """Every approval as JSON values, oldest first."""
    runs_of = runs_by_approval(state)
    return [{"serial": one.serial, "at": one.at, "program": one.approved.program,
             "overrides": dict(one.approved.overrides), "summary": dict(one.approved.summary),
             "provenance": dict(one.approved.provenance),
             "steps": [{"address": step.address, "action": step.action, "reason": step.reason,
                        "changes": list(step.changes)} for step in steps(one.approved)],
             "rendered": dict(one.approved.rendered), "reviewed": _reviewed(one),
             "launched": [record.run.instance for record in runs_of[one.serial]]} for one in state.approvals]


def _reviewed(one: Approval) -> Mapping[str, str | None]:
    """By instance, the digest of what was reviewed, and None of what was not."""
    approved = one.approved
    return {instance: approved.rendered.get(instance) if which else None
            for instance, which in approved.reviewed.items()}
