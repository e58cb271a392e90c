"""What is said while something happens, line by line. Hears and shows; decides nothing.

Each line stands for good, so this is how it reads in a pipe; `cli.live` draws the present below the same lines.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Protocol, assert_never

from rich.console import Console
from rich.text import Text

from expiac.apply.events import (
    Began,
    Finished,
    ProgressEvent,
    Reporter,
    ResourceStatus,
    StepBegan,
    StepDeferred,
    StepEnded,
    StepFailed,
    StepSkipped,
    Waiting,
    Warned,
)
from expiac.plan.model import Action, Step
from expiac.view import figures

STOPPING = "Stopping: nothing new is begun. Another ^C ends at once."
COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "magenta",
    Action.RELAUNCH: "cyan",
    Action.STOP: "red",
    Action.KEEP: "dim",
    Action.FORGET: "dim",
}
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.RELAUNCH: "launched again",
    Action.STOP: "stopped",
    Action.KEEP: "kept",
    Action.FORGET: "forgotten",
}
_PIPED_WIDTH = 120
_EVERY = 15.0


class ConsoleReporter(Reporter, Protocol):
    """A reporter that is told of a ^C, and that is taken down at the end."""

    def stopping(self) -> None: ...

    def close(self) -> None: ...


def console() -> Console:
    """Standard output: as wide as the terminal, and in a pipe wide enough for names."""
    known = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if known else _PIPED_WIDTH, highlight=False, emoji=False, markup=False)


def said(moment: ProgressEvent) -> Text | None:
    """The line that stands for good, of the moments that have one."""
    match moment:
        case StepEnded(step, status, detail):
            name = f": {step.run.instance}" if status.is_live else ""
            return about(step, f"{_DONE[step.action]}{name}" + (f" ({detail})" if detail else ""))
        case StepFailed(step, error):
            return Text.assemble(about(step, ""), (str(error), "red"))
        case StepSkipped(step, why):
            return about(step, f"skipped: {why}")
        case Warned(text):
            return Text(f"! {text}", style="yellow")
        case Began() | StepBegan() | StepDeferred() | Waiting() | Finished():
            return None  # the plan itself has said what is deferred
        case _:
            assert_never(moment)


def about(step: Step, words: str) -> Text:
    """Words that follow the step's sign and name."""
    return Text.assemble((step.action.glyph, COLOURS[step.action]), f" {step.address}   {words}")


class Lines:
    """Every line stands for good. While waiting, a changed status is said at once, progress now and then."""

    def __init__(self, write: Callable[[Text], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._statuses: dict[str, str] = {}
        self._said_at = clock()

    def on_event(self, moment: ProgressEvent) -> None:
        """Writes the moment's line, if it has one."""
        if isinstance(moment, Waiting):
            self._look(moment.seen)
        elif (line := said(moment)) is not None:
            self._write(line)

    def stopping(self) -> None:
        """Says so, past every buffer: it may be called in the middle of a write."""
        os.write(sys.stderr.fileno(), STOPPING.encode() + b"\n")

    def close(self) -> None:
        """Nothing to take down."""

    def _look(self, seen: tuple[ResourceStatus, ...]) -> None:
        is_due = self._clock() - self._said_at >= _EVERY
        self._said_at = self._clock() if is_due else self._said_at
        for one in seen:
            changed = self._statuses.get(one.address) != one.status.value
            self._statuses[one.address] = one.status.value
            if changed or (is_due and one.status.is_live):
                self._write(Text("   ".join(word for word in _words(one) if word)))


def _words(seen: ResourceStatus) -> list[str]:
    progress = seen.progress
    words = [seen.address, figures.status(seen), figures.samples(progress)]
    if progress is not None and seen.status.is_live:
        words += [f"{figures.share(progress):.0%}", figures.rewards(progress), figures.left(seen)]
    return words
