"""Metrics that a run writes to a bucket: S3 as moto's server has it, and folders by their addresses."""

from __future__ import annotations

import pytest

from expiac.apply.metrics.buckets import Buckets
from expiac.apply.metrics.errors import MetricsError
from expiac.apply.metrics.places import Look
from expiac.apply.metrics.rows import Row
from expiac.apply.metrics.sources import find_metrics, progress_of, sources_of
from expiac.state.events import Run
from expiac.state.model import Record
from expiac.state.status import Status

ROWS = [f'{{"step": {step}, "loss": {step}}}' for step in range(5)]
TEXT = "".join(f"{row}\n" for row in ROWS)


def run(path, mounts=None, name="lab.job.0a1b2c3d"):
    return Record("job", "job", "skypilot", Run(name, "f", 0, 1), {"file_mounts": mounts or {}},
                  status=Status.RUNNING, outputs={"metrics": path})


def seen(record, **look):
    """How far the run is, why not, and its rows."""
    found = find_metrics([record], sources_of({}), Look("l", **look)).get(record.run.instance)
    rows = list(found.metrics.rows()) if found and found.metrics else None
    return progress_of(found), rows


@pytest.fixture(params=["s3", "file"])
def place(request, tmp_path):
    """The address of a place that fsspec knows."""
    return request.getfixturevalue("bucket") if request.param == "s3" else f"file://{tmp_path}/store"


def write(url, text):
    import fsspec

    with fsspec.open(url, "wb", auto_mkdir=True) if url.startswith("file") else fsspec.open(url, "wb") as file:
        file.write(text.encode())


def test_a_file_at_an_address_is_read(place):
    write(f"{place}/run/metrics.jsonl", TEXT)
    for address in (f"{place}/run/metrics.jsonl", f"{place}/run"):
        (progress, note), _ = seen(run(address))
        assert (progress.step, dict(progress.first), note) == (4, {"loss": 0.0}, "")
        assert seen(run(address), wants_history=True)[1][-1] == Row(4.0, metrics={"loss": 4.0})


def test_a_file_in_a_mounted_bucket_is_read(bucket):
    write(f"{bucket}/results/run/metrics.csv", "step,loss\n1,0.5\n2,0.25\n")
    mounted = run("/data/run/metrics.csv", {"/data": {"source": f"{bucket}/results", "mode": "MOUNT"}})
    assert seen(mounted)[0][0].metrics == {"loss": 0.25}


def test_of_a_long_file_the_two_ends_are_read(place, monkeypatch):
    """And the whole of it for its history."""
    from expiac.apply.metrics import streams

    monkeypatch.setattr(streams, "_END", 50)
    write(f"{place}/metrics.jsonl", TEXT)
    ((file,),) = [[one.metrics for one in Buckets().find([run(f"{place}/metrics.jsonl")], Look("l")).values()]]
    assert (len(file.ends), file.progress().step) == (4, 4)
    assert len(seen(run(f"{place}/metrics.jsonl"), wants_history=True)[1]) == 5


def test_a_file_that_grew_is_another_version(place):
    address = f"{place}/metrics.jsonl"
    versions = []
    for text in (TEXT, TEXT, TEXT + '{"step": 9}\n'):
        if not versions or text != TEXT:
            write(address, text)
        (found,) = find_metrics([run(address)], sources_of({}), Look("l", wants_history=True)).values()
        versions.append(found.metrics.version())
    assert versions[0] == versions[1] != versions[2]


def test_what_is_not_there_yet_is_nothing(place):
    """As with a file on this machine."""
    assert seen(run(f"{place}/run/metrics.jsonl")) == ((None, ""), None)


@pytest.mark.parametrize("address", ["nowhere://x/metrics.jsonl", "s3://127.0.0.1:9/metrics.jsonl"])
def test_why_it_can_not_be_read_is_said(address, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    (progress, note), _ = seen(run(address), seconds=3.0)
    assert (progress, note.startswith("its metrics were not read from")) == (None, True), note


def test_event_files_are_for_fetch(place):
    """Their reader needs them on this machine."""
    write(f"{place}/logs/events.out.tfevents.1.host", "x")
    assert "expiac fetch brings it" in seen(run(f"{place}/logs"))[0][1]


def test_a_file_that_goes_while_it_is_read_is_an_error_and_no_empty_history(tmp_path):
    """So that nothing is cached as if it were all."""
    write(f"file://{tmp_path}/metrics.jsonl", TEXT)
    look = Look("l", wants_history=True)
    (found,) = find_metrics([run(f"file://{tmp_path}/metrics.jsonl")], sources_of({}), look).values()
    (tmp_path / "metrics.jsonl").unlink()
    with pytest.raises(MetricsError):
        list(found.metrics.rows())


def test_nobody_is_asked_where_there_is_no_time(bucket):
    write(f"{bucket}/metrics.jsonl", TEXT)
    assert seen(run(f"{bucket}/metrics.jsonl"), seconds=0) == ((None, ""), None)


def test_a_path_of_another_machine_is_no_file_of_this_one(tmp_path, monkeypatch):
    """A relative path, or one in somebody's home."""
    (tmp_path / "metrics.jsonl").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    assert seen(run("metrics.jsonl")) == ((None, ""), None)
    assert seen(run(str(tmp_path / "metrics.jsonl")))[0][0].step == 4
