"""docs/extending.md keeps its word: its two blocks are a project."""

from __future__ import annotations

import re

import pytest
from throwaway import ROOT, Folder


@pytest.fixture
def page(project: Folder) -> Folder:
    """A project made of the page's blocks."""
    text = (ROOT / "docs" / "extending.md").read_text()
    for language, name, block in re.findall(r"```(\w+)\n# (\S+)\n(.*?)```", text, re.DOTALL):
        file = project.root / name
        if language == "toml":
            block = f"{file.read_text()}\n{block}"
        file.write_text(block)
    return project


def test_the_page(page: Folder):
    """The file is made and the job that reads it begun, in one apply; what is lost is made again, and what changed
    is replaced, but a note restarts nothing."""
    stack = page.root / "stacks" / "numbers.py"
    page.apply()
    assert _lines(page) == "100\n"
    assert "no changes" in page.output("plan")

    (made,) = (page.root / "data").iterdir()
    made.unlink()
    assert "↻ numbers   lost: numbers does not know it any more" in page.output("plan")
    page.apply()
    assert len(list((page.root / "data").iterdir())) == 1
    assert len(page.launches()) == 1

    stack.write_text(stack.read_text().replace("seed=1", 'seed=1, note="for the talk"'))
    assert "~ numbers   note: absent → for the talk\n= count     succeeded\n" in page.output("plan")
    page.apply()
    assert len(page.launches()) == 1

    stack.write_text(stack.read_text().replace("seed=1", "seed=2, count=7"))
    plan = page.said("plan")
    assert {step["address"]: step["action"] for step in plan["steps"]} == {"numbers": "replace", "count": "replace"}
    page.apply()
    assert _lines(page) == "7\n"

    page.output("destroy", "--yes")
    assert not list((page.root / "data").iterdir())


def _lines(page: Folder) -> str:
    """What the newest run of the job counted."""
    (job,) = [job for job in page.said("status")["resources"] if job["address"] == "count"]
    (file,) = (page.root / ".expiac" / "local" / job["instance"]).rglob("lines.txt")
    return file.read_text()
