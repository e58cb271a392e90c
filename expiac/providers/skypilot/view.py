"""Looks at SkyPilot on behalf of launches: one look for all who ask at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from expiac.errors import ExpiacError
from expiac.provider import HELD, Id
from expiac.providers.skypilot import clusters
from expiac.providers.skypilot.seen import Sight, Sky
from expiac.providers.skypilot.together import Together


class View:
    """SkyPilot, as those that launch, end and read see it."""

    def __init__(self, sky: Sky) -> None:
        self.sky = sky
        self._together = Together(self.look)
        self._ahead: Future[Sight] | None = None

    def look(self, *, requests: bool = True) -> Sight:
        """All managed jobs, and before them the requests under way: a birth in between is seen twice, never missed."""
        where = self.sky.where()
        under_way = self.sky.requests() if requests else ()
        return Sight(where, under_way, self.sky.jobs())

    def sight(self, id: Id) -> Sight:
        """What there is of a launch; never older than the question."""
        return clusters.look(self.sky, [id]) if HELD in id.handle else self._together()

    def look_ahead(self) -> None:
        """Begins a look, for the launches that are soon to be made; returns at once."""
        if self._ahead is None:
            self._ahead = Future()
            threading.Thread(target=_fulfil, args=(self._ahead, self.look), name="looks ahead", daemon=True).start()

    def sight_before_first(self, id: Id) -> Sight:
        """What there is of a launch that nobody here has tried to make: the look ahead will do, where there is one.

        Only if it shows nothing of this instance: whatever it shows may have moved on since.
        """
        promise = self._ahead
        if promise is None or HELD in id.handle:
            return self.sight(id)
        try:
            ahead = promise.result()
        except ExpiacError:
            self._ahead = None  # whoever comes later looks anew
            raise
        shown = {*(job.name for job in ahead.jobs), *(request.name for request in ahead.requests)}
        return self.sight(id) if id.instance in shown else ahead


def _fulfil(promise: Future[Sight], look: Callable[[], Sight]) -> None:
    try:
        promise.set_result(look())
    except BaseException as error:
        promise.set_exception(error)
