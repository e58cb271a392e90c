"""The cluster is real: jobs of one node and of two go through SkyPilot to their end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]

CLIENT = """
import json, sys, time
import sky, sky.jobs

RUN = 'python -c "import torch" && echo $SKYPILOT_NODE_RANK of $SKYPILOT_NUM_NODES'

def launch(name, nodes, gpus):
    task = sky.Task(name, run=RUN, num_nodes=nodes)
    task.set_resources(sky.Resources(infra=sys.argv[1], cpus=1, accelerators=gpus))
    return sky.jobs.launch(task, name=name)

requests = [launch("single", 1, None), launch("pair", 2, "H100:8")]
for request in requests:
    sky.get(request)
deadline = time.monotonic() + 600
while time.monotonic() < deadline:
    every = sky.get(sky.jobs.queue_v2(refresh=False))[0]
    records = [record for record in every if record["job_name"] in ("single", "pair")]
    if len(records) == 2 and all(record["status"].is_terminal() for record in records):
        break
    time.sleep(5)
print(json.dumps({record["job_name"]: record["status"].value for record in records}))
"""


@pytest.mark.soak
def test_jobs_of_one_node_and_of_two_succeed(slurm):
    """A node runs what the tests run with, and has its eight GPUs; two nodes are one job."""
    ran = subprocess.run([sys.executable, "-c", CLIENT, slurm.infra], env=slurm.env, cwd=slurm.home, text=True,
                         capture_output=True, timeout=800)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == {"single": "SUCCEEDED", "pair": "SUCCEEDED"}


def test_a_node_answers_to_its_name(slurm):
    """SkyPilot asks each node for the address of its own name."""
    ask = ["srun", "-N4", "--mem=64", "sh", "-c", "getent hosts $(hostname)"]
    asked = subprocess.run(ask, env=slurm.env, cwd="/", text=True, capture_output=True, timeout=60)
    assert sorted(asked.stdout.splitlines()) == [f"127.0.1.{n}{'n':>8}{n}" for n in range(1, 5)], asked.stderr
