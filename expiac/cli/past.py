"""What was recorded and done, as tables and JSON: `state list`, `state show`, `history`, `diff`. Decides nothing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python
from rich.table import Table

from expiac.cli import output, tables
from expiac.plan import history
from expiac.plan.approval import steps
from expiac.plan.history import Past
from expiac.plan.model import MISSING, Action, Change
from expiac.state.model import Approval, Record, State
from expiac.view import show
from expiac.view.console import console


def records(state: State, *, archived: bool, json: bool) -> None:
    """What stands in a state; with `archived`, its history too."""
    known = [past.record for past in history.runs(state)] if archived else list(state.records.values())
    if json:
        output.document({"format_version": show.FORMAT, "stack": state.stack, "lineage": state.lineage,
                         "serial": state.serial, "records": [_values(record) for record in known]})
        return
    table = tables.table("name", "status", "launched", "archived", "instance")
    for record in known:
        table.add_row(record.address, record.status.value, _time(record.at), _time(record.ended_at),
                      record.run.instance + (f" (launch {record.run.launch})" if record.run.launch > 1 else ""))
    _print(table, "nothing is recorded", empty=not known)


def record(value: Record) -> None:
    """Everything that is recorded of one resource."""
    output.document(_values(value), indent=2)


def approvals(state: State, *, json: bool) -> None:
    """What was applied when, by whom, from which commit."""
    if json:
        _approvals(state, history.documents(state))
        return
    table = tables.table("serial", "when", "who", "commit", "what", "settings")
    for one in reversed(state.approvals):
        table.add_row(str(one.serial), _time(one.at), history.who(one), history.commit(one), history.summary(one),
                      _settings(one))
    _print(table, "nothing was applied yet", empty=not state.approvals)


def approval(state: State, one: Approval, *, json: bool) -> None:
    """One approved plan: who, from what, its steps, and the runs that it launched."""
    if json:
        _approvals(state, [known for known in history.documents(state) if known["serial"] == one.serial])
        return
    out = console()
    told = one.approved.provenance
    code = history.commit(one)
    lines = [f"serial {one.serial}, {_time(one.at)}, by {history.who(one)}",
             f"{one.approved.program or 'destroy'} {_settings(one)}".rstrip()]
    lines += [f"commit {told['commit']}" + (f", and the changes in {told['diff']}.diff" if "diff" in told else "")
              ] if code else []
    out.print("\n".join(lines) + "\n", soft_wrap=True)
    for step in steps(one.approved):
        why = [*step.changes, *([step.reason] if step.reason else [])] or [""]
        out.print(f"{Action(step.action).glyph} {step.address}   {why[0]}".rstrip(), soft_wrap=True)
        for line in why[1:]:
            out.print(f"    {line}", soft_wrap=True)
    if launched := history.launched(state)[one.serial]:
        out.print("\nLaunched:")
        for run in launched:
            out.print(f"  {run.run.instance}   {run.status.value}")


def difference(before: Past, after: Past, changes: Sequence[Change], *, json: bool) -> None:
    """How two runs differ, and what became of each."""
    if json:
        output.document({"format_version": show.FORMAT, "runs": [_run(before), _run(after)],
                         "changes": [show.change_document(change) for change in changes]})
        return
    out = console()
    for past in (before, after):
        out.print(f"{past.record.run.instance}   {past.record.status.value}, launched {_time(past.record.at)}")
    out.print("\n" + ("\n".join(show.changes(changes, out.width)) or "the same settings, and the same code"))
    if results := _results(before, after):
        out.print("\n" + "\n".join(show.changes(results, out.width)))


def _approvals(state: State, known: Sequence[Mapping[str, Any]]) -> None:
    output.document({"format_version": show.FORMAT, "stack": state.stack, "lineage": state.lineage,
                     "serial": state.serial, "approvals": known})


def _results(before: Past, after: Past) -> list[Change]:
    """The newest metrics of both, where both are here."""
    from expiac.apply.progress import of
    from expiac.declare.fields import Kind

    first, second = of(before.record), of(after.record)
    if first is None or second is None:
        return []
    return [Change(name, first.metrics.get(name, MISSING), second.metrics.get(name, MISSING), Kind.ANNOTATION)
            for name in {**first.metrics, **second.metrics}]


def _run(past: Past) -> dict[str, Any]:
    told = past.approval.approved.provenance if past.approval else {}
    return {"stack": past.stack, "address": past.record.address, "instance": past.record.run.instance,
            "status": past.record.status.value, "launched_at": past.record.at, "provenance": dict(told)}


def _values(value: Record) -> dict[str, Any]:
    values: dict[str, Any] = to_jsonable_python(value, serialize_unknown=True)
    values.pop("unseen")
    return values


def _settings(one: Approval) -> str:
    return shlex.join(f"{key}={value}" for key, value in one.approved.overrides.items())


def _time(at: str) -> str:
    """A recorded time by the clock on this machine's wall."""
    from datetime import datetime

    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}" if at else ""


def _print(table: Table, otherwise: str, *, empty: bool) -> None:
    console().print(otherwise if empty else table)
