"""This repository as a project, with a state folder of the test's own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from expiac.declare.project import Project, find_project

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return dataclasses.replace(find_project(ROOT), state=tmp_path / "state")
