"""The files that a schema is made of, wherever its classes and constants are declared."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from expiac.compile.compose import Composer
from expiac.compile.schema import Schema
from expiac.declare.project import Project
from expiac.declare.training_settings import PACKAGE_HEADER
from expiac.util.errors import ExpiacError

CONFIG = """
import json
import yaml
from dataclasses import dataclass, field
from {stem}_parts.layers import Layer
from {stem}_sizes import WIDTH

@dataclass
class Config:
    run_name: str = "???"
    width: int = WIDTH
    layer: Layer = field(default_factory=Layer)
"""
LAYERS = """
from dataclasses import dataclass

from . import activations

@dataclass
class Layer:
    kind: str = activations.DEFAULT
    depth: int = 1
"""


@pytest.fixture
def made(tmp_path: Path):
    """A project whose schema imports a package and a module beside its own; their modules are forgotten at the end."""
    stem = f"imported_{abs(hash(str(tmp_path)))}"
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "config.yaml").write_text("defaults: [root_schema, _self_]\n")
    (tmp_path / f"{stem}_parts").mkdir()
    for name, text in {f"{stem}.py": CONFIG.format(stem=stem), f"{stem}_sizes.py": "WIDTH = 3\n",
                       f"{stem}_parts/__init__.py": "", f"{stem}_parts/layers.py": LAYERS,
                       f"{stem}_parts/activations.py": "DEFAULT = 'relu'\n", f"{stem}_other.py": ""}.items():
        (tmp_path / name).write_text(text)
    yield Project(root=tmp_path, state=str(tmp_path / "state"), schema=f"{stem}:Config", outputs={}), stem
    forget(stem)


def forget(stem: str) -> None:
    """Lets a schema be imported anew, as another process does."""
    for name in [name for name in sys.modules if name.startswith(stem)]:
        del sys.modules[name]


def test_what_a_schema_imports_of_the_project_belongs_to_it(made):
    """Neither the standard library, nor what is installed, nor what it does not import."""
    project, stem = made
    names = {Path(file).relative_to(project.root).as_posix() for file in Schema(project).files}
    assert names == {f"{stem}.py", f"{stem}_sizes.py", f"{stem}_parts/__init__.py", f"{stem}_parts/layers.py",
                     f"{stem}_parts/activations.py"}


def test_an_edit_of_an_imported_class_composes_anew(made):
    project, stem = made
    text = f"{PACKAGE_HEADER}\nlayer: {{depth: 2}}\n"
    assert Composer(project).compose({"job": text})["job"].config["layer"] == {"kind": "relu", "depth": 2}
    file = project.root / f"{stem}_parts" / "layers.py"
    file.write_text(file.read_text().replace("depth: int = 1", "size: int = 1"))
    forget(stem)
    with pytest.raises(ExpiacError, match="depth"):
        Composer(project).compose({"job": text})
