"""What takes minutes is run by its name only: `make soak`. An S3 server of our own, for states that are shared.

Assertions in helper modules are rewritten by pytest like those in tests: they show their values, and they fail under
`python -O` too (`make test-optimized`).
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from expiac.declare.project import Project

ROOT = Path(__file__).parents[1]
# W&B is asked where a key is found: nobody's own one here.
os.environ.pop("WANDB_API_KEY", None)
os.environ["NETRC"] = os.devnull
# How long an example takes is up to the machine.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


def _helper_names() -> list[str]:
    """The modules in `tests` that hold no tests, by each name under which a test can import them."""
    files = [file.relative_to(ROOT).with_suffix("") for file in sorted((ROOT / "tests").rglob("*.py"))
             if not file.name.startswith(("test_", "__")) and file.name != "conftest.py"]
    return [name for file in files for name in (".".join(file.parts), file.stem)]


pytest.register_assert_rewrite("expiac.testing.contract", "expiac.testing.bench", *_helper_names())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A marker's word in `-m` asks for it."""
    if "soak" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("soak") and not item.get_closest_marker("slurm"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: make soak"))


@pytest.fixture(scope="session")
def s3() -> Iterator[Mapping[str, str]]:
    """The environment in which clients find an S3 server on loopback; it answers one request at a time."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "a",
           "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    server.shutdown()


@pytest.fixture
def bucket(s3: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty bucket of that server."""
    import fsspec

    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    # fsspec keeps clients by their arguments: one of another test may know another server.
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    name = f"bucket-{uuid4().hex}"
    fsspec.filesystem("s3").mkdir(name)
    return f"s3://{name}"


@pytest.fixture
def own(tmp_path: Path) -> Project:
    """A copy of this project's configs that a test may edit, with a state folder of the test's own."""
    from expiac.declare.project import find_project

    root = tmp_path / "project"
    for folder in ("configs", "templates", "trainer"):
        shutil.copytree(ROOT / folder, root / folder)
    return dataclasses.replace(find_project(ROOT), root=root, state=tmp_path / "state")
