"""Shares one machine's CPUs and GPUs among all jobs of a user: first come, first served. Knows no stack and no project.

The queue is one file under one lock. Nobody watches it: whoever frees a slot, adds a job or looks at a waiting one takes a
turn, and a turn puts right whatever a killed process left behind. A head that does not fit blocks those behind it.
"""

from __future__ import annotations

import glob
import json
import os
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from expiac.providers.local.folder import Launch, locked, private, write
from expiac.providers.local.job import MARKS, Job
from expiac.status import Status

TRIES = 5
"""How often a supervisor that dies before it begins is started again."""


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


@dataclass(frozen=True, slots=True)
class Entry:
    """One launch that waits or runs."""

    launch: str
    cpus: int
    gpus: int
    """Of all nodes together."""
    secrets: Sequence[str] = ()
    running: bool = False
    taken: Sequence[int] = field(default=())
    """Indices of the GPUs it was given."""
    tries: int = 0


class Queue:
    """The machine's jobs in the order in which they came."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._file = machine.folder / "queue.json"

    def turn(
        self, *, enter: Iterable[Launch] = (), leave: Iterable[Launch] = (),
        secrets: Mapping[str, str] | None = None, wait: float = 30.0,
    ) -> None:
        """Lets launches in and out, and starts what fits; raises TimeoutError where others hold the queue so long.

        A job whose secrets are in no variable of this process, nor in `secrets`, is passed over.
        """
        private(self.machine.folder)
        with locked(self.machine.folder / "lock", wait):
            gone = {str(launch.path) for launch in leave}
            entries = [kept for entry in self._load() if entry.launch not in gone and (kept := _put_right(entry))]
            known = {entry.launch for entry in entries}
            entries += [entry for launch in enter if str(launch.path) not in known and (entry := _entry(launch))]
            self._start(entries, {**os.environ, **(secrets or {})})

    def _start(self, entries: list[Entry], environ: Mapping[str, str]) -> None:
        self._save(entries)
        for index, entry in enumerate(list(entries)):
            if entry.running or any(name not in environ for name in entry.secrets):
                continue
            if not _may_start(entry):
                entries[index] = replace(entry, launch="")
                continue
            gpus = self._free_gpus(entries)
            if self._cpus(entry) > self._free_cpus(entries) or entry.gpus > len(gpus):
                break
            # Written before the start: whoever reads it and finds no supervisor knows that the start failed.
            entries[index] = replace(entry, running=True, taken=gpus[: entry.gpus])
            self._save(entries)
            start(Launch(Path(entry.launch)), entries[index].taken, environ)
        self._save(entries)

    def _cpus(self, entry: Entry) -> int:
        return min(entry.cpus, self.machine.cpus)

    def _free_cpus(self, entries: Iterable[Entry]) -> int:
        return self.machine.cpus - sum(self._cpus(entry) for entry in entries if entry.running)

    def _free_gpus(self, entries: Iterable[Entry]) -> list[int]:
        taken = {index for entry in entries if entry.running for index in entry.taken}
        return [index for index in range(self.machine.gpus) if index not in taken]

    def _load(self) -> list[Entry]:
        try:
            return [Entry(**facts) for facts in json.loads(self._file.read_text())]
        except (FileNotFoundError, ValueError, TypeError):
            return []  # every look at a waiting job enters it anew

    def _save(self, entries: Iterable[Entry]) -> None:
        write(self._file, json.dumps([asdict(entry) for entry in entries if entry.launch]), durable=False)


def _entry(launch: Launch) -> Entry | None:
    job = launch.job()
    if job is None or launch.has("end") or launch.has("started"):
        return None
    return Entry(str(launch.path), job.cpus, job.nodes * job.gpus, job.secrets)


def _put_right(entry: Entry) -> Entry | None:
    """The entry as its launch is; None where that is over. Of waiting ones only the head is looked at, at its start."""
    if not entry.running:
        return entry
    launch = Launch(Path(entry.launch))
    if not launch.path.exists() or launch.has("end"):
        return None
    if launch.is_held:
        return entry
    if launch.has("started") or launch.has("end"):
        return None
    if entry.tries + 1 < TRIES:
        return replace(entry, running=False, taken=(), tries=entry.tries + 1)
    launch.record("end", status=Status.FAILED.value, detail="its supervisor cannot start: see supervisor.log")
    return None


def _may_start(entry: Entry) -> bool:
    launch = Launch(Path(entry.launch))
    return launch.path.exists() and not launch.has("end") and not launch.has("started")


def start(launch: Launch, gpus: Sequence[int], environ: Mapping[str, str]) -> None:
    """Starts the launch's supervisor, unless it has one; the lock goes over to it without ever being free."""
    descriptor, job = launch.hold(), launch.job()
    if descriptor is None:
        return
    try:
        if job is not None:
            _spawn(launch, job, descriptor, gpus, environ)
    except OSError as error:
        with open(launch.path / "supervisor.log", "a") as log:
            log.write(f"{job and job.python}: {error}\n")
    finally:
        os.close(descriptor)


_children: list[subprocess.Popen[bytes]] = []


def _spawn(launch: Launch, job: Job, lock: int, gpus: Sequence[int], environ: Mapping[str, str]) -> None:
    _children[:] = [child for child in _children if child.poll() is None]
    # A job's own marks would make its supervisor a part of whatever job this process may belong to.
    kept = {name: value for name, value in environ.items() if name not in MARKS and not name.startswith("PYTHON")}
    command = [job.python, "-P", "-m", "expiac.providers.local.supervisor", str(launch.path), str(lock),
               ",".join(map(str, gpus))]
    with open(launch.path / "supervisor.log", "ab") as log:
        _children.append(subprocess.Popen(
            command, cwd=launch.path, env={**kept, "PYTHONPATH": job.package}, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, pass_fds=(lock,), start_new_session=True))
