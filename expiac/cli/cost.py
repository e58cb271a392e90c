"""`expiac cost`: what runs have cost, by stack, job, user or week. Asks no backend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expiac.cli import arguments as args
from expiac.cli.exits import DONE
from expiac.cli.runs import read_states, refuse_unread

if TYPE_CHECKING:
    from expiac.analysis.spending import By, Spent
    from expiac.providers.registry import Providers
    from expiac.view import runs


def cost(
    stacks: args.StacksList = None, *, since: args.Since = None, by: args.CostBy = "stack", json: args.Json = False,
) -> int:
    """Show what runs have cost, present and past: dollars, hours, GPU-hours."""
    from datetime import UTC, datetime

    from expiac.analysis import spending
    from expiac.analysis.listing import listed_runs
    from expiac.cli import ages, output
    from expiac.declare.project import find_project
    from expiac.providers.registry import Providers
    from expiac.view import show

    project, now, kind = find_project(Path.cwd()), datetime.now(UTC), _kind(by)
    begin = None if since is None else spending.since_of(since, now)
    states, unread = read_states(project, stacks)
    providers = Providers(project)
    known = spending.launched_since(listed_runs(states, archived=True), begin)
    spent = [(one, spending.spent_on(one, now, rents=_rents(providers, one.record.provider))) for one in known]
    rows, total = spending.spending(spent, kind), spending.total(one for _, one in spent)
    looks = {state.stack: at for state in states
             if (at := ages.as_of(state.stack, [one.record for one in known if one.stack == state.stack]))}
    if json:
        parts: list[runs.SpendingOf] = [_values(one) | {"name": name} for name, one in rows.items()]
        document: runs.CostDocument = {
            "format_version": show.FORMAT, "by": kind, "since": begin.isoformat() if begin else None,
            "as_of": min(looks.values(), default=None), "total": _values(total),
            "spending": parts}
        output.print_json(document)
    else:
        _print_table(rows, total, kind)
        for stack, at in looks.items():
            output.print_age(ages.sentence(stack, at))
    refuse_unread(unread)
    return DONE


def _kind(by: str) -> By:
    from expiac.util.errors import UsageError, did_you_mean

    match by:
        case "stack" | "job" | "user" | "week":
            return by
    raise UsageError("Invalid value", f"--by {by}", did_you_mean(by, ("stack", "job", "user", "week")))


def _rents(providers: Providers, name: str) -> bool:
    """Whether a backend rents machines; one that can't be loaded may."""
    from expiac.util.errors import ExpiacError

    try:
        return providers.rents_machines(name)
    except ExpiacError:
        return True


def _values(one: Spent) -> Any:
    return {"runs": one.runs, "hours": one.hours, "gpu_hours": one.gpu_hours, "dollars": one.dollars,
            "estimated_dollars": one.estimated, "free": one.free, "unknown": one.unknown}


def _print_table(rows: Mapping[str, Spent], total: Spent, by: str) -> None:
    from expiac.cli import output, tables
    from expiac.plan import formatting
    from expiac.view.console import console

    out = console()
    if not rows:
        out.print("no runs")
        return
    table = tables.table(by, "runs", "hours", "GPU-hours", "cost")
    shown = {**rows, "total": total} if len(rows) > 1 else rows
    for name, one in shown.items():
        table.add_row(formatting.printable(name), str(one.runs), f"{one.hours:,.1f}", f"{one.gpu_hours:,.1f}",
                      _cost_text(one))
    out.print(table)
    notes = ["about: a price of the plan times the time of the last launch"] if total.estimated else []
    if total.unknown:
        notes.append(f"{total.unknown} of {total.runs} runs: the price or the time is not known, and not counted")
    output.print_notes(notes)


def _cost_text(one: Spent) -> str:
    """`$3.20`, `about $4.10 and 2 not known`, `free`."""
    from expiac.plan.cost import dollars

    if one.free == one.runs:
        return "free"
    known = f"{'about ' if one.estimated else ''}{dollars(one.dollars)}"
    if not one.unknown:
        return known
    return "not known" if one.unknown + one.free == one.runs else f"{known} and {one.unknown} not known"
