"""Compiles jobs: their task, their training config, the backend that runs them and the content of what they mount."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from expiac.compile.compiler import ResourceCompiler, compiler_of
from expiac.compile.compose import Composed
from expiac.compile.ignored import merge_recorded_config, recorded_placement
from expiac.compile.task import CONFIG_FILE, hydra_config, task
from expiac.declare.job import Job, SkypilotJobConfig, TrainingJob
from expiac.declare.resource import distinct_refs
from expiac.plan.diff import CONFIG
from expiac.plan.identity import DATA_DIR
from expiac.providers.backends import backend_of
from expiac.providers.base import TASK_FILE
from expiac.state.events import Json
from expiac.util.errors import ExpiacError

J = TypeVar("J", bound=Job | TrainingJob)
_EXPERIMENT, _TASK = "experiment.yaml.j2", "task.yaml.j2"


class _AnyJobCompiler(ResourceCompiler[J], ABC):
    """What a job and a training job have in common."""

    @property
    @abstractmethod
    def run(self) -> str:
        """The shell command."""

    @cached_property
    def place(self) -> SkypilotJobConfig:
        """Where and on what it runs, with what is recorded of it in place of changes that it ignores."""
        fields = self.recorded_place()
        return replace(self.resource.skypilot, **fields) if fields else self.resource.skypilot

    def recorded_place(self) -> Mapping[str, Any]:
        """The recorded values of the place, where its changes are ignored."""
        return self.recorded_fields

    @cached_property
    def recorded_fields(self) -> Mapping[str, Any]:
        """The recorded values of the place and the command, where their changes are ignored."""
        if not self.recorded:
            return {}
        patterns = self.resource.options.ignore_changes
        return recorded_placement(self.resource.inputs(), self.recorded, patterns)

    @property
    def infra(self) -> str:
        """Where it runs: the backend, or a place of SkyPilot's."""
        return self.place.infra or self.context.project.backend

    def provider(self) -> str:
        return backend_of(self.resource.name, self.infra, self.context.providers)

    def inputs(self, composed: Composed | None) -> Json:
        inputs = {**self.declared_inputs, "infra": self.infra, "run": self.run, **self._content()}
        return inputs if composed is None else {**inputs, CONFIG: composed.config}

    def texts(self) -> Mapping[str, str]:
        document = self._task()
        if left := distinct_refs(document):
            raise ExpiacError("Ref out of place", f"{self.resource.name}: {left[0]}",
                              "an output can stand in run, setup, envs and the training config")
        texts = {TASK_FILE: self.context.render(_TASK, document, self.resource.name)}
        return texts if self.config_text is None else {**texts, CONFIG_FILE: self.config_text}

    def mounts(self) -> Mapping[str, str]:
        mounts = self.place.file_mounts
        return {target: source for target, source in mounts.items() if isinstance(source, str)}

    def git_check(self) -> bool:
        return self.place.git_check

    def _task(self) -> dict[str, Any]:
        is_backend = self.infra == self.provider()
        place = None if is_backend else self.infra
        has_config = self.config_text is not None
        return task(self.place, self.run, place, self.context.project, has_config=has_config)

    def _content(self) -> dict[str, Any]:
        """Mounts by target and content, and the working tree where the job pins it: a path says nothing."""
        self._refuse_missing_workdir()
        name, content = self.resource.name, dict[str, Any]()
        if mounts := self.place.file_mounts:
            content["file_mounts"] = {
                target: self.context.content_of(name, source) if isinstance(source, str) else source
                for target, source in mounts.items()}
        if self.resource.pin_code:
            content["code"] = self.context.code
        return content

    def _refuse_missing_workdir(self) -> None:
        workdir, root = self.place.workdir, self.context.project.root
        if workdir is None or "://" in workdir or (root / Path(workdir).expanduser()).is_dir():
            return
        raise ExpiacError("No such workdir", f"{self.resource.name}: {workdir} (looked in {root})",
                          "a folder, from the project's root, or workdir=None for none")


class JobCompiler(_AnyJobCompiler[Job]):
    """Compiles a job that says its command."""

    @property
    def run(self) -> str:
        command: str = self.recorded_fields.get("run", self.resource.run)
        return command

    def recorded_place(self) -> Mapping[str, Any]:
        """Without the command, which is a field of the job itself."""
        return {name: value for name, value in self.recorded_fields.items() if name != "run"}


class TrainingJobCompiler(_AnyJobCompiler[TrainingJob]):
    """Compiles a job with a training config; the project says its command and its outputs."""

    @property
    def run(self) -> str:
        return self.place.run or self.context.project.run

    @cached_property
    def declared_inputs(self) -> dict[str, Any]:
        inputs = self.resource.inputs()
        if not self.recorded:
            return inputs
        return merge_recorded_config(inputs, self.recorded, self.resource.options.ignore_changes)

    @cached_property
    def config_text(self) -> str | None:
        document = hydra_config(self.declared_inputs[CONFIG])
        return self.context.render(_EXPERIMENT, document, self.resource.name)

    def output_names(self) -> frozenset[str] | None:
        return frozenset(self.context.project.outputs)

    def outputs(self, composed: Composed | None) -> Mapping[str, str]:
        project = self.context.project
        paths = project.outputs if composed is None else composed.outputs
        folder = self.place.data_dir or project.data_dir
        return {name: _in_data_dir(path, folder) for name, path in paths.items()}


def _in_data_dir(path: str, folder: str) -> str:
    """The path of an output with the folder of results in place; an address stays as it is."""
    return path if "://" in path else os.path.normpath(path.replace(DATA_DIR, folder))


compiler_of.register(Job, JobCompiler)
compiler_of.register(TrainingJob, TrainingJobCompiler)
