"""A folder that cannot be written, and a disk that is full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from refusals import APPLY, GOOD, OTHER, refused
from throwaway import Folder, until


@contextmanager
def mounted(at: Path, *arguments: str) -> Iterator[None]:
    """Something mounted there; the test is skipped where that is not ours to do."""
    done = subprocess.run(["mount", *arguments, str(at)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that cannot be written; permissions do not stop root, so for root it is a mount."""
    if os.geteuid():
        folder.chmod(0o500)
        try:
            yield
        finally:
            folder.chmod(0o700)
        return
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def test_no_write_permission(project: Folder):
    """Reading goes on; whatever would write names the folder."""
    project.stack(OTHER)
    folder = project.root / ".expiac"
    with read_only(folder):
        assert "± one" in project.output("plan", "small")
        assert "succeeded" in project.output("status")
        for command in (APPLY, ("destroy", "--yes")):
            refused(project, "State folder not writable", str(folder), by=command)


def test_a_full_disk(project: Folder):
    """Refused while it is full, however little is left; once there is room the next apply converges, and nothing was
    launched twice."""
    starts = project.root / "starts"
    record = f'echo "$EXPIAC_INSTANCE.$EXPIAC_LAUNCH" >> {starts}'
    folder = project.root / ".expiac"
    shutil.rmtree(folder)
    folder.mkdir()
    project.stack(GOOD)
    with mounted(folder, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        project.apply()
        project.stack(GOOD.replace("'echo one'", repr(record)))
        _fill(folder / "filler", leave=0)
        refused(project, "No space left on device", "make room for")
        for leave in (4096, 8192, 16384):
            _fill(folder / "filler", leave)
            done = project.expiac(*APPLY)
            assert "Traceback" not in done.stderr, done.stderr
            assert done.returncode == 0 or "No space left on device" in done.stdout + done.stderr
        (folder / "filler").unlink()
        project.apply()
        until(starts.exists, "the job has started")
        assert "no changes" in project.output("plan")
        started = starts.read_text().split()
        assert len(started) == len(set(started))


def _fill(file: Path, leave: int) -> None:
    """Takes all the room that there is but some bytes."""
    file.unlink(missing_ok=True)
    fd = os.open(file, os.O_WRONLY | os.O_CREAT)
    size = 0
    try:
        while True:
            size += os.write(fd, b"x" * 4096)
    except OSError:
        os.ftruncate(fd, max(0, size - leave))
    finally:
        os.close(fd)
