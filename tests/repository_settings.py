"""What this repository says of its own training configs, for projects that tests make of its configs and trainer."""

from pathlib import Path

_TABLE = "[tool.expiac.training]"
TRAINING = _TABLE + (Path(__file__).parents[1] / "pyproject.toml").read_text().partition(_TABLE)[2].partition("\n[")[0]
"""The table `[tool.expiac.training]`, as TOML."""
