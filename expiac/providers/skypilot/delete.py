"""Ends launches by the ids of their jobs, and waits until they have ended; nothing is ended by a name alone.

Many launches cost one cancel call, and one queue call each time that it is asked whether they have ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from expiac.providers.base import ABSENT, Id, Observation, Presence
from expiac.providers.outputs import without_cluster
from expiac.providers.skypilot.clusters import AT_ONCE
from expiac.providers.skypilot.snapshot import Sky, SkyJob, Snapshot
from expiac.providers.skypilot.statuses import duplicates, is_live, job_title, observation, other_place
from expiac.providers.skypilot.stop_calls import end_jobs
from expiac.providers.skypilot.view import View
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Unavailable, Uncertain

Ended = tuple[Id, Observation | ExpiacError]
"""A launch, and how it is once it has ended; or why that is not known, or why it was not ended."""
Keep = Callable[[Mapping[Id, SkyJob]], None]


def end(view: View, ids: Sequence[Id], *, timeout: float, pause: float, keep: Keep) -> Iterator[Ended]:
    """Ends launches, all managed or all on clusters: each as soon as it and its cluster are gone.

    Gives up on those that are not gone after `timeout` seconds. `keep` is called with the jobs before they are ended.
    """
    snapshot, failed = _settled(view, ids)
    yield from failed.items()
    left: dict[Id, SkyJob] = {}
    for id in (id for id in ids if id not in failed):
        if (job := snapshot.job(id)) is None:
            yield id, _error_of(lambda: end_nameless(view.sky, snapshot.nameless(id))) or ABSENT  # noqa: B023
        elif any(twin.cluster or is_live(twin) for twin in snapshot.jobs_of(id)):
            left[id] = job
        else:
            yield id, observation(job)
    if not left:
        return
    keep(left)
    jobs = {id: [twin for twin in snapshot.jobs_of(id) if twin.cluster or is_live(twin)] for id in left}
    for id, error in end_jobs(view, jobs).items():
        del left[id]
        yield id, error
    for id, ended in _ends(view, list(left), timeout, pause, Snapshot.jobs_of):
        job = left[id]
        yield id, ended if isinstance(ended, ExpiacError) or not job.cluster else _without_cluster(job)


def end_duplicates(view: View, id: Id, *, timeout: float, pause: float) -> list[str]:
    """Ends every job of the launch but the earliest, and names them once they have ended."""
    snapshot = view.snapshot(id)
    if other_place(snapshot, id):
        return []
    if request := snapshot.request(id):
        _await_launch(view, request.id, id)
        snapshot = view.snapshot(id)
    later = duplicates(snapshot, id)
    for job in later:
        view.sky.cancel([job.id], job.cluster)
    if later:
        for _, ended in _ends(view, [id], timeout, pause, duplicates):
            if isinstance(ended, ExpiacError):
                raise ended
    return [job_title(job) for job in later]


def end_nameless(sky: Sky, jobs: Sequence[SkyJob]) -> None:
    """Cancels jobs without a task, which cannot begin, before the launch is made again."""
    for job in filter(is_live, jobs):
        if observation(job).status is not Status.PENDING:
            raise Uncertain("Somebody's job has this name", f"managed job {job.id}, {job.name}: SkyPilot does not "
                            "show its task", f"sky jobs logs {job.id}; sky jobs cancel {job.id}")
        sky.cancel([job.id])


def _settled(view: View, ids: Sequence[Id]) -> tuple[Snapshot, dict[Id, ExpiacError]]:
    """A snapshot in which no request of these launches is under way, and the launches for which there is none."""
    snapshot = view.snapshot(*ids)
    failed: dict[Id, ExpiacError] = {
        id: ExpiacError("Another SkyPilot", f"{id.instance} was {elsewhere}", "sky api login -e URL")
        for id in ids if (elsewhere := other_place(snapshot, id))}
    under_way = {id: request.id for id in ids if id not in failed and (request := snapshot.request(id))}
    if not under_way:
        return snapshot, failed
    with ThreadPoolExecutor(AT_ONCE) as pool:
        awaited = pool.map(lambda one: _error_of(lambda: _await_launch(view, one[1], one[0])), under_way.items())
        failed |= {id: error for id, error in zip(under_way, awaited, strict=True) if error is not None}
    return view.snapshot(*ids), failed


def _error_of(call: Callable[[], None]) -> ExpiacError | None:
    try:
        call()
    except ExpiacError as error:
        return error
    return None


def _await_launch(view: View, request: str, id: Id) -> None:
    """Waits until a launch under way has ended, well or not."""
    try:
        view.retried(lambda: view.sky.await_launch(request))
    except Unavailable as error:
        raise Uncertain("Its launch is under way", f"{id.instance}: {error.detail}", "run the command again") from error
    except ExpiacError:
        return


def _ends(view: View, ids: Sequence[Id], timeout: float, pause: float,
          jobs_in: Callable[[Snapshot, Id], Sequence[SkyJob]]) -> Iterator[Ended]:
    """Each launch once none of these jobs of it is live; those that are live for too long, at last."""
    until, left = time.monotonic() + timeout, list(ids)
    status: dict[Id, str] = {}
    while left and (began := time.monotonic()) < until:
        try:
            snapshot = view.snapshot(*left)
        except Unavailable as error:
            yield from ((id, Uncertain("Not known whether it has ended", f"{id.instance}: {error.detail}",
                                       "run the command again")) for id in left)
            return
        live = {id: [job for job in jobs_in(snapshot, id) if is_live(job)] for id in left}
        yield from ((id, observation(job) if (job := snapshot.job(id)) else ABSENT) for id in left if not live[id])
        left = [id for id in left if live[id]]
        status |= {id: live[id][0].status for id in left}
        if left:
            time.sleep(max(pause, 2 * (time.monotonic() - began)))  # each snapshot costs the server seconds of work
    for id in left:
        said = f", and SkyPilot says {status[id]}" if id in status else ""
        yield id, Uncertain("It is still ending", f"{id.instance}, after {timeout:.0f} s{said}", "sky jobs queue")


def _without_cluster(job: SkyJob) -> Observation:
    """How a job is once its cluster is down."""
    seen = observation(job)
    status = seen.status if seen.presence is Presence.PRESENT and seen.status.is_over else Status.CANCELLED
    return Observation(Presence.PRESENT, status, without_cluster(seen.outputs), seen.detail, seen.seconds)
