"""Why the metrics of a run can't be read although there are some."""

from __future__ import annotations


class MetricsError(Exception):
    """The metrics of a run can't be read, and its words say why."""


class MissingPackage(MetricsError):
    """The package that reads a file's format is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"{package} is not installed, so the metrics can't be read: pip install {package}")
