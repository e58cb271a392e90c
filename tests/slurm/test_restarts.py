"""SkyPilot's API server dies in the middle and comes up again; each launch is there once. Alone on its cluster."""

from __future__ import annotations

import itertools

import pytest

from tests.slurm.desk import DELAYS, WORDS

pytestmark = [pytest.mark.slurm, pytest.mark.soak, pytest.mark.restart, pytest.mark.timeout(3600)]
SMALL = ("apply", "small", "name=killed")


@pytest.mark.parametrize("word", WORDS)
def test_clients_killed_before_the_server_died(desk, slurm, word):
    """At seven moments: the server forgets the requests under way; what they brought about is in the queue."""
    apply = (*SMALL, "jobs=10", "--yes")
    for delay in DELAYS:
        desk.killed_once(word, "killed", *apply, "--parallelism", "1", delay=delay)
        slurm.restart_server()
    desk.launches_each_once("killed", 10, *apply)


def test_clients_that_see_the_server_die(desk, slurm):
    """At nine moments, a new job at each: its apply may fail, in words; the next one does the rest."""
    for jobs, (word, delay) in enumerate(itertools.product(WORDS, DELAYS[::3]), start=1):
        process = desk.reached(word, "killed", *SMALL, f"jobs={jobs}", "--yes", delay=delay)
        slurm.restart_server()
        said, _ = process.communicate(timeout=900)
        assert "Traceback" not in said, said
    desk.launches_each_once("killed", jobs, *SMALL, f"jobs={jobs}", "--yes")
