"""Many jobs on the real SkyPilot: ended in one request, and all of them, also after a kill in between."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from tests.slurm.desk import LIMIT, Desk

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3000)]
JOBS = 4
LONG = 2 * LIMIT
"""Seconds for the end of all of them, each of which takes SkyPilot a while on a busy machine."""
REQUESTS = """
import json, sky
print(json.dumps([request.name for request in sky.api_status(all_status=True, limit=None)]))
"""


def requests(desk: Desk) -> Counter[str]:
    """How many requests of each name the API server was ever sent."""
    listed = subprocess.run([sys.executable, "-c", REQUESTS], cwd=desk.folder, env=desk.env, text=True, check=True,
                            capture_output=True, timeout=LIMIT).stdout
    return Counter(name.removeprefix("sky.") for name in json.loads(listed.splitlines()[-1]))


def test_many_are_cancelled_in_one_request(desk):
    """The second time, the destroy is killed, and the next one ends what is left."""
    apply = ("apply", "small", "name=many", f"jobs={JOBS}", "seconds=1000", "--yes")
    desk.done(*apply, limit=LONG)
    before = requests(desk)
    desk.done("destroy", "many", "--yes", limit=LONG)
    made = requests(desk) - before
    assert made["jobs.cancel"] == 1, made
    assert [status for *_, status in desk.queue("many")] == ["CANCELLED"] * JOBS
    desk.done(*apply, limit=LONG)
    desk.killed_once('"delete"', "many", "destroy", "many", "--yes", delay=2)
    desk.done("destroy", "many", "--yes", limit=LONG)
    assert [status for *_, status in desk.queue("many")] == ["CANCELLED"] * 2 * JOBS
    desk.until_true(lambda: not desk.slurm_jobs("many"), "an empty queue of Slurm")
    assert "no changes" in desk.done("destroy", "many", "--yes", limit=LONG)
