"""Names and values of others: what they hold moves no terminal, breaks no table, and is no formula of a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from test_hostile_runs import results, run

from expiac.analysis.comparing import compare_results
from expiac.analysis.results import Results
from expiac.cli import comparison_output, results_output
from expiac.plan.formatting import printable
from expiac.state.model import State

HOSTILE = ["<script>alert(1)</script>", "\x1b[2J\x1b]0;title\x07", "\u202eevil", "two\nlines\r", "x" * 10_000,
           "=cmd()", "status", "job", "\ud800", "[bold]", "汉字"]
STATE = State("lab", "0" * 32)


@given(st.text())
def test_what_is_made_printable_is(text):
    assert printable(text).isprintable()
    assert printable(text) == text or not text.isprintable()


@pytest.fixture(params=[60, 80, 120])
def width(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


@pytest.fixture
def hostile(tmp_path: Path) -> Results:
    """Two runs of which every name and value is hostile, 30 settings differ, and 40 metrics are logged."""
    metrics = {**dict.fromkeys(HOSTILE, 1.0), **{f"metric_{number}": 1.0 for number in range(29)}}
    (tmp_path / "metrics.jsonl").write_text(json.dumps({"step": 1, "metrics": metrics}) + "\n")
    runs = []
    for side in ("a", "b"):
        made = run(f"job_{side}", tmp_path)
        settings = {**{name: f"{side}{name}" for name in HOSTILE}, **{f"key_{number}": side for number in range(19)},
                    "value": f"={side}()"}
        object.__setattr__(made, "settings", {name.replace("\ud800", "?"): str(value).replace("\ud800", "?")
                                              for name, value in settings.items()})
        runs.append(made)
    return results(tmp_path, *runs)


def printed(found: Results, form: str = "table") -> str:
    with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")) as out:
        results_output.print_results(STATE, found, form=form, histories=False, is_asked=True)
        out.flush()
    return out.buffer.getvalue().decode()


def test_a_table_of_hostile_runs(hostile, width):
    """As wide as the screen, a line a run, and it says what it leaves out and how to see that."""
    text = printed(hostile)
    lines = text.splitlines()
    assert text.replace("\n", "").isprintable()
    assert max(map(cell_len, lines[:3])) <= width
    assert [line.split()[0] for line in lines[:3]] == ["job", "job_a", "job_b"]
    assert "settings and" in lines[-1]
    assert "--format csv has them all" in lines[-1]


def test_settings_go_before_the_first_metric(tmp_path, monkeypatch):
    """A table of results has one at least, however many settings differ."""
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "metrics": {"reward": 5.5}}\n')
    runs = [run(f"job_{side}", tmp_path) for side in "ab"]
    for one in runs:
        object.__setattr__(one, "settings", {f"key_{number}": one.job * 4 for number in range(6)})
    head, first, *_ = printed(results(tmp_path, *runs)).splitlines()
    assert ("step" in head, "reward" in head, "5.5" in first) == (True, True, True)


def test_a_setting_and_a_metric_of_one_name_have_a_column_each(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "metrics": {"lr": 0.25}}\n')
    runs = [run(f"job_{side}", tmp_path) for side in "ab"]
    for one in runs:
        object.__setattr__(one, "settings", {"lr": one.job})
    head, first, *_ = printed(results(tmp_path, *runs)).splitlines()
    assert head.split()[2:5] == ["lr", "step", "metrics.lr"]
    assert first.split()[2:5] == ["job_a", "1", "0.25"]


def test_a_comparison_of_hostile_runs(hostile, width):
    """The figures of the arms are there, however many settings differ."""
    with redirect_stdout(io.StringIO()) as out:
        comparison_output.print_comparison(STATE, compare_results(hostile, metric="\x1b[2J\x1b]0;title\x07"), as_of="",
                                           age="", json=False)
    text = out.getvalue()
    assert text.replace("\n", "").isprintable()
    assert all(head in text for head in ("arm", "mean", "IQM", "settings by which the arms differ"))
    assert max(cell_len(line) for line in text.splitlines() if line.startswith(("arm ", "A ", "B "))) <= width


def test_no_cell_of_csv_is_a_formula(hostile):
    """And no name of a column; numbers that are texts stay as they are."""
    head, first, second = csv.reader(io.StringIO(printed(hostile, "csv")))
    row = dict(zip(head, first, strict=True))
    assert "'=cmd()" in head
    assert row["value"] == "'=a()"
    assert not any(cell.startswith(("=", "+", "@")) for cell in (*head, *first, *second))


def test_json_has_every_name_as_it_is(hostile):
    (one, _) = json.loads(printed(hostile, "json"))["results"]
    assert {name for name in HOSTILE if name != "\ud800"} <= one["metrics"].keys()
