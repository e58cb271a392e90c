"""Shares one machine's CPUs and GPUs among all jobs of a user: first come, first served. Knows no stack and no project.

The queue is one file under one lock. Nobody watches it: whoever frees a slot, adds a job or looks at a waiting one
takes a turn, and a turn puts right whatever a killed process left behind. A head that does not fit blocks the others.
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

from expiac.providers.local.disk import locked, private, write
from expiac.providers.local.folder import Launch
from expiac.providers.local.start import start
from expiac.state.status import Status

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
        """This machine, as EXPIAC_LOCAL_MACHINE, EXPIAC_LOCAL_CPUS and EXPIAC_LOCAL_GPUS describe it or as it is."""
        folder = os.environ.get("EXPIAC_LOCAL_MACHINE") or f"~/.local/state/expiac/{socket.gethostname()}"
        cpus = os.environ.get("EXPIAC_LOCAL_CPUS") or os.cpu_count() or 1
        gpus = os.environ.get("EXPIAC_LOCAL_GPUS") or len(glob.glob("/dev/nvidia[0-9]*"))
        return cls(Path(folder).expanduser().absolute(), max(1, int(cpus)), int(gpus))


class Entry(NamedTuple):
    """One launch that waits or runs."""

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


class Queue:
    """The machine's jobs in the order in which they came."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._file = machine.folder / "queue.json"
        self._text = ""

    def turn(
        self, *, enter: Iterable[Launch] = (), leave: Iterable[Launch] = (),
        secrets: Mapping[str, str] | None = None, wait: float = 30.0,
    ) -> None:
        """Lets launches in and out, and starts what fits; raises TimeoutError where others hold the queue so long.

        A job whose secrets are neither in this process's environment nor in `secrets` is passed over.
        """
        private(self._machine.folder)
        with locked(self._machine.folder / "lock", wait):
            gone = {str(launch.path) for launch in leave}
            entries = [_put_right(entry) for entry in self._load() if entry.launch not in gone]
            known = {entry.launch for entry in entries if entry}
            entries += [_entry(launch) for launch in enter if str(launch.path) not in known]
            self._start([entry for entry in entries if entry], {**os.environ, **(secrets or {})})

    def _start(self, entries: list[Entry], environ: Mapping[str, str]) -> None:
        """Starts waiting jobs from the head on, until one does not fit."""
        running, kept = [entry for entry in entries if entry.running], list[Entry]()
        while entries:
            entry, *entries = entries
            if entry.running or any(name not in environ for name in entry.secrets):
                kept.append(entry)
            elif _is_waiting(Launch(Path(entry.launch))):
                gpus = self._free_gpus(running)
                if self._cpus([entry]) + self._cpus(running) > self._machine.cpus or entry.gpus > len(gpus):
                    kept += [entry, *entries]
                    break
                kept.append(entry._replace(running=True, taken=gpus[: entry.gpus]))
                running.append(kept[-1])
                # Written before the start: whoever finds it without a supervisor knows that it has to be started again.
                self._save([*kept, *entries])
                start(Launch(Path(entry.launch)), kept[-1].taken, environ)
                kept[-1] = kept[-1]._replace(tries=entry.tries + 1)  # only now: our own death is not the job's fault
        self._save(kept)

    def _cpus(self, entries: Iterable[Entry]) -> int:
        """What they take together; a job that asks for more than there is takes all."""
        return sum(min(entry.cpus, self._machine.cpus) for entry in entries)

    def _free_gpus(self, running: Iterable[Entry]) -> list[int]:
        taken = {index for entry in running for index in entry.taken}
        return [index for index in range(self._machine.gpus) if index not in taken]

    def _load(self) -> list[Entry]:
        try:
            self._text = self._file.read_text()
            return [Entry(**facts) for facts in json.loads(self._text)]
        except (FileNotFoundError, ValueError, TypeError):
            return []  # lost, or another release's: every look at a waiting job enters it anew

    def _save(self, entries: Iterable[Entry]) -> None:
        text = json.dumps([entry._asdict() for entry in entries])
        if text != self._text:
            write(self._file, text, durable=False)
        self._text = text


def _entry(launch: Launch) -> Entry | None:
    job = launch.job()
    return Entry(str(launch.path), job.cpus, job.nodes * job.gpus, job.secrets) if job and _is_waiting(launch) else None


def _is_waiting(launch: Launch) -> bool:
    return launch.path.exists() and not launch.has("end") and not launch.has("started")


def _put_right(entry: Entry) -> Entry | None:
    """The entry as its launch is, None where that is over. A waiting one is looked at when its turn comes."""
    if not entry.running:
        return entry
    launch = Launch(Path(entry.launch))
    if not launch.path.exists() or launch.has("end"):
        return None
    if launch.is_held:
        return entry
    if not _is_waiting(launch):
        return None  # its supervisor died
    if entry.tries < TRIES:
        return entry._replace(running=False, taken=())
    launch.record("end", status=Status.FAILED.value, detail="its supervisor cannot start: see supervisor.log")
    return None
