"""What `StateLog` promises, of each of its implementations: a file, objects in a folder, objects in S3."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from expiac.state.file_log import FileLog
from expiac.state.log import NotReplaced, StateLog
from expiac.state.object_log import ObjectLog
from expiac.state.object_store import Store
from expiac.util.durable import Disk
from expiac.util.errors import Locked, Stale

Open = Callable[[], StateLog]


@pytest.fixture(params=["file", "objects in a folder", "objects in S3"])
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the log of the stack `x`, as each process does for itself."""
    if request.param == "file":
        return lambda: FileLog(tmp_path / "states" / "x.jsonl")
    if request.param == "objects in a folder":
        return lambda: ObjectLog(Store(f"file://{tmp_path}/store"), "x")
    bucket = request.getfixturevalue("bucket")
    return lambda: ObjectLog(Store(f"{bucket}/expiac"), "x")


def begun(open_log: Open, data: bytes = b"one\n") -> StateLog:
    log = open_log()
    log.read()
    log.replace(data)
    return log


def content(open_log: Open) -> bytes | None:
    """What another process reads."""
    return open_log().read()


def test_a_log_that_was_never_written_holds_nothing(open_log):
    """To read it leaves no trace."""
    log = open_log()
    assert (log.read(), log.size, log.stack) == (None, 0, "x")
    assert log.name.removesuffix(".jsonl").endswith("/x")
    assert content(open_log) is None


def test_what_was_synced_is_read_by_others(open_log):
    """In the order in which it was appended, by whichever process."""
    first = begun(open_log)
    first.append(b"two\n")
    first.append(b"three\n")
    first.sync()
    second = open_log()
    assert second.read() == b"one\ntwo\nthree\n"
    second.append(b"four\n")
    second.sync()
    assert content(open_log) == b"one\ntwo\nthree\nfour\n"
    assert second.size == len(b"one\ntwo\nthree\nfour\n")


def test_whether_others_see_what_is_not_synced_is_said(open_log):
    """A sync with nothing to bring over is none."""
    log = begun(open_log)
    log.sync()
    log.append(b"two\n")
    assert content(open_log) == (b"one\n" if log.is_buffered else b"one\ntwo\n")


def test_what_is_replaced_is_gone(open_log):
    """And what is appended then follows the new content; a reader asks for one piece again."""
    log = begun(open_log)
    log.append(b"two\n")
    log.sync()
    log.replace(b"all\n")
    assert (content(open_log), log.pieces) == (b"all\n", 1)
    log.append(b"more\n")
    log.sync()
    assert content(open_log) == b"all\nmore\n"


def test_what_was_cut_short_is_removed(open_log):
    """Before anything is appended."""
    begun(open_log, b"one\ntw").close()
    log = open_log()
    log.read()
    log.cut(4)
    log.append(b"two\n")
    log.sync()
    assert content(open_log) == b"one\ntwo\n"


def test_what_is_removed_is_gone_and_can_be_begun_again(open_log):
    """Nothing of the earlier content comes back."""
    log = begun(open_log)
    log.append(b"two\n")
    log.sync()
    log.remove()
    assert content(open_log) is None
    begun(open_log, b"new\n")
    assert content(open_log) == b"new\n"


WRITES: dict[str, Callable[[StateLog], None]] = {
    "append": lambda log: log.append(b"late\n"),
    "replace": lambda log: log.replace(b"late\n"),
    "cut": lambda log: log.cut(2),
    "remove": lambda log: log.remove(),
    "confirm": lambda log: log.confirm(),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("other", ["appended", "replaced"])
def test_a_writer_that_is_behind_is_refused(open_log, write, other):
    """Whatever it does, when it asks at the latest; and what the other one wrote stays."""
    begun(open_log).close()
    behind, ahead = open_log(), open_log()
    behind.read()
    ahead.read()
    if other == "appended":
        ahead.append(b"two\n")
        ahead.sync()
    else:
        ahead.replace(b"one\ntwo\n")
    with pytest.raises(Stale):
        _write_and_ask(behind, write)
    assert content(open_log) == b"one\ntwo\n"


def _write_and_ask(log: StateLog, write: Callable[[StateLog], None]) -> None:
    write(log)
    log.sync()
    log.confirm()


def test_of_two_that_begin_a_log_the_second_is_refused(open_log):
    """The first one's content stays."""
    first, second = open_log(), open_log()
    first.read()
    second.read()
    first.replace(b"first\n")
    with pytest.raises(Stale):
        second.replace(b"second\n")
    assert content(open_log) == b"first\n"


def test_a_writer_that_is_not_behind_is_confirmed(open_log):
    """After each kind of write, and with something that is not synced."""
    log = begun(open_log)
    log.confirm()
    log.append(b"two\n")
    log.confirm()
    log.sync()
    log.confirm()
    assert log.is_current


def test_a_stale_writer_that_reads_again_may_write(open_log):
    """It follows what the other one wrote; what it had not synced is forgotten."""
    begun(open_log).close()
    behind, ahead = open_log(), open_log()
    behind.read()
    ahead.read()
    ahead.append(b"two\n")
    ahead.sync()
    with pytest.raises(Stale):
        _write_and_ask(behind, WRITES["append"])
    assert behind.read() == b"one\ntwo\n"
    behind.append(b"three\n")
    behind.sync()
    assert content(open_log) == b"one\ntwo\nthree\n"


def test_one_holds_the_lock(open_log):
    """Whoever comes second is refused, until it is let go."""
    first, second = open_log(), open_log()
    with first.lock(purpose="apply"):
        with pytest.raises(Locked), second.lock(purpose="refresh"):
            raise AssertionError("both have it")
    with second.lock(purpose="refresh"):
        pass


def test_a_closed_log_can_be_read_again(open_log):
    """And written."""
    log = begun(open_log)
    log.close()
    assert log.read() == b"one\n"
    log.append(b"two\n")
    log.sync()
    assert content(open_log) == b"one\ntwo\n"


def test_a_log_that_was_surely_not_replaced_says_so(tmp_path):
    """It goes on from what it was."""
    class Full(Disk):
        def replace(self, source: Path, target: Path) -> None:
            raise OSError(28, "No space left on device")

    begun(lambda: FileLog(tmp_path / "x.jsonl")).close()
    log = FileLog(tmp_path / "x.jsonl", Full())
    log.read()
    with pytest.raises(NotReplaced, match="No space left on device"):
        log.replace(b"all\n")
    log.append(b"two\n")
    assert (tmp_path / "x.jsonl").read_bytes() == b"one\ntwo\n"
