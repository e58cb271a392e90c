"""Contestants as processes, and rounds in which each has its turn."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure import ROOT
from benchmarks.trainer_peers.entries import Entry

TIMEOUT = 180.0
"""Seconds after which a contestant that does not answer is taken for dead."""
QUIET = 0.2
"""On a machine that is quiet, all other work computes on fewer cores than this."""
Turns = dict[Entry, list["Turn"]]
"""Those of each round."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of one turn."""

    speed: float
    """Samples per second."""
    cpu_speed: float
    """Samples per second that the first process computed, in all its threads. Other work disturbs it less."""
    others: float
    """How many cores all other processes of the machine computed on meanwhile."""


class Contestant:
    """The processes of an entry, one for each rank. Only the first one has turns."""

    def __init__(self, entry: Entry, python: str, log: Path) -> None:
        self._entry, self._log = entry, log
        command = [python, "-m", "benchmarks.trainer_peers.contestant", *entry.arguments]
        with log.open("wb") as errors:
            self._processes = [
                subprocess.Popen(
                    command, cwd=ROOT, env=environment, stderr=errors, text=True, encoding="utf-8",
                    stdin=subprocess.PIPE if rank == 0 else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if rank == 0 else subprocess.DEVNULL,
                )
                for rank, environment in enumerate(environments(entry))
            ]  # fmt: skip

    def turn(self, seconds: float) -> Turn:
        """One turn. Raises `SystemExit` if the contestant has failed."""
        first = self._processes[0]
        assert first.stdin is not None
        began, busy, own = time.perf_counter(), busy_seconds(), self._computed()
        first.stdin.write(f"{seconds}\n")
        first.stdin.flush()
        answer = self.answer()
        others = busy_seconds() - busy - (self._computed() - own)
        speed, cpu_speed = answer["samples"] / answer["seconds"], answer["samples"] / answer["cpu"]
        return Turn(speed, cpu_speed, max(0.0, others) / (time.perf_counter() - began))

    def answer(self) -> dict[str, Any]:
        """What the contestant says at the end of its preparation, or of a turn."""
        out = self._processes[0].stdout
        assert out is not None
        line = out.readline() if select.select([out], [], [], TIMEOUT)[0] else ""
        if not line:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-3000:]
            raise SystemExit(f"{self._entry.title}, {self._entry.setting}, failed:\n{said}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Have it end, and do not wait."""
        first, *others = self._processes
        assert first.stdin is not None
        first.stdin.close()
        for process in others:
            process.terminate()

    def wait(self) -> None:
        """Wait until it has ended."""
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _computed(self) -> float:
        """Seconds that its processes have computed."""
        own = [psutil.Process(process.pid) for process in self._processes]
        times = [process.cpu_times() for parent in own for process in (parent, *parent.children(recursive=True))]
        return sum(time.user + time.system for time in times)


def busy_seconds() -> float:
    """Seconds that the cores of this machine have computed since it was started."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def environments(entry: Entry) -> Iterator[dict[str, str]]:
    """The environment variables of each rank."""
    threads = str(entry.setting.threads)
    common = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        common.pop(name, None)
    if entry.setting.ranks == 1:
        yield common
        return
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    for rank in range(entry.setting.ranks):
        yield common | meeting | {"WORLD_SIZE": str(entry.setting.ranks), "RANK": str(rank), "LOCAL_RANK": str(rank)}


def free_port() -> int:
    """A port of loopback at which nobody listens now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def rounds(entries: Sequence[Entry], python: str, folder: Path, *, seconds: float, count: int, patience: float
           ) -> Iterator[Turns]:
    """The turns so far, after each of `count` rounds: each entry has one in each, and waits while others have theirs.

    `patience` is how many seconds a turn may wait for a quiet machine.
    """
    running: dict[Entry, Contestant] = {}
    try:
        for number, entry in enumerate(entries):
            running[entry] = Contestant(entry, python, folder / f"{number}.txt")
        for contestant in running.values():
            contestant.answer()
        turns: Turns = {entry: [] for entry in entries}
        for _ in range(count):
            for entry, contestant in running.items():
                turns[entry].append(quiet_turn(contestant, seconds, patience))
            yield turns
    finally:
        for contestant in running.values():
            contestant.end()
        for contestant in running.values():
            contestant.wait()


def quiet_turn(contestant: Contestant, seconds: float, patience: float) -> Turn:
    """A turn on a quiet machine; if there is none within `patience` seconds, the quietest of those that were tried."""
    until, tried = time.perf_counter() + patience, []
    while not tried or (tried[-1].others > QUIET and time.perf_counter() < until):
        while time.perf_counter() < until and cores_in_use() > QUIET:
            pass
        tried.append(contestant.turn(seconds))
    return min(tried, key=lambda turn: turn.others)


def cores_in_use(seconds: float = 0.5) -> float:
    """How many cores computed in a moment in which this process sleeps."""
    began, busy = time.perf_counter(), busy_seconds()
    time.sleep(seconds)
    return (busy_seconds() - busy) / (time.perf_counter() - began)
