"""What the keys of a condition mean among some runs: a field of a run, a setting by its key path, or a metric.

A key is the name of a field (`status`), the key path of a setting or its end where that tells it from others (`lr`), or
the name of a metric. `settings.KEY` and `metrics.NAME` say which of them is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

from expiac.analysis.listing import Figures, ListedRun
from expiac.util.errors import did_you_mean

Sort = Literal["any", "text", "status", "span", "time"]
"""A span is in seconds, a time is ISO 8601 in UTC."""
Read = Callable[[ListedRun], Any]
"""Gives the value of a run; None where it has none."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a key stands for."""

    name: str
    sort: Sort
    read: Read


class UnclearKey(Exception):
    """A key that means nothing or several things; `hint` has the candidates."""

    def __init__(self, summary: str, why: str, hint: str) -> None:
        super().__init__(summary, why, hint)
        self.summary, self.why, self.hint = summary, why, hint


class Keys:
    """The keys that these runs know."""

    def __init__(self, runs: Sequence[ListedRun], figures: Figures, now: datetime | None = None) -> None:
        self._runs, self._figures = runs, figures
        self._now = now or datetime.now(UTC)

    def meaning(self, key: str) -> Meaning:
        """What a key means; raises `UnclearKey`."""
        if key in self._fields:
            return self._fields[key]
        group, _, name = key.partition(".")
        if group == "settings" and name:
            return self._setting(self._one(name, self._settings))
        if group == "metrics" and name:
            return self._metric(self._one(name, self._metrics))
        if _candidates(key, self._settings):
            return self._setting(self._one(key, self._settings))
        return self._metric(self._one(key, self._metrics, others=(*self._fields, *self._settings)))

    @cached_property
    def _fields(self) -> Mapping[str, Meaning]:
        known: dict[str, tuple[Sort, Read]] = {
            "stack": ("text", lambda one: one.stack),
            "job": ("text", lambda one: one.run.job),
            "instance": ("text", lambda one: one.run.instance),
            "status": ("status", lambda one: one.run.status.value),
            "archived": ("any", lambda one: one.run.is_archived),
            "seed": ("any", lambda one: one.run.seed),
            "launch": ("any", lambda one: one.run.launch),
            "launched": ("time", lambda one: one.run.launched_at or None),
            "age": ("span", lambda one: age(one, self._now)),
            "seconds": ("span", lambda one: one.run.seconds),
            "cost": ("any", lambda one: one.run.cost),
            "user": ("text", lambda one: one.provenance("user") or None),
            "commit": ("text", lambda one: one.provenance("commit") or None),
        }
        return {name: Meaning(name, sort, read) for name, (sort, read) in known.items()}

    @cached_property
    def _settings(self) -> Sequence[str]:
        return tuple(dict.fromkeys(path for one in self._runs for path in one.settings))

    @cached_property
    def _metrics(self) -> Sequence[str]:
        self._figures.read(self._runs)
        return tuple(dict.fromkeys(name for one in self._runs for name in self._figures.of(one)))

    def _setting(self, path: str) -> Meaning:
        return Meaning(path, "any", lambda one: one.settings.get(path))

    def _metric(self, name: str) -> Meaning:
        return Meaning(name, "any", lambda one: self._figures.of(one).get(name))

    def _one(self, key: str, known: Sequence[str], others: Sequence[str] = ()) -> str:
        found = _candidates(key, known)
        if len(found) == 1:
            return found[0]
        if found:
            hint = f"one of {', '.join(sorted(found))}"
            raise UnclearKey("Which setting?", f"{key} is the end of {len(found)} keys", hint)
        ends = {name.rpartition(".")[2] for name in (*others, *known)}
        raise UnclearKey("Unknown key", f"no run here has {key}", did_you_mean(key, ends))


def age(one: ListedRun, now: datetime) -> float | None:
    """Seconds since its last launch; None where that is not known."""
    return (now - datetime.fromisoformat(one.run.launched_at)).total_seconds() if one.run.launched_at else None


def _candidates(key: str, known: Sequence[str]) -> list[str]:
    """What a key may mean: a name itself, else the names that end with it."""
    return [key] if key in known else [name for name in known if name.endswith((f".{key}", f"/{key}"))]
