"""A plan that was saved holds only while what its runs are composed from is what it was."""

from __future__ import annotations

import pytest

from expiac.apply.preconditions import refuse_changed_files
from expiac.compile.prepare import desired
from expiac.declare.job import SkypilotJobConfig
from expiac.declare.stack import Stack
from expiac.declare.training import TrainingJob, TrainingRunConfig
from expiac.plan import saved
from expiac.plan.planner import plan
from expiac.state.model import State
from expiac.util.errors import Stale


def test_a_config_that_was_edited_since_is_named(own, tmp_path):
    """By its key path; a comment is no edit."""
    job = TrainingJob("job", training=TrainingRunConfig(curriculum="env/mettagrid/curriculum/arena/small"),
                      skypilot=SkypilotJobConfig(workdir=None))
    saved.write(plan(desired(Stack("lab", [job]), own), State("lab", "0" * 32)), tmp_path / "lab.plan")
    kept = saved.read(tmp_path / "lab.plan")
    agent = own.root / "configs" / "agent" / "fast.yaml"
    agent.write_text(agent.read_text() + "# a comment\n")
    refuse_changed_files(kept, own)
    agent.write_text(agent.read_text().replace("hidden_size: 128", "hidden_size: 64"))
    with pytest.raises(Stale, match=r"agent\.hidden_size: 128 → 64"):
        refuse_changed_files(kept, own)
