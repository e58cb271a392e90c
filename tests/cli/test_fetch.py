"""`expiac fetch`: an output of a run comes here whole, and writes over nothing."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from expiac.apply.events import Silent
from expiac.apply.fetch import fetch
from expiac.providers.base import Fetches
from expiac.session import Session
from expiac.util.errors import ExpiacError

VALID = Draft202012Validator(json.loads(files("expiac.view").joinpath("schema.json").read_text("utf-8")))
STACK = '''
from expiac import ExperimentConfig, Job, SkypilotJobConfig, Stack

class Make(ExperimentConfig):
    name: str = "make"
    seconds: int = 0

def stack(config: Make) -> Stack:
    run = f"mkdir -p out/in; echo 42 > out/in/r; ln -s in/r out/latest; sleep {config.seconds}"
    return Stack(config.name, [Job("job", run=run, skypilot=SkypilotJobConfig(gpus=0, workdir=None),
                                   outputs={"file": "out/in/r", "folder": "out", "link": "out/latest"})])
'''


@pytest.fixture
def made(project, expiac):
    (project / "stacks" / "make.py").write_text(STACK)
    assert expiac("apply", "make", "--yes", "--wait").code == 0
    return expiac


@pytest.mark.parametrize(("words", "copy"), [
    ((), "r"), (("mine",), "mine"), (("there",), "there/r"), (("there/mine",), "there/mine")])
def test_a_file_comes_under_its_own_name_or_yours(made, project, words, copy):
    """Into a folder that is there; nothing else is left behind."""
    (project / "there").mkdir()
    before = {*project.rglob("*")}
    said = made("fetch", "make", "job", "file", *words)
    assert (said.code, said.out, said.err) == (0, f"{copy}\n", "")
    assert (project / copy).read_text() == "42\n"
    new = {path for path in {*project.rglob("*")} - before if ".expiac" not in path.parts}
    assert new == {project / copy}


def test_a_folder_comes_with_all_that_is_in_it(made, project):
    """A link in it stays a link; one that is itself the output is followed."""
    assert made("fetch", "make", "job", "folder").out == "out\n"
    assert ((project / "out/in/r").read_text(), (project / "out/latest").readlink()) == ("42\n", Path("in/r"))
    made("fetch", "make", "job", "link")
    assert (project / "latest").is_file()
    assert not (project / "latest").is_symlink()


def test_what_is_there_is_replaced_only_by_force(made, project):
    """And as a whole: a folder is not mixed with the one before."""
    (project / "r").write_text("mine")
    (project / "out").mkdir()
    (project / "out" / "mine").write_text("mine")
    for output in ("file", "folder"):
        said = made("fetch", "make", "job", output)
        assert (said.code, said.out, said.err.splitlines()[0]) == (1, "", "Already there")
        assert (project / "out" / "mine").exists()
    for output in ("file", "folder"):
        assert made("fetch", "make", "job", output, "--force").code == 0
    assert (project / "r").read_text() == "42\n"
    assert sorted(path.name for path in (project / "out").iterdir()) == ["in", "latest"]
    assert [path.name for path in project.iterdir() if path.name.endswith((".part", ".before"))] == []


def test_what_cannot_be_fetched_says_why(made, project):
    """A misspelt output, a folder that is not there, and a file that was removed."""
    assert "did you mean file?" in made("fetch", "make", "job", "fil").err
    assert "mkdir -p" in made("fetch", "make", "job", "file", "no/where").err
    Path(made("output", "make", "job", "file").out.strip()).unlink()
    said = made("fetch", "make", "job", "file", "copy")
    assert (said.code, said.err.splitlines()[0]) == (1, "Output is gone")
    assert not (project / "copy").exists()


def test_a_running_job_may_still_write(project, expiac):
    """So you are told."""
    (project / "stacks" / "make.py").write_text(STACK)
    assert expiac("apply", "make", "seconds=600", "--yes").code == 0
    while expiac("output", "make", "job", "link").code:
        pass
    said = expiac("fetch", "make", "job", "file")
    assert (said.code, said.out, "may still change" in said.err) == (0, "r\n", True), said
    expiac("destroy", "make", "--yes")


def test_the_document_says_where_the_copy_is(made, project):
    document = json.loads(made("fetch", "make", "job", "file", "--json").out)
    VALID.validate(document)
    assert document["fetched"]["path"] == str(project / "r")


class Breaks(Fetches):
    """Its connection breaks in the middle."""

    def fetch(self, id, path, target, *, timeout):
        target.mkdir()
        (target / "half").write_text("half")
        raise ExpiacError("Not fetched", "the connection broke")


def test_half_a_copy_never_has_the_final_name(made, project):
    """Nor is it left behind, and what stood there stays."""
    (project / "copy").write_text("mine")
    with Session.open("make", reporter=Silent(), declared=False) as session:
        (record,) = session.state.records.values()
        with pytest.raises(ExpiacError, match="the connection broke"):
            fetch(record, session.state.lineage, Breaks(), "folder", Path("copy/"), force=True, timeout=1)
        with pytest.raises(ExpiacError, match="the connection broke"):
            fetch(record, session.state.lineage, Breaks(), "folder", Path("other"), force=False, timeout=1)
    assert (project / "copy").read_text() == "mine"
    assert not [path for path in project.iterdir() if "part" in path.name or path.name == "other"]


def test_a_provider_without_files_says_so(made):
    with Session.open("make", reporter=Silent(), declared=False) as session:
        (record,) = session.state.records.values()
        with pytest.raises(ExpiacError, match="local cannot bring"):
            fetch(record, session.state.lineage, object(), "file", None, force=False, timeout=1)
