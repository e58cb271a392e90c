"""docs/testing.md keeps its word: its files are a project, whose tests pass once reviewed, and fail as is shown."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks

_PAGE = (ROOT / "docs" / "testing.md").read_text("utf-8")
_PYTEST = ("-m", "pytest", "-p", "expiac.pytest_plugin", "-p", "syrupy", "-p", "no:cacheprovider")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of the files of the page."""
    (tmp_path / "pyproject.toml").write_text("[tool.expiac]\n")
    for name, block in re.findall(r"```\w+\n# (\S+)\n(.*?)```", _PAGE, re.DOTALL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block)
    return tmp_path


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """One program, to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "EXPIAC_"))}
    env = {**kept, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "80", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=120,
                          check=False)


def snapshots(folder: Path) -> dict[str, bytes]:
    """All of them, by their paths."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in (folder / "snapshots").rglob("*.yaml")}


def test_the_commands_make_the_tests_pass(folder: Path) -> None:
    """As does an update, which writes the same."""
    (block,) = re.findall(r"```sh\n(.*?)```", _PAGE, re.DOTALL)
    for line in block.splitlines():
        done = python(folder, "-m", *shlex.split(line))
        assert done.returncode == 0, done.stderr
    accepted = snapshots(folder)
    assert {Path(name).parent.name for name in accepted} == {"arena", "arena@gpus=4"}
    done = python(folder, *_PYTEST)
    assert "6 passed" in done.stdout, done.stdout
    for name in accepted:
        (folder / name).write_text("old\n")
    assert python(folder, *_PYTEST, "--snapshot-update").returncode == 0
    assert snapshots(folder) == accepted
    assert python(folder, "-m", "expiac", "review", "--check").returncode == 0


def test_a_failure_looks_as_the_page_shows(folder: Path) -> None:
    """Line by line."""
    (screen,) = [block.text for block in blocks() if (block.page, block.language) == ("docs/testing.md", "")]
    assert python(folder, "-m", "expiac", "review", "--accept").returncode == 0
    stack = folder / "stacks" / "arena.py"
    stack.write_text(stack.read_text().replace("gpus: int = 1", "gpus: int = 2"))
    done = python(folder, *_PYTEST, "-k", "rendered")
    assert done.returncode == 1
    assert [line for line in screen.splitlines() if line not in done.stdout.splitlines()] == [], done.stdout
