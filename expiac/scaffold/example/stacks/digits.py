"""Two optimizers learn handwritten digits, everything else the same: an A/B test."""

from expiac import ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig

from trainer.config import TrainerConfig


class Digits(ExperimentConfig):
    name: str = "digits"
    epochs: int = 30


def stack(config: Digits) -> Stack:
    """A run with each optimizer; with `seeds=5`, five with each, to tell a difference from luck."""
    seeds = range(config.seeds) if config.seeds else [None]
    return Stack(config.name, [arm(name, seed, config) for name in ("sgd", "adam") for seed in seeds])


def arm(optimizer: str, seed: int | None, config: Digits) -> TrainingJob:
    """A run with an optimizer of `configs/optimizer`; what it does not say is left to `configs/`."""
    name = optimizer if seed is None else f"{optimizer}_seed_{seed}"
    trainer = TrainerConfig(epochs=config.epochs)
    training = TrainingRunConfig(seed=seed, defaults={"optimizer": optimizer}, trainer=trainer)
    return TrainingJob(name, skypilot=SkypilotJobConfig(gpus=0), training=training)
