"""The SkyPilot backend: every launch is one job, managed or on a cluster of its own, and is launched once.

SkyPilot launches twice when it is asked twice. So a launch carries its names in its environment, its request is noted
before its answer is awaited, and nothing is launched before requests under way and the queue were looked at.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from expiac.errors import ExpiacError, Locked, Unavailable, Uncertain
from expiac.lock import Lock
from expiac.provider import ABSENT, HELD, Found, Id, Inputs, Note, Observation, Presence
from expiac.providers.skypilot import clusters
from expiac.providers.skypilot.differences import differences
from expiac.providers.skypilot.document import billed, checkable, launchable
from expiac.providers.skypilot.following import following
from expiac.providers.skypilot.printed import nodes_of, printed
from expiac.providers.skypilot.remarks import remarks
from expiac.providers.skypilot.sdk import Sdk
from expiac.providers.skypilot.seen import IMPORTED, OUTPUTS, Job, Sight, Sky, launch_of, outputs
from expiac.providers.skypilot.statuses import observation, observe, other_place
from expiac.providers.skypilot.together import Together
from expiac.status import Status

PATIENCE = 600.0
"""Seconds for a launch under way to end, and for a cancelled job to be gone."""
PAUSE = 2.0
_SILENT = (Status.PENDING, Status.STARTING, Status.RECOVERING)
"""SkyPilot would wait with its answer until the job runs."""


class SkypilotProvider:
    """Reads, launches and cancels the managed jobs of one project."""

    def __init__(self, root: Path, folder: Path | None = None, *, sky: Sky | None = None, patience: float = PATIENCE,
                 pause: float = PAUSE) -> None:
        self._root, self._folder = root.absolute(), (folder or root / ".expiac" / "skypilot").absolute()
        self._sky: Sky = sky or Sdk()
        self._patience, self._pause = patience, pause
        self._looks = Together(self._look)
        self._prices: dict[str, float | None] = {}

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        """How each id is: one queue call for all managed jobs, and one for each cluster that is up."""
        if not ids:
            return {}
        alone = [id for id in ids if HELD in id.handle]
        managed = [id for id in ids if HELD not in id.handle]
        seen: dict[Id, Observation] = {}
        if managed:
            sight = self._look(requests=not all("job" in id.handle for id in managed))
            seen |= {id: observe(sight, id) for id in managed}
        if alone:
            sight = clusters.look(self._sky, alone)
            seen |= {id: observe(sight, id) for id in alone}
        return seen

    def examine(self, inputs: Inputs) -> str:
        """Raises where SkyPilot would refuse the task; asks no server."""
        task = checkable(inputs, self._root)
        return "; ".join(filter(None, [self._sky.check(task), *remarks(task)]))

    def estimate(self, inputs: Inputs) -> float | None:
        """Dollars per hour for all nodes; None where SkyPilot knows no price. Jobs alike are asked for once."""
        task = billed(checkable(inputs, self._root))
        key = json.dumps(task, sort_keys=True, default=str)
        if key not in self._prices:
            self._prices[key] = self._sky.price(task)
        return self._prices[key]

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        """Launches the job, or adopts it where it was launched already; returns once SkyPilot has given it an id."""
        if not clusters.is_managed(inputs.values) and IMPORTED not in id.handle:
            id = replace(id, handle={**id.handle, HELD: clusters.cluster_of(id)})
        try:
            with Lock(self._place(id) / f"{id.launch}.lock", purpose="launch", wait_seconds=self._patience):
                return self._create(id, inputs, note)
        except Locked as error:
            raise Uncertain("Another process is launching this run", error.detail, error.hint) from error

    def find(self, job: str, inputs: Inputs) -> Found:
        """The managed job of this id, where no stack has launched it."""
        sight = self._look(requests=False)
        found = next((one for one in sight.jobs if str(one.id) == job), None)
        if found is None:
            raise ExpiacError("No such job", f"SkyPilot has no managed job {job} of this user", "sky jobs queue")
        if instance := launch_of(found.task)[1]:
            raise ExpiacError("Somebody else's job", f"managed job {job} is {instance}, which a stack launched",
                              "expiac apply, in the folder that launched it")
        handle = {"endpoint": sight.where.endpoint, "user": sight.where.user, IMPORTED: found.id}
        said = f"managed job {job}, {found.name}, {found.status.lower()}"
        return Found(handle, said, differences(found.task, checkable(inputs, self._root)))

    def update(self, id: Id, inputs: Inputs) -> Observation:
        """Changes nothing: SkyPilot has no call that updates a job."""
        return self.read_many([id])[id]

    def delete(self, id: Id) -> Observation:
        """Cancels the job by its id, and returns once SkyPilot says that it has ended."""
        sight = self._sight(id)
        if elsewhere := other_place(sight, id):
            raise ExpiacError("Another SkyPilot", f"{id.instance} was {elsewhere}", "sky api login -e URL")
        if request := sight.request(id):
            self._awaited(request.id, id)
            sight = self._sight(id)
        if (job := sight.job(id)) is None:
            self._end_nameless(sight.nameless(id))
            return ABSENT
        left = [twin for twin in sight.jobs_of(id) if twin.cluster or _is_live(twin)]
        if not left:
            return observation(job)
        try:
            for twin in left:
                self._end(twin)
        except Unavailable as error:
            raise Uncertain("Not known whether it was cancelled", f"{id.instance}: {error.detail}",
                            "run the command again") from error
        ended = self._ended(id)
        return _without_cluster(job) if job.cluster else ended

    def release(self, id: Id) -> None:
        """Takes down the cluster of a launch that has ended."""
        job = clusters.look(self._sky, [id]).job(id) if HELD in id.handle else None
        if job is not None and not _is_live(job):
            self._end(job)

    def logs(self, id: Id, *, follow: bool = False, node: int | None = None) -> Iterator[str]:
        """Lines that the job printed; with several nodes each line names its own."""
        job = self._launched(id)
        if job and node is not None and node >= (nodes := nodes_of(job.task)):
            raise ExpiacError("No such node", f"{id.instance} has {nodes}", f"--node {nodes - 1}")
        if not follow:
            return self._printed(job, follow=False, node=node)
        return following(lambda: self._printed(self._launched(id), follow=True, node=node),
                         lambda: (now := self._launched(id)) is None or _is_live(now),
                         patience=self._patience, pause=self._pause)

    def _launched(self, id: Id) -> Job | None:
        """The job of a launch; None while its launch is under way."""
        sight = self._sight(id)
        job = sight.job(id)
        if job is None and (elsewhere := other_place(sight, id)):
            raise ExpiacError("No logs", f"{id.instance}: {elsewhere}", "sky api login -e URL")
        if job is None and not sight.request(id):
            raise ExpiacError("No logs", f"{id.instance}: SkyPilot has none", "expiac status")
        return job

    def _printed(self, job: Job | None, *, follow: bool, node: int | None) -> Iterator[str]:
        """What a job printed; nothing where SkyPilot would wait for its first line and we don't follow."""
        if job is None or (not follow and observation(job).status in _SILENT):
            return iter(())
        return printed(self._sky.lines(job.id, follow=follow, cluster=job.cluster), nodes=nodes_of(job.task), node=node)

    def _sight(self, id: Id) -> Sight:
        return clusters.look(self._sky, [id]) if HELD in id.handle else self._looks()

    def _end(self, job: Job) -> None:
        """Asks for the end of a job by its id; a cluster goes with its job."""
        if job.cluster:
            self._sky.down(job.cluster)
        else:
            self._sky.cancel(job.id)

    def _look(self, *, requests: bool = True) -> Sight:
        # Requests first: a launch that ends in between is then seen twice, and never missed.
        where = self._sky.where()
        under_way = self._sky.requests() if requests else ()
        return Sight(where, under_way, self._sky.jobs())

    def _create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        sight = self._sight(id)
        if elsewhere := other_place(sight, id):
            raise Uncertain("Another SkyPilot", f"{id.instance} was {elsewhere}", "sky api login -e URL")
        place = {HELD: id.handle[HELD]} if HELD in id.handle else {}
        note({"endpoint": sight.where.endpoint, "user": sight.where.user, **place})
        if job := sight.job(id):
            note({"job": job.id})
            return observation(job)
        if imported := id.handle.get(IMPORTED):
            raise ExpiacError("No such job", f"SkyPilot has no managed job {imported} of this user", "sky jobs queue")
        if request := sight.request(id):
            return self._settled(id, request.id, outputs(request.task), note)
        self._end_nameless(sight.nameless(id))
        task = launchable(inputs, id, self._root, self._place(id))
        try:
            request_id = self._sky.launch(task, id.handle.get(HELD, ""))
        except Unavailable as error:
            return self._found(id, note, error, surely_not=False)  # it may have arrived all the same
        return self._settled(id, request_id, json.loads(task["envs"].get(OUTPUTS, "{}")), note)

    def _end_nameless(self, jobs: Sequence[Job]) -> None:
        """What was born without a task cannot begin: it is cancelled before the launch is made again."""
        for job in filter(_is_live, jobs):
            if observation(job).status is not Status.PENDING:
                raise Uncertain("Somebody's job has this name", f"managed job {job.id}, {job.name}: SkyPilot does not "
                                "show its task", f"sky jobs logs {job.id}; sky jobs cancel {job.id}")
            self._sky.cancel(job.id)

    def _settled(self, id: Id, request: str, outputs: Mapping[str, str], note: Note) -> Observation:
        note({"request": request})  # before the wait: if we die here, refresh can still find the job
        try:
            job = self._sky.launched(request)
        except Unavailable as error:
            return self._found(id, note, error, surely_not=False)
        except ExpiacError as error:
            return self._found(id, note, error, surely_not=True)
        note({"job": job})
        held = {HELD: id.handle[HELD]} if HELD in id.handle else {"recoveries": 0}
        return Observation(Presence.PRESENT, Status.PENDING, {**outputs, "job_id": job, **held})

    def _found(self, id: Id, note: Note, error: ExpiacError, *, surely_not: bool) -> Observation:
        """The launch as it is seen after an error; raises where it was not born, or where that can't be known."""
        unknown = Uncertain("Not known whether it was launched", f"{id.instance}: {error.summary}: {error.detail}",
                            "expiac apply, which looks for it first")
        try:
            sight = self._sight(id)
        except Unavailable:
            raise unknown from error
        if job := sight.job(id):
            note({"job": job.id})
            return observation(job)
        if surely_not and not sight.request(id):
            raise error
        raise unknown from error

    def _awaited(self, request: str, id: Id) -> None:
        """Waits until a launch under way has ended, well or not."""
        try:
            self._sky.launched(request)
        except Unavailable as error:
            raise Uncertain("Its launch is under way", f"{id.instance}: {error.detail}", "run the command again"
                            ) from error
        except ExpiacError:
            return

    def _ended(self, id: Id) -> Observation:
        """Looks until every job of the launch has ended."""
        until = time.monotonic() + self._patience
        while (began := time.monotonic()) < until:
            try:
                sight = self._sight(id)
            except Unavailable as error:
                raise Uncertain("Not known whether it has ended", f"{id.instance}: {error.detail}",
                                "run the command again") from error
            jobs = sight.jobs_of(id)
            if not any(_is_live(job) for job in jobs):
                return observation(jobs[0]) if jobs else ABSENT
            time.sleep(max(self._pause, 2 * (time.monotonic() - began)))  # a look costs the server seconds of work
        raise Uncertain("It is still ending", f"{id.instance}, after {self._patience:.0f} s", "sky jobs queue")

    def _place(self, id: Id) -> Path:
        if os.sep in id.instance or id.instance.startswith("."):
            raise ExpiacError("Not a name for a run", id.instance)
        return self._folder / id.instance


def _without_cluster(job: Job) -> Observation:
    """How a job is once its cluster is down."""
    seen = observation(job)
    status = seen.status if seen.presence is Presence.PRESENT and seen.status.is_over else Status.CANCELLED
    kept = {name: value for name, value in seen.outputs.items() if name != HELD}
    return Observation(Presence.PRESENT, status, kept, seen.detail)


def _is_live(job: Job) -> bool:
    seen = observation(job)
    return seen.presence is Presence.UNKNOWN or seen.status.is_live
