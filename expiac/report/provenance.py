"""From which code the runs of a report were launched: the commit, what was not committed, versions, settings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from expiac.declare.override_words import words_of
from expiac.plan import history
from expiac.report.model import Launches
from expiac.state.model import Approval, State

LARGEST_DIFF = 100_000
"""Characters of a diff that a page has at most."""
_NAME = re.compile(r"[0-9a-f]{16}")


def launches_of(state: State, instances: Iterable[str], folder: Path) -> tuple[Launches, ...]:
    """The approved plans by which these runs were launched, newest first; `folder` keeps the diffs."""
    wanted = {*instances}
    jobs: dict[int, list[str]] = {}
    approvals: dict[int, Approval] = {}
    for past in history.runs(state):
        if past.approval is not None and past.record.run.instance in wanted:
            jobs.setdefault(past.approval.serial, []).append(past.record.address)
            approvals[past.approval.serial] = past.approval
    return tuple(_launches(approvals[serial], jobs[serial], folder) for serial in sorted(jobs, reverse=True))


def time_text(at: str) -> str:
    """`2026-01-02 03:04 UTC`, of a time in ISO 8601."""
    return f"{at[:16].replace('T', ' ')} UTC" if at else ""


def _launches(approval: Approval, jobs: list[str], folder: Path) -> Launches:
    known = approval.approved.provenance
    tree = {True: "with changes that are not committed", False: "all committed"}.get(known.get("dirty", ""),
                                                                                   "not known")
    facts = [("applied", time_text(approval.at)), ("by", history.approver(approval)),
             ("commit", str(known.get("commit", "")) or "not known"), ("working tree", tree),
             *((name, str(known[name])) for name in ("python", "expiac", "code") if name in known),
             ("program", approval.approved.program), ("overrides", shlex.join(words_of(approval.approved.overrides)))]
    diff, note = _diff(str(known["diff"]), folder) if "diff" in known else ("", "")
    return Launches(approval.serial, tuple((name, value) for name, value in facts if value), tuple(jobs), diff, note)


def _diff(name: str, folder: Path) -> tuple[str, str]:
    """The diff, and what is missing of it."""
    if not _NAME.fullmatch(name):
        return "", "the name of its diff is not one of expiac's"
    try:
        with open(folder / f"{name}.diff", encoding="utf-8", errors="replace") as file:
            text = file.read(LARGEST_DIFF + 1)
    except OSError:
        return "", f"its diff, {name}.diff, is not on this machine"
    if len(text) <= LARGEST_DIFF:
        return text, ""
    return text[:LARGEST_DIFF], f"its first {LARGEST_DIFF:,} characters; {name}.diff has all"
