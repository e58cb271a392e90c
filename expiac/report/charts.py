"""The charts, by Vega-Altair. The one place that imports it and vl-convert, which has the library's JavaScript.

Names that come from outside are data or titles of a chart, and never field names or expressions of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from expiac.analysis.arms import RunsOfArm, arms_of
from expiac.analysis.comparing import chosen_keys, chosen_metric, compare_results
from expiac.analysis.curves import bands, curves_of
from expiac.analysis.ranking import BEST, MOST_ARMS, best_first
from expiac.analysis.results import Results
from expiac.util.errors import ExpiacError

if TYPE_CHECKING:
    import altair as alt

POINTS = 300
COLOURS = ("#2a6fdb", "#d1495b", "#2e9e5b", "#b7791f", "#7b52c7", "#0f8b8d", "#c2185b", "#6b7280")
"""Of the arms, in their order; above eight they begin again, with other dashes."""
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
_MISSING = "Package for reports is missing"


def require(*packages: str) -> None:
    """Raises where a package of the extra `report` is not installed."""
    for package in packages:
        try:
            import_module(package)
        except ImportError as error:
            raise ExpiacError(_MISSING, f"{package.replace('_', '-')} is not installed",
                              "pip install 'expiac[report]'") from error


def curves(results: Results, metric: str | None = None, *, by: Sequence[str] | None = None) -> alt.LayerChart:
    """A chart of one metric: the mean over the seeds of each arm, and a band from the lowest to the highest run.

    The metric is the first that tables show, unless you name one; `by` is as that of `compare`. Runs that failed are
    left out, and of more than 12 arms all but the best 10. A long history is thinned to 300 steps.
    """
    require("altair")
    import altair as alt

    name = chosen_metric(results, metric).name
    arms = _few(results, arms_of(results.known, None, by=chosen_keys(by, results.known)), metric, by)
    runs = {run.instance: run.job for arm in arms for run in arm.runs if not run.status.is_failure}
    labels = {arm.label: [run.instance for run in arm.runs if run.instance in runs] for arm in arms}
    known = curves_of(results.histories, name, POINTS)
    rows = [{"kind": "arm", "arm": point.arm, "step": point.step, "mean": point.mean,
             "low": point.low, "high": point.high, "runs": point.runs} for point in bands(known, labels)]
    rows += [{"kind": "run", "arm": label, "run": runs[instance], "step": step, "mean": value}
             for label, instances in labels.items() for instance in instances
             for step, value in zip(known.steps, known.values.get(instance, ()), strict=False) if value is not None]
    return _chart(alt.Data(values=rows), name, results.metrics.step, [*labels], COLOURS).properties(width=560)


def _few(results: Results, arms: Sequence[RunsOfArm], metric: str | None, by: Sequence[str] | None
         ) -> Sequence[RunsOfArm]:
    """The arms; the best of them if they are many."""
    if len(arms) <= MOST_ARMS:
        return arms
    of_run = {run.instance: arm for arm in arms for run in arm.runs}
    best = best_first(compare_results(results, metric=metric, by=by))[:BEST]
    return [*{of_run[run.instance].name: of_run[run.instance] for arm in best for run, _ in arm.runs}.values()]


def page_spec(arms: Sequence[str], step: str) -> dict[str, Any]:
    """The chart of the page as JSON, without its data and its title, which the page puts in."""
    require("altair")
    import altair as alt

    zoom = alt.selection_interval(encodings=["x"], name="zoom", empty=False)
    colours = [f"var(--arm-{place})" for place in range(len(COLOURS))]  # of the style sheet: for light, dark and paper
    chart = _chart(alt.NamedData("points"), "", step, arms, colours).add_params(zoom).properties(width="container")
    return dict(chart.to_dict(validate=True))


def library() -> str:
    """The JavaScript of Vega, Vega-Lite and Vega-Embed, as one script."""
    require("vl_convert")
    return _bundle()


@cache
def _bundle() -> str:
    vl_convert: Any = import_module("vl_convert")  # its stub asks for a snippet, which it does not need

    return str(vl_convert.javascript_bundle())


def _chart(data: Any, title: str, step: str, arms: Sequence[str], colours: Sequence[str]) -> alt.LayerChart:
    """Rows of the kind `arm` are a point of the mean and the band of an arm; those of the kind `run`, of one run."""
    import altair as alt

    legend = alt.Legend(title=None, orient="top", columns=1, labelLimit=600)
    dashes = [_DASHES[place // len(colours) % len(_DASHES)] for place in range(len(arms))]
    cycle = [colours[place % len(colours)] for place in range(len(arms))]
    colour = alt.Color("arm:N", scale=alt.Scale(domain=[*arms], range=cycle), legend=legend)
    dash = alt.StrokeDash("arm:N", scale=alt.Scale(domain=[*arms], range=dashes), legend=legend)
    base = alt.Chart().encode(x=alt.X("step:Q", title=step), color=colour)
    of_arms, of_runs = (base.transform_filter(alt.FieldEqualPredicate(field="kind", equal=kind))
                        for kind in ("arm", "run"))
    hover = alt.selection_point(fields=["step"], nearest=True, on="pointerover", empty=False, name="hover")
    tip = ["arm:N", alt.Tooltip("step:Q", format=",~r"),
           *(alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("mean", "low", "high")), "runs:Q"]
    height = alt.Y("mean:Q", title=title)
    runs = of_runs.mark_line(strokeWidth=1, opacity=0.45, clip=True).encode(
        y=height, detail="run:N", tooltip=["run:N", "arm:N"])
    band = of_arms.mark_area(opacity=0.18, clip=True).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    mean = of_arms.mark_line(strokeWidth=2.5, clip=True).encode(y=height, strokeDash=dash)
    dots = of_arms.mark_point(size=70, filled=True, clip=True).encode(
        y=height, opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0)), tooltip=tip
    ).add_params(hover)
    return alt.layer(runs, band, mean, dots, data=data).properties(height=280)
