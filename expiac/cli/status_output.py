"""What commands print of how runs are: the status of each, in a table, and what does not fit it. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from expiac.apply.events import ResourceStatus, SearchLeft
from expiac.cli import ages, tables
from expiac.cli.invocation import with_command_name
from expiac.cli.output import Answer, head, print_age, print_answer
from expiac.declare.metrics import MetricSettings
from expiac.session import Session
from expiac.view import sweep_status
from expiac.view.console import console, search_line

if TYPE_CHECKING:
    from expiac.view import documents


def print_statuses(resources: Sequence[ResourceStatus], session: Session, *, json: bool,
                   verbose: bool = False) -> None:
    """Prints how each resource is; with `verbose`, also each one of a sweep or component."""
    print_answer(statuses_answer(resources, session, verbose=verbose), json=json)


def statuses_answer(resources: Sequence[ResourceStatus], session: Session, *, is_asked: bool = True,
                    verbose: bool = False) -> Answer:
    """How each resource is; says how old that is where no backend `is_asked`."""
    at = "" if is_asked else ages.as_of(session.stack, session.state.records.values())
    document: documents.StatusDocument = {
        **head(session.state), "as_of": at or None, "sweeps": sweep_status.sweep_documents(resources),
        "resources": [tables.document(resource) for resource in resources]}
    age = ages.sentence(session.stack, at)
    return Answer(document, lambda: _print_statuses(resources, session.project.metrics, age, verbose=verbose))


def _print_statuses(resources: Sequence[ResourceStatus], settings: MetricSettings, age: str, *,
                    verbose: bool) -> None:
    out = console()
    if not resources:
        out.print("nothing is recorded")
        return
    print_runs(resources, settings, tables.statuses, verbose=verbose)
    print_age(age)


def print_searches_left(searches: Sequence[SearchLeft]) -> None:
    """Prints of each search how many trials are left, and the command that goes on with it."""
    for one in searches:
        console().print(with_command_name(search_line(one)), soft_wrap=True)


def print_runs(resources: Sequence[ResourceStatus], settings: MetricSettings,
               table: Callable[[Sequence[ResourceStatus], MetricSettings], Table], *, verbose: bool) -> None:
    """Prints a table of runs, and what does not fit it.

    Unless `verbose`, a sweep or component is one line above it, and the table has those of its runs that go on or have
    failed.
    """
    out = console()
    groups = {} if verbose else sweep_status.group_statuses(resources)
    shown = sweep_status.shown_rows(resources, groups) if groups else resources
    for line in sweep_status.lines(groups.values(), settings, out.width):
        out.print(line)
    if groups and shown:
        out.print()
    if shown:
        out.print(tables.fit(table(shown, settings), out))
    for more in filter(None, map(sweep_status.more_line, groups.values())):
        out.print(more, style="dim")
    for remark in tables.remarks(shown):
        out.print(remark)
