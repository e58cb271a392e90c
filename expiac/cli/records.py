"""Prints records and applied plans, for `state list`, `state show`, `history` and `diff`. Decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python
from rich.table import Table

from expiac.cli import ages, output, tables
from expiac.cli.invocation import with_command_name
from expiac.cli.output import Answer
from expiac.cli.tables import local_time
from expiac.declare.override_words import words_of
from expiac.plan import history
from expiac.plan.approval import steps
from expiac.plan.history import PastRun
from expiac.plan.model import MISSING, Action, Change
from expiac.review.digests import SHOWN
from expiac.state.model import Approval, Record, State
from expiac.state.overview import StackSummary
from expiac.view import show, step_lines
from expiac.view.console import console

if TYPE_CHECKING:
    from expiac.apply.metrics.places import MetricsSource
    from expiac.view import recorded


def print_stacks(stacks: Sequence[StackSummary], *, json: bool) -> None:
    """Prints one row for each stack, and for each stack file that was never applied."""
    if json:
        output.print_json({"format_version": show.FORMAT, "stacks": [_summary(one) for one in stacks]})
        return
    table = tables.table("stack", "file", "live", "succeeded", "failed", "applied", "as of")
    for one in stacks:
        counts = [str(count or "") for count in (one.live, one.succeeded, one.failed)]
        table.add_row(one.name or "-", _program(one), *counts, local_time(one.applied_at) or "never",
                      local_time(one.as_of))
    _print_table(table, "no stack yet", empty=not stacks)
    if any(one.as_of for one in stacks):
        output.print_age("expiac refresh STACK asks again how the live ones are")
    output.print_notes([f"{one.name}: {one.error}" for one in stacks if one.error])


def _summary(one: StackSummary) -> dict[str, Any]:
    return {**asdict(one), "as_of": one.as_of or None}


def _program(one: StackSummary) -> str:
    is_gone = one.has_state and not one.has_program and not one.file.startswith("<")
    return f"{one.file} (gone)".lstrip() if is_gone else one.file


def records_answer(state: State, *, archived: bool) -> Answer:
    """The records of a state; with `archived`, its history too."""
    known = [past.record for past in history.runs(state)] if archived else list(state.records.values())
    at = ages.as_of(state.stack, known)
    document = {**output.head(state), "as_of": at or None, "records": [_values(record) for record in known]}
    return Answer(document, lambda: _print_records(known, ages.sentence(state.stack, at)))


def _print_records(known: Sequence[Record], age: str) -> None:
    table = tables.table("name", "status", "launched", "archived", "instance")
    for record in known:
        table.add_row(record.address, record.status.value, local_time(record.at), local_time(record.ended_at),
                      record.run.instance + _remark(record))
    _print_table(table, "nothing is recorded", empty=not known)
    output.print_age(age)


def _remark(record: Record) -> str:
    remarks = [*([f"launch {record.run.launch}"] if record.run.launch > 1 else []),
               *(["pruned"] if record.pruned_at else [])]
    return f" ({', '.join(remarks)})" if remarks else ""


def print_record(record: Record, stack: str) -> None:
    """Prints everything that is recorded of one resource; on stderr, how old it is."""
    output.print_json(_values(record), indent=2)
    if age := ages.sentence(stack, ages.as_of(stack, [record])):
        output.print_notes([with_command_name(age)])


def approvals_answer(state: State) -> Answer:
    """What was applied when, by whom, from which commit."""
    document = {**output.head(state), "approvals": history.documents(state)}
    return Answer(document, lambda: _print_approvals(state))


def _print_approvals(state: State) -> None:
    table = tables.table("serial", "when", "who", "commit", "what", "settings")
    for one in reversed(state.approvals):
        table.add_row(str(one.serial), local_time(one.at), history.approver(one), history.commit(one),
                      history.summary(one), _settings(one))
    _print_table(table, "nothing was applied yet", empty=not state.approvals)


def approval_answer(state: State, one: Approval) -> Answer:
    """One approved plan: who approved it, its settings, its steps, and the runs that it launched."""
    documents = [known for known in history.documents(state) if known["serial"] == one.serial]
    return Answer({**output.head(state), "approvals": documents}, lambda: _print_approval(state, one))


def _print_approval(state: State, one: Approval) -> None:
    out = console()
    lines = [f"serial {one.serial}, {local_time(one.at)}, by {history.approver(one)}",
             f"{one.approved.program or 'destroy'} {_settings(one)}".rstrip(),
             *_commit_lines(one)]
    out.print("\n".join(lines) + "\n", soft_wrap=True)
    for step in steps(one.approved):
        why = [*step.changes, *([step.reason] if step.reason else [])] or [""]
        out.print(f"{Action(step.action).glyph} {step.address}   {why[0]}".rstrip(), soft_wrap=True)
        for line in why[1:]:
            out.print(f"    {line}", soft_wrap=True)
    if launched := history.runs_by_approval(state)[one.serial]:
        out.print("\nLaunched:")
        for run in launched:
            told = reviewed_text(PastRun(state.stack, run, one))
            out.print(f"  {run.run.instance}   {run.status.value}{f'   {told}' if told else ''}", soft_wrap=True)
        output.print_age(ages.sentence(state.stack, ages.as_of(state.stack, launched)))


def reviewed_text(past: PastRun) -> str:
    """`reviewed 1a2b3c4d`, or `not reviewed`; nothing where nobody reviewed the stack."""
    which = history.reviewed_set(past)
    if which is None:
        return ""
    return f"reviewed {history.rendered_digest(past)[:SHOWN]}" if which else "not reviewed"


def print_difference(before: PastRun, after: PastRun, changes: Sequence[Change], sources: Sequence[MetricsSource], *,
                     json: bool) -> None:
    """Prints how two runs differ, and how each ended."""
    if json:
        document: recorded.Difference = {
            "format_version": show.FORMAT, "runs": [run_document(before), run_document(after)],
            "changes": [show.change_document(change) for change in changes]}
        output.print_json(document)
        return
    out = console()
    for past in (before, after):
        out.print(f"{past.record.run.instance}   {past.record.status.value}, launched {local_time(past.record.at)}")
        output.print_age(ages.sentence(past.stack, ages.as_of(past.stack, [past.record])))
    out.print("\n" + ("\n".join(step_lines.changes(changes, out.width)) or "the same settings, and the same code"))
    if results := _results(before, after, sources):
        out.print("\n" + "\n".join(step_lines.changes(results, out.width)))


def _commit_lines(one: Approval) -> list[str]:
    provenance = one.approved.provenance
    if not history.commit(one):
        return []
    changes = f", and the changes in {provenance['diff']}.diff" if "diff" in provenance else ""
    return [f"commit {provenance['commit']}{changes}"]


def _results(before: PastRun, after: PastRun, sources: Sequence[MetricsSource]) -> list[Change]:
    """The newest metrics of both runs; none if one of them has none."""
    from expiac.apply.metrics.places import Look
    from expiac.apply.progress import progress_of_run
    from expiac.declare.fields import Kind

    first, second = (progress_of_run(one.record, sources, Look(one.lineage)) for one in (before, after))
    if first is None or second is None:
        return []
    return [Change(name, _rounded(first.metrics.get(name)), _rounded(second.metrics.get(name)), Kind.ANNOTATION)
            for name in {**first.metrics, **second.metrics}]


def _rounded(figure: float | None) -> Any:
    """To four digits, as the table of more runs has them."""
    return MISSING if figure is None else float(f"{figure:.4g}")


def run_document(past: PastRun) -> recorded.ComparedRun:
    """One of the runs that are compared, as JSON values."""
    provenance = past.approval.approved.provenance if past.approval else {}
    return {"stack": past.stack, "address": past.record.address, "instance": past.record.run.instance,
            "status": past.record.status, "launched_at": past.record.at,
            "as_of": ages.as_of(past.stack, [past.record]) or None, "provenance": dict(provenance)}


def _values(record: Record) -> dict[str, Any]:
    values: dict[str, Any] = to_jsonable_python(record, serialize_unknown=True)
    values.pop("unseen")
    return values


def _settings(one: Approval) -> str:
    return shlex.join(words_of(one.approved.overrides))


def _print_table(table: Table, otherwise: str, *, empty: bool) -> None:
    out = console()
    out.print(otherwise if empty else tables.fit(table, out))
