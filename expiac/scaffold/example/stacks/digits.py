"""Two optimizers learn handwritten digits, everything else the same: an A/B test."""

from expiac import ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig

from trainer.config import TrainerConfig


class Digits(ExperimentConfig):
    name: str = "digits"
    epochs: int = 30


def stack(config: Digits) -> Stack:
    return Stack(config.name, [arm(optimizer, config) for optimizer in ("sgd", "adam")])


def arm(optimizer: str, config: Digits) -> TrainingJob:
    """A run with an optimizer of `configs/optimizer`; what it does not say is left to `configs/`."""
    training = TrainingRunConfig(defaults={"optimizer": optimizer}, trainer=TrainerConfig(epochs=config.epochs))
    return TrainingJob(optimizer, skypilot=SkypilotJobConfig(gpus=0), training=training)
