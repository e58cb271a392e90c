"""What the snapshot fixture needs besides expiac: syrupy, and a folder that syrupy leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.util.errors import ExpiacError, UsageError


def require_syrupy(config: pytest.Config) -> None:
    """Raises `ExpiacError` where syrupy is not installed, or not in use in this session."""
    if config.pluginmanager.hasplugin("syrupy"):
        return
    try:
        import syrupy  # noqa: F401
    except ImportError as error:
        raise ExpiacError("Missing package", f"the fixture expiac_snapshot needs syrupy: {error}",
                          "pip install 'expiac[testing]'") from error
    raise ExpiacError("Missing package", "the fixture expiac_snapshot needs syrupy, whose plugin is switched off",
                      "leave out `-p no:syrupy`, or add `-p syrupy`")


def refuse_shared_folder(folder: Path, config: pytest.Config) -> None:
    """Raises where the snapshots lie in a folder of which syrupy removes what it does not know."""
    name = config.getoption("snapshot_dirname")
    if name in folder.parts:
        raise UsageError("Shared snapshot folder", f"{folder} is in {name}, where syrupy removes files of others",
                         '[tool.expiac] snapshots = "snapshots"')
