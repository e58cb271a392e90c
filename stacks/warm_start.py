"""A run on the basic arena that starts from the policy of one on the small arena."""

from expiac import ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from trainer.config import InitialPolicyConfig, TrainerConfig


class WarmStart(ExperimentConfig):
    name: str = "warm_start"
    gpus: int = 1


def stack(config: WarmStart) -> Stack:
    where = SkypilotJobConfig(gpus=config.gpus)
    base = TrainingJob(
        "base",
        skypilot=where,
        training=TrainingRunConfig(curriculum="env/mettagrid/curriculum/arena/small"),
    )
    tuned = TrainingJob(
        "tuned",
        skypilot=where,
        training=TrainingRunConfig(
            curriculum="env/mettagrid/curriculum/arena/basic",
            trainer=TrainerConfig(initial_policy=InitialPolicyConfig(uri=base.output("checkpoint"))),
        ),
    )
    return Stack(config.name, [base, tuned])
