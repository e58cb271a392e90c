"""The answers to the operations on artifacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from expiac.testing.wandb_server.store import Store

ANSWERS: Mapping[str, Callable[[Store, str, Mapping[str, Any]], dict[str, Any]]] = {}
