"""What a job finds when it begins, and how its end is told."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from expiac.providers.base import Id, Inputs, Presence
from expiac.providers.local.task import Task, parse
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

JOB = Id("lineage", "job.one.00000001", 1)


def test_nodes_are_told_who_they_are(local) -> None:
    """The contract that SkyPilot gives: rank, number, addresses, GPUs."""
    run = 'echo "$SKYPILOT_NODE_RANK/$SKYPILOT_NUM_NODES" $SKYPILOT_NODE_IPS "$SKYPILOT_NUM_GPUS_PER_NODE"'
    local.start(JOB, run, num_nodes=3)
    assert local.said(JOB) == [f"node-{rank} | {rank}/3 127.0.0.1 127.0.0.1 127.0.0.1 0" for rank in range(3)]
    assert local.starts(JOB) == 3
    assert list(local.provider().logs(JOB, node=2)) == ["2/3 127.0.0.1 127.0.0.1 127.0.0.1 0"]
    with pytest.raises(ExpiacError, match="No such node"):
        local.provider().logs(JOB, node=3)


def test_one_failing_node_ends_the_others(local) -> None:
    """A job is all its nodes; the detail names the one that failed."""
    local.start(JOB, "if [ $SKYPILOT_NODE_RANK = 1 ]; then echo no room >&2; exit 7; fi; sleep 301", num_nodes=2)
    seen = local.until(JOB, Status.FAILED, Status.SUCCEEDED)
    assert (seen.status, seen.detail) == (Status.FAILED, "exit code 7 on node 1: no room")
    assert not local.alive(JOB)


def test_an_ended_job_tells_how_long_it_ran(local, tmp_path) -> None:
    """Once it has ended, and not before: a plan says from it how long the next one should take."""
    local.start(JOB, f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
    running = local.until(JOB, Status.RUNNING)
    (tmp_path / "go").touch()
    ended = local.until(JOB, Status.SUCCEEDED, Status.FAILED)
    assert (running.seconds, ended.status, (ended.seconds or 0) > 0) == (None, Status.SUCCEEDED, True)


DEAF = """(setsid bash -c 'trap "" TERM; touch ready; while true; do sleep 0.2; done' &)
while [ ! -e ready ]; do sleep 0.02; done"""
WITHOUT_PATIENCE = """import sys
from expiac.providers.local import processes, supervisor
processes.KILL_LIMIT = 0
supervisor.main(sys.argv[1])"""


def test_an_end_keeps_every_remark(local) -> None:
    """An output is missing, and a process outlives the time that a KILL is given."""
    inputs = local.job(DEAF, outputs={"weights": "w.pt"})
    local.stall(JOB, inputs, grace=0)
    launch = local.folder(JOB) / "launches/1"
    subprocess.run([sys.executable, "-c", WITHOUT_PATIENCE, str(launch)], check=True, timeout=60)
    seen = local.read(JOB)
    assert (seen.status, seen.detail) == (
        Status.SUCCEEDED, "some of its processes cannot be killed; output weights is not there: w.pt")


def test_a_failed_setup_says_so(local) -> None:
    local.start(JOB, "true", setup="echo no such package; exit 4")
    seen = local.until(JOB, Status.FAILED, Status.SUCCEEDED)
    assert (seen.status, seen.detail) == (Status.FAILED, "setup failed with exit code 4: no such package")
    assert local.starts(JOB) == 0


def test_setup_is_starting_and_may_leave_a_server_for_run(local) -> None:
    gate = local.root / "gate"
    local.start(JOB, 'kill -0 $(cat server) && echo alive', envs={"GATE": str(gate)},
                setup='sleep 301 & echo $! > server; while [ ! -e "$GATE" ]; do sleep 0.02; done')
    assert local.until(JOB, Status.STARTING, Status.FAILED).status is Status.STARTING
    gate.touch()
    assert local.until(JOB, Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED
    assert local.said(JOB) == ["alive"]


def test_a_job_killed_by_the_kernel_has_failed(local) -> None:
    local.start(JOB, "kill -KILL $$")
    assert local.until(JOB, Status.FAILED, Status.SUCCEEDED).detail == "signal SIGKILL"


def test_variables_come_from_the_task_then_the_launch(local, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the submitter has besides stays with the submitter."""
    monkeypatch.setenv("SUBMITTERS_SECRET", "hush")
    monkeypatch.setenv("LC_TIME", "de_DE")
    job = local.job('echo $A $B $LC_TIME "[$SUBMITTERS_SECRET]" $EXPIAC_LAUNCH; command -v python',
                    envs={"A": "task", "B": 2}, env={"A": "launch", "EXPIAC_LAUNCH": "9"})
    local.provider().create(JOB, job, lambda _: None)
    assert local.said(JOB) == ["launch 2 de_DE [] 1", sys.executable.rpartition("/")[0] + "/python"]


def test_a_home_of_its_own(local) -> None:
    """Without a workdir the job runs in its home."""
    local.start(JOB, "pwd; echo ~")
    home = str(local.folder(JOB) / "home")
    assert local.said(JOB) == [home, home]


def test_logs_are_followed_while_they_are_written(local) -> None:
    """Each line as soon as it is whole, the unfinished last one at the end."""
    gate = local.root / "gate"
    local.start(JOB, 'echo one; while [ ! -e "$GATE" ]; do sleep 0.02; done; printf "two\\r\\nthree"',
                envs={"GATE": str(gate)})
    lines = local.provider().logs(JOB, follow=True)
    assert next(lines) == "one"
    gate.touch()
    assert list(lines) == ["two", "three"]
    assert list(local.provider().logs(JOB)) == ["one", "two", "three"]


def test_logs_are_those_of_the_newest_launch(local) -> None:
    second = Id(JOB.lineage, JOB.instance, 2)
    local.start(JOB, "echo first; exit 1")
    local.until(JOB, Status.FAILED)
    local.start(second, "echo second")
    local.until(second, Status.SUCCEEDED)
    assert list(local.provider().logs(JOB)) == ["second"]
    with pytest.raises(ExpiacError, match="No logs"):
        local.provider().logs(Id("lineage", "job.never.00000000", 1))


def test_two_launches_of_one_run_do_not_live_together(local) -> None:
    """They share a home."""
    local.start(JOB, "sleep 301")
    with pytest.raises(ExpiacError, match="still alive"):
        local.start(Id(JOB.lineage, JOB.instance, 2), "true")


def test_another_checkouts_run_is_refused(local) -> None:
    local.start(JOB, "true")
    with pytest.raises(ExpiacError, match="another checkout"):
        local.start(Id("stranger", JOB.instance, 1), "true")


def test_another_machines_job_is_unknown(local, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two machines share a home over the network: one cannot see the other's processes."""
    local.start(JOB, "sleep 301")
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    assert local.read(JOB).presence is Presence.UNKNOWN
    monkeypatch.undo()


def test_what_is_no_job_is_refused(local) -> None:
    with pytest.raises(ExpiacError, match="Not a job"):
        local.provider().create(JOB, Inputs({"size": 3}), lambda _: None)


def test_a_supervisor_imports_little() -> None:
    """There is one for each running job: start-up and memory matter."""
    code = "import sys, expiac.providers.local.supervisor; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"pydantic", "yaml", "jinja2", "hydra", "omegaconf", "sky", "wandb", "torch", "numpy", "rich"}


@pytest.mark.parametrize(("asked", "gpus"), [
    ("H100:4", 4), ("H100", 1), ("4", 4), (4, 4), ({"H100": 2}, 2), (["A100:8", "H100:8"], 8), ("T4:0.5", 1), (None, 0),
])
def test_gpus_are_read_as_skypilot_does(asked: object, gpus: int) -> None:
    assert parse(yaml.safe_dump({"resources": {"accelerators": asked}})).gpus == gpus


@pytest.mark.parametrize(("asked", "cpus"), [(2, 2), ("2+", 2), ("2.5", 3), (None, 1), (0, 1)])
def test_cpus_are_read_as_skypilot_does(asked: object, cpus: int) -> None:
    assert parse(yaml.safe_dump({"resources": {"cpus": asked}})).cpus == cpus


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "resources: {cpus: many}", "resources: {accelerators: 'H100:x'}"])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(ExpiacError, match="cannot be read"):
        parse(text)


def test_an_empty_task_is_one_node_on_one_cpu() -> None:
    assert parse("{}") == Task()
