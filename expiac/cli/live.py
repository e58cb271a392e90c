"""On a terminal: lines that stand for good, and below them the present, redrawn in place. Hears and shows."""

from __future__ import annotations

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
    StepBegan,
    StepDeferred,
    StepEnded,
    StepFailed,
    StepSkipped,
    Waiting,
    Warned,
)
from expiac.plan.model import Step
from expiac.state.status import Status
from expiac.view import figures
from expiac.view.console import STOPPING, about, said

_NARROW, _WIDE = 76, 110
_LONGEST_BAR = 40


class LiveLines:
    """The steps under way, and the runs with their progress, below what has been said.

    Another thread draws; what it reads is replaced as a whole and never edited, so that no lock is needed.
    """

    def __init__(self, out: Console) -> None:
        self._out = out
        self._under_way: tuple[Step, ...] = ()
        self._seen: tuple[ResourceStatus, ...] = ()
        self._is_stopping = False
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._present, console=out, refresh_per_second=8, transient=True)

    def on_event(self, moment: ProgressEvent) -> None:
        """Notes what is under way, and says what stands for good."""
        match moment:
            case Began():
                self._live.start()
            case StepBegan(step):
                self._under_way = (*self._under_way, step)
            case StepEnded(step) | StepFailed(step) | StepSkipped(step) | StepDeferred(step):
                self._under_way = tuple(other for other in self._under_way if other.address != step.address)
            case Waiting(seen):
                self._live.start()
                self._seen = seen
            case Finished():
                self._live.stop()
            case Warned():
                pass
            case _:
                assert_never(moment)
        if (line := said(moment)) is not None:
            self._out.print(line)

    def stopping(self) -> None:
        """Shows it at the next drawing."""
        self._is_stopping = True

    def close(self) -> None:
        """Gives the terminal back."""
        self._live.stop()

    def _present(self) -> RenderableType:
        steps, seen = self._under_way, self._seen
        room = max(3, self._out.height - 6)
        parts: list[RenderableType] = [about(step, f"{step.action.value} …") for step in steps[:room]]
        if seen:
            parts.append(runs(seen, self._out.width, max(3, room - len(parts))))
        if self._is_stopping:
            parts.append(Text(STOPPING, style="yellow"))
        elif parts:
            self._spinner.update(text=Text("waiting; ^C leaves the runs running" if seen else "applying", style="dim"))
            parts.append(self._spinner)
        return Group(*parts)


def runs(seen: tuple[ResourceStatus, ...], columns: int, rows: int) -> RenderableType:
    """One line per run: status, a bar, and its figures; the live ones first where not all find room."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=columns < _WIDE)
    for ratio in (None, None, 1, None, None, None):
        table.add_column(ratio=ratio, no_wrap=True, overflow="ellipsis")
    shown = sorted(seen, key=lambda one: not one.status.is_live)[:rows] if len(seen) > rows else seen
    for one in shown:
        table.add_row(one.address, Text(figures.status(one), style=figures.COLOURS[one.status]),
                      *_progress(one, columns))
    hidden = len(seen) - len(shown)
    return Group(table, Text(f"… and {hidden} more", style="dim")) if hidden else table


def _progress(seen: ResourceStatus, columns: int) -> tuple[RenderableType, ...]:
    progress = seen.progress
    if progress is None:
        quiet = "warming up" if seen.status is Status.RUNNING else ""
        return (Text(seen.unseen or seen.detail or quiet, style="dim"),)
    bar = ProgressBar(total=1.0, completed=figures.share(progress), width=_LONGEST_BAR if columns >= _WIDE else None)
    rewards = figures.rewards(progress) if columns >= _NARROW else ""
    last = figures.left(seen) if seen.status.is_live else figures.spent(seen)
    return bar, figures.samples(progress), rewards, last
