"""Which of the jobs that a plan launches were reviewed as they would be launched: under any overrides of their stack.

Reads the snapshots of the jobs that are asked about, and each of them once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from expiac.declare.project import Project
from expiac.plan.model import Desired, Plan
from expiac.review.digests import job_digest
from expiac.review.renderings import reviewed_files
from expiac.review.snapshots import Snapshots, SnapshotSet, job_of


class Reviewed:
    """The snapshots of some jobs of one stack, in each of its sets."""

    def __init__(self, snapshots: Snapshots, sets: Collection[SnapshotSet], jobs: Collection[str]) -> None:
        self._sets = {which: _by_job(snapshots.read(which, jobs)) for which in sets}

    def sets_of(self, job: str, files: Mapping[str, bytes]) -> list[SnapshotSet]:
        """The sets in which exactly these files of the job were accepted."""
        return [which for which, jobs in self._sets.items() if jobs.get(job) == files]

    def files(self, which: SnapshotSet, job: str) -> Mapping[str, bytes]:
        """The snapshots of a job in one set, by file name."""
        return self._sets.get(which, {}).get(job, {})


@dataclass(frozen=True, slots=True)
class RenderedLaunch:
    """The rendered files of a job that a plan launches, as one digest."""

    job: str
    instance: str
    digest: str
    sets: tuple[SnapshotSet, ...] = ()
    """The sets of snapshots that hold exactly these files."""


def sets_of_stack(snapshots: Snapshots, stack: str) -> list[SnapshotSet]:
    """The sets of one stack; none where nobody reviews it."""
    return [which for which in snapshots.sets() if which.stack == stack]


def launched(plan: Plan) -> dict[str, Desired]:
    """What a plan launches from rendered files, by address; a job that it adopts was launched by other means."""
    return {step.address: step.desired for step in plan.steps
            if step.action.launches and not step.adopts and step.desired is not None and step.desired.texts}


def rendered_launches(plan: Plan, project: Project, sets: Collection[SnapshotSet]) -> list[RenderedLaunch]:
    """Each launch of a plan with the digest of its files, and the sets that hold them."""
    jobs = launched(plan)
    reviewed = Reviewed(Snapshots(project), sets, jobs)
    found = []
    for step in plan.steps:
        if (want := jobs.get(step.address)) is not None:
            files = file_bytes(want, project, plan.stack)
            found.append(RenderedLaunch(step.address, step.run.instance, job_digest(step.address, files),
                                        tuple(reviewed.sets_of(step.address, files))))
    return found


def file_bytes(want: Desired, project: Project, stack: str) -> dict[str, bytes]:
    """The rendered files of a resource by name, as they stand in a snapshot."""
    return {name: text.encode() for name, text in reviewed_files(want, project, stack).items()}


def _by_job(snapshots: Mapping[str, bytes]) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for name, content in snapshots.items():
        if (parts := job_of(name)) is not None:
            found.setdefault(parts[0], {})[parts[1]] = content
    return found
