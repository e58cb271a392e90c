"""A small real world: a memory provider, a real journal, a clock moved by hand. It can be told to die.

`World.plan` and `World.apply` do what the command line does, without a project around it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from expiac.apply.archive import ProjectArchive
from expiac.apply.engine import Engine
from expiac.apply.events import ProgressEvent, Result
from expiac.apply.hooks import ShellHooks
from expiac.apply.queues import advance_queues
from expiac.apply.refresh import query
from expiac.compile.prepare import desired
from expiac.declare.fields import Annotation, Placement
from expiac.declare.project import Project
from expiac.declare.resource import Resource
from expiac.declare.stack import Stack
from expiac.plan import planner
from expiac.plan.approval import approval_event
from expiac.plan.model import Plan
from expiac.plan.planner import PlanOptions
from expiac.plan.protection import refuse_protected
from expiac.plan.selection import select
from expiac.providers.base import Provider
from expiac.state.file_log import FileLog
from expiac.state.journal import COMPACT_ABOVE, Journal
from expiac.state.model import State
from expiac.testing.memory import Died, MemoryProvider
from expiac.util.durable import Disk
from expiac.view import show


class Run(Resource):
    """A run on the memory provider: a config that decides, a placement, an annotation, and one output."""

    type: ClassVar[str] = "run"
    provider: ClassVar[str] = "memory"
    completes: ClassVar[bool] = True

    config: dict[str, Any] = dataclasses.field(default_factory=dict)
    gpus: Placement[int] = 1
    tags: Annotation[tuple[str, ...]] = ()

    def output_paths(self) -> dict[str, str]:
        return {"checkpoint": "latest.pt"}


def ppo(lr: float = 3e-4, *, gpus: int = 1, tags: tuple[str, ...] = (), name: str = "ppo") -> Stack:
    """A stack of one run, the example of every test."""
    return Stack("ppo", [Run(name, config={"optimizer": {"learning_rate": lr}}, gpus=gpus, tags=tags)])


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> str:
        return self._now.isoformat()

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Shown:
    """A plan, and how it reads."""

    plan: Plan

    @property
    def text(self) -> str:
        return "\n".join(show.steps(self.plan, width=120))

    @property
    def glyphs(self) -> str:
        """The signs of the steps, in order: `=±+`."""
        return "".join(step.action.glyph for step in self.plan.steps)

    @property
    def is_empty(self) -> bool:
        return self.plan.is_empty

    def __getitem__(self, address: str) -> Any:
        return self.plan[address]


class World:
    """One stack's state file and one backend, across as many commands as a test needs.

    `others` are further providers by name, or one in the place of `memory`; `disk` is what the journal writes to.
    """

    def __init__(self, folder: Path, *, stack: str = "ppo", provider: MemoryProvider | None = None,
                 others: Mapping[str, Provider] | None = None, disk: Disk | None = None,
                 compact_above: int = COMPACT_ABOVE) -> None:
        self.clock = Clock()
        self.memory = provider or MemoryProvider()
        self.others = others or {}
        self.disk, self.compact_above = disk, compact_above
        self.events: list[ProgressEvent] = []
        self._project = Project(root=folder)
        self.file = folder / f"{stack}.jsonl"
        self._stack = stack

    @property
    def state(self) -> State:
        """What the state file says now."""
        return Journal.read(FileLog(self.file)).state

    @property
    def starts(self) -> list[tuple[str, int]]:
        """Every (instance, launch) that was started, in order, as often as it was started."""
        return [(start.instance, start.launch) for start in self.memory.starts]

    def plan(self, stack: Stack | None, **options: Any) -> Shown:
        """What an apply of the stack would do; None is the empty stack."""
        with self._journal() as journal:
            return Shown(self._plan(journal, stack, options))

    def apply(self, stack: Stack | None, *, parallelism: int = 1, **options: Any) -> Result:
        """Plans and applies as the command line does. Raises `Died` where the process was told to die."""
        return self.carry_out(self.plan(stack, **options), parallelism=parallelism)

    def carry_out(self, shown: Shown, *, parallelism: int = 1) -> Result:
        """Applies a plan that was made before."""
        with self._journal() as journal:
            self._observe(journal)
            if not shown.is_empty:
                journal.append(approval_event(shown.plan, {}))
            self.engine = Engine(journal, self._providers, self, parallelism=parallelism,
                                 hooks=ShellHooks(self._project.root))
            result = self.engine.apply(shown.plan)
            advance_queues(journal.state, self._providers, self)
            return result

    def observe(self) -> None:
        """Writes down what a look finds and moves queues on, as `expiac refresh` does."""
        with self._journal() as journal:
            self._observe(journal)
            advance_queues(journal.state, self._providers, self)

    def _observe(self, journal: Journal) -> None:
        for event in query(journal.state, self._providers).events:
            journal.append(event, durable=False)

    def destroy(self) -> Result:
        return self.apply(None)

    def converge(self, stack: Stack | None, *, rounds: int = 20, **options: Any) -> None:
        """Applies and lets every run succeed until nothing is left to do."""
        for _ in range(rounds):
            with self.survives():
                self.apply(stack, **options)
                self.memory.autofinish = True
                if self.plan(stack, **options).is_empty:
                    return
        raise AssertionError(f"still to do after {rounds} rounds:\n{self.plan(stack, **options).text}")

    @contextmanager
    def survives(self) -> Iterator[None]:
        """A death inside is the end of that process, not of the test."""
        try:
            yield
        except Died:
            self.memory = self.memory.fresh()

    def dies_after(self, effects: int, *, unanswered: bool = True) -> None:
        """The process dies after so many more effects: `unanswered`, before it gets the answer to the last one."""
        self.memory.dies_after(effects, unanswered=unanswered)

    def on_event(self, event: ProgressEvent) -> None:
        self.events.append(event)

    @property
    def _providers(self) -> Mapping[str, Provider]:
        return {"memory": self.memory, **self.others}

    def _journal(self) -> Journal:
        return Journal.open(FileLog(self.file, self.disk), stack=self._stack, lineage="0" * 32, now=self.clock,
                            compact_above=self.compact_above)

    def _plan(self, journal: Journal, stack: Stack | None, options: Mapping[str, Any]) -> Plan:
        wanted = desired(stack, self._project, journal.state.records) if stack is not None else ()
        seen = query(journal.state, self._providers).applied_to(journal.state)
        archive = options.get("archive") or ProjectArchive(self._project, seen, self._providers, "", any_code=True)
        wished = PlanOptions(**{"destroy": stack is None} | {key: options[key] for key in options.keys() - {"archive"}})
        made = select(planner.plan(wanted, seen, wished, archive), wished.target, wished.exclude, wished.only)
        refuse_protected(made)
        return made
