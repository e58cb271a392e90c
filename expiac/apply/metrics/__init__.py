"""Reads the metrics that a run writes, whatever its trainer: JSON lines, CSV, TensorBoard event files, offline
runs of Weights & Biases.

Others use `read`. A file may grow while it is read, end in the middle of a line, or hold anything.
"""

from expiac.apply.metrics.errors import MissingPackage
from expiac.apply.metrics.files import read

__all__ = ["MissingPackage", "read"]
