"""The provider keeps every promise of the contract, over a SkyPilot in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from fake_sky import FakeSky, Server

from expiac.provider import Id, Inputs
from expiac.providers.skypilot import SkypilotProvider
from expiac.testing.contract import OUTPUT, Course, ProviderContract


class SkyBench:
    limit = 5.0

    def __init__(self, root: Path) -> None:
        self.root, self.server = root, Server()

    def provider(self):
        return SkypilotProvider(self.root, sky=FakeSky(self.server), patience=self.limit, pause=0.01)

    def inputs(self, course: Course, id: Id) -> Inputs:
        task = {"name": id.instance, "run": course.value}
        return Inputs({}, {"task.yaml": yaml.safe_dump(task)}, outputs={OUTPUT: "result.txt"})

    def births(self, id: Id) -> int:
        return len([job for job in self.server.jobs.values() if f"EXPIAC_LAUNCH: '{id.launch}'" in job.task])

    def proceed(self) -> None:
        self.server.proceed()


class TestSkypilot(ProviderContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return SkyBench(tmp_path)
