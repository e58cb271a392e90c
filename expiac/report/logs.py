"""The last lines that failed runs have printed, in bounded memory and bounded time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

from expiac.report.model import Log
from expiac.state.model import State
from expiac.util.errors import ExpiacError

LINES = 40
LONGEST_LINE = 1000
MOST_RUNS = 20
TIMEOUT = 30.0  # seconds, for all logs together
ReadLog = Callable[[str], Iterator[str]]
"""Gives the lines of a job's output, by its address."""


def failed_logs(state: State, read: ReadLog, timeout: float = TIMEOUT) -> tuple[tuple[Log, ...], str]:
    """The ends of the logs of runs that failed; and which runs are left out, in words."""
    failed = [record for record in state.records.values() if record.status.is_failure]
    found: dict[str, tuple[tuple[str, ...], str]] = {}
    reading = threading.Thread(target=_read_all, daemon=True,  # a backend that never answers keeps nobody
                               args=([record.address for record in failed[:MOST_RUNS]], read, found))
    reading.start()
    reading.join(timeout)
    seen = dict(found)
    late = ((), f"not read within {timeout:g} seconds")
    logs = tuple(Log(record.address, record.status, record.detail, *seen.get(record.address, late))
                 for record in failed[:MOST_RUNS])
    left = failed[MOST_RUNS:]
    return logs, f"{len(left)} more runs failed; expiac logs {state.stack} {left[0].address} shows more" if left else ""


def _read_all(addresses: list[str], read: ReadLog, found: dict[str, tuple[tuple[str, ...], str]]) -> None:
    for address in addresses:
        try:
            found[address] = _end(read(address))
        except ExpiacError as error:
            found[address] = (), f"{error.summary}: {error.detail}"
        except Exception as error:  # of a backend's library: the page is made without this log
            found[address] = (), f"not read: {type(error).__name__}: {error}"


def _end(lines: Iterator[str]) -> tuple[tuple[str, ...], str]:
    last: deque[str] = deque(maxlen=LINES)
    count = 0
    for line in lines:
        count += 1
        last.append(_cut(line))
    return tuple(last), f"the last {LINES} of {count:,} lines" if count > LINES else "" if count else "it is empty"


def _cut(line: str) -> str:
    """The end of a line that a progress bar has written over, and no more of it than fits."""
    shown = line.rpartition("\r")[2] or line
    if len(shown) <= LONGEST_LINE:
        return shown
    return shown[:LONGEST_LINE] + f"… ({len(shown) - LONGEST_LINE:,} more characters)"
