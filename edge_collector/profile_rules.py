"""What makes a profile one that can be billed by: each rule a function from a profile to the faults it finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import combinations
from typing import Final, NamedTuple

from edge_collector.golden import golden_faults
from edge_collector.plan import UnableToPlan, plan
from edge_collector.profile import FINEST_DECIMALS, LAST_ADDRESS, Profile, RegisterSpec, Span, TextEncoding

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_DAY_S: Final = 86400


class Fault(NamedTuple):
    """One thing wrong: where in the file, what, and what to do about it."""

    place: str
    wrong: str
    do: str

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}; {self.do}"


def faults_of(profile: Profile, is_whole: bool) -> list[Fault]:
    """All that the rules find. A profile of which parts could not be read (not `is_whole`) is not asked for what they may have held."""
    rules = (*_RULES, *_RULES_OF_THE_WHOLE) if is_whole else _RULES
    return [fault for rule in rules for fault in rule(profile)]


def _registers_are_readable(profile: Profile) -> Iterator[Fault]:
    for spec in profile.registers:
        yield from _span_faults(profile, spec.span, f"registers.{spec.name}")
        if spec.scale_register:
            yield from _span_faults(profile, spec.scale_register.span, f"registers.{spec.name}.scale_register")
    for identity in profile.identity:
        yield from _span_faults(profile, identity.block or identity.span, f"identity.{identity.role}")


def _span_faults(profile: Profile, span: Span, place: str) -> Iterator[Fault]:
    limits = profile.limits
    if span.end > LAST_ADDRESS + 1:
        yield Fault(place, f"ends at {span.end - 1}, beyond the last address {LAST_ADDRESS}", "correct address or type")
    elif not limits.may_touch(span):
        yield Fault(place, "lies outside limits.readable", "correct the address, or widen the range")
    if span.count > limits.most_words:
        yield Fault(place, f"{span.count} words are more than limits.most_words", "correct one of the two")


def _names_are_plain(profile: Profile) -> Iterator[Fault]:
    for spec in profile.registers:
        if not _NAME.fullmatch(spec.name):
            yield Fault(f"registers.{spec.name}", "is no name", "use small letters, digits and underscores")


def _registers_do_not_overlap(profile: Profile) -> Iterator[Fault]:
    for one, other in combinations(profile.registers, 2):
        if one.span.overlaps(other.span):
            yield Fault(f"registers.{other.name}", f"shares words with {one.name}", "correct an address or a type")


def _counts_are_whole(profile: Profile) -> Iterator[Fault]:
    for spec in profile.registers:
        place = f"registers.{spec.name}"
        if not _is_last_digit(spec.resolution):
            yield Fault(
                f"{place}.resolution", f"{spec.resolution} is no last digit", 'write "1", "0.1" … "0.000000001"'
            )
        elif not spec.type.is_float and spec.scale % spec.resolution:
            yield Fault(
                f"{place}.resolution",
                f"one raw count ({spec.scale}) is no whole number of {spec.resolution}",
                "make the resolution as fine as the scale",
            )


def _is_last_digit(resolution: Decimal) -> bool:
    return any(resolution == Decimal(1).scaleb(-decimals) for decimals in range(FINEST_DECIMALS + 1))


def _dynamic_points_are_plain(profile: Profile) -> Iterator[Fault]:
    for spec in profile.registers:
        place = f"registers.{spec.name}"
        if spec.scale_register is None:
            continue
        if spec.type.is_float or spec.scale_register.type.is_float:
            yield Fault(f"{place}.scale_register", "goes with integers only", "correct the type")
        if spec.scale != 1 or spec.resolution != 1:
            yield Fault(f"{place}.scale", "the scale register says where the point is", 'make scale and resolution "1"')


def _sentinels_fit(profile: Profile) -> Iterator[Fault]:
    for spec in profile.registers:
        for bits in spec.sentinels:
            if not 0 <= bits < 1 << spec.type.bits:
                yield Fault(
                    f"registers.{spec.name}.sentinels",
                    f"{bits:#x} has no place in {spec.type.bits} bits",
                    "write the bit pattern, unsigned",
                )


def _digits_can_be_reached(profile: Profile) -> Iterator[Fault]:
    for spec in profile.registers:
        if spec.digits is not None and not spec.type.is_float and _highest(spec) < 10**spec.digits - 1:
            yield Fault(f"registers.{spec.name}.digits", "the type is full before", "leave it out")


def _highest(spec: RegisterSpec) -> int:
    return int(spec.type.highest * spec.scale / spec.resolution)


def _limits_agree(profile: Profile) -> Iterator[Fault]:
    limits = profile.limits
    if limits.multiple_of > limits.most_words:
        yield Fault("limits.multiple_of", "is more than most_words", "correct one of the two")
    for number, span in enumerate(limits.readable, 1):
        if span.count < 1:
            yield Fault(f"limits.readable[{number}]", "ends before it begins", "swap first and last")


def _identities_fit(profile: Profile) -> Iterator[Fault]:
    for spec in profile.identity:
        place = f"identity.{spec.role}"
        if spec.encoding is not TextEncoding.ASCII and spec.span.count > 4:
            yield Fault(f"{place}.words", f"{spec.span.count} words are no number", "write 1 to 4, or encoding ascii")
        if spec.block and not spec.block.covers(spec.span):
            yield Fault(f"{place}.block", "does not hold the words", "correct address and words of one of the two")


def _load_profile_can_be_read(profile: Profile) -> Iterator[Fault]:
    ring = profile.load_profile
    if ring is None:
        return
    register = next((spec for spec in profile.registers if spec.name == ring.register), None)
    if register is None:
        yield Fault("load_profile.register", f"there is no register {ring.register}", "name one of [registers]")
    elif ring.stride < 2 + register.type.words:
        yield Fault("load_profile.stride", "a place does not hold time and total", "make it as long as both")
    if ring.stride % profile.limits.multiple_of or ring.stride > profile.limits.most_words:
        yield Fault("load_profile.stride", "cannot be read within [limits]", "correct one of the two")
    if _DAY_S % ring.interval_s:
        yield Fault("load_profile.interval_s", f"{ring.interval_s} s do not divide a day", "write a divisor of 86400")
    whole = Span(ring.function, ring.address, ring.stride * ring.entries)
    if not profile.limits.may_touch(whole):
        yield Fault(
            "load_profile.entries", "the ring goes beyond what can be read", "correct address, stride or entries"
        )


def _blocks_hold_a_meter(profile: Profile) -> Iterator[Fault]:
    blocks = profile.blocks
    if blocks is None:
        return
    extent = max(span.end for span in _all_spans(profile))
    if extent > blocks.stride:
        yield Fault("blocks.stride", f"the meter's registers are {extent} long", "make it as long")
    if blocks.base + (blocks.meters - 1) * blocks.stride + extent > LAST_ADDRESS + 1:
        yield Fault("blocks.meters", "the last meter goes beyond the last address", "write fewer")


def _all_spans(profile: Profile) -> Iterator[Span]:
    yield from (spec.span for spec in profile.registers)
    yield from (scale.span for scale in profile.scales)
    yield from (spec.block or spec.span for spec in profile.identity)
    if profile.load_profile:
        ring = profile.load_profile
        yield Span(ring.function, ring.address, ring.stride * ring.entries)


def _something_is_billed(profile: Profile) -> Iterator[Fault]:
    if not profile.billing:
        yield Fault("registers", "none has the priority billing", "give it to the totals")


def _requests_can_be_planned(profile: Profile) -> Iterator[Fault]:
    try:
        plan(profile)
    except UnableToPlan as problem:
        yield Fault("limits", str(problem), "widen most_words, gap or readable")


def _golden_frames_decode(profile: Profile) -> Iterator[Fault]:
    for number, frame in enumerate(profile.golden, 1):
        for wrong in golden_faults(profile, frame):
            yield Fault(f"golden[{number}]", wrong, "correct the frame, or what it should say")


_Rule = Callable[[Profile], Iterator[Fault]]
_RULES: Final[tuple[_Rule, ...]] = (
    _names_are_plain,
    _registers_are_readable,
    _registers_do_not_overlap,
    _counts_are_whole,
    _dynamic_points_are_plain,
    _sentinels_fit,
    _digits_can_be_reached,
    _limits_agree,
    _identities_fit,
)
_RULES_OF_THE_WHOLE: Final[tuple[_Rule, ...]] = (
    _something_is_billed,
    _load_profile_can_be_read,
    _blocks_hold_a_meter,
    _requests_can_be_planned,
    _golden_frames_decode,
)
