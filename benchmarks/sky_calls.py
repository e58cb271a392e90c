"""How many calls of SkyPilot each command makes, by the number of jobs: against a SkyPilot in memory, which counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from expiac.apply.events import ProgressEvent
from expiac.declare.project import Project
from expiac.providers.skypilot import SkypilotProvider
from expiac.session import Session
from expiac.testing.sky import FakeSky, Server

PROGRAM = '''
from expiac import Job, SkypilotJobConfig, Stack

where = SkypilotJobConfig(workdir=None, infra="slurm/loop", gpus=0, managed={managed}, git_check=False)
many = Stack("many", [Job(f"job{{number}}", run="{run}", skypilot=where) for number in range({jobs})])
'''
TEMPLATES = Path(__file__).parents[1] / "templates"
EXPENSIVE = ("requests", "jobs", "clusters", "jobs_on", "launch", "await_launch", "cancel", "down", "lines")
"""Calls for which a real API server starts a process; `where` is a look at its health."""


class Silent:
    def on_event(self, moment: ProgressEvent) -> None:
        pass


class Calls:
    """A stack of many jobs, and a SkyPilot that counts."""

    def __init__(self, root: Path, jobs: int, *, managed: bool = True) -> None:
        self.root, self.jobs, self.managed, self.server = root, jobs, managed, Server()
        (root / "stacks").mkdir(parents=True)
        (root / "templates").symlink_to(TEMPLATES)
        self.declare("lasts")

    def declare(self, run: str) -> None:
        program = PROGRAM.format(managed=self.managed, run=run, jobs=self.jobs)
        (self.root / "stacks" / "many.py").write_text(program, encoding="utf-8")

    @contextmanager
    def session(self, *, declared: bool = True) -> Iterator[Session]:
        provider = SkypilotProvider(self.root, sky=FakeSky(self.server), timeout=60, pause=0.05)
        project = Project(root=self.root)
        with Session.open("many", reporter=Silent(), project=project, declared=declared,
                          providers={"skypilot": provider}) as session:
            yield session

    def of(self, command: Callable[[], Any]) -> dict[str, int]:
        """The calls of a command, by name."""
        self.server.asked.clear()
        command()
        counted = Counter(self.server.asked)
        return {name: counted[name] for name in EXPENSIVE if counted[name]}

    def apply(self, **how: Any) -> None:
        with self.session() as session:
            result = session.apply(session.plan(), **how)
            assert result.is_well, [str(error) for _, error in result.failed]

    def plan(self) -> None:
        with self.session() as session:
            assert session.plan().is_empty

    def status(self) -> None:
        with self.session(declared=False) as session:
            session.status()

    def refresh(self) -> None:
        with self.session(declared=False) as session:
            session.refresh()

    def destroy(self) -> None:
        with self.session(declared=False) as session:
            result = session.apply(session.plan_destroy())
            assert result.is_well, [str(error) for _, error in result.failed]


def measure(folder: Path, sizes: list[int]) -> list[dict[str, Any]]:
    """A row for each command and number of jobs."""
    return [row for managed in (True, False) for jobs in sizes for row in _rows(folder, jobs, managed)]


def _rows(folder: Path, jobs: int, managed: bool) -> list[dict[str, Any]]:
    calls = Calls(folder / f"calls-{managed}-{jobs}", jobs, managed=managed)
    commands: dict[str, Callable[[], Any]] = {
        "apply": calls.apply, "plan": calls.plan, "status": calls.status, "destroy": calls.destroy,
        "apply --wait": lambda: calls.apply(wait=True, timeout=600)}
    rows = []
    for name, command in commands.items():
        if name == "apply --wait":
            calls.declare("succeeds")
        rows.append({"command": name, "number of jobs": jobs, "managed": managed, "calls": calls.of(command)})
    return rows
