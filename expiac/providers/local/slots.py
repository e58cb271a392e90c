"""Shares one machine's CPUs and GPUs among all jobs of a user: first come, first served.

Knows no stack and no project. The queue is one file under one lock, and no process watches it. A process
that adds a job, a supervisor whose job has ended, and an apply or refresh that finds a waiting job each call
`Queue.advance`, which also repairs what a killed process left in the file. A first job that does not fit
blocks the others.
"""

from __future__ import annotations

import glob
import os
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from expiac.providers.local.disk import locked, make_private, write
from expiac.providers.local.folder import Launch
from expiac.providers.local.queue_file import Entries, QueueEntry, entry_of
from expiac.providers.local.start import start_supervisor
from expiac.state.status import Status
from expiac.util.encoding import environment

Starter = Callable[[Launch, Sequence[int], Mapping[str, str]], None]
"""Starts a launch's supervisor, given its GPUs and secrets that this process's environment may lack."""
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


class Queue:
    """The machine's jobs in the order in which they came."""

    def __init__(self, machine: Machine, starter: Starter | None = None) -> None:
        """`starter` starts a supervisor; by default, as a program of its own."""
        self._machine, self._starter = machine, starter or start_supervisor
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
            entries = self._load()
            entries.remove(str(launch.path) for launch in leave)
            _check_running(entries)
            entries.enter(_new_entries(enter))
            self._start_what_fits(entries, secrets or {})
            self._save(entries)

    def _start_what_fits(self, entries: Entries, secrets: Mapping[str, str]) -> None:
        """Starts waiting jobs from the first on, until one does not fit."""
        passed = 0
        while passed < len(entries.waiting):
            entry = entry_of(entries.waiting[passed])
            if entry is None or not entry.folder.is_waiting:
                del entries.waiting[passed]  # damaged, or its folder was removed, or it has ended
            elif not _has_secrets(entry, secrets):
                passed += 1
            elif self._fits(entry, entries.running):
                del entries.waiting[passed]
                self._start(entries, entry, secrets)
            else:
                return

    def _start(self, entries: Entries, entry: QueueEntry, secrets: Mapping[str, str]) -> None:
        """Starts the supervisor of a job that waited, and counts the try."""
        gpus = self._free_gpus(entries.running)[: entry.gpus]
        entry = entry._replace(running=True, taken=gpus)
        entries.running.append(entry)
        # Written before the start: a process that finds the entry without a supervisor has to start one.
        self._save(entries)
        self._starter(entry.folder, gpus, secrets)
        # Counted after the start: if this process is killed before it, that is not the job's fault.
        entries.running[-1] = entry._replace(tries=entry.tries + 1)

    def _fits(self, entry: QueueEntry, running: Sequence[QueueEntry]) -> bool:
        has_cpus = self._cpus([entry]) + self._cpus(running) <= self._machine.cpus
        return has_cpus and entry.gpus <= len(self._free_gpus(running))

    def _cpus(self, entries: Iterable[QueueEntry]) -> int:
        """What they take together; a job that asks for more than there is takes all."""
        return sum(min(entry.cpus, self._machine.cpus) for entry in entries)

    def _free_gpus(self, running: Iterable[QueueEntry]) -> list[int]:
        taken = {index for entry in running for index in entry.taken}
        return [index for index in range(self._machine.gpus) if index not in taken]

    def _load(self) -> Entries:
        try:
            self._text = self._file.read_text(encoding="utf-8")
        except (FileNotFoundError, ValueError):
            self._text = ""  # lost: the next apply or refresh enters waiting jobs anew
        return Entries.parse(self._text)

    def _save(self, entries: Entries) -> None:
        text = entries.text
        if text != self._text:
            write(self._file, text, durable=False)
        self._text = text


def _new_entries(launches: Iterable[Launch]) -> list[QueueEntry]:
    """Entries of those launches that wait."""
    return [QueueEntry(str(launch.path), job.cpus, job.nodes * job.gpus, job.secrets)
            for launch in launches if launch.is_waiting and (job := launch.job())]


def _has_secrets(entry: QueueEntry, secrets: Mapping[str, str]) -> bool:
    elsewhere = set(entry.secrets) - set(secrets)
    return not elsewhere or elsewhere <= set(environment())


def _check_running(entries: Entries) -> None:
    """Takes out what is over. A launch whose supervisor died before it began waits again, before the others."""
    checked = [_current(entry) for entry in entries.running]
    present = [entry for entry in checked if entry is not None]
    entries.running = [entry for entry in present if entry.running]
    entries.waiting = [*(entry.line for entry in present if not entry.running), *entries.waiting]


def _current(entry: QueueEntry) -> QueueEntry | None:
    """The entry of a started launch as that is now, or None where the launch is over.

    A launch whose supervisor died before it began waits again. After some tries it is recorded as failed.
    """
    launch = entry.folder
    if not launch.path.exists() or launch.has("end"):
        return None
    if launch.is_supervised:
        return entry
    if not launch.is_waiting:
        return None  # its supervisor died
    if entry.tries < TRIES:
        return entry._replace(running=False, taken=())
    detail = "its supervisor cannot start: see supervisor.log"
    launch.record("end", status=Status.FAILED.value, detail=detail)
    return None
