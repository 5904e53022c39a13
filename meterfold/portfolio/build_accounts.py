"""Accounts and tenancies: who is billed for which supply point, when, on which tariff."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from meterfold.portfolio.model import Account, LegalEntity, Tenancy, Treatment
from meterfold.portfolio.problem import Fault, Path
from meterfold.portfolio.sections import Written
from meterfold.portfolio.shape import AccountShape, TenancyShape
from meterfold.portfolio.units import minor_digits


def build_accounts(written: Written, legal_entities: dict[str, LegalEntity]) -> dict[str, Account]:
    """Accounts in the currency of their legal entity."""
    accounts = {}
    for id_, shape in written.objects("accounts", AccountShape).items():
        path = written.path("accounts", id_)
        owner = written.refer_or_only("legal_entities", shape.legal_entity, (*path, "legal_entity"))
        entity = legal_entities.get(owner) if owner else None
        if entity is None:
            continue
        if shape.currency not in (None, entity.currency):
            wrong = f"{shape.currency}, but legal entity {entity.id} bills in {entity.currency}"
            written.add(
                (*path, "currency"), Fault("currency_mismatch", wrong, "leave it out, or name another legal entity")
            )
        digits = minor_digits(entity.currency)
        if shape.opening_position != round(shape.opening_position, digits):
            wrong = f"{shape.opening_position} is no amount of {entity.currency}"
            written.add((*path, "opening_position"), Fault("bad_value", wrong, f"write at most {digits} decimals"))
        accounts[id_] = Account(
            id=id_,
            legal_entity=entity.id,
            party_id=shape.party_id,
            currency=entity.currency,
            billing_from=shape.billing_from,
            calendar_day=shape.calendar.day,
            opening_position=shape.opening_position,
            taxes=_treatments(written, shape, path),
        )
    return accounts


def _treatments(written: Written, shape: AccountShape, path: Path) -> tuple[Treatment, ...]:
    """How taxes are treated, each in one way at a time."""
    treatments: list[Treatment] = []
    for position, item in enumerate(shape.taxes):
        where = (*path, "taxes", position)
        written.refer("taxes", item.tax, (*where, "tax"))
        if item.to is not None and item.to <= item.from_:
            wrong = f"{item.to} is not after {item.from_}"
            written.add((*where, "to"), Fault("empty_span", wrong, "`to` is the first day on which it no longer holds"))
        for other in treatments:
            if (
                other.tax == item.tax
                and item.from_ < (other.to_day or date.max)
                and other.from_day < (item.to or date.max)
            ):
                wrong = f"{item.tax} is already treated as {other.treatment} on {max(item.from_, other.from_day)}"
                written.add((*where, "from"), Fault("version_overlap", wrong, "end the earlier one with `to:`"))
        treatments.append(Treatment(item.tax, item.treatment, item.evidence, item.from_, item.to))
    return tuple(treatments)


def build_tenancies(written: Written) -> dict[str, Tenancy]:
    """Tenancies whose account, supply point and tariff the file defines; one that ended stops on that day."""
    tenancies = {}
    for id_, shape in written.objects("tenancies", TenancyShape).items():
        path = written.path("tenancies", id_)
        known = [
            written.refer("accounts", shape.account, (*path, "account")),
            written.refer("supply_points", shape.supply_point, (*path, "supply_point")),
            written.refer("tariffs", shape.tariff, (*path, "tariff")),
        ]
        to_day = shape.to
        ending = written.endings.get(("tenancy", id_))
        if ending is not None and ending.at is not None:
            to_day = min(to_day or ending.at.stamp.date(), ending.at.stamp.date())
        if to_day is not None and to_day <= shape.from_:
            wrong = f"{to_day} is not after {shape.from_}"
            do = "`to` is the first day that no longer belongs to it; a tenancy that never was is withdrawn"
            written.add((*path, "to"), Fault("empty_span", wrong, do))
        elif all(known):
            numbers = _numbers(written, shape, path)
            tenancies[id_] = Tenancy(
                id_, shape.account, shape.supply_point, shape.from_, to_day, shape.tariff, numbers
            )  # fmt: skip
    return tenancies


def _numbers(written: Written, shape: TenancyShape, path: Path) -> tuple[tuple[str, date, Decimal], ...]:
    """What is agreed or given, each from a day on: the first from the beginning of the tenancy unless it says another."""
    found = []
    for name, items in sorted(shape.numbers.items()):
        before = None
        for position, item in enumerate(items):
            begins = item.from_ or shape.from_
            if before is not None and begins <= before:
                where = (*path, "numbers", name, position, "from")
                wrong = f"holds from {begins}, not after the one before it ({before})"
                written.add(where, Fault("version_overlap", wrong, "write them in order of time, each with its `from`"))
            before = begins
            found.append((name, begins, item.is_))
    return tuple(found)
