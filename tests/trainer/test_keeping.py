"""The best checkpoint and the history: which checkpoints are kept beside the latest, whenever the process dies."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from tests.trainer.composing import composed
from trainer import checkpoint, keeping
from trainer.config import CheckpointConfig, SimulationConfig
from trainer.evaluate import evaluate_all
from trainer.keeping import BEST, kept, name_of
from trainer.stop import Stop, Stopped
from trainer.training import prepare

HEARTS = "eval/hearts"


def config(folder: Path, **fields: Any) -> CheckpointConfig:
    return CheckpointConfig(checkpoint_dir=str(folder), interval=10, **fields)


def state(step: int) -> dict[str, Any]:
    return {"step": step, "policy": {"w": torch.full((1000,), float(step))}}


def evaluated(where: CheckpointConfig, step: int, figure: float) -> Path | None:
    return keeping.keep_best(where, {HEARTS: figure, "eval/reward": -figure}, lambda: state(step))


def best_step(folder: Path) -> int:
    step: int = checkpoint.read(folder / BEST)["step"]
    return step


def history(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix("step_")) for path in folder.glob("step_*.pt"))


@pytest.mark.parametrize(("mode", "expected"), [("max", 20), ("min", 30)])
def test_the_best_is_by_the_figure_and_the_direction(tmp_path: Path, mode: str, expected: int):
    """Of equal figures the first stays."""
    where = config(tmp_path, best_metric=HEARTS, best_mode=mode)
    for step, figure in ((10, 2.0), (20, 5.0), (30, 1.0), (40, 5.0), (50, 1.0)):
        evaluated(where, step, figure)
    assert best_step(tmp_path) == expected


def test_another_figure_compares_by_what_the_best_had_of_it(tmp_path: Path):
    evaluated(config(tmp_path, best_metric=HEARTS), 10, 5.0)
    by_reward = config(tmp_path, best_metric="eval/reward")
    assert evaluated(by_reward, 20, 6.0) is None
    assert evaluated(by_reward, 30, 4.0) is not None


@pytest.mark.parametrize(("mode", "expected"), [("max", 20), ("min", 30)])
def test_without_a_best_metric_the_best_is_by_the_reward_in_the_first_suite(tmp_path: Path, mode: str, expected: int):
    where = config(tmp_path, best_mode=mode)
    for step, reward in ((10, 2.0), (20, 3.0), (30, 1.0)):
        figures = {"eval/walls/hearts": 0.0, "eval/walls/reward": reward, "eval/open/reward": -reward}
        keeping.keep_best(where, figures, lambda step=step: state(step))
    assert best_step(tmp_path) == expected


def test_a_damaged_best_gives_way_to_the_next_evaluation(tmp_path: Path, capsys):
    where = config(tmp_path, best_metric=HEARTS)
    evaluated(where, 10, 5.0)
    (tmp_path / BEST).write_bytes(b"nothing")
    evaluated(where, 20, 1.0)
    assert best_step(tmp_path) == 20
    assert "is damaged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("last", "every", "expected"),
    [
        (None, 0, set()),
        (2, 0, {41, 51}),
        (None, 20, {21, 41}),
        (1, 20, {21, 41, 51}),
        (9, 0, {11, 21, 31, 41, 51}),
        (None, 100, set()),
    ],
)
def test_the_rule_of_the_history(last: int | None, every: int, expected: set[int]):
    steps = {11, 21, 31, 41, 51}
    assert kept(steps, last=last, every=every) == expected
    assert kept(expected, last=last, every=every) == expected


def test_the_history_has_what_the_rule_keeps_while_it_grows(tmp_path: Path):
    """Pruning step by step leaves what one pruning at the end would leave; the latest is a file of the history."""
    where = config(tmp_path, keep_last=2, keep_every=20)
    for step in (10, 20, 30, 40, 50):
        keeping.save(where, state(step), is_due=True)
    assert history(tmp_path) == [20, 40, 50]
    assert (tmp_path / name_of(50)).samefile(tmp_path / checkpoint.LATEST)
    assert checkpoint.checkpoint_at(str(tmp_path / name_of(20)))["step"] == 20


def test_a_checkpoint_that_is_not_due_is_no_part_of_the_history(tmp_path: Path):
    """Such as that of a run which got a signal; else the history would depend on when runs were stopped."""
    where = config(tmp_path, keep_last=3)
    keeping.save(where, state(10), is_due=True)
    keeping.save(where, state(13), is_due=False)
    keeping.save(where, state(0), is_due=True)
    assert history(tmp_path) == [10]


def test_without_a_rule_there_is_no_history_and_none_is_removed(tmp_path: Path):
    keeping.save(config(tmp_path, keep_last=1), state(10), is_due=True)
    keeping.save(config(tmp_path), state(20), is_due=True)
    assert history(tmp_path) == [10]


KILLED = """\
import os, signal, sys
from pathlib import Path
from tests.trainer.test_keeping import config, evaluated, keeping, state

folder, effects = Path(sys.argv[1]), int(sys.argv[2])

def dying(name):
    real = getattr(os, name)
    def call(*args, **kwargs):
        global effects
        effects -= 1
        if effects < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)
    setattr(os, name, call)

for name in ("link", "replace", "fsync", "unlink"):
    dying(name)
where = config(folder, best_metric="eval/hearts", keep_last=1, keep_every=20)
for step in (10, 20, 30):
    keeping.save(where, state(step), is_due=True)
    evaluated(where, step, float(step))
print("survived")
"""


@pytest.mark.slow
def test_whenever_the_process_is_killed_every_file_is_whole_and_nothing_is_missed(tmp_path: Path):
    """After a kill -9 before any effect on the folder, the run that goes on ends with the files of one never killed."""
    root = Path(__file__).parents[2]
    where = config(tmp_path, best_metric=HEARTS, keep_last=1, keep_every=20)
    for effects in range(200):
        folder = tmp_path / str(effects)
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(folder), str(effects)],
            capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
        for path in folder.glob("*.pt"):
            checkpoint.read(path)
        latest = checkpoint.load(folder)
        done = latest["step"] if latest else 0
        here = replace(where, checkpoint_dir=str(folder))
        keeping.prune(here)
        for step in (step for step in (10, 20, 30) if step >= done):
            if step > done:
                keeping.save(here, state(step), is_due=True)
            evaluated(here, step, float(step))
        assert history(folder) == [20, 30]
        assert best_step(folder) == 30
        assert {path.name for path in folder.iterdir()} == {
            "latest.pt", "previous.pt", BEST, name_of(20), name_of(30),
        }  # fmt: skip
        if "survived" in killed.stdout:
            assert effects > 20
            return
    raise AssertionError("each of the kills came")


def with_keeping(runs: Any, name: str, **fields: Any) -> Any:
    made = runs.config(name)
    made.trainer.checkpoint = CheckpointConfig(
        checkpoint_dir=made.trainer.checkpoint.checkpoint_dir, interval=256, **fields
    )
    made.trainer.simulation = SimulationConfig(
        replay_dir=made.trainer.simulation.replay_dir, evaluate_interval=256, write_replays=False
    )
    return made


class StopAt(Stop):
    """Asks to stop as soon as the run has a checkpoint of this step."""

    def __init__(self, folder: Path, step: int) -> None:
        super().__init__()
        self._folder, self._step = folder, step

    @property
    def is_requested(self) -> bool:
        found = checkpoint.load(self._folder)
        return found is not None and found["step"] >= self._step


@pytest.mark.slow
def test_a_run_keeps_its_best_and_its_history_over_a_stop(runs):
    """The best is the policy of the best line on file, bit for bit that of a run which was never stopped."""
    fields = {"best_metric": "eval/reward", "keep_last": 2, "keep_every": 512}
    lines = runs.train(with_keeping(runs, "whole", **fields))
    parted = with_keeping(runs, "parted", **fields)
    folder = Path(parted.trainer.checkpoint.checkpoint_dir)
    with pytest.raises(Stopped):
        runs.train(parted, stop=StopAt(folder, 512))
    runs.train(parted)

    best = checkpoint.read(folder / BEST)
    evaluations = {line["step"]: line["metrics"]["eval/reward"] for line in lines if "eval/reward" in line["metrics"]}
    assert best["step"] == max(evaluations, key=lambda step: evaluations[step])
    whole = folder.parent.parent / "whole" / "checkpoints"
    never_stopped = checkpoint.read(whole / BEST)
    assert all(torch.equal(best["policy"][name], value) for name, value in never_stopped["policy"].items())
    assert history(folder) == history(whole) == [512, 768, 1024]


def test_an_evaluation_has_the_figures_that_a_best_metric_may_name(runs):
    from contextlib import ExitStack

    from trainer.ranks import Ranks

    made = runs.config()
    with ExitStack() as stack:
        run = prepare(made, Ranks(0, 1, torch.device("cpu")), Stop(), stack)
        evaluation = evaluate_all(run.policy, made.curriculum, made.sim, run.stop)
    assert evaluation is not None
    assert set(evaluation.figures) == set(made.sim.figures_of(made.curriculum))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"keep_every": 5}, r"keep_every \(5\) is less than interval \(10\)"),
        ({"keep_last": 0}, "greater than or equal to 1"),
        ({"best_metric": HEARTS, "best_mode": "largest"}, "'max' or 'min'"),
    ],
)
def test_a_setting_without_effect_is_refused(tmp_path: Path, fields: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        config(tmp_path, **fields)


@pytest.mark.parametrize(
    ("sim", "metric", "known"),
    [
        ("arena", "reward", "evaluations have eval/hearts, eval/reward"),
        ("arena_suites", "eval/hearts", "eval/basic/hearts, eval/basic/reward, eval/combat/hearts"),
    ],
)
def test_a_figure_that_no_evaluation_has_is_refused(tmp_path: Path, sim: str, metric: str, known: str):
    with pytest.raises(ValidationError, match=known):
        composed(tmp_path, "env/mettagrid/curriculum/arena/combat",
                 f"trainer.checkpoint.best_metric={metric}", sim=sim)  # fmt: skip


def test_what_is_not_named_may_still_come_from_configs():
    assert CheckpointConfig(best_mode="min").best_mode.value == "min"
    assert CheckpointConfig(keep_every=5).keep_every == 5
