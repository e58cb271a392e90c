"""How a plan reads."""

from __future__ import annotations

import pytest
from plans import change, plan, step
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from expiac.plan.model import MISSING, Action
from expiac.view import show


class PlainText(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.mark.parametrize("width", [80, 120])
def test_a_plan_with_everything_in_it(everything, width, snapshot):
    """For human eyes: each action, and each thing that can be said of a step."""
    assert show.text(everything, width, program="stacks/lab.py") + "\n" == snapshot(extension_class=PlainText)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(everything, width):
    """A terminal never has to wrap; names and commands to paste are never cut."""
    lines = show.text(everything, width).splitlines()
    whole = [line for line in lines if "a_name_that" in line or "Hint:" in line]
    assert all(len(line) <= width for line in lines if line not in whole)


def test_a_changed_value_is_one_line():
    """The shortest plan is the line that its reader would have written."""
    one = plan(step("ppo", Action.REPLACE, "", change("optimizer.learning_rate", 0.0003, 0.001)))
    assert show.steps(one) == ["± ppo   optimizer.learning_rate: 0.0003 → 0.001"]


def test_nothing_to_do_is_said():
    """An empty plan says so, and nothing of counts."""
    assert show.summary(plan(step("ppo", Action.KEEP, "running"))) == "no changes"


def test_the_summary_counts():
    """Every action that occurs is counted, the unchanged last."""
    two = plan(step("a", Action.KEEP, "running"), step("b", Action.REPLACE), step("c", Action.CREATE, deferred=True))
    assert show.summary(two) == "1 to create, 1 to replace, 1 unchanged (1 deferred)"


def test_costs_are_summed_and_gaps_are_said():
    """A sum that lacks a price is a lower bound."""
    known, unknown = step("a", Action.CREATE, cost_per_hour=2.0), step("b", Action.CREATE)
    assert show.summary(plan(known)) == "1 to create, $2.00 per hour"
    assert show.summary(plan(known, unknown)) == "2 to create, at least $2.00 per hour"


@pytest.mark.parametrize(("before", "after", "shown"), [
    (4, "4", '4 → "4"'),
    (None, "null", 'null → "null"'),
    ("off", False, "off → false"),
    (MISSING, "", 'absent → ""'),
    ("a\nb", "a b", '"a\\nb" → a b'),
    ([1], {"a": "ü"}, '[1] → {"a": "ü"}'),
])
def test_two_values_never_look_alike(before, after, shown):
    """Text is quoted only where it could be read as something else."""
    assert show.steps(plan(step("x", Action.REPLACE, "", change("k", before, after)))) == [f"± x   k: {shown}"]


def test_long_values_are_cut_around_their_difference():
    """Where two long values begin to differ is seen, wherever that is."""
    long = "x" * 300
    one = plan(step("x", Action.REPLACE, "", change("k", f"{long}A{long}", f"{long}B{long}")))
    (line,) = show.steps(one, 80)
    assert len(line) <= 80
    assert "A" in line
    assert "B" in line


def test_overrides_that_differ_open_the_plan():
    """The difference stands first, with a command that restores the last apply's."""
    moved = plan(step("x", Action.KEEP), overrides={"gpus": "1"}, previous_overrides={"gpus": "4", "notes": "a b"})
    assert show.opening(moved, program="lab") == [
        "Overrides differ from the last apply:",
        "  gpus: 4 → 1",
        "  notes: a b → not set",
        "  Hint: expiac plan lab gpus=4 'notes=a b'",
    ]


def test_what_holds_for_several_jobs_is_said_once():
    """Ten jobs on a machine without a GPU do not say so ten times."""
    jobs = [step(f"job_{index}", Action.CREATE, "new", note="no GPU") for index in range(3)]
    assert show.text(plan(*jobs)).count("no GPU") == 1
