"""SkyPilot's API server dies in the middle and comes up again; each launch is there once. Alone on its cluster."""

from __future__ import annotations

import pytest

from tests.slurm.desk import IDS, MOMENTS

pytestmark = [pytest.mark.slurm, pytest.mark.soak, pytest.mark.restart, pytest.mark.timeout(1200)]
APPLY = ("apply", "small", "name=killed", "jobs=2", "seconds=1000", "--yes")


@pytest.mark.parametrize(("word", "delay"), MOMENTS, ids=IDS)
def test_a_client_killed_before_the_server_died(desk, slurm, word, delay):
    """The server forgets the requests under way; what they brought about is in the queue."""
    desk.killed_once(word, "killed", *APPLY, delay=delay)
    slurm.restart_server()
    desk.launches_each_once("killed", 2, *APPLY)


@pytest.mark.parametrize(("word", "delay"), MOMENTS[::3], ids=IDS[::3])
def test_a_client_that_sees_the_server_die(desk, slurm, word, delay):
    """Its apply may fail, in words; the next one does the rest."""
    process = desk.reached(word, "killed", *APPLY, delay=delay)
    slurm.restart_server()
    said, _ = process.communicate(timeout=900)
    assert "Traceback" not in said, said
    desk.launches_each_once("killed", 2, *APPLY)
