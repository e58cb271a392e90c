"""The SkyPilot backend: every launch is one job, managed or on a cluster of its own, and is launched once.

SkyPilot launches twice when it is asked twice. So a launch carries its names in its environment, its request is noted
before its answer is awaited, and nothing is launched before requests under way and the queue were looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from expiac.declare.project import Project
from expiac.providers.base import (
    Adopts,
    Estimates,
    Examines,
    Extent,
    Fetches,
    Found,
    Id,
    Inputs,
    Logs,
    Note,
    Observation,
    RunsJobs,
    TellsMetrics,
    ToldMetrics,
)
from expiac.providers.ending import DeletesMany, EndsDuplicates, Releases
from expiac.providers.skypilot import clusters, fetch, log
from expiac.providers.skypilot.create import LaunchAttempt
from expiac.providers.skypilot.delete import Ended, end, end_duplicates
from expiac.providers.skypilot.differences import differences
from expiac.providers.skypilot.document import task_to_check, task_to_launch, task_to_price
from expiac.providers.skypilot.handle import Handle, split
from expiac.providers.skypilot.printed import PrintedMetrics
from expiac.providers.skypilot.remarks import remarks
from expiac.providers.skypilot.sdk import Sdk
from expiac.providers.skypilot.snapshot import Sky, SkyJob, launch_of
from expiac.providers.skypilot.statuses import is_live, observation, observe
from expiac.providers.skypilot.stop_calls import end_jobs
from expiac.providers.skypilot.view import View
from expiac.util.backoff import Backoff
from expiac.util.errors import ExpiacError, Locked, Uncertain
from expiac.util.lock import Lock

LAUNCH_TIMEOUT = 600.0
"""Seconds for a launch under way to end, and for a cancelled job to be gone."""
PAUSE = 2.0
KEEP_TIMEOUT = 20.0
"""Seconds for the log of a job to be read before its cluster goes, and the log with it."""


class SkypilotProvider(Adopts, DeletesMany, EndsDuplicates, Estimates, Examines, Fetches, Logs, Releases, RunsJobs,
                       TellsMetrics):
    """Reads, launches and cancels the managed jobs of one project."""

    longest_name: ClassVar[int] = 63  # of what Slurm, Kubernetes and the clouds take as a name or a label

    def __init__(self, root: Path, folder: Path | None = None, *, sky: Sky | None = None,
                 timeout: float = LAUNCH_TIMEOUT, pause: float = PAUSE, backoff: Backoff | None = None) -> None:
        self._root, self._folder = root.absolute(), (folder or root / ".expiac" / "skypilot").absolute()
        self._view = View(sky or Sdk(), backoff)
        self._timeout, self._pause = timeout, pause
        self._prices: dict[str, float | None] = {}
        self._printed = PrintedMetrics(self._view, self._place)

    @classmethod
    def for_project(cls, project: Project) -> SkypilotProvider:
        """It keeps what it sends in the project's state folder."""
        return cls(project.root, project.state_folder / "skypilot")

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        """How each id is: one queue call for all managed jobs, and one for each cluster that is up."""
        if not ids:
            return {}
        managed, alone = split(ids)
        seen: dict[Id, Observation] = {}
        if managed:
            have_jobs = all(Handle.of(id).job is not None for id in managed)
            snapshot = self._view.take_snapshot(requests=not have_jobs)
            seen |= {id: observe(snapshot, id) for id in managed}
        if alone:
            snapshot = self._view.take_snapshot_of_clusters(alone)
            seen |= {id: observe(snapshot, id) for id in alone}
        return seen

    def examine(self, inputs: Inputs) -> str:
        """Raises where SkyPilot would refuse the task; asks no server."""
        task = task_to_check(inputs, self._root)
        return "; ".join(filter(None, [self._view.sky.check(task), *remarks(task)]))

    def estimate(self, inputs: Inputs) -> float | None:
        """Dollars per hour for all nodes; None where SkyPilot knows no price. Jobs alike are asked for once."""
        task = task_to_price(task_to_check(inputs, self._root))
        key = json.dumps(task, sort_keys=True, default=str)
        if key not in self._prices:
            self._prices[key] = self._view.sky.price(task)
        return self._prices[key]

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        """Launches the job, or adopts it where it was launched already; returns once SkyPilot has given it an id."""
        if not clusters.is_managed(inputs.values) and Handle.of(id).imported is None:
            cluster = Handle(cluster=clusters.cluster_name(id))
            id = replace(id, handle={**id.handle, **cluster.to_json()})
        try:
            with Lock(self._place(id) / f"{id.launch}.lock", purpose="launch", wait_seconds=self._timeout):
                return LaunchAttempt(self._view, id, note, timeout=self._timeout, pause=self._pause).launch(
                    lambda: task_to_launch(inputs, id, self._root, self._place(id)))
        except Locked as error:
            raise Uncertain("Another process is launching this run", error.detail, error.hint) from error

    def find_job(self, job: str, inputs: Inputs) -> Found:
        """The managed job of this id, where no stack has launched it."""
        snapshot = self._view.take_snapshot(requests=False)
        found = next((one for one in snapshot.jobs if str(one.id) == job), None)
        if found is None:
            raise ExpiacError("No such job", f"SkyPilot has no managed job {job} of this user", "sky jobs queue")
        if instance := launch_of(found.task)[1]:
            raise ExpiacError("Somebody else's job", f"managed job {job} is {instance}, which a stack launched",
                              "expiac apply, in the folder that launched it")
        handle = Handle(snapshot.where.endpoint, snapshot.where.user, imported=found.id)
        said = f"managed job {job}, {found.name}, {found.status.lower()}"
        return Found(handle.to_json(), said, differences(found.task, task_to_check(inputs, self._root)))

    def update(self, id: Id, inputs: Inputs) -> Observation:
        """Changes nothing: SkyPilot has no call that updates a job."""
        return self.read_many([id])[id]

    def delete(self, id: Id) -> Observation:
        """Cancels the job by its id, and returns once SkyPilot says that it has ended.

        Keeps before what a job on a cluster of its own has printed of its metrics: its log goes with the cluster.
        """
        ((_, ended),) = self.delete_many([id])
        if isinstance(ended, ExpiacError):
            raise ended
        return ended

    def delete_many(self, ids: Sequence[Id]) -> Iterator[Ended]:
        """Cancels all managed jobs in one call; takes clusters down a few at a time."""
        managed, alone = split(ids)
        yield from self._delete_alike(managed)
        yield from self._delete_alike(alone)

    def _delete_alike(self, ids: Sequence[Id]) -> Iterator[Ended]:
        """Of launches that are all managed, or all on clusters."""
        if not ids:
            return
        left = dict.fromkeys(ids)
        try:
            for id, ended in end(self._view, ids, timeout=self._timeout, pause=self._pause, keep=self._keep):
                del left[id]
                if Handle.of(id).cluster is not None and not isinstance(ended, ExpiacError):
                    self._printed.seal(id)
                yield id, ended
        except ExpiacError as error:  # before any of them was ended
            yield from ((id, error) for id in left)

    def end_duplicates(self, id: Id) -> Sequence[str]:
        """Cancels every job of the launch but the earliest; `managed job 13` once SkyPilot says that it has ended."""
        return end_duplicates(self._view, id, timeout=self._timeout, pause=self._pause)

    def release(self, id: Id) -> None:
        """Takes down the cluster of a launch that has ended."""
        ((_, error),) = self.release_many([id])
        if error is not None:
            raise error

    def release_many(self, ids: Sequence[Id]) -> Iterator[tuple[Id, ExpiacError | None]]:
        """Looks at all of them at once, and takes a few clusters down at a time."""
        alone, failed = split(ids)[1], dict[Id, ExpiacError]()
        try:
            snapshot = self._view.snapshot(*alone) if alone else None
        except ExpiacError as error:
            yield from ((id, error) for id in ids)
            return
        if snapshot is not None:
            ended = {id: job for id in alone if (job := snapshot.job(id)) is not None and not is_live(job)}
            self._keep(ended)
            failed = end_jobs(self._view, {id: [job] for id, job in ended.items()})
            for id in ended.keys() - failed.keys():
                self._printed.seal(id)
        yield from ((id, failed.get(id)) for id in ids)

    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines that the job printed; with several nodes each line names its own."""
        return log.lines(self._view, id, follow=follow, node=node, timeout=self._timeout, pause=self._pause)

    def metrics(self, ids: Mapping[Id, Extent], *, timeout: float) -> Mapping[Id, ToldMetrics]:
        """The metrics that the jobs print: what is kept of them, and what is new in their logs."""
        return self._printed.read(ids, timeout=timeout)

    def fetch(self, id: Id, path: str, target: Path, *, timeout: float) -> None:
        """Copies what the launch has left in a bucket, in a shared folder or on a cluster of its own."""
        fetch.fetch(self._view, id, path, target, timeout=timeout)

    def _keep(self, jobs: Mapping[Id, SkyJob]) -> None:
        """Keeps what jobs have printed of their metrics, where their logs go with their clusters."""
        speaking = [id for id, job in jobs.items() if job.cluster and observation(job).status not in log.SILENT]
        self._printed.keep(speaking, timeout=KEEP_TIMEOUT)

    def _place(self, id: Id) -> Path:
        if os.sep in id.instance or id.instance.startswith("."):
            raise ExpiacError("Not a name for a run", id.instance)
        return self._folder / id.instance
