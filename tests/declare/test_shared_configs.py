"""A config that several jobs share is read once, and each job's document is as if it were read for that job alone."""

from __future__ import annotations

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from expiac.declare.config import ConfigReader
from expiac.declare.training import TrainingRunConfig
from expiac.declare.training_settings import TrainingSettings
from expiac.util.errors import ExpiacError
from trainer.config import OptimizerConfig, PPOConfig, TrainerConfig

TRAINERS = st.one_of(
    st.none(),
    st.builds(dict, lr=st.sampled_from((1, 1.0, True)), betas=st.just((0.9, 0.95))),
    st.builds(lambda lr: TrainerConfig(optimizer=OptimizerConfig(learning_rate=lr)), st.sampled_from((1e-3, 1e-4))),
    st.builds(lambda kind: TrainerConfig(optimizer=OptimizerConfig(type=kind)), st.sampled_from(("adam", "muon"))),
    st.builds(lambda: TrainerConfig(ppo=PPOConfig(), total_timesteps=5)))
RUNS = st.builds(dict, seed=st.sampled_from((None, 0, 1)), agent=st.sampled_from((None, "fast")),
                 wandb_group=st.sampled_from((None, "g")), key=st.sampled_from((None, "", "a.b")),
                 format=st.sampled_from((None, "hydra", "json")))
PROJECTS = st.builds(
    TrainingSettings, key=st.sampled_from(("", "trainer")),
    values=st.sampled_from(({}, {"seed": 7}, {"wandb": {"mode": "off"}, "trainer": {"ppo": {"eps": 1}, "x": (1, 2)}})),
    defaults=st.sampled_from(((), ("/common", {"/agent": "small"}))))


def document(run: TrainingRunConfig, project: TrainingSettings, configs: ConfigReader | None = None) -> object:
    try:
        return run.document(project, configs)
    except ExpiacError as error:
        return error.summary


@settings(max_examples=150)
@given(trainers=st.lists(TRAINERS, min_size=1, max_size=3), project=PROJECTS,
       runs=st.lists(st.tuples(st.integers(0, 2), RUNS), min_size=2, max_size=6))
def test_every_document_is_as_if_it_were_the_only_one(trainers, project, runs):
    """Whatever was read before with the same reader."""
    configs = ConfigReader()
    for which, fields in runs:
        run = TrainingRunConfig(trainer=trainers[which % len(trainers)], **fields)
        assert repr(document(run, project, configs)) == repr(document(run, project))


def test_a_config_that_changed_is_read_anew():
    """A reader belongs to one plan; the next one has another."""
    trainer = TrainerConfig(total_timesteps=1)
    run = TrainingRunConfig(trainer=trainer)
    before = run.document(TrainingSettings(), ConfigReader())
    trainer.total_timesteps = 2
    after = run.document(TrainingSettings(), ConfigReader())
    assert (before["total_timesteps"], after["total_timesteps"]) == (1, 2)


def test_documents_share_no_part_with_the_project():
    """Its settings stay what they are."""
    project = TrainingSettings(values={"wandb": {"mode": "off"}})
    document = TrainingRunConfig(wandb_group="g").document(project)
    document["wandb"]["mode"] = "online"
    assert dataclasses.asdict(project)["values"] == {"wandb": {"mode": "off"}}
