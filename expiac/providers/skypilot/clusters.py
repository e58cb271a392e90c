"""Jobs that are not managed: each launch has a cluster of its own, which is named after it and goes with it.

A cluster that carries the names of a launch is that launch, whatever has become of it since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from expiac.providers.base import Id
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.snapshot import Cluster, Request, Sky, SkyJob, Snapshot, envs, launch_of
from expiac.util.errors import Unavailable

AT_ONCE = 8
"""SkyPilot has no call for the jobs of many clusters, and none that takes many down: so many are made at a time."""


def is_managed(values: Mapping[str, Any]) -> bool:
    """Whether a job's inputs ask for a managed job."""
    return values.get("managed", True) is not False


def cluster_name(id: Id) -> str:
    """The name of a launch's cluster."""
    return f"{id.instance}-{id.launch}"


def take_snapshot(sky: Sky, ids: Sequence[Id]) -> Snapshot:
    """How the launches of these ids are: one call for all clusters, and one for each that is up."""
    where = sky.where()
    under_way = sky.requests()  # first: a launch that ends in between is then seen twice, and never missed
    names = [Handle.of(id).cluster for id in ids]
    found = sky.clusters([str(name) for name in names if name is not None])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        jobs = [job for some in pool.map(lambda cluster: _jobs(sky, cluster, under_way), found) for job in some]
    return Snapshot(where, under_way, jobs)


def _jobs(sky: Sky, cluster: Cluster, under_way: Sequence[Request]) -> list[SkyJob]:
    """The jobs of a cluster that are its launch: one, unless it was launched twice. Others' jobs there are not ours."""
    name = envs(cluster.task).get("EXPIAC_INSTANCE", cluster.name)
    waits = any(launch_of(request.task) == launch_of(cluster.task) for request in under_way)
    try:
        jobs = sky.jobs_on(cluster.name) if cluster.status == "UP" else ()
    except Unavailable as error:
        return [SkyJob(0, name, "UNREACHABLE", cluster.task, error.detail, cluster=cluster.name)]
    if jobs:
        first = min(jobs, key=lambda job: job.id)
        why = "the command failed; expiac logs shows how"
        return [replace(job, name=name, task=cluster.task, failure=why if job.status == "FAILED" else "")
                for job in jobs if job.name == first.name]
    # A cluster without a job, which nobody is about to bring one: the launch died on the way.
    word = "STARTING" if waits else "FAILED_SETUP" if cluster.status in ("UP", "INIT") else cluster.status
    return [SkyJob(0, name, word, cluster.task, "" if waits else cluster.reason or "its cluster never took the job",
                cluster=cluster.name)]
