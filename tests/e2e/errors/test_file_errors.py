"""A mistake in a template, a config or pyproject.toml is named by its file."""

from __future__ import annotations

from pathlib import Path

import pytest
from refusals import refused
from throwaway import Folder

TEMPLATES = {
    "an undefined variable": (
        "extra: {{ colour }}\n", "Undefined variable in a template", "experiment.yaml.j2, line 20", "'colour'"),
    "an undefined key": (
        "extra: {{ config.colour }}\n", "experiment.yaml.j2, line 20", "'colour'", "in config: defaults, seed"),
    "a syntax error": (
        "{% if x %}\n", "Invalid template", "experiment.yaml.j2, line 20", "endif"),
    "an exception": (
        "extra: {{ 1 / 0 }}\n", "Template failed", "experiment.yaml.j2, line 20: ZeroDivisionError"),
    "a value altered": (
        "seed: {{ config.seed + 1 }}\n", "Rendered text differs from its data", "seed is 1, and should be 0"),
    "no YAML": (
        "extra: 'a\n", "Rendered text is not YAML", "experiment.yaml.j2"),
    "a key that the schema lacks": (
        "colour: red\n", "Invalid training config", "train", "'colour' not in 'Config'"),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_mistake_in_a_template(project: Folder, name: str):
    """Named by template and line."""
    added, *words = TEMPLATES[name]
    template = project.root / "templates" / "experiment.yaml.j2"
    text = template.read_text().rstrip("\n") + "\n"
    assert text.count("\n") == 18, "the lines below are counted from here"
    template.write_text(f"{text}\n{added}")
    refused(project, *words)


def test_a_value_left_out_by_a_template(project: Folder):
    """What the declaration says must reach the trainer."""
    template = project.root / "templates" / "experiment.yaml.j2"
    template.write_text(template.read_text().replace("{{ key }}: {{ value }}", ""))
    refused(project, "experiment.yaml.j2 leaves out seed = 0", "seed: {{ config.seed }}")


def test_no_template(project: Folder):
    """The one that is missing is named."""
    (project.root / "templates" / "experiment.yaml.j2").unlink()
    refused(project, "No such template", "experiment.yaml.j2")


CONFIGS = {
    "broken YAML": ("hidden_size: [1\n", "Invalid YAML", "configs/agent/fast.yaml", "line 1"),
    "a wrong type": ("hidden_size: big\nhidden_layers: 2\n", "train: agent.hidden_size: Value 'big'"),
    "an unknown key": ("hidden_sizes: 1\nhidden_layers: 2\n", "train: agent.hidden_sizes"),
    "a missing key": ("hidden_layers: 2\n", "train: agent.hidden_size"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_mistake_in_a_config(project: Folder, name: str):
    """Named by the path in the composed config, or by file and line."""
    text, *words = CONFIGS[name]
    (project.root / "configs" / "agent" / "fast.yaml").write_text(text)
    refused(project, *words)


PYPROJECTS = {
    "broken TOML": ("[tool.expiac]", "[tool.expiac", "Invalid pyproject.toml", "line 1"),
    "an unknown key": ("schema =", "shema =", "[tool.expiac] shema", "did you mean schema?"),
    "a wrong type": ("schema =", "stacks = 3\nschema =", "[tool.expiac] stacks"),
    "no table": ("[tool.expiac]", "[tool]\nexpiac = 3\n[other]", "tool.expiac is 3", "should be a table"),
    "a schema that is not there": (".config:Config", ".config:Konfig", "schema = 'trainer.config:Konfig'", "'Konfig'"),
    "an output that does not resolve": (
        "${run_dir}/metrics", "${run_dr}/metrics", "[tool.expiac.outputs] metrics", "'run_dr' not found"),
}


@pytest.mark.parametrize("name", PYPROJECTS)
def test_a_mistake_in_pyproject(project: Folder, name: str):
    """Named by file and key."""
    before, after, *words = PYPROJECTS[name]
    file = project.root / "pyproject.toml"
    text = file.read_text().split("\n\n[tool.expiac.outputs]")[0] if name == "no table" else file.read_text()
    file.write_text(text.replace(before, after, 1))
    refused(project, *words)


def test_no_project(project: Folder, tmp_path: Path):
    """Outside of any project, the folder is named."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    done = project.expiac("plan", cwd=folder)
    assert done.returncode == 1
    assert "No project here" in done.stderr
    assert str(folder) in done.stderr
