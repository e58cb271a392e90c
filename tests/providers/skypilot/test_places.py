"""The clouds that we know are no misspelt backends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from expiac.providers.skypilot.places import CLOUDS, is_place

ASK = ("from sky.skylet import constants; from sky.utils import registry\n"
       "print(*constants.ALL_CLOUDS, *registry.CLOUD_REGISTRY, *registry.CLOUD_REGISTRY._aliases)")


def test_they_are_those_of_skypilot(tmp_path):
    """Each of the installed SkyPilot's clouds, and each other name that it has for one."""
    env = {**os.environ, "HOME": str(tmp_path), "SKYPILOT_DISABLE_USAGE_COLLECTION": "1"}
    said = subprocess.run([sys.executable, "-c", ASK], env=env, text=True, capture_output=True, check=True, timeout=120)
    assert {*said.stdout.split()} <= CLOUDS


@pytest.mark.parametrize(("infra", "is_one"), [
    ("aws", True), ("AWS/us-east-1", True), ("k8s/a/b", True), ("*", True), ("local", False), ("awss", False),
])
def test_a_place_begins_with_a_cloud(infra, is_one):
    assert is_place(infra) == is_one
