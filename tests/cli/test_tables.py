"""Tables on screens of all widths."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from expiac.cli import tables


def printed(width: int, headers: list[str], *rows: list[str]) -> list[str]:
    out = Console(width=width, file=io.StringIO())
    table = tables.table(*headers)
    for row in rows:
        table.add_row(*row)
    out.print(tables.fit(table, out))
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


STATUSES = ["job", "status", "samples", "reward", "hearts", "time", "instance"]
ROWS = [[f"rate_{name}", "succeeded", "1,200,000", "0.12", "1.00", "12m 3s",
         f"lr_ab_test.rate_{name}.0a1b2c3d (launch 2)"] for name in ("low", "high")]


def test_a_wide_screen_shows_all():
    """As it is."""
    assert printed(120, STATUSES, *ROWS)[1].endswith("12m 3s  lr_ab_test.rate_low.0a1b2c3d (launch 2)")


@pytest.mark.parametrize(("width", "headers"), [
    (85, "job status samples reward hearts time instance"), (60, "job status samples reward hearts time"),
    (50, "job status samples reward time"), (40, "job status samples time")])
def test_a_narrow_screen_shows_less_and_folds_nothing(width, headers):
    """First names of runs are short, then they go, then the metrics from the last to the first."""
    lines = printed(width, STATUSES, *ROWS)
    assert lines[0].split() == headers.split()
    assert len(lines) == 3
    if "instance" in headers:
        assert lines[1].endswith("  0a1b2c3d (launch 2)")


def test_what_was_applied_is_readable_at_60_columns():
    """Whoever applied it, and the commit, are in the JSON."""
    lines = printed(60, ["serial", "when", "who", "commit", "what", "settings"],
                    ["12", "2026-11-28 14:38", "root@machine", "abcdef012", "1 create", "gpus=4 nodes=2"])
    assert [line.split() for line in lines] == [
        ["serial", "when", "what", "settings"],
        ["12", "2026-11-28", "14:38", "1", "create", "gpus=4", "nodes=2"]]
