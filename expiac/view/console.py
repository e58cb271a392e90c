"""The events of a command as lines of text. Decides nothing.

In a pipe these lines are all that is printed; on a terminal, `cli.live` draws what happens now below them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
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
from expiac.declare.metrics import Metric, MetricSettings
from expiac.plan.model import Action, Step
from expiac.view import figures, metrics

STOPPING = "Stopping: nothing new is begun. Another ^C ends at once."
COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "magenta",
    Action.RELAUNCH: "cyan",
    Action.STOP: "red",
    Action.KEEP: "dim",
    Action.RESTORE: "blue",
    Action.FORGET: "dim",
}
_DONE = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.REPLACE: "replaced",
    Action.RELAUNCH: "launched again",
    Action.STOP: "stopped",
    Action.KEEP: "kept",
    Action.RESTORE: "restored",
    Action.FORGET: "forgotten",
}
_PIPED_WIDTH = 120
_PROGRESS_EVERY = 15.0  # seconds


class ConsoleReporter(Reporter, Protocol):
    """A reporter that a ^C calls too, and that is closed at the end."""

    def on_stop(self) -> None: ...

    def show_metrics(self, settings: MetricSettings) -> None:
        """Says which metrics to show of runs; called once, before the first event."""

    def close(self) -> None: ...


def console() -> Console:
    """Standard output: as wide as the terminal, and in a pipe wide enough for names."""
    is_width_known = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = None if is_width_known else _PIPED_WIDTH
    return Console(width=width, highlight=False, emoji=False, markup=False)


def event_line(event: ProgressEvent, call: Callable[[str], str] = str) -> Text | None:
    """The permanent line of an event; None if it has none. `call` puts calls of expiac as they can be typed."""
    match event:
        case StepEnded(step, status, detail):
            name = f": {step.run.instance}" if status.is_live else ""
            return step_line(step, f"{_DONE[step.action]}{name}" + (f" ({detail})" if detail else ""))
        case StepFailed(step, error):
            return Text.assemble(step_line(step, ""), (call(str(error)), "red"))
        case StepSkipped(step, why):
            return step_line(step, f"skipped: {why}")
        case Warned(text):
            return Text(f"! {text}", style="yellow")
        case Began() | StepBegan() | StepDeferred() | Waiting() | Finished():
            return None  # the plan has already shown what is deferred
        case _:
            assert_never(event)


def step_line(step: Step, words: str) -> Text:
    """A line about a step: its sign, its name and the words."""
    return Text.assemble((step.action.glyph, COLOURS[step.action]), f" {step.address}   {words}")


class Lines:
    """Prints permanent lines only. While waiting, prints a changed status at once, and progress every 15 seconds."""

    def __init__(self, write: Callable[[Text], None], clock: Callable[[], float] = time.monotonic,
                 call: Callable[[str], str] = str) -> None:
        self._write, self._call = write, call
        self._clock = clock
        self._metrics = MetricSettings()
        self._statuses: dict[str, str] = {}
        self._progress_at = clock()

    def on_event(self, event: ProgressEvent) -> None:
        """Writes the event's line, if it has one."""
        if isinstance(event, Waiting):
            self._write_statuses(event.seen)
        elif (line := event_line(event, self._call)) is not None:
            self._write(line)

    def on_stop(self) -> None:
        """Prints that the command is stopping, past every buffer: it may be called in the middle of a write."""
        os.write(sys.stderr.fileno(), STOPPING.encode() + b"\n")

    def show_metrics(self, settings: MetricSettings) -> None:
        """Shows these metrics of live runs."""
        self._metrics = settings

    def close(self) -> None:
        """There is nothing to close."""

    def _write_statuses(self, resources: tuple[ResourceStatus, ...]) -> None:
        is_due = self._clock() - self._progress_at >= _PROGRESS_EVERY
        if is_due:
            self._progress_at = self._clock()
        shown = metrics.columns(self._metrics, (resource.progress for resource in resources))
        for resource in resources:
            is_changed = self._statuses.get(resource.address) != resource.status.value
            self._statuses[resource.address] = resource.status.value
            if is_changed or (is_due and resource.status.is_live):
                self._write(Text("   ".join(_status_parts(resource, shown))))


def _status_parts(resource: ResourceStatus, shown: Sequence[Metric]) -> list[str]:
    progress = resource.progress
    parts = [resource.address, figures.status(resource), figures.steps(progress)]
    if progress is not None and resource.status.is_live:
        parts += [f"{figures.share(progress):.0%}", metrics.line(shown, progress), figures.time_left(resource)]
    return [part for part in parts if part]
