"""Which runs somebody asks for: as filters for W&B's server, and as the same decision on a run that was read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from expiac.tracking.runs import TrackedRun
from expiac.util.errors import UsageError

ORDERS = ("created_at", "config.", "summary_metrics.")
"""What runs can be ordered by; the last two are completed by a key."""


@dataclass(frozen=True, slots=True)
class Query:
    """Every part that is given must hold."""

    ids: tuple[str, ...] | None = None
    """Any of them."""
    tags: tuple[str, ...] = ()
    """All of them."""
    author: str | None = None
    state: str | None = None
    group: str | None = None
    job_type: str | None = None
    created_after: datetime | None = None
    """Then, or later."""
    created_before: datetime | None = None
    """Earlier than that."""
    order: str = "-created_at"
    """A key with `+` before it for ascending, `-` for descending."""
    limit: int | None = None

    def matches(self, run: TrackedRun) -> bool:
        """Whether a run is meant."""
        equal = ((self.author, run.author), (self.state, run.state), (self.group, run.group),
                 (self.job_type, run.job_type))
        return ((self.ids is None or run.id in self.ids)
                and all(wanted is None or wanted == value for wanted, value in equal)
                and set(self.tags) <= set(run.tags)
                and _is_within(run.created_at, self.created_after, self.created_before))

    def filters(self) -> dict[str, Any]:
        """The same, in the words of W&B's server."""
        parts: list[dict[str, Any]] = [{"tags": tag} for tag in self.tags]
        words = {"username": self.author, "state": self.state, "group": self.group, "jobType": self.job_type}
        parts += [{word: value} for word, value in words.items() if value is not None]
        if self.ids is not None:
            parts.append({"name": {"$in": list(self.ids)}})
        if self.created_after is not None:
            parts.append({"createdAt": {"$gte": _iso(self.created_after)}})
        if self.created_before is not None:
            parts.append({"createdAt": {"$lt": _iso(self.created_before)}})
        return {"$and": parts} if parts else {}

    def select(self, runs: Iterable[TrackedRun]) -> Iterator[TrackedRun]:
        """The runs that are meant, in order, no more than the limit."""
        return islice(_ordered((run for run in runs if self.matches(run)), self.order), self.limit)


def query_of(*, ids: Iterable[str] | None = None, tags: Iterable[str] | str = (),
             created_after: datetime | str | None = None, created_before: datetime | str | None = None,
             order: str = "-created_at", limit: int | None = None, **words: str | None) -> Query:
    """The query of such words; raises `UsageError` where one can't be meant."""
    if not order.lstrip("+-").startswith(ORDERS) or order.lstrip("+-") in ORDERS[1:]:
        raise UsageError("Unknown order", f"runs can't be ordered by {order}",
                         "created_at, config.KEY or summary_metrics.KEY, with + or - before it")
    if limit is not None and limit < 0:
        raise UsageError("Invalid limit", f"{limit} is no number of runs", "0 or more, or leave it out")
    return Query(ids=None if ids is None else tuple(ids), tags=(tags,) if isinstance(tags, str) else tuple(tags),
                 created_after=_time(created_after), created_before=_time(created_before), order=order, limit=limit,
                 **words)


def time_of(text: str) -> datetime | None:
    """A time in ISO's form; without a zone it is UTC. None where it is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _time(given: datetime | str | None) -> datetime | None:
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=UTC)
    time = None if given is None else time_of(given)
    if given is not None and time is None:
        raise UsageError("Invalid time", f"{given} is no time", "2026-05-31 or 2026-05-31T18:00:00+02:00")
    return time


def _is_within(time: datetime | None, after: datetime | None, before: datetime | None) -> bool:
    if after is None and before is None:
        return True
    return time is not None and (after is None or time >= after) and (before is None or time < before)


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ordered(runs: Iterable[TrackedRun], order: str) -> list[TrackedRun]:
    """Numbers before texts; runs without the value come last."""
    key = order.lstrip("+-")
    known: list[tuple[tuple[bool, Any], TrackedRun]] = []
    unknown: list[TrackedRun] = []
    for run in runs:
        if (value := _value(run, key)) is None:
            unknown.append(run)
        else:
            known.append((value, run))
    known.sort(key=lambda pair: pair[0], reverse=order.startswith("-"))
    return [*(run for _, run in known), *unknown]


def _value(run: TrackedRun, key: str) -> tuple[bool, Any] | None:
    if key == "created_at":
        return None if run.created_at is None else (True, run.created_at)
    section, _, path = key.partition(".")
    value: Any = run.config if section == "config" else run.summary
    found = value[path] if path in value else _nested(value, path.split("."))
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    return isinstance(found, str), found


def _nested(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value
