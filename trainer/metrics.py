"""Logs the metrics of a run: `metrics.jsonl` for programs, a line every few seconds for people.

One JSON object a line, in the order of its steps; docs/trainer.md is the contract. Where no program can read the file,
the line for people is followed by that of the file. Knows nothing of how metrics are computed.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self

METRICS = "metrics.jsonl"
PRINT_INTERVAL = 3.0  # seconds between two lines for people
PRINT_ROWS = "EXPIAC_PRINT_METRICS"  # set where programs read the metrics from what is printed


class MetricsLogger(Protocol):
    """Logs metrics elsewhere too, such as to Weights & Biases."""

    def log(self, step: int, metrics: dict[str, float]) -> None: ...
    def keep(self, kind: str, file: Path) -> None: ...


class MetricsFile:
    """The metrics of one run, also over its resumes: on opening, whatever is newer than `step` is dropped."""

    def __init__(self, path: Path, *, step: int | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read(path) if step is not None and line["step"] <= step]
        self.last_evaluation = max((line["step"] for line in kept if is_evaluation(line["metrics"])), default=None)
        fresh = path.with_suffix(".tmp")
        fresh.write_text("".join(_text(line) for line in kept), encoding="utf-8")
        os.replace(fresh, path)
        self._file = path.open("a", encoding="utf-8")

    def write(self, line: dict[str, Any]) -> None:
        self._file.write(_text(line))
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def read(path: Path) -> list[dict[str, Any]]:
    """The lines of a metrics file, up to the first that was not written completely."""
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines


class Progress:
    """Logs how far the run is: to the file, the logger and standard output."""

    def __init__(
        self, file: MetricsFile, logger: MetricsLogger, *, total_steps: int, elapsed: float,
        printed: Sequence[str] = ("reward", "loss", "entropy"),
    ) -> None:  # fmt: skip
        """A line for people has those of the metrics that `printed` names, and those of evaluations."""
        self._file, self._logger, self._printed = file, logger, printed
        self.total_steps = total_steps
        self._started_at = time.perf_counter() - elapsed
        self._printed_at = -PRINT_INTERVAL

    @property
    def elapsed(self) -> float:
        """Seconds this run has trained for, all its launches together."""
        return time.perf_counter() - self._started_at

    @property
    def last_evaluation(self) -> int | None:
        """The step of the last evaluation that is on file."""
        return self._file.last_evaluation

    def log(self, step: int, metrics: dict[str, float]) -> None:
        """Write one line of metrics."""
        now = {"step": step, "total_steps": self.total_steps, "time": time.time(), "elapsed": round(self.elapsed, 3)}
        if is_evaluation(metrics):
            self._file.last_evaluation = step
        line = {**now, "metrics": metrics}
        self._file.write(line)
        self._logger.log(step, metrics)
        if self._is_line_due(step, metrics):
            self._print_line(step, metrics)
            if os.environ.get(PRINT_ROWS):
                print(_text(line), end="", flush=True)

    def keep(self, kind: str, file: Path) -> None:
        """Give a file that the run has left to the logger."""
        self._logger.keep(kind, file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _is_line_due(self, step: int, metrics: dict[str, float]) -> bool:
        if is_evaluation(metrics):
            return True
        if self.elapsed - self._printed_at < PRINT_INTERVAL and step < self.total_steps:
            return False
        self._printed_at = self.elapsed
        return True

    def _print_line(self, step: int, metrics: dict[str, float]) -> None:
        names = [name for name in metrics if name in self._printed or name.startswith("eval/")]
        figures = "  ".join(f"{name} {metrics[name]:,.3g}" for name in names)
        speed = metrics.get("sps", 0.0)
        rest = f"  {speed:,.0f} samples/s  {(self.total_steps - step) / speed:,.0f} s left" if speed else ""
        done = step / max(1, self.total_steps)
        print(f"{step:>12,} / {self.total_steps:,}  {done:4.0%}  {figures}{rest}", flush=True)


def is_evaluation(metrics: dict[str, float]) -> bool:
    """Whether these are the metrics of an evaluation, which have lines of their own."""
    return any(name.startswith("eval/") for name in metrics)


def _text(line: dict[str, Any]) -> str:
    return json.dumps(line, allow_nan=False) + "\n"
