"""SkyPilot's own client against a server on loopback: which of its errors say that nothing was launched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TRIES = """
import json, os, sys

from loopback_api import BREAK, api_server
from expiac.providers.skypilot.sdk import Sdk
from expiac.util.errors import ExpiacError

def tried(call):
    try:
        call()
    except ExpiacError as error:
        return type(error).__name__
    return "taken"

def launch():
    sdk.launch({"name": "a.b", "run": "true"}, cluster)

said, cluster = {}, sys.argv[1]
with api_server({}) as server:
    os.environ["SKYPILOT_API_SERVER_ENDPOINT"] = server.url
    import sky
    from sky.server import constants
    server.health = {"status": "healthy", "api_version": str(constants.API_VERSION), "version": sky.__version__,
                     "commit": "none", "user": {"id": "ada", "name": "ada"}}
    sdk = Sdk()
    sdk.where()
    for status in (200, 429, 503, 502, 500, BREAK):
        before, server.answers = server.launches, [status]
        said[status] = (tried(launch), server.launches - before)
said["away"] = (tried(launch), 0)
print(json.dumps(said))
"""


@pytest.mark.parametrize("cluster", ["", "a-1"])
def test_what_surely_launched_nothing_is_told_from_what_may_have(cluster, tmp_path):
    """One request each: the client asks no second time by itself."""
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    here = Path(__file__)
    env = {**os.environ, "HOME": str(tmp_path), "SKYPILOT_DISABLE_LOCAL_API_SERVER": "1",
           "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
           "PYTHONPATH": os.pathsep.join([str(here.parent), str(here.parents[3])])}
    run = subprocess.run([sys.executable, "-c", TRIES, cluster], cwd=tmp_path, env=env, capture_output=True, text=True,
                         timeout=120)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.splitlines()[-1])
    assert said == {"200": ["taken", 1], "429": ["Refused", 1], "503": ["Refused", 1], "502": ["Unavailable", 1],
                    "500": ["Unavailable", 1], "-1": ["Unavailable", 1], "away": ["Refused", 0]}
