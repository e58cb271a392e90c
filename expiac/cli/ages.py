"""How old what is shown is, where no backend was asked: `as of 14:03, 2 hours ago; expiac refresh lab asks again`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from expiac.declare.project import find_project
from expiac.state.looks import Looks
from expiac.state.model import Record

_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def as_of(stack: str, records: Iterable[Record]) -> str:
    """When the backends were last asked about these records, ISO 8601; empty where none of them changes by itself."""
    return Looks(find_project(Path.cwd()), stack).as_of(records)


def sentence(stack: str, at: str, now: datetime | None = None) -> str:
    """What is said of a time of `as_of`; nothing of none."""
    if not at:
        return ""
    now = (now or datetime.now(UTC)).astimezone()
    then = datetime.fromisoformat(at).astimezone()
    when = f"{then:%H:%M}" if then.date() == now.date() else f"{then:%Y-%m-%d %H:%M}"
    return f"as of {when}, {_ago((now - then).total_seconds())}; expiac refresh {stack} asks again"


def _ago(seconds: float) -> str:
    for length, unit in _UNITS:
        if count := int(seconds // length):
            return f"{count} {unit}{'s' * (count > 1)} ago"
    return "less than a minute ago"
