"""What commands print and ask: plans, JSON, tables, consent. Decides nothing."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from expiac.cli.invocation import command_name, with_command_name
from expiac.plan.formatting import printable
from expiac.plan.groups import components_in, refuse_component
from expiac.plan.model import Plan, Step
from expiac.session import Session
from expiac.state.model import State
from expiac.util.errors import ExpiacError, Interrupted, UsageError, did_you_mean
from expiac.view import show
from expiac.view.console import COLOURS, ConsoleReporter, Lines, console

if TYPE_CHECKING:
    from expiac.apply.events import Result
    from expiac.view import documents

_HINT = "  Hint: "
_BY_GLYPH = {action.glyph: colour for action, colour in COLOURS.items()}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found of one stack."""

    document: Mapping[str, Any]
    """For `--json`."""
    print_text: Callable[[], None]


def print_answer(answer: Answer, *, json: bool) -> None:
    """Prints the answer as JSON or as text."""
    print_json(answer.document) if json else answer.print_text()


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Prints one JSON document, on one line or indented for people."""
    from expiac.cli import events

    print(events.dumps(value, indent=indent))


def print_plan(plan: Plan, program: str, *, json: bool = False, markdown: bool = False, verbose: bool = False) -> None:
    """Prints the plan as text, JSON or markdown; `program` is what you call the stack on the command line."""
    if json:
        print_json(show.document(plan))
        return
    if markdown:
        from expiac.view.markdown import markdown as as_markdown

        print(as_markdown(plan, verbose=verbose))
        return
    out = console()
    lines = show.text(plan, out.width, program=program, verbose=verbose).splitlines()
    out.print(PlanLines([with_command_name(line) if line.startswith(_HINT) else line for line in lines]),
              soft_wrap=True)


def save_plan(plan: Plan, file: Path, *, quiet: bool) -> None:
    """Writes the plan into the file, and prints how to apply it."""
    from expiac.plan import saved

    saved.write(plan, file)
    if not quiet:
        console().print(f"\nSaved:\n  {command_name()} apply {shlex.quote(str(file))}", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class PlanLines:
    """The lines of a plan, the sign of each step in its colour. Rich takes a third of the time for it that it takes for
    its own `Text`, which it would look through for places to wrap."""

    lines: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        styles = {glyph: console.get_style(colour if colour == "dim" else f"bold {colour}")
                  for glyph, colour in _BY_GLYPH.items()}
        end = Segment.line()
        for line in self.lines:
            style = styles.get(line[:1]) if line[1:2] == " " else None
            if not line.isprintable():
                yield _coloured(line, style)
                continue
            if style is None or style.dim:
                yield Segment(line, style)
            else:
                yield from (Segment(line[:1], style), Segment(line[1:]))
            yield end


def _coloured(line: str, style: Style | None) -> Text:
    """A line that has more than letters in it, such as tabs."""
    if style is None or style.dim:
        return Text(line, style=style or "")
    return Text.assemble((line[:1], style), line[1:])


def demand_consent(*, yes: bool, json: bool, hint: str = "--yes") -> None:
    """Raises `UsageError` now if expiac could not ask you for consent later."""
    if yes:
        return
    if json:
        raise UsageError("Consent needed", "--json prints JSON only, and so cannot ask", hint)
    if not sys.stdin.isatty():
        raise UsageError("Consent needed", "there is no terminal to ask on", hint)


def ask(question: str, details: Callable[[], None] | None = None) -> None:
    """Raises `Interrupted` unless the user types y or yes; if the user types details, shows them and asks again."""
    choices = "y/N/details" if details else "y/N"
    while True:
        try:
            answer = input(f"\n{question} [{choices}] ").strip().lower()
        except EOFError:
            answer = ""
        except KeyboardInterrupt:
            print()
            raise Interrupted("Interrupted", "nothing was changed") from None
        if details is None or answer not in ("d", "details"):
            break
        print()
        details()
    if answer not in ("y", "yes"):
        raise Interrupted("Declined", "nothing was changed")


def select_steps(plan: Plan) -> Plan:
    """Asks about each step; gives the part of the plan that you say yes to."""
    from expiac.cli import interactive

    def details(step: Step) -> str:
        alone = replace(plan, steps=(step,), along=(), left_out=(), warnings=(), previous_overrides=None)
        return show.text(alone, console().width, verbose=True)

    if not plan.is_empty:
        print()
    part = interactive.select_steps(plan, input, print, details)
    if part.left_out:
        print(f"\n{show.summary(part)}; left out: {', '.join(part.left_out)}")
    return part


def print_notes(notes: Sequence[str]) -> None:
    """Prints on stderr what you should know before anything else."""
    for note in notes:
        print(f"! {printable(note)}", file=sys.stderr)


def make_reporter(*, json: bool, prints_document: bool = False, verbose: bool = False) -> ConsoleReporter:
    """The reporter that prints events as they happen: as JSON lines, in place on a terminal, or line by line.

    If the command prints a JSON document, its stdout is for that alone, and events are lines on stderr. `verbose` shows
    each step and each run of a sweep or component.
    """
    if json:
        from expiac.cli import events

        return events.JsonLines()
    if prints_document:
        return Lines(partial(print, file=sys.stderr), call=with_command_name, verbose=verbose)
    out = console()
    if not out.is_terminal or out.is_dumb_terminal:
        # A pipe is searched: no line breaks within words.
        return Lines(partial(out.print, soft_wrap=True), call=with_command_name, verbose=verbose)
    from expiac.cli.live import LiveLines

    return LiveLines(out, verbose=verbose)


def head(state: State) -> documents.OfState:
    """What every document about a state begins with."""
    return {"format_version": show.FORMAT, "stack": state.stack, "lineage": state.lineage, "serial": state.serial}


def print_age(age: str) -> None:
    """Prints how old what was shown is, if that is to be told."""
    if age:
        console().print(with_command_name(age), style="dim", soft_wrap=True)


def print_logs(session: Session, address: str, *, follow: bool, node: int | None) -> None:
    """Prints what a job printed; if that is nothing, says so on stderr."""
    line = None
    for line in session.logs(address, follow=follow, node=node):
        print(line, flush=follow)
    if line is None:
        session.look()
        record = session.observed.records.get(address)
        print_notes([f"{address} has printed nothing ({record.status.value if record else 'ended'})"])


def job_named(session: Session, name: str | None) -> str:
    """The address of the named job, or of the only one; you have to name a job that was destroyed."""
    known = list(session.state.records)
    if name is None:
        if len(known) != 1:
            raise UsageError("Which job?", f"{session.stack} has {len(known)}", f"known: {', '.join(known)}")
        return known[0]
    is_archived = any(record.address == name for record in session.state.history)
    if name not in known and not is_archived:
        refuse_component(name, session.state.records, f"expiac logs {session.stack}")
        raise ExpiacError("Unknown job", f"{session.stack} has no {name!r}",
                          did_you_mean(name, {*known, *components_in(known)}))
    return name


def print_ejected() -> None:
    """Writes the shipped templates into the project, and prints the path of each."""
    from expiac.compile.templates import eject_templates
    from expiac.declare.project import find_project

    project = find_project(Path.cwd())
    for path, is_new in eject_templates(project).items():
        print(f"{path.relative_to(project.root)}" + ("" if is_new else "   is there already: left as it is"))


def print_result(result: Result, program: str, session: Session, *, verbose: bool = False) -> None:
    """Prints what an apply did: a table of results if it waited, and three commands to try next.

    `program` is what you call the stack on the command line; commands that need only the state get the stack's name.
    """
    out = console()
    if result.seen and not result.interrupted:
        from expiac.cli import status_output, tables

        out.print()
        status_output.print_runs(result.seen, session.project.metrics, tables.results, verbose=verbose)
    if result.is_well and (commands := _next_commands(result, program, session.stack)):
        out.print("\nNext:")
        for command in commands:
            out.print(f"  {command}")


def _next_commands(result: Result, program: str, stack: str) -> list[str]:
    watched = [resource.address for resource in result.seen]
    launched = [step.address for step in result.done if step.desired is not None]
    jobs = watched or launched
    if not jobs:
        return []
    if result.deferred:
        then = f"expiac apply {program} --wait"
    else:
        follow = "" if watched else " -f"
        then = f"expiac logs {stack} {jobs[0]}{follow}"
    first = "results" if watched and not result.deferred else "status"
    commands = [f"expiac {first} {stack}", then, f"expiac destroy {stack}"]
    return [command.replace("expiac", command_name(), 1) for command in commands]
