"""A backend that outlives every process: its file has one line for each thing that ever happened in it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from expiac.providers.base import (
    ABSENT,
    Fetches,
    Id,
    Inputs,
    Note,
    Observation,
    Presence,
    Prunes,
    Stored,
)
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

BORN, UPDATED, GONE = "born", "updated", "gone"


class Backend(Fetches, Prunes):
    """Reads, creates, updates and deletes jobs that exist as lines of a file. It refuses to create what it is told."""

    def __init__(self, file: Path, refuses: Collection[str] = ()) -> None:
        self._file, self._refuses = file, refuses

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        now = self.jobs()
        return {id: now.get(id, ABSENT) for id in ids}

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        note({"request": f"{id.instance}/{id.launch}"})
        if address(id) in self._refuses:
            raise ExpiacError("The backend refuses", id.instance)
        with self._acting():
            if id not in self.jobs():
                outputs = {name: f"there://{id.instance}/{path}" for name, path in inputs.outputs.items()}
                self._happens(id, BORN, outputs)
            return self.jobs()[id]

    def update(self, id: Id, inputs: Inputs) -> Observation:
        with self._acting():
            self._happens(id, UPDATED)
            return self.jobs().get(id, ABSENT)

    def delete(self, id: Id) -> Observation:
        with self._acting():
            seen = self.jobs().get(id, ABSENT)
            if seen is not ABSENT and seen.status.is_live:
                self._happens(id, Status.CANCELLED.value)
            return self.jobs().get(id, ABSENT)

    def stored(self, ids: Sequence[Id]) -> Mapping[Id, Stored]:
        return {id: Stored(1) for id in ids if self._ended([id])}

    def freed_bytes(self, ids: Sequence[Id]) -> int:
        return len(ids)

    def set_aside(self, ids: Sequence[Id]) -> None:
        with self._acting():
            for id in self._ended(ids):
                self._happens(id, GONE)

    def delete_aside(self) -> None:
        pass

    def fetch(self, id: Id, path: str, target: Path, *, timeout: float) -> None:
        """The copy says whose it is; who is killed in between leaves a part."""
        seen = self.jobs().get(id, ABSENT)
        if path not in seen.outputs.values():
            raise ExpiacError("Output is gone", f"{id.instance} has no {path}")
        with target.open("w", encoding="utf-8") as file:
            file.write(f"{id.instance} ")
            file.flush()
            file.write(path)

    def _ended(self, ids: Sequence[Id]) -> list[Id]:
        """The launches of these runs that have ended."""
        runs = {id.instance for id in ids}
        return [id for id, seen in self.jobs().items() if id.instance in runs and not seen.status.is_live]

    @contextmanager
    def _acting(self) -> Iterator[None]:
        """One at a time, of all threads and processes; a dead one lets go."""
        fd = os.open(self._file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    # What a test asks and tells it

    @property
    def starts(self) -> list[Id]:
        """Every launch that was ever born, as often as it was."""
        return [id for id, what, _ in self._history() if what == BORN]

    def jobs(self) -> dict[Id, Observation]:
        """How each launch is that is not gone."""
        now: dict[Id, Observation] = {}
        for id, what, outputs in self._history():
            match what:
                case "born":
                    now[id] = Observation(Presence.PRESENT, Status.PENDING, outputs)
                case "gone":
                    del now[id]
                case "updated":
                    pass
                case _:
                    why = "exit code 3" if what == Status.FAILED.value else ""
                    now[id] = Observation(Presence.PRESENT, Status(what), now[id].outputs, why)
        return now

    def running(self) -> list[Id]:
        """The launches that have not ended."""
        return [id for id, seen in self.jobs().items() if seen.status.is_live]

    def happens(self, name: str, status: Status) -> None:
        """The live job of this address, if any, comes to this status; a lost one is gone without a trace."""
        for id in self.running():
            if address(id) == name:
                self._happens(id, GONE if status is Status.LOST else status.value)

    def _history(self) -> list[tuple[Id, str, dict[str, str]]]:
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [(Id(*names), what, outputs) for names, what, outputs in map(json.loads, lines)]

    def _happens(self, id: Id, what: str, outputs: Mapping[str, str] | None = None) -> None:
        """In one write: whoever is killed did it, or did not."""
        line = json.dumps([[id.lineage, id.instance, id.launch], what, outputs or {}]) + "\n"
        fd = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            os.write(fd, line.encode())
        finally:
            os.close(fd)


def address(id: Id) -> str:
    return id.instance.split(".")[1]
