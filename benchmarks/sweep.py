"""The stack that is measured: `jobs` training jobs of one experiment, each with a seed, and so a config, of its own.

With `rates`, each has a learning rate of its own too.
"""

from expiac import ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from trainer.config import OptimizerConfig, TrainerConfig


class SweepConfig(ExperimentConfig):
    name: str = "sweep"
    jobs: int = 10
    rates: bool = False


def stack(config: SweepConfig) -> Stack:
    common = trainer(3e-3)
    return Stack(config.name, [
        TrainingJob(f"job_{number}", skypilot=SkypilotJobConfig(infra="memory"), training=TrainingRunConfig(
            curriculum="env/mettagrid/curriculum/arena/small", seed=number,
            trainer=trainer(3e-3 / (1 + number)) if config.rates else common))
        for number in range(config.jobs)])


def trainer(learning_rate: float) -> TrainerConfig:
    return TrainerConfig(total_timesteps=1_000_000, optimizer=OptimizerConfig(learning_rate=learning_rate))
