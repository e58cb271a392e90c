"""Fills the composition cache of a sweep in seconds: `python -m benchmarks.warming JOBS`, in the project's folder.

Two jobs are composed for real. They differ in their seed alone, which is checked, and so the entries of all others are
written from the first. What reads them afterwards cannot tell; cold composition is measured apart.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from expiac.compile.compiler import compiler_of
from expiac.compile.compose import Composer
from expiac.compile.context import StackContext
from expiac.compile.prepare import config_texts
from expiac.declare import program
from expiac.declare.project import find_project
from expiac.providers.registry import Providers


def main(jobs: int) -> None:
    configs = rendered_configs(jobs)
    composer = Composer(find_project(Path.cwd()))
    labels = list(configs)
    some = composer.compose({label: configs[label] for label in {labels[0], labels[-1]}})
    first, last = some[labels[0]], some[labels[-1]]
    differing = {**first.config, "seed": last.config["seed"]}
    assert last == replace(first, config=differing), "jobs of the sweep differ in more than their seeds"
    files = json.loads(composer._file(configs[labels[0]]).read_bytes())["files"]
    for seed, text in enumerate(configs.values()):
        composer._store(text, replace(first, config={**first.config, "seed": seed}), files)


def rendered_configs(jobs: int) -> dict[str, str]:
    """The experiment config of each job of the sweep in the working folder, by its name."""
    project = find_project(Path.cwd())
    stack = program.load(project, "sweep", [f"jobs={jobs}"]).stack
    context = StackContext(stack, project, {}, Providers(project))
    return config_texts({resource.name: compiler_of(resource, context) for resource in stack.resources})


if __name__ == "__main__":
    main(int(sys.argv[1]))
