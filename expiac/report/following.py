"""Keeps the page of a stack fresh: looks at its state and its files, and makes it anew where they have changed."""

from __future__ import annotations

import hashlib
import json

from expiac.analysis.histories import default_source
from expiac.analysis.runs import runs_of
from expiac.apply.events import Silent
from expiac.declare.project import Project
from expiac.report.collect import collect
from expiac.report.model import Request
from expiac.report.page import page
from expiac.report.replays import newest_of
from expiac.report.server import PAUSE, Live
from expiac.session import Session


def follow(stack: str, request: Request, project: Project, *, refresh: bool, pause: float = PAUSE) -> Live:
    """The page of a stack, made anew when a status, a metrics file or a replay has changed."""
    def renew(shown: str) -> tuple[str, bytes | None]:
        with Session.open(stack, reporter=Silent(), declared=False, project=project) as session:
            session.status(refresh=refresh)
            version = _version(session, request)
            return version, None if version == shown else page(collect(session, request, asks=refresh), live=version)

    return Live(renew, pause=pause)


def _version(session: Session, request: Request) -> str:
    state = session.observed
    runs = runs_of(state, archived=request.archived)
    source = default_source(state, session.project, runs, session.providers, asks=False)
    records = [*(state.history if request.archived else ()), *state.records.values()]
    seen = [state.serial, [(run.instance, run.launch, run.status, run.seconds, source.version(run))
                           for run in runs],
            [newest_of(record) for record in records]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]
