"""The experiment that runs on this machine runs on a cluster: trained under torchrun, seen, edited, recovered."""

from __future__ import annotations

import json

import pytest

from trainer.checkpoint import read

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]


@pytest.fixture
def results(slurm):
    """A folder that outlives the machines; every node sees it, and their user may write there."""
    return slurm.folder / "user" / "runs"


def test_an_ab_test_of_two_nodes_each(desk, results):
    """To its end; again it is nothing; with one learning rate changed one job is a new run."""
    desk.with_trainer()
    apply = ("apply", "lr_ab_test", "nodes=2", "spot=false", f"data_dir={results}", "--yes")
    desk.done(*apply, "--wait")
    runs = desk.records("lr_ab_test")
    assert {one["status"] for one in runs.values()} == {"succeeded"}
    for address, rate in {"job_0": 0.0001, "job_1": 0.0005}.items():
        trained = read(results / runs[address]["instance"] / "checkpoints" / "latest.pt")
        assert (len(trained["ranks"]), trained["step"] >= 6_000) == (2, True), "two nodes, one process on each"
        assert trained["config"]["trainer"]["optimizer"]["learning_rate"] == rate
    printed = [desk.done("logs", "lr_ab_test", "job_0", *node).splitlines() for node in ([], ["--node", "0"])]
    assert [line.removeprefix("node-0 | ") for line in printed[0] if line.startswith("node-0 | ")] == printed[1] != []
    assert "no changes" in desk.done(*apply)
    program = desk.folder / "stacks" / "lr_ab_test.py"
    program.write_text(program.read_text().replace("0.0005]", "0.001]"))
    said = desk.done(*apply)
    assert ("1 to replace, 1 unchanged" in said, "learning_rate: 0.0005 → 0.001" in said) == (True, True), said
    after = desk.records("lr_ab_test")
    assert (after["job_0"]["instance"], after["job_1"]["instance"] != runs["job_1"]["instance"]) == (
        runs["job_0"]["instance"], True)
    assert {instance for _, instance, _, _ in desk.queue("lr_ab_test")} == {
        runs["job_0"]["instance"], runs["job_1"]["instance"], after["job_1"]["instance"]}
    desk.done("destroy", "lr_ab_test", "--yes")


def test_a_lost_machine_is_recovered(desk, results):
    """Slurm takes it away: recovering, running, resumed from its checkpoint as the same W&B run; no plan touches it."""
    desk.with_trainer()
    apply = ("apply", "arena", "training.trainer.total_timesteps=700000", "training.trainer.checkpoint.interval=4000",
             f"data_dir={results}", "--yes")
    desk.done(*apply)
    instance = desk.records("arena")["train"]["instance"]
    kept = results / instance / "checkpoints" / "latest.pt"
    desk.until_true(kept.exists, "a checkpoint", 0.5)
    step = read(kept)["step"]
    desk.until_true(lambda: bool(desk.slurm_jobs("arena-train")), "Slurm's job")
    for job in desk.slurm_jobs("arena-train"):
        desk.run("scancel", job)
    desk.until_true(lambda: desk.records("arena")["train"]["status"] == "recovering", "recovering", 0.5)
    assert "no changes" in desk.done("plan", *apply[1:-1])
    desk.until("running", "arena")
    assert "no changes" in desk.done("plan", *apply[1:-1])
    desk.until("succeeded", "arena")
    metrics = (results / instance / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in metrics][-1] >= 700_000 > step
    said = desk.done("logs", "arena", "train")
    assert f"resuming {instance} at step" in said, said
    offline = [folder.name.split("-", 3)[3] for folder in (results / instance / "wandb").glob("offline-run-*")]
    assert offline == [instance, instance], "one W&B run, of two launches"
