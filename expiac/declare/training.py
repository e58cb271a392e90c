"""A `TrainingJob`: a job whose training config expiac renders. What users mostly write.

Knows the declarations only; `expiac.compile` makes texts of them, and what planning compares.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field
from pydantic_core import to_json

from expiac.declare.config import Config, ConfigReader, is_config
from expiac.declare.expectations import Expectations
from expiac.declare.fields import Annotation, Kind, Option
from expiac.declare.job import PLACEMENT_KINDS, SkypilotJobConfig, placement_inputs
from expiac.declare.project import find_project
from expiac.declare.resource import Ref, Resource
from expiac.declare.training_settings import (
    PACKAGE_HEADER,
    ConfigFormat,
    ConfigKey,
    Default,
    DefaultsList,
    TrainingSettings,
)
from expiac.util import duration
from expiac.util.errors import ExpiacError


def _check_wandb_project(name: str) -> str:
    is_reference = "${" in name
    if not is_reference and any(letter in name for letter in "/\\#?%:"):
        raise ValueError("W&B takes no project name with one of / \\ # ? % :")
    return name


WandbProject = Annotated[str, Field(max_length=128), AfterValidator(_check_wandb_project)]
WandbTag = Annotated[str, Field(min_length=1, max_length=64)]
"""The limits are W&B's own."""


class TrainingRunConfig(Config):
    """What a training run computes: the trainer's own config, and the choice of Hydra groups.

    What is None is the project's choice, in `[tool.expiac.training]`.
    """

    curriculum: str | None = None
    """The config file, under `configs/`, of what is trained on; its package is `curriculum`."""
    agent: str | None = None
    """An option of `configs/agent`."""
    sim: str | None = None
    """An option of `configs/sim`: how the agent is evaluated."""
    wandb: str | None = None
    """An option of `configs/wandb`, such as `off`, `offline` or `online`."""
    wandb_entity: str | None = None
    wandb_project: WandbProject | None = None
    wandb_group: str | None = None
    wandb_tags: Annotation[list[WandbTag] | None] = None
    wandb_notes: Annotation[str | None] = None
    seed: int | None = None
    defaults: Annotated[dict[str, str] | DefaultsList, Field(union_mode="left_to_right")] = dataclasses.field(
        default_factory=dict)
    """Hydra groups to choose from: group → option, beside the project's defaults list; `override group` → option where
    the primary config chose already. A list stands in place of the project's."""
    trainer: Any = None
    """The trainer's config: a dataclass, a pydantic model, an attrs class or a mapping. With Hydra, what its author
    does not name is left to `configs/`."""
    key: ConfigKey | None = None
    """Where `trainer` is written in the config; empty for the whole config."""
    format: ConfigFormat | None = None
    """How the job gets its config: through Hydra, as a file, or as arguments."""

    def __post_init__(self) -> None:
        if self.trainer is not None and not is_config(self.trainer) and not isinstance(self.trainer, Mapping):
            raise ValueError("trainer is a config (a dataclass, a pydantic model, an attrs class or a mapping), "
                             f"not {type(self.trainer).__name__}")

    def with_settings(self, settings: TrainingSettings) -> TrainingSettings:
        """The project's settings, with what this run says otherwise in their place."""
        own = {"key": self.key, "format": self.format}
        given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
        if isinstance(self.defaults, tuple):
            given["defaults"] = self.defaults
        return dataclasses.replace(settings, **given) if given else settings

    def document(self, settings: TrainingSettings | None = None, configs: ConfigReader | None = None) -> dict[str, Any]:
        """The training config as data: what it sets itself and, with Hydra, the groups that it stands on.

        `settings` are the project's; by default those of the project that the working folder lies in. Of documents that
        the same `configs` were read for, none may be changed: they share parts.
        """
        configs = configs or ConfigReader()
        chosen = self.with_settings(_settings_here() if settings is None else settings)
        values = self._values(chosen, configs)
        if chosen.format != "hydra":
            self._refuse_groups(chosen)
            return values
        if "defaults" in values:
            raise ExpiacError("Invalid training config", "defaults is Hydra's own key, and a config has one of its own",
                              "[tool.expiac.training] key = \"…\" writes configs under a key")
        return {"defaults": self._defaults_list(chosen, configs), **values}

    def serialize_to_yaml_file(self, instance_name: str | Path | None = None) -> tuple[Path, dict[str, Any]]:
        """Writes the experiment config, without a template, to try the trainer by hand: the path, and the document.

        A name is that of an experiment: the file is `configs/experiments/<name>.yaml` of the project that the working
        folder lies in, for `python -m trainer +experiments=<name>`. A `Path` is the file itself. Where neither is given
        it is a new temporary file. What `apply` gives a run, `expiac render` shows.
        """
        from expiac.util.render import to_yaml

        document = self.document()
        path = _config_file(instance_name)
        path.write_text(f"{PACKAGE_HEADER}\n{to_yaml(document)}\n", encoding="utf-8")
        return path, document

    def _values(self, settings: TrainingSettings, configs: ConfigReader) -> dict[str, Any]:
        values = dict(configs.values(settings.values))
        if self.seed is not None:
            values["seed"] = self.seed
        wandb = {"entity": self.wandb_entity, "project": self.wandb_project, "group": self.wandb_group}
        if given := {key: value for key, value in wandb.items() if value is not None}:
            values["wandb"] = {**values.get("wandb", {}), **given}
        # What a file or a command line leaves out is not to be found anywhere else: there, all of it is written.
        config = configs.data(self.trainer, named_only=settings.format == "hydra")
        if not config:
            return values
        config = nested(settings.key, config)
        return merged(values, config) if values else dict(config)

    def _defaults_list(self, settings: TrainingSettings, configs: ConfigReader) -> list[Any]:
        choices = {_package(key): {key: option} for key, option in self._choices().items()}
        entries: list[Default] = []
        for entry in settings.defaults:
            chosen = choices.pop(_package(next(iter(entry))), entry) if isinstance(entry, dict) else entry
            entries.append(chosen)
        # Hydra wants overrides of what another default chose to stand last.
        entries += sorted(choices.values(), key=lambda entry: next(iter(entry)).startswith("override "))
        entries += [{f"override /{key.lstrip('/')}": option} for key, option in configs.groups(self.trainer)]
        return [*entries, "_self_"]

    def _choices(self) -> dict[str, str | None]:
        """The options that this run chooses, by group."""
        group, _, option = (self.curriculum or "").strip("/").rpartition("/")
        chosen = {f"/{group}@curriculum": option if self.curriculum else None,
                  "/agent": self.agent, "/sim": self.sim, "/wandb": self.wandb}
        named = self.defaults if isinstance(self.defaults, dict) else {}
        return {**{key: option for key, option in chosen.items() if option is not None},
                **{_absolute(key): option for key, option in named.items()}}

    def _refuse_groups(self, settings: TrainingSettings) -> None:
        if self._choices() or self.defaults:
            chosen = ", ".join(self._choices()) or "defaults"
            raise ExpiacError("Groups without Hydra", f"{chosen} in a config of format {settings.format}",
                              '[tool.expiac.training] format = "hydra", or values in trainer=…')


def _settings_here() -> TrainingSettings:
    try:
        return find_project(Path.cwd()).training
    except ExpiacError:
        return TrainingSettings()


def _config_file(name: str | Path | None) -> Path:
    """Where the config of this name goes."""
    if isinstance(name, Path):
        return name
    if name is None:
        handle, file = tempfile.mkstemp(prefix="expiac-", suffix=".yaml")
        os.close(handle)
        return Path(file)
    if not name or name != Path(name).name:
        raise ExpiacError("Invalid name", f"{name!r} is no name of an experiment config",
                          "a name such as lr_ab_test, or a Path")
    project = find_project(Path.cwd())
    folder = project.root / project.configs / "experiments"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.yaml"


@lru_cache(maxsize=1024)
def _absolute(group: str) -> str:
    """The group from the folder of configs, with what stands before it in a defaults list: `optional`, `override`."""
    *words, name = group.split()
    return " ".join([*words, f"/{name.lstrip('/')}"])


@lru_cache(maxsize=1024)
def _package(group: str) -> str:
    """The key under which a config of the group is composed: by it two entries are of one group."""
    name, _, package = group.removeprefix("optional ").removeprefix("override ").partition("@")
    return package or name.strip("/").replace("/", ".")


def nested(path: str, value: Any) -> Any:
    """The value at a key path: `{"a": {"b": value}}` for `a.b`; the value itself for no path."""
    for part in reversed(path.split(".") if path else ()):
        value = {part: value}
    return value


def merged(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Both, level by level; those of `others` where they differ."""
    both = {key: merged(values[key], others[key]) for key in values.keys() & others.keys()
            if isinstance(values[key], Mapping) and isinstance(others[key], Mapping)}
    return {key: both.get(key, others.get(key, values.get(key))) for key in {**values, **others}}


class ConfiguredJob(Resource):
    """What jobs with a rendered config have in common: one of a training, or of an evaluation."""

    completes: ClassVar[bool] = True
    default_gpus: ClassVar[int] = 0

    skypilot: SkypilotJobConfig = dataclasses.field(default_factory=SkypilotJobConfig)
    expect: Option[Expectations] = dataclasses.field(default_factory=dict)
    """Metric → the bound that its last value has to meet, such as `>= 12`; a run that misses one has failed."""
    max_idle: Option[Annotated[int | str | None, AfterValidator(duration.validate)]] = None
    """How long it may print and log nothing before a notice says that it is stuck: seconds, or `30m`."""
    pin_code: Option[bool] = False

    def inputs(self) -> dict[str, Any]:
        """The placement, the annotations, and the config's document under `config`, as far as the job says it."""
        return self.inputs_in(TrainingSettings())

    def inputs_in(self, settings: TrainingSettings, configs: ConfigReader | None = None) -> dict[str, Any]:
        """As `inputs`, with what the project's settings say of all such configs; `configs` as for `document`."""
        run = self.run_config(settings)
        noted = {"tags": run.wandb_tags, "notes": run.wandb_notes}
        placed = placement_inputs(self.skypilot)
        if added := self.environment(settings):
            placed["envs"] = {**added, **placed.get("envs", {})}
        if placed.get("gpus") == self.default_gpus:
            del placed["gpus"]  # the default, said or not
        return {
            "config": self.document(settings, configs),
            **{name: value for name, value in noted.items() if value},
            **placed,
        }

    def run_config(self, settings: TrainingSettings) -> TrainingRunConfig:
        """What is said of its config in the words of a training."""
        raise NotImplementedError

    def document(self, settings: TrainingSettings, configs: ConfigReader | None) -> dict[str, Any]:
        """Its config as data."""
        return self.run_config(settings).document(settings, configs)

    def environment(self, settings: TrainingSettings) -> dict[str, str]:
        """The variables that it gets besides those of its placement."""
        return {}

    def refs(self) -> tuple[Ref, ...]:
        # Most jobs refer to nothing, and a glance shows it: `inputs` takes much longer.
        return super().refs() if b"${ref:" in to_json(self, fallback=str) else ()

    def kinds(self) -> dict[str, Kind]:
        return dict(TRAINING_KINDS)


class TrainingJob(ConfiguredJob):
    """A job with a rendered training config: what users mostly write. The project says how it is run."""

    type: ClassVar[str] = "training-job"
    default_gpus: ClassVar[int] = 1

    training: TrainingRunConfig = dataclasses.field(default_factory=TrainingRunConfig)

    def run_config(self, settings: TrainingSettings) -> TrainingRunConfig:
        return self.training


TRAINING_KINDS: Mapping[str, Kind] = MappingProxyType({
    "config": Kind.IDENTITY, "run": Kind.IDENTITY, "tags": Kind.ANNOTATION, "notes": Kind.ANNOTATION,
    **PLACEMENT_KINDS})
"""What kind of thing each input of a job with a config is."""
