"""The events of a command as lines of text. Decides nothing.

In a pipe these lines are all that is printed; on a terminal, `cli.live` draws what happens now below them.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, assert_never

from rich.console import Console
from rich.text import Text

from expiac.apply.events import (
    Began,
    Finished,
    ProgressEvent,
    Reporter,
    ResourceStatus,
    SearchLeft,
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
from expiac.view import figures, metrics, sweep_status
from expiac.view.step_tally import DONE, MANY, StepTally, Summed

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
            return step_line(step, f"{DONE[step.action]}{name}" + (f" ({detail})" if detail else ""))
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


def search_line(search: SearchLeft) -> str:
    """How many trials of a search are left, and what goes on with it."""
    return f"{search.name}: {search.left:,} of {search.trials:,} trials remain; to go on: {search.command}"


def summed_line(told: Summed) -> Text:
    """The permanent line of steps that are summed up."""
    glyph, colour = (" ", "") if told.action is None else (told.action.glyph, COLOURS[told.action])
    return Text.assemble((glyph, colour), f" {told.name}   {told.words}")


class Lines:
    """Prints permanent lines only. While waiting, prints a changed status at once, and progress every 15 seconds.

    Unless `verbose`, sweeps and components are told of as a whole, but for what fails in them.
    """

    def __init__(self, write: Callable[[Text], None], clock: Callable[[], float] = time.monotonic,
                 call: Callable[[str], str] = str, *, verbose: bool = False) -> None:
        self._write, self._call, self._is_verbose = write, call, verbose
        self._tally = StepTally(verbose=verbose)
        self._clock = clock
        self._metrics = MetricSettings()
        self._statuses: dict[str, str] = {}
        self._groups: dict[str, tuple[str, Mapping[str, int]]] = {}
        """The last line of each sweep and component, and what it counted."""
        self._searches: set[str] = set()
        """Those of which it was said that they do not go on."""
        self._progress_at = clock()

    def on_event(self, event: ProgressEvent) -> None:
        """Writes the event's line, if it has one."""
        if isinstance(event, Waiting):
            self._write_statuses(event.seen)
            self._write_searches(event.searches)
        elif (line := event_line(event, self._call)) is not None and not self._tally.is_counted(event):
            self._write(line)
        for told in self._tally.count(event):
            self._write(summed_line(told))
        if isinstance(event, StepEnded) and (lines := self._tally.under_way()) and self._is_due():
            for text in lines:
                self._write(Text(text))

    def on_stop(self) -> None:
        """Prints that the command is stopping, past every buffer: it may be called in the middle of a write."""
        os.write(sys.stderr.fileno(), STOPPING.encode() + b"\n")

    def show_metrics(self, settings: MetricSettings) -> None:
        """Shows these metrics of live runs."""
        self._metrics = settings

    def close(self) -> None:
        """There is nothing to close."""

    def _is_due(self) -> bool:
        """Whether progress is to be told now."""
        is_due = self._clock() - self._progress_at >= _PROGRESS_EVERY
        if is_due:
            self._progress_at = self._clock()
        return is_due

    def _write_searches(self, searches: Sequence[SearchLeft]) -> None:
        """Writes once of each search that it does not go on."""
        for one in searches:
            if one.name not in self._searches:
                self._searches.add(one.name)
                self._write(Text(self._call(search_line(one))))

    def _write_statuses(self, resources: tuple[ResourceStatus, ...]) -> None:
        is_due = self._is_due()
        shown = metrics.columns(self._metrics, (resource.progress for resource in resources))
        groups = {} if self._is_verbose else sweep_status.group_statuses(resources)
        for group in groups.values():
            self._write_group(group, is_due=is_due)
        for resource in resources:
            is_changed = self._statuses.get(resource.address) != resource.status.value
            self._statuses[resource.address] = resource.status.value
            if resource.group in groups and not (is_changed and resource.status.is_failure):
                continue
            if is_changed or (is_due and resource.status.is_live):
                self._write(Text("   ".join(_status_parts(resource, shown))))

    def _write_group(self, group: sweep_status.GroupStatus, *, is_due: bool) -> None:
        """Writes how a group is, where that has changed: at once of a small one and at the end, else now and then."""
        line = f"{group.name}   {sweep_status.sentence(group, self._metrics)}"
        before, counts = self._groups.get(group.name, ("", None)), group.counts
        is_over = not any(one.status.is_live for one in group.resources)
        is_changed = counts != before[1] and (before[1] is None or is_over or group.total <= MANY)
        if is_changed or (is_due and line != before[0]):
            self._groups[group.name] = line, counts
            self._write(Text(line))


def _status_parts(resource: ResourceStatus, shown: Sequence[Metric]) -> list[str]:
    progress = resource.progress
    parts = [resource.address, figures.status(resource), figures.steps(progress)]
    if progress is not None and resource.status.is_live:
        parts += [f"{figures.share(progress):.0%}", metrics.line(shown, progress), figures.time_left(resource)]
    return [part for part in parts if part]
