"""The policy that lets only those jobs be launched that were reviewed: as `expiac review` accepted them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from expiac.declare.override_words import command_line, words_of
from expiac.declare.project import Project
from expiac.plan import formatting
from expiac.plan.model import Plan
from expiac.policies.verdicts import Policy, Refuse, Warn
from expiac.review.changes import JobChange, Review, compare
from expiac.review.renderings import is_composed_elsewhere, reviewed_files
from expiac.review.reviewed import Reviewed, launched, sets_of_stack
from expiac.review.snapshots import Snapshots, SnapshotSet
from expiac.util.git import WHOLE_DIFF, git


def reviewed_snapshots(folder: str | bool = True) -> Policy:
    """Refuses to launch jobs whose rendered files and composed config are not committed as they are among the reviewed
    snapshots of their stack, under whatever overrides these were accepted.

    The snapshots are in the folder, or in that of the project. `expiac review STACK` writes them there.
    """

    def policy(plan: Plan, project: Project) -> Iterator[Warn | Refuse]:
        jobs = launched(plan) if folder is not False else {}
        if not jobs:
            return
        snapshots = Snapshots(project, None if folder is True else Path(str(folder)))
        reviewed = Reviewed(snapshots, sets_of_stack(snapshots, plan.stack), jobs)
        committed = _committed_files(project.root, snapshots.folder)
        changed: dict[str, Mapping[str, str]] = {}
        uncommitted: list[tuple[str, Path]] = []
        for address, want in jobs.items():
            if is_composed_elsewhere(want, project):
                yield Warn("its config is composed only where it runs: no snapshot shows the defaults", address)
            texts = reviewed_files(want, project, plan.stack)
            places = [[snapshots.folder / which.name / f"{address}.{name}" for name in texts]
                      for which in reviewed.sets_of(address, {name: text.encode() for name, text in texts.items()})]
            if not places:
                changed[address] = texts
            elif all(set(files) - committed for files in places):
                uncommitted.append((address, next(file for file in places[0] if file not in committed)))
        yield from _changed(plan, project, changed, reviewed, snapshots)
        yield from _uncommitted(uncommitted, snapshots)

    return policy


def _changed(plan: Plan, project: Project, rendered: Mapping[str, Mapping[str, str]], reviewed: Reviewed,
             snapshots: Snapshots) -> Iterator[Refuse]:
    """What was never accepted as it would be launched; jobs that changed alike are told of once."""
    which = _nearest(plan, snapshots)
    before = {f"{job}.{name}": content for job in rendered for name, content in reviewed.files(which, job).items()}
    changes, _ = compare(which, rendered, before)
    for alike in Review(tuple(changes)).alike:
        more = f", and of {_jobs(len(alike) - 1)} alike" if len(alike) > 1 else ""
        yield Refuse(f"{_difference(alike[0], snapshots)}{more}: {_review_command(plan, project, snapshots)}",
                     alike[0].job)


def _nearest(plan: Plan, snapshots: Snapshots) -> SnapshotSet:
    """The set with which to compare: that of the same overrides, or that of the stack alone."""
    own = SnapshotSet(plan.stack, tuple(words_of(plan.overrides)))
    return own if own in snapshots.sets() else SnapshotSet(plan.stack)


def _uncommitted(found: Sequence[tuple[str, Path]], snapshots: Snapshots) -> Iterator[Refuse]:
    if found:
        (address, file), *others = found
        shown = file.relative_to(snapshots.root) if file.is_relative_to(snapshots.root) else file
        more = f"; nor are files of {_jobs(len(others))}" if others else ""
        yield Refuse(f"{shown} is not committed, and so not reviewed{more}", address)


def _difference(change: JobChange, snapshots: Snapshots) -> str:
    """The first file of a job that differs, and in parentheses how."""
    file, found = next(iter(change.differences), (change.files[0], ()))
    path = snapshots.path(change.of, f"{change.job}.{file.name}")
    if found:
        values = f"{found[0].path}: {formatting.value(found[0].before)} → {formatting.value(found[0].after)}"
        how = f"{values}{f', and {len(found) - 1} more' if len(found) > 1 else ''}"
    elif file.before is None:
        how = "there is no such file"
    else:
        how = "it is not rendered any more" if file.after is None else "it reads otherwise"
    return f"{path} is not what would be launched ({how})"


def _review_command(plan: Plan, project: Project, snapshots: Snapshots) -> str:
    """The command that shows what changed and writes the snapshots, to be pasted."""
    command = command_line("review", plan.program or plan.stack, plan.overrides)
    if snapshots.folder == project.root / project.snapshots:
        return command
    folder = os.path.relpath(snapshots.folder, project.root)
    return f"{command}, with snapshots = {folder!r} in [tool.expiac]"


def _jobs(count: int) -> str:
    return f"{count:,} more {'job' if count == 1 else 'jobs'}"


def _committed_files(root: Path, folder: Path) -> set[Path]:
    """The files of a folder that stand in the last commit as they are here; none where git knows nothing of it."""
    within = os.path.relpath(folder, root)  # git refuses an absolute path that leads over a link
    # Both from the top of the repository, whatever the user's settings of git are: so they can be compared.
    tracked = git(root, "ls-files", "--full-name", "-z", "--", within)
    changed = git(root, *WHOLE_DIFF, "--name-only", "-z", "HEAD", "--", within)
    prefix = git(root, "rev-parse", "--show-prefix")
    if tracked is None or changed is None or prefix is None:
        return set()
    here = prefix.removesuffix(b"\n") or b"."
    return {root / os.fsdecode(os.path.relpath(name, here))
            for name in {*tracked.split(b"\0")} - {*changed.split(b"\0")} if name}
