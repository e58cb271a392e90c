"""What the trainer gives to Weights & Biases, read from the file of an offline run that the real client wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.trainer.conftest import ROOT

wandb_pb = pytest.importorskip("wandb.proto.wandb_internal_pb2")

PROGRAM = """\
import sys
import time
from pathlib import Path
from trainer.config import WandbConfig
from trainer.tracking import CHECKPOINT, track

folder = Path(sys.argv[1])
(folder / "latest.pt").write_bytes(b"weights")
tracker = track(WandbConfig(artifacts=sys.argv[2] == "yes"), run_name="lab.a.0", run_dir=folder, values={"seed": 1})
tracker.log(256, {"reward": 1.0, "eval/hearts": 2.0})
tracker.keep(CHECKPOINT, folder / "latest.pt")
time.sleep(1)  # long enough for figures of the machine
tracker.finish(0)
"""


def tracked(folder: Path, artifacts: str) -> list[Any]:
    """The records of a run of that program."""
    from wandb.sdk.internal.datastore import DataStore

    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "HOME": str(folder), "WANDB_RUN_ID": "lab.a.0",
           "WANDB_PROJECT": "ants", "WANDB_RUN_GROUP": "lab", "WANDB_JOB_TYPE": "train",
           "WANDB_ERROR_REPORTING": "false", "WANDB__STATS_SAMPLING_INTERVAL": "0.1"}
    command = [sys.executable, "-c", PROGRAM, str(folder), artifacts]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("wandb/offline-run-*/run-lab.a.0.wandb")
    store, records = DataStore(), []
    store.open_for_scan(str(file))
    while (data := store.scan_data()) is not None:
        records.append(wandb_pb.Record.FromString(data))
    return records


@pytest.mark.slow
def test_a_run_has_its_names_its_step_axis_its_commit_and_its_machine(tmp_path):
    """Offline, as online."""
    records = tracked(tmp_path, "no")
    (run,) = (record.run for record in records if record.HasField("run"))
    assert (run.project, run.run_group, run.job_type, run.run_id) == ("ants", "lab", "train", "lab.a.0")
    axes = {metric.glob_name or metric.name: metric.step_metric
            for metric in (record.metric for record in records if record.HasField("metric"))}
    assert axes["*"] == "step"
    (row,) = (record.history for record in records if record.HasField("history"))
    values = {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row.item}
    assert values.items() >= {"reward": 1.0, "eval/hearts": 2.0, "step": 256}.items()
    assert any(record.environment.git.commit for record in records if record.HasField("environment"))
    assert any(record.HasField("stats") for record in records)


@pytest.mark.slow
@pytest.mark.parametrize(("artifacts", "names"), [("yes", ["lab.a.0-checkpoint"]), ("no", [])])
def test_checkpoints_are_artifacts_where_the_config_asks_for_it(tmp_path, artifacts, names):
    records = tracked(tmp_path, artifacts)
    requests = [record.request.log_artifact.artifact for record in records
                if record.HasField("request") and record.request.HasField("log_artifact")]
    logged = [record.artifact for record in records if record.HasField("artifact")] + requests
    assert [artifact.name for artifact in logged if artifact.type == "model"] == names
