"""expiac: infrastructure as code for machine-learning experiments.

The names below are imported when they are first used, so that `expiac --help` waits for none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expiac.errors import ExpiacError
    from expiac.experiment import (
        Experiment,
        ExperimentConfig,
        SingleJobExperiment,
        SingleJobExperimentConfig,
        TrainingJobConfig,
    )
    from expiac.fields import Annotation, Identity, Placement
    from expiac.job import Job, SkypilotJobConfig, TrainingJob, TrainingRunConfig
    from expiac.options import Hooks, Options
    from expiac.providers.skypilot import get_skypilot_service
    from expiac.resource import Ref, Resource
    from expiac.stack import Stack
    from expiac.standalone import runner

_HOMES = {
    "Annotation": "fields",
    "Experiment": "experiment",
    "ExperimentConfig": "experiment",
    "ExpiacError": "errors",
    "Hooks": "options",
    "Identity": "fields",
    "Job": "job",
    "Options": "options",
    "Placement": "fields",
    "Ref": "resource",
    "Resource": "resource",
    "SingleJobExperiment": "experiment",
    "SingleJobExperimentConfig": "experiment",
    "SkypilotJobConfig": "job",
    "Stack": "stack",
    "TrainingJob": "job",
    "TrainingJobConfig": "experiment",
    "TrainingRunConfig": "job",
    "get_skypilot_service": "providers.skypilot",
    "runner": "standalone",
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
    "get_skypilot_service",
    "runner",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'expiac' has no attribute {name!r}")
    value = getattr(import_module(f"expiac.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
