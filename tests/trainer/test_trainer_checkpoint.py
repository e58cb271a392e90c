"""Checkpoints: whole or not there, and the one before in reserve."""

from pathlib import Path

import pytest
import torch

from trainer import checkpoint
from trainer.checkpoint import LATEST, PREVIOUS
from trainer.config import InitialPolicyConfig
from trainer.errors import TrainerError


def state(step: int) -> dict:
    return {"step": step, "policy": {"w": torch.full((1000,), float(step))}}


def step_in(folder: Path) -> int:
    loaded = checkpoint.load(folder)
    assert loaded is not None
    return loaded["step"]


def test_no_checkpoint_is_no_error(tmp_path: Path):
    assert checkpoint.load(tmp_path) is None


def test_what_is_saved_is_loaded(tmp_path: Path):
    checkpoint.save(tmp_path, state(1))
    checkpoint.save(tmp_path, state(2))
    assert step_in(tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [LATEST, PREVIOUS]


def test_dying_while_writing_loses_nothing(tmp_path: Path, monkeypatch):
    checkpoint.save(tmp_path, state(1))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path, state(2))
    assert step_in(tmp_path) == 1


@pytest.mark.parametrize("damage", ["truncated", "empty", "altered", "not ours"])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path, capsys, damage: str):
    checkpoint.save(tmp_path, state(1))
    checkpoint.save(tmp_path, state(2))
    latest = tmp_path / LATEST
    whole = latest.read_bytes()
    middle = whole.index(torch.tensor([2.0] * 4).numpy().tobytes()) + 400
    latest.unlink()
    latest.write_bytes(
        {
            "truncated": whole[:-100],
            "empty": b"",
            "altered": whole[:middle] + b"damaged!" + whole[middle + 8 :],
            "not ours": b"\x80\x04cos\nsystem\n.",
        }[damage]
    )
    assert step_in(tmp_path) == 1
    assert "is damaged" in capsys.readouterr().out


def test_with_both_damaged_the_error_says_what_to_do(tmp_path: Path):
    for name in (LATEST, PREVIOUS):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(TrainerError, match="move the folder away"):
        checkpoint.load(tmp_path)


def test_a_newer_format_is_refused(tmp_path: Path):
    torch.save({"format": 99}, tmp_path / LATEST)
    with pytest.raises(TrainerError):
        checkpoint.load(tmp_path)


@pytest.mark.parametrize("form", ["{file}", "{folder}", "file://{file}"])
def test_a_policy_is_found_by_file_folder_or_address(tmp_path: Path, form: str):
    checkpoint.save(tmp_path, state(3))
    weights = checkpoint.checkpoint_at(form.format(file=tmp_path / LATEST, folder=tmp_path))["policy"]
    assert weights["w"][0] == 3.0


def test_a_run_of_expiac_is_found_where_expiac_says_that_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    checkpoint.save(tmp_path, state(3))
    monkeypatch.setenv("EXPIAC_ADDRESSES", f'{{"expiac://lab/a@lab.a.0": "{tmp_path / LATEST}"}}')
    assert checkpoint.checkpoint_at("expiac://lab/a@lab.a.0")["policy"]["w"][0] == 3.0


@pytest.mark.parametrize("uri", ["s3://bucket/x.pt", "wandb://ants", "expiac://lab/a", ""])
def test_an_address_that_cannot_be_read_is_refused_by_the_schema(uri: str):
    with pytest.raises(ValueError, match="use "):
        InitialPolicyConfig(uri=uri)


@pytest.mark.parametrize("uri", ["expiac://lab/a@best", "expiac://lab/arms/a@lab.arms.a.0", "wandb://p/a:v1", "x.pt"])
def test_an_address_that_can_be_read_is_taken(uri: str):
    assert InitialPolicyConfig(uri=uri).uri == uri


@pytest.mark.parametrize("uri", ["s3://bucket/x.pt", "/nowhere/latest.pt", "expiac://lab/a@best"])
def test_a_policy_that_cannot_be_read_is_named(uri: str):
    with pytest.raises(TrainerError, match=uri):
        checkpoint.checkpoint_at(uri)
