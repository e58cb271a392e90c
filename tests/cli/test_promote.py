"""`expiac promote`: the overrides of a run become the defaults of its stack's file, and nothing else changes."""

from __future__ import annotations

import json

import pytest

from expiac.declare.source_edit import NotEditable, with_defaults

STACK = '''
"""A stack with – signs of all sorts."""
from dataclasses import dataclass, field
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

@dataclass
class Optimizer:
    lr: float = 0.1
    name: str = "adam"

class Lab(ExperimentConfig):
    name: str = "lab"
    words: str = "hello"   # what is said
    doubled: int = 2 * 2
    optimizer: Optimizer = field(default_factory=lambda: Optimizer(lr=0.1))

def stack(config: Lab) -> Stack:
    said = f"{config.words} {config.optimizer.lr} {config.optimizer.name} {config.doubled}"
    return Stack(config.name, [Job("say", run=f"echo {said}", skypilot=SkypilotJobConfig(gpus=0, workdir=None))])
'''


@pytest.fixture
def lab(project, expiac):
    (project / "stacks" / "lab.py").write_text(STACK)
    return expiac


def test_the_overrides_become_the_defaults(lab, project):
    """A comment stays, a bare key is found in its part; the plan needs no overrides then."""
    assert lab("apply", "lab", "words=bye 'now'", "lr=0.5", "optimizer.name=sgd", "--yes", "--wait").code == 0
    said = lab("promote", "say", "--yes")
    assert said.code == 0, said
    assert [line for line in said.out.splitlines() if line.startswith(("+", "-"))] == [
        "--- a/stacks/lab.py", "+++ b/stacks/lab.py",
        '-    words: str = "hello"   # what is said', """+    words: str = "bye 'now'"   # what is said""",
        "-    optimizer: Optimizer = field(default_factory=lambda: Optimizer(lr=0.1))",
        "+    optimizer: Optimizer = field(default_factory=lambda: Optimizer(lr=0.5, name='sgd'))"]
    assert lab("plan", "lab", "--detailed-exitcode").code == 0
    assert len(list((project / "stacks").iterdir())) == 1 + (project / "stacks" / "__pycache__").exists()


def test_as_json(lab, project):
    """The patch that was applied; empty where there is nothing to change. It can't ask."""
    assert lab("apply", "lab", "words=bye", "--yes", "--wait").code == 0
    asked = lab("promote", "say", "--json")
    assert (asked.code, json.loads(asked.out)["code"], (project / "stacks" / "lab.py").read_text()) == (
        64, "consent-needed", STACK)
    said = json.loads(lab("promote", "say", "--json", "--yes").out)
    assert (said["stack"], said["address"], said["file"]) == ("lab", "say", "stacks/lab.py")
    assert "+    words: str = 'bye'" in said["patch"]
    assert "words: str = 'bye'" in (project / "stacks" / "lab.py").read_text()
    assert lab("plan", "lab", "--detailed-exitcode").code == 0


def test_without_consent_only_the_patch_is_shown(lab, project):
    assert lab("apply", "lab", "words=bye", "--yes", "--wait").code == 0
    said = lab("promote", "say")
    assert (said.code, "+    words: str = 'bye'" in said.out, (project / "stacks" / "lab.py").read_text()) == (
        64, True, STACK)


def test_a_run_with_the_defaults_changes_nothing(lab):
    assert lab("apply", "lab", "--yes", "--wait").code == 0
    assert lab("promote", "say", "--yes").out == "nothing to change: the run has the defaults\n"


@pytest.mark.parametrize(("override", "change", "why"), [
    ("doubled=5", lambda text: text, "its default is computed"),
    ("words=bye", lambda text: text.replace("echo", "printf"), "would not declare the run"),
])
def test_what_cannot_be_patched_is_said(lab, project, override, change, why):
    """A default that is computed, a file that declares something else by now: it stays as it is."""
    assert lab("apply", "lab", override, "--yes", "--wait").code == 0
    text = change((project / "stacks" / "lab.py").read_text())
    (project / "stacks" / "lab.py").write_text(text)
    said = lab("promote", "say", "--yes")
    assert (said.code, said.err.splitlines()[0], why in said.err, override in said.err) == (
        1, "Not to be patched", True, True), said
    assert (project / "stacks" / "lab.py").read_text() == text


SOURCE = "class A(B):\n    # é\n    x: int = 1; y: str = 'é'\n    t: T = T(\n        p=P(),\n        q=[1, 2],\n    )\n"


@pytest.mark.parametrize(("path", "value", "before", "after"), [
    ("x", 2, "= 1;", "= 2;"), ("y", "ü", "'é'\n", "'ü'\n"), ("t.q", [3], "[1, 2]", "[3]"),
    ("t.p.z", 0.5, "P()", "P(z=0.5)"), ("t.r", None, "[1, 2],", "[1, 2], r=None,"),
    ("gpus", 4, "    )\n", "    )\n    gpus: int = 4\n"),
])
def test_one_default_is_changed(path, value, before, after):
    """Every other byte stays."""
    assert with_defaults(SOURCE.encode(), "A", {path: value}).decode() == SOURCE.replace(before, after)


@pytest.mark.parametrize(("source", "values", "after"), [
    ("class A(B):\n\tx: int = 1  # x\n\t'what x is'\n\n\tdef f(self): ...\n", {"gpus": 4, "seed": 2},
     "class A(B):\n\tx: int = 1  # x\n\t'what x is'\n\tgpus: int = 4\n\tseed: int = 2\n\n\tdef f(self): ...\n"),
    ("class A(B):\r\n  x: int = 1; y: int = 2\r\n", {"gpus": 4},
     "class A(B):\r\n  x: int = 1; y: int = 2\r\n  gpus: int = 4\r\n"),
    ("class A(B):\n  t: T = T()", {"t.a": 1, "t.b": "é"}, "class A(B):\n  t: T = T(a=1, b='é')"),
    ("class A(B):\n  t: T = T((1))", {"t.a": 1}, "class A(B):\n  t: T = T((1), a=1)"),
])
def test_what_is_added_leaves_its_neighbours_alone(source, values, after):
    """A comment and a docstring stay with their field, tabs are tabs, and several are added at one place."""
    assert with_defaults(source.encode(), "A", values).decode() == after


def test_a_file_that_is_not_utf8_is_left_alone():
    with pytest.raises(NotEditable, match="not UTF-8"):
        with_defaults("# coding: latin-1\nclass A:\n    é: str = 'ü'\n".encode("latin-1"), "A", {"é": "a"})


def test_a_run_that_was_renamed_is_known_by_its_first_name(lab, project):
    """Under the overrides that launched it, another job has its present name."""
    text = STACK.replace('Job("say", run=f"echo {said}",', 'Job(f"say_{n}", run=f"echo {word}",').replace(
        "workdir=None))])", "workdir=None)) for n, word in enumerate(config.words.split())])")
    (project / "stacks" / "lab.py").write_text(text)
    assert lab("apply", "lab", "words=a b", "--yes", "--wait").code == 0
    assert lab("apply", "lab", "words=x a b", "--yes", "--wait").code == 0
    said = lab("promote", "lab/say_1", "--yes")
    assert (said.code, "+    words: str = 'a b'" in said.out) == (0, True), said


@pytest.mark.parametrize(("path", "value"), [
    ("x.y", 1), ("t.u.v", 1), ("other.z", 1), ("x", object()), ("x", float("inf"))])
def test_what_is_no_default_of_the_file(path, value):
    with pytest.raises(NotEditable):
        with_defaults(SOURCE.encode(), "A", {path: value})
