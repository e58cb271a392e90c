"""What commands print and ask: plans, documents, tables, consent. Decides nothing."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.text import Text

from expiac.apply.events import ResourceStatus, Result
from expiac.cli import events, tables
from expiac.plan.model import Plan
from expiac.session import Session
from expiac.util.errors import ExpiacError, Interrupted, UsageError, did_you_mean
from expiac.view import show
from expiac.view.console import COLOURS, ConsoleReporter, Lines, console

_BY_GLYPH = {action.glyph: colour for action, colour in COLOURS.items()}


def document(value: Any, *, indent: int | None = None) -> None:
    """One JSON document on stdout, on one line or indented for people."""
    print(events.dumps(value, indent=indent))


def plan(value: Plan, program: str, *, json: bool = False) -> None:
    """The plan as text or JSON; `program` is what the user calls the stack on the command line."""
    if json:
        document(show.document(value))
        return
    out = console()
    lines = show.text(value, out.width, program=program).splitlines()
    out.print(Text("\n").join(map(_coloured, lines)), soft_wrap=True)  # at once: a print a line takes thrice as long


def save(value: Plan, file: Path, *, quiet: bool) -> None:
    """Writes the plan into the file, and says how to apply it."""
    from expiac.plan import saved

    saved.write(value, file)
    if not quiet:
        console().print(f"\nSaved:\n  expiac apply {shlex.quote(str(file))}", soft_wrap=True)


def _coloured(line: str) -> Text:
    colour = _BY_GLYPH.get(line[:1], "") if line[1:2] == " " else ""
    if colour == "dim":
        return Text(line, style=colour)
    return Text.assemble((line[:1], f"bold {colour}"), line[1:]) if colour else Text(line)


def demand_consent(*, yes: bool, json: bool, hint: str = "--yes") -> None:
    """Refuses at once what could not be asked later."""
    if yes:
        return
    if json:
        raise UsageError("Consent needed", "--json prints JSON only, and so cannot ask", hint)
    if not sys.stdin.isatty():
        raise UsageError("Consent needed", "there is no terminal to ask on", hint)


def ask(question: str) -> None:
    """Raises `Interrupted` unless the user types y or yes."""
    try:
        answer = input(f"\n{question} [y/N] ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise Interrupted("Declined", "nothing was changed")


def picked(value: Plan) -> Plan:
    """The part of the plan that the user says yes to, step by step."""
    from expiac.cli.picking import pick

    if not value.is_empty:
        print()
    part = pick(value, input, print)
    if part.left_out:
        print(f"\n{show.summary(part)}; left out: {', '.join(part.left_out)}")
    return part


def notes(said: Sequence[str]) -> None:
    """What should be known before anything else."""
    for note in said:
        print(f"! {note}", file=sys.stderr)


def reporter(*, json: bool) -> ConsoleReporter:
    """Who tells what happens, as it happens."""
    if json:
        return events.JsonLines()
    out = console()
    if not out.is_terminal or out.is_dumb_terminal:
        return Lines(partial(out.print, soft_wrap=True))  # a pipe is searched: no line breaks within words
    from expiac.cli.live import LiveLines

    return LiveLines(out)


def statuses(seen: Sequence[ResourceStatus], session: Session, *, json: bool) -> None:
    """How each resource is."""
    if json:
        document({"format_version": show.FORMAT, "stack": session.stack, "lineage": session.state.lineage,
                  "serial": session.state.serial, "resources": [tables.document(one) for one in seen]})
        return
    out = console()
    if not seen:
        out.print("nothing is recorded")
        return
    out.print(tables.statuses(seen))
    for remark in tables.remarks(seen):
        out.print(remark)


def logs(session: Session, address: str, *, follow: bool, node: int | None) -> None:
    """What a job printed; where that is nothing, says so aside."""
    line = None
    for line in session.logs(address, follow=follow, node=node):
        print(line, flush=follow)
    if line is None:
        how = next((one.status.value for one in session.status() if one.address == address), "ended")
        notes([f"{address} has printed nothing ({how})"])


def one_job(session: Session, name: str | None) -> str:
    """The job that is meant: the named one, or the only one; one that was destroyed has to be named."""
    known = list(session.state.records)
    if name in [record.address for record in session.state.history]:
        return str(name)
    if name is None and len(known) == 1:
        return known[0]
    if name is None:
        raise UsageError("Which job?", f"{session.stack} has {len(known)}", f"known: {', '.join(known)}")
    if name not in known:
        raise ExpiacError("Unknown job", f"{session.stack} has no {name!r}", did_you_mean(name, known))
    return name


def texts(rendered: Mapping[str, Mapping[str, str]], folder: str | None) -> None:
    """The rendered files, one after the other, or each in a file `<folder>/<address>.<name>`."""
    for address, files in rendered.items():
        for name, text in files.items():
            if folder is None:
                print(f"# --- {address}: {name}\n{text.rstrip()}\n")
                continue
            path = Path(folder) / f"{address}.{name}"
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            except OSError as error:
                raise ExpiacError("Cannot write", f"{path}: {error.strerror}") from error
            print(path)


def result(value: Result, program: str, stack: str) -> None:
    """What an apply came to: a table of results where it waited, and three commands to try next.

    `program` is what the user calls the stack; what needs the state only is pasted with its own name.
    """
    out = console()
    if value.seen and not value.interrupted:
        out.print()
        out.print(tables.results(value.seen))
        for remark in tables.remarks(value.seen):
            out.print(remark)
    if value.is_well and (commands := _next(value, program, stack)):
        out.print("\nNext:")
        for command in commands:
            out.print(f"  {command}")


def _next(value: Result, program: str, stack: str) -> list[str]:
    jobs = [seen.address for seen in value.seen] or [step.address for step in value.done if step.desired is not None]
    if not jobs:
        return []
    follow = "" if value.seen else " -f"
    then = f"expiac apply {program} --wait" if value.deferred else f"expiac logs {stack} {jobs[0]}{follow}"
    return [f"expiac status {stack}", then, f"expiac destroy {stack}"]
