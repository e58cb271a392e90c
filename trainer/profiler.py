"""Traces of single updates, for `tensorboard` or https://ui.perfetto.dev. Off unless the config says how often."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch.profiler import profile, tensorboard_trace_handler

from trainer.config import TorchProfilerConfig


@contextmanager
def trace_update(config: TorchProfilerConfig, update: int) -> Iterator[None]:
    """Trace what runs inside, if `update` is a multiple of the interval."""
    if config.interval_epochs == 0 or update % config.interval_epochs:
        yield
        return
    with profile(on_trace_ready=tensorboard_trace_handler(config.profile_dir, f"update_{update:06d}", use_gzip=True)):
        yield
