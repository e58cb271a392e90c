"""`--json`: each document and line is as `expiac/view/schema.json` says, and `docs/json.md` shows real ones."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from expiac.apply.events import Warned
from expiac.cli.events import JsonLines
from expiac.declare.fields import Kind
from expiac.declare.project import Project
from expiac.plan.model import Action
from expiac.providers.base import Id
from expiac.providers.ending import Releases
from expiac.providers.local import LocalProvider
from expiac.state.status import Status
from expiac.testing.memory import MemoryProvider
from expiac.util.errors import ExpiacError
from expiac.view import show

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "json.md").read_text()
EXAMPLES = re.findall(r"\n    expiac ([^\n]+)\n\n```json\n(.*?)```", PAGE, re.DOTALL)
SCHEMA = json.loads(files("expiac.view").joinpath("schema.json").read_text(encoding="utf-8"))
PARTS = SCHEMA["$defs"]
EVENTS = {PARTS[one["$ref"].removeprefix("#/$defs/")]["properties"]["event"]["const"]
          for one in PARTS["event"]["oneOf"]}
VALID = Draft202012Validator(SCHEMA)

LINE = {"format_version": 1, "at": "2026-01-02T03:04:05.678Z", "event": "step_began", "address": "ppo",
        "action": "create", "instance": "lab.ppo.0a1b2c3d", "launch": 1}

STORY = '''
from expiac import Stack
from expiac.testing import Run

class Holding(Run):
    def output_paths(self):
        return {"cluster": "cluster", "checkpoint": "latest.pt"}

def stack() -> Stack:
    base, refused = Holding("base"), Run("refused")
    return Stack("story", [base, refused, Run("tuned", config={"uri": base.output("checkpoint")}),
                           Run("orphan", config={"uri": refused.output("checkpoint")})])
'''
"""Of all that can happen, as much as one apply can hear."""


class Backend(MemoryProvider, Releases):
    """Its runs succeed at the first look; one is refused, and no cluster can be taken down."""

    def __init__(self, _root: Path) -> None:
        super().__init__(autofinish=True)
        self.fail("refused")

    def release(self, id: Id) -> None:
        raise ExpiacError("Not released", "the backend does not answer")


class StuckQueue(LocalProvider):
    """Nothing can be started."""

    @classmethod
    def for_project(cls, project: Project) -> StuckQueue:
        return cls(project.root, project.state_folder / "local")

    def advance_queue(self, ids: Sequence[Id]) -> None:
        raise ExpiacError("Not moved", "no room")


@pytest.fixture
def story(project):
    (project / "stacks" / "story.py").write_text(STORY)
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.expiac.providers]\nmemory = "test_json:Backend"\n')


@pytest.fixture
def small(project):
    """The stack of the page."""
    (block,) = re.findall(r"```python\n# stacks/small.py\n(.*?)```", PAGE, re.DOTALL)
    (project / "stacks" / "small.py").write_text(block)


def read(text: str) -> list[Any]:
    """One line of JSON after the other, each as the schema says; at least one."""
    values = [json.loads(line) for line in text.splitlines()]
    for value in values:
        VALID.validate(value)
    assert values
    return values


# ------------------------------------------------------------------------------------------------------ the schema

def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)
    assert PARTS["format_version"]["const"] == show.FORMAT


@pytest.mark.parametrize(("part", "words"), [
    ("action", Action), ("status", Status), ("kind", Kind)])
def test_schema_and_code_have_the_same_words(part, words):
    """An option is never compared, and so no change has that kind."""
    assert set(PARTS[part]["enum"]) == {word.value for word in words}


def test_a_line_that_is_none_is_refused():
    """An event of no known kind, a key too many, a key too few, a word or a form that is none."""
    VALID.validate(LINE)
    changes = [{"event": "step_danced"}, {"event": "stopping"}, {"more": 1}, {"format_version": 2}, {"at": "today"},
               {"action": "dance"}, {"instance": "ppo"}, {"launch": 0}]
    short = [{key: value for key, value in LINE.items() if key != left_out} for left_out in LINE]
    assert not [line for line in (*(LINE | change for change in changes), *short) if VALID.is_valid(line)]


# --------------------------------------------------------------------------------------------------------- streams

def test_every_event_is_as_the_schema_says(expiac, story):
    """A run that succeeds, one that waits for it, one that is refused, one that is given up; and a warning."""
    said = expiac("apply", "story", "--yes", "--wait", "--json")
    events = read(said.out)
    assert said.code == 1, said
    assert {event["event"] for event in events} == EVENTS - {"stopping", "search_left"}
    end, error = events[-2:]
    assert (error["event"], error["code"]) == ("error", "apply-incomplete")
    assert (end["is_well"], end["done"], end["failed"], end["skipped"]) == (
        False, ["base", "tuned"], ["refused"], ["orphan"])
    assert [event["error"]["code"] for event in events if event["event"] == "step_failed"] == ["backend-refused"]


@pytest.mark.parametrize(("words", "last"), [
    ("apply lab seconds=600 --yes --wait --json", ["stopping", "finished", "error"]),
    ("status lab --watch --json", ["seen", "finished"]),
])
def test_an_interrupt_is_an_event(project, expiac, words, last):
    """Two processes, one run: what waits for it is stopped, and says so in its last lines."""
    expiac("apply", "lab", "seconds=600", "--yes")
    process = subprocess.Popen([sys.executable, "-m", "expiac", *words.split()], cwd=project, text=True,
                               env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE)
    assert process.stdout is not None
    lines = []
    while '"status": "running"' not in "".join(lines[-1:]):
        lines.append(process.stdout.readline())
        assert lines[-1]
    process.send_signal(signal.SIGINT)
    events = read("".join(lines) + process.communicate(timeout=60)[0])
    assert process.returncode == 8
    assert [event["event"] for event in events[-len(last):]] == last
    end = events[last.index("finished") - len(last)]
    assert (end["interrupted"], end["is_well"]) == (True, False)


def test_an_interrupt_breaks_no_line():
    """A signal may come in the middle of a write: what it has to say follows, whole."""
    lines: list[str] = []

    def write(line: str) -> None:
        if not lines:
            reporter.on_stop()
        lines.append(line)

    reporter = JsonLines(write, now=lambda: "2026-01-02T03:04:05.678Z")
    for text in ("before", "after"):
        reporter.on_event(Warned(text))
        lines.append("--")
    assert [line if line == "--" else json.loads(line)["event"] for line in lines] == [
        "warned", "stopping", "--", "warned", "--"]


# ---------------------------------------------------------------------------------------------- commands and page

def test_every_command(expiac, small):
    """One document, or one event a line; each time as the schema says."""
    read(expiac("plan", "small", "--out", "small.plan", "--json").out)
    assert [step["deferred"] for step in read(expiac("show", "small.plan", "--json").out)[0]["steps"]] == [False, True]
    read(expiac("apply", "small.plan", "--yes", "--wait", "--json").out)
    replaced = read(expiac("apply", "small", "lr=0.2", "--yes", "--wait", "--json").out)
    assert {event["action"] for event in replaced if event["event"] == "step_ended"} == {"replace"}
    assert [one["progress"] is None for one in replaced[-1]["seen"]] == [False, True]
    for words in ("results", "results --archived --at best", "compare", "report"):
        read(expiac(*words.split(), "--json").out)
    for words in ("status --no-refresh", "refresh", "status --watch"):
        read(expiac(*words.split(), "--json").out)
    assert read(expiac("destroy", "--yes", "--json").out)[-1]["done"] == ["judge", "train"]
    assert read(expiac("status", "--json").out)[0]["resources"] == []


def test_a_warning_of_refresh_is_not_in_its_document(expiac, project):
    """It is on stderr: there is a document, and nothing else, on stdout."""
    expiac("apply", "lab", "seconds=600", "--yes")
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.expiac.providers]\nlocal = "test_json:StuckQueue"\n')
    said = expiac("refresh", "lab", "--json")
    assert len(read(said.out)) == 1
    assert "the queue of local was not moved on: Not moved: no room" in said.err


@pytest.mark.parametrize(("package", "file"), [
    ("tensorboard", "events.out.tfevents.1.host"), ("wandb", "offline-run-1/run-1.wandb")])
def test_a_status_names_the_package_that_its_metrics_need(expiac, project, monkeypatch, package, file):
    """Where it is not installed, in text and in JSON; that is no error."""
    for name in [name for name in sys.modules if name.startswith(f"{package}.")]:
        monkeypatch.delitem(sys.modules, name)  # which an earlier test has imported
    monkeypatch.setitem(sys.modules, package, None)
    run = f"mkdir -p $(dirname logs/{file}); touch logs/{file}"
    (project / "stacks" / "lab.py").write_text(
        "from expiac import Job, SkypilotJobConfig, Stack\n"
        f"fit = Job('fit', run={run!r}, skypilot=SkypilotJobConfig(workdir=None), outputs={{'metrics': 'logs'}})\n"
        "lab = Stack('lab', [fit])\n")
    said = expiac("apply", "lab", "--yes", "--wait", "--json")
    ((fit,),) = (event["seen"] for event in read(said.out) if event["event"] == "finished")
    assert (said.code, fit["progress"]) == (0, None)
    assert fit["note"] == f"{package} is not installed, so the metrics can't be read: pip install {package}"
    assert f"fit: {package} is not installed" in expiac("status").out


def test_the_page_shows_what_is_printed(expiac, small):
    """Its commands, one after the other, print its examples again; how fast a run goes is another matter."""
    assert len(EXAMPLES) == 5
    for words, example in EXAMPLES:
        said = read(expiac(*words.split()).out)
        shown = read(example if len(said) > 1 else json.dumps(json.loads(example)))
        assert _still(shown) == _still(said)


def test_the_page_has_every_event():
    assert set(re.findall(r"\n\| `(\w+)` \|", PAGE)) == EVENTS


def _still(values: list[Any]) -> list[Any]:
    """Without times and drawn names, and without what depends on the pace of a run."""
    kept = [value for value in values if value.get("event") not in ("seen", "step_ended")]
    text = re.sub(r"\b[0-9a-f]{8}\b|\b[0-9a-f]{32}\b|\d{4}-\d\d-\d\dT[\d:.]+Z", "…", json.dumps(kept))
    return json.loads(re.sub(r'seconds": [\d.]+', 'seconds": 1.0', text))


@pytest.mark.parametrize(("words", "code"), [
    ("plan nope", "no-such-stack"), ("plan lab jobs=many", "invalid-value"), ("plan lab job=1", "unknown-key"),
    ("apply lab", "consent-needed"), ("destroy nope --yes", "no-such-stack"), ("status nope", "no-such-stack"),
    ("status nope --watch", "no-such-stack"), ("refresh nope", "no-such-stack"), ("state list nope", "no-such-stack"),
    ("history nope", "no-such-stack"), ("diff a b", "no-such-run"), ("show nope", "no-such-run"),
    ("show nope.plan", "no-such-plan"),
    ("import nope a 1 --yes", "no-such-stack"), ("plan --nope", "usage-error"),
    ("apply lab words=fail --yes --wait", "run-failed")])
def test_an_error_is_the_last_line_of_every_command(expiac, words, code):
    said = expiac(*words.split(), "--json")
    last = read(said.out)[-1]
    assert said.code in (1, 64)
    assert (last["event"], last["code"]) == ("error", code)
    assert said.err.startswith(last["summary"])


def test_without_json_there_is_no_such_line(expiac):
    assert expiac("plan", "nope").out == ""
