"""What a schema says of its fields, in the metadata of each kind of config class."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import attrs
import pytest
from pydantic import BaseModel, Field

from expiac.compile.prepare import desired
from expiac.compile.schema import Schema
from expiac.compile.schema_kinds import schema_kinds
from expiac.declare.fields import Kind
from expiac.declare.project import Project, find_project
from expiac.declare.stack import Stack
from expiac.declare.training import TrainingJob, TrainingRunConfig
from expiac.util.errors import ExpiacError


@dataclass
class Logging:
    group: str = field(default="", metadata={"expiac": "annotation"})
    every: int = 1


@dataclass
class OfDataclasses:
    lr: float = 0.1
    workers: int = field(default=1, metadata={"expiac": "placement"})
    logging: Logging = field(default_factory=Logging)
    parent: OfDataclasses | None = None


class OfPydantic(BaseModel):
    lr: float = 0.1
    workers: int = Field(default=1, json_schema_extra={"expiac": "placement"})
    logging: Logging | None = None


@attrs.define
class OfAttrs:
    lr: float = 0.1
    workers: int = attrs.field(default=1, metadata={"expiac": "placement"})
    logging: Logging = attrs.field(factory=Logging, metadata={"expiac": "annotation"})


@pytest.mark.parametrize("schema", [OfDataclasses, OfPydantic])
def test_a_field_says_its_kind(schema: type) -> None:
    assert schema_kinds(schema) == {"workers": Kind.PLACEMENT, "logging.group": Kind.ANNOTATION}


def test_a_field_speaks_for_what_is_below_it() -> None:
    assert schema_kinds(OfAttrs) == {
        "workers": Kind.PLACEMENT, "logging": Kind.ANNOTATION, "logging.group": Kind.ANNOTATION}


def test_a_misspelt_kind_is_told_with_its_field() -> None:
    @dataclass
    class Wrong:
        workers: int = field(default=1, metadata={"expiac": "placment"})

    with pytest.raises(ExpiacError, match="No such kind of field") as told:
        schema_kinds(Wrong)
    assert "workers of the schema says expiac: 'placment'" in str(told.value)
    assert "did you mean placement?" in str(told.value)


def test_the_project_counts_before_the_schema(tmp_path: Path) -> None:
    """For a schema that can't be changed."""
    (tmp_path / "pyproject.toml").write_text(f"""
[tool.expiac]
schema = "{__name__}:OfDataclasses"
run = "true"
[tool.expiac.training]
format = "json"
[tool.expiac.training.kinds]
lr = "annotation"
workers = "identity"
""")
    job = TrainingJob("fit", training=TrainingRunConfig(trainer={"lr": 0.1, "workers": 2, "logging": {"group": "a"}}))
    (want,) = desired(Stack("lab", [job]), find_project(tmp_path))
    assert {path: kind for path, kind in want.kinds.items() if path.startswith("config.")} == {
        "config.lr": Kind.ANNOTATION, "config.workers": Kind.IDENTITY, "config.logging.group": Kind.ANNOTATION}


def test_a_kind_that_there_is_not_is_refused_in_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.expiac.training.kinds]\n"wandb.group" = "note"\n')
    with pytest.raises(ExpiacError, match=r"kinds\.wandb\.group"):
        find_project(tmp_path)


def test_the_shipped_trainer_says_what_decides_nothing() -> None:
    """Its W&B run, its workers, its profiler, its checkpoints, and how torch computes the same numbers."""
    kinds = schema_kinds(Schema(Project(root=Path(__file__).parents[2], schema="trainer.config:Config")).node)
    assert {path for path, kind in kinds.items() if kind is Kind.PLACEMENT} == {
        "trainer.num_workers", "trainer.torch_threads", "trainer.compile", "trainer.torch_deterministic",
        "trainer.checkpoint.interval", "trainer.checkpoint.best_metric", "trainer.checkpoint.best_mode",
        "trainer.checkpoint.keep_last", "trainer.checkpoint.keep_every",
        "trainer.simulation.write_replays", "trainer.profiler"}
    assert {path for path, kind in kinds.items() if kind is Kind.ANNOTATION} == {
        f"wandb.{name}" for name in ("mode", "entity", "project", "group", "job_type", "artifacts")}

