"""kill -9 of a training process, again and again: it ends where an undisturbed one does, bit for bit."""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.test_training import figures
from trainer.metrics import METRICS, read

SETTINGS = (
    "agent=lstm",
    "agent.hidden_size=32",
    "trainer.batch_size=128",
    "trainer.minibatch_size=64",
    "trainer.checkpoint.interval=512",
    "sim.episodes=1",
)
CURRICULA = {
    "progressive": (
        "+curriculum.tasks={near: {}, walls: {walls: 3}, far: {width: 9, height: 9, max_steps: 31}}",
        "curriculum.draw={rule: progressive, threshold: 0.05, episodes: 8}",
    ),
    "bucketed": (
        "+curriculum.buckets={walls: {range: [0, 6], bins: 3}, width: {values: [6, 9]}}",
        "curriculum.draw={rule: learning_progress}",
    ),
    "progressive-async": (
        "+curriculum.tasks={near: {}, walls: {walls: 3}, far: {width: 9, height: 9, max_steps: 31}}",
        "curriculum.draw={rule: progressive, threshold: 0.05, episodes: 8}",
        "trainer.async_rollouts=true",
        "trainer.vtrace={rho_clip: 1.0, c_clip: 1.0}",
    ),
}
TIMEOUT = 240
Start = Callable[..., "subprocess.Popen[str]"]


def kill_after(process: "subprocess.Popen[str]", file: Path, step: int, delay: float) -> bool:
    """Kill the process `delay` seconds after it has logged `step` itself; False if it has ended before."""
    before = file.stat().st_ino if file.exists() else None
    deadline = time.monotonic() + TIMEOUT
    while process.poll() is None:
        assert time.monotonic() < deadline
        if file.exists() and file.stat().st_ino != before and any(line["step"] >= step for line in read(file)):
            break
        time.sleep(0.002)
    time.sleep(delay)
    process.kill()
    process.communicate(timeout=TIMEOUT)
    return process.returncode == -9


def finish(process: "subprocess.Popen[str]") -> None:
    _, said = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0, said


def state(folder: Path) -> dict[str, Any]:
    """All that a run leaves to go on from."""
    kept: dict[str, Any] = torch.load(folder / "checkpoints" / "latest.pt", weights_only=True)
    return kept


def is_same(one: Any, other: Any) -> bool:
    """Bit for bit, however deep."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def check(start: Start, folder: Path, curriculum: str, *, kills: int, updates: int, seed: int) -> None:
    """Kill a run `kills` times, each time at a random moment of a random update, and let it end then."""
    settings = (*SETTINGS, *CURRICULA[curriculum], f"trainer.total_timesteps={128 * updates}")
    finish(start(*settings, "run_name=unbroken"))
    unbroken = read(folder / "unbroken" / METRICS)
    seconds = unbroken[-2]["elapsed"] / updates
    rng = random.Random(seed)
    instants = sorted(rng.sample(range(1, updates - 2), kills))
    for update in instants:
        was_killed = kill_after(
            start(*settings), folder / "tiny" / METRICS, 128 * update, rng.uniform(0, seconds)
        )
        assert was_killed, f"seed {seed}: it had ended before update {update}"
    finish(start(*settings))
    assert figures(read(folder / "tiny" / METRICS)) == figures(unbroken), f"seed {seed}"
    ended, expected = state(folder / "tiny"), state(folder / "unbroken")
    differing = {name for name in expected if not is_same(ended[name], expected[name])}
    assert differing == {"elapsed", "config", "run_name"}, f"seed {seed}: {differing}"
    tasks = {name.split("/")[1] for line in unbroken for name in line["metrics"] if name.endswith("/return")}
    assert len(tasks) > 1, "the curriculum never left its first task"


@pytest.mark.slow
@pytest.mark.parametrize("curriculum", CURRICULA)
def test_a_run_that_was_killed_twice_ends_where_an_undisturbed_one_does(start, tmp_path: Path, curriculum: str):
    """With an LSTM: weights, optimizer, memories, episodes, random generators and the curriculum's scores."""
    check(start, tmp_path, curriculum, kills=2, updates=24, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("curriculum", CURRICULA)
def test_a_run_that_was_killed_twenty_times_ends_where_an_undisturbed_one_does(
    start, tmp_path: Path, curriculum: str
):
    """The seed of the moments is printed if it fails."""
    seed = random.randrange(10**6)
    print(f"{curriculum}: seed {seed}")
    check(start, tmp_path, curriculum, kills=20, updates=200, seed=seed)
