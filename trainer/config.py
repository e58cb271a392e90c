"""What can be configured, its bounds and its defaults: the schema of every composed config.

Each class is at once a pydantic dataclass, a dataclasses-json value and an OmegaConf structured config, so that Python
declarations, the YAML in `configs/` and the command line are checked by the same lines. Choices (tuned values, folders)
live in `configs/`, defaults here. Imports neither torch nor the simulator.
"""

import re
from dataclasses import field
from enum import Enum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from trainer.curriculum_config import CurriculumConfig as CurriculumConfig
from trainer.curriculum_config import SimConfig as SimConfig
from trainer.declared import NAMED, Declared, declared
from trainer.fields import ANNOTATION, IN_YAML, PLACEMENT, Amount, Count, Fraction, NonNegative, Text
from trainer.task_config import BucketConfig as BucketConfig
from trainer.task_config import DrawConfig as DrawConfig
from trainer.task_config import DrawRule as DrawRule
from trainer.task_config import Observe as Observe
from trainer.task_config import TaskConfig as TaskConfig
from trainer.task_config import TaskKind as TaskKind

ADDRESS = re.compile(r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?(?P<rest>.*)", re.DOTALL)
FORMS = {"": "a path", "file": "file:///path", "expiac": "expiac://stack/job@best",
         "wandb": "wandb://project/name:latest"}
"""The addresses of a policy that can be read, by their scheme."""
_PATHS = {"expiac": re.compile(r"[^/@\s]+(?:/[^/@\s]+)+@[^/@\s]+"),
          "wandb": re.compile(r"(?:[^/:\s]+/){1,2}[^/:\s]+(?::[^/:\s]+)?")}


def _check_address(uri: str | None) -> str | None:
    """Raises ValueError for an address that can't be read; one with an interpolation is not known yet."""
    if uri is None or "${" in uri:
        return uri
    match = ADDRESS.fullmatch(uri)
    scheme, rest = (match["scheme"] or "", match["rest"]) if match else ("", uri)
    if scheme not in FORMS:
        raise ValueError(f"no policy can be read from {scheme}://: use {', '.join(FORMS.values())}")
    if not rest or (scheme in _PATHS and not _PATHS[scheme].fullmatch(rest)):
        raise ValueError(f"no address of a policy: use {FORMS[scheme]}")
    return uri


PolicyAddress = Annotated[Text, AfterValidator(_check_address)]


class OptimizerType(str, Enum):
    adam = "adam"
    muon = "muon"


class Device(str, Enum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class WandbMode(str, Enum):
    off = "off"
    offline = "offline"
    online = "online"


@declared
class OptimizerConfig(Declared):
    """How gradients become steps."""

    type: OptimizerType = OptimizerType.adam
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-4
    betas: tuple[Fraction, Fraction] = (0.9, 0.999)
    eps: Annotated[float, Field(gt=0)] = 1e-5
    weight_decay: NonNegative = 0.0

    def config_groups(self) -> dict[str, str]:
        """A named type selects its file in `configs/optimizer/`."""
        return {"optimizer@trainer.optimizer": self.type.value} if "type" in self.fields_set else {}


@declared
class PPOConfig(Declared):
    """The coefficients of Proximal Policy Optimization (Schulman et al. 2017), by their usual names."""

    clip_coef: Annotated[float, Field(gt=0, le=1)] = 0.2
    ent_coef: NonNegative = 0.01
    vf_coef: NonNegative = 0.5
    gamma: Fraction = 0.99
    gae_lambda: Fraction = 0.95
    update_epochs: Count = 4
    norm_adv: bool = True
    clip_vloss: bool = False
    vf_clip_coef: Annotated[float, Field(gt=0)] = 0.2
    max_grad_norm: Annotated[float, Field(gt=0)] = 0.5
    target_kl: float | None = None


@declared
class CheckpointConfig(Declared):
    """Where checkpoints are, and how many samples are between two of them."""

    checkpoint_dir: Text = IN_YAML
    interval: Count = field(default=100_000, metadata=PLACEMENT)


@declared
class SimulationConfig(Declared):
    """When the policy is evaluated during training, and where replays go. `0`: only before and after training."""

    replay_dir: Text = IN_YAML
    evaluate_interval: Amount = 0
    write_replays: bool = field(default=True, metadata=PLACEMENT)


@declared
class TorchProfilerConfig(Declared):
    """Every how many updates one is traced with the torch profiler. `0`: never."""

    profile_dir: Text = IN_YAML
    interval_epochs: Amount = 0


@declared
class InitialPolicyConfig(Declared):
    """The checkpoint whose policy a new run starts from: a file, a folder with `latest.pt`, or an address.

    `file:///path`; `expiac://stack/job@best`, `@latest` or an instance name, which expiac resolves; and
    `wandb://entity/project/artifact:version`.
    """

    uri: PolicyAddress | None = None


@declared
class TrainerConfig(Declared):
    """One training. Counts are over all processes: the same run is the same run on any number of them."""

    total_timesteps: Count = 1_000_000
    batch_size: Count = 8_192
    minibatch_size: Count = 2_048
    horizon: Count = 32
    num_workers: Count = field(default=1, metadata=PLACEMENT)
    torch_threads: Count = field(default=1, metadata=PLACEMENT)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    simulation: SimulationConfig = field(default_factory=SimulationConfig)
    profiler: TorchProfilerConfig = field(default_factory=TorchProfilerConfig, metadata=PLACEMENT)
    initial_policy: InitialPolicyConfig = field(default_factory=InitialPolicyConfig)

    @model_validator(mode="after")
    def _minibatches_fill_the_batch(self) -> Self:
        # With one of the two left to configs/, only the composed config can tell.
        both_named = {"batch_size", "minibatch_size"} <= vars(self).get(NAMED, frozenset())
        if both_named and self.batch_size % self.minibatch_size:
            raise ValueError(f"minibatch_size ({self.minibatch_size}) must divide batch_size ({self.batch_size})")
        return self


@declared
class AgentConfig(Declared):
    """The policy network: a multilayer perceptron with a head for actions and one for values."""

    hidden_size: Count
    hidden_layers: Count


@declared
class WandbConfig(Declared):
    """Where results are logged. What is left out is taken from the environment (`WANDB_PROJECT`, …)."""

    mode: WandbMode = field(default=WandbMode.offline, metadata=ANNOTATION)
    entity: Text | None = field(default=None, metadata=ANNOTATION)
    project: Text | None = field(default=None, metadata=ANNOTATION)
    group: Text | None = field(default=None, metadata=ANNOTATION)
    job_type: Text | None = field(default=None, metadata=ANNOTATION)
    artifacts: bool = field(default=False, metadata=ANNOTATION)
    """Log each checkpoint and each replay as an artifact."""


@declared
class Config(Declared):
    """The whole of one run, as Hydra composes it."""

    run_name: Annotated[str, Field(pattern=r"^[^/\s]+$")]
    data_dir: Text
    run_dir: Text
    seed: Amount = 0
    device: Device = Device.auto
    agent: AgentConfig
    curriculum: CurriculumConfig
    sim: SimConfig
    trainer: TrainerConfig = field(default_factory=TrainerConfig)
    wandb: WandbConfig = field(default_factory=WandbConfig)

    @model_validator(mode="after")
    def _suites_are_valid(self) -> Self:
        trained = self.curriculum.expanded()[0].extremes()[0]
        for name, suite in self.sim.suites_of(self.curriculum).items():
            if (suite.observe, suite.gymnasium_id) != (trained.observe, trained.gymnasium_id):
                raise ValueError(f"sim.suites.{name} is observed in another way than what is trained on")
        return self


def register() -> None:
    """Make the schema known to Hydra as `root_schema`, the first default in `configs/config.yaml`."""
    from hydra.core.config_store import ConfigStore

    store: Any = ConfigStore.instance()
    store.store("root_schema", node=Config)
