"""Evaluates a trained policy: `python -m trainer.evaluate_policy policy=<address> run_name=<name> [key=value …]`.

The metrics file gets one line, at the step that the policy was trained for. Exit codes: 0 evaluated, 1 error, 143
stopped by SIGTERM, 130 by ^C; the next launch evaluates anew. Imports torch only after the config is checked.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from trainer import command
from trainer.agent_config import AgentConfig
from trainer.curriculum_config import CurriculumConfig
from trainer.errors import TrainerError
from trainer.evaluation_config import EvaluationConfig
from trainer.learner_config import Precision

if TYPE_CHECKING:
    import torch

    from trainer.agent import Policy
    from trainer.ranks import Ranks
    from trainer.stop import Stop
    from trainer.tracking import Tracker


def launch(config: EvaluationConfig) -> int:
    """Evaluate, and return the exit code."""

    def work(joined: "Ranks", stop: "Stop", tracker: "Tracker") -> None:
        if command.is_first(joined):  # episodes are few: one process has them all
            evaluate_policy(config, joined.device, stop, tracker)

    return command.do_share(config, work, stopped="the next launch evaluates anew")


def evaluate_policy(
    config: EvaluationConfig, device: "torch.device", stop: "Stop", tracker: "Tracker"
) -> dict[str, float]:
    """The figures of every suite, which are logged. Raises `TrainerError`, and `Stopped` after a signal."""
    import torch

    from trainer.evaluate import evaluate_all
    from trainer.metrics import METRICS, MetricsFile, Progress
    from trainer.stop import Stopped
    from trainer.tracking import REPLAY

    torch.set_num_threads(config.torch_threads)
    policy, curriculum, step = load(config)
    policy.to(device)
    replay = Path(config.replay_dir) / f"step_{step:012d}.json.z" if config.replay_dir else None
    file = MetricsFile(Path(config.run_dir) / METRICS, step=None)
    with Progress(file, tracker, total_steps=step, elapsed=0.0) as progress:
        evaluation = evaluate_all(policy, curriculum, config.sim, stop, replay=replay)
        if evaluation is None:
            raise Stopped(stop.exit_code)
        progress.log(step, evaluation.figures)
        for path in evaluation.replays:
            progress.keep(REPLAY, path)
    return evaluation.figures


def load(config: EvaluationConfig) -> "tuple[Policy, CurriculumConfig, int]":
    """The policy, what it was trained on, and for how many samples. Raises `TrainerError`, also for unfit suites."""
    from trainer import checkpoint
    from trainer.agent import Policy
    from trainer.envs import spec_of
    from trainer.envs.episodes import extremes

    state = checkpoint.checkpoint_at(config.policy)
    try:
        trained = state["config"]
        curriculum = CurriculumConfig.from_dict(trained["curriculum"])
        config.sim.refuse_unlike(curriculum)
        spec = spec_of(extremes(curriculum), extremes(curriculum))
        agent, precision = AgentConfig.from_dict(trained["agent"]), trained["trainer"].get("precision", "float32")
        policy = Policy(spec.observations, spec.actions, agent, Precision(precision))
        policy.load_state_dict(state["policy"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise TrainerError(f"the policy at {config.policy} can't be evaluated so\n{error}") from error
    return policy, curriculum, state["step"]


def main() -> None:
    command.main(EvaluationConfig, "evaluation", launch)


if __name__ == "__main__":
    main()
