"""The metrics that launches print, out of their logs: kept as files of JSON lines, beside what was sent for the launch.

SkyPilot has one request per log and none for many, so that a few logs are read at once, each at most once a look. What
was read is kept: the log of a job on a cluster goes with the cluster, and those of managed jobs after a week.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from expiac.providers.base import Extent, Id, ToldMetrics
from expiac.providers.printed import merge, printed_rows
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.log_lines import has_begun, job_lines
from expiac.providers.skypilot.snapshot import Snapshot, Where
from expiac.providers.skypilot.statuses import one_line, other_place
from expiac.providers.skypilot.view import View
from expiac.util.durable import replace_file
from expiac.util.errors import ExpiacError
from expiac.util.parallel import ParallelCalls

AT_ONCE = 8
"""How many logs are read at the same time."""
LAST_LINES = 2_000
"""Of a log of which only the newest metrics are asked for."""
LONGEST = 64 * 1024 * 1024
"""Characters of a log that are read."""


class PrintedMetrics:
    """What the launches of a project have printed; `folder_of` says where the files of a launch are."""

    def __init__(self, view: View, folder_of: Callable[[Id], Path]) -> None:
        self._view, self._folder_of = view, folder_of
        self._reads: ParallelCalls[Id, None] = ParallelCalls(at_once=AT_ONCE)
        self._asks: ParallelCalls[int, Where] = ParallelCalls(at_once=1)
        self._read_at: dict[Id, float] = {}
        """When each log was last read, by the monotonic clock: of very many, each has its turn."""

    def read(self, ids: Mapping[Id, Extent], *, timeout: float) -> dict[Id, ToldMetrics]:
        """The metrics of each launch as files; a launch whose log cannot be read in time has what is kept of it."""
        wanted = {id: extent for id, extent in ids.items() if extent is not Extent.KEPT and not self._is_final(id)}
        notes = self._bring(wanted, timeout) if wanted and timeout > 0 else {}
        return {id: ToldMetrics(self._files(id), notes.get(id, "")) for id in ids}

    def keep(self, ids: Sequence[Id], *, timeout: float) -> None:
        """Keeps what launches have printed so far: their logs are about to go. `timeout` is for each turn of a few."""
        if ids:
            self.read(dict.fromkeys(ids, Extent.ALL), timeout=timeout * math.ceil(len(ids) / AT_ONCE))

    def seal(self, id: Id) -> None:
        """What is kept of a launch is all that there will ever be: its log is gone."""
        with suppress(FileNotFoundError):
            self._file(id, "part").replace(self._file(id, "all"))

    def _bring(self, wanted: Mapping[Id, Extent], timeout: float) -> dict[Id, str]:
        """Reads the logs; says of each launch whose log was not read why that is."""
        deadline = time.monotonic() + timeout
        me = threading.get_ident()  # several threads may ask: each is answered
        where = self._asks.run({me: self._view.sky.where}, seconds=timeout).get(me)
        if not isinstance(where, Where):
            return dict.fromkeys(wanted, f"its log was not read: {_reason(where, timeout)}")
        here = Snapshot(where, (), ())
        notes = {id: f"its log is not here: {elsewhere}" for id in wanted if (elsewhere := other_place(here, id))}
        longest_unread = sorted(wanted, key=lambda id: self._read_at.get(id, 0.0))
        calls = {id: self._call(id, wanted[id]) for id in longest_unread if id not in notes}
        ended = self._reads.run(calls, seconds=deadline - time.monotonic())
        for id in calls:
            if id not in ended or ended[id] is not None:
                notes[id] = f"its log was not read: {_reason(ended.get(id), timeout)}"
        return notes

    def _call(self, id: Id, extent: Extent) -> Callable[[], None]:
        return lambda: self._read_log(id, extent)

    def _read_log(self, id: Id, extent: Extent) -> None:
        """Reads a log, and adds what is new to what is kept of it."""
        job, cluster = self._job(id)
        if job is None:
            return
        part = self._file(id, "part")
        rows: Sequence[str] = _lines_of(part)
        is_whole, is_there = True, False
        if extent is Extent.NEWEST:
            rows = merge(rows, self._rows(job, cluster, last=LAST_LINES)[0])
        else:
            read, is_whole, is_there = self._rows(job, cluster, last=None)
            rows = merge(rows, read, is_beginning=not is_whole)
            if not is_whole:  # the end of a log that is too long, too
                rows = merge(rows, self._rows(job, cluster, last=LAST_LINES)[0])
        # SkyPilot says that a managed job has succeeded before it has fetched its log, which is empty until then.
        is_final = extent is Extent.FINAL and is_there
        file = self._file(id, "all") if is_final else part
        if list(rows) != _lines_of(file) or (is_final and not file.exists()):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(file, "".join(f"{row}\n" for row in rows).encode(), durable=False)
        if is_final:
            part.unlink(missing_ok=True)
        self._read_at[id] = time.monotonic()

    def _rows(self, job: int, cluster: str, *, last: int | None) -> tuple[list[str], bool, bool]:
        """The rows of metrics in a log, whether it was read to its end, and whether the job has begun in it."""
        shown = self._view.sky.lines(job, follow=False, cluster=cluster, last=last)
        bound = _Bound(LONGEST)
        with closing(shown):
            rows = list(printed_rows(job_lines(bound.of(shown), nodes=1, node=0)))
        return rows, not bound.is_reached, bool(rows) or bound.has_begun

    def _job(self, id: Id) -> tuple[int | None, str]:
        """The id of the launch's job, and its cluster; asks SkyPilot only where it was never noted."""
        handle = Handle.of(id)
        job = handle.imported or handle.job
        if job is None and (found := self._view.snapshot(id).job(id)) is not None:
            job = found.id
        return job or None, handle.cluster or ""

    def _files(self, id: Id) -> tuple[Path, ...]:
        """What is kept of the launches of the run up to this one."""
        launches = [Id(id.lineage, id.instance, launch) for launch in range(1, id.launch + 1)]
        kept = [next((file for file in map(self._file, (one, one), ("all", "part")) if file.is_file()), None)
                for one in launches]
        return tuple(file for file in kept if file is not None and file.stat().st_size)

    def _is_final(self, id: Id) -> bool:
        return self._file(id, "all").is_file()

    def _file(self, id: Id, part: str) -> Path:
        return self._folder_of(id) / f"printed-{id.launch}.{part}.jsonl"


class _Bound:
    """The lines up to so many characters in all."""

    def __init__(self, characters: int) -> None:
        self._left = characters
        self.is_reached = self.has_begun = False

    def of(self, lines: Iterable[str]) -> Iterator[str]:
        for line in lines:
            self._left -= len(line) + 1
            self.has_begun = self.has_begun or has_begun(line)
            if self._left < 0:
                self.is_reached = True
                return
            yield line


def _lines_of(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, ValueError):
        return []


def _reason(answer: object, timeout: float) -> str:
    """Why a call came to nothing."""
    if isinstance(answer, ExpiacError):
        return one_line(": ".join(filter(None, [answer.summary, answer.detail])))
    if isinstance(answer, Exception):
        return one_line(f"{type(answer).__name__}: {answer}")
    return f"no answer within {timeout:.0f} s"
