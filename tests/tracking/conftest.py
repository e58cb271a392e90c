"""A W&B server on loopback with a service that asks it, and the folder of an offline run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from launches import OFFLINE, train

from expiac.testing.wandb_server import WandbServer
from expiac.tracking import WandbService, get_wandb_service


@pytest.fixture
def server() -> Iterator[WandbServer]:
    with WandbServer() as running:
        yield running


@pytest.fixture
def online(server: WandbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WandbService:
    """The service of that server's project `lab`."""
    for name, value in server.env.items():
        monkeypatch.setenv(name, value)
    return get_wandb_service(tmp_path, project="lab")


@pytest.fixture(scope="module")
def offline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Below it is the folder of an offline run `one` with five rows and an artifact, which has ended well."""
    folder = tmp_path_factory.mktemp("offline")
    train(folder, OFFLINE, "one", "artifact")
    return folder
