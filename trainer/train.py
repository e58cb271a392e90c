"""The training loop, top to bottom: evaluate, collect a rollout, update the policy, log, save a checkpoint.

Reads like the paper; each part is in the module of its name. Knows nothing of Hydra or of the command line.
"""

from contextlib import ExitStack
from pathlib import Path

from trainer import keeping
from trainer.collector import open_collector
from trainer.config import Config
from trainer.evaluate import evaluate_all
from trainer.experience import follow_curriculum, measure
from trainer.kickstart import with_teacher
from trainer.learn import update_policy
from trainer.metrics import METRICS, MetricsFile, Progress
from trainer.profiler import Timings, trace_update
from trainer.ranks import Ranks
from trainer.resume import TrainState, checkpoint_of, current_state, restore
from trainer.stop import Stop, Stopped
from trainer.tracking import BEST, CHECKPOINT, REPLAY, Tracker
from trainer.training import Training, load_initial_policy, prepare


def train(config: Config, ranks: Ranks, stop: Stop, tracker: Tracker) -> None:
    """Train until `total_timesteps`, from the run's checkpoint if there is one. Raises `Stopped` after a signal."""
    with ExitStack() as stack:
        run = prepare(config, ranks, stop, stack)
        state = restore(run)
        if not state.resumed:
            load_initial_policy(run)
        run = with_teacher(run, state.step)
        collector = open_collector(run, stack)
        total = run.layout.total(config.trainer.total_timesteps, done=state.step)
        progress = stack.enter_context(open_progress(run, tracker, state, total)) if ranks.is_first else None

        while True:
            if progress and is_evaluation_due(run, state.step, total) and progress.last_evaluation != state.step:
                evaluate_policy(run, state, progress)
            if state.step >= total:
                break
            timings = Timings()
            with trace_update(config.trainer.profiler, state.update):
                rollout = collector.next(timings)
                if ranks.any(rollout is None):
                    save_checkpoint(run, state, progress)
                    raise Stopped(stop.exit_code)
                assert rollout is not None
                curriculum, figures = follow_curriculum(run, state.curriculum)
                figures |= measure(run, rollout.reward_TN)
                acting = collector.go_on()
                with timings.measure("learn"):
                    figures |= update_policy(run, rollout, state.step)
            state = current_state(run, state.step + run.layout.samples, state.update + 1, curriculum, acting)
            if progress:
                progress.log(state.step, {**figures, **timings.metrics(run.layout.samples)})
            if state.step >= total or is_checkpoint_due(run, state.step):
                save_checkpoint(run, state, progress)

        if progress and progress.last_evaluation != state.step:
            raise Stopped(stop.exit_code)  # a signal cut the last evaluation short; the next launch repeats it


def evaluate_policy(run: Training, state: TrainState, progress: Progress) -> None:
    """Evaluate the current policy, with a replay of each suite's first episode where the environment has replays."""
    step = state.step
    simulation = run.config.trainer.simulation
    replay = Path(simulation.replay_dir) / f"step_{step:012d}.json.z" if simulation.write_replays else None
    evaluation = evaluate_all(run.policy, run.config.curriculum, run.config.sim, run.stop, replay=replay)
    if evaluation is not None:
        keep_best_checkpoint(run, state, evaluation.figures, progress)  # first: a logged evaluation is not repeated
        progress.log(step, evaluation.figures)
        for path in evaluation.replays:
            progress.keep(REPLAY, path)


def is_evaluation_due(run: Training, step: int, total: int) -> bool:
    """Whether to evaluate now: before training, after it, and after every `evaluate_interval` samples."""
    interval = run.config.trainer.simulation.evaluate_interval
    return step in (0, total) or is_multiple_passed(interval, step, run.layout.samples)


def is_checkpoint_due(run: Training, step: int) -> bool:
    """Whether the last update reached or passed a multiple of the checkpoint interval."""
    return is_multiple_passed(run.config.trainer.checkpoint.interval, step, run.layout.samples)


def is_multiple_passed(interval: int, step: int, samples: int) -> bool:
    """Whether the last `samples` steps reached or passed a multiple of `interval`."""
    return interval > 0 and step // interval > (step - samples) // interval


def save_checkpoint(run: Training, state: TrainState, progress: Progress | None) -> None:
    """Write a checkpoint of the run with this rank's `state`. All ranks take part, the first one writes."""
    states = run.ranks.gather(state)
    if progress:
        whole, is_due = checkpoint_of(run, states, progress.elapsed), is_checkpoint_due(run, state.step)
        progress.keep(CHECKPOINT, keeping.save(run.config.trainer.checkpoint, whole, is_due=is_due))


def keep_best_checkpoint(run: Training, state: TrainState, figures: dict[str, float], progress: Progress) -> None:
    """Write the best checkpoint anew if this evaluation is the best so far. Of several ranks, it has the first's state.

    A run that starts from it on several ranks begins its episodes anew.
    """
    path = keeping.keep_best(
        run.config.trainer.checkpoint, figures, lambda: checkpoint_of(run, [state], progress.elapsed)
    )
    if path is not None:
        progress.keep(BEST, path)


def open_progress(run: Training, tracker: Tracker, state: TrainState, total: int) -> Progress:
    """Continue the run's metrics file from its state; begin a new file if the run is new."""
    keeping.prune(run.config.trainer.checkpoint)
    file = MetricsFile(Path(run.config.run_dir) / METRICS, step=state.step if state.resumed else None)
    printed = ("reward", *run.environments.spec.infos, "loss", "entropy")
    return Progress(file, tracker, total_steps=total, elapsed=state.elapsed, printed=printed)
