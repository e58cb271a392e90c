"""Many jobs on the real SkyPilot: ended in one request, and all of them, also after a kill in between."""

from __future__ import annotations

import json
import time

import pytest

from tests.slurm.desk import LIMIT, Desk

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(3000)]
LONG = 2 * LIMIT
"""Seconds for the end of all of them, each of which takes SkyPilot a while on a busy machine."""
CANCELS = """
import json, sky
asked = [request for request in sky.api_status(all_status=True, limit=None) if request.name.endswith("jobs.cancel")]
for request in asked:
    print(json.dumps(json.loads(request.request_body)["job_ids"]))
"""
JOB_IDS = """
import json
from expiac.providers.skypilot import get_skypilot_service
from expiac.providers.skypilot.snapshot import envs
for job in get_skypilot_service().list():
    print(json.dumps([envs(job.task).get("EXPIAC_LINEAGE"), job.id]))
"""


def cancels_of(desk: Desk, stack: str) -> list[list[int]]:
    """The ids in each request to cancel that names a job of this stack: other tests use the same API server."""
    lineage = json.loads(desk.journal(stack).splitlines()[0])["lineage"]
    ours = {id for job_lineage, id in desk.asked(JOB_IDS) if job_lineage == lineage}
    return [sorted(ids) for ids in desk.asked(CANCELS) if ours & set(ids or ())]


def destroy(desk: Desk, stack: str) -> int:
    """How many times the command is run until all has ended: on a slow machine it gives up sooner."""
    deadline, count, code = time.monotonic() + LONG, 0, 1
    while code:
        code, said = desk.expiac("destroy", stack, "--yes", limit=LONG)
        count += 1
        is_unsure = "still ending" in said or "run the command again" in said
        assert code == 0 or (is_unsure and time.monotonic() < deadline), said
    return count


def cancelled_in_one_request(desk: Desk, name: str, jobs: int) -> None:
    """Launches the jobs of a stack, and destroys them."""
    desk.done("apply", "small", f"name={name}", f"jobs={jobs}", "seconds=1000", "--yes", limit=LONG)
    assert cancels_of(desk, name) == []
    commands = destroy(desk, name)
    made = cancels_of(desk, name)
    assert len(made[0]) == jobs, made
    assert len(made) <= commands, made
    assert [status for *_, status in desk.queue(name)] == ["CANCELLED"] * jobs


def test_two_are_cancelled_in_one_request(desk):
    cancelled_in_one_request(desk, "two", jobs=2)


@pytest.mark.soak
def test_many_are_cancelled_in_one_request(desk):
    """The second time, the destroy is killed, and the next one ends what is left."""
    cancelled_in_one_request(desk, "many", jobs=4)
    desk.done("apply", "small", "name=many", "jobs=4", "seconds=1000", "--yes", limit=LONG)
    desk.killed_once('"delete"', "many", "destroy", "many", "--yes", delay=2)
    destroy(desk, "many")
    assert [status for *_, status in desk.queue("many")] == ["CANCELLED"] * 8
    desk.until_true(lambda: not desk.slurm_jobs("many"), "an empty queue of Slurm")
    assert "no changes" in desk.done("destroy", "many", "--yes", limit=LONG)
