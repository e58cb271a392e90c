"""Runs from the folders of W&B's client, without network: whole ones, and all that can be wrong with them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from launches import OFFLINE, train

from expiac.testing.wandb_server import WandbServer
from expiac.tracking import WandbService, get_wandb_service
from expiac.util.errors import ExpiacError


@pytest.fixture
def copy(offline_folder: Path, tmp_path: Path) -> Path:
    """The file of the run `one`, in a folder of our own."""
    shutil.copytree(offline_folder / "wandb", tmp_path / "wandb", symlinks=True)
    (file,) = tmp_path.glob("wandb/offline-run-*/run-one.wandb")
    return file


def offline(root: Path) -> WandbService:
    return get_wandb_service(root, online=False)


def test_an_offline_run(offline_folder: Path):
    """What is known of a run at W&B is known of it here."""
    (run,) = offline(offline_folder).find_runs()
    assert (run.id, run.name, run.project, run.group, run.job_type) == ("one", "run one", "lab", "ab_test", "train")
    assert (run.tags, run.notes, run.state, run.url) == (("blue", "new"), "a note", "finished", None)
    assert run.config == {"lr": 0.1, "net": {"layers": [64, 64]}, "late": True}
    assert (run.summary["loss"], run.summary["eval.hearts"], run.summary["_step"]) == (0.2, 4, 4)
    assert run.path is not None
    assert run.path.name.startswith("offline-run-")
    assert [(row["_step"], row["loss"], row["eval.hearts"]) for row in offline(offline_folder).get_history(run)] == [
        (step, 1 / (step + 1), step) for step in range(5)]


def test_an_uploaded_run_is_the_same(offline_folder: Path, server: WandbServer, monkeypatch: pytest.MonkeyPatch,
                                     tmp_path: Path):
    """After `wandb sync`, W&B's answer and the folder say the same of the run, row by row."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    folder = next(offline_folder.glob("wandb/offline-run-*"))
    env = {**os.environ, "HOME": str(offline_folder), "WANDB_DATA_DIR": str(tmp_path)}  # so it deletes nothing staged
    subprocess.run([sys.executable, "-m", "wandb", "sync", "--no-mark-synced", str(folder)], check=True, timeout=120,
                   env=env, cwd=offline_folder, capture_output=True)
    there, here = get_wandb_service(offline_folder, project="lab"), offline(offline_folder)
    for name in ("id", "name", "project", "group", "job_type", "tags", "notes", "state", "config"):
        assert getattr(there.get_run("one"), name) == getattr(here.get_run("one"), name), name
    assert list(there.get_history("one")) == list(here.get_history("one"))


def test_an_online_run_has_a_folder_too(server: WandbServer, tmp_path: Path):
    """It is read like that of an offline run."""
    train(tmp_path, server.env, "one", exit_code=3)
    run = offline(tmp_path).get_run("one")
    assert (run.state, run.entity, len(list(offline(tmp_path).get_history(run)))) == ("failed", "tester", 5)


def test_a_run_in_two_launches(tmp_path: Path):
    """It is one run with both folders; it is as the second launch left it."""
    train(tmp_path, OFFLINE, "one", rows=2, exit_code=1)
    train(tmp_path, OFFLINE, "one", rows=3)
    (run,) = offline(tmp_path).find_runs()
    assert (run.state, len(run.paths), len(list(offline(tmp_path).get_history(run)))) == ("finished", 2, 5)


def test_find_runs_reads_folders_by_the_same_words(offline_folder: Path):
    service = offline(offline_folder)
    assert [run.id for run in service.find_runs(tags="blue", state="finished", group="ab_test")] == ["one"]
    assert service.find_runs(tags=["blue", "red"]) == service.find_runs(created_before="2020-01-01") == ()


def test_artifacts_of_an_offline_run(offline_folder: Path, tmp_path: Path):
    """They lie where the client staged them."""
    service = offline(offline_folder)
    (artifact,) = service.get_artifacts("one")
    assert (artifact.name, artifact.type, artifact.size) == ("checkpoint", "model", 7)
    assert (service.download_artifact(artifact, tmp_path) / "deep" / "weights.bin").read_bytes() == b"weights"


def test_a_torn_file_is_read_as_far_as_it_goes(copy: Path, tmp_path: Path):
    """At every length it has on the way: it is a run or not yet one, with rows that only grow in number."""
    content = copy.read_bytes()
    rows = []
    for length in range(0, len(content), 53):
        copy.write_bytes(content[:length])
        service = offline(tmp_path)
        runs = service.find_runs()
        assert runs or "nothing of the run is written yet" in service.notes[0]
        rows += [len(list(service.get_history(run))) for run in runs]
    assert rows == sorted(rows)
    assert (rows[0], rows[-1], runs[0].state) == (0, 5, "running")


def test_a_run_that_nobody_writes_any_more(copy: Path, tmp_path: Path):
    """Its file does not end, and has been silent for long."""
    copy.write_bytes(copy.read_bytes()[:-40])
    os.utime(copy, (0, 0))
    assert offline(tmp_path).get_run("one").state == "crashed"


@pytest.mark.parametrize("content", [b"PK\x03\x04 a zip file, really", b":W&Bxxxx" * 100, b"\0" * 40_000])
def test_a_foreign_file_is_named(copy: Path, tmp_path: Path, content: bytes):
    """The others are read all the same."""
    other = copy.parents[1] / "offline-run-20260101_000000-two"
    other.mkdir()
    (other / "run-two.wandb").write_bytes(content)
    service = offline(tmp_path)
    assert [run.id for run in service.find_runs()] == ["one"]
    assert service.notes == (f"{other / 'run-two.wandb'} does not begin as W&B's files do",)
    with pytest.raises(ExpiacError, match="does not begin as"):
        service.get_run("two")


def test_damage_in_the_middle_is_named(copy: Path, tmp_path: Path):
    """What stands before it is read, and nobody takes that for the whole."""
    train(tmp_path / "wandb", OFFLINE, "long", rows=900)
    (file,) = tmp_path.rglob("run-long.wandb")
    content = bytearray(file.read_bytes())
    content[40_000] ^= 0xFF
    file.write_bytes(content)
    service = offline(tmp_path)
    assert 0 < len(list(service.get_history("long"))) < 900
    assert service.notes == (f"{file} is damaged at byte 32768: what follows is not read",)


def test_a_folder_without_runs(tmp_path: Path):
    (tmp_path / "wandb" / "offline-run-20260101_000000-empty").mkdir(parents=True)
    assert offline(tmp_path).find_runs() == ()
    with pytest.raises(ExpiacError) as caught:
        offline(tmp_path).get_run("empty")
    assert (caught.value.code, bool(caught.value.hint)) == ("no-such-wandb-run", True)


def test_a_huge_file_in_bounded_memory(copy: Path, tmp_path: Path):
    """A file of 100,000 rows is read with the memory of a few rows."""
    from wandb.proto.wandb_internal_pb2 import Record
    from wandb.sdk.internal.datastore import DataStore

    huge = copy.parents[1] / "offline-run-20260101_000000-huge"
    huge.mkdir()
    store = DataStore()
    store.open_for_write(str(huge / "run-huge.wandb"))
    first = Record()
    first.run.run_id = "huge"
    store.write(first)
    for step in range(100_000):
        record = Record()
        for key in ("_step", "loss"):
            record.history.item.add(key=key, value_json=str(step))
        store.write(record)
    store.close()
    service = offline(tmp_path)
    list(service.get_history("one"))  # what is imported for good is imported now
    tracemalloc.start()
    count = sum(1 for _ in service.get_history("huge"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (count, peak < 2_000_000) == (100_000, True)
