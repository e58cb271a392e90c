"""`expiac state repair`: what the hint of a damaged state names, works."""

from __future__ import annotations


def test_a_damaged_state_is_cut_back_and_goes_on(project):
    """It says what is lost, keeps a copy, and the next plan reads what is left."""
    project.jobs(one="true")
    project.apply("small")
    file = project.journal()
    whole = file.read_bytes()
    file.write_bytes(whole[:-20] + b"?" + whole[-19:])
    assert project.expiac("plan", "small").returncode == 1
    assert "Declined" in project.expiac("state", "repair", "small").stderr
    done = project.expiac("state", "repair", "small", "--yes")
    assert done.returncode == 0, done.stderr
    assert "would be lost" in done.stdout
    assert project.expiac("plan", "small").returncode == 0
    assert "is whole" in project.expiac("state", "repair", "small").stdout
    assert len(list(file.parent.glob("small.jsonl.damaged-*"))) == 1
