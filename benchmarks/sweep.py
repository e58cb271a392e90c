"""The stack that is measured: `jobs` training jobs of one experiment, each with a seed, and so a config, of its own."""

from expiac import ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from trainer.config import OptimizerConfig, TrainerConfig


class SweepConfig(ExperimentConfig):
    name: str = "sweep"
    jobs: int = 10


def stack(config: SweepConfig) -> Stack:
    trainer = TrainerConfig(total_timesteps=1_000_000, optimizer=OptimizerConfig(learning_rate=3e-3))
    return Stack(config.name, [
        TrainingJob(f"job_{number}", skypilot=SkypilotJobConfig(infra="memory"), training=TrainingRunConfig(
            curriculum="env/mettagrid/curriculum/arena/small", seed=number, trainer=trainer))
        for number in range(config.jobs)])
