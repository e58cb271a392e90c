"""The real SkyPilot's prices in a plan."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]

STACK = """
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack


class Priced(ExperimentConfig):
    name: str = "priced"
    gpus: str = "H100:8"


def stack(config: Priced) -> Stack:
    where = SkypilotJobConfig(gpus=config.gpus, nodes=2, workdir=None, max_runtime="4h")
    return Stack(config.name, [Job("job", run="true", skypilot=where)], budget=config.budget)
"""


def test_a_plan_says_what_it_costs(desk):
    """Two nodes of eight H100 at $2.50, four hours; and SkyPilot's own words are not on stdout."""
    (desk.folder / "stacks" / "priced.py").write_text(STACK)
    assert "$40.00 per hour, at most $160.00" in desk.done("plan", "priced")
    (step,) = json.loads(desk.done("plan", "priced", "--json"))["steps"]
    assert (step["cost_per_hour"], step["cost_at_most"]) == (40.0, 160.0)
    code, said = desk.expiac("plan", "priced", "budget=100")
    assert (code, "Over budget" in said) == (1, True), said
    code, said = desk.expiac("plan", "priced", "gpus=H100:64")
    assert (code, "job: " in said, "Traceback" in said) == (1, True, False), said
