"""Polars on the same curated readings: one batch of lazy frames, from lines of JSON to determinants in memory.

The same work as in DuckDB: the best reading of a half-hour, register differences, sums and counts of qualities against a
generated series, stretches without a reading.
"""

from pathlib import Path
from typing import Any, Final

import polars as pl

from benchmarks.measuring import Stopwatch
from benchmarks.sizes import INTERPOLATE_MAX_S, SLOT_MS, START_MS, Size
from benchmarks.stage import lines_of

_CHANNEL: Final = ("supply_point", "channel")
_SLOT: Final = (*_CHANNEL, "start_ms")
_RANKS: Final = {"ACTUAL": 5, "CALCULATED": 4, "SUBSTITUTED": 3, "ESTIMATED": 2}
_COUNTED: Final = {"n_actual": 5, "n_calculated": 4, "n_substituted": 3, "n_estimated": 2}
_TEXT: Final[dict[str, Any]] = {"supply_point": pl.String, "register": pl.String, "quality": pl.String}
_NUMBERS: Final[dict[str, Any]] = {"version": pl.Int64, "raw": pl.List(pl.Int64)}


def measure(size: Size, root: Path) -> dict[str, Any]:
    """Run it, with as many threads as it likes; then (not timed) add up what half-hours with a reading came to."""
    watch = Stopwatch()
    with watch.running():
        slots = _of_registers(root) if size.shape == "register" else _of_intervals(root)
        determinants = _determinants(slots, size).collect()
        _missing(determinants)
    sums = (
        determinants.filter(pl.col("n_actual") + pl.col("n_calculated") > 0)
        .group_by(_CHANNEL)
        .agg(pl.len().alias("number"), pl.col("quantity_nano").sum())
    )
    return watch.figure(
        0, current={f"{point}/{name}": [number, nano] for point, name, number, nano in sums.iter_rows()}
    )


def _lines(root: Path, more: dict[str, Any]) -> pl.LazyFrame:
    return pl.scan_ndjson(lines_of(root), schema={**_TEXT, **_NUMBERS, **more}).with_columns(
        pl.col("register").alias("channel"),
        pl.col("quality").replace_strict(_RANKS, default=1, return_dtype=pl.Int64).alias("rank"),
        pl.col("raw").list.get(1).alias("raw_offset"),
    )


def _best(reads: pl.LazyFrame, key: tuple[str, ...]) -> pl.LazyFrame:
    """Of the readings for one half-hour or instant, the one in force."""
    order = reads.sort("version", "rank", "raw_offset", descending=[True, True, False])
    return order.unique(subset=list(key), keep="first", maintain_order=True)


def _of_intervals(root: Path) -> pl.LazyFrame:
    number = pl.col("nano").list.len()
    elements = (
        _lines(root, {"start_ms": pl.Int64, "quantities_nano": pl.List(pl.Int64)})
        .rename({"quantities_nano": "nano"})
        .with_columns(pl.int_ranges(0, number).alias("at"))
        .explode("nano", "at")
        .filter(pl.col("nano").is_not_null())
        .with_columns(pl.col("start_ms") + pl.col("at") * SLOT_MS)
    )
    return _best(elements, _SLOT).select(*_SLOT, "nano", "rank")


def _of_registers(root: Path) -> pl.LazyFrame:
    reads = _best(_lines(root, {"at_ms": pl.Int64, "count": pl.Int64}), (*_CHANNEL, "at_ms"))
    before = {name: pl.col(name).shift(1).over(_CHANNEL, order_by="at_ms") for name in ("at_ms", "count", "rank")}
    number, at, total = pl.col("number"), pl.col("at"), pl.col("total")
    geometry = (
        pl.when(number == 1).then(5).when(number <= INTERPOLATE_MAX_S * 1000 // SLOT_MS).then(4).otherwise(2)
    )  # fmt: skip
    return (
        reads.with_columns(
            before["at_ms"].alias("from_ms"),
            ((pl.col("count") - before["count"]) * 10**3).alias("total"),
            ((pl.col("at_ms") - before["at_ms"]) // SLOT_MS).alias("number"),
            pl.min_horizontal("rank", before["rank"]).alias("rank"),
        )
        .filter(total >= 0)
        .with_columns(pl.int_ranges(0, number).alias("at"))
        .explode("at")
        .select(
            *_CHANNEL,
            (pl.col("from_ms") + at * SLOT_MS).alias("start_ms"),
            (total * (at + 1) // number - total * at // number).alias("nano"),
            pl.min_horizontal("rank", geometry).alias("rank"),
        )
    )


def _determinants(slots: pl.LazyFrame, size: Size) -> pl.LazyFrame:
    held = slots.collect().lazy()  # as a table in SQL: what is expected is asked of it too
    series = pl.int_ranges(START_MS, size.end_ms, SLOT_MS).alias("start_ms")
    expected = held.select(_CHANNEL).unique().with_columns(series).explode("start_ms")
    return (
        expected.join(held, on=_SLOT, how="left")
        .group_by(*_CHANNEL, pl.col("start_ms") // SLOT_MS * SLOT_MS)
        .agg(
            pl.col("nano").sum().alias("quantity_nano"),
            *((pl.col("rank") == rank).sum().alias(name) for name, rank in _COUNTED.items()),
            pl.col("rank").is_null().sum().alias("n_missing"),
        )
    )


def _missing(determinants: pl.DataFrame) -> pl.DataFrame:
    """Stretches without a reading."""
    holes = determinants.lazy().filter(pl.col("n_missing") > 0).sort(*_SLOT)
    stretch = pl.col("start_ms") - SLOT_MS * pl.int_range(pl.len()).over(_CHANNEL)
    ends = (pl.col("start_ms").min(), (pl.col("start_ms").max() + SLOT_MS).alias("end_ms"))
    return holes.with_columns(stretch.alias("stretch")).group_by(*_CHANNEL, "stretch").agg(*ends).collect()
