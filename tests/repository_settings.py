"""What this repository says of trainings and evaluations, for projects that tests make of its configs and trainer."""

from pathlib import Path

_TEXT = (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")


def _table(name: str) -> str:
    """A table of the repository's own settings, as TOML."""
    head = f"[tool.expiac.{name}]"
    return head + _TEXT.partition(head)[2].partition("\n[")[0]


TRAINING = _table("training")
EVALUATION = f"{_table('evaluation')}\n{_table('evaluation.outputs')}"
OUTPUTS = _table("outputs")
