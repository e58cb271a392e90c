"""The shipped stack `evaluated`, with the shipped trainer, in real processes: what docs/evaluations.md says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from throwaway import ROOT, Folder

from tests.repository_settings import EVALUATION, OUTPUTS, TRAINING


def figures(lab: Folder, job: str) -> dict[str, float]:
    row = next(one for one in lab.said("results", "evaluated")["results"] if one["address"] == job)
    return {name: value for name, value in row["metrics"].items() if name.startswith("eval/")}


@pytest.mark.slow
def test_the_last_and_the_best_policy_are_evaluated_after_the_training(project: Folder) -> None:
    """Each on its suite; the best one is that of the best line of the training."""
    settings = f'[tool.expiac]\nschema = "trainer.config:Config"\n{OUTPUTS}\n{TRAINING}\n{EVALUATION}\n'
    (project.root / "pyproject.toml").write_text(settings, encoding="utf-8")
    (project.root / "stacks").mkdir(exist_ok=True)
    shutil.copy(ROOT / "stacks" / "evaluated.py", project.root / "stacks")
    with project.begin("apply", "evaluated", "gpus=0", "total_timesteps=32768", "--yes", "--wait") as applying:
        out, errors = applying.communicate(timeout=240)
    assert applying.returncode == 0, out + errors

    assert set(figures(project, "final")) == {
        f"eval/{room}/{name}" for room in ("open", "walls", "dense") for name in ("hearts", "reward")}
    assert set(figures(project, "best")) == {"eval/hearts", "eval/reward"}
    written = project.output("output", "evaluated", "train", "metrics").strip()
    lines = [json.loads(text) for text in Path(written).read_text(encoding="utf-8").splitlines()]
    trained = {line["step"]: line["metrics"]["eval/hearts"] for line in lines if "eval/hearts" in line["metrics"]}
    best = Path(project.output("output", "evaluated", "best", "metrics").strip())
    assert json.loads(best.read_text(encoding="utf-8"))["step"] == max(trained, key=lambda step: trained[step])
    assert project.output("output", "evaluated", "figures").strip().endswith("metrics.jsonl")
    assert list(best.parent.glob("replays/*.json.z"))
    assert "no changes" in project.output("plan", "evaluated", "gpus=0", "total_timesteps=32768")
