"""`expiac state …`, `history` and `diff`: what is recorded, seen and mended by hand; no backend is touched."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from expiac.providers.base import Id
from expiac.providers.local import LocalProvider

STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Pair(ExperimentConfig):
    name: str = "pair"
    words: str = "hello"
    last: str = "last"

def stack(config: Pair) -> Stack:
    where = SkypilotJobConfig(gpus=0, workdir=None)
    first = Job("first", run=f"mkdir -p out; echo {config.words} > out/r; sleep 300", skypilot=where,
                outputs={"r": "out/r"})
    return Stack(config.name, [first, Job(config.last, run="sleep 300", skypilot=where, depends_on=())])
'''


@pytest.fixture
def pair(project: Path, expiac):
    """A stack of two running jobs."""
    (project / "stacks" / "lab.py").unlink()
    (project / "stacks" / "pair.py").write_text(STACK)
    assert expiac("apply", "pair", "--yes").code == 0
    yield expiac
    expiac("destroy", "pair", "--yes")


def instances(expiac, *words: str) -> dict[str, str]:
    said = json.loads(expiac("state", "list", "pair", "--json", *words).out)
    return {record["address"]: record["run"]["instance"] for record in said["records"]}


def test_what_is_recorded_is_listed_and_shown(pair):
    """Also as JSON; one record whole."""
    assert set(instances(pair)) == {"first", "last"}
    assert instances(pair)["first"] in pair("state", "list", "pair").out
    record = json.loads(pair("state", "show", "pair", "first").out)
    assert (record["inputs"]["outputs"], record["run"]["launch"]) == ({"r": "out/r"}, 1)
    assert "did you mean first?" in pair("state", "show", "pair", "frist").err


def test_a_removed_record_leaves_its_run_alone(pair):
    """It stands in the history from then on, and the next apply makes a run of another name."""
    before = instances(pair)["first"]
    launch = Id(json.loads(pair("state", "list", "pair", "--json").out)["lineage"], before, 1)
    said = pair("state", "rm", "pair", "first", "--yes")
    assert (said.code, f"first   {before}" in said.out, "it goes on" in said.out) == (0, True, True)
    assert before in pair("state", "list", "pair", "--archived").out
    assert set(instances(pair)) == {"last"}
    assert pair("apply", "pair", "--yes").code == 0
    assert instances(pair)["first"] != before
    provider = LocalProvider(Path.cwd())
    assert provider.read_many([launch])[launch].status.is_live
    provider.delete(launch)  # nobody else will: that is what was asked for


def test_a_moved_record_keeps_its_run(pair):
    """With the name changed in the program too, nothing is left to do."""
    before = instances(pair)["last"]
    assert pair("state", "mv", "pair", "last", "final").code == 0
    assert instances(pair)["final"] == before
    assert "no changes" in pair("plan", "pair", "last=final").out


@pytest.mark.parametrize("words", [("state", "list", "pair"), ("history", "pair"), ("diff", "first", "last")])
def test_each_document_is_what_the_schema_says(pair, words):
    """As the page on JSON promises; a key too many is none of it."""
    validator = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text()))
    document = json.loads(pair(*words, "--json").out)
    validator.validate(document)
    assert not validator.is_valid({**document, "colour": "red"})


@pytest.mark.parametrize(("words", "what"), [
    (("mv", "pair", "first", "last"), "Address taken"),
    (("mv", "pair", "first", "a b"), "Invalid name"),
    (("mv", "pair", "nobody", "x"), "No such resource"),
    (("rm", "pair", "first", "nobody", "--yes"), "No such resource"),
    (("rm", "pair", "first"), "Consent needed"),
    (("push", "nowhere", "--yes"), "No such state"),
])
def test_what_makes_no_sense_changes_nothing(pair, project, words, what):
    """It is refused by name, and the file stays as it is."""
    before = (project / ".expiac" / "pair.jsonl").read_bytes()
    said = pair("state", *words)
    assert (said.code != 0, what in said.err) == (True, True), said
    assert (project / ".expiac" / "pair.jsonl").read_bytes() == before


def test_what_another_needs_is_not_removed_alone(pair, project):
    """The hint is the command that removes both."""
    text = (project / "stacks" / "pair.py").read_text()
    (project / "stacks" / "pair.py").write_text(text.replace("depends_on=()", 'depends_on=("first",)'))
    assert pair("apply", "pair", "--yes").code == 0
    assert "expiac state rm pair first last" in pair("state", "rm", "pair", "first", "--yes").err
    assert set(instances(pair)) == {"first", "last"}


def test_a_state_comes_back_as_it_was_pulled(pair, project):
    """A copy is kept of what stood there; an older one and a damaged one are refused."""
    (project / "pulled").write_text(pair("state", "pull", "pair").out)
    before = pair("state", "list", "pair", "--json").out
    said = pair("state", "push", "pulled", "--yes")
    assert (said.code, "pair.jsonl.before-" in said.out) == (0, True), said
    assert pair("state", "list", "pair", "--json").out == before
    assert pair("state", "mv", "pair", "last", "final").code == 0
    assert "Older state" in pair("state", "push", "pulled", "--yes").err
    assert pair("state", "push", "pulled", "--force", "--yes").code == 0
    assert pair("state", "list", "pair", "--json").out == before
    (project / "pulled").write_text((project / "pulled").read_text().replace("first", "frist"))
    assert "Not a pulled state" in pair("state", "push", "pulled", "--force", "--yes").err


def test_another_lineage_is_not_pushed_by_accident(pair, project):
    """It may be a colleague's."""
    (project / "pulled").write_text(pair("state", "pull", "pair").out)
    assert pair("destroy", "pair", "--yes").code == 0
    (project / ".expiac" / "pair.jsonl").unlink()
    (project / ".expiac" / "seed").unlink()
    assert pair("apply", "pair", "--yes").code == 0
    assert "State of another lineage" in pair("state", "push", "pulled", "--yes").err


def test_a_compacted_state_says_the_same(pair):
    """It happens by itself for large ones."""
    before = pair("state", "list", "pair", "--json").out, pair("history", "pair", "--json").out
    assert pair("state", "compact", "pair").code == 0
    assert (pair("state", "list", "pair", "--json").out, pair("history", "pair", "--json").out) == before


def test_the_history_says_who_applied_what(pair):
    """Newest first; one of them with its plan and what it launched, also after a compaction."""
    assert pair("apply", "pair", "words=bye", "--yes").code == 0
    assert pair("state", "compact", "pair").code == 0
    documents = json.loads(pair("history", "pair", "--json").out)["approvals"]
    assert [document["summary"]["create"] + document["summary"]["replace"] for document in documents] == [2, 1]
    assert documents[1]["overrides"] == {"words": "bye"}
    (step,) = documents[1]["steps"]
    assert (step["address"], step["action"]) == ("first", "replace")
    assert "echo hello" in step["changes"][0]
    assert documents[1]["launched"] == [instances(pair)["first"]]
    listed, last = pair("history", "pair").out, str(documents[1]["serial"])
    assert listed.index("words=bye") < listed.index("2 create")
    assert json.loads(pair("history", last, "--json").out)["approvals"] == documents[1:]
    shown = pair("history", last).out
    assert ("± first" in shown, instances(pair)["first"] in shown) == (True, True), shown
    assert f"known: {documents[0]['serial']}, {last}" in pair("history", "pair", "999").err


def test_two_runs_are_compared(pair):
    """By a name, or by the digits in it; the archived one too."""
    old = instances(pair)["first"]
    assert pair("apply", "pair", "words=bye", "--yes").code == 0
    said = pair("diff", old.rpartition(".")[2], "first")
    assert (said.code, "run: " in said.out, "echo hello" in said.out, "echo bye" in said.out) == (0, True, True, True)
    document = json.loads(pair("diff", old, "pair.first", "--json").out)
    assert [change["path"] for change in document["changes"]] == ["run"]
    assert "the same settings" in pair("diff", "first", "first").out
    assert "did you mean first?" in pair("diff", "first", "frist").err
