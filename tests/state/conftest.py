"""Where a state file of the test's own stands."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".expiac" / "x.jsonl"
