"""What can go wrong with a tracker, in words a user can act on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from expiac.util.errors import ExpiacError, NoAccess, Unavailable


def no_wandb() -> ExpiacError:
    return ExpiacError("Missing package", "wandb is not installed, and it reads W&B's runs", "pip install wandb")


def unreadable(file: Path, error: OSError) -> ExpiacError:
    return ExpiacError("Unreadable W&B run", f"{file}: {error.strerror or error}",
                       "check that it is a file that you may read")


def no_such_run(id: str, where: str, notes: Sequence[str] = ()) -> ExpiacError:
    return ExpiacError("No such W&B run", "\n".join((f"no run {id} in {where}", *notes)),
                       "expiac.get_wandb_service().find_runs() lists the runs that are there")


def no_such_project(project: str) -> ExpiacError:
    return ExpiacError("No such W&B project", f"W&B has no project {project}, or you may not see it",
                       "WANDB_PROJECT and WANDB_ENTITY, or project= and entity=, choose another")


def no_such_file(artifact: str, name: str, where: str) -> ExpiacError:
    return ExpiacError("Artifact not there", f"{artifact}: {name} should be at {where}",
                       "W&B's client removes these files once it has uploaded them: read the artifact online")


def no_key(host: str) -> NoAccess:
    return NoAccess("No W&B key", f"WANDB_API_KEY is not set, and there is no key for {host} in ~/.netrc",
                    "wandb login, or online=False to read the folders of this machine")


def refused_key(host: str) -> NoAccess:
    return NoAccess("W&B refuses the key", f"{host} does not take this API key", "wandb login --relogin")


def no_answer(host: str, reason: str) -> Unavailable:
    return Unavailable("W&B does not answer", f"{host}: {reason}",
                       "try again, or online=False to read the folders of this machine")
