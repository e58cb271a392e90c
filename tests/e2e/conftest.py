"""A project for every test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from throwaway import Folder, made


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Folder]:
    """A project of the test's own."""
    yield from made(tmp_path)
