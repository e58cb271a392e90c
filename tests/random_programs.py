"""Random programs, and worlds for them that leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st

from expiac.declare.stack import Stack
from expiac.testing import Run, World
from expiac.testing.instants import Volatile

NAMES = "abcd"


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """One to four runs; each may take the output of earlier ones."""
    chosen = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    runs: list[Run] = []
    for name in chosen:
        upstream = draw(st.lists(st.sampled_from(runs), max_size=2, unique_by=lambda run: run.name)) if runs else []
        config = {"lr": draw(st.sampled_from([1, 2])), "from": [run.output("checkpoint") for run in upstream]}
        gpus, tags = draw(st.sampled_from([1, 8])), draw(st.sampled_from([(), ("t",)]))
        runs.append(Run(name, config=config, gpus=gpus, tags=tags))
    return Stack("ppo", runs)


programs = st.lists(stacks(), min_size=1, max_size=4)


@contextmanager
def a_world() -> Iterator[World]:
    """A world whose folder is gone afterwards; no power is lost in it, so nothing is synced."""
    with TemporaryDirectory(prefix="expiac-world-") as folder:
        yield World(Path(folder), disk=Volatile())
