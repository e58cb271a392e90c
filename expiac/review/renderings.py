"""What a review of a job has to see: its rendered files and, where Hydra composes its config, what comes out of it.

A rendered experiment config says only what the declaration says, and everything else is left to the folder of configs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from expiac.compile.compose import experiment_text, is_composed
from expiac.declare.project import Project
from expiac.plan.kinds import CONFIG
from expiac.plan.model import Desired
from expiac.state.events import Json
from expiac.util.placeholders import fill

COMPOSED_FILE = "composed.yaml"
"""The name of the composed config among the rendered files of a job; no job is given this file."""


def reviewed_files(want: Desired, project: Project, stack: str) -> Mapping[str, str]:
    """The rendered files of a resource by name, with its composed config if it has one.

    The run has no name yet: `@instance@` stands for it.
    The composed config keeps its interpolations: its text is the same on every machine.
    """
    texts: Mapping[str, str] = fill(dict(want.texts))
    if experiment_text(want.texts) is None or not is_composed(project.of_resource(want.type)):
        return texts
    return {**texts, COMPOSED_FILE: composed_text(want.inputs[CONFIG], want.address, project, stack)}


def composed_text(composed: Json, job: str, project: Project, stack: str) -> str:
    """The file that shows a composed config."""
    from expiac.util.block_yaml import block_yaml  # imports PyYAML
    from expiac.util.render import to_yaml

    text = block_yaml(composed)
    if text is None:
        text = to_yaml(json.loads(json.dumps(composed, default=str)))  # as it reads in a saved plan
    return (f"# Composed by Hydra from the config of {job} in {stack} and {project.configs}/: "
            f"what the job reads.\n{text}\n")


def is_composed_elsewhere(want: Desired, project: Project) -> bool:
    """Whether Hydra composes its config where the job runs, and expiac can't do so here."""
    return experiment_text(want.texts) is not None and not is_composed(project.of_resource(want.type))
