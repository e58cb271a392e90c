"""The learning curves of docs/learning-curves.md: `expiac apply benchmarks/learning/stack.py --yes --wait`.

Each training has the shipped configs, and the total of stacks/arena.py. One runs at a time.
"""

from expiac import ExperimentConfig, Options, Stack, Sweep, TrainingJob, TrainingRunConfig
from trainer.config import SimulationConfig, TrainerConfig

CURRICULA = "env/mettagrid/curriculum"


class Learning(ExperimentConfig):
    name: str = "learning"
    total_timesteps: int = 1_200_000
    evaluate_interval: int = 100_000
    seed_count: int = 3
    """How many seeds of each training, from 0 on."""


def stack(config: Learning) -> Stack:
    def over_seeds(name: str, curriculum: str, *, agent: str = "fast", sim: str = "arena") -> Sweep:
        simulation = SimulationConfig(evaluate_interval=config.evaluate_interval, write_replays=False)
        job = TrainingJob(
            "train",
            training=TrainingRunConfig(
                curriculum=f"{CURRICULA}/{curriculum}",
                agent=agent,
                sim=sim,
                wandb="off",
                trainer=TrainerConfig(total_timesteps=config.total_timesteps, simulation=simulation),
            ),
            options=Options(timeout="1h"),
        )
        return Sweep(name, job, over={"training.seed": range(config.seed_count)}, metric="reward", goal="maximize")

    trainings = [
        over_seeds("arena", "arena/small"),
        over_seeds("navigation", "navigation/basic", sim="navigation"),
        over_seeds("navigation_lstm", "navigation/basic", agent="lstm", sim="navigation"),
        over_seeds("bucketed", "navigation/bucketed", sim="navigation"),
        over_seeds("learning_progress", "navigation/learning_progress", sim="navigation"),
    ]
    return Stack(config.name, trainings, max_running=1)
