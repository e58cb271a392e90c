"""Whether what ran is what a manifest says: by the digests that the journal recorded, and the files that were sent.

Pure. A job is judged by its present run, or by its last one where none is present; with `archived`, by every run that
ever stood there. Runs that have the digest of the manifest count wherever they stand now.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from expiac.declare.project import Project
from expiac.plan import history
from expiac.plan.history import PastRun
from expiac.plan.kinds import CONFIG
from expiac.review.changes import FileChange, JobChange, reading_order
from expiac.review.digests import file_digest
from expiac.review.manifest import JobManifest, Manifest
from expiac.review.renderings import COMPOSED_FILE, composed_text
from expiac.review.snapshots import SnapshotSet
from expiac.state.model import Record, State
from expiac.util.placeholders import INSTANCE

Sent = Callable[[Record], Mapping[str, bytes]]
"""Gives the files that were sent for the last launch of a run; none where they are gone."""


class Outcome(str, Enum):
    """What became of a run, or of a job."""

    AS_IN_MANIFEST = "as_in_manifest"
    OTHERWISE = "otherwise"
    NOT_RECORDED = "not_recorded"
    """It was launched by other means, or by a release that recorded no digests: nothing is proven."""
    NEVER = "never"
    """Of a job: no run of it is known."""


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """A run of a job of the manifest."""

    record: Record
    digest: str
    """What the journal recorded of its last launch; empty where it did not."""
    outcome: Outcome
    why: str = ""
    change: JobChange | None = None
    """How what is known of it differs from the files of the manifest; None where nothing does, or nothing is known."""


@dataclass(frozen=True, slots=True)
class VerifiedJob:
    """A job of the manifest."""

    job: str
    digest: str
    runs: tuple[VerifiedRun, ...]

    @property
    def outcome(self) -> Outcome:
        known = {run.outcome for run in self.runs}
        order = (Outcome.OTHERWISE, Outcome.NOT_RECORDED, Outcome.AS_IN_MANIFEST)
        return next((outcome for outcome in order if outcome in known), Outcome.NEVER)


@dataclass(frozen=True, slots=True)
class Verification:
    """All that there is to say of a manifest."""

    manifest: Manifest
    jobs: tuple[VerifiedJob, ...]
    altered: tuple[str, ...]
    """Files beside the manifest that are not as it says."""
    missing: tuple[str, ...]
    """Files that are not there."""
    others: tuple[str, ...]
    """Present jobs of the stack that the manifest does not have."""

    @property
    def is_well(self) -> bool:
        """Nothing ran otherwise or is unknown, and no file was altered."""
        bad = (Outcome.OTHERWISE, Outcome.NOT_RECORDED)
        return not (self.altered or self.missing) and not any(job.outcome in bad for job in self.jobs)


def verify(manifest: Manifest, files: Mapping[str, bytes], state: State | None, sent: Sent, project: Project, *,
           archived: bool = False) -> Verification:
    """Compares a manifest with the files that stand beside it, by name, and with the runs in the state of its stack."""
    hashes = manifest.files
    altered = [name for name in hashes if name in files and file_digest(files[name]) != hashes[name]]
    if not manifest.is_consistent:
        altered.append("manifest.json")
    whole = {name: content for name, content in files.items() if name in hashes and name not in altered}
    judge, runs = _Judge(manifest, whole, state, sent, project), _Runs(state, archived=archived)
    jobs = tuple(VerifiedJob(job, one.digest, tuple(judge.run(job, one, run) for run in runs.of(job, one)))
                 for job, one in manifest.jobs.items())
    others = tuple(sorted((state.records if state is not None else {}).keys() - manifest.jobs.keys()))
    return Verification(manifest, jobs, tuple(altered), tuple(name for name in hashes if name not in files), others)


class _Runs:
    """The runs of a stack by which a job is judged."""

    def __init__(self, state: State | None, *, archived: bool) -> None:
        self._archived = archived
        self._by_job: dict[str, list[PastRun]] = {}
        self._by_digest: dict[str, list[PastRun]] = {}
        for run in history.runs(state) if state is not None else ():
            self._by_job.setdefault(run.record.address, []).append(run)
            self._by_digest.setdefault(history.rendered_digest(run), []).append(run)

    def of(self, job: str, one: JobManifest) -> list[PastRun]:
        """Those with the digest of the manifest, wherever they stand; then those that stand at the job's address."""
        own = self._by_job.get(job, [])
        counted = own if self._archived else own[-1:]  # the present one comes last
        return [*(run for run in self._by_digest.get(one.digest, []) if run not in counted), *counted]


@dataclass(frozen=True, slots=True)
class _Judge:
    manifest: Manifest
    files: Mapping[str, bytes]
    """The files beside the manifest that are as it says."""
    state: State | None
    sent: Sent
    project: Project

    def run(self, job: str, one: JobManifest, past: PastRun) -> VerifiedRun:
        record, digest = past.record, history.rendered_digest(past)
        sent = {name: content.replace(record.run.instance.encode(), INSTANCE.encode())
                for name, content in self.sent(record).items()}
        if digest == one.digest:
            return self._launched_from_it(past, self._change(job, one, sent))
        known = {**sent, **self._recorded_config(job, one, record)}
        change = self._change(job, one, known, is_complete=bool(sent))
        if not digest:
            return VerifiedRun(record, "", Outcome.NOT_RECORDED, "the journal has no digest of its files", change)
        return VerifiedRun(record, digest, Outcome.OTHERWISE, "", change)

    def _launched_from_it(self, past: PastRun, change: JobChange | None) -> VerifiedRun:
        """A run whose last launch has the digest of the manifest; `change` is how the files that are kept differ."""
        record, digest = past.record, history.rendered_digest(past)
        if earlier := self._earlier_digests(past) - {digest}:
            why = f"an earlier launch of it was from {', '.join(sorted(other[:8] for other in earlier))}"
            return VerifiedRun(record, digest, Outcome.OTHERWISE, why, change)
        if change is not None:
            why = "the journal has the digest of the manifest, but the files that are kept of it differ"
            return VerifiedRun(record, digest, Outcome.OTHERWISE, why, change)
        return VerifiedRun(record, digest, Outcome.AS_IN_MANIFEST)

    def _earlier_digests(self, past: PastRun) -> set[str]:
        """What earlier approvals recorded of a run that was launched more than once."""
        if self.state is None or past.record.run.launch == 1:
            return set()
        return {approval.approved.rendered[past.record.run.instance] for approval in self.state.approvals
                if approval.serial <= past.record.approval and past.record.run.instance in approval.approved.rendered}

    def _recorded_config(self, job: str, one: JobManifest, record: Record) -> Mapping[str, bytes]:
        """The composed config of a run as its record has it: with tags and the like as they are now."""
        config = record.inputs.get(CONFIG)
        if COMPOSED_FILE not in one.files or not isinstance(config, Mapping):
            return {}
        return {COMPOSED_FILE: composed_text(config, job, self.project, self.manifest.stack).encode()}

    def _change(self, job: str, one: JobManifest, found: Mapping[str, bytes], *,
                is_complete: bool = True) -> JobChange | None:
        """How files that are known of a launch differ from those of the manifest; those that are gone tell nothing."""
        whole = {name: self.files[f"{job}.{name}"] for name in one.files if f"{job}.{name}" in self.files}
        names = sorted(whole.keys() & found.keys(), key=reading_order)
        changes = [FileChange(name, whole[name], found[name]) for name in names if whole[name] != found[name]]
        if is_complete:
            changes += [FileChange(name, None, found[name]) for name in sorted(found.keys() - one.files.keys())]
        return JobChange(SnapshotSet(self.manifest.stack), job, tuple(changes), is_whole=False) if changes else None
