"""What the shipped stacks render to, as files for human eyes: the training config and the task of every job."""

from __future__ import annotations

import pytest
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from expiac.prepare import desired
from expiac.program import load


class Yaml(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "yaml"


CASES = [("arena", "train"), ("lr_ab_test", "job_0"), ("lr_ab_test", "job_1"),
         ("warm_start", "base"), ("warm_start", "tuned")]


@pytest.mark.parametrize("file", ["config.yaml", "task.yaml"])
@pytest.mark.parametrize(("stack", "job"), CASES, ids=[f"{stack}.{job}" for stack, job in CASES])
def test_rendered(stack, job, file, project, snapshot):
    """A change here is a change of what runs: read it as one."""
    declared = {want.address: want for want in desired(load(project, stack, []).stack, project)}
    assert declared[job].texts[file] == snapshot(extension_class=Yaml)
