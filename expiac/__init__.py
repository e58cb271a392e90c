"""expiac: infrastructure as code for machine-learning experiments.

The names below are imported when they are first used, so that `expiac --help` waits for none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from expiac.api import compare, results
    from expiac.cli.runner import runner
    from expiac.declare.component import Component
    from expiac.declare.distributions import Choice, IntUniform, Uniform
    from expiac.declare.evaluation import Evaluation
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
    from expiac.declare.search import Search
    from expiac.declare.stack import Stack
    from expiac.declare.sweep import Sweep
    from expiac.declare.training import TrainingJob, TrainingRunConfig
    from expiac.declare.trials import Grid, Random, Zip
    from expiac.providers.skypilot import get_skypilot_service
    from expiac.tracking import get_wandb_service
    from expiac.util.errors import ExpiacError

_HOMES = {
    "Annotation": "declare.fields",
    "Choice": "declare.distributions",
    "Component": "declare.component",
    "Evaluation": "declare.evaluation",
    "Experiment": "declare.experiment",
    "ExperimentConfig": "declare.experiment",
    "ExpiacError": "util.errors",
    "Grid": "declare.trials",
    "Hooks": "declare.options",
    "Identity": "declare.fields",
    "IntUniform": "declare.distributions",
    "Job": "declare.job",
    "Options": "declare.options",
    "Placement": "declare.fields",
    "Random": "declare.trials",
    "Ref": "declare.resource",
    "Resource": "declare.resource",
    "Search": "declare.search",
    "SingleJobExperiment": "declare.experiment",
    "SingleJobExperimentConfig": "declare.experiment",
    "SkypilotJobConfig": "declare.job",
    "Stack": "declare.stack",
    "Sweep": "declare.sweep",
    "TrainingJob": "declare.training",
    "TrainingJobConfig": "declare.experiment",
    "TrainingRunConfig": "declare.training",
    "Uniform": "declare.distributions",
    "Zip": "declare.trials",
    "compare": "api",
    "get_skypilot_service": "providers.skypilot",
    "get_wandb_service": "tracking",
    "results": "api",
    "runner": "cli.runner",
}

__all__ = [
    "Annotation",
    "Choice",
    "Component",
    "Evaluation",
    "Experiment",
    "ExperimentConfig",
    "ExpiacError",
    "Grid",
    "Hooks",
    "Identity",
    "IntUniform",
    "Job",
    "Options",
    "Placement",
    "Random",
    "Ref",
    "Resource",
    "Search",
    "SingleJobExperiment",
    "SingleJobExperimentConfig",
    "SkypilotJobConfig",
    "Stack",
    "Sweep",
    "TrainingJob",
    "TrainingJobConfig",
    "TrainingRunConfig",
    "Uniform",
    "Zip",
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
