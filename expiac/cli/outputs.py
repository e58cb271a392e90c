"""Prints the outputs of runs: a table, JSON, or one value alone for scripts."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from expiac.cli import ages, events, output, tables
from expiac.cli.invocation import with_command_name
from expiac.plan.exported import Exported, exported_by, exported_under
from expiac.plan.groups import members, refuse_component
from expiac.session import Session
from expiac.state import lookup
from expiac.state.model import Record, State
from expiac.util.errors import ExpiacError, UsageError, did_you_mean
from expiac.view.console import console

if TYPE_CHECKING:
    from expiac.view import documents

_WIDE = 10_000
"""Columns of a table in a pipe: no value is broken."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of one run, or those that were asked for."""

    record: Record
    values: Mapping[str, Any]


def find(state: State, job: str | None, name: str | None) -> list[Outputs]:
    """The outputs of every resource, of one or of a component, or one of them.

    A job that was destroyed has to be named.
    """
    if job is not None and name is None and (own := members(job, state.records)):
        return [Outputs(state.records[address], state.records[address].outputs) for address in own]
    if job is None:
        return [Outputs(record, record.outputs) for record in state.records.values()]
    record = lookup.latest(state, job)
    if record is None:
        refuse_component(job, state.records, f"expiac output {state.stack}")
        raise UsageError("No such resource", f"{job} is not in the state of {state.stack}",
                         did_you_mean(job, state.records))
    if name is None:
        return [Outputs(record, record.outputs)]
    if name not in record.outputs:
        raise ExpiacError("No such output", f"{job} ({record.status.value}) has none called {name}",
                          did_you_mean(name, record.outputs))
    return [Outputs(record, {name: record.outputs[name]})]


def find_exported(state: State, name: str | None) -> Exported | None:
    """The output that the stack exports under a name; None where that is the name of a job, or of nothing."""
    return exported_under(name, state) if name is not None and lookup.latest(state, name) is None else None


def print_exported(state: State, one: Exported, *, json: bool) -> None:
    """Prints the value of an exported output, and nothing else. Raises `ExpiacError` where there is none yet."""
    if json:
        document: documents.OutputsDocument = {**output.head(state), "outputs": [], "exported": [_exported(one)]}
        output.print_json(document)
    elif one.value is None:
        how = "not there" if one.record is None else one.record.status.value
        raise ExpiacError("No such output", f"{one.name} is {one.output} of {one.address}, which is {how}",
                          f"expiac status {state.stack}")
    else:
        print(_text(one.value))


def print_outputs(state: State, found: Sequence[Outputs], *, of: str | None, raw: bool, json: bool) -> None:
    """Prints the outputs; `raw` prints the value of the only one and nothing else. Those of all jobs (`of` is None)
    come with what the stack exports."""
    exported = exported_by(state) if of is None else []
    if json:
        document: documents.OutputsDocument = {
            **output.head(state), "outputs": [_document(one) for one in found],
            "exported": [_exported(one) for one in exported]}
        output.print_json(document)
    elif raw:
        (value,) = found[0].values.values()
        print(_text(value))
    else:
        _print_table(found)
        _print_exported(exported)


def warn_if_live(found: Outputs) -> None:
    """Says that a run which has not ended may still write what is copied now."""
    if found.record.status.is_live:
        (name,) = found.values
        output.print_notes([f"{found.record.address} is {found.record.status.value}: {name} may still change"])


def print_age(stack: str, found: Sequence[Outputs]) -> None:
    """Prints on stderr how old the outputs are, as far as they may change."""
    if age := ages.sentence(stack, ages.as_of(stack, (one.record for one in found))):
        output.print_notes([with_command_name(age)])


def print_fetched(session: Session, found: Outputs, copy: Path, *, json: bool) -> None:
    """Prints where the copy of an output is."""
    if json:
        document: documents.FetchedDocument = {
            **output.head(session.state), "fetched": {**_document(found), "path": str(copy.absolute())}}
        output.print_json(document)
    else:
        print(copy)


def _print_table(found: Sequence[Outputs]) -> None:
    table = tables.table("job", "output", "value")
    for one in found:
        for name, value in one.values.items():
            table.add_row(one.record.address, name, _text(value))
    out = _table_console()
    out.print(tables.fit(table, out) if table.row_count else "no outputs yet")


def _print_exported(exported: Sequence[Exported]) -> None:
    if not exported:
        return
    table = tables.table("exported", "of", "value")
    for one in exported:
        table.add_row(one.name, f"{one.address}.{one.output}", "" if one.value is None else _text(one.value))
    out = _table_console()
    out.print()
    out.print(tables.fit(table, out))


def _table_console() -> Console:
    return console() if sys.stdout.isatty() else Console(width=_WIDE, highlight=False, emoji=False, markup=False)


def _exported(one: Exported) -> documents.ExportedOutput:
    run = one.record.run.instance if one.record is not None else None
    return {"name": one.name, "address": one.address, "output": one.output, "instance": run,
            "status": one.record.status if one.record is not None else None, "value": one.value}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else events.dumps(value)


def _document(one: Outputs) -> documents.OutputsOfRun:
    run = one.record.run
    return {"address": one.record.address, "instance": run.instance, "launch": run.launch,
            "status": one.record.status, "outputs": dict(one.values)}
