"""What a charge counts: the channel, what is taken off, the steps to the unit that has the price."""

from __future__ import annotations

from collections.abc import Sequence

from meterfold.portfolio.model_tariffs import Beyond, Quantity, Rounding, Step
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape_tariffs import MeteredShape, RoundShape, StepShape
from meterfold.portfolio.units import DIMENSIONS


def build_quantity(written: Written, shape: MeteredShape, path: Path) -> Quantity:
    """The quantity that stands flat in the charge at `path`."""
    _check_net(written, shape, path)
    if not shape.steps and shape.unit not in DIMENSIONS:
        wrong = f"`{shape.unit}` is no unit of a metered quantity"
        do = f"use one of {', '.join(DIMENSIONS)}; or write the `steps` that lead to {shape.unit}"
        written.add((*path, "unit"), Fault("unknown_unit", wrong, do))
    others = {(*path, "minus"): shape.minus, (*path, "beyond", "channel"): shape.beyond and shape.beyond.channel}
    for where, other in others.items():
        if other == shape.channel:
            written.add(where, Fault("bad_value", f"{other} is the charge's own channel", "name another channel"))
    beyond = None if shape.beyond is None else Beyond(shape.beyond.channel, shape.beyond.share)
    steps = _steps(written, shape.steps, (*path, "steps"))
    return Quantity(shape.channel, shape.unit, shape.minus, shape.net, shape.share, beyond, steps)


def build_rounding(shape: RoundShape | None) -> Rounding | None:
    """As written."""
    return None if shape is None else Rounding(shape.to, shape.mode)


def _check_net(written: Written, shape: MeteredShape, path: Path) -> None:
    where = (*path, "net")
    if shape.minus is not None and shape.net is None:
        do = "say interval (nothing below zero in any interval) or period (nothing below zero in the sum)"
        written.add(where, Fault("missing_key", "is missing beside `minus`", do))
    if shape.minus is None and shape.net is not None:
        written.add(where, Fault("bad_value", "says how `minus` is taken off, and there is none", "leave it out"))


def _steps(written: Written, shapes: Sequence[StepShape], path: Path) -> tuple[Step, ...]:
    for position, item in enumerate(shapes):
        if (item.times is None) == (item.over is None):
            wrong = "neither `times` nor `over`" if item.times is None else "both `times` and `over` in one step"
            written.add((*path, position), Fault("bad_value", wrong, "write one factor a step, in their order"))
    return tuple(Step(item.times, item.over, build_rounding(item.round)) for item in shapes)
