"""A search whose apply is killed at random instants: each trial is launched once, none is lost, the best is the same.

The real command line, the local backend and Optuna. The trial itself counts how often it was begun.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

WORK = """
import json, math, os, time
with open(os.environ["BEGUN"], "a") as file:
    file.write(os.environ["EXPIAC_INSTANCE"] + "\\n")
rate = float(os.environ["RATE"])
time.sleep(0.3)
with open("metrics.jsonl", "w") as file:
    print(json.dumps({"step": 1, "score": 10 - (math.log10(rate) + 3) ** 2}), file=file)
"""
STACK = """
from expiac import Job, Search, SkypilotJobConfig, Stack, Sweep, Uniform

def stack():
    place = SkypilotJobConfig(gpus=0, workdir=None, envs={{"RATE": "0.1", "BEGUN": "{begun}"}})
    job = Job("train", run="{python} {work}", skypilot=place, outputs={{"metrics": "metrics.jsonl"}})
    search = Search(trials={trials}, space={{"RATE": Uniform(1e-5, 1, log=True)}}, max_concurrent={live})
    return Stack("small", [Sweep("lr", job, search, metric="score")])
"""


class Search:
    """A search in a project of its own."""

    def __init__(self, root: Path, machine: Path, *, trials: int, live: int) -> None:
        self.root, self.begun = root, root / "begun.txt"
        (root / "stacks").mkdir(parents=True)
        (root / "pyproject.toml").write_text("[tool.expiac]\n")
        (root / "work.py").write_text(WORK)
        (root / "stacks" / "small.py").write_text(STACK.format(
            begun=self.begun, python=sys.executable, work=root / "work.py", trials=trials, live=live))
        self.words = ("apply", "small", "--yes", "--wait")
        self._env = {**os.environ, "EXPIAC_LOCAL_MACHINE": str(machine), "EXPIAC_LOCAL_CPUS": "4",
                     "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}

    def begin(self) -> subprocess.Popen[bytes]:
        """A command that drives the search, on its way."""
        return subprocess.Popen([sys.executable, "-m", "expiac", *self.words], cwd=self.root, env=self._env,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def continue_by_watching(self) -> None:
        """Approves the search and begins its first trials; from now on a watch drives it."""
        self.words = ("apply", "small", "--yes")
        self.finish()
        self.words = ("status", "small", "--watch", "--continue")

    def await_news(self, apply: subprocess.Popen[bytes]) -> None:
        """Until the apply has recorded something, or has ended."""
        before, until = self._size(), time.monotonic() + 60
        while self._size() == before and apply.poll() is None:
            assert time.monotonic() < until, "nothing was recorded"
            time.sleep(0.005)

    def _size(self) -> int:
        journal = self.root / ".expiac" / "small.jsonl"
        return journal.stat().st_size if journal.exists() else 0

    def finish(self) -> None:
        """A command that drives it to its end."""
        done = self.begin()
        _, errors = done.communicate(timeout=240)
        assert done.returncode == 0, errors.decode()

    def results(self) -> dict[str, tuple[float, float]]:
        """The value of the setting and the outcome of each trial."""
        lines = [json.loads(line) for line in (self.root / ".expiac" / "small.jsonl").read_text().splitlines()[1:]]
        bodies = [(line["event"], line["body"]) for line in lines]
        rates = {body["address"]: body["trial"]["RATE"] for event, body in bodies
                 if event == "started" and body["effect"] == "create"}
        return {body["address"]: (rates[body["address"]], body["outcome"]["values"][0]) for event, body in bodies
                if event == "told"}


def _kill_at_random(search: Search, kills: int, seed: int) -> int:
    """Kills the command so often, each time after a random while; gives how many were alive when they were killed."""
    chance, killed = random.Random(seed), 0
    for _ in range(kills):
        apply = search.begin()
        if chance.random() < 0.8:
            search.await_news(apply)
        time.sleep(chance.uniform(0, 0.8))
        if apply.poll() is None:
            os.kill(apply.pid, signal.SIGKILL)
            killed += 1
        apply.communicate(timeout=60)
    return killed


def _check(search: Search, trials: int) -> None:
    begun = search.begun.read_text().splitlines()
    assert len(begun) == len(set(begun)) == trials
    assert sorted(search.results()) == sorted(f"lr/trial_{number}" for number in range(trials))


def test_killed_a_few_times(tmp_path: Path) -> None:
    search = Search(tmp_path / "project", tmp_path / "machine", trials=8, live=2)
    _kill_at_random(search, 5, seed=1)
    search.finish()
    _check(search, 8)


def test_a_watch_that_goes_on_is_killed_a_few_times(tmp_path: Path) -> None:
    search = Search(tmp_path / "project", tmp_path / "machine", trials=8, live=2)
    search.continue_by_watching()
    assert _kill_at_random(search, 5, seed=2) >= 3
    search.finish()
    _check(search, 8)


@pytest.mark.soak
def test_a_watch_that_goes_on_is_killed_at_thirty_random_instants(tmp_path: Path) -> None:
    search = Search(tmp_path / "project", tmp_path / "machine", trials=40, live=3)
    search.continue_by_watching()
    _kill_at_random(search, 30, seed=3)
    search.finish()
    _check(search, 40)


@pytest.mark.soak
@pytest.mark.parametrize(("live", "trials"), [(1, 20), (4, 100)])
def test_killed_at_thirty_random_instants(tmp_path: Path, live: int, trials: int) -> None:
    """With one trial at a time, the whole sequence is that of a search which nobody kills."""
    search = Search(tmp_path / "killed", tmp_path / "machine", trials=trials, live=live)
    killed = _kill_at_random(search, 30, seed=live)
    done = len(search.results())
    search.finish()
    _check(search, trials)
    print(f"{killed} kills, {done} trials done by then")
    assert killed == 30
    if live == 1:
        whole = Search(tmp_path / "whole", tmp_path / "machine_2", trials=20, live=1)
        whole.finish()
        assert search.results() == whole.results()
        assert max(value for _, value in search.results().values()) > 9.5
