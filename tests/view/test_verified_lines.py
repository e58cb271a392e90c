"""What a verification and a plan with steps that nobody reviewed look like."""

from __future__ import annotations

from plans import new, plan

from expiac.review.changes import FileChange, JobChange
from expiac.review.manifest import Manifest, jobs_of
from expiac.review.snapshots import SnapshotSet
from expiac.review.verification import Outcome, Verification, VerifiedJob, VerifiedRun
from expiac.state.events import Run
from expiac.state.model import Record
from expiac.view import show
from expiac.view.markdown import markdown
from expiac.view.verified import lines

MANIFEST = Manifest(stack="lab", overrides={}, commit=None, dirty=None, jobs=jobs_of({}))


def job(name: str, outcome: Outcome, after: bytes | None = None) -> VerifiedJob:
    record = Record(name, "job", "local", Run(f"lab.{name}.0a1b2c3d", "f", 0, 1), {})
    files = (FileChange("config.yaml", b"lr: 0.1\n", after),)
    change = None if after is None else JobChange(SnapshotSet("lab"), name, files, is_whole=False)
    return VerifiedJob(name, "1" * 64, (VerifiedRun(record, "2" * 64, outcome, "", change),))


def shown(*jobs: VerifiedJob, **how: bool) -> list[str]:
    return list(lines(Verification(MANIFEST, jobs, (), (), ()), 80, **how))


def test_the_same_difference_is_told_once():
    same = [job(name, Outcome.OTHERWISE, b"lr: 0.2\n") for name in "ab"]
    assert shown(*same) == [
        "a   ran otherwise: lab.a.0a1b2c3d (from 22222222, not 11111111)",
        "  config.yaml",
        "    lr: 0.1 → 0.2",
        "b   ran otherwise: lab.b.0a1b2c3d (from 22222222, not 11111111)",
        "  differs as lab.a.0a1b2c3d does",
        "lab: 2 ran otherwise",
    ]
    assert len([line for line in shown(*same, every=True) if "0.1 → 0.2" in line]) == 2


def test_of_many_jobs_only_those_are_listed_that_are_not_well():
    """All of them, if asked for."""
    well = [job(f"job_{number}", Outcome.AS_IN_MANIFEST) for number in range(30)]
    bad = job("bad", Outcome.OTHERWISE)
    assert shown(*well, bad) == [
        "bad   ran otherwise: lab.bad.0a1b2c3d (from 22222222, not 11111111)",
        "  what was sent is gone, and so what it said",
        "lab: 30 ran as in the manifest, 1 ran otherwise",
    ]
    assert len(shown(*well, bad, every=True)) == 33


def test_a_name_obeys_nothing_on_a_terminal():
    assert "\x1b" not in "".join(shown(job("a\x1b[2J", Outcome.OTHERWISE, b"lr: '\\e[2J'\n")))


def test_many_that_nobody_reviewed_are_counted():
    """A few are named, and the command shows the others."""
    steps = [new(f"job_{number}", {"lr": number}) for number in range(1000)]
    unreviewed = plan(*steps, program="stacks/lab.py", overrides={"gpus": "4"},
                      reviewed={step.address: "" for step in steps} | {"job_0": "1" * 64})
    text = show.text(unreviewed, 120)
    names = "job_1, job_2, job_3, job_4, job_5, job_6 and 993 more"
    assert f"not reviewed: {names}; expiac review stacks/lab.py gpus=4" in text
    assert "1000 to create (999 not reviewed)" in text
    assert "1000 to create (999 not reviewed)" in markdown(unreviewed).replace("\\", "")
    document = show.document(unreviewed)
    assert [step["reviewed"] for step in document["steps"][:2]] == ["1" * 64, None]


def test_nothing_is_said_where_nobody_reviews():
    assert "reviewed" not in show.text(plan(new("a", {})), 120)
