"""Which notices are due: a run has succeeded or failed, or makes no progress. Sends nothing.

A notice is recorded as due before the end that it tells of, so that a killed process loses none: the next command that
records anything sends what is due.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from expiac.apply.metrics.search import find_metrics_file
from expiac.apply.refresh import id_of
from expiac.declare.notify import NotifySettings
from expiac.providers.base import Provider, TellsActivity
from expiac.providers.outputs import metrics_in
from expiac.state.events import EffectDone, Event, NoticeDue, Observed
from expiac.state.model import Record, State
from expiac.state.status import Status
from expiac.util import duration

SUCCEEDED, FAILED, STUCK = "succeeded", "failed", "stuck"


def with_notices(events: Sequence[Event], state: State, settings: NotifySettings) -> list[Event]:
    """The events, and before each that ends a run the notice that is due for it."""
    noted: list[Event] = []
    for event in events:
        if isinstance(event, EffectDone | Observed) and (record := state.records.get(event.address)) is not None:
            noted += notice_of(event, record, settings)
        noted.append(event)
    return noted


def notice_of(event: EffectDone | Observed, record: Record, settings: NotifySettings) -> Iterator[NoticeDue]:
    """The notice that is due if the event is recorded; mostly none."""
    if occasion := _occasion(record, event.status):
        yield from _due(record, occasion, event.detail or event.status.value, settings)


def stuck_runs(state: State, providers: Mapping[str, Provider], settings: NotifySettings, now: float
               ) -> Iterator[NoticeDue]:
    """A notice for each run that has made no progress for longer than its `max_idle`; `now` is in seconds of Unix."""
    for record in state.records.values():
        limit = record.options.max_idle
        if limit is None or record.status is not Status.RUNNING or record.pending is not None:
            continue
        last = _last_activity(record, providers.get(record.provider), state.lineage)
        if last is not None and now - last > duration.seconds(limit):
            reason = f"no progress for {int(now - last) // 60} min; max_idle is {limit}"
            yield from _due(record, STUCK, reason, settings)


def unsent(state: State) -> list[tuple[Record, str]]:
    """Runs, with the occasions of which nobody was told yet."""
    return [(record, occasion) for record in (*state.history, *state.records.values())
            for occasion, notice in record.notices.items() if not notice.is_sent]


def _due(record: Record, occasion: str, reason: str, settings: NotifySettings) -> Iterator[NoticeDue]:
    is_wanted = settings.wants(occasion) or record.options.hooks.notify
    if is_wanted and occasion not in record.notices:
        yield NoticeDue(record.address, occasion, reason)


def _occasion(record: Record, status: Status) -> str:
    """What the change of status is to those who wait for the run; empty where they need not hear of it."""
    if record.status.is_over or record.status is Status.READY:
        return ""
    if status is Status.SUCCEEDED:
        return SUCCEEDED
    ended_by_others = status in (Status.CANCELLED, Status.LOST) and record.pending is None
    return FAILED if status is Status.FAILED or ended_by_others else ""


def _last_activity(record: Record, provider: object, lineage: str) -> float | None:
    """When the launch last printed or logged something, as far as that can be seen here."""
    printed = provider.last_activity(id_of(record, lineage)) if isinstance(provider, TellsActivity) else None
    path = metrics_in(record.outputs)
    logged = _modified(Path(path)) if path is not None and "://" not in path else None
    if logged is not None and record.at and logged < datetime.fromisoformat(record.at).timestamp():
        logged = None  # by an earlier launch of the run
    return max((time for time in (printed, logged) if time is not None), default=None)


def _modified(path: Path) -> float | None:
    try:
        file = find_metrics_file(path) if path.is_dir() else path
        return os.stat(file).st_mtime if file is not None else None
    except OSError:
        return None
