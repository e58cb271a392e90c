"""Shares one machine's CPUs and GPUs among all jobs of a user: first come, first served.

Knows no stack and no project. The queue is one file under one lock, and no process watches it. A process
that adds a job, a supervisor whose job has ended, and an apply or refresh that finds a waiting job each call
`Queue.advance`, which also repairs what a killed process left in the file. A first job that does not fit
blocks the others.
"""

from __future__ import annotations

import glob
import json
import os
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from expiac.providers.local.disk import locked, make_private, write
from expiac.providers.local.folder import Launch
from expiac.providers.local.start import start_supervisor
from expiac.state.status import Status
from expiac.util.encoding import environment

TRIES = 5
"""How often a supervisor that dies before it begins is started in all."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What jobs share, and the folder where they agree on it."""

    folder: Path
    cpus: int
    gpus: int

    @classmethod
    def here(cls) -> Machine:
        """This machine, as EXPIAC_LOCAL_MACHINE, _CPUS and _GPUS describe it or as it is."""
        default_folder = f"~/.local/state/expiac/{socket.gethostname()}"
        folder = os.environ.get("EXPIAC_LOCAL_MACHINE") or default_folder
        cpus = os.environ.get("EXPIAC_LOCAL_CPUS") or os.cpu_count() or 1
        gpus = os.environ.get("EXPIAC_LOCAL_GPUS") or len(glob.glob("/dev/nvidia[0-9]*"))
        return cls(Path(folder).expanduser().absolute(), max(1, int(cpus)), int(gpus))


class QueueEntry(NamedTuple):
    """One launch that waits or runs, as it stands in the queue's file."""

    launch: str
    """Its folder."""
    cpus: int
    gpus: int
    """Of all nodes together."""
    secrets: Sequence[str] = ()
    running: bool = False
    taken: Sequence[int] = ()
    """Indices of the GPUs it was given."""
    tries: int = 0
    """How often its supervisor was started."""

    @property
    def folder(self) -> Launch:
        return Launch(Path(self.launch))


class Queue:
    """The machine's jobs in the order in which they came."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._file = machine.folder / "queue.json"
        self._text = ""

    def advance(
        self, *, enter: Iterable[Launch] = (), leave: Iterable[Launch] = (),
        secrets: Mapping[str, str] | None = None, wait: float = 30.0,
    ) -> None:
        """Lets launches in and out, and starts what fits.

        Raises TimeoutError where other processes hold the queue for `wait` seconds. A job whose secrets are
        neither in this process's environment nor in `secrets` is passed over.
        """
        make_private(self._machine.folder)
        with locked(self._machine.folder / "lock", wait):
            entries = self._current_entries(leave)
            entries += _new_entries(enter, entries)
            self._start_what_fits(entries, {**environment(), **(secrets or {})})
            self._save(entries)

    def _current_entries(self, leave: Iterable[Launch]) -> list[QueueEntry]:
        """The entries as their launches are now, without those that leave or are over."""
        leaving = {str(launch.path) for launch in leave}
        staying = [entry for entry in self._load() if entry.launch not in leaving]
        return [current for entry in staying if (current := _current(entry))]

    def _start_what_fits(self, entries: list[QueueEntry], environ: Mapping[str, str]) -> None:
        """Starts waiting jobs from the first on, until one does not fit; replaces their entries in the list."""
        for index, entry in enumerate(entries):
            if entry.running or not _has_secrets(entry, environ):
                continue
            running = [other for other in entries if other.running]
            if not self._fits(entry, running):
                return
            gpus = self._free_gpus(running)[: entry.gpus]
            self._start(entries, index, gpus, environ)

    def _start(
        self, entries: list[QueueEntry], index: int, gpus: Sequence[int], environ: Mapping[str, str]
    ) -> None:
        """Starts the supervisor of one waiting job, and counts the try."""
        entry = entries[index]._replace(running=True, taken=gpus)
        entries[index] = entry
        # Written before the start: a process that finds the entry without a supervisor has to start one.
        self._save(entries)
        start_supervisor(entry.folder, gpus, environ)
        # Counted after the start: if this process is killed before it, that is not the job's fault.
        entries[index] = entry._replace(tries=entry.tries + 1)

    def _fits(self, entry: QueueEntry, running: Sequence[QueueEntry]) -> bool:
        has_cpus = self._cpus([entry]) + self._cpus(running) <= self._machine.cpus
        return has_cpus and entry.gpus <= len(self._free_gpus(running))

    def _cpus(self, entries: Iterable[QueueEntry]) -> int:
        """What they take together; a job that asks for more than there is takes all."""
        return sum(min(entry.cpus, self._machine.cpus) for entry in entries)

    def _free_gpus(self, running: Iterable[QueueEntry]) -> list[int]:
        taken = {index for entry in running for index in entry.taken}
        return [index for index in range(self._machine.gpus) if index not in taken]

    def _load(self) -> list[QueueEntry]:
        try:
            self._text = self._file.read_text(encoding="utf-8")
            return [QueueEntry(**facts) for facts in json.loads(self._text)]
        except (FileNotFoundError, ValueError, TypeError):
            return []  # lost, or another release's: the next apply or refresh enters waiting jobs anew

    def _save(self, entries: Iterable[QueueEntry]) -> None:
        text = json.dumps([entry._asdict() for entry in entries])
        if text != self._text:
            write(self._file, text, durable=False)
        self._text = text


def _new_entries(launches: Iterable[Launch], known: Iterable[QueueEntry]) -> list[QueueEntry]:
    """Entries of those launches that wait and are not in the queue."""
    names = {entry.launch for entry in known}
    new = [launch for launch in launches if str(launch.path) not in names and launch.is_waiting]
    return [
        QueueEntry(str(launch.path), job.cpus, job.nodes * job.gpus, job.secrets)
        for launch in new if (job := launch.job())
    ]


def _has_secrets(entry: QueueEntry, environ: Mapping[str, str]) -> bool:
    return all(name in environ for name in entry.secrets)


def _current(entry: QueueEntry) -> QueueEntry | None:
    """The entry as its launch is now, or None where the launch is over.

    A launch whose supervisor died before it began waits again. After some tries it is recorded as failed.
    """
    launch = entry.folder
    if not launch.path.exists() or launch.has("end"):
        return None
    if not entry.running:
        return entry if launch.is_waiting else None
    if launch.is_supervised:
        return entry
    if not launch.is_waiting:
        return None  # its supervisor died
    if entry.tries < TRIES:
        return entry._replace(running=False, taken=())
    detail = "its supervisor cannot start: see supervisor.log"
    launch.record("end", status=Status.FAILED.value, detail=detail)
    return None
