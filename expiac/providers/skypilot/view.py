"""Looks at SkyPilot on behalf of launches: one look for all who ask at the same time."""

from __future__ import annotations

from expiac.provider import HELD, Id
from expiac.providers.skypilot import clusters
from expiac.providers.skypilot.seen import Sight, Sky
from expiac.providers.skypilot.together import Together


class View:
    """SkyPilot, as those that launch, end and read see it."""

    def __init__(self, sky: Sky) -> None:
        self.sky = sky
        self._together = Together(self.look)

    def look(self, *, requests: bool = True) -> Sight:
        """All managed jobs, and before them the requests under way: a birth in between is seen twice, never missed."""
        where = self.sky.where()
        under_way = self.sky.requests() if requests else ()
        return Sight(where, under_way, self.sky.jobs())

    def sight(self, id: Id) -> Sight:
        """What there is of a launch; never older than the question."""
        return clusters.look(self.sky, [id]) if HELD in id.handle else self._together()
