"""`stacks`, `output`, and the commands that show every stack where none is named."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

VALID = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text("utf-8")))
STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Pair(ExperimentConfig):
    name: str = "pair"
    code: int = 0

def stack(config: Pair) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None)
    return Stack(config.name, [
        Job("make", run="echo 42 > answer.txt", skypilot=where, outputs={"answer": "answer.txt", "never": "never.txt"}),
        Job("end", run=f"exit {config.code}", skypilot=where)])
'''


@pytest.fixture
def pairs(project, expiac):
    """Two stacks of one file, of which one has a failed job; and a stack file that was never applied."""
    (project / "stacks" / "pair.py").write_text(STACK)
    assert expiac("apply", "pair", "--yes", "--wait").code == 0
    assert expiac("apply", "pair", "name=other", "code=3", "--yes", "--wait").code == 1
    return expiac


def document(said) -> Any:
    """The one document that a command printed, as the schema says."""
    value = json.loads(said.out)
    VALID.validate(value)
    return value


def test_stacks_are_listed_with_what_became_of_their_jobs(pairs):
    """Those with a state by name, then the files without one."""
    rows = [line.split() for line in pairs("stacks").out.splitlines()]
    assert [row[:-2] for row in rows[1:3]] == [["other", "stacks/pair.py", "1", "1"], ["pair", "stacks/pair.py", "2"]]
    assert rows[3] == ["-", "stacks/lab.py", "never"]
    found = document(pairs("stacks", "--json"))["stacks"]
    assert [(one["name"], one["live"], one["succeeded"], one["failed"], bool(one["applied_at"])) for one in found] == [
        ("other", 0, 1, 1, True), ("pair", 0, 2, 0, True), ("", 0, 0, 0, False)]


def test_a_state_whose_program_is_gone_is_marked(pairs, project):
    """It can still be destroyed."""
    (project / "stacks" / "pair.py").unlink()
    assert "stacks/pair.py (gone)" in pairs("stacks").out
    assert [one["has_program"] for one in document(pairs("stacks", "--json"))["stacks"]] == [False, False, True]


def test_a_project_without_stacks_says_so(expiac, project):
    (project / "stacks" / "lab.py").unlink()
    assert expiac("stacks").out == "no stack yet\n"


@pytest.mark.parametrize(("words", "key"), [
    (["status"], "resources"), (["history"], "approvals"), (["state", "list"], "records")])
def test_without_a_stack_all_are_shown(pairs, words, key):
    """Each below its name; as JSON, in one document."""
    lines = pairs(*words).out.splitlines()
    assert (lines[0], "pair" in lines) == ("other", True)
    found = document(pairs(*words, "--json"))["stacks"]
    assert [(one["stack"], bool(one[key])) for one in found] == [("other", True), ("pair", True)]
    assert "stacks" not in document(pairs(*words, "pair", "--json"))


def test_a_stack_that_cannot_be_read_hides_no_other(pairs, project):
    """It is an error all the same."""
    (project / ".expiac" / "other.jsonl").write_text("{}\n{}\n")
    for words in (["status"], ["stacks"]):
        said = pairs(*words)
        assert ("pair" in said.out, "Damaged state" in said.err) == (True, True), said
    said = pairs("status", "--json")
    shown, error = map(json.loads, said.out.splitlines())
    VALID.validate(shown)
    assert (said.code, [one["stack"] for one in shown["stacks"]], error["code"]) == (1, ["pair"], "stacks-not-read")
    found = document(pairs("stacks", "--json"))["stacks"]
    assert ["Damaged state" in one["error"] for one in found] == [True, False, False]


def test_outputs_as_a_table_and_as_json(pairs):
    """Those that the runs have left behind; a path is not broken in a pipe."""
    lines = pairs("output", "pair").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["job", "output"], ["make", "answer"]]
    (made,) = [one for one in document(pairs("output", "pair", "--json"))["outputs"] if one["outputs"]]
    assert (made["address"], made["status"], made["outputs"]["answer"]) == ("make", "succeeded", lines[1].split()[2])


def test_one_output_is_its_value_alone(pairs):
    """So that a script can use it."""
    said = pairs("output", "pair", "make", "answer")
    assert (said.code, said.err, Path(said.out.rstrip("\n")).read_text()) == (0, "", "42\n")
    assert document(pairs("output", "pair", "make", "answer", "--json"))["outputs"][0]["outputs"] == {
        "answer": said.out.rstrip("\n")}


def test_an_output_that_is_not_there_is_an_error(pairs):
    """Nothing on stdout that a script could take for a value."""
    said = pairs("output", "pair", "make", "never")
    assert (said.code, said.out, said.err.splitlines()[:2]) == (
        1, "", ["No such output", "  make (succeeded) has none called never"])
    said = pairs("output", "pair", "made")
    assert (said.code, "did you mean make?" in said.err) == (64, True)


def test_a_destroyed_run_keeps_its_outputs(pairs):
    """Where its job is named."""
    value = pairs("output", "pair", "make", "answer").out
    pairs("destroy", "pair", "--yes")
    assert pairs("output", "pair").out == "no outputs yet\n"
    assert pairs("output", "pair", "make", "answer").out == value


def test_a_stack_without_a_state_is_applied_first(pairs, project):
    """One that there is not is asked for by a name that is near, or listed."""
    (project / "stacks" / "fresh.py").write_text(STACK.replace('"pair"', '"fresh"'), encoding="utf-8")
    said = pairs("results", "fresh").err
    assert "fresh was never applied" in said
    assert "Hint: expiac apply fresh" in said
    assert "Hint: did you mean pair?" in pairs("results", "pairs").err
