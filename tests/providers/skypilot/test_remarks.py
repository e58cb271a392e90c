"""What a plan remarks on a task before it is launched."""

from __future__ import annotations

import pytest

from expiac.providers.skypilot.remarks import remarks


@pytest.mark.parametrize(("folder", "mounts", "is_lost"), [
    ("./train_dir", {}, True), ("/shared", {}, False), (None, {}, False),
    ("runs", {"runs": {"source": "s3://runs", "mode": "MOUNT"}}, False),
])
def test_results_that_go_with_the_machine_are_named(folder, mounts, is_lost):
    """Before a recovery shows it; for a job that writes there."""
    task = {"envs": {"DATA_DIR": folder} if folder else {}, "file_mounts": mounts, "run": "train > $DATA_DIR/log"}
    assert bool(list(remarks(task))) == is_lost
    assert not list(remarks({**task, "run": "wc -l notes"}))


@pytest.mark.parametrize(("resources", "is_shown"), [
    ({"infra": "slurm/loop"}, True), ({"infra": "Slurm"}, True), ({"infra": "aws"}, False), ({}, False), (None, False),
    ({"any_of": [{"infra": "aws"}, {"infra": "slurm/lab/long"}]}, True),
])
def test_secrets_that_others_may_see_are_named(resources, is_shown):
    """And never their values."""
    said = list(remarks({"resources": resources, "secrets": {"TOKEN": "hush"}}))
    assert ["TOKEN" in words and "hush" not in words for words in said] == ([True] if is_shown else [])
    assert not list(remarks({"resources": resources}))
