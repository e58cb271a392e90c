"""What the installed SkyPilot would refuse only while it launches is refused by the plan; no network is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from expiac.providers.skypilot.error_translation import translate_error
from expiac.providers.skypilot.places import nearest_cloud
from expiac.providers.skypilot.sdk_checks import known_accelerators

ROOT = Path(__file__).parents[3]
CATALOG = "AcceleratorName,Clouds\nH100,\"['AWS']\"\nA100-80GB,\"['AWS', 'GCP']\"\n"
CHECK = """
import sys
from expiac.providers.skypilot.sdk import Sdk
from expiac.util.errors import ExpiacError
infra, accelerators, label = sys.argv[1:]
resources = {"infra": infra, "accelerators": accelerators, "labels": {"team": label}}
try:
    print(Sdk().check({"name": "a", "run": "true", "resources": resources}))
except ExpiacError as error:
    print(error)
"""


def check(home, infra, accelerators="H100:8", label="blue", catalog=True):
    pytest.importorskip("sky", reason="SkyPilot is not installed")
    if catalog:
        folder = home / ".sky" / "catalogs" / "v8" / "common"
        folder.mkdir(parents=True)
        (folder / "accelerators.csv").write_text(CATALOG)
    env = {**os.environ, "HOME": str(home), "SKYPILOT_DISABLE_USAGE_COLLECTION": "1", "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", CHECK, infra, accelerators, label]
    return subprocess.run(words, env=env, text=True, capture_output=True, check=True, timeout=120).stdout.strip()


def test_an_unknown_accelerator_is_refused(tmp_path):
    said = check(tmp_path, "aws", "HH100:8")
    assert said.splitlines() == ["No such accelerator", "  HH100, on AWS", "  Hint: did you mean H100?"]


@pytest.mark.parametrize(("infra", "accelerators"), [
    ("aws", "h100:8"), ("aws", "A100-80:1"), ("k8s/lab", "titan:1"), ("slurm/lab", "titan:1"),
])
def test_what_skypilot_may_find_is_left_to_it(tmp_path, infra, accelerators):
    """It takes a part of a name, and names that a cluster's owner chose."""
    assert check(tmp_path, infra, accelerators) == ""


def test_without_a_catalog_nothing_is_refused_and_nothing_fetched(tmp_path):
    assert check(tmp_path, "aws", "HH100:8", catalog=False) == ""
    assert not (tmp_path / ".sky" / "catalogs").exists()
    assert known_accelerators(tmp_path / "none.csv") == ()


def test_a_label_that_the_cloud_does_not_take_is_refused(tmp_path):
    assert check(tmp_path, "k8s/lab", label="two words").startswith("Invalid label\n  team: two words: ")


def test_a_misspelt_cloud_is_told_from_the_right_one(tmp_path):
    """And its pattern of all clouds is not shown."""
    said = check(tmp_path, "awz/us-east-1")
    assert said.splitlines() == [
        "SkyPilot does not know the place", "  infra='awz/us-east-1' begins with none of its clouds",
        "  Hint: did you mean aws/us-east-1?"]


def test_a_cloud_like_none_gets_the_forms_of_a_place():
    assert nearest_cloud("frobnicate") == ""
    error = translate_error(ValueError("'x9' does not match '^(?:(?i:(aws|gcp))(?:/.+)?)$'"), "reading the task")
    assert (error.summary, error.detail) == ("SkyPilot does not know the place",
                                             "infra='x9' begins with none of its clouds")
    assert "k8s/CONTEXT" in error.hint
