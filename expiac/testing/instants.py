"""The instants at which a process may die or its disk may fail: around every effect and every call of the disk."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from expiac.providers.base import AdvancesQueue, Id, Inputs, Note, Observation, Provider, RunsJobs
from expiac.providers.ending import DeletesMany
from expiac.util.durable import Disk
from expiac.util.errors import ExpiacError

T = TypeVar("T")


def die() -> None:
    """The end of this process: nothing catches it, and nothing after it happens."""
    os.kill(os.getpid(), signal.SIGKILL)


class Instants:
    """Counts instants, and does something at one of them (nothing where `at` is 0), or at each of `deeds` its own."""

    def __init__(self, at: int = 0, deed: Callable[[], None] = die, *,
                 deeds: Mapping[int, Callable[[], None]] | None = None) -> None:
        self.at, self.deed, self._deeds = at, deed, deeds or {}
        self.count = 0
        self._counting = threading.Lock()

    def __call__(self) -> None:
        with self._counting:
            self.count += 1
            deed = self.deed if self.count == self.at else self._deeds.get(self.count)
        if deed:
            deed()

    def around(self, call: Callable[[], T]) -> T:
        """One instant right before the call, and one right after it."""
        self()
        answer = call()
        self()
        return answer


class Volatile(Disk):
    """Syncs nothing: a process that dies loses nothing of what it wrote, only a loss of power does."""

    def sync(self, fd: int) -> None:
        pass

    def sync_folder(self, folder: Path) -> None:
        pass


class WatchedDisk(Volatile):
    """A disk whose every call has an instant before and after it."""

    def __init__(self, instants: Instants) -> None:
        self._around = instants.around

    def write(self, fd: int, data: bytes) -> int:
        return self._around(lambda: Disk.write(self, fd, data))

    def sync(self, fd: int) -> None:
        self._around(lambda: None)

    def cut(self, fd: int, length: int) -> None:
        self._around(lambda: Disk.cut(self, fd, length))

    def replace(self, source: Path, target: Path) -> None:
        self._around(lambda: Disk.replace(self, source, target))

    def sync_folder(self, folder: Path) -> None:
        self._around(lambda: None)


class WatchedProvider(AdvancesQueue, DeletesMany, RunsJobs):
    """A provider whose every effect has an instant before and after it."""

    def __init__(self, provider: Provider, instants: Instants) -> None:
        self._provider, self._around = provider, instants.around

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        return self._provider.read_many(ids)

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        return self._around(lambda: self._provider.create(id, inputs, note))

    def update(self, id: Id, inputs: Inputs) -> Observation:
        return self._around(lambda: self._provider.update(id, inputs))

    def delete(self, id: Id) -> Observation:
        return self._around(lambda: self._provider.delete(id))

    def delete_many(self, ids: Sequence[Id]) -> Iterator[tuple[Id, Observation | ExpiacError]]:
        """One after the other, so that there is an instant between them."""
        for id in ids:
            try:
                ended: Observation | ExpiacError = self.delete(id)
            except ExpiacError as error:
                ended = error
            yield id, ended

    def advance_queue(self, ids: Sequence[Id]) -> None:
        """Has its two instants also where the provider has no queue, so that two providers have as many."""
        provider: object = self._provider
        self._around(lambda: provider.advance_queue(ids) if isinstance(provider, AdvancesQueue) else None)
