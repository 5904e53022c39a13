"""What charges and taxes of decision 12 come to: fractions and zoneinfo, window by window, straight from the bodies of the tariffs.

It shares no code with sql/. Quantities are cut after 18 places where a step divides and after 12 where they are priced, bounds in
proportion after nine; money is a fraction until it is rounded, once a line.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PLACES = {"GBP": 2, "JPY": 0, "KWD": 3}
SIZES = {"Wh": 1, "kWh": 1000, "MWh": 10**6, "varh": 1, "kvarh": 1000}
ENERGY_OF = {"kW": "kWh", "kvar": "kvarh"}
HALF_HOUR = timedelta(minutes=30)

Body = dict[str, Any]
Window = tuple[int, datetime]
"""Start in ms, and local time."""


@dataclass
class Truth:
    """Everything the oracle may know: bodies as written, and what stands now in 10⁻⁹ by (supply point, channel, start in ms)."""

    zone: ZoneInfo
    holidays: set[date]
    currency: str
    last: date
    units: dict[tuple[str, str], str] = field(default_factory=dict)
    tariffs: dict[str, list[Body]] = field(default_factory=dict)
    tenancies: dict[str, Body] = field(default_factory=dict)
    billing_from: dict[str, date] = field(default_factory=dict)
    calendar_day: dict[str, int] = field(default_factory=dict)
    standing: dict[tuple[str, str, int], int] = field(default_factory=dict)
    taxes: dict[str, Body] = field(default_factory=dict)
    treatments: dict[str, list[Body]] = field(default_factory=dict)
    series: dict[str, dict[int, str]] = field(default_factory=dict)
    """Prices by the instant in ms at which their hour begins."""
    today: date = date(2024, 5, 3)
    invoiced: dict[tuple[str, date], date] = field(default_factory=dict)


@dataclass(frozen=True)
class Segment:
    """Days of one tenancy under one tariff version in one period; `period_days` of the whole calendar period.

    `part`: the day of the last change of a tax by the day of supply, or the first of the period.
    `numbers`: those of the tenancy on its first day.
    """

    account: str
    period_no: int
    period_from: date
    period_days: int
    supply_point: str
    tariff: str
    version: str
    body: Body = field(hash=False, compare=False)
    days: tuple[date, ...]
    part: date
    numbers: dict[str, Fraction] = field(hash=False, compare=False)


@dataclass(frozen=True)
class Line:
    """One charge element: what it is called in `of`, its element, its amount rounded."""

    name: str
    kind: str
    element: str
    amount: Fraction


def rated(truth: Truth) -> dict[tuple[str, date, str], Decimal]:
    """{(account, first day of the period, element): amount}."""
    lines: dict[tuple[str, date], dict[tuple[str, str, str, date], list[Line]]] = defaultdict(lambda: defaultdict(list))
    grouped: dict[tuple[str, date, str, str, str, date], list[Segment]] = defaultdict(list)
    ends: dict[tuple[str, date], date] = {}
    segments = list(_segments(truth))
    for segment in segments:
        key = segment.account, segment.period_from, segment.supply_point, segment.tariff, segment.version, segment.part
        grouped[key].append(segment)
        ends[key[:2]] = _period(segment.days[0], truth.calendar_day[segment.account])[1] - timedelta(days=1)
    demands = _demands(truth, segments)
    whole = _whole_days(truth, segments)
    for (account, period_from, point, tariff, version, part), parts in grouped.items():
        lines[account, period_from][point, tariff, version, part] = _net_lines(truth, parts, demands, whole)
    found: dict[tuple[str, date, str], Decimal] = {}
    for (account, period_from), by_list in lines.items():
        versions = {key: _body(truth, key[1], key[2]) for key in by_list}
        taxes = _taxes(truth, account, period_from, ends[account, period_from], by_list, versions)
        for line in [*(line for items in by_list.values() for line in items), *taxes]:
            element = account, period_from, line.element
            found[element] = found.get(element, Decimal(0)) + decimal(line.amount)
    return found


def _body(truth: Truth, tariff: str, version: str) -> Body:
    return next(item for item in truth.tariffs[tariff] if item["version"] == version)


# -- time ---------------------------------------------------------------------------------------------------------------


def _segments(truth: Truth) -> Iterable[Segment]:
    days: dict[tuple[str, str, str, date, date], list[date]] = defaultdict(list)
    about: dict[tuple[str, str, str, date, date], Any] = {}
    for name, tenancy in truth.tenancies.items():
        account = tenancy["account"]
        day = max(date.fromisoformat(tenancy["from"]), truth.billing_from[account])
        end = min(date.fromisoformat(tenancy["to"] or "2099-01-01"), truth.last)
        while day < end:
            begins, until = _period(day, truth.calendar_day[account])
            if until > truth.last:
                break
            effective = [
                item for item in truth.tariffs[tenancy["tariff"]] if date.fromisoformat(item["effective_from"]) <= day
            ]
            first = max(begins, truth.billing_from[account])
            cuts = [at for at in _tax_changes(truth, account, effective[-1]) if first < at <= day]
            turns = [at for at in _number_changes(tenancy, effective[-1]) if at <= day]
            key = name, str(begins), effective[-1]["version"], max(cuts, default=first), max(turns, default=first)
            days[key].append(day)
            about[key] = account, begins, until, tenancy, effective[-1]
            day += timedelta(days=1)
    for key, found in days.items():
        account, begins, until, tenancy, body = about[key]
        period_from = max(begins, truth.billing_from[account])
        period_no = begins.year * 12 + begins.month
        yield Segment(
            account, period_no, period_from, (until - begins).days, tenancy["supply_point"], tenancy["tariff"],
            body["version"], body, tuple(found), key[3], _numbers(tenancy, found[0]),
        )  # fmt: skip


def _number_changes(tenancy: Body, body: Body) -> set[date]:
    """Days on which a number of the tenancy that the version counts is another."""
    named = {charge.get("number") or charge.get("above") for charge in body.get("charges") or ()}
    named |= {charge.get("bounds_of") for charge in body.get("charges") or () if charge.get("bounds") == "number"}
    return {date.fromisoformat(item["from"]) for item in tenancy.get("numbers") or () if item["name"] in named}


def _numbers(tenancy: Body, day: date) -> dict[str, Fraction]:
    listed = sorted(tenancy.get("numbers") or (), key=lambda item: str(item["from"]))
    return {item["name"]: Fraction(item["value"]) for item in listed if item["from"] <= str(day)}


def _tax_changes(truth: Truth, account: str, body: Body) -> set[date]:
    """Days on which a rate or treatment of a tax by the day of supply changes."""
    named = {
        item["tax"]
        for item in body.get("taxes") or ()
        if "tax" in item and truth.taxes[item["tax"]]["date"] == "supply"
    }
    found = {date.fromisoformat(rate["from"]) for name in named for rate in truth.taxes[name]["rates"]}
    for item in truth.treatments.get(account, ()):
        if item["tax"] in named:
            found |= {date.fromisoformat(item[key]) for key in ("from", "to") if item[key]}
    return found


def _period(day: date, turns: int) -> tuple[date, date]:
    month = day if day.day >= turns else day.replace(day=1) - timedelta(days=1)
    following = month.replace(day=28) + timedelta(days=4)
    return month.replace(day=turns), following.replace(day=turns)


def _windows(truth: Truth, days: Iterable[date]) -> list[Window]:
    """Every half-hour that begins on these local days."""
    found = []
    for day in days:
        at = datetime(day.year, day.month, day.day, tzinfo=truth.zone).astimezone(UTC)
        while (local := at.astimezone(truth.zone)).date() == day:
            found.append((int(at.timestamp() * 1000), local))
            at += HALF_HOUR
    return found


def _first_match(truth: Truth, items: Sequence[Body], local: datetime) -> int | None:
    """The position of the first band or `when` that a local start falls into."""
    names_holiday = any("holiday" in (item.get("days") or ()) for item in items)
    day = "holiday" if names_holiday and local.date() in truth.holidays else WEEKDAYS[local.weekday()]
    clock = f"{local:%H:%M}"
    for at, item in enumerate(items):
        start, end = item.get("from") or "00:00", item.get("to") or "24:00"
        inside = start <= clock < end if start < end else clock >= start or clock < end
        if (
            inside
            and (not item.get("months") or local.month in item["months"])
            and (not item.get("days") or day in item["days"])
        ):
            return at
    return None


def _matching(truth: Truth, charge: Body, windows: list[Window]) -> dict[int, list[Window]]:
    """The windows that count, by position of the band; without bands by 0."""
    items = charge.get("bands") or [] if charge["kind"] == "energy" else charge.get("when") or []
    found: dict[int, list[Window]] = defaultdict(list)
    for window in windows:
        at = _first_match(truth, items, window[1]) if items else 0
        if at is not None:
            found[at if charge["kind"] == "energy" else 0].append(window)
    return found


# -- quantities ---------------------------------------------------------------------------------------------------------


def cut(number: Fraction, places: int) -> Fraction:
    """Towards zero."""
    scaled = abs(number) * 10**places
    return Fraction(floor(scaled), 10**places) * (-1 if number < 0 else 1)


def rounded(number: Fraction, to: Fraction, mode: str) -> Fraction:
    steps = abs(number) / to
    whole = floor(steps)
    rest = steps - whole
    if mode == "up":
        whole += rest > 0
    elif mode == "half_up":
        whole += rest >= Fraction(1, 2)
    elif mode == "half_even":
        whole += rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1)
    return whole * to * (-1 if number < 0 else 1)


def decimal(number: Fraction) -> Decimal:
    """An amount, exactly: it has at most nine places."""
    return Decimal(int(number * 10**9)).scaleb(-9)


def _rounding(truth: Truth, body: Body) -> Callable[[Fraction], Fraction]:
    told = body.get("round")
    to = Fraction(told["to"]) if told else Fraction(1, 10 ** PLACES[truth.currency])
    mode = (told or {}).get("mode") or "half_up"
    return lambda number: rounded(number, to, mode)


def _measured(truth: Truth, segment: Segment, charge: Body, windows: list[Window]) -> Fraction | None:
    """The quantity of a charge over windows that count, cut after 12 places; None where the supply point has not the channel."""
    told = charge["quantity"]
    point, channel = segment.supply_point, told["channel"]
    unit = truth.units.get((point, channel))
    if unit is None:
        return None

    def values(name: str) -> list[Fraction]:
        return [Fraction(truth.standing[point, name, start], 10**9) for start, _ in windows]

    def total(numbers: list[Fraction]) -> Fraction:
        if charge["kind"] != "demand":
            return sum(numbers, Fraction(0))
        count = charge.get("highest", 1) if charge.get("measure") == "average" else 1
        top = sorted(numbers, reverse=True)[:count]
        return cut(sum(top, Fraction(0)) * 2 / len(top), 18)

    def size(name: str) -> Fraction:
        return Fraction(SIZES[truth.units[point, name]], SIZES[unit])

    minus = told.get("minus")
    taken = minus if minus and (point, minus) in truth.units else None
    numbers = values(channel)
    if minus and told.get("net", "interval") == "interval":
        off = [cut(number * size(taken), 9) for number in values(taken)] if taken else [Fraction(0)] * len(numbers)
        quantity = total([max(Fraction(0), number - other) for number, other in zip(numbers, off, strict=True)])
    else:
        quantity = total(numbers)
        if taken:
            quantity = max(Fraction(0), quantity - cut(total(values(taken)) * size(taken), 18))
    if beyond := told.get("beyond"):
        other = cut(total(values(beyond["channel"])) * size(beyond["channel"]), 18)
        quantity = max(Fraction(0), quantity - cut(other * Fraction(beyond["share"]), 18))
    quantity = cut(quantity * Fraction(told.get("share") or "1"), 18)
    for step in told.get("steps") or ():
        factor = Fraction(step["times"]) if step.get("times") else 1 / Fraction(step["over"])
        quantity = cut(quantity * factor, 18)
        if step.get("round"):
            quantity = rounded(quantity, Fraction(step["round"]["to"]), step["round"].get("mode") or "half_up")
    if not told.get("steps"):
        wanted = ENERGY_OF.get(told["unit"], told["unit"]) if charge["kind"] == "demand" else told["unit"]
        quantity *= Fraction(SIZES[unit], SIZES[wanted])
    return cut(quantity, 12)


Whole = dict[tuple[str, date, str, str], int]
"""By account, first day of the period, supply point and charge, on how many days it is due."""


def _whole_days(truth: Truth, segments: list[Segment]) -> Whole:
    """Of what counts a channel, only the days of segments in which something counts."""
    found: Whole = defaultdict(int)
    for segment in segments:
        for charge in _charges(segment.body):
            if charge["kind"] in ("tiers", "demand"):
                windows = _matching(truth, charge, _windows(truth, segment.days)).get(0)
                if not windows or _measured(truth, segment, charge, windows) is None:
                    continue
            found[segment.account, segment.period_from, segment.supply_point, charge["name"]] += len(segment.days)
    return found


def _proportion(charge: Body, segment: Segment, days: int, whole: Whole) -> Fraction:
    """Of the calendar period; or, taken whole, of all days of the account on which it is due."""
    if charge.get("prorate") != "none":
        return Fraction(days, segment.period_days)
    return Fraction(days, whole[segment.account, segment.period_from, segment.supply_point, charge["name"]])


def _demands(truth: Truth, segments: list[Segment]) -> dict[tuple[Segment, str], Fraction]:
    """The billed demand of every segment and demand charge, ratchets followed in order of the periods."""
    billed: dict[tuple[Segment, str], Fraction] = {}
    history: dict[tuple[str, str, str, str], dict[int, Fraction]] = defaultdict(dict)
    for segment in sorted(segments, key=lambda item: item.period_no):
        for charge in _charges(segment.body):
            if charge["kind"] != "demand":
                continue
            windows = _matching(truth, charge, _windows(truth, segment.days)).get(0)
            measured = _measured(truth, segment, charge, windows) if windows else None
            if measured is None:
                continue
            before = history[segment.account, segment.supply_point, charge["quantity"]["channel"], charge["name"]]
            if charge.get("above"):
                measured = max(Fraction(0), measured - segment.numbers[charge["above"]])
            demand = max(measured, Fraction(charge.get("minimum") or "0"))
            if ratchet := charge.get("ratchet"):
                reach = range(segment.period_no - ratchet["months"], segment.period_no)
                highest = max((before[at] for at in reach if at in before), default=Fraction(0))
                demand = max(demand, cut(highest * Fraction(ratchet["share"]), 12))
            billed[segment, charge["name"]] = demand
        for charge in _charges(segment.body):
            if charge["kind"] == "demand" and (segment, charge["name"]) in billed:
                before = history[segment.account, segment.supply_point, charge["quantity"]["channel"], charge["name"]]
                now = billed[segment, charge["name"]]
                before[segment.period_no] = max(before.get(segment.period_no, Fraction(0)), now)
    return billed


def _charges(body: Body) -> list[Body]:
    """The charges of a version; the old fields first, without a name."""
    old: list[Body] = [
        {"name": None, "kind": "energy", "quantity": item, "bands": item["bands"]} for item in body.get("energy") or ()
    ]
    if body.get("standing_per_day"):
        old.append({"name": None, "kind": "standing", "per": "day", "rate": body["standing_per_day"]})
    return [*old, *(body.get("charges") or ())]


# -- money --------------------------------------------------------------------------------------------------------------


def _net_lines(
    truth: Truth, segments: list[Segment], demands: dict[tuple[Segment, str], Fraction], whole: Whole
) -> list[Line]:
    """The lines of one account, period, supply point, tariff version and part of the period with one rate of tax, before tax."""
    body, first = segments[0].body, segments[0]
    lines: list[Line] = []
    for charge in _charges(body):
        amounts: dict[str, Fraction] = defaultdict(Fraction)
        for segment in segments:
            for band, amount in _amounts(truth, segment, charge, demands, whole).items():
                amounts[band] += amount
        for band, amount in amounts.items():
            lines.append(
                Line(
                    charge["name"] or "",
                    charge["kind"],
                    _element(first, charge, band),
                    _rounding(truth, charge)(amount),
                )
            )
    base = list(lines)
    for charge in [item for item in _charges(body) if item["kind"] == "percentage"]:
        if any(_is_of(charge, line) for line in base):
            share = (
                _power_factor_share(truth, segments, charge["power_factor"])
                if "power_factor" in charge
                else charge["share"]
            )
            amount = sum((line.amount for line in base if _is_of(charge, line)), Fraction(0)) * Fraction(share)
            lines.append(
                Line(charge["name"], "percentage", _element(first, charge, ""), _rounding(truth, charge)(amount))
            )
    before = list(lines)
    days = sum(len(segment.days) for segment in segments)
    for charge in [item for item in _charges(body) if item["kind"] in ("minimum", "maximum")]:
        lacking = Fraction(charge["amount"]) * _proportion(charge, first, days, whole) - sum(
            (line.amount for line in before if _is_of(charge, line)), Fraction(0)
        )
        if lacking > 0 if charge["kind"] == "minimum" else lacking < 0:
            lines.append(
                Line(charge["name"], charge["kind"], _element(first, charge, ""), _rounding(truth, charge)(lacking))
            )
    return lines


def _power_factor_share(truth: Truth, segments: list[Segment], told: Body) -> str:
    """The share of the first bound that cos φ of the sums is below; squares are compared, as a root would not be exact."""
    sums = []
    for channel in (told["active"], told["reactive"]):
        point = segments[0].supply_point
        size = SIZES[truth.units[point, channel]]
        sums.append(
            sum(truth.standing[point, channel, at] * size for item in segments for at, _ in _windows(truth, item.days))
        )
    active, reactive = sums
    for row in told["table"]:
        if active**2 < Fraction(row["below"]) ** 2 * (active**2 + reactive**2):
            return str(row["share"])
    return "0"


def _is_of(charge: Body, line: Line) -> bool:
    return charge.get("of") is None or line.name in charge["of"]


def _element(segment: Segment, charge: Body, band: str) -> str:
    channel = charge["quantity"]["channel"] if "quantity" in charge else ""
    cut_at = [str(segment.part)] if segment.part > segment.period_from else []
    named = [charge["name"] or "", band, *cut_at] if charge["name"] or cut_at else [band]
    parts = [charge["kind"], segment.supply_point, channel, segment.tariff, segment.version, *named]
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)


def _amounts(
    truth: Truth, segment: Segment, charge: Body, demands: dict[tuple[Segment, str], Fraction], whole: Whole
) -> dict[str, Fraction]:
    """By band or tier what a segment adds to the lines of a charge, unrounded."""
    kind, days = charge["kind"], len(segment.days)
    if kind == "standing":
        times = Fraction(days) if charge["per"] == "day" else _proportion(charge, segment, days, whole)
        if charge["per"] == "year" and charge.get("prorate") == "none":
            times /= 12
        elif charge["per"] == "year":
            times = sum((Fraction(1, 366 if day.year % 4 == 0 else 365) for day in segment.days), Fraction(0))
        number = segment.numbers[charge["number"]] if charge.get("number") else 1
        return {"": times * number * Fraction(charge["rate"])}
    if kind == "demand":
        billed = demands.get((segment, charge["name"]))
        if billed is None:
            return {}
        return {"": billed * Fraction(charge["rate"]) * _proportion(charge, segment, days, whole)}
    if kind not in ("energy", "tiers"):
        return {}
    amounts: dict[str, Fraction] = {}
    for at, windows in _matching(truth, charge, _windows(truth, segment.days)).items():
        quantity = _measured(truth, segment, charge, windows)
        if quantity is None:
            continue
        if charge.get("series"):
            amounts[charge["series"]] = _at_series(truth, segment, charge, windows, quantity)
        elif kind == "energy":
            amounts[charge["bands"][at]["name"]] = quantity * Fraction(charge["bands"][at]["rate"])
        else:
            amounts |= _tiers(segment, charge, quantity, demands, _proportion(charge, segment, days, whole))
    return amounts


def _at_series(truth: Truth, segment: Segment, charge: Body, windows: list[Window], quantity: Fraction) -> Fraction:
    """Window by window, and `plus` on the whole."""
    worth = Fraction(0)
    for window in windows:
        price = Fraction(truth.series[charge["series"]][window[0] - window[0] % 3_600_000])
        one = _of_window(truth, segment, charge, window)
        worth += one * price
    told = charge["quantity"]
    factor = Fraction(SIZES[truth.units[segment.supply_point, told["channel"]]], SIZES[told["unit"]])
    worth *= factor * Fraction(told.get("share") or "1") * Fraction(charge.get("times") or "1")
    return worth + quantity * Fraction(charge.get("plus") or "0")


def _of_window(truth: Truth, segment: Segment, charge: Body, window: Window) -> Fraction:
    """In the unit of the channel, less what is taken off."""
    told, point = charge["quantity"], segment.supply_point
    one = Fraction(truth.standing[point, told["channel"], window[0]], 10**9)
    if minus := told.get("minus"):
        size = Fraction(SIZES[truth.units[point, minus]], SIZES[truth.units[point, told["channel"]]])
        one = max(Fraction(0), one - cut(Fraction(truth.standing[point, minus, window[0]], 10**9) * size, 9))
    return one


def _tiers(
    segment: Segment, charge: Body, quantity: Fraction, demands: dict[tuple[Segment, str], Fraction], share: Fraction
) -> dict[str, Fraction]:
    each = Fraction(1)
    if charge.get("bounds") == "demand":
        each = demands.get((segment, charge["bounds_of"]), Fraction(0))
    elif charge.get("bounds") == "number":
        each = segment.numbers[charge["bounds_of"]]
    amounts: dict[str, Fraction] = {}
    below: Fraction | None = None
    for number, tier in enumerate(charge["tiers"], 1):
        bound = None
        if tier["up_to"] is not None:
            per_day = charge.get("bounds") == "day"
            bound = (
                Fraction(tier["up_to"]) * len(segment.days)
                if per_day
                else cut(Fraction(tier["up_to"]) * each * share, 9)
            )
        fee = Fraction(tier.get("fee") or "0") * share
        name = tier.get("name") or str(number)
        is_last = bound is None or quantity <= bound
        if charge["scheme"] == "volume":
            if is_last:
                return {name: quantity * Fraction(tier["rate"]) + fee}
        else:
            top = quantity if is_last else bound
            assert top is not None
            amounts[name] = (top - (below or 0)) * Fraction(tier["rate"]) + fee
            if is_last:
                return amounts
        below = bound
    raise AssertionError("the last tier has a bound")


def _taxes(
    truth: Truth,
    account: str,
    period_from: date,
    last: date,
    by_list: dict[tuple[str, str, str, date], list[Line]],
    versions: dict[tuple[str, str, str, date], Body],
) -> list[Line]:
    """One line a tax (name, rate, treatment) of an account and period, in the order written; and one more of what prices contain."""
    found: dict[tuple[str, ...], _Levied] = {}
    for key, lines in by_list.items():
        body = versions[key]
        taxes = [body["tax"]] if body.get("tax") else []
        taxes += body.get("taxes") or []
        levied = [
            _levy(
                truth,
                account,
                item,
                {
                    "supply": key[3],
                    "period_end": last,
                    "invoice": truth.invoiced.get((account, period_from), truth.today),
                },
            )
            for item in taxes
        ]
        for number, one in enumerate(levied):
            tax = found.setdefault(one.which, one)
            tax.order = max(tax.order, number)
            tax.on |= {other.which for other in levied[:number] if other.label in (one.told.get("on") or ())}
            for line in (line for line in lines if _is_of(one.told, line)):
                beside = [other for other in levied if _is_of(other.told, line)]
                share = one.listed
                if one.included and not one.gross:
                    share /= 1 + sum(other.listed for other in beside if other.included)
                if one.gross and not one.included:
                    share /= 1 - sum(other.listed for other in beside if other.gross and not other.treatment)
                tax.exact += line.amount * share
                tax.by_line += _rounding(truth, one.rules)(line.amount * share)
    amounts: dict[tuple[str, ...], Fraction] = {}
    lines_of: list[Line] = []
    waiting = sorted(found.values(), key=lambda item: (item.order, item.which))
    while waiting:
        # the first that has all that it is on: another version may number them otherwise
        tax = next(item for item in waiting if item.on <= set(amounts))
        waiting.remove(tax)
        on = sum((amounts[other] for other in tax.on), Fraction(0)) * tax.listed
        rounding = _rounding(truth, tax.rules)
        amount = tax.by_line + rounding(on) if tax.rules.get("rounding") == "line" else rounding(tax.exact + on)
        name, rate, treatment = tax.which[:3]
        amounts[tax.which] = Fraction(0) if treatment else amount
        said = [treatment] if treatment else []
        if tax.included:
            lines_of.append(Line("", "contained", _compact(["contained", name, tax.which[3], *said]), -amount))
        lines_of.append(Line("", "tax", _compact(["tax", name, rate, *said]), amounts[tax.which]))
    return lines_of


@dataclass
class _Levied:
    """A tax as it is for some lines: `which` (name, rate, treatment, rate that is listed), and what it comes to."""

    which: tuple[str, ...]
    label: str
    told: Body
    rules: Body
    listed: Fraction
    treatment: str
    included: bool
    gross: bool
    order: int = 0
    on: set[tuple[str, ...]] = field(default_factory=set)
    exact: Fraction = Fraction(0)
    by_line: Fraction = Fraction(0)


def _levy(truth: Truth, account: str, told: Body, days: dict[str, date]) -> _Levied:
    if "tax" not in told:
        rate = _plain(told["rate"])
        return _Levied((told["name"], rate, "", rate), told["name"], told, told, Fraction(rate), "", False, False)
    rules = truth.taxes[told["tax"]]
    day = str(days[rules["date"]])
    rate = _plain(next(item["rate"] for item in reversed(rules["rates"]) if item["from"] <= day))
    treatment = next(
        (
            item["treatment"]
            for item in truth.treatments.get(account, ())
            if item["tax"] == told["tax"] and item["from"] <= day and not (item["to"] and item["to"] <= day)
        ),
        "",
    )
    which = rules["name"], "0" if treatment else rate, treatment, rate
    label = told.get("name") or told["tax"]
    gross = rules.get("share_of") == "gross"
    return _Levied(which, label, told, rules, Fraction(rate), treatment, bool(rules.get("included")), gross)


def _compact(parts: list[str]) -> str:
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)


def _plain(rate: str) -> str:
    return rate.rstrip("0").rstrip(".") if "." in rate else rate
