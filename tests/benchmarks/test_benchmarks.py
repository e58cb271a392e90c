"""The benchmarks run, on their smallest case. How long anything takes is no claim of a test."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from benchmarks import local_jobs, plans, review_page
from benchmarks.__main__ import NAMES, main


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_measures_its_smallest_case(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Every row has a cost, and the table says it."""
    results = tmp_path / "results.json"
    main([name, "--runs", "1", "--sizes", "2", "--results", str(results)])
    rows = json.loads(results.read_text())[name]
    assert rows
    if name != "calls":  # which counts calls, and takes no time
        assert all(row["wall"] > 0 and row["peak"] > 0 for row in rows)
    assert "| --- |" in capsys.readouterr().out


@pytest.mark.slow
def test_local_jobs_are_measured_beside_the_peers_that_are_there(capsys: pytest.CaptureFixture[str]):
    """A shell is there, and others may not be."""
    local_jobs.main(["--jobs", "2", "--runs", "1"])
    out = capsys.readouterr().out
    assert "| bash |" in out
    assert "| expiac |" in out


@pytest.mark.slow
def test_plans_are_measured_beside_the_peers_that_are_there(capsys: pytest.CaptureFixture[str]):
    """Neither snakemake nor DVC is a dependency."""
    plans.main(["--jobs", "2", "--runs", "1"])
    assert "| expiac |" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium")
def test_the_page_of_a_review_is_measured_in_a_browser(capsys: pytest.CaptureFixture[str]):
    review_page.main(["--sizes", "3", "--runs", "1"])
    assert re.search(r"\| 3 \| .* s \| [\d,]+ ms \|", capsys.readouterr().out)


def test_a_benchmark_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["speed"])
    assert "there are startup, composing, scale, results" in capsys.readouterr().err
