"""The folder of a run: what stands where. Knows no process and no slot.

<folder>/<instance>/
├── lock                held while a launch is being created
├── home/               the job's HOME; `sky_workdir` in it holds the code
├── synced.json         which files were copied into the working directory
├── copied.json         which large files of the home are copies, to be shared with other ended runs
└── launches/<n>/
    ├── job.json        what was asked for; the launch exists once this folder does
    ├── sent/           the rendered files of the launch, as they were sent, unless they hold secrets; not durable
    ├── lock            held by the launch's supervisor as long as it lives
    ├── started.json    who supervises it; durable before anything of it runs
    ├── running.json    setup is done; not durable, so end.json has its time too
    ├── stop.json       somebody asked for its end
    ├── end.json        how it ended
    ├── family.json     its processes some seconds ago, for the case that the supervisor dies
    ├── node-<rank>.log what setup and run printed
    └── supervisor.log
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expiac.providers.local.disk import locked, make_private, read, write
from expiac.providers.local.job import LocalJob, job_from
from expiac.util.durable import sync_folder
from expiac.util.lock import take_lock

MARK = "EXPIAC_LOCAL_MARK"
"""The variable that holds a launch's mark."""
LONGEST_IN_RUN = Path("launches", "9999", "supervisor.log")
"""As long as any path in a run's folder, its home apart."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One launch's folder."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path.parent.parent / "home"

    def log(self, rank: int) -> Path:
        return self.path / f"node-{rank}.log"

    def mark(self, job: LocalJob) -> str:
        """What every process of the launch carries in its environment.

        The folder's inode is part of it: in a copied checkout everything else is the same.
        """
        return f"{job.lineage}/{job.instance}/{job.launch}/{self.path.stat().st_ino}"

    def job(self) -> LocalJob | None:
        """What was asked for; None where the launch was never created."""
        facts = read(self.path / "job.json")
        return None if facts is None else job_from(facts)

    def fact(self, name: str) -> dict[str, Any] | None:
        """What is known under the name, `started` or `end` for example; None where that has not happened."""
        return read(self.path / f"{name}.json")

    def has(self, name: str) -> bool:
        """Whether the fact is known."""
        return (self.path / f"{name}.json").exists()

    def outputs(self, job: LocalJob) -> dict[str, str]:
        """The paths of the declared outputs that are there, by name. One that the system refuses is not there."""
        paths = {name: str(self.home / job.workdir / path) for name, path in job.outputs.items()}
        return {name: path for name, path in paths.items() if os.path.exists(path)}

    def sent(self) -> dict[str, bytes]:
        """Its rendered files as they were sent, by name; none where they are gone."""
        try:
            return {entry.name: (self.path / "sent" / entry.name).read_bytes()
                    for entry in os.scandir(self.path / "sent") if entry.is_file(follow_symlinks=False)}
        except (FileNotFoundError, NotADirectoryError):
            return {}

    def record(self, name: str, *, durable: bool = True, **facts: Any) -> None:
        """Makes a fact known; where it is durable, returns once that survives a loss of power."""
        write(self.path / f"{name}.json", json.dumps(facts), durable=durable)

    def take_lock(self, wait: float = 0.1) -> int | None:
        """Takes the supervisor's lock: the descriptor that holds it, or None while another process has it.

        Waits a little by default, because `is_supervised` takes the lock for an instant.
        """
        return take_lock(self.path / "lock", wait)

    @property
    def is_waiting(self) -> bool:
        """Whether it exists and has neither begun nor ended."""
        return self.path.exists() and not self.has("end") and not self.has("started")

    @property
    def is_supervised(self) -> bool:
        """Whether a supervisor is alive."""
        descriptor = take_lock(self.path / "lock", 0, shared=True)
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
        """Every launch that was created, oldest first."""
        try:
            names = os.listdir(self.path / "launches")
        except FileNotFoundError:
            return []
        numbers = sorted(int(name) for name in names if name.isdigit())
        return [self.launch(number) for number in numbers]

    @contextmanager
    def prepare(self, wait: float) -> Iterator[None]:
        """Makes the folder, and holds its lock, so that nobody else creates a launch in it; raises TimeoutError."""
        make_private(self.path)
        with locked(self.path / "lock", wait):
            for name in ("home", "launches"):
                make_private(self.path / name)
            for leftover in (self.path / "launches").glob(".*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield

    def publish(self, job: LocalJob, sent: Mapping[str, str] | None = None) -> Launch:
        """Makes the launch exist, whole and durably; `sent` has its rendered files by name."""
        launch = self.launch(job.launch)
        staging = launch.path.with_name(f".{job.launch}")
        make_private(staging)
        if sent:
            make_private(staging / "sent")
            for name, text in sent.items():
                write(staging / "sent" / name, text, durable=False)
        write(staging / "job.json", job.text())
        os.rename(staging, launch.path)
        for folder in (launch.path.parent, self.path, self.path.parent):
            sync_folder(folder)
        return launch
