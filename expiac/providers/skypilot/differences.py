"""How a job that others launched differs from what a declaration would launch: in names only, never in values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from expiac.providers.skypilot.remarks import leaves_results
from expiac.providers.skypilot.snapshot import documents

_NAMED = ("envs", "secrets")
_IGNORED = ("name", *_NAMED)


def differences(user_yaml: str, ours: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that differ, as words to show; the marks that expiac itself puts on its jobs do not count."""
    tasks = documents(user_yaml)
    if not tasks:
        return ("cannot be compared",)
    if len(tasks) > 1:
        return (f"{len(tasks)} tasks",)
    theirs = tasks[0]
    fields = sorted({*theirs, *ours} - {*_IGNORED})
    words = [it for it in fields if theirs.get(it) != ours.get(it)]
    if not leaves_results(ours):  # every job is told where results would go
        ours = {**ours, "envs": {key: value for key, value in (ours.get("envs") or {}).items() if key != "DATA_DIR"}}
    return (*words, *(f"{kind}.{key}" for kind in _NAMED for key in _differing(theirs.get(kind), ours.get(kind))))


def _differing(theirs: Any, ours: Any) -> list[str]:
    ones, others = dict(theirs or {}), dict(ours or {})
    return sorted(key for key in {*ones, *others}
                  if not key.startswith("EXPIAC_") and (key in ones, ones.get(key)) != (key in others, others.get(key)))
