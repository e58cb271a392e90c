"""`expiac report`: where it writes, what it refuses, and what it says of a package that is missing."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def applied(expiac, project) -> Path:
    """One run, without metrics, has succeeded."""
    assert expiac("apply", "lab", "--yes", "--wait").code == 0
    return project


def test_it_is_named_after_the_stack(expiac, applied):
    """In the present folder; the next one takes its place."""
    assert expiac("report", "lab").out == "Written: lab.html\n"
    assert expiac("report", "lab").code == 0
    assert b"Nothing to compare" in (applied / "lab.html").read_bytes()


def test_it_replaces_no_other_file(expiac, applied):
    """Unless it is told to; a notebook may have cells of yours."""
    (applied / "thesis.html").write_text("<p>years of work")
    said = expiac("report", "lab", "-o", "thesis.html")
    assert (said.code, "Already there" in said.err) == (1, True)
    assert (applied / "thesis.html").read_text() == "<p>years of work"
    assert expiac("report", "lab", "-o", "thesis.html", "--force").code == 0
    assert expiac("report", "lab", "--notebook", "lab.ipynb").out == "Written: lab.ipynb\n"
    assert not (applied / "lab.html").exists()
    assert "a notebook may have cells of yours" in expiac("report", "lab", "--notebook", "lab.ipynb").err


@pytest.mark.parametrize("place", ["stacks", "nowhere/report.html"])
def test_a_place_that_is_none_is_refused(expiac, applied, place):
    """Before anything is read."""
    said = expiac("report", "lab", "-o", place)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Report not written\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(expiac, applied):
    """Nothing of it is left there."""
    (applied / "closed").mkdir(mode=0o500)
    said = expiac("report", "lab", "-o", "closed/report.html")
    assert said.err.startswith("Report not written\n")
    assert list((applied / "closed").iterdir()) == []


def test_json_says_where_it_is(expiac, applied):
    """And nothing else is printed."""
    document = json.loads(expiac("report", "lab", "-o", "a.html", "--notebook", "a.ipynb", "--json").out)
    assert (document["page"], document["notebook"], document["url"]) == ("a.html", "a.ipynb", None)


def test_a_missing_package_is_named(expiac, applied, monkeypatch):
    """With the extra that brings it; nothing is written."""
    monkeypatch.setitem(sys.modules, "altair", None)
    said = expiac("report", "lab")
    assert said.err == ("Package for reports is missing\n  altair is not installed\n"
                        "  Hint: pip install 'expiac[report]'\n")
    assert not (applied / "lab.html").exists()


def test_flags_that_do_not_go_together(expiac, applied):
    """A server writes no file; a metric that is mistyped is refused."""
    assert expiac("report", "lab", "--serve", "-o", "a.html").code == 64
    assert expiac("report", "lab", "--at", "never").code == 64
    assert expiac("report", "lab", "--metric", "rewrd").code == 64
    assert expiac("report", "lab", "--port", "65536", "--serve").code == 64


def test_a_report_that_is_old_says_so(expiac, project):
    """Where no backend was asked and a run is live."""
    expiac("apply", "lab", "seconds=600", "--yes")
    assert expiac("report", "lab", "--no-refresh").code == 0
    assert "expiac refresh lab asks again" in (project / "lab.html").read_text()
