"""The folder of a run: what stands where, written so that it is there whole or not at all. Knows no process and no slot.

<folder>/<instance>/
├── lock                held while a launch is being born
├── home/               the job's HOME; `sky_workdir` in it holds the code
├── synced.json         which files were copied into the working directory
└── launches/<n>/
    ├── job.json        its birth certificate: the launch exists once this folder does
    ├── lock            held by the launch's supervisor as long as it lives
    ├── started.json    who supervises it; durable before anything of it runs
    ├── running.json    setup is done
    ├── stop.json       somebody wishes it to end
    ├── end.json        how it ended
    ├── node-<rank>.log what setup and run printed
    └── supervisor.log
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expiac.errors import ExpiacError
from expiac.providers.local.job import Job, job_from


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch's folder."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path.parent.parent / "home"

    def log(self, rank: int) -> Path:
        return self.path / f"node-{rank}.log"

    def job(self) -> Job | None:
        """What was asked for; None where the launch was never born."""
        facts = read(self.path / "job.json")
        return None if facts is None else job_from(facts)

    def fact(self, name: str) -> dict[str, Any] | None:
        """What is known under the name, `started` or `end` for example; None where that has not happened."""
        return read(self.path / f"{name}.json")

    def has(self, name: str) -> bool:
        """Whether the fact is known."""
        return (self.path / f"{name}.json").exists()

    def record(self, name: str, **facts: Any) -> None:
        """Makes a fact known, durably."""
        write(self.path / f"{name}.json", json.dumps(facts))

    def hold(self, wait: float = 0.1) -> int | None:
        """Takes the supervisor's lock; the descriptor that holds it, or None while another process does.

        Waits a little by default, because a look at the lock takes it for an instant.
        """
        return lock(self.path / "lock", wait)

    @property
    def is_held(self) -> bool:
        """Whether a supervisor is alive."""
        descriptor = lock(self.path / "lock", 0, fcntl.LOCK_SH)
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path / "home"

    def launch(self, number: int) -> Launch:
        return Launch(self.path / "launches" / str(number))

    def launches(self) -> list[Launch]:
        """Every launch that was born, oldest first."""
        try:
            names = os.listdir(self.path / "launches")
        except FileNotFoundError:
            return []
        return [self.launch(number) for number in sorted(int(name) for name in names if name.isdigit())]

    @contextmanager
    def prepared(self, wait: float) -> Iterator[None]:
        """Makes the folder and keeps other processes from giving birth in it; raises TimeoutError."""
        private(self.path)
        with locked(self.path / "lock", wait):
            for name in ("home", "launches"):
                private(self.path / name)
            for leftover in (self.path / "launches").glob(".*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield

    def give_birth(self, job: Job) -> Launch:
        """Makes the launch exist, whole and durably."""
        launch = self.launch(job.launch)
        cradle = launch.path.with_name(f".{job.launch}")
        private(cradle)
        write(cradle / "job.json", job.text())
        os.rename(cradle, launch.path)
        for folder in (launch.path.parent, self.path, self.path.parent):
            sync(folder)
        return launch


def private(path: Path) -> None:
    """Makes a folder that nobody else can look into."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def read(path: Path) -> dict[str, Any] | None:
    """A JSON object, or None where there is no file."""
    try:
        with open(path, "rb") as file:
            found: dict[str, Any] = json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found


def write(path: Path, text: str, *, durable: bool = True) -> None:
    """Replaces a file as a whole; once this returns, a loss of power does not undo it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(descriptor)
    os.replace(temporary, path)
    if durable:
        sync(path.parent)


def sync(folder: Path) -> None:
    """Makes the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(path: Path, wait: float, kind: int = fcntl.LOCK_EX) -> int | None:
    """An open descriptor that holds the file's lock, or None where that could not be had in `wait` seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
        time.sleep(0.005)


@contextmanager
def locked(path: Path, wait: float) -> Iterator[None]:
    """Holds the file's lock; raises TimeoutError where it could not be had in `wait` seconds."""
    descriptor = lock(path, wait)
    if descriptor is None:
        raise TimeoutError(f"{path} is held by another process")
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(doing: Mapping[str, str] | None = None) -> Iterator[None]:
    """Says which path a failing disk or a missing permission is about."""
    try:
        yield
    except OSError as error:
        path = error.filename2 or error.filename or "a file"
        raise ExpiacError("The disk refuses", f"{path}: {error.strerror or error}") from error
