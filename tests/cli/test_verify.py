"""From an export over launches to the proof, on the command line; and what the plan says of the review."""

from __future__ import annotations

import json
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

VALID = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text(encoding="utf-8")))


@pytest.fixture
def exported(project, expiac):
    """The export of two jobs, which then ran as they are in it."""
    assert expiac("render", "lab", "jobs=2", "--out", "out").code == 0
    assert expiac("apply", "lab", "jobs=2", "--yes", "--wait").code == 0
    return project / "out"


def test_what_ran_as_in_the_manifest(exported, expiac):
    """Without any review: the journal has the digest of each launch."""
    said = expiac("verify", "out/manifest.json")
    assert (said.code, said.out.splitlines()[-1]) == (0, "lab: 2 ran as in the manifest")
    assert said.out.splitlines()[0].startswith("say_0   ran as in the manifest: lab.say_0.")
    document = json.loads(expiac("verify", "out", "--json").out)
    assert document["is_well"] is True
    assert [job["outcome"] for job in document["verified"]] == ["as_in_manifest"] * 2


def test_what_ran_otherwise(exported, expiac):
    """With how, as long as the folder of the run is there; then by the journal alone."""
    assert expiac("apply", "lab", "jobs=2", "words=bye", "--yes", "--wait").code == 0
    said = expiac("verify", "out")
    assert (said.code, "lab: 2 ran otherwise" in said.out) == (1, True)
    assert "    run: sleep 0; echo hello 0; test hello != fail → sleep 0; echo bye 0; test bye != fail" in said.out
    document = json.loads(expiac("verify", "out", "--json").out)
    VALID.validate(document)
    (different,) = document["verified"][0]["runs"][1]["differences"]
    assert (different["file"], different["path"], different["absent"]) == ("task.yaml", "run", None)
    assert expiac("destroy", "lab", "--yes").code == 0
    assert expiac("prune", "lab", "--yes").code == 0
    said = expiac("verify", "out")
    assert (said.code, "what was sent is gone" in said.out) == (1, True)


def test_what_was_altered_since(exported, expiac):
    (exported / "say_0.task.yaml").write_text("run: other\n")
    (exported / "say_1.task.yaml").unlink()
    said = expiac("verify", "out")
    assert said.code == 1
    assert "! say_0.task.yaml was altered since\n! say_1.task.yaml is not there any more" in said.out
    assert said.out.splitlines()[-1] == "lab: 2 ran as in the manifest; 1 file altered; 1 file missing"


def test_what_never_ran(project, expiac):
    """A stack without a state."""
    assert expiac("render", "lab", "--out", "out").code == 0
    said = expiac("verify", "out")
    assert (said.code, said.out.splitlines()) == (0, ["say_0   never ran", "lab: 1 never ran"])


def test_no_manifest(project, expiac):
    said = expiac("verify", "nowhere")
    assert (said.code, "No such manifest\n  nowhere: No such file or directory" in said.err) == (1, True)


def test_a_plan_says_what_was_not_reviewed(project, expiac):
    """As text, markdown and JSON; nothing where nobody reviews the stack."""
    assert "reviewed" not in expiac("plan", "lab").out
    assert expiac("review", "lab", "--accept").code == 0
    assert "reviewed" not in expiac("plan", "lab").out
    text = expiac("plan", "lab", "jobs=3").out
    assert "not reviewed: say_1, say_2; expiac review stacks/lab.py jobs=3" in text
    assert "3 to create (2 not reviewed)" in text
    assert "3 to create (2 not reviewed)" in expiac("plan", "lab", "jobs=3", "--markdown").out
    document = json.loads(expiac("plan", "lab", "jobs=3", "--json").out)
    VALID.validate(document)
    steps = document["steps"]
    assert [bool(step["reviewed"]) for step in steps] == [True, False, False]


def test_reviewed_only(project, expiac):
    """Of a plan, of an apply, and of a saved plan; nothing is launched."""
    assert expiac("plan", "lab", "--out", "lab.plan").code == 0
    for words in (("plan", "lab"), ("apply", "lab", "--yes"), ("apply", "lab.plan", "--yes")):
        said = expiac(*words, "--reviewed-only")
        assert (said.code, "Not reviewed\n  say_0: what would be launched was not accepted" in said.err) == (1, True)
        assert "Hint: expiac review stacks/lab.py" in said.err
    assert not (project / ".expiac" / "lab.jsonl").exists()
    assert expiac("review", "lab", "--accept").code == 0
    assert expiac("apply", "lab.plan", "--yes", "--wait", "--reviewed-only").code == 0


def test_the_history_says_what_was_reviewed(project, expiac):
    """Of each launch, and so does `show`."""
    assert expiac("review", "lab", "--accept").code == 0
    assert expiac("apply", "lab", "jobs=2", "--yes", "--wait").code == 0
    text = expiac("history", "lab", "1").out
    whole = json.loads(expiac("history", "lab", "1", "--json").out)
    VALID.validate(whole)
    (document,) = whole["approvals"]
    first, second = document["launched"]
    assert f"  {first}   succeeded   reviewed {document['rendered'][first][:8]}\n" in text
    assert f"  {second}   succeeded   not reviewed\n" in text
    assert document["reviewed"] == {first: document["rendered"][first], second: None}
    assert f"reviewed {document['rendered'][first][:8]} (lab)" in expiac("show", "say_0").out
    assert "not reviewed" in expiac("show", "say_1").out
    run = json.loads(expiac("show", "say_1", "--json").out)["run"]
    assert (run["rendered"], run["reviewed"]) == (document["rendered"][second], None)


def test_a_stack_that_nobody_reviews_has_a_history_without_it(project, expiac):
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    assert "reviewed" not in expiac("history", "lab", "1").out + expiac("show", "say_0").out
