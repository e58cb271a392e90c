"""Asks SkyPilot on behalf of launches: one snapshot, and one cancel, for all who ask at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from expiac.providers.base import Id
from expiac.providers.skypilot import clusters
from expiac.providers.skypilot.coalesce import CoalescedCall
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.refusal import Refused
from expiac.providers.skypilot.snapshot import Sky, Snapshot
from expiac.util.backoff import Backoff

T = TypeVar("T")


class View:
    """SkyPilot, as those that launch, end and read see it."""

    def __init__(self, sky: Sky, backoff: Backoff | None = None) -> None:
        self.sky = sky
        self._backoff = backoff or Backoff()
        self._has_answered = False
        """Whether the server was there before: if it is not, it may be restarting."""
        self._managed: CoalescedCall[Id, Snapshot] = CoalescedCall(lambda _: self.retried(self.take_snapshot))
        self._alone: CoalescedCall[Id, Snapshot] = CoalescedCall(
            lambda ids: self.retried(lambda: self.take_snapshot_of_clusters(ids)))
        self._cancelling: CoalescedCall[int, None] = CoalescedCall(
            lambda jobs: self.retried(lambda: sky.cancel(sorted(set(jobs)))))

    def take_snapshot(self, *, requests: bool = True) -> Snapshot:
        """All managed jobs, and before them the requests under way: a launch in between is seen twice, never missed."""
        where = self.sky.where()
        self._has_answered = True
        under_way = self.sky.requests() if requests else ()
        return Snapshot(where, under_way, self.sky.jobs())

    def take_snapshot_of_clusters(self, ids: Sequence[Id]) -> Snapshot:
        """How the launches of these ids are on their clusters."""
        snapshot = clusters.take_snapshot(self.sky, list(dict.fromkeys(ids)))
        self._has_answered = True
        return snapshot

    def snapshot(self, *ids: Id) -> Snapshot:
        """What there is of these launches, all managed or all on clusters; never older than the question."""
        if all(Handle.of(id).cluster is None for id in ids):
            return self._managed(*ids)
        return self._alone(*ids)

    def cancel(self, jobs: Sequence[int]) -> None:
        """Asks for the end of managed jobs by their ids."""
        self._cancelling(*jobs)

    def retried(self, call: Callable[[], T]) -> T:
        """What the call gives; it is made again while the server, which was there before, refuses it."""
        return self._backoff.call(call, lambda error: isinstance(error, Refused) and self._has_answered)
