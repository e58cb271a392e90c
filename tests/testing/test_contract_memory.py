"""The memory provider keeps the promises of every provider, so that what is tested on it holds elsewhere."""

import pytest

from expiac.providers.base import Id, Inputs
from expiac.state.status import Status
from expiac.testing.contract import Bench, Course, ProviderContract
from expiac.testing.memory import MemoryProvider


class MemoryBench:
    limit = 5.0

    def __init__(self) -> None:
        self._memory = MemoryProvider()

    def provider(self) -> MemoryProvider:
        return self._memory.fresh()

    def inputs(self, course: Course, id: Id) -> Inputs:
        return Inputs({"course": course}, outputs={"result": "out/result.txt"})

    def starts(self, id: Id) -> int:
        return self._memory.starts.count(id)

    def contents(self) -> object:
        effects = [call for call in self._memory.calls if call[0] != "read"]
        return list(self._memory.starts), effects, list(self._memory.updates), self._memory.running()

    def proceed(self) -> None:
        for id, inputs in self._memory.inputs.items():
            status = self._memory.read_many([id])[id].status
            if status is Status.RUNNING and inputs.values["course"] is Course.SUCCEEDS:
                self._memory.finish(id.instance)
            elif status is Status.RUNNING and inputs.values["course"] is Course.FAILS:
                self._memory.finish(id.instance, Status.FAILED, "exit code 3")
            elif status.is_live and status is not Status.RUNNING:
                self._memory.finish(id.instance, Status.RUNNING)


class TestMemory(ProviderContract):
    @pytest.fixture
    def bench(self) -> Bench:
        return MemoryBench()
