"""A search on Slurm whose apply is killed: 20 trials in all, none twice, none lost; results come from their logs."""

from __future__ import annotations

import json
import math

import pytest

from tests.slurm.desk import STARTED, Desk

# Run alone, by `make soak-slurm`: twenty jobs take minutes.
pytestmark = [pytest.mark.slurm, pytest.mark.soak, pytest.mark.timeout(3000)]
TRIALS = 20
STACK = f"""
from expiac import Job, Search, SkypilotJobConfig, Stack, Sweep, Uniform

RUN = '''python3 -c "
import json, math, os
score = 10 - (math.log10(float(os.environ['RATE'])) + 3) ** 2
print(json.dumps(dict(step=1, total_steps=1, score=score)), flush=True)
"'''

def stack():
    job = Job("train", run=RUN, skypilot=SkypilotJobConfig(gpus=0, cpus=1, memory=1, envs={{"RATE": "0.1"}}))
    search = Search(trials={TRIALS}, space={{"RATE": Uniform(1e-5, 1, log=True)}}, max_concurrent=4)
    return Stack("find", [Sweep("lr", job, search, metric="score")])
"""
APPLY = ("apply", "find", "--yes", "--wait")


def test_killed_three_times(desk: Desk) -> None:
    (desk.folder / "stacks" / "find.py").write_text(STACK)
    desk.killed_once(STARTED, "find", *APPLY, delay=1.0)
    desk.killed_once('"told"', "find", *APPLY)
    desk.killed_once('"told"', "find", *APPLY, delay=0.3)
    desk.done(*APPLY, limit=2400)
    lines = [json.loads(line) for line in desk.journal("find").splitlines()[1:]]
    rates = {line["body"]["address"]: line["body"]["trial"]["RATE"] for line in lines
             if line["event"] == "started" and line["body"]["effect"] == "create"}
    told = {line["body"]["address"]: line["body"]["outcome"] for line in lines if line["event"] == "told"}
    assert sorted(told) == sorted(rates) == sorted(f"lr/trial_{number}" for number in range(TRIALS))
    for address, outcome in told.items():
        expected = 10 - (math.log10(rates[address]) + 3) ** 2
        assert outcome["state"] == "complete"
        assert outcome["values"][0] == pytest.approx(expected), address
    launches = [(instance, launch) for _, instance, launch, _ in desk.queue("find")]
    assert len(launches) == len(set(launches)) == TRIALS, launches
    desk.done("destroy", "find", "--yes")
