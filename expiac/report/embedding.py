"""What stands within a page of its own: a policy that lets only its scripts run, and the data that they read."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup


def content_policy(scripts: Sequence[str], *, connects: bool = False) -> str:
    """The page runs these scripts, by their digests, and no other; it reaches no network, or its own server alone."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    connections = "'self'" if connects else "'none'"
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
            f"connect-src {connections}; base-uri 'none'; form-action 'none'")


def json_text(value: Any) -> Markup:
    """The value as JSON that cannot end the element in which it stands."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
