"""expiac: infrastructure as code for machine-learning experiments.

The names below are imported when they are first used, so that `expiac --help` waits for none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from expiac.api import compare, results
    from expiac.cli.runner import runner
    from expiac.declare.experiment import (
        Experiment,
        ExperimentConfig,
        SingleJobExperiment,
        SingleJobExperimentConfig,
        TrainingJobConfig,
    )
    from expiac.declare.fields import Annotation, Identity, Placement
    from expiac.declare.job import Job, SkypilotJobConfig
    from expiac.declare.options import Hooks, Options
    from expiac.declare.resource import Ref, Resource
    from expiac.declare.stack import Stack
    from expiac.declare.training import TrainingJob, TrainingRunConfig
    from expiac.providers.skypilot import get_skypilot_service
    from expiac.tracking import get_wandb_service
    from expiac.util.errors import ExpiacError

_HOMES = {
    "Annotation": "declare.fields",
    "Experiment": "declare.experiment",
    "ExperimentConfig": "declare.experiment",
    "ExpiacError": "util.errors",
    "Hooks": "declare.options",
    "Identity": "declare.fields",
    "Job": "declare.job",
    "Options": "declare.options",
    "Placement": "declare.fields",
    "Ref": "declare.resource",
    "Resource": "declare.resource",
    "SingleJobExperiment": "declare.experiment",
    "SingleJobExperimentConfig": "declare.experiment",
    "SkypilotJobConfig": "declare.job",
    "Stack": "declare.stack",
    "TrainingJob": "declare.training",
    "TrainingJobConfig": "declare.experiment",
    "TrainingRunConfig": "declare.training",
    "compare": "api",
    "get_skypilot_service": "providers.skypilot",
    "get_wandb_service": "tracking",
    "results": "api",
    "runner": "cli.runner",
}

__all__ = [
    "Annotation",
    "Experiment",
    "ExperimentConfig",
    "ExpiacError",
    "Hooks",
    "Identity",
    "Job",
    "Options",
    "Placement",
    "Ref",
    "Resource",
    "SingleJobExperiment",
    "SingleJobExperimentConfig",
    "SkypilotJobConfig",
    "Stack",
    "TrainingJob",
    "TrainingJobConfig",
    "TrainingRunConfig",
    "compare",
    "get_skypilot_service",
    "get_wandb_service",
    "results",
    "runner",
]


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        from expiac.util.version import VERSION

        return VERSION

    if name not in _HOMES:
        raise AttributeError(f"module 'expiac' has no attribute {name!r}")
    value = getattr(import_module(f"expiac.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
