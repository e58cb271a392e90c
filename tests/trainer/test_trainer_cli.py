"""`python -m trainer`, as a job runs it: exit codes, signals, several processes, W&B offline."""

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from omegaconf import OmegaConf

from trainer.command import validate
from trainer.config import Config

TIMEOUT = 240


def metrics(folder: Path) -> list[dict[str, Any]]:
    path = folder / "tiny" / "metrics.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def finished(process: "subprocess.Popen[str]") -> tuple[int, str]:
    out, err = process.communicate(timeout=TIMEOUT)
    return process.returncode, out + err


def until(condition: Any) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_leaves_its_results_and_nothing_else(start, tmp_path: Path):
    """Metrics, checkpoints, replays, a W&B run under the id that the job was given. Hydra writes no logs."""
    code, said = finished(
        start("wandb.mode=offline", WANDB_RUN_ID="tiny-1", WANDB_RESUME="allow", WANDB_MODE="offline")
    )
    assert code == 0, said
    assert metrics(tmp_path)[-1]["step"] == 1024
    assert "1,024 / 1,024  100%" in said
    assert {path.name for path in (tmp_path / "tiny").iterdir()} == {"metrics.jsonl", "checkpoints", "replays", "wandb"}
    assert {path.name for path in tmp_path.iterdir()} == {"configs", "tiny"}
    (folder,) = (tmp_path / "tiny" / "wandb").glob("offline-run-*-tiny-1")
    assert (folder / "run-tiny-1.wandb").stat().st_size > 0


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("trainer.batch_size=100", "TrainerConfig: Value error, minibatch_size (64) must divide batch_size (100)"),
        ("trainer.optimizer.type=sgd", "expected one of [adam, muon]"),
    ],
)
def test_an_invalid_config_is_explained_without_a_traceback(start, tmp_path: Path, override: str, said: str):
    code, output = finished(start(override))
    assert code == 1
    assert said in output
    assert "Traceback" not in output
    assert not (tmp_path / "tiny").exists()


@pytest.mark.slow
def test_where_torch_cannot_compile_the_error_says_what_to_do(start, tmp_path: Path):
    """On a CPU torch needs a C++ compiler."""
    code, said = finished(
        start("trainer.compile=true", CXX=str(tmp_path / "none"), TORCHINDUCTOR_CACHE_DIR=str(tmp_path / "cache"))
    )
    assert code == 1
    assert "error: torch.compile failed: " in said
    assert "trainer.compile=false" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_terminated_run_leaves_a_checkpoint_and_the_next_launch_goes_on(start, tmp_path: Path):
    process = start("trainer.total_timesteps=1000000")
    until(lambda: len(metrics(tmp_path)) > 3)
    process.send_signal(signal.SIGTERM)
    code, said = finished(process)
    assert code == 143, said
    done = metrics(tmp_path)[-1]["step"]
    code, said = finished(start(f"trainer.total_timesteps={done + 256}"))
    assert code == 0, said
    assert "resuming tiny at step" in said
    assert metrics(tmp_path)[-1]["step"] == done + 256


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_workers_do_not_outlive_the_trainer(start, tmp_path: Path, number: int, code: int):
    process = start("trainer.total_timesteps=1000000", "trainer.num_workers=2")
    until(lambda: len(metrics(tmp_path)) > 1)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    returned, said = finished(process)
    assert returned == code, said
    assert "Traceback" not in said
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["fast", "lstm"])
def test_two_processes_train_as_one_run(start, tmp_path: Path, agent: str):
    """The same updates in the same number of samples; one of them writes, and both resume."""
    together = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "trainer")
    code, said = finished(start(f"agent={agent}", launcher=together))
    assert code == 0, said
    assert [line["step"] for line in metrics(tmp_path)] == [0, 256, 512, 768, 1024, 1024]
    code, said = finished(start(f"agent={agent}", "trainer.total_timesteps=1280", launcher=together))
    assert code == 0, said
    assert said.count("resuming tiny at step 1,024") == 1
    assert metrics(tmp_path)[-1]["step"] == 1280


@pytest.mark.slow
def test_two_processes_follow_one_curriculum(start, tmp_path: Path):
    """Both draw by the results of both."""
    together = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "trainer")
    tasks = ["+curriculum.tasks={few: {}, many: {walls: 3}}", "curriculum.draw.rule=learning_progress"]
    code, said = finished(start(*tasks, launcher=together))
    assert code == 0, said
    shares = [line["metrics"].get("curriculum/few/share", 0) for line in metrics(tmp_path)]
    assert 0 < max(shares) < 1
    assert metrics(tmp_path)[-2]["metrics"]["curriculum/few/weight"] > 0


def test_a_root_config_without_the_schema_is_refused():
    """`configs/config.yaml` is the user's file: its mistakes are explained, under `python -O` too."""
    with pytest.raises(SystemExit, match="root_schema is not among its defaults"):
        validate(OmegaConf.create({"run_name": "x"}), Config, "config")
