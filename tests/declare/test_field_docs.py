"""`help()` of a declaration shows its fields with their docs."""

from __future__ import annotations

import pydoc

import pytest

import expiac
from expiac.declare.config import Config


@pytest.mark.parametrize(("owner", "lines"), [
    (expiac.TrainingJob, ["A job with a rendered training config", "skypilot: SkypilotJobConfig", "name: str"]),
    (expiac.SkypilotJobConfig, ["spot: Placement[bool] = False", "Use preemptible machines."]),
    (expiac.TrainingRunConfig, ["trainer: Any = None", "The trainer's config: a dataclass, a pydantic model"]),
    (expiac.ExperimentConfig, ["infra: str | None = None", "Where its jobs run that do not say"]),
])
def test_help_shows_each_field(owner, lines):
    """With its type, its default and what it means."""
    text = pydoc.plain(pydoc.render_doc(owner))
    assert [line for line in lines if line not in text] == []


def test_a_class_without_a_source_shows_names_and_types():
    """Such as one in a stack file that is executed."""
    space: dict = {"Config": Config}
    exec("class Lab(Config):\n    gpus: int = 1\n    '''Per node.'''\n", space)
    assert space["Lab"].__doc__ == "Lab.\n\nFields:\n    gpus: int = 1"


def test_a_field_of_a_base_keeps_its_text():
    class Own(expiac.ExperimentConfig):
        """Mine."""

        name: str = "own"

    doc = Own.__doc__ or ""
    assert doc.startswith("Mine.\n")
    assert "name: str = 'own'\n        The stack's name." in doc
