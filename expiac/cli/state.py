"""`expiac state …`: verbs for the state file itself."""

from __future__ import annotations

import typer

from expiac.cli import arguments as args
from expiac.cli.exits import DONE

app = typer.Typer(no_args_is_help=True, help="Look after the state file.")


@app.callback()
def verbs() -> None:
    """Look after the state file."""


@app.command()
def repair(stack: args.StackArg = None, *, yes: args.Yes = False) -> int:
    """Cut a damaged state file back to its last good line, after saying what that loses; a copy is kept."""
    from pathlib import Path

    from expiac import recorded
    from expiac import repair as repairs
    from expiac.cli import output
    from expiac.lock import Lock
    from expiac.project import find

    project = find(Path.cwd())
    file = project.state_folder / f"{recorded.stack_of(project, stack)}.jsonl"
    with Lock(file.with_suffix(".lock"), purpose="state repair"):
        found = repairs.repair(file)
        if found is None:
            print(f"{file} is whole")
            return DONE
        print(found.description)
        if not yes:
            output.ask("Cut it back?")
        print(f"cut back; a copy is kept as {found.carry_out()}")
    return DONE
