"""GPUs as a job asks for them: a count such as `4`, a type such as `H100`, or both, `H100:8`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_COUNT = r"\d+(?:\.\d+)?"
_GPUS = re.compile(rf"(?P<alone>{_COUNT})|(?P<type>[^:]+)(?::(?P<count>{_COUNT}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Gpus:
    """What was asked for."""

    type: str
    """Empty where any will do."""
    count: str
    """As it was written; 1 where it was not. SkyPilot has fractions too."""

    @property
    def number(self) -> int:
        """How many are needed."""
        return math.ceil(float(self.count))


def parse_gpus(text: str) -> Gpus:
    """Raises `ValueError` where it is none of the three."""
    match = _GPUS.fullmatch(text)
    if match is None:
        raise ValueError("a count such as 4, or a type and a count such as H100:8")
    if match["alone"]:
        return Gpus("", match["alone"])
    return Gpus(match["type"], match["count"] or "1")
