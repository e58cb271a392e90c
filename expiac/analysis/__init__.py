"""What the runs of a stack came to: tables of runs and histories, and comparisons of arms with their uncertainty.

Others use `Results` and `compare`. polars is met in `frames` and `history_frames` alone, scipy in `statistics` alone;
they are imported when a table or a comparison is asked for.
"""

from expiac.analysis.results import Results

__all__ = ["Results"]
