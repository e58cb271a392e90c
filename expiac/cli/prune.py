"""`expiac prune`: deletes what archived runs left on this machine, after saying what and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expiac.cli import arguments as args
from expiac.cli.exits import DONE

if TYPE_CHECKING:
    from expiac.plan.pruning import Pruning
    from expiac.view import recorded


def prune(
    stack: args.StackArg = None,
    *,
    keep: args.Keep = 0,
    older_than: args.OlderThan = None,
    dry_run: args.DryRun = False,
    yes: args.Yes = False,
    json: args.Json = False,
) -> int:
    """Delete the folders of archived runs: their code, outputs and logs. Leaves what is current or needed."""
    from expiac.cli import execution, output
    from expiac.plan.pruning import PruneOptions
    from expiac.util.sizes import size_text

    options = PruneOptions(keep, _seconds(older_than))
    if not dry_run:
        output.demand_consent(yes=yes, json=json)
    with execution.open_session(stack, json=json, declared=False) as (session, _):
        planned = session.plan_prune(options)
        if not json:
            _print(planned)
        if not dry_run and (planned.runs or planned.size):
            if not yes:
                output.ask("Delete all of this?")
            planned = session.prune(planned)
            if not json:
                print(f"\nfreed {size_text(planned.size)}")
        if json:
            output.print_json(_document(planned, dry_run=dry_run))
    return DONE


def _seconds(older_than: str | None) -> float:
    from expiac.util import duration
    from expiac.util.errors import UsageError

    if older_than is None:
        return 0.0
    try:
        duration.validate(older_than)
    except ValueError as error:
        raise UsageError("Invalid value", f"--older-than {older_than}: {error}", "--older-than 30d") from error
    return duration.seconds(older_than)


def _print(planned: Pruning) -> None:
    from expiac.cli import tables
    from expiac.util.sizes import size_text
    from expiac.view.console import console

    out = console()
    table = tables.table("job", "status", "archived", "size", "instance")
    for run in planned.runs:
        record = run.record
        table.add_row(record.address, record.status.value, tables.local_time(record.ended_at), size_text(run.size),
                      record.run.instance)
    if planned.runs:
        out.print(tables.fit(table, out))
    for kept in planned.kept:
        out.print(f"kept: {kept.record.run.instance}: {kept.why}", soft_wrap=True)
    besides = planned.size - sum(run.size for run in planned.runs)
    if besides:
        out.print(f"files that only these share, and what an earlier prune left: {size_text(besides)}", soft_wrap=True)
    if not planned.runs and not planned.size:
        out.print("nothing to delete")
        return
    count = f"{len(planned.runs)} run" + ("" if len(planned.runs) == 1 else "s")
    out.print(f"\n{count} to delete, {size_text(planned.size)}")


def _document(planned: Pruning, *, dry_run: bool) -> recorded.PruneDocument:
    from expiac.view import show

    return {
        "format_version": show.FORMAT,
        "stack": planned.stack,
        "lineage": planned.lineage,
        "serial": planned.serial,
        "dry_run": dry_run,
        "pruned": [{"address": run.record.address, "instance": run.record.run.instance,
                    "status": run.record.status, "archived_at": run.record.ended_at, "bytes": run.size}
                   for run in planned.runs],
        "kept": [{"address": kept.record.address, "instance": kept.record.run.instance, "why": kept.why}
                 for kept in planned.kept],
        "bytes": planned.size,
    }
