"""Where the time goes: the shares of each update's parts, and traces of single updates.

Traces are for `tensorboard` or https://ui.perfetto.dev. Off unless the config says where they go.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from torch.profiler import profile, tensorboard_trace_handler

from trainer.config import TorchProfilerConfig

Part = Literal["env", "inference", "learn"]
PARTS: tuple[Part, ...] = ("env", "inference", "learn")


@contextmanager
def trace_update(config: TorchProfilerConfig, update: int) -> Iterator[None]:
    """Trace what runs inside, if it is the first update or a multiple of the interval."""
    is_due = update % config.interval_epochs == 0 if config.interval_epochs else update == 0
    if config.profile_dir is None or not is_due:
        yield
        return
    with profile(on_trace_ready=tensorboard_trace_handler(config.profile_dir, f"update_{update:06d}", use_gzip=True)):
        yield


class Timings:
    """How long one update has taken so far, and its parts."""

    def __init__(self) -> None:
        self._started_at = time.perf_counter()
        self._seconds: dict[Part, float] = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def measure(self, part: Part) -> Iterator[None]:
        """Add the time inside to a part. The last thing inside must wait for the device, if it computes on one."""
        began_at = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[part] += time.perf_counter() - began_at

    def include(self, other: "Timings") -> None:
        """Add the parts of what ran beside; the shares may then be more than 1 in all."""
        for part in PARTS:
            self._seconds[part] += other._seconds[part]

    @property
    def elapsed(self) -> float:
        """Seconds since the update began."""
        return time.perf_counter() - self._started_at

    def metrics(self, samples: int) -> dict[str, float]:
        """The samples per second, and each part's share of the time, from 0 to 1."""
        elapsed = self.elapsed
        return {"sps": samples / elapsed, **{f"time/{part}": self._seconds[part] / elapsed for part in PARTS}}
