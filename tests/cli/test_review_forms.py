"""`expiac review --json`, `--markdown` and `--html`, and `expiac.api.review`."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from expiac import api
from expiac.util.errors import UsageError
from expiac.view import schema

WORDS = "words: str = \"hello\""


@pytest.fixture
def changed(project, expiac):
    """A project whose snapshots are accepted, and whose stack then says something else."""
    assert expiac("review", "--accept").code == 0
    stack = project / "stacks" / "lab.py"
    stack.write_text(stack.read_text().replace(WORDS, WORDS.replace("hello", "bye")), encoding="utf-8")
    return project


def test_json_is_one_document_and_writes_nothing(changed, expiac):
    said = expiac("review", "--json")
    found = json.loads(said.out)
    Draft202012Validator(schema.schema()).validate(found)
    (change,) = found["changes"]
    assert (said.code, found["is_clean"], change["job"], change["like"]) == (0, False, "say_0", 1)
    (file,) = change["files"]
    assert file["path"] == "snapshots/lab/say_0.task.yaml"
    assert (changed / file["path"]).is_file()
    assert [one["path"] for one in file["differences"]] == ["run"]


@pytest.mark.parametrize("form", [["--json"], ["--markdown"], ["--html", "page.html"]])
def test_with_check_the_exit_code_says_that_something_changed(form, changed, expiac):
    assert (expiac("review", *form).code, expiac("review", "--check", *form).code) == (0, 1)
    assert expiac("review", "--accept", *form).code == 0
    assert expiac("review", "--check", *form).code == 0


@pytest.mark.parametrize("form", [["--json"], ["--markdown"], ["--html", "page.html"]])
def test_what_cannot_be_rendered_is_an_error(form, changed, expiac):
    (changed / "stacks" / "lab.py").write_text("broken", encoding="utf-8")
    assert expiac("review", *form).code == 1


def test_markdown_is_all_that_is_printed(changed, expiac):
    said = expiac("review", "--markdown")
    assert said.out.startswith("### Review: 1 job changed; 0 as reviewed\n\n**1 job changed**: `lab`: `say_0`\n")


def test_a_page_is_written_and_replaces_an_earlier_one(changed, expiac):
    for _ in range(2):
        said = expiac("review", "--html", "page.html")
        assert (said.code, said.out) == (0, "Written: page.html\n")
    assert b"say_0" in (changed / "page.html").read_bytes()
    assert [path.name for path in changed.iterdir() if "page" in path.name] == ["page.html"]


def test_a_page_replaces_no_other_file_unless_it_is_told_to(changed, expiac):
    (changed / "page.html").write_text("mine", encoding="utf-8")
    said = expiac("review", "--html", "page.html")
    assert (said.code, (changed / "page.html").read_text(encoding="utf-8")) == (1, "mine")
    assert "Already there" in said.err
    assert expiac("review", "--html", "page.html", "--force").code == 0
    assert expiac("review", "--html", "nowhere/page.html").code == 1


def test_a_page_beside_a_document(changed, expiac):
    said = expiac("review", "--json", "--html", "page.html")
    assert json.loads(said.out)["changes"]
    assert (changed / "page.html").is_file()


def test_json_and_markdown_are_two_documents(project, expiac):
    assert expiac("review", "--json", "--markdown").code == 64


def test_the_api_returns_what_changed(changed, capfd):
    found = api.review()
    assert [(one.of.stack, one.job, one.kind.value) for one in found.changes] == [("lab", "say_0", "changed")]
    assert not found.is_clean
    assert api.review("lab", {"words": "hello"}).changes[0].of.name == "lab@words=hello"
    assert len(api.review(["lab"]).alike) == 1
    assert capfd.readouterr().out == ""


def test_the_api_refuses_overrides_without_one_stack(project):
    with pytest.raises(UsageError, match="Which stack"):
        api.review(overrides={"words": "hello"})


def test_where_only_the_ends_of_lines_differ_these_are_shown(project, expiac):
    expiac("review", "--accept")
    path = project / "snapshots" / "lab" / "say_0.task.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n", 1))
    out = expiac("review", "--verbose").out
    assert "only its text differs" in out
    assert any(line.startswith("-") and line.endswith("\\r") for line in out.splitlines()), out
