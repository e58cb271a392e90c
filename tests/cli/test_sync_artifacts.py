"""`expiac sync` uploads the artifacts of offline runs, each once, and asks the server whether it has them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from expiac.testing.wandb_server import Failure, WandbServer

pytest.importorskip("wandb")
pytestmark = pytest.mark.slow
TRAINER = """\
import wandb
run = wandb.init()
for step in range(2):
    run.log({"loss": step})
    with open("weights.bin", "w") as file:
        file.write("weights " * (step + 1))
    artifact = wandb.Artifact("model", type="checkpoint", metadata={"step": step})
    artifact.add_file("weights.bin", name="deep/weights.bin")
    run.log_artifact(artifact, aliases=["latest", f"step{step}"])
own = wandb.Artifact("own", type="data")
own.add_file("train.py", policy="immutable")
run.log_artifact(own)
run.finish()
"""
STACK = '''
from expiac import Job, SkypilotJobConfig, Stack

envs = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "WANDB_DATA_DIR": "%s"}
lab = Stack("lab", [Job("train", run="python train.py", skypilot=SkypilotJobConfig(gpus=0, envs=envs))])
'''


@pytest.fixture
def server(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    with WandbServer() as server:
        for name, value in server.env.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("WANDB_MODE")
        yield server


@pytest.fixture
def staged(project: Path, expiac, tmp_path_factory) -> Path:
    """Where the client has put the files of the artifacts of a run, which has ended."""
    data = tmp_path_factory.mktemp("data")
    (project / "train.py").write_text(TRAINER, encoding="utf-8")
    (project / "pyproject.toml").write_text('[project]\nname = "ants"\n[tool.expiac]\n', encoding="utf-8")
    (project / "stacks" / "lab.py").write_text(STACK % data, encoding="utf-8")
    said = expiac("apply", "lab", "--yes", "--wait")
    assert said.code == 0, said.err + expiac("logs", "lab", "train").out
    return data / "artifacts" / "staging"


def versions(server: WandbServer) -> list[tuple[str, int, list[str]]]:
    return sorted((one.name, one.version, sorted(one.aliases)) for one in server.store.artifacts.values()
                  if one.is_committed)


ALL = [("model", 0, ["step0"]), ("model", 1, ["latest", "step1"]), ("own", 0, ["latest"])]


def test_each_artifact_is_uploaded_once_with_its_files(project, expiac, server, staged):
    assert len(list(staged.iterdir())) == 2
    (run,) = json.loads(expiac("sync", "lab", "--json").out)["synced"]
    assert (run["outcome"], run["why"], run["rows"], run["artifacts"]) == ("uploaded", "", 2, 3)
    assert versions(server) == ALL
    newest = next(one for one in server.store.artifacts.values() if "step1" in one.aliases)
    assert server.store.blobs[newest.files["deep/weights.bin"]] == b"weights weights "
    assert list(staged.iterdir()) == [], "as after W&B's own upload"
    assert (project / "train.py").exists(), "a file that W&B has not staged stays"

    asked = len(server.requests)
    assert "1 unchanged" in expiac("sync", "lab").out
    assert len(server.requests) == asked


def test_an_upload_that_failed_in_the_middle_goes_on(project, expiac, server, staged):
    """What the server has is not sent again, so that no alias moves back. W&B's command says `done.` and 0 here."""
    refusal = b'{"data": null, "errors": [{"message": "no"}]}'
    server.fail(Failure(status=200, body=refusal, where="CreateArtifact", times=1))
    said = expiac("sync", "lab")
    assert said.code == 1
    assert "Artifacts not uploaded: model: W&B has no version of it with this content" in said.out
    assert len(list(staged.iterdir())) == 2, "not deleted before W&B has them"
    before = {one.digest: one.id for one in server.store.artifacts.values() if one.is_committed}
    assert len(before) == 2

    server.recover()
    assert "uploaded, 2 rows, 3 artifacts" in expiac("sync", "lab").out
    assert len({one.digest for one in server.store.artifacts.values() if one.is_committed}) == 3
    assert sum(path.endswith("/CommitArtifact") for path in server.requests) == 3
    assert len(server.run("ants", server.runs[0].name).history) == 2


def test_a_file_that_is_gone_is_named(project, expiac, server, staged):
    for file in staged.iterdir():
        file.unlink()
    said = expiac("sync", "lab")
    assert said.code == 1
    assert "Artifacts not uploaded: model: its file deep/weights.bin can't be read at" in said.out
    assert ("own", 0, ["latest"]) in versions(server), "the others are uploaded"


def test_what_an_earlier_release_has_uploaded_is_asked_for(project, expiac, server, staged):
    """It did not say whether the artifacts were uploaded."""
    assert expiac("sync", "lab").code == 0
    (file,) = (project / ".expiac" / "wandb").glob("*.json")
    known = json.loads(file.read_text(encoding="utf-8"))
    for one in known.values():
        del one["artifacts"]
    file.write_text(json.dumps(known), encoding="utf-8")
    assert "to upload" in expiac("sync", "lab", "--dry-run").out
    assert "uploaded, 2 rows, 3 artifacts" in expiac("sync", "lab").out
    assert versions(server) == ALL
    assert "1 unchanged" in expiac("sync", "lab").out
