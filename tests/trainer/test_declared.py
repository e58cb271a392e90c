"""Config classes: what they refuse, and that they remember what was named."""

import copy
import pickle
import subprocess
import sys

import pytest
from omegaconf import OmegaConf
from pydantic import ValidationError

from trainer.config import (
    Config,
    InitialPolicyConfig,
    OptimizerConfig,
    OptimizerType,
    PPOConfig,
    SimulationConfig,
    TorchProfilerConfig,
    TrainerConfig,
)


def test_only_what_was_named_counts_as_set():
    config = TrainerConfig(
        num_workers=4,
        optimizer=OptimizerConfig(learning_rate=1e-3),
        simulation=SimulationConfig(replay_dir="${run_dir}/replays"),
        profiler=TorchProfilerConfig(profile_dir="${run_dir}/torch_traces"),
    )
    assert config.fields_set == {"num_workers", "optimizer", "simulation", "profiler"}
    assert config.optimizer.fields_set == {"learning_rate"}
    assert config.ppo.fields_set == frozenset()


def test_assigning_names_a_field_here_and_above():
    config = TrainerConfig()
    config.ppo.gamma = 0.9
    assert config.ppo.fields_set == {"gamma"}
    assert config.fields_set == {"ppo"}


def test_a_mapping_names_its_keys():
    config = TrainerConfig(optimizer={"learning_rate": 0.1})
    assert config.optimizer.fields_set == {"learning_rate"}
    assert TrainerConfig.from_dict({"optimizer": {"learning_rate": 0.1}}).optimizer.fields_set == {"learning_rate"}


def test_naming_a_default_equals_leaving_it_out():
    assert TrainerConfig() == TrainerConfig(num_workers=1)
    assert repr(TrainerConfig()) == repr(TrainerConfig(num_workers=1))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_remembers_too(copied):
    config = TrainerConfig(optimizer=OptimizerConfig(type="muon"))
    again = copied(config)
    assert again == config
    assert (again.fields_set, again.optimizer.fields_set) == ({"optimizer"}, {"type"})
    again.num_workers = 2
    assert config.fields_set == {"optimizer"}


def test_a_named_type_selects_its_group():
    assert OptimizerConfig(type="muon").config_groups() == {"optimizer@trainer.optimizer": "muon"}
    assert OptimizerConfig(learning_rate=0.1).config_groups() == {}
    assert TrainerConfig().config_groups() == {}


def test_a_config_survives_json():
    config = TrainerConfig(optimizer=OptimizerConfig(type=OptimizerType.muon, betas=(0.8, 0.9)))
    assert TrainerConfig.from_json(config.to_json()) == config


def test_strings_take_interpolations_and_stay_what_they_are():
    class Later(str):
        pass

    uri = InitialPolicyConfig(uri=Later("checkpoint of base")).uri
    assert type(uri) is Later
    structured = OmegaConf.create(
        {"run_dir": "here", "policy": OmegaConf.structured(InitialPolicyConfig(uri="${run_dir}/x"))}
    )
    assert structured.policy.uri == "here/x"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: OptimizerConfig(learning_rate=0), "greater than 0"),
        (lambda: OptimizerConfig(learning_rate=2.0), "less than or equal to 1"),
        (lambda: OptimizerConfig(type="sgd"), "'adam' or 'muon'"),
        (lambda: OptimizerConfig(lr=0.1), "Unexpected keyword argument"),
        (lambda: PPOConfig(gamma=1.5), "less than or equal to 1"),
        (lambda: TrainerConfig(num_workers=0), "greater than or equal to 1"),
        (lambda: TrainerConfig(optimizer={"typ": "adam"}), "optimizer.typ"),
        (
            lambda: TrainerConfig(batch_size=100, minibatch_size=64),
            r"minibatch_size \(64\) must divide batch_size \(100\)",
        ),
        (lambda: setattr(TrainerConfig(minibatch_size=64), "batch_size", 100), "must divide"),
    ],
)
def test_a_wrong_value_is_refused_by_name(wrong, message):
    with pytest.raises(ValidationError, match=message):
        wrong()


def test_half_a_batch_is_left_to_the_composed_config():
    """Whether 100 is divided is known once configs/ has said how large a minibatch is."""
    assert TrainerConfig(batch_size=100).batch_size == 100


def test_a_refused_assignment_changes_nothing():
    config = TrainerConfig(batch_size=100)
    with pytest.raises(ValidationError):
        config.minibatch_size = 33
    assert config == TrainerConfig(batch_size=100)
    assert config.fields_set == {"batch_size"}


def test_unknown_keys_are_refused_by_from_dict():
    with pytest.raises(Exception, match="typo"):
        OptimizerConfig.from_dict({"typo": 1})


def test_the_schema_is_a_structured_config():
    schema = OmegaConf.structured(Config)
    assert OmegaConf.is_missing(schema, "run_name")
    assert schema.trainer.optimizer.type is OptimizerType.adam


def test_importing_the_schema_brings_neither_torch_nor_the_simulator():
    code = (
        "import sys, trainer.config; sys.exit(any(m in sys.modules for m in ('torch', 'mettagrid', 'hydra', 'wandb')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
