"""A SkyPilot in memory, with what makes the real one hard: no idempotency key, and launches that take their time."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from expiac.providers.skypilot.refusal import Refused
from expiac.providers.skypilot.snapshot import Cluster, Request, SkyJob, Where, declared_outputs, documents
from expiac.util.errors import ExpiacError, Unavailable

GONE = Unavailable("SkyPilot's API server does not answer", "the test says so")
BUSY = Refused("SkyPilot's API server takes no more calls", "the test says so")


@dataclass
class Server:
    """What is shared by everyone who talks to it."""

    where: Where = field(default_factory=lambda: Where("http://127.0.0.1:1", "ada"))
    requests: dict[str, Request] = field(default_factory=dict)
    jobs: dict[int, SkyJob] = field(default_factory=dict)
    clusters: dict[str, list[SkyJob]] = field(default_factory=dict)
    """The jobs of each cluster; none while it is being made."""
    tasks: dict[str, str] = field(default_factory=dict)
    """The task that each cluster was made for."""
    bound: dict[str, str] = field(default_factory=dict)
    """The cluster of a request, where it is no managed job's."""
    launched: dict[str, int] = field(default_factory=dict)
    """The job of each request that has ended."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    launches: int = 0
    """How many requests there were; a managed job has the number of its request."""
    breaks: int = 0
    """How often the connection is lost in the middle of a log."""
    printed: dict[str, list[str]] = field(default_factory=dict)
    """What the jobs of a name have printed, where a test says that; else each job has a few lines."""
    asked: list[str] = field(default_factory=list)
    """Every call, in order."""
    refusals: dict[str, int] = field(default_factory=dict)
    """How many more calls of a name are refused, as by a server that is busy or restarts."""
    stubborn: dict[int, ExpiacError] = field(default_factory=dict)
    """Managed jobs for which a cancel fails, and with it that of all others in the same call."""
    passed_over: set[int] = field(default_factory=set)
    """Managed jobs that a cancel passes over without a word."""

    def __getstate__(self) -> dict[str, Any]:
        """Without the lock: each process has its own copy."""
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=threading.Lock())

    def settle(self) -> None:
        """Every launch under way becomes a job."""
        with self.lock:
            for request in list(self.requests.values()):
                self._launch_job(request)

    def _launch_job(self, request: Request) -> int:
        del self.requests[request.id]
        if cluster := self.bound.get(request.id):
            there = self.clusters.setdefault(cluster, [])
            there.append(SkyJob(len(there) + 1, request.name, "PENDING", "", cluster=cluster))
            self.launched[request.id] = len(there)
            return len(there)
        job = int(request.id.removeprefix("request-"))
        self.jobs[job] = SkyJob(job, request.name, "PENDING", request.task)
        self.launched[request.id] = job
        return job

    def proceed(self) -> None:
        """Each job moves one status on."""
        with self.lock:
            for job in self.jobs.values():
                self.jobs[job.id] = _later(job, job.task)
            for name, jobs in list(self.clusters.items()):
                self.clusters[name] = [_later(job, self.tasks[name]) for job in jobs]


def _later(job: SkyJob, task: str) -> SkyJob:
    if not task and job.status != "CANCELLING":
        return job  # nobody told its controller
    after = {"PENDING": "STARTING", "STARTING": "RUNNING", "CANCELLING": "CANCELLED"}.get(job.status)
    run = next((document["run"] for document in documents(task)), "lasts")
    if job.status == "RUNNING" and run != "lasts":
        after = {"succeeds": "SUCCEEDED", "fails": "FAILED"}[run]
    failure = "Job exited with exit code 3" if after == "FAILED" and not job.cluster else ""
    return replace(job, status=after, failure=failure) if after else job


def _is_live(job: SkyJob) -> bool:
    return job.status in ("PENDING", "STARTING", "RUNNING", "CANCELLING")


class FakeSky:
    """One client of a server; can be told to die or to lose the connection on the way."""

    def __init__(self, server: Server, *, loses: str = "", refuses: ExpiacError | None = None) -> None:
        self.server, self.loses, self.refuses = server, loses, refuses

    def where(self) -> Where:
        self._asked("where")
        return self.server.where

    def requests(self) -> list[Request]:
        self._asked("requests")
        return list(self.server.requests.values())

    def jobs(self) -> list[SkyJob]:
        self._asked("jobs")
        self.server.proceed()
        return list(self.server.jobs.values())

    def clusters(self, names: Sequence[str]) -> list[Cluster]:
        self._asked("clusters")
        self.server.proceed()
        return [Cluster(name, "UP" if jobs else "INIT", self.server.tasks[name])
                for name, jobs in list(self.server.clusters.items()) if name in names]

    def jobs_on(self, cluster: str) -> list[SkyJob]:
        self._asked("jobs_on")
        return list(self.server.clusters.get(cluster, ()))

    def down(self, cluster: str) -> None:
        self._asked("down")
        with self.server.lock:
            self.server.clusters.pop(cluster, None)

    def price(self, task: Mapping[str, Any]) -> float | None:
        self._asked("price")
        return {"slurm/loop": 2.0}.get(str((task.get("resources") or {}).get("infra")))

    def check(self, task: Mapping[str, Any]) -> str:
        return ""

    def launch(self, task: Mapping[str, Any], cluster: str = "") -> str:
        self.server.asked.append("launch")
        self._refuse("launch")
        with self.server.lock:
            self.server.launches += 1
            request = Request(f"request-{self.server.launches}", task["name"], yaml.safe_dump(task))
            self.server.requests[request.id] = request
            if cluster:
                self.server.bound[request.id] = cluster
                self.server.clusters.setdefault(cluster, [])
                self.server.tasks[cluster] = request.task
        if self.loses == "launch":
            raise GONE
        return request.id

    def await_launch(self, request: str) -> int:
        self._asked("await_launch")
        if self.refuses is not None:
            self.server.requests.pop(request, None)
            raise self.refuses
        with self.server.lock:
            waits = self.server.requests.get(request)
            return self.server.launched[request] if waits is None else self.server._launch_job(waits)

    def cancel(self, jobs: Sequence[int], cluster: str = "") -> None:
        self._asked("cancel")
        if stubborn := set(jobs) & self.server.stubborn.keys():
            raise self.server.stubborn[min(stubborn)]
        with self.server.lock:
            for job in set(jobs) - self.server.passed_over:
                if cluster:
                    there = self.server.clusters[cluster]
                    there[job - 1] = replace(there[job - 1], status="CANCELLING")
                elif job in self.server.jobs and _is_live(self.server.jobs[job]):
                    self.server.jobs[job] = replace(self.server.jobs[job], status="CANCELLING")

    def pull(self, cluster: str, path: str, target: Path, *, timeout: float) -> None:
        """Each file of a cluster says whose it is."""
        self._asked("pull")
        if cluster not in self.server.clusters or path not in declared_outputs(self.server.tasks[cluster]).values():
            raise ExpiacError("Output is gone", f"{cluster} has no {path}")
        target.write_text(f"{path} of {cluster}", encoding="utf-8")

    def lines(self, job: int, *, follow: bool, cluster: str = "", last: int | None = None
              ) -> Generator[str, None, None]:
        """As SkyPilot shows them, its own words among them."""
        self._asked("lines")
        name = self.server.clusters[cluster][job - 1].name if cluster else self.server.jobs[job].name
        if name in self.server.printed:
            for line in self.server.printed[name][-(last or 0):]:
                yield f"\x1b[36m(head, rank=0, pid=1)\x1b[0m {line}"
            return
        yield "\x1b[2m├── \x1b[0m\x1b[2mWaiting for task resources on 2 nodes.\x1b[0m"
        yield "\x1b[36m(head, rank=0, pid=1)\x1b[0m hello"
        if self.server.breaks > 0:
            self.server.breaks -= 1
            raise GONE
        yield "\x1b[36m(worker1, rank=1, pid=2, ip=10.0.0.2)\x1b[0m hello"
        yield "\x1b[36m(head, rank=0, pid=1)\x1b[0m bye\x1b[32m✓ Job finished (status: SUCCEEDED).\x1b[0m\x1b[0m"
        yield ""

    def _asked(self, what: str) -> None:
        self.server.asked.append(what)
        self._refuse(what)
        if self.loses in (what, "all"):
            raise GONE

    def _refuse(self, what: str) -> None:
        with self.server.lock:
            left = self.server.refusals.get(what, 0)
            if left:
                self.server.refusals[what] = left - 1
        if left:
            raise BUSY
