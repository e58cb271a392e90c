"""`plan --out`, `show` and `apply FILE`: what was approved is what is done, or nothing is."""

from __future__ import annotations

import json
import shutil

import pytest

LAB = ("lab", "seconds=60", "jobs=2")


@pytest.fixture
def saved(expiac):
    said = expiac("plan", *LAB, "--out", "plans/lab.plan")
    assert (said.code, "expiac apply plans/lab.plan" in said.out) == (0, True)
    return "plans/lab.plan"


def test_a_saved_plan_is_applied_without_its_program(expiac, project, saved):
    """Once: then the state has moved on."""
    (project / "stacks" / "lab.py").unlink()
    said = expiac("apply", saved, "--yes")
    assert (said.code, "2 to create" in said.out) == (0, True), said
    assert {one["status"] for one in _resources(expiac)} <= {"pending", "starting", "running"}
    again = expiac("apply", saved, "--yes")
    assert (again.code, "Stale plan" in again.err) == (1, True), again


def test_what_is_shown_is_what_was_planned(expiac, saved):
    planned = expiac("plan", *LAB, "--json").out
    assert expiac("show", saved, "--json").out == planned
    assert expiac("show", saved).out == expiac("plan", *LAB).out
    assert expiac("show", saved, "--verbose").out == expiac("plan", *LAB, "--verbose").out


def test_markdown_and_nothing_else(expiac, saved):
    """On stdout; a saved plan reads alike."""
    said = expiac("plan", *LAB, "--markdown", "--out", "other.plan")
    assert said.out.startswith("### `lab`: 2 to create\n\nOverrides: `seconds=60`, `jobs=2`\n\n| | name | what |\n")
    assert "Saved" not in said.out
    assert expiac("show", saved, "--markdown").out == said.out
    both = expiac("plan", *LAB, "--markdown", "--json")
    assert (both.code, json.loads(both.out)["code"]) == (64, "conflicting-options")


def test_json_and_a_file_at_once(expiac):
    """One document on stdout, and nothing else there."""
    assert json.loads(expiac("plan", *LAB, "--json", "--out", "lab.plan").out)["summary"]["create"] == 2
    assert expiac("show", "lab.plan").code == 0


def test_a_run_that_ended_since_is_not_stopped(expiac, project):
    """Its record has another status than the plan says."""
    program = project / "stacks" / "lab.py"
    gate = f"until test -e {project}/go; do sleep 0.1; done"
    program.write_text(program.read_text().replace("sleep {config.seconds}", gate))
    expiac("apply", "lab", "--yes")
    expiac("plan", "lab", "words=bye", "--out", "lab.plan")
    (project / "go").touch()
    expiac("apply", "lab", "--yes", "--wait")
    said = expiac("apply", "lab.plan", "--yes")
    assert (said.code, "when it was planned, and is succeeded" in said.err) == (1, True), said


def test_what_a_launch_takes_along_is_what_was_planned(expiac, project):
    """An edited data set is another run's."""
    program = project / "stacks" / "lab.py"
    mounted = 'workdir=None, file_mounts={"data.txt": "data.txt"}'
    program.write_text(program.read_text().replace("workdir=None", mounted))
    (project / "data.txt").write_text("1")
    expiac("plan", "lab", "--out", "lab.plan")
    (project / "data.txt").write_text("2")
    said = expiac("apply", "lab.plan", "--yes")
    assert (said.code, "file_mounts.data.txt" in said.err) == (1, True), said
    (project / "data.txt").write_text("1")
    assert expiac("apply", "lab.plan", "--yes").code == 0


@pytest.mark.parametrize("words", [
    ("seconds=2",), ("--retry",), ("--replace", "say_0"), ("--target", "say_0"), ("--no-refresh",)])
def test_a_saved_plan_takes_no_second_thoughts(expiac, saved, words):
    said = expiac("apply", saved, *words, "--yes")
    assert (said.code, "says it all" in said.err) == (64, True), said


def test_a_plan_of_another_state_is_refused(expiac, project, saved):
    """Of another checkout: the serial is the same."""
    shutil.rmtree(project / ".expiac")
    said = expiac("apply", saved, "--yes")
    assert (said.code, "Plan of another state" in said.err) == (1, True), said


@pytest.mark.parametrize(("text", "summary"), [
    ("{}", "Not a saved plan"), ('{"expiac_plan":1,"sha256":"0"}\n{}\n', "Plan was altered"),
    ('{"expiac_plan":9,"sha256":"0"}\n{}\n', "Plan of another release"),
])
def test_what_is_no_plan_is_refused(expiac, project, text, summary):
    (project / "odd.plan").write_text(text)
    said = expiac("show", "odd.plan")
    assert (said.code, summary in said.err) == (1, True), said


def test_a_plan_takes_the_place_of_a_plan_only(expiac, project, saved):
    """Not of a program, by a slip of the fingers."""
    assert expiac("plan", *LAB, "--out", saved).code == 0
    program = (project / "stacks" / "lab.py").read_text()
    said = expiac("plan", *LAB, "--out", "stacks/lab.py")
    assert (said.code, "is no saved plan" in said.err) == (1, True), said
    assert (project / "stacks" / "lab.py").read_text() == program


def _resources(expiac):
    return json.loads(expiac("status", "lab", "--json").out)["resources"]
