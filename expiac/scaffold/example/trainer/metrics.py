"""The metrics of a run, which `expiac status` shows: a JSON object a line, in the order of the epochs."""

import json
import os
import time
from pathlib import Path


class MetricsFile:
    """Opened by a run that resumes after an epoch, it drops what is newer: those epochs are trained again."""

    def __init__(self, path: Path, *, epoch: int, epochs: int) -> None:
        kept = [line for line in _lines(path) if json.loads(line)["step"] <= epoch]
        fresh = path.with_suffix(".tmp")
        fresh.write_text("".join(kept), encoding="utf-8")
        os.replace(fresh, path)
        self._path, self._epochs = path, epochs

    def write(self, epoch: int, elapsed: float, metrics: dict[str, float]) -> None:
        """Appends a line, and prints it for people."""
        line = {"step": epoch, "total_steps": self._epochs, "time": time.time(), "elapsed": round(elapsed, 3)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, "metrics": metrics}) + "\n")
        figures = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        print(f"epoch {epoch:>3} of {self._epochs}  {figures}", flush=True)


def _lines(path: Path) -> list[str]:
    """The complete lines: a process that was killed may have left a part of one."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.endswith("\n")]
