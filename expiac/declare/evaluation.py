"""An `Evaluation`: a job that evaluates a policy on a suite. The project says how, in `[tool.expiac.evaluation]`.

Knows no trainer: a policy is an address, mostly an output of a training job, and a suite is a name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from expiac.declare.config import ConfigReader, is_config
from expiac.declare.evaluation_settings import EvaluationSettings
from expiac.declare.fields import Annotation
from expiac.declare.project import EVALUATION
from expiac.declare.training import ConfiguredJob, TrainingRunConfig, WandbTag, merged, nested
from expiac.declare.training_settings import TrainingSettings
from expiac.util.errors import ExpiacError

POLICY = "EXPIAC_POLICY"
"""Where an evaluation whose config is a file finds the address of its policy."""
RUN_ADDRESS = "expiac://"
"""How an address begins that names one of the runs of a job."""
_FILES = ("yaml", "json", "toml")
_RUN = '[tool.expiac.evaluation] run = "python -m … +experiments=@instance@ run_name=@instance@"'


class Evaluation(ConfiguredJob):
    """A job that evaluates a policy. Its figures are metrics like those of any job."""

    type: ClassVar[str] = EVALUATION
    default_gpus: ClassVar[int] = 0

    policy: Annotated[str, Field(min_length=1)]
    """The policy's address: `train.output("checkpoint")`, a path, or whatever else the project's command reads."""
    suite: Annotated[str, Field(min_length=1)] | None = None
    """What it is evaluated on: an option of the project's suites, `configs/sim` by default."""
    config: Any = None
    """Further settings of the evaluation: a mapping, a dataclass, a pydantic model or an attrs class."""
    tags: Annotation[list[WandbTag] | None] = None
    notes: Annotation[str | None] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.config is not None and not is_config(self.config) and not isinstance(self.config, Mapping):
            raise ExpiacError("Invalid value", f"{self.name}: config is {type(self.config).__name__}",
                              "a mapping, a dataclass, a pydantic model or an attrs class")

    def run_config(self, settings: TrainingSettings) -> TrainingRunConfig:
        """Its config as that of a training, in which the suite is an option of a group."""
        is_group = self.suite is not None and settings.format == "hydra"
        return TrainingRunConfig(trainer=self.config, wandb_tags=self.tags, wandb_notes=self.notes,
                                 defaults={_own(settings).suite: str(self.suite)} if is_group else {})

    def document(self, settings: TrainingSettings, configs: ConfigReader | None) -> dict[str, Any]:
        """The config with the address of the policy; without Hydra also with the name of the suite."""
        own, document = _own(settings), super().document(settings, configs)
        if self.suite is not None and own.format != "hydra":
            document = merged(document, nested(own.suite.strip("/"), self.suite))
        return document if own.format in _FILES else merged(document, nested(own.policy, self.policy))

    def environment(self, settings: TrainingSettings) -> dict[str, str]:
        """The policy, where its config is a file."""
        if settings.format not in _FILES:
            return {}
        if self.policy.startswith(RUN_ADDRESS):
            raise ExpiacError("Ref out of place", f"{self.name}: {self.policy} with format {settings.format}",
                              "an output of a job, a path, or the format hydra or args")
        return {POLICY: self.policy}

    def inputs(self) -> dict[str, Any]:
        return self.inputs_in(EvaluationSettings())


def check_command(name: str, run: str) -> None:
    """Raises `ExpiacError` where neither the evaluation nor its project says a command."""
    if not run.strip():
        raise ExpiacError("No evaluation command", f"{name}: the project does not say how it evaluates policies", _RUN)


def _own(settings: TrainingSettings) -> EvaluationSettings:
    return settings if isinstance(settings, EvaluationSettings) else EvaluationSettings()
