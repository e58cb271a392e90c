"""Where a record of a W&B file ends just before a block does, a copy has it as W&B's own client writes it."""

from __future__ import annotations

import pytest

from expiac.apply.metrics.run_log import RunLog
from expiac.tracking.run_copy import copy_run

datastore = pytest.importorskip("wandb.sdk.internal.datastore")
BLOCK, HEADER, PART = 32 * 1024, 7, 7


@pytest.mark.parametrize("left", range(10))
def test_a_copy_has_the_bytes_of_the_file(tmp_path, left):
    file, copy = tmp_path / "run.wandb", tmp_path / "copy.wandb"
    sizes = [BLOCK - HEADER - PART - left, 100, BLOCK]
    store = datastore.DataStore()
    store.open_for_write(str(file))
    for size in sizes:
        store._write_data(bytes(size))
    store.close()
    copy_run([file], copy)
    assert copy.read_bytes() == file.read_bytes()
    assert [len(record) for record in RunLog(copy)] == sizes
