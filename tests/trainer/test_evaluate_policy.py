"""`python -m trainer.evaluate_policy`: the figures of a policy that was trained before, and exit codes."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.test_trainer_cli import finished, until
from trainer.config import SimConfig, WandbConfig
from trainer.errors import TrainerError
from trainer.evaluate_policy import evaluate_policy
from trainer.evaluation_config import EvaluationConfig
from trainer.metrics import METRICS, read
from trainer.stop import Stop, Stopped
from trainer.tracking import NullTracker

CPU = torch.device("cpu")
COMMAND = ("-m", "trainer.evaluate_policy")


def evaluation(folder: Path, policy: Path | str, sim: SimConfig, **fields: Any) -> EvaluationConfig:
    return EvaluationConfig(run_name="final", data_dir=str(folder), run_dir=str(folder / "final"), policy=str(policy),
                            sim=sim, wandb=WandbConfig(mode="off"), **fields)  # fmt: skip


@pytest.fixture
def trained(runs) -> tuple[Any, list[dict[str, Any]]]:
    """The config of a run that has ended, and its metrics."""
    config = runs.config()
    return config, runs.train(config)


def test_a_policy_has_the_figures_that_its_training_ended_with(runs, trained):
    """The same episodes, the same numbers; at the step of the policy, in a metrics file of its own."""
    config, lines = trained
    folder = Path(config.trainer.checkpoint.checkpoint_dir)
    figures = evaluate_policy(evaluation(runs.folder, folder, config.sim), CPU, Stop(), NullTracker())
    (line,) = read(runs.folder / "final" / METRICS)
    assert line["metrics"] == figures == lines[-1]["metrics"]
    assert (line["step"], line["total_steps"]) == (1024, 1024)
    assert not list((runs.folder / "final").glob("**/*.json.z"))


def test_suites_have_figures_and_replays_of_their_own(runs, trained):
    config, _ = trained
    sim = SimConfig(episodes=2, suites={"near": {}, "far": {"width": 10, "height": 10}})
    asked = evaluation(runs.folder, config.trainer.checkpoint.checkpoint_dir, sim,
                       replay_dir=str(runs.folder / "replays"))  # fmt: skip
    figures = evaluate_policy(asked, CPU, Stop(), NullTracker())
    assert set(figures) == {f"eval/{suite}/{name}" for suite in ("near", "far") for name in ("hearts", "reward")}
    replays = {path.name for path in (runs.folder / "replays").iterdir()}
    assert replays == {"step_000000001024_near.json.z", "step_000000001024_far.json.z"}


def test_after_a_signal_nothing_is_logged(runs, trained):
    config, _ = trained
    stop = Stop()
    stop.on_signal(signal.SIGTERM)
    asked = evaluation(runs.folder, config.trainer.checkpoint.checkpoint_dir, config.sim)
    with pytest.raises(Stopped) as stopped:
        evaluate_policy(asked, CPU, stop, NullTracker())
    assert stopped.value.exit_code == 143
    assert read(runs.folder / "final" / METRICS) == []


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        ({"observe": "tokens"}, "sim.suites.other is observed in another way"),
        ({"kind": "gymnasium", "gymnasium_id": "CartPole-v1"}, "can't be evaluated so"),
        ({"laseries": 1, "combat": True}, "a policy can't see what its training does not have"),
    ],
)
def test_a_suite_that_the_policy_can_not_be_evaluated_in_is_refused(runs, trained, suite, message):
    config, _ = trained
    sim = SimConfig(episodes=2, suites={"other": suite})
    asked = evaluation(runs.folder, config.trainer.checkpoint.checkpoint_dir, sim)
    with pytest.raises(TrainerError, match=message):
        evaluate_policy(asked, CPU, Stop(), NullTracker())


@pytest.mark.slow
def test_the_command_evaluates_and_says_so_by_its_exit_code(start, tmp_path: Path):
    """A policy at its best, by the name of its file; a suite by its name; an error in one line."""
    code, said = finished(start("trainer.checkpoint.best_metric=eval/reward", "wandb=off"))
    assert code == 0, said
    best = tmp_path / "tiny" / "checkpoints" / "best.pt"
    code, said = finished(start(f"policy={best}", "sim.episodes=2", launcher=COMMAND, run=("run_name=final",)))
    assert code == 0, said
    (line,) = [json.loads(text) for text in (tmp_path / "final" / "metrics.jsonl").read_text().splitlines()]
    assert line["step"] == torch.load(best, weights_only=True)["step"]
    assert "eval/hearts" in said
    second = {"SKYPILOT_NODE_RANK": "1"}  # a node that has its work done by the first
    code, said = finished(start(f"policy={best}", launcher=COMMAND, run=("run_name=second",), **second))
    assert (code, (tmp_path / "second").exists()) == (0, False), said

    code, said = finished(start("policy=nowhere.pt", launcher=COMMAND, run=("run_name=other",)))
    assert (code, said.splitlines()[-1]) == (1, "error: there is no checkpoint at nowhere.pt")
    code, said = finished(start(f"policy={best}", "sim=areno", launcher=COMMAND, run=("run_name=other",)))
    assert code == 1
    assert "areno" in said

    long = start(f"policy={best}", "sim.episodes=20000", launcher=COMMAND, run=("run_name=long",))
    until(lambda: (tmp_path / "long" / "metrics.jsonl").exists() or long.poll() is not None)
    long.send_signal(signal.SIGTERM)
    code, said = finished(long)
    assert (code, "stopped; the next launch evaluates anew" in said) == (143, True), said
