"""The backend of the random kills keeps the promises of every provider: what is proved on it holds elsewhere."""

from __future__ import annotations

import pytest
from backend import Backend, address

from expiac.providers.base import Id, Inputs
from expiac.state.status import Status
from expiac.testing.contract import Course, ProviderContract


class BackendBench:
    limit = 5.0

    def __init__(self, folder) -> None:
        self._file = folder / "jobs"
        self._courses: dict[str, Course] = {}

    def provider(self) -> Backend:
        return Backend(self._file)

    def inputs(self, course: Course, id: Id) -> Inputs:
        self._courses[address(id)] = course
        return Inputs({}, outputs={"result": "out/result.txt"})

    def starts(self, id: Id) -> int:
        return Backend(self._file).starts.count(id)

    def contents(self) -> bytes:
        return self._file.read_bytes()

    def proceed(self) -> None:
        ends = {Course.SUCCEEDS: Status.SUCCEEDED, Course.FAILS: Status.FAILED, Course.LASTS: Status.RUNNING}
        for name, course in self._courses.items():
            backend = Backend(self._file)
            starts = Status.PENDING in [seen.status for seen in backend.jobs().values()]
            backend.happens(name, Status.RUNNING if starts else ends[course])


class TestBackend(ProviderContract):
    @pytest.fixture
    def bench(self, tmp_path):
        return BackendBench(tmp_path)
