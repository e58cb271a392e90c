"""What a verification of a manifest says: as lines of text, and as the document of `verify --json`. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from typing_extensions import TypedDict

from expiac.plan import formatting as inline
from expiac.review.changes import JobChange
from expiac.review.digests import SHOWN
from expiac.review.verification import Outcome, Verification, VerifiedJob, VerifiedRun
from expiac.state.status import Status
from expiac.view.parts import Absent, FormatVersion, Instance, Launch, Name, Names, Overrides, absent, or_null
from expiac.view.reviews import difference_lines
from expiac.view.show import FORMAT

_MOST_JOBS = 20
"""Of more jobs, only those that are not well are listed, unless all are asked for."""
_MOST_DIFFERENCES = 20
WORDS = {
    Outcome.AS_IN_MANIFEST: "ran as in the manifest",
    Outcome.OTHERWISE: "ran otherwise",
    Outcome.NOT_RECORDED: "not known",
    Outcome.NEVER: "never ran",
}


class VerifiedDifference(TypedDict):
    """A value that a run had otherwise than the manifest says. One that is not there is null, and named by `absent`."""

    file: Name
    path: Name
    """The key path of the value in the file."""
    before: Any
    """In the files of the manifest: any JSON value."""
    after: Any
    """In what is known of the run: any JSON value."""
    absent: Absent


class RunOfManifest(TypedDict):
    """A run of a job of the manifest."""

    address: Name
    """Where it stands, or stood."""
    instance: Instance
    launch: Launch
    status: Status
    archived: bool
    rendered: str | None
    """The digest that the journal recorded; null where it did not."""
    outcome: Outcome
    why: str
    """Empty where there is nothing to say."""
    files: Names
    """The files of the manifest that are known to have been others."""
    differences: Sequence[VerifiedDifference]
    """What they say otherwise."""


class JobOfManifest(TypedDict):
    """A job of the manifest."""

    address: Name
    digest: str
    outcome: Outcome
    runs: Sequence[RunOfManifest]


class VerificationDocument(TypedDict):
    """The document of `verify --json`."""

    format_version: FormatVersion
    stack: Name
    overrides: Overrides
    commit: str | None
    """From which the manifest was made; null where that is not known."""
    dirty: bool | None
    is_well: bool
    """Nothing ran otherwise or is unknown, and no file was altered."""
    verified: Sequence[JobOfManifest]
    altered: Names
    """Files that are not as the manifest says."""
    missing: Names
    """Files of the manifest that are not there."""
    others: Names
    """Present jobs of the stack that the manifest does not have."""


def document(found: Verification) -> VerificationDocument:
    """The verification as JSON values."""
    manifest = found.manifest
    return {
        "format_version": FORMAT, "stack": manifest.stack, "overrides": dict(manifest.overrides),
        "commit": manifest.commit, "dirty": manifest.dirty, "is_well": found.is_well,
        "verified": [{"address": job.job, "digest": job.digest, "outcome": job.outcome,
                      "runs": [_run(run) for run in job.runs]} for job in found.jobs],
        "altered": list(found.altered), "missing": list(found.missing), "others": list(found.others)}


def _run(run: VerifiedRun) -> RunOfManifest:
    record = run.record
    return {"address": record.address, "instance": record.run.instance, "launch": record.run.launch,
            "status": record.status, "archived": bool(record.ended_at), "rendered": run.digest or None,
            "outcome": run.outcome, "why": run.why,
            "files": [file.name for file in run.change.files] if run.change else [],
            "differences": list(_differences(run.change)) if run.change else []}


def _differences(change: JobChange) -> Iterator[VerifiedDifference]:
    for file, found in change.differences:
        for one in found:
            yield {"file": file.name, "path": one.path, "before": or_null(one.before), "after": or_null(one.after),
                   "absent": absent(one.before, one.after)}


def lines(found: Verification, width: int, *, every: bool = False) -> Iterator[str]:
    """Each job with its runs, the files that were altered, and a summary."""
    shown = found.jobs
    if len(shown) > _MOST_JOBS and not every:
        shown = tuple(job for job in shown if job.outcome not in (Outcome.AS_IN_MANIFEST, Outcome.NEVER))
    pad = max((len(job.job) for job in shown), default=0)
    told: dict[str, str] = {}
    for job in shown:
        yield from _job_lines(job, pad, width, told, every=every)
    for name in found.altered:
        yield f"! {inline.printable(name)} was altered since"
    for name in found.missing:
        yield f"! {inline.printable(name)} is not there any more"
    if found.others:
        more = f" and {len(found.others) - 4:,} more" if len(found.others) > 4 else ""
        yield f"not in the manifest: {inline.printable(', '.join(found.others[:4]))}{more}"
    yield summary(found)


def summary(found: Verification) -> str:
    """`lab: 3 jobs ran as in the manifest, 1 ran otherwise; 2 files altered`."""
    counts = Counter(job.outcome for job in found.jobs)
    told = ", ".join(f"{counts[outcome]:,} {words}" for outcome, words in WORDS.items() if counts[outcome])
    files = [f"{count:,} {'file' if count == 1 else 'files'} {what}"
             for count, what in ((len(found.altered), "altered"), (len(found.missing), "missing")) if count]
    return "; ".join([f"{inline.printable(found.manifest.stack)}: {told or 'no jobs'}", *files])


def _job_lines(job: VerifiedJob, pad: int, width: int, told: dict[str, str], *, every: bool) -> Iterator[str]:
    """The lines of a job; `told` has the likeness of each change that was told of, and the run."""
    name = inline.printable(job.job)
    if not job.runs:
        yield f"{name:<{pad}}   {WORDS[job.outcome]}"
    for run in job.runs:
        record = run.record
        from_ = f" (from {run.digest[:SHOWN]}, not {job.digest[:SHOWN]})" if run.digest not in ("", job.digest) else ""
        moved = f", now {inline.printable(record.address)}" if record.address != job.job else ""
        yield f"{name:<{pad}}   {WORDS[run.outcome]}: {inline.printable(record.run.instance)}{moved}{from_}"
        if run.why:
            yield f"  {run.why}"
        if run.change is not None and not every and run.change.likeness in told:
            yield f"  differs as {inline.printable(told[run.change.likeness])} does"
        elif run.change is not None:
            told[run.change.likeness] = record.run.instance
            yield from _change_lines(run.change, width, every=every)
        elif run.outcome is Outcome.OTHERWISE and not run.why:
            yield "  what was sent is gone, and so what it said"


def _change_lines(change: JobChange, width: int, *, every: bool) -> Iterator[str]:
    for file, found in change.differences:
        yield f"  {inline.printable(file.name)}"
        shown = found if every else found[:_MOST_DIFFERENCES]
        for one in shown:
            yield from difference_lines(one, None, width, every=every)
        if len(found) > len(shown):
            yield f"    and {len(found) - len(shown):,} more: --verbose"
    for file in change.files:
        if file.is_text_only:
            yield f"  {inline.printable(file.name)}: only its text differs, not what it says"
        elif file.before is None:
            yield f"  {inline.printable(file.name)}: sent, and not in the manifest"
