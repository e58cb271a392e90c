"""`expiac state …`: commands for the state file itself. None of them asks a backend or changes anything there."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from expiac.cli import arguments as args
from expiac.cli.exits import DONE

if TYPE_CHECKING:
    from expiac.state.journal import Journal

app = typer.Typer(no_args_is_help=True, help="Look after the state file.")


@app.callback()
def set_common_options() -> None:
    """Look after the state file."""


@app.command("list")
def list_(stack: args.StacksArg = None, *, archived: args.Archived = False, json: args.Json = False) -> int:
    """List what is recorded."""
    from expiac.cli import records, several

    def ask(name: str) -> several.Answer:
        with open_journal(name) as journal:
            return records.records_answer(journal.state, archived=archived)

    return several.show_stacks(stack, ask, json=json)


@app.command()
def show(stack: args.StackName, name: args.RecordName) -> int:
    """Print everything that is recorded of one resource, as JSON."""
    from expiac.cli import records
    from expiac.state import edit

    with open_journal(stack) as journal:
        records.print_record(edit.record_at(name, journal.state.records), journal.state.stack)
    return DONE


@app.command()
def rm(stack: args.StackName, names: args.RecordNames, *, yes: args.Yes = False) -> int:
    """Forget resources and leave alone what they stand for: what runs goes on."""
    from expiac.cli import output
    from expiac.state import edit

    with open_journal(stack) as journal:
        for record in edit.records_to_remove(journal, names):
            goes_on = ": it goes on" if record.status.is_live else ""
            print(f"· {record.address}   {record.run.instance} ({record.status.value}){goes_on}")
        output.demand_consent(yes=yes, json=False)
        if not yes:
            output.ask("Forget them?" if len(names) > 1 else "Forget it?")
        edit.remove(journal, names)
    return DONE


@app.command()
def mv(stack: args.StackName, old: args.RecordName, new: args.NewName) -> int:
    """Record a resource under another name; its run keeps its own. Rename it in the program too."""
    from expiac.state import edit

    with open_journal(stack) as journal:
        edit.move(journal, old, new)
        print(f"~ {old} → {new}   {journal.state.records[new].run.instance}")
    return DONE


@app.command()
def pull(stack: args.StackArg = None) -> int:
    """Print the whole state, as `push` takes it."""
    from expiac.state import edit

    with open_journal(stack) as journal:
        sys.stdout.buffer.write(edit.pull(journal))
    return DONE


@app.command()
def push(file: args.StateFile, *, force: args.Force = False, yes: args.Yes = False) -> int:
    """Put a state that was pulled in the place of the one that is here; a copy of that is kept."""
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.state import edit
    from expiac.state.stores import states
    from expiac.util.errors import ExpiacError

    output.demand_consent(yes=yes, json=False)
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise ExpiacError("No such state", f"{file}: {error.strerror}", "expiac state pull STACK > FILE") from error
    project = find_project(Path.cwd())
    store = states(project)
    if not yes:
        output.ask(f"Put {file} in the place of the state in {store.place}?")
    name, copy = edit.push(data, store, project.state_folder, str(file), force=force)
    print(f"{name} in {store.place}" + (f"; the state that was there is kept as {copy}" if copy else ""))
    return DONE


@app.command()
def compact(stack: args.StackArg = None) -> int:
    """Put one line in the place of all events, as happens by itself when the file is large."""
    from expiac.state.locking import lock_state

    with open_journal(stack) as journal:
        before = journal.size
        with lock_state(journal, journal.state, purpose="state compact"):
            journal.compact()
        print(f"{journal.name}: {before:,} → {journal.size:,} bytes")
    return DONE


@app.command()
def repair(stack: args.StackArg = None, *, yes: args.Yes = False) -> int:
    """Cut a damaged state file back to its last good line, after saying what that loses; a copy is kept."""
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.state import lookup
    from expiac.state import repair as repairs
    from expiac.state.stores import states

    project = find_project(Path.cwd())
    log = states(project).log(lookup.stack_of(project, stack))
    with log.lock(purpose="state repair"):
        found = repairs.find_damage(log)
        if found is None:
            print(f"{log.name} is whole")
            return DONE
        print(found.description)
        if not yes:
            output.ask("Cut it back?")
        print(f"cut back; a copy is kept as {found.carry_out(project.state_folder)}")
    return DONE


@app.command()
def unlock(stack: args.StackName, *, yes: args.Yes = False) -> int:
    """Take the lock of a shared state from a holder that is gone; one that is not gone may write no more."""
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.state.object_store import Store

    project = find_project(Path.cwd())
    holder = Store(project.state_url).holder(stack) if project.state_url else None
    if holder is None:
        print(f"{stack} is not locked" + ("" if project.state_url else ": a lock on this machine ends with its holder"))
        return DONE
    print(f"{holder.purpose} of {stack} by {holder.sentence}")
    output.demand_consent(yes=yes, json=False)
    if not yes:
        output.ask("Is it gone?")
    Store(project.state_url).unlock(stack)
    return DONE


@contextmanager
def open_journal(stack: str | None) -> Iterator[Journal]:
    """The journal of a stack, found by its state alone."""
    from expiac.cli import output
    from expiac.declare.project import find_project
    from expiac.state import lookup
    from expiac.state.stores import states

    project = find_project(Path.cwd())
    with states(project).open(lookup.stack_of(project, stack)) as journal:
        output.print_notes(journal.notes)
        yield journal
