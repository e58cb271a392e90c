"""The training loop, top to bottom: evaluate, act, learn, tell, keep.

Reads like the paper; what each part does is in the module of its name. Knows nothing of Hydra or of the command line.
"""

import time
from contextlib import ExitStack
from pathlib import Path

from trainer import checkpoint
from trainer.config import Config
from trainer.evaluate import evaluate
from trainer.learn import update_policy
from trainer.metrics import METRICS, MetricsFile, Progress
from trainer.profiler import traced
from trainer.ranks import Ranks
from trainer.resume import TrainState, place, restored, saved
from trainer.rollout import collect
from trainer.stop import Stop, Stopped
from trainer.tracking import Tracker
from trainer.training import Training, load_initial_policy, prepare


def train(config: Config, ranks: Ranks, stop: Stop, tracker: Tracker) -> None:
    """Train until `total_timesteps`, from the run's checkpoint where there is one. Raises `Stopped` when asked to."""
    with ExitStack() as stack:
        run = prepare(config, ranks, stop, stack)
        at = restored(run)
        if not at.resumed:
            load_initial_policy(run)
        total = run.layout.total(config.trainer.total_timesteps, done=at.step)
        progress = stack.enter_context(open_progress(run, tracker, at, total)) if ranks.is_first else None

        while True:
            if progress and evaluation_due(run, at.step, total) and progress.last_evaluation != at.step:
                evaluate_policy(run, at.step, progress)
            if at.step >= total:
                break
            began = time.perf_counter()
            with traced(config.trainer.profiler, at.update):
                rollout = collect(run.policy, run.environments, run.layout.steps, run.generator, stop)
                if ranks.any(rollout is None):
                    save_checkpoint(run, at, progress)
                    raise Stopped(stop.exit_code)
                assert rollout is not None
                figures = update_policy(run, rollout)
            at = place(run, at.step + run.layout.samples, at.update + 1)
            if progress:
                progress.log(at.step, {**figures, "sps": run.layout.samples / (time.perf_counter() - began)})
            if at.step >= total or passed(config.trainer.checkpoint.interval, at.step, run.layout.samples):
                save_checkpoint(run, at, progress)

        if progress and progress.last_evaluation != at.step:
            raise Stopped(stop.exit_code)  # asked during the last evaluation, which the next launch makes up for


def evaluate_policy(run: Training, step: int, progress: Progress) -> None:
    """Evaluate the policy as it is, with a replay of the first episode."""
    simulation = run.config.trainer.simulation
    replay = Path(simulation.replay_dir) / f"step_{step:012d}.json.z" if simulation.write_replays else None
    figures = evaluate(run.policy, run.config.curriculum, run.config.sim, run.stop, replay=replay)
    if figures is not None:
        progress.log(step, figures)


def evaluation_due(run: Training, step: int, total: int) -> bool:
    """Before training, after it, and whenever another `evaluate_interval` samples are behind us."""
    return step in (0, total) or passed(run.config.trainer.simulation.evaluate_interval, step, run.layout.samples)


def passed(interval: int, step: int, samples: int) -> bool:
    """Whether the last `samples` led past a multiple of `interval`."""
    return interval > 0 and step // interval > (step - samples) // interval


def save_checkpoint(run: Training, at: TrainState, progress: Progress | None) -> None:
    """Write a checkpoint of the run as it was at `at`. All ranks take part, the first one writes."""
    places = run.ranks.gather(at)
    if progress:
        folder = Path(run.config.trainer.checkpoint.checkpoint_dir)
        checkpoint.save(folder, saved(run, places, progress.elapsed))


def open_progress(run: Training, tracker: Tracker, at: TrainState, total: int) -> Progress:
    """Go on with the run's metrics from its place; from nothing, where the run begins."""
    file = MetricsFile(Path(run.config.run_dir) / METRICS, step=at.step if at.resumed else None)
    return Progress(file, tracker, total_steps=total, elapsed=at.elapsed)
