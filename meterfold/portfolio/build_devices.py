"""Devices: assignments and register spans as instants, each span cut to the assignment that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from meterfold.portfolio.calendar import Moment, iso_utc, to_instant
from meterfold.portfolio.model import Assignment, Channel, Device, RegisterSpan, Site, SupplyPoint
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape import DeviceShape, RegisterShape
from meterfold.portfolio.spans import FOREVER, Span, common, open_end

_NANO = 10**9
_LIMIT = 10**18

Served = tuple[SupplyPoint, Span, Path]
"""A supply point, when it is served, and where the file says so."""


def build_devices(written: Written, points: dict[str, SupplyPoint]) -> dict[str, Device]:
    """Devices whose assignments hold. A register or an assignment with a problem is left out of its device."""
    devices = {}
    for id_, shape in written.objects("devices", DeviceShape).items():
        path = written.path("devices", id_)
        site = _site(written, shape, points, path)
        if site is None:
            continue
        end_ms = _end(written, id_, site)
        served = _joined(_served(written, shape, points, site, end_ms, path))
        registers = [
            span
            for register, spans in shape.registers.items()
            for position, item in enumerate(spans)
            for span in _register(
                written, register, item, served, site, end_ms, (*path, "registers", register, position)
            )
        ]
        registers.sort(key=lambda span: (span.register, span.from_ms, span.channel, span.role))
        assignments = tuple(Assignment(point.id, start, open_end(end)) for point, (start, end), _ in served)
        devices[id_] = Device(id_, site.id, assignments, tuple(registers))
    return devices


def _site(written: Written, shape: DeviceShape, points: dict[str, SupplyPoint], path: Path) -> Site | None:
    """The one site of all assignments; None if it cannot be told, with every unknown supply point noted."""
    sites: dict[str, Site] = {}
    for position, item in enumerate(shape.assignments):
        where = (*path, "assignments", position, "supply_point")
        point = points.get(item.supply_point) if written.refer("supply_points", item.supply_point, where) else None
        if point is not None and point.site is not None:
            sites[point.site.id] = point.site
            if len(sites) > 1:
                do = "give it a new id at the other site: a device has one calendar"
                written.add(where, Fault("two_sites", f"the device is already at site {next(iter(sites))}", do))
    return next(iter(sites.values())) if sites else None


def _end(written: Written, id_: str, site: Site) -> int:
    """Where `ended` cuts the device's timeline; a withdrawn device has none."""
    ending = written.endings.get(("device", id_))
    if ending is None:
        return FOREVER
    path = (*written.path("devices", id_), "ended", "at")
    instant = _instant(written, ending.at, site, path) if ending.at else None
    return instant if instant is not None else -FOREVER


def _instant(written: Written, moment: Moment | None, site: Site, path: Path) -> int | None:
    if moment is None:
        return None
    instant = to_instant(moment, site.utc_offsets, site.first_year)
    if isinstance(instant, Fault):
        written.add(path, instant)
        return None
    return instant


def _span(written: Written, start: Moment | None, end: Moment | None, site: Site, path: Path) -> Span | None:
    """What `from` and `to` say, unbounded where they say nothing; None after a problem."""
    from_ms, to_ms = _instant(written, start, site, (*path, "from")), _instant(written, end, site, (*path, "to"))
    if (start and from_ms is None) or (end and to_ms is None):
        return None
    span = (-FOREVER if from_ms is None else from_ms, FOREVER if to_ms is None else to_ms)
    if span[0] >= span[1]:
        wrong = "the end is not after the beginning"
        written.add((*path, "to"), Fault("empty_span", wrong, "`to` is the first instant that no longer belongs to it"))
        return None
    return span


def _served(
    written: Written, shape: DeviceShape, points: dict[str, SupplyPoint], site: Site, end_ms: int, path: Path
) -> Iterator[Served]:
    taken: list[Span] = []
    for position, item in enumerate(shape.assignments):
        where = (*path, "assignments", position)
        span = _span(written, item.from_, item.to, site, where)
        point = points.get(item.supply_point)
        if span is None or point is None:
            continue
        if clash := next((both for other in taken if (both := common(span, other))), None):
            wrong = f"the device is assigned twice from {iso_utc(clash[0])}"
            written.add(where, Fault("overlapping_assignments", wrong, "end one assignment where the next begins"))
        taken.append(span)
        if cut := common(span, (-FOREVER, end_ms)):
            yield point, cut, where


def _joined(served: Iterator[Served]) -> list[Served]:
    """Assignments to one supply point that touch are one: a register's chain would break between them."""
    result: list[Served] = []
    for point, (start, end), path in sorted(served, key=lambda item: item[1]):
        if result and result[-1][0].id == point.id and result[-1][1][1] == start:
            result[-1] = (point, (result[-1][1][0], end), result[-1][2])
        else:
            result.append((point, (start, end), path))
    return result


def _register(
    written: Written, register: str, shape: RegisterShape, served: list[Served], site: Site, end_ms: int, path: Path
) -> Iterator[RegisterSpan]:
    """The spans of one entry: one for each assignment that it reaches into."""
    span = _span(written, shape.from_, shape.to, site, path)
    if span is None:
        return
    span = (span[0], min(span[1], end_ms))
    reached = [(point, both) for point, when, _ in served if (both := common(span, when))]
    starts, ends = [both[0] for _, both in reached], [both[1] for _, both in reached]
    outside = (shape.from_ and span[0] not in starts) or (shape.to and span[1] not in ends)
    if (outside or not reached) and served and span[0] < span[1]:
        do = "keep it inside an assignment, or leave `from` and `to` out"
        written.add(path, Fault("register_outside_assignment", "the device is not assigned all that time", do))
    for point, both in reached:
        channel = point.channels.get(shape.channel)
        if channel is not None:
            row = _row(written, register, shape, channel, path)
            if row is not None:
                yield RegisterSpan(
                    point.id, register, channel.id, shape.role or channel.kind, both[0], open_end(both[1]), *row
                )
        elif shape.channel not in _declared_channels(written, point.id):
            wrong = f"supply point {point.id} has no channel {shape.channel}"
            written.add(
                (*path, "channel"),
                Fault("unknown_reference", wrong, f"define it under supply_points.{point.id}.channels"),
            )


def _declared_channels(written: Written, point: str) -> set[str]:
    """Channels in the file, those with problems included."""
    node = written.document.data["supply_points"][point]
    return set(node.get("channels") or ())


def _row(
    written: Written, register: str, shape: RegisterShape, channel: Channel, path: Path
) -> tuple[int, int, int | None, int, int | None] | None:
    """(multiplier, decimals, digits, nano_per_count, max_nano_per_hour); None after a problem."""
    if not _role_fits(written, shape, channel, path):
        return None
    per_count = shape.per_count
    nano = Fraction(per_count) * _NANO if per_count else Fraction(shape.multiplier * _NANO, 10**shape.decimals)
    most = None if shape.max_per_hour is None else Fraction(shape.max_per_hour) * _NANO
    faults = [
        (key, value)
        for key, value in (("per_count" if per_count else "decimals", nano), ("max_per_hour", most))
        if value is not None and (value.denominator != 1 or not 1 <= value < _LIMIT)
    ]
    for key, value in faults:
        shown = f"{Decimal(value.numerator) / Decimal(value.denominator) / _NANO:f}"
        wrong = f"{shown} {channel.unit} is not a whole number of 10⁻⁹ {channel.unit} below 10⁹"
        written.add(
            (*path, key), Fault("count_not_exact", wrong, "use at most nine decimals, or a larger or smaller unit")
        )
    return (
        None
        if faults
        else (shape.multiplier, shape.decimals, shape.digits, int(nano), None if most is None else int(most))
    )


def _role_fits(written: Written, shape: RegisterShape, channel: Channel, path: Path) -> bool:
    """Role against kind, and no key that the role would silently ignore."""
    role = shape.role or channel.kind
    before = len(written.problems)
    if role != channel.kind and (role, channel.kind) != ("check", "intervals"):
        do = f"use {channel.kind}{' or check' if channel.kind == 'intervals' else ''}, or give the meter a channel of its own"
        written.add((*path, "role"), Fault("role_mismatch", f"role {role} on a channel of kind {channel.kind}", do))
    if role == "intervals":
        for key in ("decimals", "digits", "per_count"):
            if key in shape.model_fields_set:
                wrong = f"`{key}` belongs to registers that are read as totals, and this one delivers intervals"
                written.add((*path, key), Fault("role_mismatch", wrong, "leave it out, or set the role"))
    elif shape.per_count is not None and "multiplier" in shape.model_fields_set:
        do = "give the quantity of one count after the multiplier, and no `multiplier`"
        written.add((*path, "per_count"), Fault("role_mismatch", "both `per_count` and `multiplier`", do))
    if shape.digits is not None and shape.digits < shape.decimals:
        written.add(
            (*path, "digits"),
            Fault("bad_value", "fewer digits than decimals", "`digits` counts all digits of the register"),
        )
    return len(written.problems) == before
