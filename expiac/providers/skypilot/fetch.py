"""Brings an output of a launch here: from a mounted bucket, a shared folder, or a cluster of the launch's own.

The machine of a managed job is SkyPilot's own and goes with the job, so that what stands only there cannot be had.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from expiac.providers.base import Id
from expiac.providers.mounts import bucket_url
from expiac.providers.skypilot import buckets
from expiac.providers.skypilot.handle import Handle
from expiac.providers.skypilot.snapshot import documents
from expiac.providers.skypilot.statuses import other_place
from expiac.providers.skypilot.view import View
from expiac.util.copying import copy
from expiac.util.errors import ExpiacError
from expiac.util.timeout import TimedOut, run_within

_LASTING = "let data_dir be a shared folder, or one below a bucket under file_mounts, which outlive the machine"


def fetch(view: View, id: Id, path: str, target: Path, *, timeout: float) -> None:
    """Copies what an output of the launch names to `target`."""
    if "://" in path:
        _within(timeout, path, lambda: buckets.download(path, target))
        return
    if _is_shared(path, id):
        _within(timeout, path, lambda: copy(Path(path), target))
        return
    snapshot = view.snapshot(id)
    job = snapshot.job(id)
    if job is None:
        why = other_place(snapshot, id) or "SkyPilot knows the launch no more, and its machine is gone"
        raise ExpiacError("Output is gone", f"{path} of {id.instance}: {why}", _LASTING)
    if (url := _bucket_url(job.task, path)) is not None:
        _within(timeout, url, lambda: buckets.download(url, target))
    elif Handle.of(id).cluster is None:
        where = f"the machine of managed job {job.id}, to which SkyPilot gives no way, and which goes with the job"
        raise ExpiacError("Output out of reach", f"{path} of {id.instance} is on {where}", _LASTING)
    else:
        view.sky.pull(job.cluster, path, target, timeout=timeout)


def _is_shared(path: str, id: Id) -> bool:
    """Whether it is in a folder of the run's own that this machine has too, as on a shared file system."""
    return path.startswith("/") and id.instance in Path(path).parts and Path(path).exists()


def _bucket_url(task: str, path: str) -> str | None:
    """Where the path is in a bucket that the task mounts; None where it is in none."""
    urls = (bucket_url(path, document.get("file_mounts") or {}) for document in documents(task))
    return next((url for url in urls if url is not None), None)


def _within(seconds: float, what: str, call: Any) -> None:
    try:
        run_within(seconds, call, f"fetch {what}")
    except TimedOut as error:
        raise ExpiacError("Not fetched in time", f"{what}: {error}", "--timeout SECONDS") from error
    except OSError as error:
        raise ExpiacError("Not fetched", f"{what}: {error.strerror or error}") from error
