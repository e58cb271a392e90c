"""Real training whose files stay on its machine is seen all the same: its figures come from its log."""

from __future__ import annotations

import json

import pytest

# Run alone, by `make soak-slurm`: beside other tests, SkyPilot can take longer for a log than `status` waits.
pytestmark = [pytest.mark.slurm, pytest.mark.soak, pytest.mark.timeout(1200)]


@pytest.mark.parametrize("managed", ["true", "false"])
def test_a_run_is_seen_by_what_it_prints(desk, managed):
    """While it trains, status shows its step and figures; after its end, also of its cluster, results has its curve."""
    desk.with_trainer()
    desk.done("apply", "arena", "training.trainer.total_timesteps=3000000", f"managed={managed}", "--yes")
    instance = desk.records("arena")["train"]["instance"]
    assert not list(desk.folder.parent.rglob(f"{instance}/metrics.jsonl")), "its metrics file is not on this machine"
    during = seen_while_it_trains(desk)
    assert (0 < during["step"] < during["total_steps"], "reward" in during["metrics"]) == (True, True), during
    desk.until("succeeded", "arena")
    after = desk.records("arena")["train"]["progress"]
    assert after["step"] >= 3_000_000
    desk.done("refresh", "arena")  # which takes a cluster down, and its log with it
    assert desk.records("arena")["train"]["progress"] == after
    curve = [line.split(",") for line in desk.done("results", "arena", "--format", "csv", "--histories").splitlines()]
    steps = sorted({float(row[curve[0].index("step")]) for row in curve[1:]})
    assert (len(steps) >= 4, steps[0], steps[-1]) == (True, 0.0, after["step"]), curve
    (run,) = json.loads(desk.done("results", "arena", "--json"))["results"]
    assert (run["step"], "eval/hearts" in run["metrics"]) == (after["step"], True), run
    printed = desk.done("logs", "arena", "train") if managed == "true" else ""
    assert ('"total_steps"' in printed) == (managed == "true")
    desk.done("destroy", "arena", "--yes")
    assert desk.done("results", "arena", "--archived", "--format", "csv", "--histories").count("\n") == len(curve)


def seen_while_it_trains(desk):
    """The progress of the run as soon as it has one, while it runs."""
    seen = []

    def is_seen():
        run = desk.records("arena")["train"]
        seen.append(run)
        assert run["status"] in ("pending", "starting", "running"), seen
        return bool(run["status"] == "running" and run["progress"] and run["progress"]["step"])

    desk.until_true(is_seen, "progress of a run that trains", 1.0)
    return seen[-1]["progress"]
