"""The environment of a job: a part of its submitter's, and the variables that SkyPilot promises."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from expiac.providers.local.folder import MARK, Launch
from expiac.providers.local.job import LocalJob
from expiac.util.encoding import path_text
from expiac.util.netrc_path import netrc_file

_KEPT = ("LANG", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TZ", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
         "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_KEPT_PREFIXES = ("LC_", "CONDA_")


def submitter_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The part of the submitter's environment that a job needs and that may stand on disk."""
    kept = {
        name: value for name, value in environ.items()
        if name in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
    path = environ.get("PATH", os.defpath)
    if (file := netrc_file(environ)) is not None:
        kept["NETRC"] = path_text(file)  # the job has another home, and W&B's client looks for its key there
    return {**kept, "PATH": os.pathsep.join((os.path.dirname(path_text(sys.executable)), path))}


def node_environment(
    job: LocalJob, launch: Launch, rank: int, gpus: Sequence[int], environ: Mapping[str, str],
) -> dict[str, str]:
    """Everything that setup and run see on one node; `gpus` are the whole job's, `environ` has its secrets."""
    mine = gpus[rank * job.gpus:(rank + 1) * job.gpus]
    addresses = "\n".join(["127.0.0.1"] * job.nodes)
    secrets = {name: environ[name] for name in job.secrets if name in environ}
    return {**job.env, **secrets,
        MARK: launch.mark(job),
        "HOME": path_text(launch.home),
        "CUDA_VISIBLE_DEVICES": ",".join(map(str, mine)),
        "SKYPILOT_NODE_RANK": str(rank), "SKYPILOT_SETUP_NODE_RANK": str(rank),
        "SKYPILOT_NODE_IPS": addresses, "SKYPILOT_SETUP_NODE_IPS": addresses,
        "SKYPILOT_NUM_NODES": str(job.nodes),
        "SKYPILOT_NUM_GPUS_PER_NODE": str(job.gpus),
        "SKYPILOT_TASK_ID": f"local-{job.instance}-{job.launch}",
        "SKYPILOT_DISABLE_USAGE_COLLECTION": "1",
    }  # fmt: skip
