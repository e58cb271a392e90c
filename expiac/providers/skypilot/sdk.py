"""SkyPilot's Python SDK, as far as expiac needs it: the one place that imports `sky`.

Each call runs in a thread of its own under a time limit, since the SDK itself may wait for minutes, and each of its
errors leaves here as an `ExpiacError`.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from expiac.providers.skypilot import sdk_checks, sdk_clusters, sdk_files, sdk_launch
from expiac.providers.skypilot.error_translation import translate_error
from expiac.providers.skypilot.snapshot import Cluster, Request, SkyJob, Where
from expiac.providers.skypilot.time_limit import within
from expiac.util.errors import Unavailable

REACH, ANSWER, UPLOAD, START = 8.0, 180.0, 600.0, 180.0
"""Seconds for the server to say that it is there, to answer, to take a launch with its files, and to start."""
_FIELDS = ("job_id", "job_name", "status", "user_yaml", "failure_reason", "recovery_count", "submitted_at",
           "job_duration")
T = TypeVar("T")


class Sdk:
    """The SDK of this environment: its server and user are those that `sky` itself would use here."""

    def where(self) -> Where:
        """The API server and the user; starts a server of this machine's where that is SkyPilot's way here."""
        endpoint, local = _within(REACH, _endpoint, "asking for the API server")
        try:
            user = _within(REACH, _user_id, f"asking {_public(endpoint)}")
        except Unavailable:
            if not local or _must_not_start():
                raise
            _within(START, _start, "starting SkyPilot's API server")
            user = _within(REACH, _user_id, f"asking {_public(endpoint)}")
        return Where(_public(endpoint), user)

    def requests(self) -> Sequence[Request]:
        """The launches of managed jobs that have not ended."""
        return _within(ANSWER, _requests, "asking for launches under way")

    def jobs(self) -> Sequence[SkyJob]:
        """All managed jobs of this user, in one call."""
        return _within(ANSWER, _jobs, "asking for the managed jobs")

    def clusters(self, names: Sequence[str]) -> Sequence[Cluster]:
        """Those of the named clusters that there are, in one call."""
        return _within(ANSWER, lambda: sdk_clusters.clusters(_sky(), names), "asking for the clusters")

    def jobs_on(self, cluster: str) -> Sequence[SkyJob]:
        """The jobs of a cluster; none where it is gone."""
        return _within(ANSWER, lambda: sdk_clusters.jobs_on(_sky(), cluster), f"asking {cluster} for its jobs")

    def check(self, task: Mapping[str, Any]) -> str:
        """Raises where SkyPilot would refuse the task; a remark where it could not be asked in time."""
        try:
            _within(REACH, lambda: _check(task), "reading the task")
        except Unavailable as error:
            if not _is_installed():
                raise
            return f"not checked by SkyPilot: {error.detail}"
        return ""

    def price(self, task: Mapping[str, Any]) -> float | None:
        """Dollars per hour for all nodes, as SkyPilot's optimizer on this machine sees it; None where it can't."""
        try:
            return _within(REACH * 4, lambda: _price(task), "asking for the price")
        except Unavailable:
            return None  # a plan is worth having without its price

    def launch(self, task: Mapping[str, Any], cluster: str = "") -> str:
        """The id of a request that launches the task: as a managed job, or on a new cluster of this name."""
        made = _within(REACH * 4, lambda: _task(task), "reading the task")
        return _within(UPLOAD, lambda: _launch(made, cluster), f"launching {task['name']}")

    def await_launch(self, request: str) -> int:
        """The id of the job that a request brought about; waits for its end."""
        return _within(UPLOAD, lambda: sdk_launch.launched(_sky(), request), "waiting for the launch")

    def cancel(self, jobs: Sequence[int], cluster: str = "") -> None:
        """Asks for the end of jobs by their ids, in one call: managed ones, or those of a cluster, which stays.

        SkyPilot passes over an id that it does not know, and over a job that has ended.
        """
        _within(ANSWER, lambda: _cancel(jobs, cluster), f"cancelling {_named(jobs)}")

    def down(self, cluster: str) -> None:
        """Takes a cluster down, and returns when it is gone."""
        _within(UPLOAD, lambda: sdk_clusters.down(_sky(), cluster), f"taking {cluster} down")

    def pull(self, cluster: str, path: str, target: Path, *, timeout: float) -> None:
        """Copies a file or folder of a cluster to `target`."""
        sdk_files.pull(cluster, path, target, timeout=timeout)

    def lines(self, job: int, *, follow: bool, cluster: str = "", last: int | None = None
              ) -> Generator[str, None, None]:
        """What a job prints, line by line; of what it has printed so far all, or the `last` lines."""
        chunks = _within(ANSWER, lambda: _log(job, follow, cluster, last), f"reading the log of job {job}")
        rest = ""
        try:
            for chunk in chunks:
                *whole, rest = (rest + (chunk or "")).split("\n")
                yield from (line.rstrip("\r") for line in whole)
        except Exception as error:
            raise translate_error(error, f"reading the log of job {job}") from error
        if rest:
            yield rest


def _within(seconds: float, call: Callable[[], T], doing: str) -> T:
    _sky()  # its import takes a second or more, which is not the server's fault
    return within(seconds, call, doing)


@cache
def _sky() -> Any:
    os.environ.setdefault("SKYPILOT_DISABLE_USAGE_COLLECTION", "1")
    try:
        import sky
        import sky.jobs
    except ImportError as error:
        raise Unavailable("SkyPilot is not installed", str(error), "pip install 'expiac[skypilot]'") from error
    for handler in logging.getLogger("sky").handlers:
        handler.setLevel(logging.CRITICAL)  # it writes to stdout, which belongs to our command
    return sky


def _is_installed() -> bool:
    try:
        return _sky() is not None
    except Unavailable:
        return False


def _endpoint() -> tuple[str, bool]:
    from sky.server import common

    endpoint = common.get_server_url()
    return endpoint, common.is_api_server_local(endpoint)


def _public(endpoint: str) -> str:
    """The address without the password that may stand in it."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _user_id() -> str:
    from sky.server import common
    from sky.utils import common_utils

    common.get_api_server_status_response.cache_clear()
    status, info = common.check_server_healthy()
    if status is common.ApiServerStatus.NEEDS_AUTH:
        raise Unavailable("SkyPilot's API server does not let us in", _public(common.get_server_url()),
                          "sky api login -e URL")
    return str((info.user or {}).get("id") or common_utils.get_user_hash())


def _must_not_start() -> bool:
    from sky.utils import env_options

    return bool(env_options.Options.DISABLE_LOCAL_API_SERVER.get())


def _start() -> None:
    from sky.server import common

    common.check_server_healthy_or_start_fn()


def _requests() -> list[Request]:
    return [Request(payload.request_id, *_launching(payload.request_body))
            for payload in _sky().api_status() if payload.name.endswith(("jobs.launch", "sky.launch"))]


def _launching(body: str) -> tuple[str, str]:
    """The name and the task of a launch request."""
    told = json.loads(body) or {}
    task = str(told.get("task") or "")
    # Only a managed job's launch has a name of its own; a cluster's task begins with it.
    return str(told.get("name") or task.partition("\n")[0].removeprefix("name: ")), task


def _jobs() -> list[SkyJob]:
    from sky import exceptions

    sky = _sky()
    try:
        records, *_ = sky.get(sky.jobs.queue_v2(refresh=False, fields=list(_FIELDS)))
    except exceptions.ClusterNotUpError as error:
        if error.cluster_status is None and error.handle is None:
            return []  # no job was ever launched: there is no jobs controller
        raise
    return [SkyJob(record.job_id, record.job_name or "", record.status.name if record.status else "PENDING",
                record.user_yaml or "", record.failure_reason or "", record.recovery_count or 0,
                record.submitted_at or 0.0, record.job_duration or 0.0) for record in records]


def _task(task: Mapping[str, Any]) -> Any:
    return _sky().Task.from_yaml_config(json.loads(json.dumps(task)))  # it changes what it is given


def _check(task: Mapping[str, Any]) -> None:
    sdk_checks.refuse_unfit(_task(task), _accelerators())


@cache
def _accelerators() -> Sequence[str]:
    from sky.catalog import common

    return sdk_checks.known_accelerators(Path(common.get_catalog_path("common/accelerators.csv")))


def _price(task: Mapping[str, Any]) -> float | None:
    from sky import optimizer

    made = _task(task)
    with _sky().Dag() as dag:
        dag.add(made)
    try:
        optimizer.Optimizer.optimize(dag, quiet=True)
    except Exception:
        if _endpoint()[1]:
            raise
        return None  # a server elsewhere may have clouds and credentials that this machine has not
    best = made.best_resources
    dollars = float(best.get_cost(3600)) * int(made.num_nodes) if best is not None else 0.0
    return dollars or None  # nothing is free: this is SkyPilot's way to say that it knows no price


def _launch(task: Any, cluster: str) -> str:
    from sky.server import rest

    return sdk_launch.launch(_sky(), rest, task, cluster)


def _cancel(jobs: Sequence[int], cluster: str) -> None:
    sky, ids = _sky(), list(jobs)
    if ids:  # without ids, SkyPilot would cancel nothing or everything
        sky.get(sky.cancel(cluster, job_ids=ids) if cluster else sky.jobs.cancel(job_ids=ids))


def _named(jobs: Sequence[int]) -> str:
    return f"{len(jobs)} jobs" if len(jobs) > 1 else f"job {jobs[0]}" if jobs else "nothing"


def _log(job: int, follow: bool, cluster: str, last: int | None) -> Iterator[str | None]:
    chunks: Iterator[str | None]
    if cluster:
        chunks = _sky().tail_logs(cluster, job_id=job, follow=follow, tail=last or 0, preload_content=False)
    else:
        chunks = _sky().jobs.tail_logs(job_id=job, follow=follow, tail=last, preload_content=False)
    return chunks
