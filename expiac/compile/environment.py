"""The variables that a config reads, by `${oc.env:NAME}`: what is remembered of it counts on them."""

from __future__ import annotations

import hashlib
import os
import re

VARIABLE = "env:"
"""Before a name, where variables stand among files."""
_READ = re.compile(r"\$\{\s*oc\.env\s*:\s*")
_NAME = re.compile(r"""["']?([^\s,}"'$]+)["']?\s*[,}]""")


def variables_in(text: str) -> frozenset[str] | None:
    """The variables that a text reads; None where the name of one is itself computed.

    Those that a job alone has, `DATA_DIR` and `EXPIAC_…`, are not among them: while a config is checked they have
    values of their own.
    """
    if "oc.env" not in text:
        return frozenset()
    names = [_NAME.match(text, found.end()) for found in _READ.finditer(text)]
    read = {name[1] for name in names if name is not None}
    return None if None in names else frozenset(name for name in read if not _is_of_job(name))


def digest_of_variable(name: str) -> str:
    """That of its value; empty where it is not set."""
    value = os.environ.get(name)
    return "" if value is None else hashlib.sha256(os.fsencode(value)).hexdigest()


def _is_of_job(name: str) -> bool:
    return name == "DATA_DIR" or name.startswith("EXPIAC_")
