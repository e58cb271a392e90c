"""From the histories of the stack `learning` to tables and pictures. Knows nothing of how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import altair as alt
import polars as pl

COLOURS = ["#0b6e99", "#d9730d", "#0f7b6c", "#ad1a72"]
SIZE = {"width": 300, "height": 240}


def evaluations(histories: pl.DataFrame, metric: str) -> pl.DataFrame:
    """What each evaluation found: columns `training`, `seed`, `step` and `hearts`."""
    return (
        histories.filter(metric=metric)
        .select(
            pl.col("job").str.split("/").list.first().alias("training"),
            pl.col("job").str.extract(r"seed_(\d+)").cast(pl.Int64).alias("seed"),
            "step",
            pl.col("value").alias("hearts"),
        )
        .sort("training", "seed", "step")
    )


def last_of_each_seed(found: pl.DataFrame) -> pl.DataFrame:
    """The last evaluation of every run."""
    return found.group_by("training", "seed", maintain_order=True).last()


def over_seeds(found: pl.DataFrame) -> pl.DataFrame:
    """Mean, least and most of the seeds, at each step of each training."""
    hearts = pl.col("hearts")
    return found.group_by("training", "step", maintain_order=True).agg(
        hearts.mean().alias("mean"), hearts.min().alias("least"), hearts.max().alias("most"), pl.len().alias("seeds")
    )


def summary(found: pl.DataFrame, training: str) -> str:
    """`14.9 (14.4–15.6)`: mean and range of the last evaluations over the seeds."""
    hearts = last_of_each_seed(found).filter(training=training)["hearts"].to_list()
    return f"{sum(hearts) / len(hearts):.1f} ({min(hearts):.1f}–{max(hearts):.1f})"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def seeds_chart(found: pl.DataFrame, baselines: Mapping[str, float], title: str) -> alt.LayerChart:
    """A line for each seed of one training."""
    seeds = sorted(found["seed"].unique().to_list())
    lines = alt.Chart(_data(found.with_columns(pl.format("seed {}", "seed").alias("line")))).mark_line(point=True)
    names = [f"seed {seed}" for seed in seeds]
    return _layered([lines.encode(_x(), _y("hearts"), _colour(names))], baselines, title)


def trainings_chart(found: pl.DataFrame, names: Mapping[str, str], baselines: Mapping[str, float], title: str
                    ) -> alt.LayerChart:  # fmt: skip
    """For each training that `names` calls by a name, the mean of its seeds, in a band from the least to the most."""
    shown = over_seeds(found).filter(pl.col("training").is_in(list(names)))
    data = _data(shown.with_columns(pl.col("training").replace_strict(names, return_dtype=pl.String).alias("line")))
    colour = _colour(list(names.values()))
    band = alt.Chart(data).mark_area(opacity=0.15).encode(_x(), _y("least"), alt.Y2("most:Q"), colour)
    line = alt.Chart(data).mark_line().encode(_x(), _y("mean"), colour)
    return _layered([band, line], baselines, title)


def save(chart: alt.TopLevelMixin, file: Path) -> None:
    """Write a picture, as PNG. Needs vl-convert."""
    chart.save(str(file), scale_factor=2)


def _layered(layers: list[alt.Chart], baselines: Mapping[str, float], title: str) -> alt.LayerChart:
    """With a dashed line for each of the baselines, its name at its right end."""
    for name, hearts in baselines.items():
        data = alt.Data(values=[{"hearts": hearts, "name": name}])
        layers.append(alt.Chart(data).mark_rule(strokeDash=[5, 4], color="#666").encode(_y("hearts")))
        is_upper = hearts > min(baselines.values())
        place = {"baseline": "top", "dy": 4} if is_upper else {"baseline": "bottom", "dy": -2}
        text = alt.Chart(data).mark_text(align="right", x="width", dx=-4, color="#666", **place)
        layers.append(text.encode(_y("hearts"), text="name:N"))
    return alt.layer(*layers).properties(title=title, **SIZE)


def _data(frame: pl.DataFrame) -> alt.Data:
    return alt.Data(values=frame.to_dicts())


def _x() -> alt.X:
    return alt.X("step:Q", title="million samples", axis=alt.Axis(labelExpr="datum.value / 1e6", tickCount=6))


def _y(column: str) -> alt.Y:
    return alt.Y(f"{column}:Q", title="hearts per agent and episode", scale=alt.Scale(domainMin=0))


def _colour(names: list[str]) -> alt.Color:
    scale = alt.Scale(domain=names, range=COLOURS[: len(names)])
    legend = alt.Legend(orient="bottom", labelLimit=400, symbolOpacity=1, symbolType="stroke", symbolStrokeWidth=3)
    return alt.Color("line:N", title=None, sort=names, scale=scale, legend=legend)
