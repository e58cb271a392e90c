"""SkyPilot's API server dies in the middle and comes up again; each launch is there once. Alone on its cluster."""

from __future__ import annotations

import itertools

import pytest

from tests.slurm.desk import DELAYS, WORDS

pytestmark = [pytest.mark.slurm, pytest.mark.soak, pytest.mark.restart, pytest.mark.timeout(3600)]


def apply(jobs: int) -> tuple[str, ...]:
    return ("apply", "small", "name=killed", f"jobs={jobs}", "--yes")


@pytest.mark.parametrize("word", WORDS)
def test_clients_killed_before_the_server_died(desk, slurm, word):
    """At seven moments, a new job at each: the server forgets the requests under way, and knows what they made."""
    for jobs, delay in enumerate(DELAYS, start=1):
        desk.killed_once(word, "killed", *apply(jobs), delay=delay)
        slurm.restart_server()
    desk.done(*apply(jobs), "--wait", limit=1800)
    desk.launches_each_once("killed", jobs, *apply(jobs))


def test_clients_that_see_the_server_die(desk, slurm):
    """At nine moments, a new job at each: its apply may fail, in words; the next one does the rest."""
    for jobs, (word, delay) in enumerate(itertools.product(WORDS, DELAYS[::3]), start=1):
        process = desk.reached(word, "killed", *apply(jobs), delay=delay)
        slurm.restart_server()
        said, _ = process.communicate(timeout=900)
        assert "Traceback" not in said, said
    desk.done(*apply(jobs), "--wait", limit=1800)
    desk.launches_each_once("killed", jobs, *apply(jobs))
