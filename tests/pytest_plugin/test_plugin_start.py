"""Test suites that have nothing to do with expiac do not wait for the plugin; it is registered once."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = """
import sys

def pytest_unconfigure():
    print("imported:", *(name for name in sys.modules if name.partition(".")[0] in {words}))
"""


def session(folder: Path, *words: str, paths: tuple[Path, ...] = ()) -> str:
    """What a pytest of its own prints, in a folder."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["PYTHONPATH"] = os.pathsep.join(map(str, (*paths, ROOT)))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:importnb", "-p", "no:hydra_pytest",
               *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A test suite of something else."""
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    (tmp_path / "suite" / "conftest.py").write_text(CONFTEST.format(words=["expiac", "jinja2", "pydantic", "typer"]))
    return tmp_path / "suite"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of packages in which expiac is installed, by its metadata."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    metadata = tmp_path / "site" / "expiac-99.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: expiac\nVersion: 99\n")
    lines = [f"{name} = {value}" for name, value in settings["project"]["entry-points"]["pytest11"].items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines, ""]))
    return metadata.parent


def test_the_plugin_imports_nothing_until_a_fixture_is_used(folder, installed):
    """Only itself."""
    printed = session(folder, "-s", paths=(installed,))
    (line,) = [line for line in printed.splitlines() if "imported:" in line]
    assert line.partition("imported:")[2].split() == ["expiac", "expiac.pytest_plugin"]


@pytest.mark.parametrize("words", [[], ["-p", "expiac.pytest_plugin"]], ids=["found", "named"])
def test_it_is_registered_once(words, folder, installed):
    """Where it is installed, and where it is named besides."""
    printed = session(folder, "--fixtures", *words, paths=(installed,))
    assert printed.count("\nexpiac_stack -- ") == 1
    (folder / "conftest.py").write_text('pytest_plugins = ["expiac.pytest_plugin"]\n')
    assert session(folder, "--fixtures", *words, paths=(installed,)).count("\nexpiac_stack -- ") == 1


def test_it_can_be_switched_off(folder, installed):
    """By its name."""
    assert "expiac_stack" not in session(folder, "--fixtures", "-p", "no:expiac.pytest_plugin", paths=(installed,))
