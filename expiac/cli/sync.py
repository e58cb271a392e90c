"""`expiac sync`: uploads the W&B runs that were logged offline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from expiac.cli import arguments as args
from expiac.cli.exits import DONE, ERROR
from expiac.cli.runs import read_states, refuse_unread

if TYPE_CHECKING:
    from expiac.tracking.offline import Unreadable
    from expiac.tracking.sync import Synced
    from expiac.view import synced

TIMEOUT = 600.0


def sync(
    stacks: args.SyncedStacks = None,
    *,
    dry_run: args.SyncDryRun = False,
    json: args.Json = False,
    timeout: args.SyncTimeout = TIMEOUT,
) -> int:
    """Upload the W&B runs that were logged offline, each once. A run that has more rows since is uploaded again."""
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.tracking.sync import Sync
    from expiac.tracking.sync_key import refuse_without_access

    project = find_project(Path.cwd())
    known, unread = read_states(project, stacks)
    found: list[tuple[str, Synced]] = []
    broken: list[tuple[str, Unreadable]] = []
    is_admitted = dry_run
    for state in known:
        one = Sync(project, state)
        if not is_admitted and any(run.outcome == "to upload" for run in one.plan()):
            refuse_without_access()
            is_admitted = True
        for run in one.plan() if dry_run else one.carry_out(timeout=timeout):
            found.append((state.stack, run))
            if not json:
                _print_run(run)
        broken += [(state.stack, file) for file in one.unreadable]
    if json:
        output.print_json(_document(found, broken, dry_run=dry_run))
    else:
        _print_end([run for _, run in found], [file for _, file in broken])
    refuse_unread(unread)
    return ERROR if broken or any(run.outcome == "failed" for _, run in found) else DONE


def _print_run(run: Synced) -> None:
    from expiac.plan import formatting
    from expiac.view.console import console

    counts = "".join(f", {count} {noun}{'' if count == 1 else 's'}"
                     for count, noun in ((run.rows, "row"), (run.artifacts, "artifact")) if count)
    console().print(f"{run.address}   {formatting.printable(run.id)}: {run.outcome}{counts}", soft_wrap=True)
    for line in filter(None, (run.url, run.why)):
        console().print(f"    {formatting.printable(line)}", soft_wrap=True)


def _print_end(runs: Sequence[Synced], broken: Sequence[Unreadable]) -> None:
    from expiac.plan import formatting
    from expiac.view.console import console

    for file in broken:
        line = formatting.printable(f"! {file.address}: {file.file}: {file.why}")
        console().print(line, style="yellow", soft_wrap=True)
    if not runs and not broken:
        console().print("nothing was logged to W&B offline")
        return
    counts = {outcome: sum(run.outcome == outcome for run in runs) for outcome in dict.fromkeys(_outcomes(runs))}
    told = [f"{count} {outcome}" for outcome, count in counts.items()]
    console().print(", ".join([*told, *([f"{len(broken)} unreadable"] if broken else [])]))


def _outcomes(runs: Iterable[Synced]) -> Iterable[str]:
    return (run.outcome for run in runs)


def _document(found: Sequence[tuple[str, Synced]], broken: Sequence[tuple[str, Unreadable]], *,
              dry_run: bool) -> synced.SyncDocument:
    from dataclasses import asdict

    from expiac.view import show

    runs: list[synced.SyncedRun] = [{"stack": stack, **asdict(run)} for stack, run in found]  # type: ignore[typeddict-item]
    files: list[synced.UnreadableRun] = [
        {"stack": stack, "address": file.address, "instance": file.instance, "file": str(file.file), "why": file.why}
        for stack, file in broken]
    return {"format_version": show.FORMAT, "dry_run": dry_run, "synced": runs, "unreadable": files}
