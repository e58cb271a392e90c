"""Threads and processes that write at once, and a writer that is killed."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from journals import CREATE, LIFE, NOON, RUN, journal, written

from expiac.state.events import Observed
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.status import Status
from expiac.util.errors import ExpiacError, Stale


def test_threads_append_at_once(path):
    """Numbers stay consecutive, every event is there, and one sync may serve several of them."""
    with journal(path, compact_above=8192) as open_:
        def work(name: str) -> None:
            for launch in range(1, 31):
                open_.append(replace(CREATE, address=name, run=replace(RUN, launch=launch)))
                open_.append(Observed(name, Status.RUNNING), durable=False)

        threads = [threading.Thread(target=work, args=(f"job{number}",)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    reading = Journal.read(FileLog(path))
    assert (reading.number, reading.state) == (360, open_.state)
    assert {record.run.launch for record in reading.state.records.values()} == {30}


def test_a_file_that_somebody_else_wrote_is_not_written_over(path):
    """Without the lock two writers would both write number 3; the second one notices."""
    written(path, *LIFE[:2])
    with journal(path) as mine, journal(path) as theirs:
        theirs.append(LIFE[2])
        for _ in range(2):
            with pytest.raises(ExpiacError):
                mine.append(LIFE[2])
        assert mine.reload() == theirs.state
        mine.append(LIFE[3])
        with pytest.raises(Stale) as error:
            theirs.append(LIFE[3])
    assert error.value.code == "state-taken-over"
    assert Journal.read(FileLog(path)).number == 4


def test_a_file_that_was_begun_meanwhile_is_not_replaced(path):
    """Two first applies at once: the second finds another lineage."""
    with journal(path) as mine, journal(path) as theirs:
        theirs.append(CREATE)
        with pytest.raises(Stale):
            mine.reload()
        with pytest.raises(Stale):
            mine.append(CREATE)
    assert Journal.read(FileLog(path)).header.lineage == theirs.header.lineage


def test_reloading_what_did_not_change_changes_nothing(path):
    """Between two effects nobody else wrote: the journal goes on."""
    with journal(path) as open_:
        assert open_.reload() == open_.state
        open_.append(CREATE)
        assert open_.reload() == open_.state
        open_.append(LIFE[2])
    assert Journal.read(FileLog(path)).number == 2


WRITER = """
import sys
from pathlib import Path
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.declare.options import Hooks, Options
from expiac.state.events import Effect, Observed, Run, Started
from expiac.state.status import Status

path = Path(sys.argv[1])
with Journal.open(FileLog(path), stack="x", lineage="abc", now=lambda: "{noon}", compact_above=3000) as journal:
    while True:
        number = journal.number + 1
        if number % 3:
            event = Observed(f"job{{number // 3 % 7}}", Status.RUNNING, {{"number": number}})
        else:
            event = Started(f"job{{number // 3 % 7}}", Effect.CREATE, "job", "local", Run("x", "f", 0, number))
        if number < 3:
            event = Started("job0", Effect.CREATE, "job", "local", Run("x", "f", 0, number))
        journal.append(event)
        print(number, flush=True)
"""


def test_a_killed_writer_leaves_a_prefix_of_what_it_wrote(path):
    """Killed at any moment, also while compacting: whatever was acknowledged is there, and the file goes on."""
    chance = random.Random(0)
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", WRITER.format(noon=NOON), str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        child.stdout.readline()
        until = time.monotonic() + chance.uniform(0.0, 0.15)
        while time.monotonic() < until:
            _assert_prefix(path, 1)  # a reader without the lock
        child.kill()
        said = child.stdout.read().split()
        child.wait()
        _assert_prefix(path, int(said[-1]) if said else 1)


def _assert_prefix(path: Path, at_least: int) -> None:
    reading = Journal.read(FileLog(path))
    assert reading.number >= at_least
    newest = max(record.run.launch for record in reading.state.records.values())
    assert reading.number - newest < 3
    seen = [record.outputs.get("number", 0) for record in reading.state.records.values()]
    assert reading.number in (newest, *seen)
