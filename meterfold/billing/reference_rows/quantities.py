"""The quantity that a charge is of: a channel's sum, and what is done to it."""

from __future__ import annotations

from typing import Any, NamedTuple

from meterfold.billing.reference_rows.json_text import (
    MODES,
    SIGNED,
    UNSIGNED,
    is_list_or_absent,
    is_zero,
    items,
    loose_text,
    mapping,
    number_or_zero,
    text,
    text_or,
)


class Step(NamedTuple):
    """`rounded_to` "": it is not rounded. `is_misshapen`: it multiplies and divides, or neither."""

    divides: bool
    factor: str
    rounded_to: str
    mode: str
    is_misshapen: bool

    @property
    def is_misread(self) -> bool:
        return (
            self.is_misshapen
            or not _is_positive(self.factor)
            or (self.rounded_to != "" and not _is_positive(self.rounded_to))
            or self.mode not in MODES
        )


class Quantity:
    """`quantity` of a charge of decision 12."""

    def __init__(self, body: Any) -> None:
        beyond = mapping(body).get("beyond")
        self.body = body
        self.channel, self.unit, self.minus = text(body, "channel"), text(body, "unit"), text(body, "minus")
        self.net = text_or(body, "net", "interval") if self.minus else ""
        self.share = text_or(body, "share", "1")
        self.has_beyond = beyond is not None
        self.beyond_channel = text(beyond, "channel")
        self.beyond_share = text(beyond, "share") if self.has_beyond else "0"
        self.steps = [_step(item) for item in items(mapping(body).get("steps"))]

    def complaint(self, series: str, times: str, plus: str) -> str:
        """What of it cannot be read, or '', at the prices of a series where there is one."""
        if self.channel in ("", "?") or self.unit in ("", "?"):
            return "has a quantity without a channel or a unit"
        if self.minus in ("?", self.channel) or self.beyond_channel in ("?", self.channel):
            return "takes something off a quantity that cannot be"
        if self.net not in ("", "interval", "period"):
            return "has a `net` that is neither interval nor period"
        if not UNSIGNED.fullmatch(self.share) or not UNSIGNED.fullmatch(self.beyond_share):
            return "has a share that cannot be read"
        if self.has_beyond and not self.beyond_channel:
            return "has a `beyond` without a channel"
        if not is_list_or_absent(self.body, "steps") or any(step.is_misread for step in self.steps):
            return "has a step that cannot be read"
        if series and (series == "?" or not UNSIGNED.fullmatch(times) or not SIGNED.fullmatch(plus)):
            return "has a price by series that cannot be read"
        if series and (self.steps or self.beyond_channel or self.net == "period"):
            return "has the prices of a series for what is done to the sum of a period"
        return ""

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "channel": self.channel, "unit": self.unit, "minus": self.minus, "net": self.net,
            "share": number_or_zero(self.share), "beyond_channel": self.beyond_channel,
            "beyond_share": number_or_zero(self.beyond_share),
            "step_divides": [step.divides for step in self.steps],
            "step_factors": [number_or_zero(step.factor) for step in self.steps],
            "step_rounded_to": [number_or_zero(step.rounded_to) for step in self.steps],
            "step_modes": [step.mode for step in self.steps],
        }  # fmt: skip


def _step(item: Any) -> Step:
    divides, multiplies = (mapping(item).get(key) is not None for key in ("over", "times"))
    rounding = mapping(item).get("round")
    mode = mapping(rounding).get("mode")
    is_rounded_to_nothing = rounding is not None and mapping(rounding).get("to") is None
    return Step(
        divides,
        text(item, "over" if divides else "times"),
        text(rounding, "to"),
        "half_up" if mode is None else loose_text(mode),
        divides == multiplies or is_rounded_to_nothing,
    )


def _is_positive(number: str) -> bool:
    return UNSIGNED.fullmatch(number) is not None and not is_zero(number)
