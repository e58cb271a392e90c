"""Ended runs share the large files that they brought along; what a job does to its copy is never seen elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from expiac.providers.base import Id
from expiac.providers.local import sharing
from expiac.providers.local.folder import RunFolder
from expiac.state.status import Status

CLONE = sharing.clone
SIZE = 8 << 20
CONTENT = bytes(range(256)) * (SIZE // 256)


def run_id(number: int, launch: int = 1) -> Id:
    return Id("lineage", f"big.job.{number:08d}", launch)


@pytest.fixture
def project(local, monkeypatch) -> Path:
    """A project with a large file, on a file system that clones nothing, whichever the tests run on."""
    monkeypatch.setattr(sharing, "clone", lambda source, target: False)
    local.provider()
    data = local.root / "project/data"
    data.mkdir()
    (data / "x.bin").write_bytes(CONTENT)
    return local.root / "project"


def launch(local, until, *ids: Id, run: str = "true", **task: object) -> None:
    """Runs the launches side by side, and waits for their supervisors too."""
    for id in ids:
        local.start(id, run, workdir=".", **task)
    for id in ids:
        assert local.until(id, Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED, local.said(id)
    until(lambda: not local.supervisors())


def copy(local, number: int, name: str = "data/x.bin") -> Path:
    return local.folder(run_id(number)) / "home/sky_workdir" / name


def objects(local) -> list[Path]:
    return [file for file in (local.root / "project/.expiac/local/.objects").rglob("*") if file.is_file()]


def disk_use(folder: Path) -> int:
    """Bytes on the disk, each inode once, as `du` counts."""
    found = {(file.st_dev, file.st_ino): file.st_blocks * 512 for path in folder.rglob("*") for file in [path.lstat()]}
    return sum(found.values())


def test_ended_runs_hold_a_large_file_once(local, until, project: Path) -> None:
    """More of them than fit at once: those that wait are started by those that end."""
    launch(local, until, *map(run_id, range(8)))
    files = [copy(local, number) for number in range(8)]
    assert {file.stat().st_ino for file in files} == {objects(local)[0].stat().st_ino}
    assert SIZE <= disk_use(project / ".expiac") < 1.5 * SIZE
    assert {file.read_bytes() for file in files} == {CONTENT}


def test_clones_need_no_store(local, until, project: Path, monkeypatch) -> None:
    monkeypatch.setattr(sharing, "clone", CLONE)
    probe = local.root / "probe"
    if not sharing.clone(project / "data/x.bin", probe):
        pytest.skip("the file system of the tests cannot clone")
    probe.unlink()
    launch(local, until, *map(run_id, range(4)))
    assert objects(local) == []
    launch(local, until, run_id(5), run=APPEND)
    assert copy(local, 0).read_bytes() == (project / "data/x.bin").read_bytes() == copy(local, 5).read_bytes()[:-4]


APPEND = "chmod u+w data/x.bin; printf mine >> data/x.bin"


def test_a_job_that_writes_in_place_changes_its_own_copy_only(local, until, project: Path) -> None:
    """Whoever it runs as, and whatever mode the file has: earlier runs, later ones, the store and the source stay."""
    launch(local, until, run_id(0), run_id(1))
    launch(local, until, run_id(2), run=APPEND)
    launch(local, until, run_id(3))
    assert [copy(local, number).read_bytes() == CONTENT for number in range(4)] == [True, True, False, True]
    assert copy(local, 2).read_bytes() == CONTENT + b"mine"
    assert (project / "data/x.bin").read_bytes() == CONTENT
    assert copy(local, 3).stat().st_ino == copy(local, 0).stat().st_ino


def test_a_relaunch_has_a_copy_of_its_own_again(local, until, project: Path) -> None:
    (project / "data/x.bin").chmod(0o444)  # as data tools leave it: then mode and time say nothing
    launch(local, until, run_id(0), run_id(1))
    assert copy(local, 0).stat().st_nlink == 3
    launch(local, until, run_id(0, launch=2), run=APPEND)
    assert copy(local, 0).read_bytes() == CONTENT + b"mine"
    assert copy(local, 1).read_bytes() == CONTENT


def test_so_has_a_relaunch_that_takes_no_code_along(local, until, project: Path) -> None:
    launch(local, until, run_id(0), run_id(1))
    local.start(run_id(0, launch=2), "cd ~/sky_workdir; " + APPEND)
    assert local.until(run_id(0, launch=2), Status.SUCCEEDED, Status.FAILED).status is Status.SUCCEEDED
    assert copy(local, 0).read_bytes() == CONTENT + b"mine"
    assert copy(local, 1).read_bytes() == CONTENT


def test_a_job_that_runs_has_a_copy_of_its_own(local, until, project: Path) -> None:
    launch(local, until, run_id(0))
    local.start(run_id(1), "exec sleep 300", workdir=".")
    local.until(run_id(1), Status.RUNNING)
    assert copy(local, 1).stat().st_nlink == 1
    local.provider().delete(run_id(1))
    until(lambda: copy(local, 1).stat().st_nlink == 3)


def test_mounted_files_are_shared_too(local, until, project: Path) -> None:
    launch(local, until, run_id(0), run_id(1), file_mounts={"~/input": "data"})
    mounted = [local.folder(run_id(number)) / "home/input/x.bin" for number in range(2)]
    assert {file.stat().st_ino for file in mounted} == {copy(local, 0).stat().st_ino}


def test_small_files_and_what_a_job_made_stay_its_own(local, until, project: Path) -> None:
    (project / "small.bin").write_bytes(CONTENT[: sharing.LARGE - 1])
    launch(local, until, run_id(0), run_id(1), run="cp data/x.bin made.bin")
    for name in ("small.bin", "made.bin"):
        assert copy(local, 0, name).stat().st_nlink == 1


def test_a_file_that_may_be_executed_is_no_data(local, until, project: Path) -> None:
    """The mode is a part of what is shared."""
    (project / "data/y.bin").write_bytes(CONTENT)
    (project / "data/y.bin").chmod(0o755)
    launch(local, until, run_id(0), run_id(1))
    assert os.access(copy(local, 1, "data/y.bin"), os.X_OK)
    assert copy(local, 1).stat().st_mode & 0o777 == 0o444
    assert len(objects(local)) == 2


def test_an_object_that_was_changed_by_hand_is_not_used(local, until, project: Path) -> None:
    launch(local, until, run_id(0))
    changed = objects(local)[0]
    changed.chmod(0o644)
    changed.write_bytes(b"x" * SIZE)
    launch(local, until, run_id(1), run_id(2))
    assert copy(local, 1).read_bytes() == copy(local, 2).read_bytes() == CONTENT
    assert copy(local, 1).stat().st_ino == copy(local, 2).stat().st_ino


def test_nothing_is_touched_through_a_link_that_a_job_made(local, until, project: Path) -> None:
    outside = local.root / "outside"
    outside.mkdir()
    (outside / "x.bin").write_bytes(CONTENT)
    launch(local, until, run_id(0), run=f"rm -r data; ln -s {outside} data")
    found = (outside / "x.bin").stat()
    assert (found.st_nlink, found.st_mode & 0o222) == (1, 0o200)
    assert objects(local) == []


KILLED = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from expiac.providers.local import sharing
    from expiac.providers.local.folder import RunFolder

    def dies_at(k):
        def hook(event, args):
            nonlocal k
            if event in ("open", "os.chmod", "os.link", "os.rename", "os.remove", "os.mkdir", "fcntl.flock"):
                k -= 1
                if k < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.addaudithook(hook)

    run = RunFolder(Path(sys.argv[1]))
    for k in range(1000):
        child = os.fork()
        if not child:
            dies_at(k)
            sharing.share_copies(run, run.launches()[-1])
            os._exit(0)
        if os.waitpid(child, 0)[1] == 0:
            print(k)
            break
""")


@pytest.mark.parametrize("is_known", [False, True], ids=["first", "second"])
def test_whoever_shares_may_be_killed_anywhere(local, until, project: Path, is_known: bool) -> None:
    """The first of these runs enters the object, the second one links to it."""
    launch(local, until, run_id(0), run_id(1))
    for number in (1,) if is_known else (0, 1):
        _make_private(local, number)
    if not is_known:
        objects(local)[0].unlink()
    command = [sys.executable, "-c", KILLED, str(local.folder(run_id(1)))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert int(done.stdout) >= 4
    assert [copy(local, number).read_bytes() == CONTENT for number in range(2)] == [True, True]
    assert copy(local, 1).stat().st_ino == objects(local)[0].stat().st_ino
    assert [file.name for file in copy(local, 1).parent.iterdir()] == ["x.bin"]


def _make_private(local, number: int) -> None:
    content = copy(local, number).read_bytes()
    copy(local, number).unlink()
    copy(local, number).write_bytes(content)


def test_two_runs_that_end_at_once_share_one_object(local, until, project: Path) -> None:
    """Processes that enter the same object side by side: one does, and the others link to it."""
    launch(local, until, *map(run_id, range(4)))
    for number in range(4):
        _make_private(local, number)
    objects(local)[0].unlink()
    script = ("import sys; from pathlib import Path; from expiac.providers.local.folder import RunFolder\n"
              "from expiac.providers.local.sharing import share_copies\n"
              "run = RunFolder(Path(sys.argv[1])); share_copies(run, run.launches()[-1])")
    children = [subprocess.Popen([sys.executable, "-c", script, str(local.folder(run_id(number)))])
                for number in range(4)]
    assert [child.wait(30) for child in children] == [0] * 4
    assert {copy(local, number).stat().st_ino for number in range(4)} == {objects(local)[0].stat().st_ino}


def test_a_run_that_was_launched_again_meanwhile_is_left_alone(local, until, project: Path) -> None:
    """A slow supervisor of the first launch does not take the second one's files."""
    launch(local, until, run_id(0))
    local.start(run_id(0, launch=2), "exec sleep 300", workdir=".")
    local.until(run_id(0, launch=2), Status.RUNNING)
    run = RunFolder(local.folder(run_id(0)))
    sharing.share_copies(run, run.launch(1))
    assert copy(local, 0).stat().st_nlink == 1
