"""A provider whose runs have ended as soon as they are created, each with a metrics file; and a stack of such runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from expiac.providers.base import Id, Inputs, Note, Observation, Presence
from expiac.state.status import Status
from expiac.testing.memory import MemoryProvider

STEPS = 100
STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack


class Finished(ExperimentConfig):
    name: str = "finished"
    jobs: int = 10


def stack(config: Finished) -> Stack:
    return Stack(config.name, [
        Job(f"job_{number}", run="true", outputs={"metrics": "metrics.jsonl"}, skypilot=SkypilotJobConfig(
            gpus=0, workdir=None, infra="finished", envs={"LR": str(number % 10), "SEED": str(number // 10)}))
        for number in range(config.jobs)])
'''


class Finished(MemoryProvider):
    """Registered in the measured project's `pyproject.toml`."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self._runs = root / "runs"

    def create(self, id: Id, inputs: Inputs, note: Note) -> Observation:
        super().create(id, inputs, note)
        folder = self._runs / id.instance
        folder.mkdir(parents=True)
        lines = [json.dumps({"step": step, "elapsed": step / 2, "metrics": {
            "loss": 1 / (step + 1), "reward": step / 3, "sps": 1000.0 + step}}) for step in range(STEPS)]
        (folder / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Observation(Presence.PRESENT, Status.SUCCEEDED, {"metrics": str(folder / "metrics.jsonl")}, seconds=50.0)

    def read_many(self, ids: Sequence[Id]) -> Mapping[Id, Observation]:
        return dict.fromkeys(ids, Observation(Presence.PRESENT, Status.SUCCEEDED))
