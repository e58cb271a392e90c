"""Asks SkyPilot on behalf of launches: one snapshot for all who ask at the same time."""

from __future__ import annotations

from expiac.providers.base import Id
from expiac.providers.skypilot import clusters
from expiac.providers.skypilot.coalesce import CoalescedCall
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.snapshot import Sky, Snapshot


class View:
    """SkyPilot, as those that launch, end and read see it."""

    def __init__(self, sky: Sky) -> None:
        self.sky = sky
        self._managed = CoalescedCall(self.take_snapshot)

    def take_snapshot(self, *, requests: bool = True) -> Snapshot:
        """All managed jobs, and before them the requests under way: a launch in between is seen twice, never missed."""
        where = self.sky.where()
        under_way = self.sky.requests() if requests else ()
        return Snapshot(where, under_way, self.sky.jobs())

    def snapshot(self, id: Id) -> Snapshot:
        """What there is of a launch; never older than the question."""
        if Handle.of(id).cluster is None:
            return self._managed()
        return clusters.take_snapshot(self.sky, [id])
