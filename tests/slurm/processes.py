"""Processes that outlive their starter, and the end of them all. Knows nothing of Slurm.

A process belongs to a cluster when it carries the cluster's mark in its environment, when it is in a session that began
with such a process, or when it descends from one. Some programs write over their own environment to rename themselves:
they are found by their session or their parent.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "EXPIAC_TEST_CLUSTER"
"""The environment variable that names the folder of the cluster to which a process belongs."""

_begun: list[subprocess.Popen[bytes]] = []
"""Held so that those that end while their starter lives are reaped."""


class Failed(RuntimeError):
    """The cluster did not come up, or did not go down; the message says what was waited for, and ends with the logs."""


def start(folder: Path, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Starts a process in a session of its own; what it says goes to `log/NAME.log`, who it is to `run/NAME.json`."""
    with (folder / "log" / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=folder,
                                   env={**env, MARK: str(folder)}, start_new_session=True)
    _begun.append(process)
    record = {"pid": process.pid, "born": psutil.Process(process.pid).create_time()}
    (folder / "run" / f"{name}.json").write_text(json.dumps(record))


def until(what: str, true: Callable[[], bool], folder: Path, seconds: float) -> None:
    """Returns when it is true; Failed when the time is up or one of the processes has ended."""
    deadline = time.monotonic() + seconds
    while not true():
        ended = [name for name, process in _recorded(folder) if not runs(process)]
        if ended or time.monotonic() > deadline:
            because = f"{', '.join(ended)} ended" if ended else f"not within {seconds:.0f} s"
            raise Failed(f"{what}: {because}\n{_tails(folder)}")
        time.sleep(0.2)


def belonging(folder: Path) -> list[psutil.Process]:
    """Every process of the cluster, the caller and its ancestors excepted."""
    mine = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    others = [process for process in psutil.process_iter() if process.pid not in mine]
    marked = [process for process in others if _mark(process) == str(folder)]
    sessions = {process.pid for process in marked if _session(process) == process.pid}
    sessions |= {_pid(path) for path in (folder / "run").glob("*.json")} - _reused(folder)
    found = {process for process in others if _session(process) in sessions} | set(marked)
    for process in tuple(found):
        with suppress(psutil.NoSuchProcess):
            found |= set(process.children(recursive=True))
    return sorted((process for process in found if runs(process)), key=lambda process: process.pid)


def end(folder: Path, seconds: float = 30) -> None:
    """Ends every process of the cluster, each by its id, and forgets them; Failed when some remain."""
    deadline = time.monotonic() + seconds
    while left := belonging(folder):
        if time.monotonic() > deadline:
            raise Failed(f"still running: {', '.join(f'{process.pid} {process.name()}' for process in left)}")
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)
    for path in (folder / "run").glob("*.json"):
        path.unlink()
    for child in _begun:
        child.poll()


def kill_tree(folder: Path, name: str, *, spared: str) -> None:
    """Kills a process that was started under this name with all that descends from it, but for what is `spared`."""
    root = psutil.Process(_pid(folder / "run" / f"{name}.json"))
    doomed = [root, *(child for child in root.children(recursive=True) if runs(child) and spared not in _line(child))]
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for child in _begun:
        child.poll()
    psutil.wait_procs(doomed, timeout=10)


def runs(process: psutil.Process) -> bool:
    """False for one that has ended, even where nobody asked for its end yet."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _recorded(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    for path in (folder / "run").glob("*.json"):
        try:
            yield path.stem, psutil.Process(_pid(path))
        except psutil.NoSuchProcess:
            raise Failed(f"{path.stem} ended\n{_tails(folder)}") from None


def _reused(folder: Path) -> set[int]:
    """Recorded ids that the system has since given to somebody else."""
    reused = set()
    for path in (folder / "run").glob("*.json"):
        with suppress(psutil.NoSuchProcess):
            record = json.loads(path.read_text())
            if psutil.Process(record["pid"]).create_time() != record["born"]:
                reused.add(record["pid"])
    return reused


def _pid(path: Path) -> int:
    return int(json.loads(path.read_text())["pid"])


def _line(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except OSError:
        return -1


def _tails(folder: Path) -> str:
    logs = sorted((folder / "log").glob("*.log"))
    return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)
