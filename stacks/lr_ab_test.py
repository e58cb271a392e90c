"""Two learning rates, everything else the same: an A/B test."""

from expiac import Experiment, ExperimentConfig, SkypilotJobConfig, TrainingJobConfig, TrainingRunConfig, runner
from trainer.config import OptimizerConfig, SimulationConfig, TorchProfilerConfig, TrainerConfig


class LearningRateABTest(Experiment):
    def training_job_configs(self) -> list[TrainingJobConfig]:
        configs = []
        for lr in [0.0001, 0.0005]:
            trainer = TrainerConfig(
                num_workers=4,
                optimizer=OptimizerConfig(learning_rate=lr),
                simulation=SimulationConfig(replay_dir="${run_dir}/replays"),
                profiler=TorchProfilerConfig(profile_dir="${run_dir}/torch_traces"),
            )
            training = TrainingRunConfig(
                curriculum="env/mettagrid/curriculum/arena/basic",
                trainer=trainer,
                wandb_tags=["ab_test", f"lr_{lr}"],
            )
            configs.append(
                TrainingJobConfig(
                    skypilot=SkypilotJobConfig(
                        gpus=self.config.gpus,
                        nodes=self.config.nodes,
                        spot=self.config.spot,
                    ),
                    training=training,
                )
            )
        return configs


class LearningRateABTestConfig(ExperimentConfig):
    name: str = "lr_ab_test"
    gpus: int = 1
    nodes: int = 1
    spot: bool = True
    git_check: bool = True


if __name__ == "__main__":
    runner(LearningRateABTest, LearningRateABTestConfig)
