"""A program that logs a run with W&B's client, and its launches as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PROGRAM = """
import sys
from pathlib import Path

import wandb

id, rows, exit_code = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
run = wandb.init(project="lab", id=id, name=f"run {id}", group="ab_test", job_type="train", tags=["blue", "new"],
                 notes="a note", config={"lr": 0.1, "net": {"layers": [64, 64]}},
                 settings=wandb.Settings(x_disable_stats=True, console="off"))
run.config.update({"late": True})
for _ in range(rows):
    run.log({"loss": 1 / (run.step + 1), "eval": {"hearts": run.step}})
if "artifact" in sys.argv:
    Path("weights.bin").write_bytes(b"weights")
    artifact = wandb.Artifact("checkpoint", type="model", metadata={"step": rows})
    artifact.add_file("weights.bin", name="deep/weights.bin")
    run.log_artifact(artifact, aliases=["best"])
run.finish(exit_code=exit_code)
"""


def train(folder: Path, environment: Mapping[str, str], id: str, *words: str, rows: int = 5,
          exit_code: int = 0) -> None:
    """One launch of a run by W&B's client, which works in a folder."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    subprocess.run([sys.executable, "-c", PROGRAM, id, str(rows), str(exit_code), *words], cwd=folder, check=True,
                   env={**clean, "HOME": str(folder), **environment}, timeout=120, capture_output=True)


OFFLINE = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
