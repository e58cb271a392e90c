"""A project of the test's own, and this repository as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from expiac.declare.project import Project, find_project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here() -> Project:
    """This repository: the shipped stacks and the trainer's configs."""
    return find_project(ROOT)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """An empty project, and we stand in it."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path)
    return find_project(tmp_path)


@pytest.fixture
def write(project: Project) -> Callable[..., Path]:
    """Writes a stack file of the project."""

    def write(text: str, name: str = "lab") -> Path:
        path = project.root / "stacks" / f"{name}.py"
        path.write_text(text)
        return path

    return write
