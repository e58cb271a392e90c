"""SkyPilot's jobs by their ids, for notebooks and analysis: jobs of any stack, and jobs launched by other means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from expiac.providers.skypilot.document import task_to_price
from expiac.providers.skypilot.log_lines import job_lines, nodes_of
from expiac.providers.skypilot.sdk import Sdk
from expiac.providers.skypilot.snapshot import INSTANCE, Sky, SkyJob, documents, envs
from expiac.providers.skypilot.statuses import STATUSES
from expiac.state.status import Status
from expiac.util.errors import ExpiacError


class SkypilotService:
    """What SkyPilot knows of this user's managed jobs."""

    def __init__(self, sky: Sky | None = None) -> None:
        self._sky: Sky = sky or Sdk()

    def list(self) -> Sequence[SkyJob]:
        """All of them, the newest first."""
        self._sky.where()
        return sorted(self._sky.jobs(), key=lambda job: -job.id)

    def get_job_status(self, job_id: int | str) -> Status:
        """How a job is; raises where SkyPilot does not know it."""
        job = self._job(job_id)
        if job.status not in STATUSES:
            raise ExpiacError("Unknown status", f"job {job.id}: SkyPilot says {job.status}")
        return STATUSES[job.status]

    def get_wandb_run_name_from_sky_job(self, job_id: int | str) -> str | None:
        """The W&B run of a job, which is called like its instance; None where nothing in it says so."""
        told = envs(self._job(job_id).task)
        return told.get("WANDB_RUN_ID") or told.get(INSTANCE)

    def cost(self, job_id: int | str) -> float | None:
        """Dollars that a job has cost so far: the time that it ran at today's price; None where there is no price.

        Without the time that its machines took to start, and that of a controller.
        """
        job = self._job(job_id)
        try:
            (task,) = documents(job.task)
        except ValueError:
            return None  # a pipeline of several tasks, or nothing that can be read
        per_hour = self._sky.price(task_to_price(task))
        return None if per_hour is None else per_hour * job.seconds / 3600

    def logs(self, job_id: int | str, *, follow: bool = False) -> Iterator[str]:
        """Lines that a job printed."""
        job = self._job(job_id)
        return job_lines(self._sky.lines(job.id, follow=follow), nodes=nodes_of(job.task), node=None)

    def cancel(self, job_id: int | str) -> None:
        """Asks for the end of a job; a stack's own job is better ended by `expiac destroy`, which verifies it."""
        self._sky.cancel([self._job(job_id).id])

    def _job(self, job_id: int | str) -> SkyJob:
        found = next((job for job in self.list() if str(job.id) == str(job_id)), None)
        if found is None:
            raise ExpiacError("No such job", f"SkyPilot has no managed job {job_id} of this user", "sky jobs queue")
        return found


def get_skypilot_service() -> SkypilotService:
    """The service of this environment's API server and user."""
    return SkypilotService()
