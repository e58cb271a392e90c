"""What people read while and after something happens. Hears and shows; decides nothing.

On a terminal the present is redrawn in place (`Live`); in a pipe every line stands for good (`Lines`), and the looks
while waiting are rationed.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import Protocol, assert_never

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from expiac import figures
from expiac.plan import Action, Step
from expiac.reporter import (
    Began,
    Finished,
    Moment,
    Reporter,
    Seen,
    StepBegan,
    StepDeferred,
    StepEnded,
    StepFailed,
    StepSkipped,
    Waiting,
    Warned,
)

PIPED_WIDTH = 120
_EVERY = 15.0
_DONE = {
    Action.CREATE: "launched",
    Action.UPDATE: "updated",
    Action.REPLACE: "launched anew",
    Action.RELAUNCH: "launched again",
    Action.STOP: "stopped",
    Action.KEEP: "kept",
    Action.FORGET: "forgotten",
}
COLOURS = {
    Action.CREATE: "green",
    Action.UPDATE: "yellow",
    Action.REPLACE: "magenta",
    Action.RELAUNCH: "cyan",
    Action.STOP: "red",
    Action.KEEP: "dim",
    Action.FORGET: "dim",
}


class ConsoleReporter(Reporter, Protocol):
    """A reporter that a ^C is told of, and that is taken down at the end."""

    def stopping(self) -> None: ...

    def close(self) -> None: ...


def console() -> Console:
    """Standard output: as wide as the terminal, and wide enough for names in a pipe."""
    return Console(highlight=False, soft_wrap=False, width=width(), emoji=False, markup=False)


def width() -> int:
    """Columns of the output."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return PIPED_WIDTH


def reporter() -> ConsoleReporter:
    """The one that fits standard output."""
    out = console()
    return LiveLines(out) if out.is_terminal and not out.is_dumb_terminal else Lines(out.print)


def said(moment: Moment) -> Text | None:
    """The line that stands for good, of the moments that have one."""
    match moment:
        case StepEnded(step, status, detail):
            words = f"{_DONE[step.action]}: {step.run.instance}" if status.is_live else status.value
            return _line(step, words if not detail else f"{words} ({detail})")
        case StepFailed(step, error):
            return Text.assemble(_line(step, ""), (str(error), "red"))
        case StepSkipped(step, why):
            return _line(step, f"skipped: {why}")
        case StepDeferred(step):
            return _line(step, f"deferred: {step.reason}")
        case Warned(text):
            return Text(f"! {text}", style="yellow")
        case Began() | StepBegan() | Waiting() | Finished():
            return None
        case _:
            assert_never(moment)


def _line(step: Step, words: str) -> Text:
    return Text.assemble((step.action.glyph, COLOURS[step.action]), f" {step.address}   {words}")


class Lines:
    """Every line stands for good. While waiting, a changed status is said at once, progress now and then."""

    def __init__(self, write: Callable[[Text], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._statuses: dict[str, str] = {}
        self._said_at = clock()

    def hear(self, moment: Moment) -> None:
        if isinstance(moment, Waiting):
            self._look(moment.seen)
        elif (line := said(moment)) is not None:
            self._write(line)

    def stopping(self) -> None:
        os.write(sys.stderr.fileno(), _STOPPING.encode() + b"\n")

    def close(self) -> None:
        """Nothing to take down."""

    def _look(self, seen: tuple[Seen, ...]) -> None:
        is_due = self._clock() - self._said_at >= _EVERY
        self._said_at = self._clock() if is_due else self._said_at
        for one in seen:
            changed = self._statuses.get(one.address) != one.status.value
            self._statuses[one.address] = one.status.value
            if changed or (is_due and one.status.is_live):
                self._write(Text(_words(one)))


_STOPPING = "Stopping: nothing new is begun. Once more ^C ends at once."


def _words(seen: Seen) -> str:
    progress = seen.progress
    parts = [seen.address, figures.status(seen), figures.samples(progress)]
    if progress is not None:
        parts += [f"{figures.share(progress):.0%}", _labelled("reward", figures.metric(progress, "reward")),
                  _labelled("hearts", figures.metric(progress, "hearts")),
                  figures.left(progress) if seen.status.is_live else figures.spent(progress)]
    return "   ".join(part for part in parts if part)


def _labelled(name: str, figure: str) -> str:
    return f"{name} {figure}" if figure else ""


class LiveLines:
    """Lines that stand for good, and below them the present: steps under way, and the runs with their progress."""

    def __init__(self, out: Console) -> None:
        self._out = out
        self._lock = threading.RLock()
        self._under_way: dict[str, Step] = {}
        self._seen: tuple[Seen, ...] = ()
        self._is_stopping = False
        self._spinner = Spinner("dots")
        self._live = Live(get_renderable=self._present, console=out, refresh_per_second=8, transient=True)

    def hear(self, moment: Moment) -> None:
        with self._lock:
            self._note(moment)
        if (line := said(moment)) is not None:
            self._live.console.print(line)

    def stopping(self) -> None:
        self._is_stopping = True

    def close(self) -> None:
        self._live.stop()

    def _note(self, moment: Moment) -> None:
        match moment:
            case Began():
                self._live.start()
            case StepBegan(step):
                self._under_way[step.address] = step
            case StepEnded(step) | StepFailed(step) | StepSkipped(step) | StepDeferred(step):
                self._under_way.pop(step.address, None)
            case Waiting(seen):
                self._seen = seen
            case Finished():
                self._live.stop()
            case Warned():
                pass
            case _:
                assert_never(moment)

    def _present(self) -> RenderableType:
        with self._lock:
            parts: list[RenderableType] = [_line(step, f"{step.action.value} …") for step in self._under_way.values()]
            if self._seen:
                parts.append(runs(self._seen, self._out.width, max(3, self._out.height - len(parts) - 4)))
            if self._is_stopping:
                parts.append(Text(_STOPPING, style="yellow"))
            elif parts:
                self._spinner.update(text=Text("^C stops waiting; the runs go on" if self._seen else "applying"))
                parts.append(self._spinner)
        return Group(*parts)


def runs(seen: tuple[Seen, ...], columns: int, rows: int) -> RenderableType:
    """One line per run: status, a bar, and its figures; the liveliest where not all find room."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for ratio in (None, None, 1, None, None, None):
        table.add_column(ratio=ratio, no_wrap=True, overflow="ellipsis")
    shown = sorted(seen, key=lambda one: not one.status.is_live)[:rows] if len(seen) > rows else seen
    for one in shown:
        table.add_row(one.address, Text(figures.status(one), style=figures.COLOURS[one.status]),
                      *_progress(one, columns))
    hidden = len(seen) - len(shown)
    return Group(table, Text(f"… and {hidden} more", style="dim")) if hidden else table


def _progress(seen: Seen, columns: int) -> tuple[RenderableType, ...]:
    progress = seen.progress
    if progress is None:
        return (Text(seen.unseen or seen.detail, style="dim"),)
    bar = ProgressBar(total=1.0, completed=figures.share(progress))
    rewards = [_labelled("reward", figures.metric(progress, "reward")),
               _labelled("hearts", figures.metric(progress, "hearts"))]
    return (bar, figures.samples(progress), "  ".join(word for word in rewards if word) if columns >= 76 else "",
            figures.left(progress) if seen.status.is_live else figures.spent(progress))
