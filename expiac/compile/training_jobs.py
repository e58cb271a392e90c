"""Compiles jobs with a config: as a file, as arguments or through Hydra. The project says their command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, TypeVar

from expiac.compile.any_job import AnyJobCompiler
from expiac.compile.composed import Composed
from expiac.compile.config_files import (
    CONFIG_TEMPLATES,
    arguments,
    config_file,
    refuse_refs,
    write_config,
)
from expiac.compile.context import StackContext
from expiac.compile.ignored import merge_recorded_config
from expiac.compile.own_settings import own_settings
from expiac.compile.run_addresses import SCHEME, Address, pin_runs
from expiac.compile.task import hydra_config
from expiac.declare.evaluation import Evaluation, check_command
from expiac.declare.fields import Kind
from expiac.declare.job import SkypilotJobConfig
from expiac.declare.training import ConfiguredJob, TrainingJob, TrainingRunConfig
from expiac.declare.training_settings import TrainingSettings
from expiac.plan.kinds import CONFIG
from expiac.plan.references import with_values
from expiac.state.events import Json
from expiac.util.errors import ExpiacError
from expiac.util.hashing import exact
from expiac.util.placeholders import escape

C = TypeVar("C", bound=ConfiguredJob)
_SCHEME = SCHEME.encode()


class ConfiguredJobCompiler(AnyJobCompiler[C]):
    """Compiles a job with a config; the project says its command and its outputs."""

    @property
    def run(self) -> str:
        return self.place.run or self.context.project.run

    @cached_property
    def declared_inputs(self) -> dict[str, Any]:
        config, _ = self._config_and_variables
        inputs = self._given_inputs if config is self._given_inputs[CONFIG] else {**self._given_inputs, CONFIG: config}
        if not self.recorded:
            return inputs
        return merge_recorded_config(inputs, self.recorded, self.resource.options.ignore_changes)

    @cached_property
    def exact_inputs(self) -> bytes:
        is_given = self.declared_inputs is self._given_inputs
        return self._exact_given if is_given else exact(self.declared_inputs)

    @cached_property
    def _config_and_variables(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The config in which each address of a run is that of one run, and the variables which that takes."""
        config = self._given_inputs[CONFIG]
        return pin_runs(config, self.find_run) if _SCHEME in self._exact_given else (config, {})

    @cached_property
    def _given_inputs(self) -> dict[str, Any]:
        return self.resource.inputs_in(self.settings, self.context.configs)

    @cached_property
    def _exact_given(self) -> bytes:
        return exact(self._given_inputs)

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
        return self.run_config.with_settings(self.context.project.training)

    @cached_property
    def run_config(self) -> TrainingRunConfig:
        """What the job says of its config."""
        return self.resource.run_config(self.context.project.training)

    def declaration(self) -> bytes:
        if not self.is_composed:
            return b""  # the project's schema, which checks it, may have changed
        declared = super().declaration()
        return declared and self.context.kinds_salt + declared

    def kinds(self) -> Mapping[str, Kind]:
        if type(self.resource) is TrainingJob:
            return self.context.training_kinds
        return {**self.resource.kinds(), **self.context.config_kinds}

    def own_settings(self) -> Json | None:
        declared, trainer = self.declared_inputs[CONFIG], self.run_config.trainer
        config = own_settings(declared, trainer, self.settings, self.context.project.training)
        return {CONFIG: config, **{key: value for key, value in self.declared_inputs.items() if key != CONFIG}}

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


class TrainingJobCompiler(ConfiguredJobCompiler[TrainingJob]):
    """Compiles a training job."""

    @property
    def phase(self) -> Mapping[str, str]:
        return {"WANDB_JOB_TYPE": "train"}


class EvaluationCompiler(ConfiguredJobCompiler[Evaluation]):
    """Compiles an evaluation, as the project's settings of evaluations say."""

    def __init__(self, resource: Evaluation, context: StackContext) -> None:
        super().__init__(resource, context.of_resource(resource.type))
        check_command(resource.name, self.run)

    @property
    def phase(self) -> Mapping[str, str]:
        return {"WANDB_JOB_TYPE": "eval"}

    @cached_property
    def place(self) -> SkypilotJobConfig:
        """With the variables that it gets besides."""
        place, added = super().place, self.resource.environment(self.settings)
        return replace(place, envs={**added, **place.envs}) if added else place
