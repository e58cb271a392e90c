"""What the provider notes about a launch, as a value: the one place that knows the keys of a SkyPilot handle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from expiac.providers.base import Id
from expiac.state.events import Json


@dataclass(frozen=True, slots=True)
class Handle:
    """What is known of a launch. A note may say a part of it: what is None was not noted, and is left as it was."""

    endpoint: str | None = None
    """The API server that it was given to."""
    user: str | None = None
    """SkyPilot's user who launched it."""
    cluster: str | None = None
    """The cluster that it has for itself; None for a managed job."""
    job: int | None = None
    """The id of its job, once SkyPilot has given it one."""
    request: str | None = None
    """The id of the request that launches it."""
    imported: int | None = None
    """The managed job that expiac did not launch, and adopts as this launch."""

    @classmethod
    def of(cls, id: Id) -> Handle:
        """What was noted about the launch."""
        return cls(**{field.name: id.handle.get(field.name) for field in fields(cls)})

    def to_json(self) -> Json:
        """What a note or a record says: the parts that are known."""
        known: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in known.items() if value is not None}


def split(ids: Sequence[Id]) -> tuple[list[Id], list[Id]]:
    """Launches of managed jobs, and those that have a cluster of their own."""
    alone = {id for id in ids if Handle.of(id).cluster is not None}
    return [id for id in ids if id not in alone], [id for id in ids if id in alone]
