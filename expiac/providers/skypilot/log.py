"""What a launch printed, also while it goes on."""

from __future__ import annotations

from collections.abc import Iterator

from expiac.providers.base import Id
from expiac.providers.skypilot.follow import follow_lines
from expiac.providers.skypilot.log_lines import job_lines, nodes_of
from expiac.providers.skypilot.snapshot import SkyJob
from expiac.providers.skypilot.statuses import is_live, observation, other_place
from expiac.providers.skypilot.view import View
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

SILENT = (Status.PENDING, Status.STARTING, Status.RECOVERING)
"""SkyPilot would wait with its answer until the job runs."""


def lines(view: View, id: Id, *, follow: bool, node: int | None, timeout: float, pause: float) -> Iterator[str]:
    """Lines of the launch, or of one of its nodes; raises at once where there is no such launch or node."""
    job = _job(view, id)
    if job and node is not None and node >= (nodes := nodes_of(job.task)):
        raise ExpiacError("No such node", f"{id.instance} has {nodes}", f"--node {nodes - 1}")
    if not follow:
        return _printed(view, job, follow=False, node=node)
    return follow_lines(lambda: _printed(view, _job(view, id), follow=True, node=node),
                     lambda: (now := _job(view, id)) is None or is_live(now), timeout=timeout, pause=pause)


def _job(view: View, id: Id) -> SkyJob | None:
    """The job of a launch; None while its launch is under way."""
    snapshot = view.snapshot(id)
    job = snapshot.job(id)
    if job is None and (elsewhere := other_place(snapshot, id)):
        raise ExpiacError("No logs", f"{id.instance}: {elsewhere}", "sky api login -e URL")
    if job is None and not snapshot.request(id):
        raise ExpiacError("No logs", f"{id.instance}: SkyPilot has none", "expiac status")
    return job


def _printed(view: View, job: SkyJob | None, *, follow: bool, node: int | None) -> Iterator[str]:
    """What a job printed; nothing where SkyPilot would wait for its first line and we don't follow."""
    if job is None or (not follow and observation(job).status in SILENT):
        return iter(())
    shown = view.sky.lines(job.id, follow=follow, cluster=job.cluster)
    return job_lines(shown, nodes=nodes_of(job.task), node=node)
