"""Which file of a folder the metrics are read from, and how far expiac looks for it."""

from __future__ import annotations

import os
from pathlib import Path

from expiac.apply.metrics.search import find_metrics_file


def write(file: Path, modified: int = 100) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    os.utime(file, (modified, modified))
    return file


def test_the_folders_own_file_comes_first(tmp_path: Path):
    """However new the others are."""
    write(tmp_path / "a/metrics.jsonl", 200)
    own = write(tmp_path / "metrics.csv")
    assert find_metrics_file(tmp_path) == own


def test_kinds_come_in_their_order(tmp_path: Path):
    """Text files of expiac's own format before those of TensorBoard and of W&B."""
    found = []
    names = ["offline-run-1/run-1.wandb", "tb/events.out.tfevents.1.host", "b/metrics.csv", "c/metrics.jsonl"]
    for name in names:
        write(tmp_path / name)
        found.append(str(find_metrics_file(tmp_path).relative_to(tmp_path)))
    assert found == names


def test_six_levels_are_searched(tmp_path: Path):
    """What lies deeper is not found."""
    write(tmp_path / "1/2/3/4/5/6/7/metrics.csv")
    assert find_metrics_file(tmp_path) is None
    sixth = write(tmp_path / "1/2/3/4/5/6/metrics.csv")
    assert find_metrics_file(tmp_path) == sixth


def test_the_number_of_entries_has_a_limit(tmp_path: Path):
    """The newest folders are looked at first, so it is the older ones that are left out."""
    for version in range(10):
        file = write(tmp_path / f"version_{version}/metrics.csv", version)
        write(tmp_path / f"version_{version}/checkpoint.pt")
        os.utime(file.parent, (version, version))
    os.utime(write(tmp_path / "version_0/metrics.jsonl").parent, (0, 0))
    assert find_metrics_file(tmp_path, limit=12) == tmp_path / "version_9/metrics.csv"
    assert find_metrics_file(tmp_path, limit=10) is None
    assert find_metrics_file(tmp_path) == tmp_path / "version_0/metrics.jsonl"


def test_links_to_folders_are_not_followed(tmp_path: Path):
    """One may lead back to where it is."""
    write(tmp_path / "elsewhere/metrics.csv")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/loop").symlink_to(tmp_path / "run")
    (tmp_path / "run/away").symlink_to(tmp_path / "elsewhere")
    assert find_metrics_file(tmp_path / "run") is None
