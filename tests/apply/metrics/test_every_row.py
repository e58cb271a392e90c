"""All that a run logged, of every format: for histories, where `status` needs the two ends of a file only."""

from __future__ import annotations

from pathlib import Path

import pytest

from expiac.apply import metrics

STEPS = 20_000
"""Of text, above the 128 KiB of which the two ends are read."""


def logged(path: Path) -> list[tuple[float | None, float]]:
    return [(row.step, row.metrics["loss"]) for row in metrics.read_rows(metrics.files_of(path))]


def test_of_json_lines(tmp_path):
    """The middle too; what can't be read, and a last line without its end, are left out."""
    lines = [f'{{"step": {step}, "loss": {step / 2}}}' for step in range(STEPS)]
    (tmp_path / "metrics.jsonl").write_text("\n".join([*lines[:5], "rubbish", *lines[5:], '{"step": 1']))
    assert logged(tmp_path) == [(step, step / 2) for step in range(STEPS)]


def test_of_csv(tmp_path):
    (tmp_path / "metrics.csv").write_text("step,loss\n" + "".join(f"{step},{step / 2}\n" for step in range(STEPS)))
    assert logged(tmp_path) == [(step, step / 2) for step in range(STEPS)]


def test_of_all_event_files_of_a_launch_and_the_next(tmp_path):
    """A trainer that goes on writes a second one beside the first."""
    tensorboard = pytest.importorskip("torch.utils.tensorboard")
    for suffix, steps in ((".1", range(3)), (".2", range(3, 6))):
        with tensorboard.SummaryWriter(tmp_path / "tb", filename_suffix=suffix) as writer:
            for step in steps:
                writer.add_scalar("loss", step / 2, step)
    assert sorted(logged(tmp_path)) == [(step, step / 2) for step in range(6)]


def test_of_nothing(tmp_path):
    assert logged(tmp_path) == logged(tmp_path / "nowhere") == []
