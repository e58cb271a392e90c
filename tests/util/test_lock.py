"""One writer: who comes second is told who came first, and a dead holder holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from expiac.util.errors import ExpiacError, Locked
from expiac.util.lock import Lock, holder

HOLD = """
import sys
from pathlib import Path
from expiac.util.lock import Lock

with Lock(Path(sys.argv[1]), purpose="apply"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".expiac" / "ppo.lock"


@pytest.fixture
def other(path: Path):
    """Another process that holds the lock until its input ends."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    yield child
    child.kill()
    child.wait()


def test_the_second_process_is_told_who_holds_it(path, other):
    """The message names purpose, stack, user, host, process and time, and the hint can be pasted."""
    with pytest.raises(Locked) as refused, Lock(path, purpose="destroy"):
        pass
    assert refused.value.detail.startswith("apply of ppo by ")
    assert f"@{os.uname().nodename}, process {other.pid}, since 2" in refused.value.detail
    assert refused.value.hint.endswith(f"ps -fp {other.pid}")


def test_a_killed_holder_holds_nothing(path, other):
    """The system lets go of what a dead process held."""
    other.kill()
    other.wait()
    with Lock(path, purpose="apply"):
        assert holder(path).pid == os.getpid()


def test_a_holder_that_ends_lets_go_and_says_so(path, other):
    """After an orderly end nobody is named."""
    other.communicate()
    assert holder(path) is None
    with Lock(path, purpose="apply"):
        pass


def test_waiting_gets_the_lock_when_it_is_let_go(path, other):
    """`wait_seconds` tries until then."""
    threading.Timer(0.2, other.stdin.close).start()
    with Lock(path, purpose="apply", wait_seconds=30):
        assert holder(path).pid == os.getpid()


def test_waiting_has_an_end(path, other):
    """After `wait_seconds` the holder is named as it is without waiting."""
    with pytest.raises(Locked, match=f"process {other.pid}"), Lock(path, purpose="apply", wait_seconds=0.1):
        pass


def test_a_process_does_not_hold_it_twice(path):
    """Neither through another lock nor through the same one; the first stays held."""
    with Lock(path, purpose="apply") as lock:
        for again in (lock, Lock(path, purpose="refresh")):
            with pytest.raises(Locked, match="by this very process"), again:
                pass
        assert holder(path).purpose == "apply"
    with lock:
        pass


def test_the_file_stays_the_same_file(path):
    """It is never removed: two processes could each hold a lock on a file of that name."""
    with Lock(path, purpose="apply"):
        first = path.stat().st_ino
    with Lock(path, purpose="apply"):
        assert path.stat().st_ino == first


def test_a_program_we_start_does_not_inherit_it(path):
    """A supervisor that outlives us doesn't keep the lock."""
    with ExitStack() as held:
        held.enter_context(Lock(path, purpose="apply"))
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        with Lock(path, purpose="apply"):
            pass
        if Path("/proc").exists():
            fds = Path(f"/proc/{child.pid}/fd")
            assert str(path) not in {os.path.realpath(fd) for fd in fds.iterdir()}
    finally:
        child.communicate(b"\n")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    """A folder under a file can be written by nobody, root included."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExpiacError) as refused, Lock(tmp_path / "file" / ".expiac" / "ppo.lock", purpose="apply"):
        pass
    assert refused.value.summary == "State folder not writable"
    assert str(tmp_path / "file" / ".expiac") in refused.value.detail


def test_a_holder_that_has_not_said_who_it_is_still_holds(path):
    """Between taking the lock and signing it there is an instant; the message is short then, and no traceback."""
    with Lock(path, purpose="apply"):
        path.write_text("{")
        with pytest.raises(Locked, match="has not said who it is"), Lock(path, purpose="apply"):
            pass
