"""docs/tutorial.md keeps its word: its commands run, one after the other, and print what the page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from throwaway import ROOT, Folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
_ASKS = ("expiac apply", "expiac destroy")
_LIMIT = 400.0
"""Seconds for the slowest command, which trains eight networks."""
_SHELL = 'set -e\nexpiac() { "$PYTHON" -m expiac "$@"; }\n'


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Folder]:
    """Where the page stands after `cd demo`: the project that it creates."""
    outside = Folder(tmp_path, tmp_path / "machine")
    outside.output("new", "demo")
    folder = Folder(tmp_path / "demo", tmp_path / "machine")
    yield folder
    folder.end()


def test_the_page_from_its_first_plan_to_its_destroy(demo: Folder):
    """Each command goes well; each line of a screen is printed by the commands right above it, but for figures."""
    printed, compared = "", 0
    for language, text in _BLOCKS:
        if language == "sh":
            printed = _run(demo, text) if "expiac new" not in text and "pip install" not in text else ""
        elif language:
            name, _, content = text.partition("\n")
            assert (demo.root / name.removeprefix("# ")).is_file()
            (demo.root / name.removeprefix("# ")).write_text(content, encoding="utf-8")
        else:
            lines = {_essence(line) for line in printed.splitlines()}
            assert [line for line in text.splitlines() if _essence(line) not in lines] == [], printed
            compared += 1
    assert compared >= 6
    assert "nothing is recorded" in demo.output("status", "digits")
    assert (demo.root / "adam.npz").is_file()


def _run(demo: Folder, commands: str) -> str:
    lines = [f"{line} --yes" if line.startswith(_ASKS) else line for line in commands.splitlines()]
    done = subprocess.run(["bash", "-c", _SHELL + "\n".join(lines)], cwd=demo.root, text=True, capture_output=True,
                          env={**demo.env, "PYTHON": sys.executable}, timeout=_LIMIT, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _essence(line: str) -> str:
    """A line without what differs from machine to machine: metrics, how long it took, and the width of columns."""
    measured = re.sub(r"[-+]?\d[\d.]*(?:%|[smh]\b)|[-+]?\d+\.\d+", "#", line)
    return " ".join(re.sub(r"#( #)+", "#", measured).split())
