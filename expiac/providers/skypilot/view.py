"""Looks at SkyPilot on behalf of launches: one look for all who ask at the same time."""

from __future__ import annotations

from expiac.providers.base import CLUSTER, Id
from expiac.providers.skypilot import clusters
from expiac.providers.skypilot.coalesce import Coalesced
from expiac.providers.skypilot.seen import Sky, Snapshot


class View:
    """SkyPilot, as those that launch, end and read see it."""

    def __init__(self, sky: Sky) -> None:
        self.sky = sky
        self._coalesced = Coalesced(self.look)

    def look(self, *, requests: bool = True) -> Snapshot:
        """All managed jobs, and before them the requests under way: a birth in between is seen twice, never missed."""
        where = self.sky.where()
        under_way = self.sky.requests() if requests else ()
        return Snapshot(where, under_way, self.sky.jobs())

    def snapshot(self, id: Id) -> Snapshot:
        """What there is of a launch; never older than the question."""
        return clusters.look(self.sky, [id]) if CLUSTER in id.handle else self._coalesced()
