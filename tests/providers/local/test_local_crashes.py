"""Wherever a process is killed, a launch starts exactly once, and the next create or move of the queue converges.

The moments are counted by an audit hook: Python announces each open, rename, lock and spawn before it happens, and the
process kills itself at the k-th, for every k that there is.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from expiac.providers.base import Id, Presence
from expiac.providers.local import Machine
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

BEFORE = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from expiac.providers.base import Id, Inputs
    from expiac.providers.local import LocalProvider, Machine, create, environment, folder, slots, supervisor

    root, machine = Path(sys.argv[1]), Machine(Path(sys.argv[2]), cpus=2, gpus=0)
    starts = sys.argv[3]
    run = f'echo 1 >> "{starts}/$EXPIAC_INSTANCE.$EXPIAC_LAUNCH"'
    task = f"workdir: code\\nfile_mounts: {{c.yaml: c.yaml}}\\nrun: {run!r}"
    inputs = Inputs({}, {"task.yaml": task, "c.yaml": "a: 1"})
    effects = ("open", "os.rename", "os.mkdir", "os.remove", "subprocess.Popen")

    def id(k):
        return Id("lineage", f"crash.job.{k:08d}", 1)

    def dies_at(k):
        def hook(event, args):
            nonlocal k
            ours = any(str(root.parent) in str(arg) for arg in args)
            if event in ("fcntl.flock", "os.fork") or ours and event in effects:
                k -= 1
                if k < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)

    def each_moment(act):
        for k in range(1000):
            child = os.fork()
            if not child:
                dies_at(k)
                act(k)
                os._exit(0)
            if os.waitpid(child, 0)[1] == 0:
                print(k)
                return
""")
CREATES = BEFORE + textwrap.dedent("""
    each_moment(lambda k: LocalProvider(root, machine=machine).create(id(k), inputs, lambda _: None))
""")
SUPERVISES = BEFORE + textwrap.dedent("""
    def act(k):
        supervisor.main(str(root / f".expiac/local/{id(k).instance}/launches/1"))

    start, slots.start_supervisor = slots.start_supervisor, lambda *_: None
    for k in range(80):
        LocalProvider(root, machine=machine).create(id(k), inputs, lambda _: None)
        (machine.folder / "queue.json").unlink()
    slots.start_supervisor = start
    each_moment(act)
""")
FORKS = BEFORE + textwrap.dedent("""
    import ctypes
    from contextlib import suppress

    ctypes.CDLL(None).prctl(supervisor.SUBREAPER, 1, 0, 0, 0)  # so that forks are waited for too
    start, slots.start_supervisor = slots.start_supervisor, lambda *_: None
    for k in range(160):
        own = Machine(machine.folder / str(k), cpus=1, gpus=0)
        for number in (2 * k, 2 * k + 1):
            LocalProvider(root, machine=own).create(id(number), inputs, lambda _: None)
            if number == 2 * k:
                (own.folder / "queue.json").unlink()
        if os.fork() == 0:
            dies_at(k)
            supervisor.main(str(root / f".expiac/local/{id(2 * k).instance}/launches/1"))
            os._exit(0)
        killed = False
        with suppress(ChildProcessError):
            while True:
                killed |= os.waitstatus_to_exitcode(os.wait()[1]) == -signal.SIGKILL
        if not killed:
            print(k)
            break
""")


def run(local, script: str) -> int:
    """Runs the script to its end; how many moments it died at."""
    (local.root / "project/code").mkdir(parents=True)
    (local.root / "project/code/train.py").write_text("pass")
    arguments = [local.root / "project", local.root / "machine", local.starts_folder]
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)


def crash_id(k: int, launch: int = 1) -> Id:
    return Id("lineage", f"crash.job.{k:08d}", launch)


def test_a_create_that_was_killed_anywhere_can_be_repeated(local) -> None:
    """Each launch runs exactly once. Half are not created again: moving the queue on suffices where they exist."""
    moments = run(local, CREATES)
    assert moments >= 30
    provider = local.provider()
    for k in range(moments):
        inputs = local.job("true", workdir="code")
        if k % 2 or provider.read_many([crash_id(k)])[crash_id(k)].presence is Presence.ABSENT:
            provider.create(crash_id(k), inputs, lambda _: None)
        else:
            local.advance(crash_id(k))
    for k in range(moments):
        assert local.until(crash_id(k), Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED
    assert {k: local.starts(crash_id(k)) for k in range(moments)} == dict.fromkeys(range(moments), 1)


def test_a_supervisor_that_was_killed_anywhere_runs_nothing_twice(local) -> None:
    """Killed before its mark it is started anew; after it the launch ends, or is lost and launched again."""
    moments = run(local, SUPERVISES)
    assert moments >= 15
    local.advance(*map(crash_id, range(moments)))
    ends = [local.until(crash_id(k), Status.SUCCEEDED, Status.LOST) for k in range(moments)]
    assert {end.status for end in ends} == {Status.SUCCEEDED, Status.LOST}
    for k, end in enumerate(ends):
        assert local.starts(crash_id(k)) <= 1
        if end.status is Status.LOST:
            local.provider().create(crash_id(k, 2), local.job("true"), lambda _: None)
    for k, end in enumerate(ends):
        again = crash_id(k, 2)
        assert end.status is Status.SUCCEEDED or local.until(again, Status.SUCCEEDED, Status.FAILED)
        assert local.starts(crash_id(k)) == 1 or local.starts(again) == 1


def test_many_supervisors_of_one_launch_run_it_once(local) -> None:
    """The lock lets one in, and the mark keeps later ones out."""
    id = crash_id(0)
    local.provider().create(id, local.job("sleep 0.5"), lambda _: None)
    path = local.folder(id) / "launches/1"
    command = [sys.executable, "-m", "expiac.providers.local.supervisor", str(path)]
    for each in [subprocess.Popen(command, cwd=Path.cwd()) for _ in range(4)]:
        assert each.wait(30) == 0
    assert local.until(id, Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED
    subprocess.run(command, check=True, timeout=30)
    assert local.starts(id) == 1


def test_a_job_outlives_whoever_created_it(local) -> None:
    """The submitter is killed as soon as create returns; the job goes on and is seen by the next."""
    script = BEFORE + textwrap.dedent("""
        LocalProvider(root, machine=machine).create(id(0), inputs, lambda _: None)
        os.kill(0, signal.SIGKILL)  # and everybody in its group, as a closing terminal does
    """)
    (local.root / "project/code").mkdir(parents=True)
    arguments = [local.root / "project", local.root / "machine", local.starts_folder]
    done = subprocess.run([sys.executable, "-c", script, *map(str, arguments)], start_new_session=True, timeout=60)
    assert done.returncode == -9
    assert local.until(crash_id(0), Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED


def test_a_supervisor_that_cannot_start_does_not_block_the_queue(local) -> None:
    """After some tries the launch has failed, and says where to look."""
    provider = local.provider()
    (local.root / "gone").mkdir()
    local.machine.folder.mkdir()
    job = local.job("true")
    from expiac.providers.local import create, folder, slots

    task = create.read_task(job, local.machine)
    described = create.describe(crash_id(0), job, task, local.machine, 1.0)
    broken = type(described)(**{name: getattr(described, name) for name in described.__dataclass_fields__}
                             | {"python": "/nowhere/python"})
    run_folder = folder.RunFolder(local.folder(crash_id(0)))
    with run_folder.prepare(1.0):
        run_folder.publish(broken)
    for _ in range(slots.TRIES + 1):
        local.advance(crash_id(0))
    assert provider.read_many([crash_id(0)])[crash_id(0)].status is Status.FAILED
    provider.create(crash_id(1), job, lambda _: None)
    assert local.until(crash_id(1), Status.SUCCEEDED)


def test_a_disk_that_refuses_is_named(local) -> None:
    """A user's mistake or the world's: no traceback, the path, and no half-made launch."""
    provider = local.provider()
    (local.root / "project/.expiac").mkdir()
    (local.root / "project/.expiac/local").write_text("in the way")
    with pytest.raises(ExpiacError, match=r"project/\.expiac/local"):
        provider.create(crash_id(0), local.job("true"), lambda _: None)
    assert local.read(crash_id(0)).presence is Presence.ABSENT


@pytest.mark.skipif(sys.platform != "linux", reason="no forks elsewhere")
def test_a_supervisor_and_its_fork_that_were_killed_anywhere_run_nothing_twice(local) -> None:
    """Two jobs: the supervisor of the first forks that of the second, and each dies at its k-th moment."""
    moments = run(local, FORKS)
    assert moments >= 35
    ends: set[tuple[Status, ...]] = set()
    for k in range(moments):
        provider = local.provider(machine=Machine(local.machine.folder / str(k), cpus=1, gpus=0))
        pair = [crash_id(2 * k), crash_id(2 * k + 1)]
        provider.advance_queue(pair)
        ends.add(tuple(local.until(id, Status.SUCCEEDED, Status.LOST).status for id in pair))
        for id in pair:
            if local.read(id).status is Status.SUCCEEDED:
                assert local.starts(id) == 1
            else:
                assert local.starts(id) <= 1
                again = Id(id.lineage, id.instance, 2)
                provider.create(again, local.job("true"), lambda _: None)
                assert local.until(again, Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED
    assert {(Status.LOST, Status.SUCCEEDED), (Status.SUCCEEDED, Status.LOST)} <= ends
