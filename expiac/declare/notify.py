"""Who is told how runs end: `[tool.expiac.notify]`. Sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.dataclasses import dataclass

Occasion = Literal["succeeded", "failed", "stuck"]
OCCASIONS: tuple[Occasion, ...] = ("succeeded", "failed", "stuck")


def _check_webhook(url: str) -> str:
    if url and not re.match(r"https?://[^/]", url):
        raise ValueError("a webhook is an address that begins with https:// or http://")
    return url


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class NotifySettings:
    """What is called when a run has succeeded or failed, or is stuck."""

    on: tuple[Occasion, ...] = OCCASIONS
    """The occasions."""
    command: str = ""
    """A shell command, run where expiac runs, in the project's root."""
    webhook: Annotated[str, AfterValidator(_check_webhook)] = ""
    """An address that gets a POST of JSON; `${NAME}` in it is that variable of the environment."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the POST; `${NAME}` as in the address."""
    timeout: Annotated[float, Field(gt=0, le=60)] = 4.0
    """Seconds that a call may take. The stack is locked meanwhile."""

    def wants(self, occasion: str) -> bool:
        """Whether anything is to be called on that occasion."""
        return occasion in self.on and bool(self.command or self.webhook)
