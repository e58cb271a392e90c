"""States that a team shares: one suite for every kind of store, an S3 server on loopback among them."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import socket
from dataclasses import asdict, replace
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from expiac.declare.project import Project
from expiac.state import codec, edit, repair
from expiac.state.events import Approved, Effect, EffectDone, Observed, Run, Started
from expiac.state.file_log import FileLog
from expiac.state.journal import Journal
from expiac.state.locking import lock_state
from expiac.state.model import State
from expiac.state.object_log import ObjectLog
from expiac.state.object_store import Store
from expiac.state.remote import Remote
from expiac.state.status import Status
from expiac.state.stores import states
from expiac.util.errors import ExpiacError, Locked, Stale
from expiac.util.lock import Holder

RUN = Run("x.ppo.0123abcd", "f" * 32, attempt=0, launch=1)
BORN = (Started("ppo", Effect.CREATE, "job", "local", RUN), EffectDone("ppo", Status.RUNNING))


@pytest.fixture(params=["file", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store."""
    name = f"{request.node.name.translate(str.maketrans('[]_', '---'))}".lower()
    if request.param == "file":
        return f"file://{tmp_path}/store"
    if request.param == "memory":
        return f"memory://{name}/store"
    return f"{request.getfixturevalue('bucket')}/expiac"


@pytest.fixture
def project(tmp_path: Path, url: str) -> Project:
    return Project(root=tmp_path / "one", state=url)


def beside(project: Project) -> Project:
    """A colleague's checkout."""
    return replace(project, root=project.root.parent / "two")


def written(project: Project, *events: object) -> State:
    with states(project).open("x", "stacks/x.py") as journal:
        with lock_state(journal, journal.state, purpose="test"):
            for event in events:
                journal.append(event)  # type: ignore[arg-type]
        return journal.state


def test_what_one_writes_the_other_reads(project):
    """The same state, lineage and serial; and only stacks that have one are listed."""
    assert states(project).names() == []
    state = written(project, *BORN)
    assert states(beside(project)).read("x").state == state
    assert states(beside(project)).names() == ["x"]
    assert written(beside(project), Observed("ppo", Status.SUCCEEDED)).records["ppo"].status is Status.SUCCEEDED
    assert states(project).read("x").state.lineage == state.lineage


def test_every_durable_event_is_there_before_append_returns(project):
    """What comes after it may be the launch itself."""
    with states(project).open("x") as journal:
        journal.append(BORN[0])
        assert states(beside(project)).read("x").state == journal.state
        journal.append(BORN[1], durable=False)
        assert states(beside(project)).read("x").number == 1
        journal.flush()
        assert states(beside(project)).read("x").number == 2


def test_of_two_writers_the_second_is_stale(project):
    """Its event is nowhere, and nothing of the first one's is lost; also at the very beginning."""
    for first, second in ((project, beside(project)), (beside(project), project)):
        with states(first).open("x") as ahead, states(second).open("x") as behind:
            ahead.append(Approved(program="ahead"))
            with pytest.raises(Stale) as error:
                behind.append(Approved(program="behind"))
            assert error.value.code == "state-taken-over"
    state = states(project).read("x").state
    assert [approval.approved.program for approval in state.approvals] == ["ahead", "ahead"]


def test_a_compacted_state_is_one_piece(project):
    """What it says stays; a reader in between is served too."""
    state = written(project, *BORN)
    with states(project).open("x") as journal:
        with lock_state(journal, journal.state, purpose="compact"):
            journal.compact()
        journal.append(Observed("ppo", Status.SUCCEEDED))
    (first, second) = sorted(Store(project.state_url).pieces("x"))
    assert (first, second[0] > 1, second[1] > 0) == ((second[0], 0), True, True)
    now = states(project).read("x").state
    assert (now.serial, now.records["ppo"].status) == (state.serial, Status.SUCCEEDED)


def test_many_pieces_become_one(project):
    """Once a writer is done; whoever reads asks for each of them."""
    state = written(project, *BORN, *[Approved(program=str(number)) for number in range(30)])
    assert len(Store(project.state_url).pieces("x")) == 1
    assert states(beside(project)).read("x").state == state


def test_a_missing_piece_is_damage(project):
    """It is named, and nothing is read over it."""
    written(project, *BORN)
    generation, offset = sorted(Store(project.state_url).pieces("x"))[1]
    fs, root = fsspec.core.url_to_fs(project.state_url)
    written(project, Approved())
    fs.rm_file(f"{root}/x/{generation:08d}-{offset:012d}.jsonl")
    with pytest.raises(ExpiacError, match=f"Damaged state\n.*{offset:012d}.jsonl is missing"):
        states(project).read("x")


def test_a_damaged_line_is_repaired_over_there(project):
    """As in a file: a copy stays here."""
    state = written(project, *BORN)
    Store(project.state_url).add("x", 1, len(Store(project.state_url).read("x").data), b'{"n":3,"nonsense"}\n')
    with pytest.raises(ExpiacError, match="Damaged state"):
        states(project).read("x")
    log = states(project).log("x")
    with log.lock(purpose="repair"):
        found = repair.find_damage(log)
        assert found is not None
        assert found.carry_out(project.state_folder).exists()
    assert states(beside(project)).read("x").state == state


def test_a_pushed_state_whose_last_line_was_cut_short_can_be_read(project):
    """The part of a line is left out, as it is wherever a state is read."""
    state = written(project, *BORN)
    with states(project).open("x") as journal:
        data = edit.pull(journal)
    torn = data + codec.event_line(3, "2026-01-01T12:00:00Z", BORN[1])[:-20]
    name, copy = edit.push(torn, states(project), project.state_folder, "pulled")
    assert (name, copy is not None) == ("x", True)
    assert states(beside(project)).read("x").state == state


def test_one_holds_the_lock_and_the_other_hears_who(project):
    """Also where the other is on another machine, which our locks on files do not reach."""
    elsewhere = Holder("apply", "ada", "gpu1", 4242, "2026-11-25T20:00:00+00:00")
    place = states(project)
    with place.log("x").lock(purpose="test"):
        assert Store(project.state_url).holder("x").purpose == "test"
        with pytest.raises(Locked), states(beside(project)).log("x").lock(purpose="other"):
            raise AssertionError("both have it")
    assert Store(project.state_url).holder("x") is None
    fs, root = fsspec.core.url_to_fs(project.state_url, **({"auto_mkdir": True} if "file" in project.state_url else {}))
    fs.pipe_file(f"{root}/x/lock.json", json.dumps(asdict(elsewhere)).encode())
    with pytest.raises(Locked, match=r"apply of x .* by ada@gpu1, process 4242.*\n.*expiac state unlock x"):
        with place.log("x").lock(purpose="test"):
            raise AssertionError("it is hers")
    Store(project.state_url).unlock("x")
    with place.log("x").lock(purpose="test"):
        pass


def test_a_dead_holder_of_this_machine_is_followed(project):
    """Nobody has to unlock for it."""
    process = multiprocessing.get_context("spawn").Process(target=os.getpid)
    process.start()
    process.join()
    gone = Holder("apply", "me", socket.gethostname(), process.pid or 0, "2026-11-25T20:00:00+00:00")
    assert Store(project.state_url)._create("x/lock.json", json.dumps(asdict(gone)).encode())
    with states(project).log("x").lock(purpose="test"):
        assert Store(project.state_url).holder("x").purpose == "test"


def _race(url: str, root: str, name: str, count: int) -> None:
    place = Remote(Project(root=Path(root), state=url))
    done = 0
    while done < count:
        try:
            with place.open("x") as journal, lock_state(journal, journal.reload(), purpose=name):
                journal.append(Approved(program=f"{name} {done}"))
            done += 1
        except (Stale, Locked):
            continue


@pytest.mark.parametrize("url", ["file", "s3"], indirect=True)
def test_two_writers_racing_lose_nothing(project):
    """Two processes, each its own checkout: every event of both is there once, in the order of its writer."""
    context = multiprocessing.get_context("spawn")
    racers = [context.Process(target=_race, args=(project.state_url, str(project.root / name), name, 12))
              for name in ("a", "b")]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(120)
        assert racer.exitcode == 0
    said = [approval.approved.program for approval in states(project).read("x").state.approvals]
    for name in ("a", "b"):
        assert [one for one in said if one.startswith(name)] == [f"{name} {number}" for number in range(12)]
    assert len(said) == 24


@pytest.mark.parametrize("address", ["s3://bucket/x", "nowhere://x", "file:///proc/nowhere/x"])
def test_a_store_that_cannot_be_reached_is_named(tmp_path, address, monkeypatch):
    """In words, and soon."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "a")
    fsspec.filesystem("s3").clear_instance_cache()
    place = states(Project(root=tmp_path, state=address))
    with pytest.raises(ExpiacError, match="State not reachable"), place.open("x") as journal:
        journal.append(BORN[0])


class Forgetful(MemoryFileSystem):
    """A store that takes no condition."""

    protocol = "forgetful"

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        super().pipe_file(path, value, mode="overwrite", **kwargs)


def test_a_store_that_writes_over_is_refused(tmp_path):
    """Before anything of a state is written there, and nothing is left behind."""
    fsspec.register_implementation("forgetful", Forgetful, clobber=True)
    place = states(Project(root=tmp_path, state="forgetful://store"))
    with pytest.raises(ExpiacError, match="Store can't be shared"), place.log("x").lock(purpose="test"):
        raise AssertionError("it would be written over")
    assert Store("forgetful://store")._list("/x") == []


def test_a_lost_answer_is_no_conflict(tmp_path):
    """The store has our piece though we were told that it failed: it is ours."""
    store = Store(f"file://{tmp_path}/store")
    store.add("x", 1, 0, b"mine")
    store.add("x", 1, 0, b"mine")
    with pytest.raises(Stale) as error:
        store.add("x", 1, 0, b"yours")
    assert error.value.code == "state-taken-over"
    shutil.rmtree(tmp_path / "store")


def test_a_journal_of_ones_own_stays_a_file(tmp_path):
    """Where no address is given, nothing of this is met."""
    project = Project(root=tmp_path)
    with states(project).open("x") as journal:
        journal.append(BORN[0])
    assert type(states(project).log("x")) is FileLog
    assert (tmp_path / ".expiac" / "x.jsonl").exists()


def test_whoever_lost_lock_or_state_is_told(project):
    """Right before it does something, by asking the store; also where the other one has compacted what was there."""
    unlock = Store(project.state_url).unlock
    with states(project).open("x") as journal, journal.lock(purpose="apply", wait_seconds=0):
        journal.append(BORN[0])
        journal.confirm()
        unlock("x")
        with pytest.raises(Stale, match="taken over"):
            journal.confirm()
        with pytest.raises(Stale):
            journal.append(BORN[1])
    with states(project).open("x") as late:
        late.append(BORN[1])
        late.confirm()
        with states(beside(project)).open("x") as journal:
            journal.compact()
        with pytest.raises(Stale, match="written by somebody else"):
            late.confirm()


class CountingStore(Store):
    """Remembers what it was asked to do."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.requests: list[str] = []

    def _call(self, doing, call):
        self.requests.append(doing)
        return super()._call(doing, call)


def test_to_ask_before_an_effect_costs_two_requests(project):
    """One for the lock and one for the end of the state; an event is one more, and one that need not last is none."""
    store = CountingStore(project.state_url)
    with Journal.open(ObjectLog(store, "x"), stack="x") as journal, journal.lock(purpose="apply", wait_seconds=0):
        journal.append(BORN[0])
        store.requests.clear()
        journal.append(BORN[1])
        assert store.requests == ["writing"]
        journal.append(Observed("ppo", Status.RUNNING, detail="step 1"), durable=False)
        assert store.requests == ["writing"]
        journal.confirm()
        assert store.requests == ["writing", "reading", "listing"]


def test_two_holders_of_one_second_are_two(project):
    """The same process, purpose and second: whoever took it over is another holder."""
    store = Store(project.state_url)
    with store.lock("x", purpose="apply", wait_seconds=0) as first:
        store.unlock("x")
        assert store._create("x/lock.json", json.dumps(asdict(Holder.me("apply"))).encode())
        assert store.holder("x") != first
    assert store.holder("x") is not None, "the other one's lock is left to it"


def test_a_piece_of_a_file_store_is_whole_or_not_there(tmp_path, monkeypatch):
    """Whoever dies while it writes one leaves nothing that others would stumble over."""
    store = Store(f"file://{tmp_path}/store")
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        store.add("x", 1, 0, b"mine")
    monkeypatch.undo()
    assert store.pieces("x") == []
    store.add("x", 1, 0, b"yours")
