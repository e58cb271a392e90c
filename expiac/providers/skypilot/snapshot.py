"""What SkyPilot has, as values: launches under way and managed jobs, and which of our launches each of them is.

SkyPilot has no idempotency key and its names are not unique, so a launch is known by what stands in the job's own
environment. Pure: asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

from expiac.providers.base import Id
from expiac.providers.skypilot.handle import Handle

LINEAGE, INSTANCE, LAUNCH = "EXPIAC_LINEAGE", "EXPIAC_INSTANCE", "EXPIAC_LAUNCH"
OUTPUTS = "EXPIAC_OUTPUTS"
"""The declared outputs as JSON: whoever looks at a job finds them with it."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Where:
    """Whose jobs an answer speaks of: those of one user of one API server."""

    endpoint: str
    user: str


@dataclass(frozen=True, slots=True)
class Request:
    """A launch, of a managed job or on a cluster, that has not ended."""

    id: str
    name: str
    """Of the job that it will bring about."""
    task: str
    """The task's YAML; empty where the server does not show it to us. May hold secrets: never to be printed."""


@dataclass(frozen=True, slots=True)
class SkyJob:
    """A managed job, or one on a cluster of its own."""

    id: int
    """Among managed jobs, or on its cluster; 0 where its cluster has not taken it yet."""
    name: str
    status: str
    """SkyPilot's word."""
    task: str
    """The task's YAML, as its user wrote it."""
    failure: str = ""
    recoveries: int = 0
    submitted_at: float = 0.0
    """Seconds since 1970."""
    seconds: float = 0.0
    """How long it has run, over all its recoveries; of managed jobs only."""
    cluster: str = ""
    """The cluster that it has for itself; empty for a managed job."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster of this user's, whatever its state."""

    name: str
    status: str
    """SkyPilot's word: INIT, UP, STOPPED, …"""
    task: str
    """The YAML of the task that it was made for."""
    reason: str = ""
    """SkyPilot's words on an unhealthy one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One complete answer. The requests were asked for first: the other order would miss a launch in between."""

    where: Where
    requests: Sequence[Request]
    jobs: Sequence[SkyJob]

    def job(self, id: Id) -> SkyJob | None:
        """The managed job that is this launch; the earliest, should there be several."""
        return min(self.jobs_of(id), key=lambda job: job.id, default=None)

    def jobs_of(self, id: Id) -> list[SkyJob]:
        """Every job that is this launch."""
        if imported := Handle.of(id).imported:
            return [job for job in self.jobs if str(job.id) == str(imported)]
        return [job for job in self.jobs if _is_launch(id, job)]

    def nameless(self, id: Id) -> list[SkyJob]:
        """Jobs of the instance of which nothing tells whose launch they are: the server died while it wrote them."""
        return [job for job in self.jobs if job.name == id.instance and not job.task]

    def request(self, id: Id) -> Request | None:
        """The request that is about to launch it."""
        noted = Handle.of(id).request
        return next((request for request in self.requests if request.id == noted or _is_launch(id, request)), None)


class Sky(Protocol):
    """What the provider asks of SkyPilot. Each call has a time limit of its own, and raises `ExpiacError` only.

    `Unavailable` means that no complete answer came; after `launch` or `cancel` it means that nobody knows. `Refused`
    means that the server took nothing of the call.
    """

    def where(self) -> Where: ...

    def requests(self) -> Sequence[Request]: ...

    def jobs(self) -> Sequence[SkyJob]: ...

    def clusters(self, names: Sequence[str]) -> Sequence[Cluster]: ...

    def jobs_on(self, cluster: str) -> Sequence[SkyJob]: ...

    def check(self, task: Mapping[str, Any]) -> str: ...

    def price(self, task: Mapping[str, Any]) -> float | None: ...

    def launch(self, task: Mapping[str, Any], cluster: str = "") -> str: ...

    def await_launch(self, request: str) -> int: ...

    def cancel(self, jobs: Sequence[int], cluster: str = "") -> None: ...

    def down(self, cluster: str) -> None: ...

    def pull(self, cluster: str, path: str, target: Path, *, timeout: float) -> None: ...

    def lines(self, job: int, *, follow: bool, cluster: str = "", last: int | None = None
              ) -> Generator[str, None, None]: ...


def documents(task: str) -> list[dict[str, Any]]:
    """Each task of a YAML, without a header that only has a name; none where it cannot be read."""
    try:
        read = [document for document in yaml.load_all(task, Loader=_Loader) if isinstance(document, dict)]
    except yaml.YAMLError:
        return []  # nothing that we wrote
    return [document for document in read if set(document) - {"name"}]


def envs(task: str) -> Mapping[str, str]:
    """The environment that a task's YAML declares; of several documents, all of them together."""
    given = [document.get("envs") for document in documents(task)]
    return {str(name): str(value) for some in given if isinstance(some, dict) for name, value in some.items()}


def declared_outputs(task: str) -> dict[str, str]:
    """The declared outputs of the job: output name → where it is on the machine."""
    try:
        return dict(json.loads(envs(task).get(OUTPUTS, "{}")))
    except (ValueError, TypeError):
        return {}


def launch_of(task: str) -> tuple[str | None, str | None, str | None]:
    """Lineage, instance and launch of which a task says that it is."""
    given = envs(task)
    return given.get(LINEAGE), given.get(INSTANCE), given.get(LAUNCH)


def _is_launch(id: Id, found: Request | SkyJob) -> bool:
    if found.name != id.instance or not found.task:  # the names are compared first: reading YAML is slow
        return False
    return launch_of(found.task) == (id.lineage, id.instance, str(id.launch))
