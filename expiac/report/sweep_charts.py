"""The charts of a sweep, by Vega-Altair: what mattered, parallel coordinates, and a slice for each setting.

Names that come from outside are data or titles of a chart, inert, and never field names or expressions of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from expiac.analysis.axes import Axis, Drawn, drawn
from expiac.analysis.ranking import Ranking
from expiac.report.charts import require
from expiac.report.inert import inert

if TYPE_CHECKING:
    import altair as alt

RAMP = ("#c6cdd8", "#a9bbd6", "#84a5d6", "#5b8bd3", "#2a6fdb", "#1c4fa8", "#10306b")
"""From bad to good."""
_LONGEST = 100
_TIP = ("trial:N", "settings:N")
_TITLES = (1.08, 1.17)
"""Above each other in turn, so that long names have room."""


def importance(found: Ranking) -> alt.Chart:
    """Bars of what each setting explains; empty where that can't be told."""
    require("altair")
    return importance_bars(drawn(found), RAMP).properties(width=560)


def parallel(found: Ranking) -> alt.LayerChart:
    """A line for each trial over an axis for each setting and for the metric."""
    require("altair")
    return parallel_lines(drawn(found), RAMP).properties(width=720)


def slices(found: Ranking) -> alt.VConcatChart:
    """The metric over each setting, one below the other."""
    require("altair")
    import altair as alt

    return alt.vconcat(*(chart.properties(width=560) for chart in slice_points(drawn(found), RAMP)))


def page_specs(shown: Drawn) -> dict[str, Any]:
    """The charts as JSON, as the page embeds them: with its width, and the colours of its style sheet."""
    require("altair")
    ramp = [f"var(--ramp-{place})" for place in range(len(RAMP))]
    made = {"parallel": parallel_lines(shown, ramp),
            **({"importance": importance_bars(shown, ramp)} if shown.shares else {})}
    specs = {name: _spec(chart) for name, chart in made.items()}
    return {**specs, "slices": [_spec(chart) for chart in slice_points(shown, ramp)]}


def importance_bars(shown: Drawn, ramp: Sequence[str]) -> alt.Chart:
    """A bar for each setting."""
    import altair as alt

    rows = [{"setting": _clean(name), "share": share, "order": place}
            for place, (name, share) in enumerate(shown.shares)]
    return alt.Chart(alt.Data(values=rows)).mark_bar(color=ramp[-3]).encode(
        x=alt.X("share:Q", title="share of the variance", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("setting:N", title=None, sort=alt.EncodingSortField("order"), axis=alt.Axis(labelLimit=160)),
        tooltip=["setting:N", alt.Tooltip("share:Q", format=".1%")]).properties(height=alt.Step(26))


def parallel_lines(shown: Drawn, ramp: Sequence[str]) -> alt.LayerChart:
    """Positions are worked out here, since each axis has a scale of its own."""
    import altair as alt

    # Each part of a line is a mark of its own: of a whole line, Vega knows the tooltip at its corners alone.
    parts = [{"number": number, "trial": _clean(trial), "settings": _clean(shown.settings[number]),
              "value": shown.values[number], "axis": place, "next": place + 1, "at": axis.places[number],
              "to": after.places[number]}
             for number, trial in enumerate(shown.trials) for place, (axis, after) in enumerate(pairwise(shown.axes))]
    ticks = [{"axis": place, "at": at, "label": _clean(label)}
             for place, axis in enumerate(shown.axes) for at, label in axis.ticks]
    titles = [{"axis": place, "low": 0, "high": 1, "at": _TITLES[place % 2], "label": _clean(_title(axis))}
              for place, axis in enumerate(shown.axes)]
    x = alt.X("axis:Q", axis=None, scale=alt.Scale(domain=[-0.35, len(shown.axes) - 0.65], nice=False))
    height = alt.Scale(domain=[-0.03, 1.22], nice=False)
    y = alt.Y("at:Q", axis=None, scale=height)
    hover = alt.selection_point(fields=["number"], on="pointerover", clear="pointerout", empty=False, name="hover")
    lines = alt.Chart(alt.Data(values=parts)).encode(
        x=x, y=y, x2="next:Q", y2="to:Q", tooltip=[*_TIP, alt.Tooltip("value:Q", format=".5~g")])
    seen = lines.mark_rule(strokeCap="round").encode(
        color=_colour(shown, ramp), strokeWidth=alt.when(hover).then(alt.value(5)).otherwise(alt.value(1.5)),
        opacity=alt.when(hover).then(alt.value(1)).otherwise(alt.value(0.75)))
    felt = lines.mark_rule(strokeWidth=9, opacity=0).add_params(hover)
    rules = alt.Chart(alt.Data(values=titles)).mark_rule(opacity=0.5).encode(
        x=x, y=alt.Y("low:Q", axis=None, scale=height), y2="high:Q")
    labels = alt.Chart(alt.Data(values=ticks)).mark_text(align="right", dx=-5, fontSize=11, limit=80).encode(
        x=x, y=y, text="label:N")
    heads = alt.Chart(alt.Data(values=titles)).mark_text(fontSize=12, fontWeight="bold", limit=150).encode(
        x=x, y=y, text="label:N")
    return alt.layer(rules, seen, felt, labels, heads).properties(height=340)


def slice_points(shown: Drawn, ramp: Sequence[str]) -> list[alt.Chart]:
    """A point for each trial, over one setting each."""
    import altair as alt

    *settings, metric = shown.axes
    charts = []
    for axis in settings:
        rows = [{"trial": _clean(trial), "settings": _clean(shown.settings[number]), "value": shown.values[number],
                 "setting": axis.values[number] if axis.is_number else _clean(axis.values[number])}
                for number, trial in enumerate(shown.trials)]
        x = (alt.X("setting:Q", title=_clean(axis.name), scale=_scale(axis), axis=_ticks(axis)) if axis.is_number else
             alt.X("setting:N", title=_clean(axis.name), axis=alt.Axis(labelLimit=120, labelAngle=0)))
        charts.append(alt.Chart(alt.Data(values=rows)).mark_circle(size=55, opacity=0.8, color=ramp[4]).encode(
            x=x, y=alt.Y("value:Q", title=_clean(metric.name), scale=_scale(metric), axis=_ticks(metric)),
            tooltip=[*_TIP, alt.Tooltip("value:Q", format=".5~g")]).properties(height=220))
    return charts


def _colour(shown: Drawn, ramp: Sequence[str]) -> Any:
    """As many trials in each colour, so that one that went astray leaves the others apart."""
    import altair as alt

    cycle = [*reversed(ramp)] if shown.is_less_better else [*ramp]
    return alt.Color("value:Q", scale=alt.Scale(type="quantile", range=cycle),
                     legend=alt.Legend(title=_clean(shown.metric), orient="bottom", format=".3~g", gradientLength=280))


def _scale(axis: Axis) -> Any:
    import altair as alt

    kind = alt.Scale(type="log") if axis.is_log else alt.Scale(zero=False)
    kind.nice, kind.padding = False, 8
    return kind


def _ticks(axis: Axis) -> Any:
    import altair as alt

    return alt.Axis(values=[*axis.tick_values], format=".3~g") if axis.is_log else alt.Axis()


def _title(axis: Axis) -> str:
    return f"{axis.name} (log)" if axis.is_log else axis.name


def _clean(text: Any) -> str:
    return inert(str(text), _LONGEST)


def _spec(chart: Any) -> dict[str, Any]:
    return dict(chart.properties(width="container").to_dict(validate=True))
