"""A damaged cache of composed configs costs time, and nothing else."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from expiac import Stack, TrainingJob, TrainingRunConfig
from expiac.compile.prepare import desired
from expiac.declare.project import find_project

LAB = Stack("lab", [TrainingJob("a", training=TrainingRunConfig(seed=7))])


@pytest.mark.parametrize("text", [
    "", "{", "[]", "3", "{}", '{"files": 3}', '{"files": {}}', '{"files": [], "config": 1}'])
def test_a_damaged_entry_is_composed_anew(tmp_path, text):
    project = dataclasses.replace(find_project(Path(__file__)), state=str(tmp_path))
    (before,) = desired(LAB, project)
    (entry,) = (project.state_folder / "cache" / "compose").glob("*.json")
    whole = json.loads(entry.read_bytes())
    entry.write_text(text, encoding="utf-8")
    (after,) = desired(LAB, project)
    assert after == before
    assert json.loads(entry.read_bytes()) == whole
