"""A project of a chain of three runs on a memory provider, and commands on it as sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.apply.events import ProgressEvent, Result, Waiting
from expiac.declare.project import find_project
from expiac.plan.planner import PlanOptions
from expiac.session import Session
from expiac.testing.memory import MemoryProvider

CHAIN = """
from expiac import ExperimentConfig, Stack
from expiac.testing import Run

class Chain(ExperimentConfig):
    name: str = "chain"
    lr: float = 0.1
    a_gpus: int = 1
    b_gpus: int = 1
    b_lr: float = 0.1

def stack(config: Chain) -> Stack:
    a = Run("a", config={"lr": config.lr}, gpus=config.a_gpus)
    b = Run("b", config={"uri": a.output("checkpoint"), "lr": config.b_lr}, gpus=config.b_gpus)
    c = Run("c", config={"uri": b.output("checkpoint")})
    return Stack(config.name, [a, b, c])
"""


class Chain:
    """A project of a chain of three runs on a memory provider, one session per command."""

    def __init__(self, root: Path) -> None:
        self.root, self.memory = root, MemoryProvider()
        self.moments: list[ProgressEvent] = []
        (root / "pyproject.toml").write_text("[tool.expiac]\n")
        (root / "stacks").mkdir()
        (root / "stacks" / "chain.py").write_text(CHAIN)

    def open(self, *overrides: str, program: str = "chain") -> Session:
        return Session.open(program, overrides, reporter=self, project=find_project(self.root),
                            providers={"memory": self.memory})

    def open_recorded(self, name: str) -> Session:
        return Session.open(name, reporter=self, declared=False, project=find_project(self.root),
                            providers={"memory": self.memory})

    def apply(self, *overrides: str, wait: bool = True, program: str = "chain", timeout: float = 5,
              **options: object) -> Result:
        with self.open(*overrides, program=program) as session:
            return session.apply(session.plan(options=PlanOptions(**options)), wait=wait, timeout=timeout)

    def on_event(self, moment: ProgressEvent) -> None:
        self.moments.append(moment)
        if isinstance(moment, Waiting):
            self.on_look()

    def on_look(self) -> None:
        """Every look finds the jobs one step further."""
        self.memory.tick()

    @property
    def launched(self) -> list[str]:
        return [id.instance.split(".")[1] for id in self.memory.starts]


@pytest.fixture
def chain(tmp_path):
    return Chain(tmp_path)
