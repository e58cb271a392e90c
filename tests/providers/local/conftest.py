"""A world for the local provider: projects, one machine, and jobs that are real processes. Nothing outlives a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import yaml

from expiac.providers.base import Id, Inputs, Observation
from expiac.providers.local import LocalProvider, Machine, create
from expiac.providers.local.folder import RunFolder
from expiac.providers.local.processes import by_mark, with_descendants
from expiac.state.status import Status
from expiac.testing.contract import Course, StallsQueue, ignore_note, wait_until

LIMIT = 30.0


class LocalWorld(StallsQueue):
    """One machine with some projects."""

    limit = LIMIT
    kind: type[LocalProvider] = LocalProvider

    def __init__(self, root: Path) -> None:
        self.root = root
        self.starts_folder = root / "starts"
        self.starts_folder.mkdir()
        self.machine = Machine(root / "machine", cpus=4, gpus=0)

    def provider(
        self, project: str = "project", *, grace: float = 5.0, machine: Machine | None = None
    ) -> LocalProvider:
        (self.root / project).mkdir(exist_ok=True)
        return self.kind(self.root / project, machine=machine or self.machine, grace=grace)

    def job(self, run: str, *, env: dict[str, str] | None = None, texts: dict[str, str] | None = None,
            outputs: dict[str, str] | None = None, **task: object) -> Inputs:
        """A job that records its start and then does `run`."""
        record = f'echo $SKYPILOT_NODE_RANK >> "{self.starts_folder}/$EXPIAC_INSTANCE.$EXPIAC_LAUNCH"\n'
        document = yaml.safe_dump({"run": record + run, **task})
        return Inputs({}, {"task.yaml": document, **(texts or {})}, env or {}, outputs or {})

    def inputs(self, course: Course, id: Id) -> Inputs:
        run = {Course.SUCCEEDS: "echo 1 > result.txt", Course.FAILS: "exit 3", Course.LASTS: "exec sleep 300"}[course]
        return self.job(run, outputs={"result": "result.txt"})

    def starts(self, id: Id) -> int:
        try:
            return len((self.starts_folder / f"{id.instance}.{id.launch}").read_text().splitlines())
        except FileNotFoundError:
            return 0

    def proceed(self) -> None:
        """It moves by itself."""

    def contents(self) -> object:
        """Every file with its time and contents, and every supervisor; waits for those whose job has ended."""
        wait_until(lambda: not any(map(_has_ended, self.supervisors())), LIMIT)
        files = {str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
                 for path in sorted(self.root.rglob("*"))}
        return files, sorted(process.pid for process in self.supervisors())

    def stall(self, id: Id, inputs: Inputs | None = None, *, grace: float = 5.0) -> None:
        """As if whoever created the job had been killed before it reached the queue."""
        inputs = inputs or self.inputs(Course.LASTS, id)
        task = create.read_task(inputs, self.machine)
        job = create.describe(id, inputs, task, self.machine, grace)
        create.create_launch(RunFolder(self.folder(id)), id, job, task, inputs.texts, self.root / "project")

    def advance(self, *ids: Id) -> None:
        """Moves the queue on, as the next apply or refresh does."""
        self.provider().advance_queue(ids)

    def folder(self, id: Id, project: str = "project") -> Path:
        return self.root / project / ".expiac/local" / id.instance

    def start(self, id: Id, run: str, **task: object) -> LocalProvider:
        """Creates the job and returns the provider that did."""
        provider = self.provider()
        provider.create(id, self.job(run, **task), ignore_note)  # type: ignore[arg-type]
        return provider

    def read(self, id: Id, project: str = "project") -> Observation:
        return self.provider(project).read_many([id])[id]

    def until(self, id: Id, *statuses: Status, project: str = "project") -> Observation:
        wait_until(lambda: self.read(id, project).status in statuses, LIMIT)
        return self.read(id, project)

    def alive(self, id: Id) -> list[psutil.Process]:
        launch = RunFolder(self.folder(id)).launch(id.launch)
        job = launch.job()
        return list(by_mark().get(launch.mark(job), ())) if job else []

    def said(self, id: Id) -> list[str]:
        return list(self.provider().logs(id, follow=True))

    def supervisors(self) -> list[psutil.Process]:
        """Those of this world."""
        found = []
        for process in psutil.process_iter():
            try:
                command = process.cmdline()
                if "expiac.providers.local.supervisor" in command and any(str(self.root) in part for part in command):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def supervisor(self, id: Id) -> psutil.Process:
        """That of one launch, which may be a fork of another's."""
        started = RunFolder(self.folder(id)).launch(id.launch).fact("started")
        assert started is not None
        return psutil.Process(started["pid"])

    def clean(self) -> None:
        """Ends whatever a test left."""
        left = [process for found in by_mark().values() for process in found if self._is_ours(process)]
        for process in [*with_descendants(self.supervisors()), *left]:
            with suppress(psutil.Error):
                process.kill()

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return str(self.root) in process.environ().get("HOME", "")
        except psutil.Error:
            return False


def _has_ended(supervisor: psutil.Process) -> bool:
    """Whether its launch has; a process that is gone has too, and is not listed any more."""
    with suppress(psutil.Error):
        return (Path(supervisor.cwd()) / "end.json").exists()
    return True


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalWorld]:
    """A fresh machine; whatever still runs on it at the end is killed."""
    monkeypatch.setenv("EXPIAC_LOCAL_MACHINE", str(tmp_path / "machine"))
    for name in [name for name in os.environ if name.startswith("EXPIAC_") and name != "EXPIAC_LOCAL_MACHINE"]:
        monkeypatch.delenv(name)
    world = LocalWorld(tmp_path)
    yield world
    world.clean()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds, and fails after some time."""
    return lambda holds: wait_until(holds, LIMIT)
