"""The project of the lab: one for each test that changes it, and one for all that read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from curves_lab import HOSTILE, apply, standing_in


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """We stand in it; nothing was launched."""
    with standing_in(tmp_path):
        yield tmp_path


@pytest.fixture(scope="session")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of each arm have succeeded, and a third one of the second arm has failed."""
    folder = tmp_path_factory.mktemp("ended")
    with standing_in(folder, destroys=False):  # they have ended
        apply(seeds_of_each=2, fails=True, word=HOSTILE)
    return folder


@pytest.fixture
def applied(ended: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """We stand in that project, to read it only."""
    monkeypatch.chdir(ended)
    return ended
