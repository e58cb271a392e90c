"""On a terminal: permanent lines, and below them what happens now, redrawn in place. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from expiac.apply.events import (
    Began,
    Finished,
    ProgressEvent,
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
from expiac.cli.invocation import with_command_name
from expiac.declare.metrics import Metric, MetricSettings
from expiac.plan.model import Step
from expiac.state.status import Status
from expiac.view import figures, metrics, sweep_status
from expiac.view.console import STOPPING, event_line, search_line, step_line, summed_line
from expiac.view.step_tally import StepTally

_NARROW, _WIDE = 76, 110
_LONGEST_BAR = 40


class LiveLines:
    """The steps under way, and the runs with their progress, below the permanent lines.

    Another thread draws; what it reads is replaced as a whole and never edited, so that no lock is needed.
    """

    def __init__(self, out: Console, *, verbose: bool = False) -> None:
        """Unless `verbose`, sweeps and components are shown as a whole, with what runs or has failed in them."""
        self._out, self._is_verbose = out, verbose
        self._tally = StepTally(verbose=verbose)
        self._steps: tuple[Step, ...] = ()
        self._runs: tuple[ResourceStatus, ...] = ()
        self._searches: tuple[SearchLeft, ...] = ()
        self._metrics = MetricSettings()
        self._is_stopping = False
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._draw, console=out, refresh_per_second=8, transient=True)

    def on_event(self, event: ProgressEvent) -> None:
        """Prints the event's permanent line, if it has one, and redraws what is under way."""
        match event:
            case Began():
                self._live.start()
            case StepBegan(step):
                self._steps = (*self._steps, step)
            case StepEnded(step) | StepFailed(step) | StepSkipped(step) | StepDeferred(step):
                self._steps = tuple(other for other in self._steps if other.address != step.address)
            case Waiting(resources, searches):
                self._live.start()
                self._runs, self._searches = resources, searches
            case Finished():
                self._live.stop()
            case Warned():
                pass
            case _:
                assert_never(event)
        if (line := event_line(event, with_command_name)) is not None and not self._tally.is_counted(event):
            self._out.print(line)
        for told in self._tally.count(event):
            self._out.print(summed_line(told))

    def on_stop(self) -> None:
        """Shows at the next drawing that the command is stopping."""
        self._is_stopping = True

    def show_metrics(self, settings: MetricSettings) -> None:
        """Shows these metrics of each run."""
        self._metrics = settings

    def close(self) -> None:
        """Gives the terminal back."""
        self._live.stop()

    def _draw(self) -> RenderableType:
        steps, resources = self._steps, self._runs
        room = max(3, self._out.height - 6)
        alone = [step for step in steps if not self._tally.name_of(step)]
        parts: list[RenderableType] = [step_line(step, f"{step.action.value} …") for step in alone[:room]]
        parts += [Text(line) for line in self._tally.under_way()]
        if resources:
            groups = {} if self._is_verbose else sweep_status.group_statuses(resources)
            parts += [Text(line) for line in sweep_status.lines(groups.values(), self._metrics, self._out.width)]
            shown = tuple(sweep_status.shown_rows(resources, groups)) if groups else resources
            rows = max(3, room - len(parts))
            if shown:
                parts.append(run_table(shown, self._metrics, self._out.width, rows))
            parts += [Text(more, style="dim") for more in map(sweep_status.more_line, groups.values()) if more]
        parts += [Text(with_command_name(search_line(one))) for one in self._searches]
        if self._is_stopping:
            parts.append(Text(STOPPING, style="yellow"))
        elif parts:
            words = "waiting; ^C leaves the runs running" if resources else "applying"
            self._spinner.update(text=Text(words, style="dim"))
            parts.append(self._spinner)
        return Group(*parts)


def run_table(
    resources: tuple[ResourceStatus, ...], settings: MetricSettings, columns: int, rows: int,
) -> RenderableType:
    """One line per run: status, a bar, and its figures; live runs come first if there is no room for all."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=columns < _WIDE)
    for ratio in (None, None, 1, None, None, None):
        table.add_column(ratio=ratio, no_wrap=True, overflow="ellipsis")
    shown: Sequence[ResourceStatus] = resources
    if len(resources) > rows:
        live_first = sorted(resources, key=lambda resource: not resource.status.is_live)
        shown = live_first[:rows]
    chosen = metrics.columns(settings, (resource.progress for resource in resources))
    for resource in shown:
        status = Text(figures.status(resource), style=figures.COLOURS[resource.status])
        table.add_row(_name(resource, columns // 4), status, *_progress(resource, chosen, columns))
    hidden = len(resources) - len(shown)
    return Group(table, Text(f"… and {hidden} more", style="dim")) if hidden else table


def _name(resource: ResourceStatus, room: int) -> str:
    """The address; that of a trial gives way to its figures."""
    name = resource.address
    return name if not resource.group or len(name) <= room else f"{name[:room - 1]}…"


def _progress(resource: ResourceStatus, shown: Sequence[Metric], columns: int) -> tuple[RenderableType, ...]:
    progress = resource.progress
    if progress is None:
        default = "warming up" if resource.status is Status.RUNNING else ""
        return (Text(resource.unseen or resource.detail or resource.note or default, style="dim"),)
    width = _LONGEST_BAR if columns >= _WIDE else None
    bar = ProgressBar(total=1.0, completed=figures.share(progress), width=width)
    values = metrics.line(shown, progress) if columns >= _NARROW else ""
    time = figures.time_left(resource) if resource.status.is_live else figures.time_spent(resource)
    return bar, figures.steps(progress), values, time
