"""docs/your-trainer.md keeps its word: each of its sections is a project, which plans, runs and shows its metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from throwaway import ROOT, Folder, until

pytestmark = pytest.mark.slow

_PAGE = (ROOT / "docs" / "your-trainer.md").read_text()
_SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", _PAGE, re.DOTALL | re.MULTILINE))
PROJECTS = {
    "A script with arguments": "loss", "A Hydra app": "loss", "Lightning": "train_loss", "No framework": "loss"}
"""By the title of its section, the metric that each writes."""


@pytest.fixture(params=PROJECTS)
def title(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(title: str, tmp_path: Path) -> Iterator[Folder]:
    """A project of the section's files, and of nothing else."""
    if title == "Lightning":
        pytest.importorskip("lightning")
    folder = Folder(tmp_path / "project", tmp_path / "machine")
    for name, block in re.findall(r"```\w+\n# (\S+)\n(.*?)```", _SECTIONS[title], re.DOTALL):
        file = folder.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block)
    yield folder
    folder.end()


def test_each_section_is_a_project():
    """And none is left out of the test."""
    assert [title for title, text in _SECTIONS.items() if "# pyproject.toml" in text] == list(PROJECTS)


def test_the_project_of_a_section(page: Folder, title: str):
    """Planned, applied, its metrics seen while it runs and at its end, changed, planned again."""
    metric = PROJECTS[title]
    assert {step["action"] for step in page.said("plan")["steps"]} == {"create"}
    page.output("apply", "--yes")
    until(lambda: any(metric in _metrics(job) for job in _jobs(page)), f"{metric} of a run")
    until(lambda: all(job["status"] == "succeeded" for job in _jobs(page)), "both runs have succeeded")
    assert all(metric in _metrics(job) for job in _jobs(page))
    assert "loss" in page.output("status")
    assert "no changes" in page.output("plan")
    _check_results(page, metric)

    stack = page.root / "stacks" / "rates.py"
    stack.write_text(stack.read_text().replace("0.3", "0.2"))
    plan = page.output("plan")
    assert re.search(r"^± large +lr: 0\.3 → 0\.2$", plan, re.MULTILINE), plan
    assert re.search(r"^= small", plan, re.MULTILINE)
    page.apply()
    small, large = sorted(_jobs(page), key=lambda job: str(job["address"]), reverse=True)
    assert _metrics(small) != _metrics(large)


def _check_results(page: Folder, metric: str) -> None:
    """The figures of each run, all that it logged, and its two arms: with no line of the trainer's for it."""
    results = page.said("results")["results"]
    assert all(metric in run["metrics"] for run in results)
    histories = page.output("results", "--format", "csv", "--histories").splitlines()
    assert len(histories) > len(results)
    compared = page.said("compare", "--metric", metric)
    assert sorted(arm["n"] for arm in compared["arms"]) == [1, 1]
    assert "lr" in {path.rpartition(".")[2] for arm in compared["arms"] for path in arm["settings"]}
    (difference,) = compared["differences"]
    assert difference["verdict"] == "too few seeds"


def test_a_mistake_in_a_config_is_told_before_anything_starts(tmp_path: Path):
    """By the script's own schema."""
    folder = Folder(tmp_path, tmp_path / "machine")
    for name, block in re.findall(r"```\w+\n# (\S+)\n(.*?)```", _SECTIONS["No framework"], re.DOTALL):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(block.replace("Settings(lr=0.3)", '{"lr": 0.7}'))
    done = folder.expiac("plan")
    assert (done.returncode, done.stderr.splitlines()) == (
        1, ["Invalid training config", "  large: lr: Input should be less than 0.5 (got 0.7)"])


def _jobs(page: Folder) -> list[dict[str, Any]]:
    jobs: list[dict[str, Any]] = page.said("status")["resources"]
    return jobs


def _metrics(job: dict[str, Any]) -> dict[str, Any]:
    return dict((job.get("progress") or {}).get("metrics") or {})
