"""CONTRIBUTING says where things are, and they are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]*)+|[\w.-]+\.(?:md|py|toml)")


def section(title: str) -> str:
    """The text below a heading, up to the next one."""
    (text,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return text


def paths(text: str) -> list[str]:
    """What looks like a path of this repository, in backquotes."""
    return [word for word in re.findall(r"`([^`\n]+)`", text) if PATH.fullmatch(word)]


def tasks() -> list[str]:
    """The rows of "Where is what", without its two lines of heading."""
    return [line for line in section("Where is what").splitlines() if line.startswith("| ")][1:]


def test_every_path_exists():
    """In the whole page."""
    found = paths(TEXT)
    assert len(found) > 50
    assert [path for path in found if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("task", tasks(), ids=lambda row: row.split("|")[1].strip())
def test_a_task_names_what_to_touch_and_its_tests(task):
    """At least one file, and at least one of its tests."""
    are_tests = [path.startswith("tests/") for path in paths(task)]
    assert (False in are_tests, True in are_tests) == (True, True)


def test_there_are_ten_tasks():
    """Or more."""
    assert len(tasks()) >= 10


def test_the_picture_is_the_contract():
    """Its lines are the layers of pyproject.toml, in their order, with an arrow between each two."""
    (picture,) = re.findall(r"^```text\n(.*?)^```", section("The packages"), re.MULTILINE | re.DOTALL)
    drawn = [re.split(r"  +", line.strip())[0] for line in picture.splitlines()]
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = [one for one in settings["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    layers = [layer.replace(" : ", " · ") for layer in contract["layers"]]
    assert drawn[::2] == layers
    assert set(drawn[1::2]) == {"↓"}


def test_a_newcomer_reads_eight_files_at_most():
    """One file a line, in the order of the flow."""
    lines = [line for line in section("Reading order").splitlines() if re.match(r"\d+\. ", line)]
    assert 0 < len(lines) <= 8
    assert [len(paths(line)) for line in lines] == [1] * len(lines)
