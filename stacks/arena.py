"""Four agents learn the small arena: a minute or two on two cores."""

from dataclasses import field

from expiac import SingleJobExperiment, SingleJobExperimentConfig, SkypilotJobConfig, TrainingRunConfig, runner
from trainer.config import TrainerConfig


class ArenaConfig(SingleJobExperimentConfig):
    name: str = "arena"
    skypilot: SkypilotJobConfig = field(default_factory=lambda: SkypilotJobConfig(spot=False))
    training: TrainingRunConfig = field(
        default_factory=lambda: TrainingRunConfig(
            curriculum="env/mettagrid/curriculum/arena/small",
            trainer=TrainerConfig(total_timesteps=1_200_000),
        )
    )


class Arena(SingleJobExperiment):
    config: ArenaConfig


if __name__ == "__main__":
    runner(Arena, ArenaConfig)
