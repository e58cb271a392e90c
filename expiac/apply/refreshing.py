"""Holds what one command knows of its stack: the recorded state, and what the last refresh found besides."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from expiac.apply.duplicates import end_duplicates
from expiac.apply.events import Reporter, ResourceStatus
from expiac.apply.notices import stuck_runs, unsent, with_notices
from expiac.apply.notifier import Notifier
from expiac.apply.queues import advance_queues
from expiac.apply.refresh import RefreshResult, query
from expiac.apply.release import records_to_release, release
from expiac.plan.model import Plan
from expiac.providers.base import Provider
from expiac.state.events import EffectDone, Event, NoticeDue, Observed
from expiac.state.journal import Journal, utc_now
from expiac.state.locking import lock_state
from expiac.state.looks import Looks, may_change
from expiac.state.model import Record, State
from expiac.util.errors import ExpiacError, Locked

if TYPE_CHECKING:
    from expiac.apply.metrics.places import MetricsSource
    from expiac.apply.metrics.progress_cache import ProgressCache

_PAUSE = 0.2
"""Seconds in which the lock is free between two parts of many notices."""


class Refresher:
    """Asks the providers about the runs of a stack, and records the answers under the stack's lock."""

    def __init__(self, journal: Journal, providers: Mapping[str, Provider], reporter: Reporter, looks: Looks,
                 notifier: Notifier, progress: Callable[[], ProgressCache]) -> None:
        self._journal, self._providers, self._reporter, self._looks = journal, providers, reporter, looks
        self._notifier, self._progress = notifier, progress
        self.state: State = journal.state
        self.result = RefreshResult()
        self._number: int | None = None
        """The number of the journal's last event at the last query; None before the first query."""
        self._queried_at = ""

    @cached_property
    def sources(self) -> tuple[MetricsSource, ...]:
        """Where the metrics of runs are looked for."""
        from expiac.apply.metrics.sources import sources_of

        return tuple(sources_of(self._providers))

    @property
    def observed(self) -> State:
        """The state with the answers of the last query applied: for planning, in memory."""
        return self.result.applied_to(self.state)

    @property
    def has_news(self) -> bool:
        """Whether `record` would write or end anything."""
        return bool(self.result.events or self.result.duplicates or self._holding() or unsent(self.state))

    def reload(self) -> None:
        """Takes the state from the journal; asks no backend."""
        self.state = self._journal.state

    def query(self) -> None:
        """Asks the providers about every run that may have changed; writes nothing."""
        self._number, self._queried_at = self._journal.number, utc_now()
        self.reload()
        result, settings = query(self.state, self._providers), self._notifier.settings
        stuck = stuck_runs(result.applied_to(self.state), self._providers, settings, time.time())
        self.result = replace(result, events=(*with_notices(result.events, self.state, settings), *stuck))

    def status(self, *, asks: bool = True) -> tuple[ResourceStatus, ...]:
        """The status of each resource at the last query, and how far it is; asks for that unless `asks` is false."""
        from expiac.apply.metrics.places import STATUS_SECONDS, Look
        from expiac.apply.progress import statuses_of

        look = Look(self.state.lineage, seconds=STATUS_SECONDS if asks else 0.0)
        return statuses_of(self.observed, self.sources, look, self._progress())

    def refresh(self) -> tuple[ResourceStatus, ...]:
        """Queries, records what changed, starts what waits in a queue, and returns the status of each resource."""
        self.update()
        return self.status()

    def update(self) -> None:
        """Queries, records what changed, and starts what waits in a queue; reads no metrics."""
        self.query()
        if self.has_news:
            with lock_state(self._journal, None, purpose="refresh"):  # it makes no decision that could be stale
                self.record()
            self.reload()
            self.send_remaining_notices()
        else:
            self._note_look()
        self.advance_queues()

    def record_if_free(self) -> None:
        """Records what the last query saw. Waits for nobody: where the lock is held, or the disk refuses, nothing is
        written.

        It makes no decision, so that no plan goes stale by it: effects that a killed process left open, duplicates and
        clusters wait for the next apply or refresh.
        """
        resolved = {event.address for event in self.result.events if isinstance(event, EffectDone)}
        observed = [event for event in self.result.events
                    if isinstance(event, Observed) or (isinstance(event, NoticeDue) and event.address not in resolved)]
        if (observed or unsent(self.state)) and not self._append_if_free(observed):
            return
        self.result = replace(self.result, events=tuple(one for one in self.result.events if one not in observed))
        self._note_look()

    def _append_if_free(self, events: Sequence[Event]) -> bool:
        if not self._journal.has_present_format:  # an older release reads it: to end that is not for a look to decide
            return False
        with suppress(ExpiacError), self._journal.lock(purpose="status", wait_seconds=0):
            self._journal.reload()
            if self._journal.number != self._number:
                return False  # whoever wrote meanwhile has looked too
            for event in events:
                self._journal.append(event, durable=False)
            self._journal.flush()
            self.send_notices()
            self._number = self._journal.number
            self.reload()
            return True
        return False

    def advance_queues(self) -> None:
        """Starts what was accepted, waits, and fits now."""
        advance_queues(self.state, self._providers, self._reporter)

    def record(self, plan: Plan | None = None) -> None:
        """Records what the query found, ends duplicates, and releases what ended runs still hold. Needs the lock.

        If another process has written since the query, or a killed process left an effect open, queries again first.
        Raises `Stale` if the plan no longer fits what that query finds.
        """
        now = self._journal.state
        is_open = any(record.pending for record in now.records.values())
        if self._number is not None and (is_open or self._number != self._journal.number):
            before = self.observed
            self.query()
            if plan is not None:
                from expiac.apply.preconditions import refuse_moved_runs

                refuse_moved_runs(plan, before, self.result.applied_to(now))
        for event in self.result.events:
            self._journal.append(event, durable=not isinstance(event, Observed))
        self.result = replace(self.result, events=())
        self.send_notices()
        end_duplicates(self.result.duplicates, self._journal, self._providers, self._reporter)
        release(self._holding(), self._journal, self._providers, self._reporter)
        self._note_look()

    def _note_look(self) -> None:
        """Remembers the last query, if it saw everything and all that it saw is recorded."""
        is_whole = self._queried_at and not self.result.events and not self.result.unseen
        if is_whole and any(map(may_change, self.state.records.values())):
            self._looks.note(self._queried_at)

    def send_notices(self) -> None:
        """Tells others of the runs that have ended, or are stuck; of very many, of the first ones. Needs the lock."""
        self._notifier.send_due(self._journal)

    def send_remaining_notices(self) -> None:
        """Sends what is still due, a part under each lock, so that others can work in between.

        Where another command holds the lock, that one or the next sends them.
        """
        while unsent(self._journal.state):
            time.sleep(_PAUSE)  # whoever waits for the lock gets it now
            try:
                with lock_state(self._journal, None, purpose="notices"):
                    self.send_notices()
            except Locked:
                return
            self.reload()

    def _holding(self) -> list[Record]:
        return records_to_release(self._journal.state, self.result.unseen)
