"""Jobs of all projects share one machine: first come, first served, whoever is still there to serve."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from expiac.providers.base import Id, Presence
from expiac.providers.local import LocalProvider, Machine
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

GATED = 'while [ ! -e "$GATE" ]; do sleep 0.02; done'


def slot_id(name: str) -> Id:
    return Id("lineage", f"slots.{name}.00000000", 1)


@pytest.fixture
def one(local) -> Machine:
    """A machine on which one job runs at a time."""
    local.machine = Machine(local.machine.folder, cpus=1, gpus=0)
    return local.machine


def create(local, name: str, run: str, project: str = "project", **task: object) -> None:
    local.provider(project).create(slot_id(name), local.job(run, **task), lambda _: None)


def test_two_projects_wait_in_one_line(local, one) -> None:
    """The order of creation is the order of running, across projects."""
    order = local.root / "order"
    for name, project in [("a", "left"), ("b", "right"), ("c", "left"), ("d", "right")]:
        run = f'echo {name}+ >> "{order}"; sleep 0.1; echo {name}- >> "{order}"'
        create(local, name, run, project)
    local.until(slot_id("d"), Status.SUCCEEDED, project="right")
    assert order.read_text().split() == ["a+", "a-", "b+", "b-", "c+", "c-", "d+", "d-"]


def test_a_head_that_does_not_fit_blocks_the_others(local) -> None:
    """A large job is not overtaken for ever by small ones."""
    gate = local.root / "gate"
    create(local, "first", GATED, resources={"cpus": 2}, envs={"GATE": str(gate)})
    create(local, "large", "true", resources={"cpus": "4+"})
    create(local, "small", "true")
    local.until(slot_id("first"), Status.RUNNING)
    assert {local.read(slot_id(name)).status for name in ("large", "small")} == {Status.PENDING}
    gate.touch()
    assert local.until(slot_id("small"), Status.SUCCEEDED)
    assert local.read(slot_id("large")).status is Status.SUCCEEDED


def test_a_queued_job_starts_though_nobody_waits_for_it(local, one, until) -> None:
    """Its submitter is gone and nobody looks: the job before it starts it."""
    gate, witness = local.root / "gate", local.root / "witness"
    create(local, "first", GATED, envs={"GATE": str(gate)})
    script = ("import sys; from pathlib import Path; from expiac.providers.base import Id, Inputs\n"
              "from expiac.providers.local import LocalProvider, Machine\n"
              "machine = Machine(Path(sys.argv[2]), 1, 0)\n"
              "inputs = Inputs({}, {'task.yaml': 'run: echo 1 >> ' + sys.argv[3]})\n"
              "provider = LocalProvider(Path(sys.argv[1]), machine=machine)\n"
              "provider.create(Id('lineage', 'slots.next.00000000', 1), inputs, print)")
    arguments = [local.root / "project", one.folder, witness]
    subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=True)
    assert not witness.exists()
    gate.touch()
    until(witness.exists)


def test_the_queue_can_be_moved_on_when_all_its_starters_were_killed(local, one, until) -> None:
    """The supervisor that would have started the next one is dead. Reading does not start it."""
    create(local, "first", "sleep 301")
    create(local, "next", "true")
    local.until(slot_id("first"), Status.RUNNING)
    supervisor = local.supervisor(slot_id("first"))
    for process in [supervisor, *supervisor.children(recursive=True)]:
        process.kill()
    until(lambda: not local.supervisors())
    assert local.read(slot_id("next")).status is Status.PENDING
    assert not local.supervisors()
    local.advance(slot_id("next"))
    assert local.until(slot_id("next"), Status.SUCCEEDED)


def test_a_lost_queue_comes_back(local, one) -> None:
    """The machine's folder is a cache of what the launches say."""
    gate = local.root / "gate"
    create(local, "first", GATED, envs={"GATE": str(gate)})
    create(local, "next", "true")
    (one.folder / "queue.json").write_text("{")
    local.advance(slot_id("next"))
    gate.touch()
    assert local.until(slot_id("next"), Status.SUCCEEDED)


def test_a_folder_that_was_removed_frees_its_place(local, one) -> None:
    """Somebody deleted a project with jobs in the queue."""
    gate = local.root / "gate"
    create(local, "first", GATED, envs={"GATE": str(gate)})
    create(local, "gone", "true", "left")
    create(local, "next", "true")
    shutil.rmtree(local.root / "left")
    gate.touch()
    assert local.until(slot_id("next"), Status.SUCCEEDED)


def test_a_job_that_asks_for_more_cpus_than_there_are_gets_all(local, one) -> None:
    """CPUs are a wish; what has too few of them is slow, not wrong."""
    create(local, "greedy", "true", resources={"cpus": 64}, num_nodes=2)
    assert local.until(slot_id("greedy"), Status.SUCCEEDED)


def test_each_job_and_each_node_has_gpus_of_its_own(local) -> None:
    """CUDA_VISIBLE_DEVICES names them; they are free again at the end."""
    local.machine, gate = Machine(local.machine.folder, cpus=8, gpus=4), local.root / "gate"
    show = 'echo "$SKYPILOT_NODE_RANK:$CUDA_VISIBLE_DEVICES:$SKYPILOT_NUM_GPUS_PER_NODE"; ' + GATED
    envs = {"GATE": str(gate)}
    create(local, "two", show, resources={"accelerators": "H100:1"}, num_nodes=2, envs=envs)
    create(local, "one", show, resources={"accelerators": {"H100": 2}}, envs=envs)
    create(local, "none", show, envs=envs)
    create(local, "late", "echo $CUDA_VISIBLE_DEVICES", resources={"accelerators": "4"}, envs=envs)
    local.until(slot_id("one"), Status.RUNNING)
    assert local.read(slot_id("late")).status is Status.PENDING
    gate.touch()
    local.until(slot_id("late"), Status.SUCCEEDED)
    assert local.said(slot_id("two")) == ["node-0 | 0:0:1", "node-1 | 1:1:1"]
    assert local.said(slot_id("one")) == ["0:2,3:2"]
    assert local.said(slot_id("late")) == ["0,1,2,3"]
    assert local.read(slot_id("none")).status in (Status.PENDING, Status.STARTING, Status.RUNNING, Status.SUCCEEDED)


def test_without_any_gpu_a_job_runs_on_the_cpu_and_the_plan_says_so(local) -> None:
    job = local.job('echo "[$CUDA_VISIBLE_DEVICES] $SKYPILOT_NUM_GPUS_PER_NODE"', resources={"accelerators": "H100:8"})
    assert local.provider().examine(job) == "no GPU on this machine: runs on the CPU"
    local.provider().create(slot_id("cpu"), job, lambda _: None)
    assert local.said(slot_id("cpu")) == ["[] 0"]


def test_fewer_gpus_than_asked_for_are_refused(local) -> None:
    """Also by create, and then nothing starts."""
    provider = local.provider(machine=Machine(local.machine.folder, cpus=1, gpus=2))
    job = local.job("true", resources={"accelerators": "H100:2"}, num_nodes=2)
    with pytest.raises(ExpiacError, match="Not enough GPUs"):
        provider.examine(job)
    with pytest.raises(ExpiacError, match="4 asked for, 2 on this machine"):
        provider.create(slot_id("large"), job, lambda _: None)
    assert local.read(slot_id("large")).presence is Presence.ABSENT


def test_a_machine_can_be_described_by_the_environment(local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPIAC_LOCAL_CPUS", "3")
    monkeypatch.setenv("EXPIAC_LOCAL_GPUS", "2")
    assert Machine.here() == Machine(local.root / "machine", 3, 2)
    assert LocalProvider(local.root).read_many([]) == {}


def test_secrets_are_in_the_job_and_in_no_file(local, one, monkeypatch: pytest.MonkeyPatch) -> None:
    """They travel from memory to memory, also to a job that has to wait."""
    monkeypatch.setenv("TOKEN", "hush-hush")
    provider = local.provider()
    for name in ("now", "later"):
        job = local.job('sleep 0.2; echo ${#TOKEN} ${#GIVEN}', secrets={"TOKEN": None, "GIVEN": "hush"})
        provider.create(slot_id(name), job, lambda _: None)
    assert local.said(slot_id("now")) == ["9 4"]
    assert local.said(slot_id("later")) == ["9 4"]
    files = [file for file in local.root.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"hush" in file.read_bytes()]


def test_a_missing_secret_is_refused(local) -> None:
    job = local.job("true", secrets={"NOBODY_HAS_THIS": None})
    with pytest.raises(ExpiacError, match="NOBODY_HAS_THIS"):
        local.provider().create(slot_id("secret"), job, lambda _: None)
    assert local.read(slot_id("secret")).presence is Presence.ABSENT


def test_a_job_whose_secret_is_nowhere_waits_for_who_has_it(local, one, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others pass it by; the next apply or refresh from a shell that has the secret starts it."""
    gate = local.root / "gate"
    create(local, "first", GATED, envs={"GATE": str(gate)})
    monkeypatch.setenv("TOKEN", "hush")
    create(local, "secret", "echo ${#TOKEN}", secrets=["TOKEN"])
    monkeypatch.delenv("TOKEN")
    create(local, "next", "true")
    gate.touch()
    local.until(slot_id("next"), Status.SUCCEEDED)
    local.advance(slot_id("secret"))
    assert local.read(slot_id("secret")).status is Status.PENDING
    monkeypatch.setenv("TOKEN", "hush")
    local.advance(slot_id("secret"))
    assert local.said(slot_id("secret")) == ["4"]


def test_the_queue_file_holds_no_more_than_it_needs(local, one, until) -> None:
    """At the end of all jobs it is empty."""
    create(local, "only", "true")
    local.until(slot_id("only"), Status.SUCCEEDED)
    until(lambda: json.loads((one.folder / "queue.json").read_text()) == [])


def test_jobs_that_threads_create_at_once_all_run(local, one) -> None:
    """They enter the queue together, and none is left out: nobody moves the queue on for them."""
    ids = [slot_id(f"job{number}") for number in range(12)]
    provider = local.provider()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda id: provider.create(id, local.job("true"), lambda _: None), ids))
    for id in ids:
        assert local.until(id, Status.SUCCEEDED)
        assert local.starts(id) == 1
