"""One cluster for all the tests that ask for it; none where they were not asked for, or where it can't stand."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.slurm import packages
from tests.slurm.cluster import Cluster
from tests.slurm.desk import Desk


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """These tests change the machine, by packages and a user: they run when they are called by their name."""
    items.sort(key=lambda item: "test_training" not in item.nodeid)  # the longest first, for workers to end together
    if "slurm" in config.option.markexpr or os.environ.get("EXPIAC_SLURM") == "1":
        return
    for item in items:
        if item.get_closest_marker("slurm"):
            item.add_marker(pytest.mark.skip(reason="needs a Slurm cluster: make test-slurm"))


@pytest.fixture(scope="session")
def slurm() -> Iterator[Cluster]:
    """A cluster with a SkyPilot of its own: `slurm.env` for a client, `slurm.home`, `slurm.infra`."""
    if standing := os.environ.get("EXPIAC_SLURM_CLUSTER"):
        yield Cluster.at(Path(standing))  # brought up by hand, for many runs of the tests
        return
    if why := packages.obstacle() or packages.install():
        pytest.skip(why)
    folder = Path(tempfile.mkdtemp(prefix="expiac-slurm-", dir="/tmp"))  # pytest's own folders are closed to others
    folder.chmod(0o755)
    cluster = Cluster.at(folder)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()
        left = _left(cluster)
        shutil.rmtree(folder)
    assert not left, "the end of the cluster is the end of all its processes"


@pytest.fixture
def desk(slurm: Cluster, tmp_path: Path) -> Desk:
    """A project whose backend is the cluster."""
    return Desk(tmp_path, slurm.env, slurm.infra)


def _left(cluster: Cluster) -> list[str]:
    """What still runs, found otherwise than by what ended it: by the user, and by the folder in a command line."""
    seen = psutil.process_iter(["username", "cmdline"])
    lines = {process: " ".join(process.info["cmdline"] or ()) for process in seen}
    return [f"{process.pid} {line}" for process, line in lines.items()
            if process.info["username"] == cluster.user or str(cluster.folder) in line]
