"""A composed config: what a trainer will read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Composed:
    """What a trainer will read."""

    config: Mapping[str, Any]
    """The whole composed config, interpolations left as they are, and the user's own texts as they were declared."""
    outputs: Mapping[str, str]
    """The project's declared outputs, resolved against it."""
    files: Mapping[str, str] = field(default_factory=dict)
    """The digest of each file that it was composed from, by path."""
