"""Histories as DataFrames, by polars: gathered from rows in pieces, cleaned, and as the bytes of a file."""

from __future__ import annotations

import io
from collections.abc import Iterable

import polars as pl

from expiac.apply.metrics import Row

_PIECE = 65_536
"""As many values are held as Python objects."""
_RUN_AND_METRIC = ["instance", "metric"]
SCHEMA = {"instance": pl.String, "metric": pl.String, "step": pl.Float64, "elapsed": pl.Float64, "value": pl.Float64}


class Gathering:
    """Takes the rows of one run after the other, and gives one row for each value that they logged."""

    def __init__(self) -> None:
        self.count = 0
        """Values so far."""
        self._pieces: list[pl.DataFrame] = []
        self._open: tuple[list[object], ...] = _empty()
        self._unread: list[str] = []

    def add(self, instance: str, rows: Iterable[Row]) -> None:
        """Adds all rows of a run; none of them if reading them raises."""
        try:
            for place, row in enumerate(rows):
                self._add(instance, place, row)
        except BaseException:
            self._unread.append(instance)
            raise

    def frame(self) -> pl.DataFrame:
        """Instance, metric, step, elapsed, value; in the order of the adding.

        A row without a step belongs to the step before it; if no row of a run has one, its rows are counted. Where a
        metric goes back to an earlier step, a launch went on from a checkpoint: what was logged from that step on
        before is left out.
        """
        self._close_piece()
        logged = pl.concat(self._pieces, rechunk=True) if self._pieces else pl.DataFrame(schema=_WITH_PLACE)
        self._pieces = []
        if self._unread:
            logged = logged.filter(~pl.col("instance").is_in(self._unread))
        if logged["step"].null_count():
            known = pl.col("step").forward_fill().fill_null(0.0)
            has_steps = pl.col("step").count() > 0
            logged = logged.with_columns(step=pl.when(has_steps).then(known).otherwise("place").over("instance"))
        logged = logged.drop("place")
        later = pl.col("step").reverse().cum_min().shift(1).reverse().over(_RUN_AND_METRIC)
        return logged.filter(later.is_null() | (pl.col("step") < later))

    def _add(self, instance: str, place: int, row: Row) -> None:
        instances, metrics, steps, elapsed, values, places = self._open
        for name, value in row.metrics.items():
            instances.append(instance)
            metrics.append(name)
            steps.append(row.step)
            elapsed.append(row.elapsed)
            values.append(value)
            places.append(float(place))
        self.count += len(row.metrics)
        if len(values) >= _PIECE:
            self._close_piece()

    def _close_piece(self) -> None:
        if self._open[0]:
            self._pieces.append(pl.DataFrame(dict(zip(_WITH_PLACE, self._open, strict=True)), schema=_WITH_PLACE))
        self._open = _empty()


_WITH_PLACE = {**SCHEMA, "place": pl.Float64}


def _empty() -> tuple[list[object], ...]:
    return tuple([] for _ in _WITH_PLACE)


def of_one(rows: Iterable[Row]) -> pl.DataFrame:
    """The history of one run: metric, step, elapsed, value."""
    gathering = Gathering()
    gathering.add("", rows)
    return gathering.frame().drop("instance")


def to_bytes(logged: pl.DataFrame) -> bytes:
    """As the bytes of a file."""
    buffer = io.BytesIO()
    logged.write_parquet(buffer, compression="lz4", statistics=False)
    return buffer.getvalue()


def from_bytes(data: bytes) -> pl.DataFrame:
    """What `to_bytes` made these of; raises `ValueError` where it did not make them."""
    try:
        frame = pl.read_parquet(io.BytesIO(data))
    except pl.exceptions.PolarsError as error:
        raise ValueError("no histories") from error
    if dict(frame.schema) != SCHEMA:
        raise ValueError("no histories")
    return frame


def only(logged: pl.DataFrame, instances: Iterable[str]) -> pl.DataFrame:
    """The rows of these runs."""
    return logged.filter(pl.col("instance").is_in(list(instances)))


def joined(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows of several, below each other."""
    return pl.concat([pl.DataFrame(schema=SCHEMA), *parts], rechunk=True)
