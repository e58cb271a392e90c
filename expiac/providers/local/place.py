"""Where a run was launched: on which machine, in which folder. Only there can anyone see whether it still runs.

A state may be read elsewhere: it is shared, or it was pulled in one checkout and pushed in another.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from expiac.providers.base import Id, Observation, Presence
from expiac.providers.local.folder import Launch, RunFolder
from expiac.util.errors import ExpiacError

PLACE = "place"
"""The key of a run's handle."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of runs on a machine."""

    host: str
    folder: Path

    @classmethod
    def here(cls, folder: Path) -> Place:
        return cls(socket.gethostname(), folder)

    @property
    def handle(self) -> dict[str, str]:
        """What is noted of a run before it is launched."""
        return {PLACE: f"{self.host}:{self.folder}"}

    def elsewhere(self, id: Id) -> Place | None:
        """Where the launch was made, if that is not here; None where it is here, or where nothing was noted of it.

        What was moved with its folder is here, and so is what had ended when its folder was copied. What goes on in
        the folder that this one is a copy of is not.
        """
        noted = id.handle.get(PLACE)
        if not noted or noted in self.handle.values():
            return None
        there = _parse(noted)
        is_reachable = there.host == self.host
        if is_reachable and _is_same(there.folder, self.folder):
            return None
        ours, theirs = _launch(self, id), _launch(there, id)
        if not ours.path.exists():
            return there
        is_copy = is_reachable and theirs.path.exists() and not _is_same(ours.path, theirs.path)
        return there if is_copy and not ours.has("end") else None

    def observation(self) -> Observation:
        """What is known of a launch that was made there, seen from elsewhere."""
        return Observation(Presence.UNKNOWN, detail=f"it was launched {self}")

    def error(self, id: Id) -> ExpiacError:
        """Says that only a command there can do this."""
        return ExpiacError("On another machine", f"{id.instance} was launched {self}", "run the command there")

    def __str__(self) -> str:
        return f"on {self.host} in {self.folder}"


def _parse(noted: str) -> Place:
    host, _, folder = noted.partition(":")
    return Place(host, Path(folder))


def _launch(place: Place, id: Id) -> Launch:
    return RunFolder(place.folder / id.instance).launch(id.launch)


def _is_same(one: Path, other: Path) -> bool:
    """Whether both names lead to one folder."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
