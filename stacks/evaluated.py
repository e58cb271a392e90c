"""A training, and two evaluations of what it learned: of its last policy in other rooms, and of its best one."""

from expiac import Evaluation, ExperimentConfig, SkypilotJobConfig, Stack, TrainingJob, TrainingRunConfig
from trainer.config import CheckpointConfig, SimulationConfig, TrainerConfig


class Evaluated(ExperimentConfig):
    name: str = "evaluated"
    total_timesteps: int = 400_000
    gpus: int = 1


def stack(config: Evaluated) -> Stack:
    trainer = TrainerConfig(
        total_timesteps=config.total_timesteps,
        checkpoint=CheckpointConfig(best_metric="eval/hearts", keep_last=2),
        simulation=SimulationConfig(evaluate_interval=config.total_timesteps // 4),
    )
    train = TrainingJob("train", skypilot=SkypilotJobConfig(gpus=config.gpus), training=TrainingRunConfig(
        curriculum="env/mettagrid/curriculum/arena/small", trainer=trainer))
    final = Evaluation("final", policy=train.output("checkpoint"), suite="navigation")
    best = Evaluation("best", policy=train.output("best"), suite="arena",
                      config={"sim": {"episodes": 64}, "replay_dir": "${run_dir}/replays"})
    return Stack(config.name, [train, final, best], outputs={"figures": final.output("metrics")})
