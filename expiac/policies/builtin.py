"""What a team allows: functions of a plan, each of which may warn or refuse. The shipped ones, and how to write others.

A policy is called with the plan, priced, and the project, and yields its verdicts; none means that all is well.

    def no_eight_gpus(plan, project):
        for step in plan.steps:
            if step.action.launches and step.desired.inputs.get("gpus") == 8:
                yield Refuse("eight GPUs are for the night", step.address)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from expiac.declare.evaluation import Evaluation
from expiac.declare.job import Job, accelerators
from expiac.declare.project import Project
from expiac.declare.training import TrainingJob
from expiac.plan import cost
from expiac.plan.model import Plan, Step
from expiac.policies.snapshots import reviewed_snapshots
from expiac.policies.verdicts import Policy, Refuse, Warn
from expiac.providers.registry import Providers
from expiac.util.errors import ExpiacError
from expiac.util.gpus import parse_gpus

__all__ = [
    "SHIPPED", "Policy", "Refuse", "Warn", "budget", "max_gpus", "required_tags", "reviewed_snapshots", "spot_only",
]


def budget(dollars: float) -> Policy:
    """Refuses a plan whose running jobs may cost more together, or of which nobody can say."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        try:
            cost.refuse_over(dollars, plan)
        except ExpiacError as error:
            yield Refuse(error.detail)

    return policy


def max_gpus(count: int) -> Policy:
    """Refuses a plan after which more GPUs would be asked for, all nodes of all its running jobs together."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        wanted = {step.address: _gpus(step) for step in _jobs(plan.steps, project) if cost.will_run(step)}
        if (total := sum(wanted.values())) > count:
            most = max(wanted, key=lambda address: wanted[address])
            yield Refuse(f"{total} GPUs, and {count} are allowed; {most} asks for {wanted[most]}")

    return policy


def spot_only(on: bool = True) -> Policy:
    """Refuses to launch jobs on machines of others that are not preemptible."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        providers = Providers(project)
        for step in _jobs_to_launch(plan, project) if on else ():
            rents = step.desired is None or providers.rents_machines(step.desired.provider)
            if rents and not _inputs(step).get("spot"):
                yield Refuse("not on spot machines: spot=True", step.address)

    return policy


def required_tags(*patterns: str) -> Policy:
    """Refuses to launch jobs without a tag for each pattern, such as `team:*`."""

    def policy(plan: Plan, project: Project) -> Iterator[Refuse]:
        for step in _jobs_to_launch(plan, project):
            tags = [str(tag) for tag in _inputs(step).get("tags") or ()]
            missing = [pattern for pattern in patterns if not any(fnmatchcase(tag, pattern) for tag in tags)]
            if missing:
                yield Refuse(f"has no tag {', '.join(missing)}", step.address)

    return policy


SHIPPED: Mapping[str, Callable[..., Policy]] = {
    "budget": budget, "max_gpus": max_gpus, "spot_only": spot_only, "required_tags": required_tags,
    "reviewed_snapshots": reviewed_snapshots}
"""By the names that `[tool.expiac.policies]` knows."""
PRICED = "budget"
"""The one that goes by prices."""


def _jobs_to_launch(plan: Plan, project: Project) -> list[Step]:
    return [step for step in _jobs(plan.steps, project) if step.action.launches]


def _jobs(steps: Iterable[Step], project: Project) -> list[Step]:
    """Those whose provider is a backend, and runs jobs; what a project does not know counts as a job."""
    providers = Providers(project)
    return [step for step in steps
            if step.desired is None or step.desired.provider not in providers
            or providers.runs_jobs(step.desired.provider)]


def _inputs(step: Step) -> Mapping[str, Any]:
    return step.desired.inputs if step.desired is not None else {}


_DEFAULT_GPUS = {kind.type: kind.default_gpus for kind in (Evaluation, Job, TrainingJob)}


def _gpus(step: Step) -> int:
    """GPUs of all nodes; of a job on this machine too."""
    inputs = _inputs(step)
    asked = accelerators(inputs.get("gpus", _DEFAULT_GPUS.get(step.type, 0)), "") or "0"
    return parse_gpus(asked).number * int(inputs.get("nodes", 1))
