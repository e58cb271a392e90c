"""From a plan to its result: shown, asked for, carried out, told. Shared by apply, destroy and `runner`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from expiac.apply.events import Result
from expiac.cli import output
from expiac.cli.exits import DONE, INTERRUPTED, stopping
from expiac.declare.project import Project
from expiac.plan.model import Plan
from expiac.session import Session
from expiac.util.errors import ExpiacError, Interrupted
from expiac.view.console import ConsoleReporter

QUESTION = "Apply this plan?"


@contextmanager
def opened(
    stack: str | None, overrides: Sequence[str] = (), *, json: bool = False, declared: bool = True,
    project: Project | None = None,
) -> Iterator[tuple[Session, ConsoleReporter]]:
    """The session of one command, and who tells what happens in it."""
    def open_(reporter: ConsoleReporter) -> Session:
        return Session.open(stack, overrides, reporter=reporter, declared=declared, project=project)

    with _told(open_, json=json) as told:
        yield told


def saved_plan(word: str | None) -> Plan | None:
    """The plan, where the word names a file that holds one."""
    if word is None or not (path := Path(word)).is_file():
        return None
    from expiac.plan import saved

    return saved.read(path) if saved.is_plan(path) else None


@contextmanager
def resumed(plan: Plan, *, json: bool = False) -> Iterator[tuple[Session, ConsoleReporter]]:
    """The session that carries out a plan made earlier, once it was seen to hold still."""
    with _told(lambda reporter: Session.of(plan, reporter=reporter), json=json) as (session, reporter):
        session.confirm(plan)
        yield session, reporter


@contextmanager
def _told(open_: Callable[[ConsoleReporter], Session], *, json: bool) -> Iterator[tuple[Session, ConsoleReporter]]:
    """A session, and who tells what happens in it; what should be known of its state is said first."""
    with closing(output.reporter(json=json)) as reporter, open_(reporter) as session:
        output.notes(session.notes)
        yield session, reporter


def carry_out(
    session: Session, plan: Plan, reporter: ConsoleReporter, *, called: str, question: str, json: bool = False,
    interactive: bool = False, wait: bool = False, **how: Any,
) -> int:
    """The exit code of carrying out the plan; an empty `question` is consent. `called` names the stack in commands."""
    if not json:
        output.plan(plan, called)
    if interactive:
        plan = output.picked(plan)
    elif question and not plan.is_empty:
        output.ask(question)
    with stopping(session.stop, reporter.stopping):
        result = session.apply(plan, wait=wait, **how)
    if not json:
        output.result(result, called, session.stack)
    _raise(result, called, session.stack)
    return DONE


def watch(session: Session, reporter: ConsoleReporter, *, json: bool, timeout: float) -> int:
    """The exit code of watching until every run has ended; ^C ends it at once and leaves the runs alone."""
    with closing(reporter), stopping(session.stop):
        result = session.watch(timeout=timeout)
    if not json:
        output.statuses(result.seen, session, json=False)
    return INTERRUPTED if result.interrupted else DONE


def _raise(result: Result, called: str, stack: str) -> None:
    """Raises where the result is not well. A stack's own name finds its state, whatever the program is called."""
    if result.interrupted:
        raise Interrupted("Interrupted", "nothing new is begun; runs that were launched go on",
                          f"expiac status {stack}")
    if result.failed or result.skipped:
        names = ", ".join(step.address for step in (*(step for step, _ in result.failed), *result.skipped))
        raise ExpiacError("Apply incomplete", f"not done: {names}", f"expiac plan {called}")
    if ended := [f"{seen.address} ({seen.status.value})" for seen in result.seen if seen.status.is_failure]:
        raise ExpiacError("Run failed", ", ".join(ended), f"expiac logs {stack} {ended[0].split()[0]}")
