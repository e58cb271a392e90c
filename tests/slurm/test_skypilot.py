"""expiac on the real SkyPilot and the real Slurm: launched once, seen as it is, and gone after destroy."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import datetime

import psutil
import pytest

from tests.slurm.desk import DELAYS, SECRET, WORDS, Desk

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1200)]


def test_a_job_runs_to_its_end_and_is_kept(desk):
    """With its mounts and its secret, which is in no file, process or word of ours; a log that is followed is whole."""
    launcher, lines = desk.start("apply", "small", "name=ends", "--yes"), set()
    while launcher.poll() is None:
        with suppress(psutil.NoSuchProcess):
            ours = psutil.Process(launcher.pid)
            lines |= {" ".join(one.cmdline()) for one in (ours, *ours.children(recursive=True))}
        time.sleep(0.1)
    said = launcher.communicate()[0]
    printed = desk.done("logs", "ends", "job0", "-f")
    desk.until("succeeded", "ends")
    said += printed + desk.done("status", "ends") + desk.done("render", "small", "name=ends")
    *whole, name = desk.done("logs", "ends", "job0").splitlines()
    assert (whole, name.startswith("I am ends.job0.")) == (["a note", "told"], True), name
    assert printed.splitlines() == [*whole, name], "following shows the same, from the first line to the last"
    assert "no changes" in desk.done("plan", "small", "name=ends")
    kept = [file.read_text() for file in desk.folder.rglob("*") if file.is_file()]
    assert not [text for text in (*kept, *lines, said) if SECRET in text]


def test_a_client_killed_again_and_again_launched_once(desk):
    """Before the request, then before it is known, then while its answer is awaited; the next apply does the rest."""
    apply = ("apply", "small", "name=killed", "jobs=2", "seconds=1000", "--yes")
    for word in WORDS:
        desk.killed_once(word, "killed", *apply)
    desk.launches_each_once("killed", 2, *apply)


@pytest.mark.soak
@pytest.mark.parametrize("word", WORDS)
def test_a_client_killed_at_seven_moments_launched_once(desk, word):
    """A new and short job at each; an apply finds what was launched, and is killed at the next one."""
    for jobs, delay in enumerate(DELAYS, start=1):
        desk.killed_once(word, "killed", "apply", "small", "name=killed", f"jobs={jobs}", "--yes", delay=delay)
    apply = ("apply", "small", "name=killed", f"jobs={jobs}", "--yes")
    desk.done(*apply, "--wait", limit=1800)
    desk.launches_each_once("killed", jobs, *apply)


def test_cancelled_by_hand_retried_and_destroyed_by_two(desk):
    """A plan warns and leaves it alone; `--retry` launches it again; a killed destroy is finished by the next one."""
    apply = ("apply", "small", "name=lasts", "seconds=1000", "--yes")
    desk.done(*apply)
    desk.until("running", "lasts")
    jobs = [line.split()[0] for line in desk.sky("jobs", "queue").splitlines() if "lasts.job0." in line]
    desk.sky("jobs", "cancel", "--yes", jobs[0])  # the newest
    desk.until("cancelled", "lasts")
    plan = desk.done("plan", *apply[1:-1])
    assert ("no changes" in plan, "--retry" in plan) == (True, True), plan
    assert "↻ job0" in desk.done(*apply, "--retry")
    assert [launch for *_, launch, _ in desk.queue("lasts")] == ["2", "1"]
    desk.until("running", "lasts")
    desk.killed_once('"delete"', "lasts", "destroy", "lasts", "--yes")
    desk.done("destroy", "lasts", "--yes")
    assert [status for *_, status in desk.queue("lasts")] == ["CANCELLED", "CANCELLED"]
    desk.until_true(lambda: not desk.slurm_jobs("lasts"), "an empty queue of Slurm")
    assert "no changes" in desk.done("destroy", "lasts", "--yes")


def test_two_checkouts_leave_each_other_alone(desk, slurm, tmp_path):
    """The same stack from two folders; and whatever another user or server says makes nothing lost."""
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other", slurm.env, slurm.infra)
    apply = ("apply", "small", "name=twin", "seconds=1000", "--yes")
    desk.done(*apply)
    assert "+ job0" in other.done(*apply)
    assert "no changes" in other.done("plan", *apply[1:-1])
    here = "http://localhost:" + slurm.env["SKYPILOT_API_SERVER_LOCAL_PORT"]
    for change in ({"SKYPILOT_USER_ID": "cafe0123"}, {"SKYPILOT_API_SERVER_ENDPOINT": here}):
        code, said = desk.expiac("plan", *apply[1:-1], **change)
        assert (code, "no changes" in said, "launched " in said) == (0, True, True), said
    desk.done("destroy", "twin", "--yes")
    assert [status == "CANCELLED" for *_, status in desk.queue("twin")] == [True]
    assert [status == "CANCELLED" for *_, status in other.queue("twin")] == [False]
    other.done("destroy", "twin", "--yes")


def test_a_job_on_a_cluster_of_its_own(desk):
    """Found again after a kill, run to its end, and the cluster is gone."""
    apply = ("apply", "small", "name=alone", "managed=false", "--yes")
    desk.killed_once('"request"', "alone", *apply)
    code, said = desk.expiac(*apply, "--wait")
    assert code == 0, said
    assert "succeeded" in desk.done("status", "alone")
    assert "alone.job0" not in desk.sky("status")
    assert not desk.slurm_jobs("alone-job0")


def test_a_server_that_is_away_is_named_soon(desk):
    """Nothing is launched or written, and no server is started."""
    away = {"SKYPILOT_API_SERVER_LOCAL_PORT": "9", "SKYPILOT_DISABLE_LOCAL_API_SERVER": "1"}
    code, output = desk.expiac("apply", "small", "name=away", "--yes", **away)
    assert (code, "API server does not answer" in output, "sky api start" in output) == (1, True, True), output
    lines = [json.loads(line) for line in desk.journal("away").splitlines()[1:]]
    began, ended = (datetime.fromisoformat(line["at"]) for line in lines if line["event"] in ("started", "failed"))
    assert (ended - began).total_seconds() < 10
    assert desk.expiac("plan", "small", "name=away", "--no-refresh", **away)[0] == 0
    assert "request" not in desk.journal("away")
