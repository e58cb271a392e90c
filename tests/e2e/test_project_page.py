"""docs/your-project.md keeps its word: its two files are a project, and its table has every setting."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from throwaway import ROOT, Folder

from expiac.declare.project import Project

_PAGE = (ROOT / "docs" / "your-project.md").read_text()


def test_two_files_are_a_project(tmp_path: Path):
    """A second apply launches nothing."""
    folder = Folder(tmp_path / "project", tmp_path / "machine")
    for name, block in re.findall(r"```\w+\n# (\S+)\n(.*?)```", _PAGE, re.DOTALL):
        (folder.root / name).parent.mkdir(exist_ok=True, parents=True)
        (folder.root / name).write_text(block)
    assert re.search(r"^\+ count", folder.output("plan"), re.MULTILINE)
    folder.apply()
    assert "1 pyproject.toml" in folder.output("logs", "hello", "count")
    assert "succeeded" in folder.output("status")
    folder.apply()
    assert len(folder.launches()) == 1


def test_the_table_has_every_setting():
    """And no other."""
    cells = re.findall(r"^\| (`.+?) \|", _PAGE.partition("## Settings")[2], re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert named == {field.name for field in dataclasses.fields(Project)} - {"root"}
