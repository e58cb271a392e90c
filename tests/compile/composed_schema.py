"""A schema with every kind of field that OmegaConf converts: enums, optional and nested values, lists, mappings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Color(Enum):
    red = 1
    green = 2


@dataclass
class Engine:
    speed: float = 1.0
    color: Color = Color.red
    limits: list[int] = field(default_factory=lambda: [1, 2])
    label: str | None = None


@dataclass
class Database:
    host: str = "???"
    port: int = 1
    engine: Engine = field(default_factory=Engine)
    engines: dict[str, Engine] = field(default_factory=dict)
    spare: Engine | None = None
    ratio: int | float = 0.5
    table: list[Engine] = field(default_factory=list)


@dataclass
class Root:
    run_name: str = "???"
    seed: int = 0
    lr: float = 0.1
    on: bool = False
    db: Database = field(default_factory=Database)
    other: Any = None
    names: dict[str, int] = field(default_factory=dict)
    home: str = "${oc.env:COMPOSED_HOME,none}"
    nested: dict[str, Any] = field(default_factory=dict)
    deep: Any = None
    copy: Any = None
