"""A project without templates is rendered by those that expiac ships, and may change them."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.compile.templates import eject_templates, shipped_templates, templates
from expiac.declare.project import Project
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]
TASK = {"name": "@instance@", "num_nodes": 1, "run": "echo hello"}


def test_a_project_without_templates_renders(tmp_path: Path) -> None:
    text = templates(Project(tmp_path)).render("task.yaml.j2", TASK, job="hello", stack="hi")
    assert 'run: "echo hello"' in text


def test_a_template_of_the_project_counts(tmp_path: Path) -> None:
    """The others are still the shipped ones."""
    (tmp_path / "templates").mkdir()
    own = "name: {{ config.name }}\nnum_nodes: 1\nrun: {{ config.run }} # mine"
    (tmp_path / "templates" / "task.yaml.j2").write_text(own)
    chosen = templates(Project(tmp_path))
    assert "# mine" in chosen.render("task.yaml.j2", TASK, job="hello", stack="hi")
    config = {"defaults": ["_self_"], "seed": 3}
    assert "seed: 3" in chosen.render("experiment.yaml.j2", config, job="hello", stack="hi")


def test_ejected_templates_render_the_same(tmp_path: Path) -> None:
    project = Project(tmp_path)
    before = templates(project).render("task.yaml.j2", TASK, job="hello", stack="hi")
    assert all(eject_templates(project).values())
    assert {file.name: file.read_text("utf-8") for file in (tmp_path / "templates").iterdir()} == shipped_templates()
    assert templates(project).render("task.yaml.j2", TASK, job="hello", stack="hi") == before


def test_ejecting_writes_over_nothing(tmp_path: Path) -> None:
    project = Project(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "task.yaml.j2").write_text("mine")
    written = eject_templates(project)
    assert {path.name for path, is_new in written.items() if is_new} == shipped_templates().keys() - {"task.yaml.j2"}
    assert (tmp_path / "templates" / "task.yaml.j2").read_text() == "mine"


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "templates").write_text("a file")
    with pytest.raises(ExpiacError, match="Cannot write"):
        eject_templates(Project(tmp_path))


def test_this_repository_has_the_shipped_templates() -> None:
    """Its own are what `expiac render --eject` writes."""
    assert {file.name: file.read_text("utf-8") for file in (ROOT / "templates").iterdir()} == shipped_templates()
