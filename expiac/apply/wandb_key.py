"""Whether a job whose Weights & Biases run is online will have a key. Reads variables and netrc; asks nobody.

A key reaches a job by its variables or secrets, or by a `.netrc` that it mounts. A job on this machine has its user's
`.netrc` too, and the user's `WANDB_API_KEY`, which is then a secret of the job.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from expiac.declare.resource import texts_in
from expiac.plan.kinds import CONFIG
from expiac.plan.model import Desired, Plan
from expiac.providers.registry import LOCAL, SKYPILOT
from expiac.util.errors import ExpiacError
from expiac.util.wandb_login import netrc_key, server_of_job

KEY = "WANDB_API_KEY"
_KEYS = (KEY, "WANDB_IDENTITY_TOKEN_FILE")


def check_keys(plan: Plan, environ: Mapping[str, str] = os.environ) -> Plan:
    """The plan, with a warning for each job with an online W&B run that its own settings give no key.

    Raises `ExpiacError` where there is no key at all for a job that the plan launches.
    """
    launched = [step.desired for step in plan.steps if step.action.launches and not step.adopts]
    lacking = [want for want in launched if want is not None and _needs_key(want) and not _has_own_key(want)]
    for want in lacking:
        address = server(want, environ)
        if not user_has_key(address, environ):
            why = "its W&B run is online" if is_online(want) else "it begins with a policy from W&B"
            raise ExpiacError("No W&B key", f"{want.address}: {why}, and there is no key for {address}",
                              "wandb login, or log offline (training.wandb=offline) and use expiac sync")
    unsure = tuple(f"{want.address} uses W&B online, and no key is among its envs, secrets or file_mounts: "
                   f'secrets=["{KEY}"], unless its machine has one' for want in lacking if want.provider == SKYPILOT)
    return replace(plan, warnings=(*plan.warnings, *unsure)) if unsure else plan


def is_online(want: Desired) -> bool:
    """Whether a job says that its W&B run is online: by its variable `WANDB_MODE`, else by `wandb.mode` of its config.

    A job that says neither may not use W&B at all.
    """
    if mode := _variables(want).get("WANDB_MODE"):
        return bool(mode == "online")
    wandb = (want.inputs.get(CONFIG) or {}).get("wandb")
    return isinstance(wandb, Mapping) and wandb.get("mode") == "online"


def secrets_of(want: Desired, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The names of the user's variables that a job on this machine gets besides its own."""
    is_without = want.provider == LOCAL and _needs_key(want) and not _has_own_key(want)
    return (KEY,) if is_without and environ.get(KEY) else ()


def server(want: Desired, environ: Mapping[str, str] = os.environ) -> str:
    """The address of the W&B server that a job logs to."""
    return server_of_job({**want.env, **_variables(want)}, environ)


def user_has_key(address: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this user has a key for the server: a variable, or an entry in netrc, where `wandb login` puts it."""
    return bool(any(environ.get(name) for name in _KEYS) or netrc_key(address, environ))


def _needs_key(want: Desired) -> bool:
    return is_online(want) or any(_is_artifact(text) for text in texts_in(want.inputs.get(CONFIG)))


def _is_artifact(text: str) -> bool:
    return text.startswith("wandb://")


def _has_own_key(want: Desired) -> bool:
    mounted = (str(target).rstrip("/") for target in want.inputs.get("file_mounts") or {})
    given = {*_variables(want), *(want.inputs.get("secrets") or ())}
    return bool(given.intersection(_KEYS)) or any(target.endswith("netrc") for target in mounted)


def _variables(want: Desired) -> Mapping[str, Any]:
    return want.inputs.get("envs") or {}
