"""SkyPilot's launch calls: each is one request. Is given `sky` and its `rest`, so that it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any

_asks_once: ContextVar[bool] = ContextVar("asks_once", default=False)


def launch(sky: Any, rest: Any, task: Any, cluster: str) -> str:
    """The id of a request that launches the task: as a managed job, or on a new cluster of this name.

    Where the server is busy (503), SkyPilot itself would ask again for ten minutes, and a call that was left behind
    meanwhile would launch after all. So the refusal comes back at once.
    """
    _let_calls_ask_once(rest)
    asking = _asks_once.set(True)
    try:
        if cluster:
            return str(sky.launch(task, cluster_name=cluster))
        return str(sky.jobs.launch(task, name=task.name, job_group=None))
    finally:
        _asks_once.reset(asking)


def launched(sky: Any, request: str) -> int:
    """The id of the job that a request brought about."""
    jobs, _ = sky.get(request)
    return int(jobs[0] if isinstance(jobs, Sequence) else jobs)


@cache
def _let_calls_ask_once(rest: Any) -> None:
    """Lets `launch` switch the repetitions of SkyPilot's client off for its own calls; for all others they stay."""
    patient = rest.request

    @wraps(patient)
    def request(*args: Any, **named: Any) -> Any:
        return (rest.request_without_retry if _asks_once.get() else patient)(*args, **named)

    rest.request = request
