"""Whether what ran is what a manifest says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from expiac.declare.project import Project
from expiac.review.manifest import Manifest, jobs_of, read_manifest, text_of
from expiac.review.verification import Outcome, verify
from expiac.state.events import Approved, Run
from expiac.state.model import Approval, Record, State
from expiac.state.status import Status

RENDERED = {"a": {"task.yaml": "name: '@instance@'\nrun: true\n"}, "b": {"task.yaml": "run: false\n"}}
OTHERWISE = {"a": {"task.yaml": "name: '@instance@'\nrun: other\n"}}
MANIFEST = Manifest(stack="lab", overrides={}, commit=None, dirty=None, jobs=jobs_of(RENDERED))
FILES = {f"{job}.{name}": text.encode() for job, texts in RENDERED.items() for name, text in texts.items()}
OTHER_DIGEST = jobs_of(OTHERWISE)["a"].digest
DIGEST = MANIFEST.jobs["a"].digest


def record(job: str, number: int, approval: int, *, launch: int = 1, ended: str = "") -> Record:
    run = Run(f"lab.{job}.{number:08x}", "f", 0, launch)
    return Record(job, "job", "local", run, {}, status=Status.SUCCEEDED, approval=approval, ended_at=ended)


def approval(serial: int, **digests: str) -> Approval:
    return Approval(serial, "", Approved(rendered={f"lab.{name[0]}.{int(name[1:]):08x}": digest
                                                   for name, digest in digests.items()}))


def state(*records: Record, history: tuple[Record, ...] = (), approvals: tuple[Approval, ...] = ()) -> State:
    return State("lab", "0" * 32, 9, {one.address: one for one in records}, history, approvals)


def checked(known: State | None, *, files=FILES, sent=lambda record: {}, manifest=MANIFEST, archived=False):
    return verify(manifest, files, known, sent, Project(root=Path()), archived=archived)


def outcomes(found) -> dict[str, Outcome]:
    return {job.job: job.outcome for job in found.jobs}


def test_what_never_ran_is_no_fault():
    """With no state at all, and with one in which a job is missing."""
    assert outcomes(checked(None)) == {"a": Outcome.NEVER, "b": Outcome.NEVER}
    found = checked(state(record("a", 1, 1), approvals=(approval(1, a1=DIGEST),)))
    assert (outcomes(found), found.is_well) == ({"a": Outcome.AS_IN_MANIFEST, "b": Outcome.NEVER}, True)


def test_the_journal_proves_alone_that_a_run_was_another():
    """Nothing else is left of it."""
    found = checked(state(record("a", 1, 1), approvals=(approval(1, a1=OTHER_DIGEST),)))
    assert (outcomes(found)["a"], found.jobs[0].runs[0].change, found.is_well) == (Outcome.OTHERWISE, None, False)


def test_what_was_sent_says_how_it_was_another():
    """With the name of the run in place of the placeholder, which is no difference."""
    known = state(record("a", 1, 1), approvals=(approval(1, a1=OTHER_DIGEST),))
    sent = {"task.yaml": b"name: 'lab.a.00000001'\nrun: other\n", "more.yaml": b"x: 1\n"}
    (run,) = checked(known, sent=lambda record: sent).jobs[0].runs
    assert run.change is not None
    assert [(file.name, [(one.path, one.before, one.after) for one in file.differences])
            for file in run.change.files] == [("task.yaml", [("run", True, "other")]), ("more.yaml", [])]


def test_files_that_belie_the_journal_are_told():
    """The digest is that of the manifest, but the files that are kept are not."""
    known = state(record("a", 1, 1), approvals=(approval(1, a1=DIGEST),))
    fine = checked(known, sent=lambda record: {"task.yaml": b"name: 'lab.a.00000001'\nrun: true\n"})
    assert outcomes(fine)["a"] is Outcome.AS_IN_MANIFEST
    found = checked(known, sent=lambda record: {"task.yaml": b"name: 'lab.a.00000001'\nrun: other\n"})
    assert outcomes(found)["a"] is Outcome.OTHERWISE
    assert "but the files that are kept of it differ" in found.jobs[0].runs[0].why


def test_a_run_of_unknown_digest_proves_nothing():
    """An older release launched it, or somebody else."""
    found = checked(state(record("a", 1, 1), approvals=(approval(1),)))
    assert (outcomes(found)["a"], found.is_well) == (Outcome.NOT_RECORDED, False)


def test_the_present_run_counts_and_the_earlier_ones_if_asked_for():
    """An experiment has a past; the proof is of what stands there now."""
    earlier = record("a", 1, 1, ended="2026-01-01T12:00:00Z")
    approvals = (approval(1, a1=OTHER_DIGEST), approval(3, a2=DIGEST))
    known = state(record("a", 2, 3), history=(earlier,), approvals=approvals)
    assert outcomes(checked(known))["a"] is Outcome.AS_IN_MANIFEST
    assert outcomes(checked(known, archived=True))["a"] is Outcome.OTHERWISE
    gone = state(history=(earlier,), approvals=approvals)
    assert outcomes(checked(gone))["a"] is Outcome.OTHERWISE


def test_an_earlier_run_from_the_manifest_is_found_beside_the_present_one():
    approvals = (approval(1, a1=DIGEST), approval(3, a2=OTHER_DIGEST))
    known = state(record("a", 2, 3), history=(record("a", 1, 1, ended="x"),), approvals=approvals)
    assert [run.outcome for run in checked(known).jobs[0].runs] == [Outcome.AS_IN_MANIFEST, Outcome.OTHERWISE]


def test_a_run_that_has_another_name_now_is_found():
    """By its digest."""
    moved = replace(record("a", 1, 1), address="renamed")
    found = checked(state(moved, approvals=(approval(1, a1=DIGEST),)))
    assert (outcomes(found)["a"], found.others) == (Outcome.AS_IN_MANIFEST, ("renamed",))


def test_an_earlier_launch_of_the_same_run_counts():
    """A run that was moved went on from what another launch had trained."""
    approvals = (approval(1, a1=OTHER_DIGEST), approval(3, a1=DIGEST))
    found = checked(state(record("a", 1, 3, launch=2), approvals=approvals))
    assert outcomes(found)["a"] is Outcome.OTHERWISE
    assert f"an earlier launch of it was from {OTHER_DIGEST[:8]}" in found.jobs[0].runs[0].why
    never_launched = checked(state(record("a", 1, 3), approvals=approvals))
    assert outcomes(never_launched)["a"] is Outcome.AS_IN_MANIFEST


def test_altered_and_missing_files():
    """Beside the manifest."""
    found = checked(None, files={"a.task.yaml": FILES["a.task.yaml"] + b"\n"})
    assert (found.altered, found.missing, found.is_well) == (("a.task.yaml",), ("b.task.yaml",), False)


def test_a_manifest_that_contradicts_itself():
    """Somebody wrote another hash of a file into it."""
    jobs = dict(MANIFEST.jobs)
    jobs["a"] = replace(jobs["a"], files={"task.yaml": "0" * 64})
    found = checked(None, manifest=replace(MANIFEST, jobs=jobs))
    assert set(found.altered) == {"a.task.yaml", "manifest.json"}


@pytest.mark.parametrize("commit", [None, "abc"])
def test_a_manifest_is_read_as_it_was_written(tmp_path, commit):
    """From its file, or its folder."""
    written = replace(MANIFEST, commit=commit, overrides={"lr": "1e-3"})
    (tmp_path / "manifest.json").write_bytes(text_of(written))
    assert read_manifest(tmp_path) == read_manifest(tmp_path / "manifest.json") == written
