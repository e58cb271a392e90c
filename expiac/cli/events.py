"""Every moment of a command as one line of JSON, for programs. Says what it hears and decides nothing.

`expiac/schema.json` describes each line, and `docs/json.md` what may be relied on.
"""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, assert_never

from expiac.apply.events import (
    Began,
    Finished,
    ProgressEvent,
    ResourceStatus,
    Result,
    StepBegan,
    StepDeferred,
    StepEnded,
    StepFailed,
    StepSkipped,
    Waiting,
    Warned,
)
from expiac.cli import tables
from expiac.plan.model import Step
from expiac.state.journal import utc_now
from expiac.util.errors import ExpiacError
from expiac.view import show

_PRINT = partial(print, flush=True)


class JsonLines:
    """Writes each moment as `{"event": …}`; of a look while waiting, only what changed since the last one."""

    def __init__(self, write: Callable[[str], None] = _PRINT, now: Callable[[], str] = utc_now) -> None:
        self._write, self._now = write, now
        self._seen: dict[str, ResourceStatus] = {}
        self._due: deque[str] = deque()
        self._writing = threading.Lock()

    def on_event(self, moment: ProgressEvent) -> None:
        self._say(*self._events(moment))

    def stopping(self) -> None:
        """Says so; it may be called in the middle of a line."""
        self._say({"event": "stopping"})

    def close(self) -> None:
        """Nothing to take down."""

    def _say(self, *events: dict[str, Any]) -> None:
        """Writes the events, all of one time; each line stands for itself, and so has the version."""
        at = self._now()
        self._due.extend(dumps({"format_version": show.FORMAT, "at": at, **event}) for event in events)
        # A ^C may come here while a line is half written: then whoever writes that one writes what is due too.
        while self._due and self._writing.acquire(blocking=False):
            try:
                while self._due:
                    self._write(self._due.popleft())
            finally:
                self._writing.release()

    def _events(self, moment: ProgressEvent) -> list[dict[str, Any]]:
        match moment:
            case Began(plan):
                return [{"event": "began", "plan": show.document(plan)}]
            case StepBegan(step):
                return [{"event": "step_began", **_name(step)}]
            case StepEnded(step, status, detail):
                return [{"event": "step_ended", **_name(step), "status": status.value, "detail": detail}]
            case StepFailed(step, error):
                return [{"event": "step_failed", **_name(step), "error": _error(error)}]
            case StepSkipped(step, why):
                return [{"event": "step_skipped", **_name(step), "why": why}]
            case StepDeferred(step):
                return [{"event": "step_deferred", **_name(step), "why": step.reason}]
            case Waiting(seen):
                return [{"event": "seen", **tables.document(one)} for one in seen if self._is_new(one)]
            case Warned(text):
                return [{"event": "warned", "text": text}]
            case Finished(result):
                return [{"event": "finished", **_result(result)}]
            case _:
                assert_never(moment)

    def _is_new(self, seen: ResourceStatus) -> bool:
        known, self._seen[seen.address] = self._seen.get(seen.address), seen
        return known != seen


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON as every parser reads it: a number that is none becomes null."""
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def _name(step: Step) -> dict[str, Any]:
    return {"address": step.address, "action": step.action.value, "instance": step.run.instance,
            "launch": step.run.launch}


def _error(error: ExpiacError) -> dict[str, str]:
    return {"summary": error.summary, "detail": error.detail, "hint": error.hint}


def _result(result: Result) -> dict[str, Any]:
    return {
        "is_well": result.is_well,
        "interrupted": result.interrupted,
        "done": [step.address for step in result.done],
        "failed": [step.address for step, _ in result.failed],
        "skipped": [step.address for step in result.skipped],
        "deferred": [step.address for step in result.deferred],
        "seen": [tables.document(one) for one in result.seen],
    }
