"""What every provider of jobs promises, as tests. A provider's own tests subclass it and say how its world is made."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from enum import Enum
from typing import Any, Protocol

import pytest

from expiac.providers.base import AdvancesQueue, Id, Inputs, Logs, Observation, Presence, Provider
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

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


class ProviderContract:
    """Subclass it in a test module and give it the fixture `bench`."""

    @pytest.fixture
    def bench(self) -> Bench:
        raise NotImplementedError("say in which world the provider is tried")

    @pytest.fixture
    def world(self, bench: Bench) -> Try:
        return Try(bench)

    def test_what_was_created_is_present(self, world: Try) -> None:
        """A launch is visible as soon as it is accepted."""
        assert world.create(A).presence is Presence.PRESENT
        assert world.read(A).presence is Presence.PRESENT
        assert world.read(A).status.is_live

    def test_created_twice_it_starts_once(self, world: Try) -> None:
        """Creating what was launched already adopts it."""
        world.create(A)
        world.until(A, Status.RUNNING)
        assert world.create(A).presence is Presence.PRESENT
        assert world.until(A, Status.RUNNING)
        assert world.starts(A) == 1

    def test_created_at_once_by_many_it_starts_once(self, world: Try) -> None:
        """Two processes that die and come back may overlap."""
        with ThreadPoolExecutor(4) as pool:
            tries = [Try(world.bench, world.noted) for _ in range(4)]
            seen = list(pool.map(lambda each: each.create(A), tries))
        world.until(A, Status.RUNNING)
        assert {one.presence for one in seen} == {Presence.PRESENT}
        assert world.starts(A) == 1

    def test_adopting_an_ended_launch_does_not_run_it_again(self, world: Try) -> None:
        """One launch is one start, for ever."""
        world.create(A, Course.SUCCEEDS)
        world.until(A, Status.SUCCEEDED)
        assert world.create(A, Course.SUCCEEDS).status is Status.SUCCEEDED
        assert world.starts(A) == 1

    def test_a_later_launch_is_another_start(self, world: Try) -> None:
        """A run that failed is launched again under its own name, and is not taken for what it was."""
        world.create(A, Course.FAILS)
        world.until(A, Status.FAILED)
        assert world.read(A2).presence is Presence.ABSENT
        world.create(A2, Course.SUCCEEDS)
        world.until(A2, Status.SUCCEEDED)
        assert (world.starts(A), world.starts(A2)) == (1, 1)
        assert world.read(A).status is Status.FAILED

    def test_every_id_is_answered(self, world: Try) -> None:
        """What was never launched is absent, not left out."""
        world.create(A)
        seen = world.provider.read_many([*map(world.known, (A, A2, B))])
        assert {id: one.presence for id, one in seen.items()} == {
            A: Presence.PRESENT, A2: Presence.ABSENT, B: Presence.ABSENT}
        assert not world.provider.read_many([])

    def test_reading_changes_nothing(self, world: Try) -> None:
        """`plan` and `status` read, and promise to change nothing."""
        world.create(A, Course.SUCCEEDS)
        world.until(A, Status.SUCCEEDED)
        _assert_reading_changes_nothing(world)

    def test_reading_starts_nothing_that_waits(self, world: Try) -> None:
        """However often it is looked at; what moves the queue on starts it, once."""
        if not isinstance(world.provider, AdvancesQueue):
            pytest.skip("this provider keeps no queue")
        assert isinstance(world.bench, StallsQueue), "a bench of a provider with a queue can stall it"
        world.bench.stall(A)
        _assert_reading_changes_nothing(world)
        assert world.read(A).status is Status.PENDING
        for _ in range(2):
            world.provider.advance_queue([A, A2, B, STRANGER])
        world.until(A, Status.RUNNING)
        assert world.starts(A) == 1

    def test_another_lineage_is_not_adopted(self, world: Try) -> None:
        """Two checkouts do not touch each other's jobs."""
        world.create(A)
        world.until(A, Status.RUNNING)
        assert world.read(STRANGER).presence is Presence.ABSENT
        assert world.delete(STRANGER).presence is Presence.ABSENT
        assert world.read(A).status is Status.RUNNING

    def test_a_job_that_succeeds_says_so_and_has_its_output(self, world: Try) -> None:
        """Others refer to the output, so it is the same at every look."""
        world.create(A, Course.SUCCEEDS)
        seen = world.until(A, Status.SUCCEEDED, Status.FAILED)
        assert (seen.status, OUTPUT in seen.outputs) == (Status.SUCCEEDED, True)
        assert world.read(A) == seen
        assert json.dumps(dict(seen.outputs))

    def test_a_job_that_fails_says_why(self, world: Try) -> None:
        """The detail goes into the record in the backend's own words."""
        world.create(A, Course.FAILS)
        seen = world.until(A, Status.SUCCEEDED, Status.FAILED)
        assert (seen.status, "3" in seen.detail) == (Status.FAILED, True)

    def test_deleted_while_it_runs_it_has_ended(self, world: Try) -> None:
        """Delete returns once the end is verified, and may be repeated."""
        world.create(A)
        world.until(A, Status.RUNNING)
        assert world.delete(A).status is Status.CANCELLED
        assert not world.read(A).status.is_live or world.read(A).presence is Presence.ABSENT
        assert world.delete(A).status is Status.CANCELLED

    def test_deleted_at_once_it_has_ended(self, world: Try) -> None:
        """A launch may be ended before it began."""
        world.create(A)
        assert not world.delete(A).status.is_live
        assert not world.read(A).status.is_live or world.read(A).presence is Presence.ABSENT

    def test_deleting_what_ended_says_how_it_ended(self, world: Try) -> None:
        """A stop that comes too late does not rewrite a success."""
        world.create(A, Course.SUCCEEDS)
        world.until(A, Status.SUCCEEDED)
        assert world.delete(A).status is Status.SUCCEEDED

    def test_deleting_what_is_absent_succeeds(self, world: Try) -> None:
        """Destroy can be repeated."""
        assert world.delete(A).presence is Presence.ABSENT

    def test_another_process_sees_the_same_world(self, world: Try) -> None:
        """Nothing that matters is kept in the provider's memory."""
        world.create(A)
        world.until(A, Status.RUNNING)
        other = Try(world.bench, world.noted)
        assert other.read(A) == world.read(A)
        assert other.delete(A).status is Status.CANCELLED
        assert world.read(A).status is Status.CANCELLED

    def test_an_update_does_not_disturb(self, world: Try) -> None:
        """New annotations restart nothing."""
        world.create(A)
        world.until(A, Status.RUNNING)
        seen = world.provider.update(world.known(A), world.bench.inputs(Course.LASTS, A))
        assert (seen.status, world.starts(A)) == (Status.RUNNING, 1)

    def test_what_is_noted_can_be_journalled_and_given_back(self, world: Try) -> None:
        """A handle is JSON, and an id that carries it names the same launch."""
        notes: list[Mapping[str, Any]] = []
        world.provider.create(A, world.bench.inputs(Course.LASTS, A), notes.append)
        handle = json.loads(json.dumps({key: value for note in notes for key, value in note.items()}))
        id = Id(A.lineage, A.instance, A.launch, handle)
        assert world.provider.read_many([id])[id].presence is Presence.PRESENT

    def test_logs_end_with_the_job(self, world: Try) -> None:
        """Following stops by itself."""
        provider = _with_logs(world)
        world.create(A, Course.SUCCEEDS)
        world.until(A, Status.SUCCEEDED)
        assert all(isinstance(line, str) for line in provider.logs(world.known(A), follow=True))

    def test_logs_of_what_is_not_there_are_refused(self, world: Try) -> None:
        """A launch that never was, and a node that is none."""
        provider = _with_logs(world)
        with pytest.raises(ExpiacError):
            list(provider.logs(world.known(A)))
        world.create(A, Course.SUCCEEDS)
        world.until(A, Status.SUCCEEDED)
        with pytest.raises(ExpiacError):
            list(provider.logs(world.known(A), node=64))


def _assert_reading_changes_nothing(world: Try) -> None:
    before = world.bench.contents()
    for _ in range(3):
        world.provider.read_many([*map(world.known, (A, A2, B, STRANGER))])
    assert world.bench.contents() == before


def _with_logs(world: Try) -> Logs:
    if not isinstance(world.provider, Logs):
        pytest.skip("this provider has no logs")
    return world.provider
