"""Test suites of a small project, each run by a pytest of its own: a fork of this process, which has all imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from expiac.cli import run
from expiac.pytest_plugin import snapshots as snapshots  # imported here, once for all forks

STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Lab(ExperimentConfig):
    name: str = "lab"
    word: str = "hello"
    jobs: int = 2

def stack(config: Lab) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None)
    return Stack(config.name, [Job(f"say_{index}", run=f"echo {config.word}", skypilot=where)
                               for index in range(config.jobs)])
'''
OTHER = '''
from expiac import Job, Stack

stack = Stack("other", [Job("only", run="true")])
'''
TEST = '''
def test_rendered(expiac_stack, expiac_snapshot):
    assert expiac_stack("lab").renderings == expiac_snapshot
'''


@dataclass(frozen=True)
class Done:
    """How a session ended."""

    code: int
    output: str

    @property
    def outcomes(self) -> dict[str, int]:
        """`{"passed": 2}`; warnings apart, of which `python -O` brings one."""
        counts = pytest.RunResult.parse_summary_nouns(self.output.splitlines())
        return {name: count for name, count in counts.items() if name != "warnings"}

    def has(self, *lines: str) -> None:
        """Its output has these lines, in this order; `*` stands for anything."""
        pytest.LineMatcher(self.output.splitlines()).fnmatch_lines(lines)


@dataclass(frozen=True)
class Suite:
    """A project with tests of its own."""

    root: Path

    def write(self, name: str, text: str) -> None:
        """Writes a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *words: str, syrupy: bool = True) -> Done:
        """Runs its tests."""
        plugins = ["syrupy", "expiac.pytest_plugin"] if syrupy else ["expiac.pytest_plugin"]
        printed = self.root.parent / "printed"
        child = os.fork()
        if not child:
            _run_and_exit([*(f"-p{plugin}" for plugin in plugins), "-pno:cacheprovider", *words], printed)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return Done(code, printed.read_text(encoding="utf-8"))

    def replace(self, name: str, old: str, new: str) -> None:
        """Edits a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))

    def files(self, folder: str = "snapshots") -> Mapping[str, bytes]:
        """All files of a folder, by their paths in it."""
        return {str(path.relative_to(self.root / folder)): path.read_bytes()
                for path in sorted((self.root / folder).rglob("*")) if path.is_file()}


def _run_and_exit(words: list[str], printed: Path) -> None:
    """Runs a session in this process, which ends with its exit code."""
    code = -1
    try:
        sys.stdout = sys.stderr = printed.open("w", encoding="utf-8")
        for place in (1, 2):
            os.dup2(sys.stdout.fileno(), place)
        for name in [name for name in os.environ if name.startswith("PYTEST_") or name == "CI"]:
            del os.environ[name]
        os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "NO_COLOR": "1", "COLUMNS": "120"}
        code = int(pytest.main(words))
    finally:
        sys.stdout.flush()
        os._exit(code)


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Suite:
    """A project of two stacks, in which we stand, with a test of one."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    found = Suite(tmp_path / "project")
    found.write("pyproject.toml", "[tool.expiac]\n")
    found.write("stacks/lab.py", STACK)
    found.write("stacks/other.py", OTHER)
    found.write("tests/test_lab.py", TEST)
    monkeypatch.chdir(found.root)
    return found


@pytest.fixture
def expiac(suite: Suite, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The command line in this process: the exit code and what it printed."""

    def command(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(list(words))
        return code, capsys.readouterr().out

    return command
