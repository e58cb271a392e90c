"""A plan as markdown, for a comment on a pull request."""

from __future__ import annotations

from plans import change, new, plan, step
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from expiac.plan.model import Action
from expiac.view.markdown import markdown


class Markdown(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "md"


def test_a_plan_with_everything_in_it(everything, snapshot):
    """For human eyes: summary, overrides, a row for each step, what new jobs share."""
    assert markdown(everything) + "\n" == snapshot(extension_class=Markdown)


def test_no_changes_are_a_line():
    assert markdown(plan(step("a", Action.KEEP, "running"))) == "### `lab`: no changes"


def test_a_warning_is_an_alert():
    one = plan(step("a", Action.CREATE, "new"), warnings=("a bucket_name\nis public",))
    assert "> [!WARNING]\n> a bucket\\_name\n> is public\n" in markdown(one)


def test_values_break_no_table():
    """Pipes, backticks and line breaks stay within their cell; markup is shown as it is written."""
    one = plan(step("a", Action.REPLACE, "<b>bold</b>", change("run", "cat a | sh", "echo `date`\nx")))
    (row,) = (line for line in markdown(one).splitlines() if "`a`" in line)
    assert row == "| ± | `a` | `run`: ``cat a \\| sh → \"echo `date`\\nx\"``<br>\\<b\\>bold\\</b\\> |"


def test_a_thousand_jobs_fit_a_comment():
    """GitHub takes 65,536 characters."""
    new_jobs = plan(*(new(f"job_{seed}", {"config": {"seed": seed}, "run": "x" * 500}) for seed in range(1000)))
    changed = plan(*(step(f"job_{seed}", Action.REPLACE, "", change("k", "a" * 500, "b" * 500))
                     for seed in range(1000)))
    for one in (new_jobs, changed):
        assert len(markdown(one)) < 65_536
    assert "| … |  | 900 more |" in markdown(changed)
