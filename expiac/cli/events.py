"""Every event of a command as one line of JSON, for programs. Writes what happens and decides nothing.

`expiac/view/lines.py` describes each line, and `docs/json.md` what may be relied on.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from expiac.apply.events import (
    Began,
    Finished,
    ProgressEvent,
    ResourceStatus,
    Result,
    SearchLeft,
    StepBegan,
    StepDeferred,
    StepEnded,
    StepFailed,
    StepSkipped,
    Waiting,
    Warned,
)
from expiac.cli import tables
from expiac.declare.metrics import MetricSettings
from expiac.plan.model import Step
from expiac.state.journal import utc_now
from expiac.util.errors import ExpiacError
from expiac.view import show

if TYPE_CHECKING:
    from expiac.view import lines

_PRINT = partial(print, flush=True)


class JsonLines:
    """Writes each event as `{"event": …}`; while waiting, only the statuses that changed."""

    def __init__(self, write: Callable[[str], None] = _PRINT, now: Callable[[], str] = utc_now) -> None:
        self._write, self._now = write, now
        self._statuses: dict[str, ResourceStatus] = {}
        self._searches: dict[str, SearchLeft] = {}
        self._due: deque[str] = deque()
        self._writing = threading.Lock()

    def on_event(self, event: ProgressEvent) -> None:
        self._write_all(*self._documents(event))

    def on_stop(self) -> None:
        """Writes that the command is stopping; may be called in the middle of a line."""
        self._write_all({"event": "stopping"})

    def show_metrics(self, settings: MetricSettings) -> None:
        """Changes nothing: JSON lines hold every metric."""

    def close(self) -> None:
        """There is nothing to close."""

    def _write_all(self, *documents: dict[str, Any]) -> None:
        """Writes the documents with one time; each line has the version, so that it can be read alone."""
        at = self._now()
        self._due.extend(dumps({"format_version": show.FORMAT, "at": at, **document}) for document in documents)
        # A ^C may come here while a line is half written: then the call that writes that line writes this one too.
        while self._due and self._writing.acquire(blocking=False):
            try:
                while self._due:
                    self._write(self._due.popleft())
            finally:
                self._writing.release()

    def _documents(self, event: ProgressEvent) -> list[dict[str, Any]]:
        match event:
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
            case Waiting(resources, searches):
                new = [resource for resource in resources if self._is_new(resource)]
                left = [search for search in searches if self._searches.get(search.name) != search]
                self._searches |= {search.name: search for search in left}
                return [*({"event": "seen", **tables.document(resource)} for resource in new), *map(_search, left)]
            case Warned(text):
                return [{"event": "warned", "text": text}]
            case Finished(result):
                return [{"event": "finished", **_result(result)}]
            case _:
                assert_never(event)

    def _is_new(self, resource: ResourceStatus) -> bool:
        before = self._statuses.get(resource.address)
        self._statuses[resource.address] = resource
        return before != resource


def dumps(value: Any, *, indent: int | None = None) -> str:
    """JSON that every parser reads: NaN and infinity become null, and all is ASCII where stdout is not UTF-8.

    What a terminal would obey is written as JSON escapes it, such as `\\u202e`: the text is the same.
    """
    is_utf8 = (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") == "utf8"
    text = json.dumps(_finite(value), ensure_ascii=not is_utf8, allow_nan=False, indent=indent)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign == "\n" else json.dumps(sign)[1:-1] for sign in text)


def error_line(error: ExpiacError) -> str:
    """The last line of a command that an error has ended."""
    return dumps({"format_version": show.FORMAT, "at": utc_now(), "event": "error", **_error(error)})


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list | tuple) else value


def _name(step: Step) -> lines.NamedStep:
    return {"address": step.address, "action": step.action, "instance": step.run.instance,
            "launch": step.run.launch}


def _search(search: SearchLeft) -> dict[str, Any]:
    return {"event": "search_left", "search": search.name, "left": search.left, "trials": search.trials,
            "command": search.command}


def _error(error: ExpiacError) -> lines.Error:
    return {"code": error.code, "summary": error.summary, "detail": error.detail, "hint": error.hint}


def _result(result: Result) -> lines.Results:
    return {
        "is_well": result.is_well,
        "interrupted": result.interrupted,
        "done": [step.address for step in result.done],
        "failed": [step.address for step, _ in result.failed],
        "skipped": [step.address for step in result.skipped],
        "deferred": [step.address for step in result.deferred],
        "seen": [tables.document(one) for one in result.seen],
    }
