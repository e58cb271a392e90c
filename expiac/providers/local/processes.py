"""Finds and ends processes, also those that hide from their parents. Knows nothing of slots.

A process is found by its parents, by the launch's mark in its environment, which children inherit through
`fork`, `setsid` and `exec`, or in an earlier list. It is never named by its pid alone: pids are reused.
"""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from expiac.providers.local.folder import MARK, Launch
from expiac.providers.local.job import LocalJob

Family = list[tuple[int, str]]
"""Pids and start keys of processes."""
KILL_LIMIT = 10.0
"""Seconds within which the kernel carries out a KILL, unless a device holds the process."""


def start_key(pid: int) -> str:
    """What tells a process from every other with its pid, before or later; empty where there is none.

    The boot and the kernel's own tick count, because a wall clock may be set while a job runs.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return f"{boot}:{fields[19]}"
    except OSError:
        pass
    try:
        return "" if Path("/proc/self/stat").exists() else str(psutil.Process(pid).create_time())
    except psutil.Error:
        return ""


def find_process(pid: int, born: str) -> psutil.Process | None:
    """The process with this pid and this start key."""
    try:
        process = psutil.Process(pid)
        is_same = start_key(pid) == born
        return process if is_same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def by_mark() -> Mapping[str, list[psutil.Process]]:
    """Every living process that carries a launch's mark, by mark."""
    found: dict[str, list[psutil.Process]] = defaultdict(list)
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK)
            if mark is not None and process.status() != psutil.STATUS_ZOMBIE:
                found[mark].append(process)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or another user's
    return found


def with_descendants(roots: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes and their living descendants, each once, without the asking process."""
    found: dict[int, psutil.Process] = {}
    for root in roots:
        try:
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            continue
        found.update((process.pid, process) for process in family if _is_alive(process))
    found.pop(os.getpid(), None)
    return list(found.values())


def process_tree() -> Family:
    """Every living descendant of this process, so that another can find them after its death."""
    descendants = with_descendants([psutil.Process()])
    return sorted((process.pid, start_key(process.pid)) for process in descendants)


def survivors(launch: Launch, job: LocalJob) -> list[psutil.Process]:
    """Everything alive of a launch whose supervisor is dead; looks twice before it says nothing."""
    mark, family = launch.mark(job), launch.fact("family") or {"of": None}
    known = family["members"] if family["of"] == mark else ()

    def look() -> list[psutil.Process]:
        listed = filter(None, (find_process(pid, born) for pid, born in known))
        return with_descendants([*by_mark().get(mark, ()), *listed])

    return look() or look()


def end(alive: Callable[[], Iterable[psutil.Process]], grace: float) -> bool:
    """TERM, wait, KILL, until a look finds nothing alive; False where something outlives even that."""
    return _send(alive, signal.SIGTERM, grace) or _send(alive, signal.SIGKILL, KILL_LIMIT)


def _send(alive: Callable[[], Iterable[psutil.Process]], sent: signal.Signals, wait: float) -> bool:
    deadline, signalled, pause = time.monotonic() + wait, set[psutil.Process](), 0.01
    while found := list(alive()):
        for process in found:
            if process not in signalled:
                signalled.add(process)
                signal_to(process, sent)
                signal_to(process, signal.SIGCONT)  # a stopped process does not handle signals
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(2 * pause, 0.2)
    return True


def signal_to(process: psutil.Process, sent: signal.Signals) -> None:
    """Sends a signal to this very process; psutil compares its creation time first."""
    with suppress(psutil.Error):  # it may have ended meanwhile
        process.send_signal(sent)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False
