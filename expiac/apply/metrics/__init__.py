"""Reads the metrics that a run writes, whatever its trainer: JSON lines, CSV, TensorBoard event files, offline
runs of Weights & Biases.

Others use `read` for how far a run is, and `files_of` with `read_rows` for all that it wrote; `row_of` makes a row of
what another source has. A file may grow while it is read, end in the middle of a line, or hold anything.
"""

from expiac.apply.metrics.errors import MetricsError, MissingPackage
from expiac.apply.metrics.files import files_of, read, read_rows
from expiac.apply.metrics.rows import Row, row_of

__all__ = ["MetricsError", "MissingPackage", "Row", "files_of", "read", "read_rows", "row_of"]
