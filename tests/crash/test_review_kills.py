"""A review that is killed leaves each snapshot as it was or as it is accepted, whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STACK = """
from expiac import Job, SkypilotJobConfig, Stack

where = SkypilotJobConfig(gpus=0, workdir=None)
lab = Stack("lab", [Job(f"say_{n}", run="echo %s " + "x" * 20_000, skypilot=where) for n in range(60)])
"""
KILLS = 12


def review(project: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "expiac", "review", *words], cwd=project,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def texts(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((project / "snapshots" / "lab").glob("[!.]*"))}


def declare(project: Path, word: str) -> None:
    (project / "stacks" / "lab.py").write_text(STACK % word, encoding="utf-8")


@pytest.mark.slow
def test_a_killed_review_leaves_whole_files(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    declare(tmp_path, "old")
    assert review(tmp_path, "--accept").wait(120) == 0
    old = texts(tmp_path)
    declare(tmp_path, "new")
    new = {name: text.replace(b"echo old", b"echo new") for name, text in old.items()}
    seen = set()
    for _ in range(KILLS):
        process = review(tmp_path, "--accept")
        assert process.stdout is not None
        os.read(process.stdout.fileno(), 1)  # it has begun to write
        time.sleep(random.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        now = texts(tmp_path)
        assert now.keys() == old.keys()
        assert all(text in (old[name], new[name]) for name, text in now.items())
        seen.add(sum(now[name] == new[name] for name in now))
        for name, text in old.items():  # begins anew
            (tmp_path / "snapshots" / "lab" / name).write_bytes(text)
    assert any(0 < count < len(old) for count in seen), "a kill in the middle of the writing"
    assert review(tmp_path, "--accept").wait(120) == 0
    assert texts(tmp_path) == new
    assert review(tmp_path, "--check").wait(120) == 0
