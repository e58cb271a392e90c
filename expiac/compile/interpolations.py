"""OmegaConf parses an interpolation at each look, and resolving one config looks at the same one several times.

Parsing is most of the time that a check of a config takes. The result depends on the text alone, and is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from omegaconf import base


@contextmanager
def parsed_once() -> Iterator[None]:
    """While it lasts, OmegaConf parses each interpolation once."""
    omegaconf_base: Any = base
    parse = getattr(omegaconf_base, "parse", None)
    if parse is None:  # an OmegaConf that is written in another way
        yield
        return
    omegaconf_base.parse = lru_cache(maxsize=4096)(parse)
    try:
        yield
    finally:
        omegaconf_base.parse = parse
