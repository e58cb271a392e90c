"""What takes minutes is run by its name only: `make soak`."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A marker's word in `-m` asks for it."""
    if "soak" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("slurm"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: make soak"))
