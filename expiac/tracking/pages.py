"""The page of a run at W&B, from what lies on this machine: an upload of `expiac sync`, or the file of an online run.

Asks no server. An online run whose file names no entity has a page that is known once its log says whose it was.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from glob import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

from expiac.apply.metrics.run_names import run_names
from expiac.declare.project import Project
from expiac.providers.local.folder import RunFolder
from expiac.providers.outputs import metrics_in
from expiac.state.model import Record, State
from expiac.tracking.sync_record import uploaded_runs
from expiac.util.errors import ExpiacError
from expiac.util.wandb_login import PUBLIC, server_of_job

_APP = "https://wandb.ai"
_FINISHED = re.compile(rb"finishing run ([^/\s]+)/[^/\s]+/[^/\s]+")
_TAIL = 64 * 1024


def pages_of(state: State, project: Project) -> dict[str, str]:
    """The address of the page of each run that has one, by resource."""
    pages = {address: page_of(record, project) for address, record in state.records.items()}
    return {address: page for address, page in pages.items() if page}


def page_of(record: Record, project: Project, environ: Mapping[str, str] = os.environ) -> str:
    """The address of one run's page; empty where it has none that is known here."""
    uploaded = uploaded_runs(project, record.run.instance)
    if (own := uploaded.get(record.run.instance)) or len(uploaded) == 1:
        return (own or next(iter(uploaded.values()))).url
    files = _online_files(record, os.path.join(project.state_folder, "local"))
    newest = max(files, key=lambda file: file.parent.name, default=None)
    return _page(newest, _server(record, project, environ)) if newest is not None else ""


def server_of_page(page: str) -> str:
    """The address of the API of the server that has a page."""
    parts = urlsplit(page)
    app = f"{parts.scheme}://{parts.netloc}"
    return PUBLIC if app == _APP else app


def _online_files(record: Record, local: str) -> Iterator[Path]:
    """The files of an online run, where W&B puts them: a glance at a few folders, for `status` is asked often."""
    metrics, id = metrics_in(record.outputs), record.run.instance
    folders = [f"{local}/{id}/home/sky_workdir", f"{local}/{id}/home"]
    if metrics is not None and "://" not in metrics:
        folders += [metrics, os.path.dirname(metrics)]
    for folder in folders:
        if not os.path.isdir(os.path.join(folder, "wandb")):  # a pattern takes ten times as long
            continue
        with suppress(OSError):
            yield from Path(folder).glob(f"wandb/run-*-{escape(id)}/run-{escape(id)}.wandb")


def _page(file: Path, server: str) -> str:
    try:
        names = run_names(file)
    except ExpiacError:
        return ""
    entity = (names.entity or _entity_in_log(file.parent)) if names else ""
    if names is None or not (names.id and names.project and entity):
        return ""
    app = _APP if server == PUBLIC else server
    return f"{app}/{quote(entity, safe='')}/{quote(names.project, safe='')}/runs/{quote(names.id, safe='')}"


def _server(record: Record, project: Project, environ: Mapping[str, str]) -> str:
    """Where a run logs to: as its newest launch was told, whatever is set now; without its files, as one would be."""
    launches = RunFolder(project.state_folder / "local" / record.run.instance).launches()
    try:
        job = launches[-1].job() if launches else None
    except (ExpiacError, OSError):
        job = None
    server = server_of_job(record.inputs.get("envs") or {}, environ) if job is None else server_of_job(job.env, {})
    return server.rstrip("/")


def _entity_in_log(folder: Path) -> str:
    """Whose an ended run was, by the end of its client's log; empty where that does not say."""
    try:
        with (folder / "logs" / "debug.log").open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _TAIL))
            found = _FINISHED.findall(stream.read())
    except OSError:
        return ""
    return found[-1].decode("utf-8", "replace") if found else ""
