"""Compiles what a job and a training job have in common: their task, the backend that runs them, what they mount."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from expiac.compile.compiler import ResourceCompiler
from expiac.compile.composed import Composed
from expiac.compile.ignored import recorded_placement
from expiac.compile.output_paths import output_path
from expiac.compile.task import task
from expiac.declare.evaluation import Evaluation
from expiac.declare.fields import non_default_fields
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.options import Options
from expiac.declare.stack_reference import any_refs
from expiac.declare.training import ConfiguredJob, TrainingJob
from expiac.plan.kinds import CONFIG
from expiac.providers.base import TASK_FILE
from expiac.providers.registry import SKYPILOT
from expiac.state.events import Json
from expiac.util.errors import ExpiacError
from expiac.util.hashing import exact
from expiac.util.placeholders import escape

J = TypeVar("J", bound=Job | ConfiguredJob)
_TASK = "task.yaml.j2"


class AnyJobCompiler(ResourceCompiler[J], ABC):
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
        return self._backend

    @cached_property
    def _backend(self) -> str:
        return self.context.backend_of(self.resource.name, self.infra)

    def inputs(self, composed: Composed | None) -> Json:
        inputs = {**self.declared_inputs, "infra": self.infra, "run": self.run, **self._content}
        return inputs if composed is None else {**inputs, CONFIG: composed.config}

    def declaration(self) -> bytes:
        resource, place = self.resource, self.place
        is_ours = type(resource) in (Evaluation, Job, TrainingJob) and type(place) is SkypilotJobConfig
        if not is_ours or self.recorded:
            return b""  # a class of someone's own may look at more, and what is recorded changes
        if self.references:
            return b""  # what they mean changes with another stack
        parts = (resource.type, resource.name, repr(non_default_fields(place)), self.infra, self.provider(), self.run,
                 self.gpus, self.config_name, self.is_composed, self._content, dict(self.output_templates(None)))
        return exact(parts) + self.exact_inputs

    def own_settings(self) -> Json | None:
        return self.declared_inputs

    def texts(self) -> Mapping[str, str]:
        document = self._task()
        if left := any_refs(document):
            raise ExpiacError("Ref out of place", f"{self.resource.name}: {left[0]}",
                              "an output can stand in run, setup, envs and the training config")
        texts = {TASK_FILE: self.context.render(_TASK, document, self.resource.name)}
        text, name = self.config_text, self.config_name
        return texts if text is None or name is None else {**texts, name: text}

    @property
    def config_name(self) -> str | None:
        """The file name of its training config; None if it has no such file."""
        return None

    def mounts(self) -> Mapping[str, str]:
        mounts = self.place.file_mounts
        return {target: source for target, source in mounts.items() if isinstance(source, str)}

    def options(self) -> Options:
        options, resource = self.resource.options, self.resource
        if not resource.expect and resource.max_idle is None:
            return options
        longest = options.max_idle if resource.max_idle is None else resource.max_idle
        return replace(options, expect={**options.expect, **resource.expect}, max_idle=longest)

    def env(self) -> Mapping[str, str]:
        place = self.place
        return {name: value for name, value in {**self.context.wandb_names, **self.phase}.items()
                if name not in place.envs and name not in place.secrets}

    @property
    def phase(self) -> Mapping[str, str]:
        """What kind of work it does, as Weights & Biases groups runs by it."""
        return {}

    def git_check(self) -> bool:
        own, project = self.place.git_check, self.context.project.git_check
        return next((said for said in (own, project) if said is not None), self.provider() == SKYPILOT)

    def _task(self) -> dict[str, Any]:
        is_backend = self.infra == self.provider()
        place = None if is_backend else self.infra
        return task(self.place, self.command, place, self.context.project, self.config_name,
                    gpus=self.gpus, is_composed=self.is_composed)

    @property
    def command(self) -> str:
        """The shell command with the arguments that expiac adds; the user's own texts are escaped."""
        return self.run

    @property
    def gpus(self) -> int | str:
        """Per node; what the kind of job asks for where it does not say."""
        return self.place.gpus if self.place.gpus is not None else self.resource.default_gpus

    def outputs(self, composed: Composed | None) -> Mapping[str, str]:
        folder = escape(self.place.data_dir) or self.context.project.data_dir
        return {name: output_path(path, folder) for name, path in self.output_templates(composed).items()}

    def output_templates(self, composed: Composed | None) -> Mapping[str, str]:
        """The paths of its outputs, in which the folder of results and the run's name may still be variables."""
        paths: Mapping[str, str] = escape(self.resource.output_paths())
        return paths

    @cached_property
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
        if workdir is None or "://" in workdir or self.context.is_folder(workdir):
            return
        raise ExpiacError("No such workdir", f"{self.resource.name}: {workdir} (looked in {root})",
                          "a folder, from the project's root, or workdir=None for none")
