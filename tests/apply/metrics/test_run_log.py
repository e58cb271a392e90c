"""The log in which W&B's client writes a run: our reader against W&B's own writer and reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wandb.proto.wandb_internal_pb2 import Record
from wandb.sdk.internal.datastore import DataStore

from expiac.apply.metrics.run_log import RunLog
from expiac.util.errors import ExpiacError


def write(file: Path, texts: list[str]) -> list[bytes]:
    """What W&B wrote for them."""
    file.unlink(missing_ok=True)
    store = DataStore()
    store.open_for_write(str(file))
    records = [Record(uuid=text) for text in texts]
    for record in records:
        store.write(record)
    store.close()
    return [record.SerializeToString() for record in records]


@given(sizes=st.lists(st.integers(0, 100_000), max_size=8))
def test_every_record_is_read(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]):
    """Of any size: over several blocks, and ending anywhere in one."""
    file = tmp_path_factory.mktemp("log") / "run.wandb"
    written = write(file, [str(number % 10) * size for number, size in enumerate(sizes)])
    assert list(RunLog(file)) == written


@given(sizes=st.lists(st.integers(1, 20_000), min_size=1, max_size=6), share=st.floats(0, 1))
def test_a_torn_log_is_read_up_to_its_last_whole_record(tmp_path_factory, sizes: list[int], share: float):
    """Wherever it ends; that is no damage."""
    file = tmp_path_factory.mktemp("log") / "run.wandb"
    written = write(file, ["x" * size for size in sizes])
    content = file.read_bytes()
    file.write_bytes(content[:int(len(content) * share)])
    log = RunLog(file)
    read = list(log)
    assert read == written[:len(read)]
    assert log.damaged_at is None


def test_a_flipped_bit_is_damage(tmp_path: Path):
    """No record with it is given, and the block is named."""
    file = tmp_path / "run.wandb"
    written = write(file, ["x" * 10_000] * 20)
    content = bytearray(file.read_bytes())
    content[70_000] ^= 1
    file.write_bytes(content)
    log = RunLog(file)
    read = list(log)
    assert read == written[:len(read)]
    assert (len(read), log.damaged_at) == (6, 65536)


@pytest.mark.parametrize("content", [b"{}\n" * 10, b":W&B\x00\x00\x00", b":W&B\xe1\xbe\x01 of another version"])
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "run.wandb").write_bytes(content)
    with pytest.raises(ExpiacError, match="Not a W&B run"):
        list(RunLog(tmp_path / "run.wandb"))


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        list(RunLog(tmp_path / "run.wandb"))
