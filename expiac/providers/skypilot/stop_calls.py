"""The calls that ask for the end of jobs: one for all managed jobs, and one for each cluster, a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from expiac.providers.base import Id
from expiac.providers.skypilot.clusters import AT_ONCE
from expiac.providers.skypilot.snapshot import SkyJob
from expiac.providers.skypilot.view import View
from expiac.util.errors import ExpiacError, Unavailable, Uncertain


def end_jobs(view: View, jobs: Mapping[Id, Sequence[SkyJob]]) -> dict[Id, ExpiacError]:
    """Asks for the end of the jobs of each launch; a cluster goes with its job. Gives the launches for which that
    failed: `Uncertain` where it may have been heard all the same.
    """
    clusters = {id: {job.cluster for job in some if job.cluster} for id, some in jobs.items()}
    managed = {id: [job.id for job in some if not job.cluster] for id, some in jobs.items()}
    failed = _cancel(view, {id: some for id, some in managed.items() if some})
    return failed | _each({id: _taking_down(view, names) for id, names in clusters.items() if names})


def _cancel(view: View, jobs: Mapping[Id, Sequence[int]]) -> dict[Id, ExpiacError]:
    """One call for all of them. Where that fails, one for each: it is then seen for whose sake."""
    try:
        if jobs:
            view.cancel([job for some in jobs.values() for job in some])
    except Unavailable as error:
        return {id: _unknown(id, error) for id in jobs}
    except ExpiacError as error:
        if len(jobs) == 1:
            return dict.fromkeys(jobs, error)
        return _each({id: _cancelling(view, some) for id, some in jobs.items()})
    return {}


def _cancelling(view: View, jobs: Sequence[int]) -> Callable[[], None]:
    return lambda: view.retried(lambda: view.sky.cancel(jobs))


def _taking_down(view: View, clusters: set[str]) -> Callable[[], None]:
    def take_down() -> None:
        for name in sorted(clusters):
            view.retried(lambda: view.sky.down(name))  # noqa: B023

    return take_down


def _each(calls: Mapping[Id, Callable[[], None]]) -> dict[Id, ExpiacError]:
    """Makes the calls, a few at a time; the errors of those that failed."""
    if not calls:
        return {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(_error_of, calls, calls.values())
        return {id: error for id, error in zip(calls, answers, strict=True) if error is not None}


def _error_of(id: Id, call: Callable[[], None]) -> ExpiacError | None:
    try:
        call()
    except Unavailable as error:
        return _unknown(id, error)
    except ExpiacError as error:
        return error
    return None


def _unknown(id: Id, error: ExpiacError) -> Uncertain:
    unknown = Uncertain("Not known whether it was cancelled", f"{id.instance}: {error.detail}", "run the command again")
    unknown.__cause__ = error
    return unknown
