"""`kill -9` around every effect and every write of the journal, of random programs whose jobs are real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from local_scene import LocalScene, kill_once_each
from scene import Figures


@pytest.fixture
def scenes(tmp_path) -> Iterator[list[LocalScene]]:
    """Those that a test opens; nothing of them runs afterwards."""
    opened: list[LocalScene] = []
    yield opened
    for scene in opened:
        scene.real.apply(None)
        assert scene.running() == {}


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "kills"), [
    (0, 12),
    *(pytest.param(1000 * part, 150, marks=pytest.mark.soak) for part in range(1, 3)),
])
def test_real_jobs_survive_whoever_launches_them(tmp_path, scenes, seed, kills):
    """What ought to run runs, everything was born once, and what did not change goes on under its pid."""
    figures = Figures()
    while figures.kills < kills:
        scenes.append(LocalScene(tmp_path / str(seed)))
        kill_once_each(scenes[-1], seed, 8, figures)
        seed += 1
    print(figures)
