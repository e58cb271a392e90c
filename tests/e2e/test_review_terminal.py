"""A review on a real terminal: an edit of a template that touches twenty configs is accepted with two keys."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from terminal import CTRL_C, Terminal

from expiac.cli import run

ROOT = Path(__file__).parents[2]
STACK = """
from expiac import Stack, TrainingJob, TrainingRunConfig

many = Stack("many", [TrainingJob(name=f"job_{n}", training=TrainingRunConfig(seed=n)) for n in range(20)])
"""


def make_project(folder: Path) -> Path:
    for name in ("templates", "configs"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "trainer").symlink_to(ROOT / "trainer")
    (folder / "stacks").mkdir()
    (folder / "stacks" / "many.py").write_text(STACK, encoding="utf-8")
    return folder


def test_twenty_configs_are_accepted_with_two_keys(tmp_path, monkeypatch):
    project = make_project(tmp_path)
    monkeypatch.chdir(project)
    assert run(["review", "--accept"]) == 0
    before = {path: path.read_bytes() for path in (project / "snapshots").rglob("*.yaml")}
    template = project / "templates" / "experiment.yaml.j2"
    template.write_text(template.read_text(encoding="utf-8") + "device: cpu\n", encoding="utf-8")
    with Terminal(project, os.environ, "review") as terminal:
        terminal.sees("changed: many job_0, job_1, job_2, job_3, and 16 more")
        terminal.sees("device: auto → cpu")
        terminal.sees("A accept all 20 alike")
        terminal.listens()
        terminal.types(CTRL_C)
        terminal.sees("20 not decided")
        assert terminal.ends() == 1
    assert {path: path.read_bytes() for path in before} == before
    with Terminal(project, os.environ, "review") as terminal:
        terminal.sees("? help")
        terminal.listens()
        terminal.types("A")
        terminal.sees("q end")
        terminal.listens()
        terminal.types("q")
        terminal.sees("20 accepted")
        assert terminal.ends() == 0
    assert run(["review", "--check"]) == 0
    assert all(path.read_bytes() != text for path, text in before.items() if "task" not in path.name)
