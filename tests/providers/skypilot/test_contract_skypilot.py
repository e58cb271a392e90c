"""The provider keeps every promise of the contract, over a SkyPilot in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from expiac.providers.base import ABSENT, Id, Inputs
from expiac.providers.outputs import CLUSTER
from expiac.providers.skypilot import SkypilotProvider
from expiac.state.status import Status
from expiac.testing.contract import OUTPUT, A, Course, PrintsMetrics, ProviderContract, Try
from expiac.testing.sky import FakeSky, Server
from expiac.util.errors import ExpiacError


class SkyBench(PrintsMetrics):
    limit = 5.0

    def __init__(self, root: Path, values: Mapping[str, Any]) -> None:
        self.root, self.server, self.values = root, Server(), values

    def provider(self):
        return SkypilotProvider(self.root, sky=FakeSky(self.server), timeout=self.limit, pause=0.01)

    def inputs(self, course: Course, id: Id) -> Inputs:
        task = {"name": id.instance, "run": course.value}
        return Inputs(self.values, {"task.yaml": yaml.safe_dump(task)}, outputs={OUTPUT: "result.txt"})

    def starts(self, id: Id) -> int:
        tasks = [*(job.task for job in self.server.jobs.values()), *self.server.tasks.values()]
        return len([task for task in tasks if f"EXPIAC_LAUNCH: '{id.launch}'" in task])

    def contents(self) -> object:
        server = self.server
        effects = [call for call in server.asked if call in ("launch", "cancel", "down")]
        files = sorted(str(path) for path in self.root.rglob("*"))
        return dict(server.requests), dict(server.jobs), repr(server.clusters), effects, files

    def print_metrics(self, id: Id, rows: Sequence[str]) -> None:
        self.server.printed[id.instance] = ["hello", *rows]

    def proceed(self) -> None:
        self.server.proceed()


class TestSkypilot(ProviderContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return SkyBench(tmp_path, {})

    def test_an_output_is_fetched(self, world, tmp_path):
        """The machine of a managed job is gone with it: the error says what to do."""
        world.create(A, Course.SUCCEEDS)
        output = world.until(A, Status.SUCCEEDED).outputs[OUTPUT]
        with pytest.raises(ExpiacError, match="data_dir") as refused:
            world.provider.fetch(world.known(A), output, tmp_path / "copy", timeout=5.0)
        assert refused.value.code == "output-out-of-reach"


class TestSkypilotClusters(ProviderContract):
    """A job that is not managed; its cluster goes with it, and then nothing tells of it any more."""

    @pytest.fixture
    def bench(self, tmp_path):
        return SkyBench(tmp_path, {"managed": False})

    def test_deleted_while_it_runs_it_has_ended(self, world):
        """Delete returns once the cluster is gone, and may be repeated."""
        world.create(A)
        world.until(A, Status.RUNNING)
        deleted = world.delete(A)
        assert (deleted.status, CLUSTER in deleted.outputs) == (Status.CANCELLED, False)
        assert world.read(A) == world.delete(A) == ABSENT
        assert not world.bench.server.clusters

    def test_another_process_sees_the_same_world(self, world):
        world.create(A)
        world.until(A, Status.RUNNING)
        other = Try(world.bench, world.noted)
        assert other.read(A) == world.read(A)
        assert other.delete(A).status is Status.CANCELLED
        assert world.read(A) == ABSENT

    def test_a_job_that_fails_says_why(self, world):
        """SkyPilot keeps no exit code of it: the log tells."""
        world.create(A, Course.FAILS)
        assert "expiac logs" in world.until(A, Status.FAILED).detail

    def test_an_ended_one_lets_go_of_its_cluster(self, world):
        """And not before."""
        world.create(A, Course.SUCCEEDS)
        world.provider.release(world.known(A))
        assert world.until(A, Status.SUCCEEDED).outputs[CLUSTER] == "contract.job.0a1b2c3d-1"
        world.provider.release(world.known(A))
        assert world.read(A) == ABSENT
