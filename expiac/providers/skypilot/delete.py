"""Ends a launch by the ids of its jobs, and waits until it has ended; nothing is ended by a name alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from expiac.providers.base import ABSENT, Id, Observation, Presence
from expiac.providers.outputs import without_cluster
from expiac.providers.skypilot.snapshot import Sky, SkyJob, Snapshot
from expiac.providers.skypilot.statuses import duplicates, is_live, job_title, observation, other_place
from expiac.providers.skypilot.view import View
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Unavailable, Uncertain


def end(view: View, id: Id, *, timeout: float, pause: float, before: Callable[[SkyJob], None]) -> Observation:
    """Ends the launch: how it is once it and its cluster are gone. Raises if that takes longer than `timeout` s.

    `before` is called with the job before it is ended.
    """
    snapshot = view.snapshot(id)
    if elsewhere := other_place(snapshot, id):
        raise ExpiacError("Another SkyPilot", f"{id.instance} was {elsewhere}", "sky api login -e URL")
    if request := snapshot.request(id):
        _await_launch(view.sky, request.id, id)
        snapshot = view.snapshot(id)
    if (job := snapshot.job(id)) is None:
        end_nameless(view.sky, snapshot.nameless(id))
        return ABSENT
    left = [twin for twin in snapshot.jobs_of(id) if twin.cluster or is_live(twin)]
    if not left:
        return observation(job)
    before(job)
    try:
        for twin in {twin.cluster or str(twin.id): twin for twin in left}.values():
            end_job(view.sky, twin)
    except Unavailable as error:
        raise Uncertain("Not known whether it was cancelled", f"{id.instance}: {error.detail}",
                        "run the command again") from error
    ended = _await_end(view, id, timeout, pause, lambda snapshot: snapshot.jobs_of(id))
    return _without_cluster(job) if job.cluster else ended


def end_duplicates(view: View, id: Id, *, timeout: float, pause: float) -> list[str]:
    """Ends every job of the launch but the earliest, and names them once they have ended."""
    snapshot = view.snapshot(id)
    if other_place(snapshot, id):
        return []
    if request := snapshot.request(id):
        _await_launch(view.sky, request.id, id)
        snapshot = view.snapshot(id)
    later = duplicates(snapshot, id)
    for job in later:
        view.sky.cancel(job.id, job.cluster)
    if later:
        _await_end(view, id, timeout, pause, lambda snapshot: duplicates(snapshot, id))
    return [job_title(job) for job in later]


def end_job(sky: Sky, job: SkyJob) -> None:
    """Asks for the end of a job by its id; a cluster goes with its job."""
    if job.cluster:
        sky.down(job.cluster)
    else:
        sky.cancel(job.id)


def end_nameless(sky: Sky, jobs: Sequence[SkyJob]) -> None:
    """Cancels jobs without a task, which cannot begin, before the launch is made again."""
    for job in filter(is_live, jobs):
        if observation(job).status is not Status.PENDING:
            raise Uncertain("Somebody's job has this name", f"managed job {job.id}, {job.name}: SkyPilot does not "
                            "show its task", f"sky jobs logs {job.id}; sky jobs cancel {job.id}")
        sky.cancel(job.id)


def _await_launch(sky: Sky, request: str, id: Id) -> None:
    """Waits until a launch under way has ended, well or not."""
    try:
        sky.await_launch(request)
    except Unavailable as error:
        raise Uncertain("Its launch is under way", f"{id.instance}: {error.detail}", "run the command again") from error
    except ExpiacError:
        return


def _await_end(
    view: View, id: Id, timeout: float, pause: float, jobs_in: Callable[[Snapshot], Sequence[SkyJob]],
) -> Observation:
    """Waits until none of these jobs of the launch is live; how the launch is then."""
    until = time.monotonic() + timeout
    while (began := time.monotonic()) < until:
        try:
            snapshot = view.snapshot(id)
        except Unavailable as error:
            raise Uncertain("Not known whether it has ended", f"{id.instance}: {error.detail}",
                            "run the command again") from error
        if not any(is_live(job) for job in jobs_in(snapshot)):
            return observation(job) if (job := snapshot.job(id)) else ABSENT
        time.sleep(max(pause, 2 * (time.monotonic() - began)))  # each snapshot costs the server seconds of work
    raise Uncertain("It is still ending", f"{id.instance}, after {timeout:.0f} s", "sky jobs queue")


def _without_cluster(job: SkyJob) -> Observation:
    """How a job is once its cluster is down."""
    seen = observation(job)
    status = seen.status if seen.presence is Presence.PRESENT and seen.status.is_over else Status.CANCELLED
    return Observation(Presence.PRESENT, status, without_cluster(seen.outputs), seen.detail, seen.seconds)
