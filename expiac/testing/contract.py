"""What every provider of jobs promises, as tests. A provider's own tests subclass it and say how its world is made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from expiac.providers.base import ABSENT, AdvancesQueue, Extent, Fetches, Id, Logs, Observation, Presence, TellsMetrics
from expiac.providers.ending import DeletesMany
from expiac.state.status import Status
from expiac.testing.bench import (
    A2,
    OUTPUT,
    STRANGER,
    A,
    B,
    Bench,
    Course,
    PrintsMetrics,
    StallsQueue,
    Try,
    ignore_note,
    wait_until,
)
from expiac.util.errors import ExpiacError

__all__ = [
    "A2", "OUTPUT", "STRANGER", "A", "B", "Bench", "Course", "PrintsMetrics", "ProviderContract", "StallsQueue", "Try",
    "ignore_note", "wait_until",
]


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
        """`plan` reads and promises to change nothing; `status` records what was read, and changes nothing else."""
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

    def test_many_are_deleted_together(self, world: Try) -> None:
        """Each is given once, and has ended then; what is absent does not keep the others, and it may be repeated."""
        provider = _with_many(world)
        for id in (A, B):
            world.create(id)
            world.until(id, Status.RUNNING)
        ids = [*map(world.known, (A, B, STRANGER))]
        ended = list(provider.delete_many(ids))
        assert sorted(id.instance for id, _ in ended) == sorted(id.instance for id in ids)
        statuses = {id: one.status if isinstance(one, Observation) and one.presence is Presence.PRESENT else one
                    for id, one in ended}
        assert statuses == {A: Status.CANCELLED, B: Status.CANCELLED, STRANGER: ABSENT}
        assert not any(isinstance(one, ExpiacError) or (one.status.is_live and one.presence is Presence.PRESENT)
                       for _, one in provider.delete_many(ids))
        assert list(provider.delete_many([])) == []

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

    def test_an_output_is_fetched(self, world: Try, tmp_path: Path) -> None:
        """It is here afterwards."""
        provider = _with_files(world)
        world.create(A, Course.SUCCEEDS)
        output = world.until(A, Status.SUCCEEDED).outputs[OUTPUT]
        provider.fetch(world.known(A), output, tmp_path / "copy", timeout=world.bench.limit)
        assert (tmp_path / "copy").read_bytes()

    def test_what_is_not_there_is_not_fetched(self, world: Try, tmp_path: Path) -> None:
        """A file that the run did not make, and a run that never was."""
        provider = _with_files(world)
        world.create(A, Course.SUCCEEDS)
        output = world.until(A, Status.SUCCEEDED).outputs[OUTPUT]
        for id, path in ((A, f"{output}.none"), (B, output)):
            with pytest.raises(ExpiacError):
                provider.fetch(world.known(id), path, tmp_path / "copy", timeout=world.bench.limit)

    def test_metrics_are_told_while_a_job_runs(self, world: Try) -> None:
        """What was told once is known without asking, to other processes too."""
        provider = _with_metrics(world)
        world.create(A)
        world.until(A, Status.RUNNING)
        _print_metrics(world, _ROWS[:2])
        assert _told(world, Extent.NEWEST)[-1] == json.loads(_ROWS[1])
        assert _told(Try(world.bench, world.noted), Extent.KEPT) == _told(world, Extent.KEPT)
        assert not provider.metrics({B: Extent.KEPT}, timeout=0.0)[B].files

    def test_metrics_of_an_ended_job_are_kept(self, world: Try) -> None:
        """Every row, whoever has looked before."""
        _with_metrics(world)
        world.create(A, Course.SUCCEEDS)
        _print_metrics(world, _ROWS)
        world.until(A, Status.SUCCEEDED)
        rows = list(map(json.loads, _ROWS))
        assert _told(world, Extent.FINAL) == _told(Try(world.bench, world.noted), Extent.KEPT) == rows


_ROWS = ('{"step": 1, "loss": 0.5}', '{"step": 2, "loss": 0.25}', '{"step": 3, "loss": 0.125}')


def _print_metrics(world: Try, rows: Sequence[str]) -> None:
    assert isinstance(world.bench, PrintsMetrics), "a bench of a provider that tells metrics can let a job tell some"
    world.bench.print_metrics(A, rows)


def _told(world: Try, extent: Extent) -> list[Any]:
    """The rows of A, of which the files are JSON lines here."""
    told = _with_metrics(world).metrics({world.known(A): extent}, timeout=world.bench.limit)[world.known(A)]
    return [json.loads(line) for file in told.files for line in file.read_text(encoding="utf-8").splitlines()]


def _assert_reading_changes_nothing(world: Try) -> None:
    before = world.bench.contents()
    for _ in range(3):
        world.provider.read_many([*map(world.known, (A, A2, B, STRANGER))])
    assert world.bench.contents() == before


def _with_logs(world: Try) -> Logs:
    if not isinstance(world.provider, Logs):
        pytest.skip("this provider has no logs")
    return world.provider


def _with_metrics(world: Try) -> TellsMetrics:
    if not isinstance(world.provider, TellsMetrics):
        pytest.skip("this provider tells no metrics")
    return world.provider


def _with_many(world: Try) -> DeletesMany:
    if not isinstance(world.provider, DeletesMany):
        pytest.skip("this provider deletes one at a time")
    return world.provider


def _with_files(world: Try) -> Fetches:
    if not isinstance(world.provider, Fetches):
        pytest.skip("this provider fetches no files")
    return world.provider
