"""A review as markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from expiac.review.changes import Review, compare, gather
from expiac.review.snapshots import SnapshotSet
from expiac.view.review_markdown import markdown

LAB = SnapshotSet("lab")
Files = Mapping[str, Mapping[str, str]]


def review(before: Files, after: Files, errors: Mapping[str, str] | None = None) -> Review:
    accepted = {f"{job}.{name}": text.encode() for job, files in before.items() for name, text in files.items()}
    return gather([compare(LAB, after, accepted)], errors or {})


def configs(count: int, text: str) -> Files:
    return {f"job_{number}": {"config.yaml": text} for number in range(count)}


def test_nothing_to_review():
    one = configs(1, "lr: 1\n")
    assert markdown(review(one, one)) == "### Review: 1 as reviewed"


def test_jobs_that_changed_alike_are_told_once():
    shown = markdown(review(configs(20, "lr: 0.1\n"), configs(20, "lr: 0.2\n")))
    assert shown.splitlines() == [
        "### Review: 20 jobs changed; 0 as reviewed", "",
        "**20 jobs changed**: `lab`: " + ", ".join(f"`job_{n}`" for n in range(8)) + " and 12 more", "",
        "- `config.yaml`", "  - `lr`: `0.1` → `0.2`", "",
        "<details><summary>Textual difference of <code>config.yaml</code> of job_0</summary>", "",
        "```diff", "--- config.yaml (reviewed)", "+++ config.yaml (rendered)", "@@ -1 +1 @@", "-lr: 0.1", "+lr: 0.2",
        "```", "", "</details>"]


def test_new_values_removed_ones_and_moved_ones():
    before, after = "a: {lr: 0.1, x: 1}\nb: {y: 1}\n", "a: {z: 2}\nb: {lr: 0.1, y: 1}\n"
    shown = markdown(review(configs(1, before), configs(1, after)))
    assert "  - `a.lr` moved to `b.lr`\n  - `a.x`: `1`, removed\n  - `a.z`: `2`, new" in shown


def test_an_interpolation_says_what_it_comes_to():
    before = {"a": {"composed.yaml": "run: here\ndir: ${run}/old\n"}}
    after = {"a": {"composed.yaml": "run: here\ndir: ${run}/new\n"}}
    assert "`${run}/old` → `${run}/new`, which is `here/old` → `here/new`" in markdown(review(before, after))


def test_new_jobs_say_in_what_they_differ_and_removed_ones_are_named():
    shown = markdown(review({"gone": {"task.yaml": "run: x\n"}}, {
        "a": {"config.yaml": "lr: 1\n"}, "b": {"config.yaml": "lr: 2\n"}}))
    assert ("**2 jobs new**: `lab`: `a`, `b`\n\n- `config.yaml`: no snapshot (1 line)\n- they differ in\n"
            "  - `lr`: `1`, `2`") in shown
    assert "**1 job removed**: `lab`: `gone`\n\n- `task.yaml`: not rendered any more (1 line)" in shown


def test_a_difference_of_text_alone():
    shown = markdown(review(configs(1, "a: 1\nb: 2\n"), configs(1, "b: 2\na: 1\n")))
    assert "- `config.yaml`: only its text differs, not what it says" in shown


def test_line_ends_alone():
    assert "\n-a: 1\\r\n+a: 1\n" in markdown(review(configs(1, "a: 1\r\n"), configs(1, "a: 1\n")))


def test_what_could_not_be_rendered_is_an_alert():
    shown = markdown(review({}, {}, {"broken": "Invalid: x\ny"}))
    assert "> [!WARNING]\n> - `broken` is not rendered: `Invalid: x y`" in shown


def test_a_fence_is_longer_than_the_backticks_in_it():
    shown = markdown(review(configs(1, "a: 1\n"), configs(1, "a: 1\n# ``` and `````\n")))
    assert "\n``````diff\n" in shown
    assert "\n``````\n" in shown


@pytest.mark.parametrize("limit", [65_000, 9_000, 3_000])
def test_a_thousand_changes_fit_and_the_others_are_counted(limit):
    """Each change is of its own kind; those that fit come first, and then textual differences."""
    before = {f"job_{n}": {"config.yaml": f"lr: {n}\n"} for n in range(1000)}
    after = {f"job_{n}": {"config.yaml": f"lr: {n}.5\n"} for n in range(1000)}
    shown = markdown(review(before, after), limit=limit)
    groups = shown.count("**1 job changed**")
    diffs = shown.count("<details>")
    assert len(shown) <= limit
    assert 0 < groups < 1000
    assert f"Left out here: {1000 - groups:,} more changes of {1000 - groups:,} jobs" in shown
    assert (diffs < groups) == ("textual difference" in shown.rpartition("Left out here")[2])


def test_of_a_long_difference_the_beginning_is_shown():
    lines = "".join(f"k{n}: {n}\n" for n in range(5000))
    shown = markdown(review({}, {"a": {"config.yaml": lines}}))
    assert len(shown) < 65_000
    assert "\n```\n\n4,703 more lines\n\n</details>" in shown  # of 5,000, and three that say what follows
