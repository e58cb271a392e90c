"""What all pages have in common: how their templates are read, a policy that lets only their scripts run, and the data
that these read.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

_PACKAGE = "expiac.report"


def environment(folder: str, **options: Any) -> Environment:
    """Reads the templates in a folder of the package, which may include those that all pages share."""
    loader = ChoiceLoader([PackageLoader(_PACKAGE, folder), PackageLoader(_PACKAGE, "shared")])
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
                       undefined=StrictUndefined, **options)


def asset(folder: str, name: str) -> str:
    """A script or a style sheet in a folder of the package."""
    return (files(_PACKAGE) / folder / name).read_text(encoding="utf-8")


def content_policy(scripts: Sequence[str], *, connects: bool = False) -> Markup:
    """The page runs these scripts, by their digests, and no other; it reaches no network, or its own server alone.

    As the value of an attribute.
    """
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    connections = "'self'" if connects else "'none'"
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return escape(f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
                  f"connect-src {connections}; base-uri 'none'; form-action 'none'")


def json_text(value: Any) -> Markup:
    """The value as JSON that cannot end the element in which it stands."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
