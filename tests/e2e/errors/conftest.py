"""A project with an applied stack, whose files each test may spoil."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from refusals import GOOD
from throwaway import Folder, made


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    for folder in made(tmp_path_factory.mktemp("errors")):
        folder.stack(GOOD)
        folder.apply()
        yield folder


@pytest.fixture
def project(once: Folder, tmp_path: Path) -> Iterator[Folder]:
    """A project with an applied stack `small`; whatever the test does to its files is undone."""
    shutil.copytree(once.root, tmp_path / "kept", symlinks=True)
    yield once
    shutil.rmtree(once.root)
    shutil.move(tmp_path / "kept", once.root)
