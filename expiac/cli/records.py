"""Prints records and applied plans, for `state list`, `state show`, `history` and `diff`. Decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python
from rich.table import Table

from expiac.cli import output, tables
from expiac.cli.tables import local_time
from expiac.declare.override_words import words_of
from expiac.plan import history
from expiac.plan.approval import steps
from expiac.plan.history import PastRun
from expiac.plan.model import MISSING, Action, Change
from expiac.state.model import Approval, Record, State
from expiac.view import show
from expiac.view.console import console


def print_records(state: State, *, archived: bool, json: bool) -> None:
    """Prints the records of a state; with `archived`, its history too."""
    known = [past.record for past in history.runs(state)] if archived else list(state.records.values())
    if json:
        output.print_json({"format_version": show.FORMAT, "stack": state.stack, "lineage": state.lineage,
                         "serial": state.serial, "records": [_values(record) for record in known]})
        return
    table = tables.table("name", "status", "launched", "archived", "instance")
    for record in known:
        table.add_row(record.address, record.status.value, local_time(record.at), local_time(record.ended_at),
                      record.run.instance + _remark(record))
    _print_table(table, "nothing is recorded", empty=not known)


def _remark(record: Record) -> str:
    remarks = [*([f"launch {record.run.launch}"] if record.run.launch > 1 else []),
               *(["pruned"] if record.pruned_at else [])]
    return f" ({', '.join(remarks)})" if remarks else ""


def print_record(record: Record) -> None:
    """Prints everything that is recorded of one resource."""
    output.print_json(_values(record), indent=2)


def print_approvals(state: State, *, json: bool) -> None:
    """Prints what was applied when, by whom, from which commit."""
    if json:
        _print_approvals_json(state, history.documents(state))
        return
    table = tables.table("serial", "when", "who", "commit", "what", "settings")
    for one in reversed(state.approvals):
        table.add_row(str(one.serial), local_time(one.at), history.approver(one), history.commit(one),
                      history.summary(one), _settings(one))
    _print_table(table, "nothing was applied yet", empty=not state.approvals)


def print_approval(state: State, one: Approval, *, json: bool) -> None:
    """Prints one approved plan: who approved it, its settings, its steps, and the runs that it launched."""
    if json:
        _print_approvals_json(state, [known for known in history.documents(state) if known["serial"] == one.serial])
        return
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
            out.print(f"  {run.run.instance}   {run.status.value}")


def print_difference(before: PastRun, after: PastRun, changes: Sequence[Change], *, json: bool) -> None:
    """Prints how two runs differ, and how each ended."""
    if json:
        output.print_json({"format_version": show.FORMAT, "runs": [_run(before), _run(after)],
                         "changes": [show.change_document(change) for change in changes]})
        return
    out = console()
    for past in (before, after):
        out.print(f"{past.record.run.instance}   {past.record.status.value}, launched {local_time(past.record.at)}")
    out.print("\n" + ("\n".join(show.changes(changes, out.width)) or "the same settings, and the same code"))
    if results := _results(before, after):
        out.print("\n" + "\n".join(show.changes(results, out.width)))


def _print_approvals_json(state: State, known: Sequence[Mapping[str, Any]]) -> None:
    output.print_json({"format_version": show.FORMAT, "stack": state.stack, "lineage": state.lineage,
                     "serial": state.serial, "approvals": known})


def _commit_lines(one: Approval) -> list[str]:
    provenance = one.approved.provenance
    if not history.commit(one):
        return []
    changes = f", and the changes in {provenance['diff']}.diff" if "diff" in provenance else ""
    return [f"commit {provenance['commit']}{changes}"]


def _results(before: PastRun, after: PastRun) -> list[Change]:
    """The newest metrics of both runs; none if one of them has none."""
    from expiac.apply.progress import progress_of
    from expiac.declare.fields import Kind

    first, second = progress_of(before.record), progress_of(after.record)
    if first is None or second is None:
        return []
    return [Change(name, first.metrics.get(name, MISSING), second.metrics.get(name, MISSING), Kind.ANNOTATION)
            for name in {**first.metrics, **second.metrics}]


def _run(past: PastRun) -> dict[str, Any]:
    provenance = past.approval.approved.provenance if past.approval else {}
    return {"stack": past.stack, "address": past.record.address, "instance": past.record.run.instance,
            "status": past.record.status.value, "launched_at": past.record.at, "provenance": dict(provenance)}


def _values(record: Record) -> dict[str, Any]:
    values: dict[str, Any] = to_jsonable_python(record, serialize_unknown=True)
    values.pop("unseen")
    return values


def _settings(one: Approval) -> str:
    return shlex.join(words_of(one.approved.overrides))


def _print_table(table: Table, otherwise: str, *, empty: bool) -> None:
    out = console()
    out.print(otherwise if empty else tables.fit(table, out))
