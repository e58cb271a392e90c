"""Whatever the disk refuses: what was acknowledged stays, and the error names the file."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from journals import CREATE, LIFE, journal, written

from expiac.state.events import Forgotten
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.util.durable import Disk
from expiac.util.errors import ExpiacError


def test_a_short_write_is_taken_back(path):
    """The disk takes ten bytes and then no more: the earlier state stays, and nothing more is written."""
    class Full(Disk):
        room = 10_000

        def write(self, fd: int, data: bytes) -> int:
            if not self.room:
                raise OSError(28, "No space left on device")
            count = super().write(fd, data[: self.room])
            self.room -= count
            return count

    disk = Full()
    with journal(path, disk=disk) as open_:
        open_.append(CREATE)
        before, disk.room = path.read_bytes(), 10
        with pytest.raises(ExpiacError, match=r"not written\n .*x.jsonl: No space left on device\n .*make room for"):
            open_.append(LIFE[2])
        disk.room = 10_000
        with pytest.raises(ExpiacError, match="an earlier write failed: No space left"):
            open_.append(LIFE[2])
    assert path.read_bytes() == before
    assert written(path, LIFE[2]).records["ppo"].handle == {"request": "r1"}


def test_a_failed_sync_ends_the_writing(path):
    """After a failed sync the kernel may have thrown the data away; a second one would lie."""
    class Ill(Disk):
        ill = False

        def sync(self, fd: int) -> None:
            if self.ill:
                raise OSError(5, "Input/output error")

    disk = Ill()
    with journal(path, disk=disk) as open_:
        open_.append(CREATE)
        disk.ill = True
        with pytest.raises(ExpiacError, match=r"State not written\n .*Input/output error"):
            open_.append(LIFE[2])
        disk.ill = False
        with pytest.raises(ExpiacError, match="an earlier write failed: Input/output error"):
            open_.append(LIFE[3])
    assert Journal.read(FileLog(path)).number in (1, 2)


def test_an_interrupted_write_ends_the_writing(path):
    """^C in the middle of a write: the line is taken back, and this journal says no more."""
    class Interrupts(Disk):
        def write(self, fd: int, data: bytes) -> int:
            super().write(fd, data[:20])
            raise KeyboardInterrupt

    written(path, CREATE)
    before = path.read_bytes()
    with journal(path, disk=Interrupts()) as open_:
        with pytest.raises(KeyboardInterrupt):
            open_.append(LIFE[2])
        with pytest.raises(ExpiacError, match="interrupted"):
            open_.append(LIFE[2])
    assert path.read_bytes() == before


FILL = """
import sys
from pathlib import Path
from expiac.util.errors import ExpiacError
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.declare.options import Hooks, Options
from expiac.state.events import Effect, Run, Started

journal = Journal.open(FileLog(Path(sys.argv[1])), stack="x")
try:
    while True:
        journal.append(Started("a" * 300, Effect.CREATE, "job", "local", Run("x", "f", 0, journal.number)))
except ExpiacError as error:
    print(journal.number, error)
"""


def _fill(path: Path, **kwargs: object) -> tuple[int, str]:
    child = subprocess.run([sys.executable, "-c", FILL, str(path)], capture_output=True, text=True, check=True,
                           **kwargs)  # type: ignore[call-overload]
    number, error = child.stdout.split(" ", 1)
    return int(number), error


def _small_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_file_that_may_not_grow_keeps_its_state(path):
    """The kernel cuts a line short at 20,000 bytes: what was acknowledged is whole, without a torn line."""
    number, error = _fill(path, preexec_fn=_small_files)
    assert "State not written" in error
    assert "File too large" in error
    reading = Journal.read(FileLog(path))
    assert (reading.number, reading.notes) == (number, ())


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 64 KiB; `remount` changes how it is mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True)
    if mount.returncode:
        pytest.skip("only root may mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_its_state(small_disk):
    """No space left: what was acknowledged is whole, and once there is room the stack goes on."""
    path = small_disk / "x.jsonl"
    number, error = _fill(path)
    assert "No space left on device" in error
    assert f"make room for {small_disk}" in error
    assert Journal.read(FileLog(path)).number == number
    subprocess.run(["mount", "-o", "remount,size=256k", str(small_disk)], check=True)
    assert written(path, Forgotten("a" * 300)).records == {}


def test_a_read_only_disk_is_named(small_disk):
    """Reading works; writing is refused with the path."""
    path = small_disk / "x.jsonl"
    state = written(path, CREATE)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    assert Journal.read(FileLog(path)).state == state
    for file in (path, small_disk / "new" / "x.jsonl"):
        with pytest.raises(ExpiacError, match=f"{file}: Read-only file system"):
            written(file, LIFE[2] if file == path else CREATE)


def test_a_folder_that_is_a_file_is_named(tmp_path):
    """Neither reading nor writing shows a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ExpiacError, match="State not readable"):
        Journal.read(FileLog(tmp_path / "file" / "x.jsonl"))
    with pytest.raises(ExpiacError, match="State not readable"):
        Journal.read(FileLog(tmp_path))
    with journal(tmp_path / "gone" / "x.jsonl") as open_:
        (tmp_path / "gone").write_text("")
        with pytest.raises(ExpiacError, match="State not written"):
            open_.append(CREATE)


def test_no_descriptor_is_left_open(path):
    """Opening, compacting and closing many times leaves nothing behind."""
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for event in LIFE:
        with journal(path) as open_:
            open_.append(event)
            open_.compact()
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before
