"""What a test of a provider needs: a bench, which sets one world up, and a provider on it, in sentences."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any, Protocol

from expiac.providers.base import Id, Inputs, Observation, Provider
from expiac.state.status import Status

OUTPUT = "result"
"""The output that every job of the contract declares, and that a succeeding one writes."""


class Course(Enum):
    """How a job of the contract goes."""

    SUCCEEDS = "succeeds"
    """Writes its output and exits with 0."""
    FAILS = "fails"
    """Exits with 3."""
    LASTS = "lasts"
    """Runs until it is ended, some minutes at most."""


class Bench(Protocol):
    """One world to try a provider in."""

    limit: float
    """Seconds that anything may take."""

    def provider(self) -> Provider:
        """A new provider over the same world, as another process would have it."""

    def inputs(self, course: Course, id: Id) -> Inputs:
        """A job that goes this way and declares `OUTPUT`."""

    def starts(self, id: Id) -> int:
        """How often the launch began to run, or came about where it runs only in thought."""

    def proceed(self) -> None:
        """Lets the world move on, where it does not by itself."""

    def contents(self) -> object:
        """All that the backend keeps, as a value to compare with `==`; waits for what is still about to end."""


class StallsQueue(ABC):
    """What the bench of a provider with a queue inherits besides."""

    @abstractmethod
    def stall(self, id: Id) -> None:
        """Makes a launch that was accepted, would fit, and that nobody is left to start."""


class PrintsMetrics(ABC):
    """What the bench of a provider that tells metrics inherits besides."""

    @abstractmethod
    def print_metrics(self, id: Id, rows: Sequence[str]) -> None:
        """Lets the launch's job, which may not have begun yet, tell these rows: JSON objects, each with a step."""


def ignore_note(handle: Mapping[str, Any]) -> None:
    """A note to nobody."""


def wait_until(holds: Callable[[], bool], limit: float, proceed: Callable[[], None] = lambda: None) -> None:
    """Looks again and again until it holds; fails after `limit` seconds."""
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        proceed()
        time.sleep(0.02)


class Try:
    """A provider and its bench, in sentences."""

    def __init__(self, bench: Bench, noted: dict[Id, dict[str, Any]] | None = None) -> None:
        self.bench = bench
        self.provider = bench.provider()
        self.noted = defaultdict(dict) if noted is None else noted
        """What the provider noted about each launch, which stands in a journal."""

    def create(self, id: Id, course: Course = Course.LASTS) -> Observation:
        return self.provider.create(id, self.bench.inputs(course, id), self.noted[id].update)

    def known(self, id: Id) -> Id:
        """The id with what the provider noted about it."""
        return replace(id, handle=self.noted.get(id, {}))

    def delete(self, id: Id) -> Observation:
        return self.provider.delete(self.known(id))

    def read(self, id: Id) -> Observation:
        return self.provider.read_many([self.known(id)])[id]

    def until(self, id: Id, *statuses: Status) -> Observation:
        """Waits until the launch has one of the statuses, and returns how it is then."""
        wait_until(lambda: self.read(id).status in statuses, self.bench.limit, self.bench.proceed)
        return self.read(id)

    def starts(self, id: Id) -> int:
        """How often the launch was started; waits for the first start, which may be seen only after it is running."""
        wait_until(lambda: self.bench.starts(id) > 0, self.bench.limit, self.bench.proceed)
        return self.bench.starts(id)


A = Id("lineage-a", "contract.job.0a1b2c3d", 1)
A2 = Id("lineage-a", "contract.job.0a1b2c3d", 2)
B = Id("lineage-a", "contract.other.4e5f6a7b", 1)
STRANGER = Id("lineage-b", "contract.job.0a1b2c3d", 1)
