"""The local backend of a shared stack: each job says on which machine and in which folder it is."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from expiac.providers.base import Id, Inputs, Note, Observation, Presence, Stored
from expiac.providers.local.provider import GRACE, LocalProvider
from expiac.providers.local.slots import Machine
from expiac.util.errors import ExpiacError

PLACE = "place"


class SharedLocalProvider(LocalProvider):
    """Knows the jobs of this checkout; of those of others it only knows that they are not here."""

    def __init__(
        self, root: Path, folder: Path | None = None, *, machine: Machine | None = None,
        grace: float = GRACE,
    ) -> None:
        super().__init__(root, folder, machine=machine, grace=grace)
        self._place = f"{socket.gethostname()}:{self._folder}"

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        """How each id is; unknown where it was launched from another checkout."""
        here = [id for id in ids if not self._is_elsewhere(id)]
        seen = dict(super().read_many(here))
        elsewhere = [id for id in ids if self._is_elsewhere(id)]
        return seen | {id: _observe_elsewhere(id) for id in elsewhere}

    def advance_queue(self, ids: Sequence[Id]) -> None:
        """Starts what waits of this checkout's jobs."""
        super().advance_queue([id for id in ids if not self._is_elsewhere(id)])

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        """Launches the job here, and notes where that is before it does."""
        if self._is_elsewhere(id):
            raise _not_here(id)
        note({PLACE: self._place})
        return super().create(id, inputs, note)

    def delete(self, id: Id) -> Observation:
        """Ends a job of this checkout."""
        if self._is_elsewhere(id):
            raise _not_here(id)
        return super().delete(id)

    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines that a job of this checkout printed."""
        if self._is_elsewhere(id):
            raise _not_here(id)
        return super().logs(id, follow=follow, node=node)

    def fetch(self, id: Id, path: str, target: Path, *, timeout: float) -> None:
        """Copies what a job of this checkout has left behind."""
        if self._is_elsewhere(id):
            raise _not_here(id)
        super().fetch(id, path, target, timeout=timeout)

    def stored(self, ids: Sequence[Id]) -> Mapping[Id, Stored]:
        """The folders of this checkout's runs."""
        return super().stored([id for id in ids if not self._is_elsewhere(id)])

    def _is_elsewhere(self, id: Id) -> bool:
        return bool(id.handle.get(PLACE, self._place) != self._place)


def _observe_elsewhere(id: Id) -> Observation:
    return Observation(Presence.UNKNOWN, detail=f"it was launched in {id.handle[PLACE]}")


def _not_here(id: Id) -> ExpiacError:
    detail = f"{id.instance} was launched in {id.handle[PLACE]}"
    return ExpiacError("On another machine", detail, "run the command there")
