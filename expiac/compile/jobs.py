"""Compiles jobs: their task, their training config, the backend that runs them and the content of what they mount."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from expiac.compile.compiler import ResourceCompiler, compiler_of
from expiac.compile.composed import Composed
from expiac.compile.config_files import (
    CONFIG_TEMPLATES,
    arguments,
    config_file,
    refuse_refs,
    write_config,
)
from expiac.compile.ignored import merge_recorded_config, recorded_placement
from expiac.compile.output_paths import output_path
from expiac.compile.own_settings import own_settings
from expiac.compile.run_addresses import Address, pin_runs
from expiac.compile.task import hydra_config, task
from expiac.declare.fields import Kind
from expiac.declare.job import Job, SkypilotJobConfig
from expiac.declare.options import Options
from expiac.declare.stack_reference import any_refs
from expiac.declare.training import TrainingJob
from expiac.declare.training_settings import TrainingSettings
from expiac.plan.kinds import CONFIG
from expiac.plan.references import with_values
from expiac.providers.base import TASK_FILE
from expiac.providers.registry import SKYPILOT
from expiac.state.events import Json
from expiac.util.errors import ExpiacError
from expiac.util.placeholders import escape

J = TypeVar("J", bound=Job | TrainingJob)
_TASK = "task.yaml.j2"


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
        return self._backend

    @cached_property
    def _backend(self) -> str:
        return self.context.backend_of(self.resource.name, self.infra)

    def inputs(self, composed: Composed | None) -> Json:
        inputs = {**self.declared_inputs, "infra": self.infra, "run": self.run, **self._content}
        return inputs if composed is None else {**inputs, CONFIG: composed.config}

    def declaration(self) -> str:
        resource, place = self.resource, self.place
        if type(resource) not in (Job, TrainingJob) or type(place) is not SkypilotJobConfig or self.recorded:
            return ""  # a class of someone's own may look at more, and what is recorded changes
        if self.references:
            return ""  # what they mean changes with another stack
        parts = (resource.type, resource.name, self.declared_inputs, place, self.infra, self.provider(), self.run,
                 self.gpus, self.config_name, self.is_composed, self._content, self.output_templates(None))
        return repr(parts)  # tells 1, 1.0 and True apart, and keeps the order of keys

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


class JobCompiler(_AnyJobCompiler[Job]):
    """Compiles a job that says its command."""

    @property
    def run(self) -> str:
        command: str = self.recorded_fields.get("run", self.resource.run)
        return command

    def recorded_place(self) -> Mapping[str, Any]:
        """Without the command, which is a field of the job itself."""
        return {name: value for name, value in self.recorded_fields.items() if name != "run"}

    @property
    def command(self) -> str:
        command: str = escape(self.run)
        return command


class TrainingJobCompiler(_AnyJobCompiler[TrainingJob]):
    """Compiles a job with a training config; the project says its command and its outputs."""

    @property
    def run(self) -> str:
        return self.place.run or self.context.project.run

    @cached_property
    def declared_inputs(self) -> dict[str, Any]:
        inputs = {**self._given_inputs, CONFIG: self._config_and_variables[0]}
        if not self.recorded:
            return inputs
        return merge_recorded_config(inputs, self.recorded, self.resource.options.ignore_changes)

    @cached_property
    def _config_and_variables(self) -> tuple[dict[str, Any], dict[str, str]]:
        return pin_runs(self._given_inputs[CONFIG], self.find_run)

    @cached_property
    def _given_inputs(self) -> dict[str, Any]:
        return self.resource.inputs_in(self.settings)

    def find_run(self, address: str) -> Address:
        """The run that an address in its config names; an error names this job."""
        try:
            return self.context.run_at(address)
        except ExpiacError as error:
            raise ExpiacError(error.summary, f"{self.resource.name}: {error.detail}", error.hint) from error

    def env(self) -> Mapping[str, str]:
        return {**super().env(), **self._config_and_variables[1]}

    @cached_property
    def settings(self) -> TrainingSettings:
        """What the project and the job say of its training config."""
        project, training = self.context.project, self.resource.training
        return training.with_settings(project.training)

    def declaration(self) -> str:
        if not self.is_composed:
            return ""  # the project's schema, which checks it, may have changed
        text = super().declaration()
        return text and f"{text}\n{self.context.kinds_salt}"

    def kinds(self) -> Mapping[str, Kind]:
        kinds: Mapping[str, Kind] = self.resource.kinds()
        return {**kinds, **self.context.config_kinds}

    def own_settings(self) -> Json | None:
        declared, trainer = self.declared_inputs[CONFIG], self.resource.training.trainer
        config = own_settings(declared, trainer, self.settings, self.context.project.training)
        return {CONFIG: config, **{key: value for key, value in self.declared_inputs.items() if key != CONFIG}}

    @property
    def phase(self) -> Mapping[str, str]:
        return {"WANDB_JOB_TYPE": "train"}

    @property
    def config_name(self) -> str | None:
        return config_file(self.settings.format)

    @property
    def is_composed(self) -> bool:
        return self.settings.format == "hydra"

    @cached_property
    def config_text(self) -> str | None:
        config, format, job = self.declared_inputs[CONFIG], self.settings.format, self.resource.name
        if format == "hydra":
            return self.context.render(CONFIG_TEMPLATES[format], hydra_config(escape(config)), job)
        if format != "args":
            config = dict(with_values(config, self.references))  # a file holds what is known by now
        if self.context.project.schema:
            self.context.schema.check(job, config)
        if format == "args":
            return None
        refuse_refs(format, config, job)
        if template := CONFIG_TEMPLATES.get(format):
            return self.context.render(template, escape(config), job)
        return write_config(format, escape(config), job)

    @property
    def command(self) -> str:
        if self.settings.format != "args":
            return self.run
        return f"{self.run.rstrip()} {arguments(escape(self.declared_inputs[CONFIG]))}".rstrip()

    def output_names(self) -> frozenset[str] | None:
        return frozenset(self.context.project.outputs)

    def output_templates(self, composed: Composed | None) -> Mapping[str, str]:
        return self.context.project.outputs if composed is None else composed.outputs


compiler_of.register(Job, JobCompiler)
compiler_of.register(TrainingJob, TrainingJobCompiler)
