"""Everything in `configs/` composes, together, to a config that the schema accepts."""

from itertools import product
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue
from pydantic import ValidationError

from trainer.config import Config, OptimizerType, WandbMode, register

CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENT = """\
# @package _global_
defaults:
  - /common
  - /env/mettagrid/curriculum/arena@curriculum: {arena}
  - /agent: {agent}
  - /trainer: {trainer}
  - /sim: {sim}
  - /wandb: "{wandb}"
  - override /optimizer@trainer.optimizer: {optimizer}
  - _self_
seed: 3
trainer: {{total_timesteps: 5000}}
"""
GROUPS = {
    "arena": "env/mettagrid/curriculum/arena",
    "agent": "agent",
    "trainer": "trainer",
    "sim": "sim",
    "wandb": "wandb",
    "optimizer": "optimizer",
}
CHOICES = {name: sorted(path.stem for path in (CONFIGS / group).glob("*.yaml")) for name, group in GROUPS.items()}
DEFAULTS = {
    "arena": "small",
    "agent": "fast",
    "trainer": "trainer",
    "sim": "arena",
    "wandb": "off",
    "optimizer": "adam",
}


@pytest.fixture
def composed(tmp_path: Path):
    """Compose a rendered experiment with these choices."""

    def compose_it(*overrides: str, **choices: str) -> Config:
        register()
        (tmp_path / "experiments").mkdir(exist_ok=True)
        (tmp_path / "experiments" / "x.yaml").write_text(EXPERIMENT.format(**(DEFAULTS | choices)))
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            search = f"hydra.searchpath=[file://{tmp_path}]"
            config = OmegaConf.to_object(compose("config", [search, "+experiments=x", "run_name=x", *overrides]))
        assert isinstance(config, Config)
        return config

    return compose_it


# test_env_configs.py composes the other arenas and sims, test_attention.py the agent that needs tokens.
FEW = CHOICES | {"arena": ["basic", "small"], "sim": ["arena"], "agent": ["fast", "lstm", "wide"]}


@pytest.mark.parametrize("choices", list(product(*FEW.values())), ids="-".join)
def test_every_combination_composes(composed, choices: tuple[str, ...]):
    config = composed(**dict(zip(CHOICES, choices, strict=True)))
    assert config.run_dir == "./train_dir/x"
    assert config.trainer.checkpoint.checkpoint_dir == "./train_dir/x/checkpoints"
    assert (config.seed, config.trainer.total_timesteps) == (3, 5000)


def test_the_choices_arrive_where_they_belong(composed):
    config = composed(optimizer="muon", agent="wide", wandb="offline", arena="basic")
    assert config.trainer.optimizer.type is OptimizerType.muon
    assert config.agent.hidden_size == 512
    assert config.wandb.mode is WandbMode.offline
    assert (config.curriculum.agents, config.curriculum.instances) == (6, 4)


def test_no_file_repeats_a_default_of_the_schema():
    """Defaults live in the schema; a group file holds choices. What names a choice, like `type`, may be spelled out."""
    schema = OmegaConf.structured(Config)
    for path in (CONFIGS / "trainer" / "trainer.yaml", *(CONFIGS / "optimizer").glob("*.yaml")):
        at = schema.trainer if path.parent.name == "trainer" else schema.trainer.optimizer
        given = {k: v for k, v in OmegaConf.load(path).items() if k not in ("defaults", "type")}
        merged = OmegaConf.merge(at, given)
        for key in given:
            assert merged._get_node(key) != at._get_node(key), f"{path.name} repeats {key}"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("trainer.batch_size=100", r"minibatch_size \(2048\) must divide batch_size \(100\)"),
        ("trainer.ppo.gamma=3", "less than or equal to 1"),
        ("+trainer.typo=3", "typo"),
        ("~curriculum", "curriculum"),
        ("curriculum.mines=99", "more than half"),
        ("trainer.vtrace.rho_clip=1", "both rho_clip and c_clip"),
        ("trainer.lr_scheduler.type=exponential", "give a min_lr_ratio above 0"),
        ("trainer.lr_scheduler.warmup_steps=5000", r"must be less than total_timesteps \(5000\)"),
        ("trainer.kickstart.kickstart_steps=5", "without a teacher_uri"),
        ("trainer.profiler.interval_epochs=5", "needs a profile_dir"),
        ("trainer.prioritized_experience_replay={prio_alpha: 1, prio_beta0: 2}", "less than or equal to 1"),
    ],
)
def test_a_wrong_config_says_why(composed, override: str, message: str):
    with pytest.raises(ValidationError, match=message):
        composed(override)


def test_a_run_without_a_name_is_refused():
    register()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"), pytest.raises(MissingMandatoryValue):
        OmegaConf.to_object(compose("config"))
