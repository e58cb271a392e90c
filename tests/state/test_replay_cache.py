"""What is kept of a long state gives the very state that a full reading gives, whatever becomes of either file."""

from __future__ import annotations

import json
import pickle
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from inspect import signature
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journals import CREATE, LIFE, RUN, folded, journal, written

from expiac.state import replay_cache
from expiac.state.events import Effect, EffectDone, Observed, Run, Started
from expiac.state.facts import Reference
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.model import Record, State
from expiac.state.replay import WORTH_KEEPING, Beginning, Damage, Reading, replay
from expiac.state.replay_cache import ReplayCache
from expiac.state.status import Status
from expiac.util.errors import ExpiacError

ROOT = Path(__file__).parents[2]
LONG = replace(CREATE, inputs={"text": "x" * WORTH_KEEPING})


@pytest.fixture
def cache(tmp_path: Path) -> ReplayCache:
    return ReplayCache(tmp_path / "cache" / "x")


def kept(cache: ReplayCache, data: bytes) -> Beginning:
    """That of the whole of these bytes."""
    reading = replay(data, "x")
    known = Beginning(reading.header, reading.state, reading.number, reading.base, len(data), data.count(b"\n"))
    cache.keep(data, known)
    return known


def outcome(data: bytes, known: Beginning | None) -> Reading | tuple[int, str]:
    """What the state says, or the line that is wrong with it, and how."""
    try:
        return replay(data, "x", known=known)
    except Damage as error:
        return error.line, error.what


@pytest.mark.parametrize("is_compacted", [False, True])
def test_the_rest_is_read_as_if_all_were(path, cache, is_compacted):
    """After each event that a file can be kept at; with a rest that is whole, cut short at any byte, or damaged."""
    written(path, *LIFE[:4])
    if is_compacted:
        with journal(path) as open_:
            open_.compact()
    written(path, *LIFE[4:])
    data = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(data) if byte == 0x0A]
    for end in ends[1:]:
        kept(cache, data[:end])
        assert cache.find(data) is not None
        torn = [data[:at] for at in range(end, len(data), 7)]
        damaged = [data[:at] + bytes([data[at] ^ 1]) + data[at + 1:] for at in range(end, len(data), 11)]
        for changed in (data, *torn, *damaged):
            assert outcome(changed, cache.find(changed)) == outcome(changed, None)


def test_a_long_state_is_read_once(path, cache):
    """By its second reading, which believes what is kept; a short one is not worth a file."""
    written(path, *LIFE)
    assert Journal.read(FileLog(path), kept=cache).number == len(LIFE)
    assert not cache.file.exists()
    written(path, LONG)
    state = Journal.read(FileLog(path), kept=cache).state
    known = cache.find(path.read_bytes())
    assert known is not None
    assert known.state == state
    cache.keep(path.read_bytes(), replace(known, state=replace(state, serial=99)))
    assert Journal.read(FileLog(path), kept=cache).state.serial == 99
    with Journal.open(FileLog(path), stack="x", kept=cache) as open_:
        assert open_.append(Observed("ppo", Status.FAILED)).number == len(LIFE) + 2
        assert open_.reload().serial == 99


def test_a_state_with_an_output_of_another_stack_is_found(path, cache):
    used = Reference("${stack:base:train.checkpoint}", "base", "train", "checkpoint", "base.train.0a1b2c3d", 1, "/x.pt")
    written(path, replace(LONG, references=(used,)))
    state = Journal.read(FileLog(path), kept=cache).state
    known = cache.find(path.read_bytes())
    assert known is not None
    assert known.state == state


PARTS = st.recursive(
    st.sampled_from((0, 1, 1.0, True, False, 0.0, -0.0, None, "", "1", "é", "\ud800", 10**30)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2))
INPUTS = st.fixed_dictionaries({"run": PARTS}, optional={"config": st.dictionaries(st.sampled_from("xyz"), PARTS)})


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(present=st.lists(INPUTS, min_size=1, max_size=4), past=st.lists(INPUTS, max_size=2))
def test_inputs_that_are_equal_to_python_only_stay_apart(path, cache, present, past):
    """Records have the parts in common that are the same in every bit: 1 and True are not."""
    path.unlink(missing_ok=True)
    written(path, LONG)
    known = kept(cache, path.read_bytes())
    (record,) = known.state.records.values()
    state = replace(known.state, records={str(at): replace(record, inputs=one) for at, one in enumerate(present)},
                    history=tuple(replace(record, inputs=one) for one in past))
    cache.keep(path.read_bytes(), replace(known, state=state))
    found = cache.find(path.read_bytes())
    assert found is not None
    assert repr(found.state) == repr(state)


def test_the_fields_of_a_record_are_its_arguments():
    """In their order, so that a record can be made of their values."""
    for kind in (Record, Run):
        assert [field.name for field in fields(kind)] == list(signature(kind).parameters)
        assert not any(field.kw_only or not field.init for field in fields(kind))


def test_every_kind_of_value_of_a_state_can_be_found():
    """The dataclasses and enums that the fields of a state name, wherever they are declared."""
    found, todo = set(), [Beginning, State]
    while todo:
        kind = todo.pop()
        if kind in found:
            continue
        found.add(kind)
        hints = get_type_hints(kind).values() if is_dataclass(kind) else ()
        todo += [part for hint in hints for part in parts_of(hint) if is_dataclass(part) or issubclass(part, Enum)]
    assert Reference in found
    assert not {kind for kind in found if kind.__module__ not in replay_cache._MODULES}


def parts_of(hint: object) -> list[type]:
    """The classes that a type names."""
    inner = [part for one in get_args(hint) for part in parts_of(one)]
    return [*inner, hint] if isinstance(hint, type) else inner


def test_what_is_kept_of_other_bytes_does_not_count(path, cache):
    """Whichever byte of the beginning was changed since, and where the file became shorter or another one."""
    written(path, *LIFE)
    data = path.read_bytes()
    kept(cache, data)
    for at in range(len(data)):
        assert cache.find(data[:at] + bytes([data[at] ^ 0x20]) + data[at + 1:]) is None
        assert cache.find(data[:at]) is None
    path.unlink()
    written(path, *LIFE)  # of another lineage
    assert cache.find(path.read_bytes()) is None


class _Evil:
    def __reduce__(self):
        return print, ("never said",)


@pytest.mark.parametrize("foreign", [b"", b"\n", b"{}", b"[]\n", b'{"made_by": 1}\nx', pickle.dumps(_Evil())])
def test_a_foreign_file_is_ignored(path, cache, foreign):
    written(path, *LIFE, LONG)
    cache.file.parent.mkdir()
    cache.file.write_bytes(foreign)
    whole = Journal.read(FileLog(path))
    assert Journal.read(FileLog(path), kept=cache) == whole
    assert cache.find(path.read_bytes()) is not None, "it is mended by the reading"


def test_a_damaged_file_is_ignored(path, cache):
    """Every byte changed, and cut at every length."""
    written(path, *LIFE)
    data = path.read_bytes()
    kept(cache, data)
    file = cache.file.read_bytes()
    for at in range(len(file)):
        cache.file.write_bytes(file[:at])
        assert cache.find(data) is None
        cache.file.write_bytes(file[:at] + bytes([file[at] ^ 1]) + file[at + 1:])
        assert outcome(data, cache.find(data)) == outcome(data, None)


def test_a_file_that_names_other_code_is_not_obeyed(path, cache, capsys):
    """Even one with a good head and checksum: only values of a state are made of it."""
    from expiac.util.kept import write_kept

    written(path, *LIFE)
    data = path.read_bytes()
    kept(cache, data)
    head = json.loads(cache.file.read_bytes().split(b"\n", 1)[0])
    for evil in (_Evil(), {"n": _Evil()}, 7, folded("l", *LIFE)):
        write_kept(cache.file, head, pickle.dumps(evil))
        assert cache.find(data) is None
    assert capsys.readouterr().out == ""


def test_another_release_reads_anew(path, cache, monkeypatch):
    """The same lines may mean something else to it."""
    written(path, *LIFE)
    kept(cache, path.read_bytes())
    monkeypatch.setattr(replay_cache, "VERSION", "9.9")
    replay_cache._maker.cache_clear()
    assert cache.find(path.read_bytes()) is None
    monkeypatch.undo()
    replay_cache._maker.cache_clear()
    assert cache.find(path.read_bytes()) is not None


def test_a_folder_that_cannot_be_written_stops_nobody(path, cache):
    cache.file.parent.write_text("a file stands there")
    written(path, *LIFE, LONG)
    assert Journal.read(FileLog(path), kept=cache) == Journal.read(FileLog(path))


_KILLED = """
import os, signal, sys
from pathlib import Path
from expiac.state.facts import Reference
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.replay_cache import ReplayCache

left, write = int(sys.argv[3]), os.write

def stop(*given, **named):
    os.kill(os.getpid(), signal.SIGKILL)

def half(fd, data):
    write(fd, bytes(data)[:left])
    stop()

if left >= 0:
    os.write = half
elif left == -1:
    os.replace = stop
Journal.read(FileLog(Path(sys.argv[1])), kept=ReplayCache(Path(sys.argv[2])))
"""


@pytest.mark.parametrize("has_older", [False, True])
@pytest.mark.parametrize("left", [0, 1, 100, 2000, -1])
def test_a_process_killed_while_it_keeps_a_reading_harms_nobody(path, cache, left, has_older):
    """After some bytes, and before the file takes its place; what was kept before is there still."""
    written(path, *LIFE)
    if has_older:
        kept(cache, path.read_bytes())
    written(path, LONG)
    command = [sys.executable, "-c", _KILLED, str(path), str(cache.file), str(left)]
    killed = subprocess.run(command, cwd=ROOT, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    data = path.read_bytes()
    assert (cache.find(data) is not None) == has_older
    assert Journal.read(FileLog(path), kept=cache) == Journal.read(FileLog(path))
    assert cache.find(data) is not None


def test_many_readers_beside_a_writer(path, cache):
    """Each reads a state as it was at some time, and keeps it; nobody waits for anybody."""
    written(path, LONG)

    def read_often(_: int) -> list[Reading]:
        return [Journal.read(FileLog(path), kept=cache) for _ in range(40)]

    with ThreadPoolExecutor(8) as threads:
        readings = [threads.submit(read_often, number) for number in range(8)]
        with journal(path) as open_:
            for number in range(60):
                run = replace(RUN, instance=f"x.job_{number}.0")
                inputs = {"text": "y" * 2000}
                open_.append(Started(f"job_{number}", Effect.CREATE, "job", "local", run, inputs=inputs), durable=False)
                open_.append(EffectDone(f"job_{number}", Status.SUCCEEDED), durable=False)
            last = open_.state
        found = [reading for one in readings for reading in one.result()]
    for reading in found:
        whole, begun = divmod(reading.number - 1, 2)
        done = [record for record in reading.state.records.values() if record.status is Status.SUCCEEDED]
        assert (len(done), len(reading.state.records)) == (whole, 1 + whole + begun)
    assert Journal.read(FileLog(path), kept=cache).state == last


def test_a_damaged_state_is_refused_though_it_was_kept(path, cache):
    """The line is the same one as without."""
    written(path, *LIFE, LONG)
    Journal.read(FileLog(path), kept=cache)
    data = bytearray(path.read_bytes())
    data[data.index(b"job") if b"job" in data else 400] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ExpiacError) as without:
        Journal.read(FileLog(path))
    with pytest.raises(ExpiacError) as refused:
        Journal.read(FileLog(path), kept=cache)
    assert str(refused.value) == str(without.value)
