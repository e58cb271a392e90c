"""Makes a Jupyter notebook of a report, whose cells call expiac as a program of yours would. The one place of nbformat.

The cells hold no results: the notebook reads them anew when it runs. Charts are drawn as SVG, without network.
"""

from __future__ import annotations

from collections.abc import Sequence

from expiac.report.model import Request
from expiac.util.errors import ExpiacError

_INTRODUCTION = """\
# What a stack came to

Written by `expiac report --notebook`. It asks no backend; without `refresh=False` it does. Run it in the folder of the
project, or in one inside it."""
_CHART = """\
from expiac.report.charts import curves

curves(results, {metric}, by={by})"""
_ARMS = """\
from expiac.analysis.wording import heading, sentence

print(heading(compared))
for note in compared.notes:
    print("!", note)
for difference in compared.differences:
    print(sentence(difference))
compared.to_polars()"""

_SWEEP = """\
from expiac.analysis.ranking import ranking_of
from expiac.analysis.ranking_words import importance_sentences, title

ranking = ranking_of({comparison}, {sweep})
print(title(ranking))
for sentence in importance_sentences(ranking):
    print(sentence)
ranking.to_polars()"""
_DRAWN = """\
from IPython.display import display

from expiac.report.sweep_charts import importance, parallel, slices

for chart in (importance, parallel, slices):
    display(chart(ranking))"""


def notebook(stack: str, request: Request, sweeps: Sequence[str] = ()) -> bytes:
    """The file of a notebook, with cells for each of these sweeps; raises where nbformat is not installed."""
    try:
        from nbformat import v4, validate, writes
    except ImportError as error:
        raise ExpiacError("Package for reports is missing", "nbformat is not installed",
                          "pip install 'expiac[report]'") from error
    by = None if request.by is None else [*request.by]
    made = v4.new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                  "language_info": {"name": "python"}},
        cells=[
            v4.new_markdown_cell(_INTRODUCTION),
            v4.new_code_cell("import altair as alt\nimport polars as pl\n\nimport expiac\n\n"
                             'alt.renderers.enable("svg");  # "html" has hover and zoom, and needs the network'),
            v4.new_markdown_cell("## Runs"),
            v4.new_code_cell(f"results = expiac.results({stack!r}, archived={request.archived!r}, at={request.at!r}, "
                             "refresh=False)\nresults.runs"),
            v4.new_markdown_cell("## Comparison"),
            v4.new_code_cell(f"compared = expiac.compare({stack!r}, metric={request.metric!r}, by={by!r}, "
                             f"baseline={request.baseline!r},\n                          at={request.at!r}, "
                             f"archived={request.archived!r}, refresh=False)"),
            v4.new_code_cell(_ARMS),
            *(cell for sweep in sweeps for cell in (
                v4.new_markdown_cell("## A sweep"),
                v4.new_code_cell(_SWEEP.format(sweep=repr(sweep), comparison=(
                    f"expiac.compare({stack!r}, sweep={sweep!r}, metric={request.metric!r}, by={by!r},\n"
                    f"                                    at={request.at!r}, archived={request.archived!r}, "
                    "refresh=False)"))),
                v4.new_code_cell(_DRAWN))),
            v4.new_markdown_cell("## Curves\n\nA line is the mean of an arm, its band reaches from the lowest to the "
                                 "highest run. Long histories are thinned to 300 steps; nothing is smoothed."),
            v4.new_code_cell(_CHART.format(metric=repr(request.metric), by=repr(by))),
            v4.new_markdown_cell("## All that the runs logged"),
            v4.new_code_cell("results.histories.tail(10)"),
        ])
    validate(made)
    return str(writes(made)).encode() + b"\n"
