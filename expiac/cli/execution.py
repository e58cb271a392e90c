"""Opens the session of a command, asks for consent and carries out the plan. Shared by the commands and `runner`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expiac.apply.events import Result
from expiac.cli import output
from expiac.cli.exits import DONE, INTERRUPTED, handle_sigint
from expiac.declare.component import component_of
from expiac.declare.override_words import words_of
from expiac.declare.project import Project
from expiac.plan.groups import named_by_group
from expiac.plan.model import Plan
from expiac.session import Session
from expiac.util.errors import ExpiacError, Interrupted
from expiac.view.console import ConsoleReporter

if TYPE_CHECKING:
    from expiac.declare.program import Program

QUESTION = "Apply this plan?"


@contextmanager
def open_session(
    stack: str | None, overrides: Sequence[str] = (), *, json: bool = False, prints_document: bool = False,
    declared: bool = True, project: Project | None = None, verbose: bool = False,
) -> Iterator[tuple[Session, ConsoleReporter]]:
    """The session of one command, and its reporter; with `json`, the command prints each event as a line."""
    def open_(reporter: ConsoleReporter) -> Session:
        return Session.open(stack, overrides, reporter=reporter, declared=declared, project=project)

    with _with_reporter(open_, json=json, prints_document=prints_document, verbose=verbose) as (session, reporter):
        yield session, reporter


@contextmanager
def open_watched(stack: str | None, *, goes_on: bool, json: bool, verbose: bool
                 ) -> Iterator[tuple[Session, ConsoleReporter]]:
    """The session of a watch, and its reporter; of one that goes on with searches, with the program as it was applied.

    Raises `ExpiacError` where no search was approved, before the program is read.
    """
    with open_session(stack, json=json, declared=False, verbose=verbose) as (session, reporter):
        if not goes_on:
            yield session, reporter
            return
        from expiac.apply.continuing import approved_program

        applied, project, name = approved_program(session.state, session.project.stacks), session.project, session.stack
    with open_session(str(project.root / applied.program), words_of(applied.overrides), json=json, verbose=verbose,
                      project=project) as (session, reporter):
        if session.stack != name:
            raise ExpiacError("Search not approved", f"{applied.program} declares {session.stack} now, and not {name}",
                              f"expiac apply {session.stack} --wait")
        yield session, reporter


def saved_plan(word: str | None) -> Plan | None:
    """The plan in the file that the word names; None if there is no such file, or no plan in it."""
    if word is None:
        return None
    path = Path(word)
    if not path.is_file():
        return None
    from expiac.plan import saved

    return saved.read(path) if saved.is_plan(path) else None


@contextmanager
def open_saved(plan: Plan, *, json: bool = False, verbose: bool = False,
               reviewed_only: bool = False) -> Iterator[tuple[Session, ConsoleReporter]]:
    """The session of a plan that was saved, and its reporter; raises `Stale` if the plan no longer holds."""
    with _with_reporter(lambda reporter: Session.of(plan, reporter=reporter), json=json,
                        verbose=verbose) as (session, reporter):
        session.confirm(plan, reviewed_only=reviewed_only)
        yield session, reporter


@contextmanager
def open_program(declared: Program, project: Project, *, json: bool = False
                 ) -> Iterator[tuple[Session, ConsoleReporter]]:
    """The session of a program that was made by other means than from its file, and its reporter."""
    with _with_reporter(lambda reporter: Session(project, declared.stack.name, reporter, declared, None),
                        json=json) as (session, reporter):
        yield session, reporter


@contextmanager
def _with_reporter(
    open_: Callable[[ConsoleReporter], Session], *, json: bool, prints_document: bool = False, verbose: bool = False,
) -> Iterator[tuple[Session, ConsoleReporter]]:
    """A session and its reporter; first prints what you should know of the state."""
    made = output.make_reporter(json=json, prints_document=prints_document, verbose=verbose)
    with closing(made) as reporter, open_(reporter) as session:
        reporter.show_metrics(session.project.metrics)
        output.print_notes(session.notes)
        yield session, reporter


def carry_out(
    session: Session, plan: Plan, reporter: ConsoleReporter, *, program: str, question: str, json: bool = False,
    interactive: bool = False, verbose: bool = False, wait: bool = False,
    make_anew: Callable[[], Plan] | None = None, **how: Any,
) -> int:
    """Shows the plan, asks, carries it out and shows the result; gives the exit code.

    An empty `question` is consent, also to the plan that `make_anew` makes where another command was faster: nobody has
    approved the first one. `program` is what you call the stack on the command line.
    """
    is_approved = bool(question) or interactive

    def plan_anew() -> Plan:
        assert make_anew is not None, "never called without"
        made = make_anew()
        if not json:
            output.print_plan(made, program, verbose=verbose)
        return made

    if not json:
        output.print_plan(plan, program, verbose=verbose)
    if interactive and not plan.is_empty:
        plan = output.select_steps(plan)
    elif question and (not plan.is_empty or plan.changed_searches):
        output.ask(question, details=partial(output.print_plan, plan, program, verbose=True))
    with handle_sigint(session.stop, reporter.on_stop):
        anew = None if make_anew is None or is_approved else plan_anew
        result = session.apply(plan, make_anew=anew, wait=wait, **how)
    if not json:
        output.print_result(result, program, session, verbose=verbose)
    _raise_unless_well(result, program, session.stack)
    return DONE


def watch(session: Session, reporter: ConsoleReporter, *, json: bool, timeout: float, verbose: bool = False,
          goes_on: bool = False) -> int:
    """Shows the runs until every one has ended; gives the exit code. ^C ends it at once and leaves the runs alone.

    One that `goes_on` begins the next trials of searches meanwhile.
    """
    with closing(reporter), handle_sigint(session.stop, *([reporter.on_stop] if goes_on else [])):
        result = session.go_on(timeout=timeout) if goes_on else session.watch(timeout=timeout)
    if not json:
        from expiac.cli import status_output

        status_output.print_statuses(result.seen, session, json=False, verbose=verbose)
        status_output.print_searches_left(session.searches_left)
    if goes_on:
        from expiac.plan.searches import program_name

        _raise_unless_well(result, program_name(session.state, session.project.stacks), session.stack)
        return DONE
    if result.interrupted:
        return INTERRUPTED
    _raise_for_failed_runs(result, session.state.stack)
    return DONE


def _raise_unless_well(result: Result, program: str, stack: str) -> None:
    """Raises an error if something was interrupted or failed; its hint is a command to run next.

    `plan` needs the program; `status` and `logs` find the state by the stack's own name.
    """
    if result.interrupted:
        raise Interrupted("Interrupted", "nothing new is begun; runs that were launched go on",
                          f"expiac status {stack}")
    failed = [step for step, _ in result.failed]
    not_done = [step.address for step in (*failed, *result.skipped)]
    paused = [step.address for step in result.done if step.pauses]
    lists = ((not_done, "not done"), (paused, "stopped, since the budget is spent"))
    if told := [f"{words}: {', '.join(named_by_group(names, component_of))}" for names, words in lists if names]:
        raise ExpiacError("Apply incomplete", "\n".join(told), f"expiac plan {program}")
    _raise_for_failed_runs(result, stack)


def _raise_for_failed_runs(result: Result, stack: str) -> None:
    if bad := {run.address: run for run in result.seen if run.status.is_failure}:
        told = named_by_group(bad, lambda address: bad[address].group)
        runs = [f"{name} ({bad[name].status.value})" if name in bad else f"{name} failed" for name in told]
        raise ExpiacError("Run failed", ", ".join(runs), f"expiac logs {stack} {next(iter(bad))}")
