"""The body of an edition, from a YAML file with a `tariffs:` section.

It is made by the code that makes the portfolio's tariffs, and checked against the portfolio in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from meterfold.portfolio.build_tariffs import build_tariffs
from meterfold.portfolio.check_tenancies import check_tenancies
from meterfold.portfolio.document import Document, read_document
from meterfold.portfolio.in_force import InForce, latest
from meterfold.portfolio.model import Account, Channel, Key, LegalEntity, Policy, SupplyPoint, Tenancy
from meterfold.portfolio.model_tariffs import Series, TaxObject
from meterfold.portfolio.problem import Fault, Problem
from meterfold.portfolio.records import Body
from meterfold.portfolio.records_tariffs import tariff_body
from meterfold.portfolio.sections import Written, read_sections


def edition_body(content: bytes | str, tariff: str, records: Iterable[Mapping[str, Any]]) -> Body | list[Problem]:
    """What `tariffs.TARIFF` of the file says, or everything wrong with it; its other sections and tariffs are passed over.

    `records`: those of the billing log; the tenancies in force that are on the tariff are held against its prices.
    """
    document = read_document(content)
    if isinstance(document, list):
        return document
    found = latest(record for record in records if record.get("type") == "reference")
    in_force = {key: item for key, item in found.items() if not item.withdrawn}
    missing = _missing(document, tariff, in_force)
    if missing:
        return [missing]
    written = read_sections(_of_tariff(document, tariff))
    entities = _legal_entities(in_force)
    written.declared["legal_entities"] = set(entities)
    if ("tariff", tariff) in written.endings:
        wrong = "an edition neither ends nor is it withdrawn in a file"
        written.add(("tariffs", tariff), Fault("bad_value", wrong, "leave `ended` and `withdrawn` out"))
    taxes, series = _taxes(in_force), _series(in_force)
    written.declared["taxes"], written.declared["series"] = set(taxes), set(series)
    tariffs = build_tariffs(written, entities, taxes, series)
    tenancies = {id_: item for id_, item in _tenancies(in_force).items() if item.tariff == tariff}
    check_tenancies(written, tenancies, _accounts(in_force), _supply_points(in_force), tariffs, taxes, series)
    if tariff in tariffs and tariffs[tariff].currency != in_force["tariff", tariff].body["currency"]:
        wrong = f"{in_force['tariff', tariff].body['currency']} is in force, the file says {tariffs[tariff].currency}"
        written.add(
            ("tariffs", tariff, "currency"), Fault("fixed", wrong, "keep the currency: another one is another tariff")
        )
    return _placed(written) or tariff_body(tariffs[tariff])


def _taxes(in_force: Mapping[Key, InForce]) -> dict[str, TaxObject]:
    bodies = {id_: item.body for (kind, id_), item in in_force.items() if kind == "tax"}
    return {
        id_: TaxObject(
            id=id_,
            name=body["name"],
            rates=tuple((date.fromisoformat(rate["from"]), Decimal(rate["rate"])) for rate in body["rates"]),
            date=body["date"],
            rounding=body.get("rounding", "document"),
            round=None,
            included=body.get("included", False),
            share_of=body.get("share_of", "net"),
        )
        for id_, body in bodies.items()
    }


def _series(in_force: Mapping[Key, InForce]) -> dict[str, Series]:
    """Without their prices, which no tariff is held against."""
    bodies = {id_: item.body for (kind, id_), item in in_force.items() if kind == "series"}
    return {id_: Series(id_, body["unit"], body["currency"], body["step_s"], ()) for id_, body in bodies.items()}


def _of_tariff(document: Document, tariff: str) -> Document:
    """The document with nothing but that tariff in it."""
    lines = {path: line for path, line in document.lines.items() if path[:2] in ((), ("tariffs",), ("tariffs", tariff))}
    return Document({"tariffs": {tariff: document.data["tariffs"][tariff]}}, lines)


def _placed(written: Written) -> list[Problem]:
    """Every problem in the order of lines; what is of the portfolio in force stands on no line."""
    found = (replace(item, line=0) if item.path.split(".")[0] != "tariffs" else item for item in written.problems)
    return sorted(set(found), key=lambda problem: (problem.line, problem.path, problem.code, problem.wrong))


def _missing(document: Document, tariff: str, in_force: Mapping[Key, InForce]) -> Problem | None:
    section = document.data.get("tariffs")
    if not isinstance(section, dict) or tariff not in section:
        there = list(section) if isinstance(section, dict) else []
        near = get_close_matches(tariff, there, n=1)
        do = f"did you mean {near[0]}" if near else f"it has {', '.join(there) or 'no `tariffs:` at all'}"
        return document.problem("unknown_reference", ("tariffs",), f"the file defines no tariff {tariff}", do)
    if ("tariff", tariff) not in in_force:
        do = "load it with the portfolio first: an edition is one of a tariff that is in force"
        return document.problem("not_in_force", ("tariffs", tariff), f"tariff {tariff} is not in the portfolio", do)
    return None


# What a tariff is held against; the rest of these objects does not matter to it.


def _legal_entities(in_force: Mapping[Key, InForce]) -> dict[str, LegalEntity]:
    return {
        id_: LegalEntity(id_, item.body["name"], item.body["currency"], item.body["invoice_series"])
        for (kind, id_), item in in_force.items()
        if kind == "legal_entity"
    }


def _accounts(in_force: Mapping[Key, InForce]) -> dict[str, Account]:
    return {
        id_: Account(
            id=id_,
            legal_entity=item.body["legal_entity"],
            party_id=item.body["party_id"],
            currency=item.body["currency"],
            billing_from=date.fromisoformat(item.body["billing_from"]),
            calendar_day=item.body["calendar"]["day"],
            opening_position=Decimal(item.body["opening_position"]),
        )
        for (kind, id_), item in in_force.items()
        if kind == "account"
    }


def _tenancies(in_force: Mapping[Key, InForce]) -> dict[str, Tenancy]:
    return {
        id_: Tenancy(
            id=id_,
            account=item.body["account"],
            supply_point=item.body["supply_point"],
            from_day=date.fromisoformat(item.body["from"]),
            to_day=date.fromisoformat(item.body["to"]) if item.body["to"] else None,
            tariff=item.body["tariff"],
            numbers=tuple(
                (number["name"], date.fromisoformat(number["from"]), Decimal(number["value"]))
                for number in item.body.get("numbers") or ()
            ),
        )
        for (kind, id_), item in in_force.items()
        if kind == "tenancy"
    }


def _supply_points(in_force: Mapping[Key, InForce]) -> dict[str, SupplyPoint]:
    return {
        id_: SupplyPoint(id_, None, {channel["channel"]: _channel(channel) for channel in item.body["channels"]})
        for (kind, id_), item in in_force.items()
        if kind == "supply_point"
    }


def _channel(body: Body) -> Channel:
    return Channel(
        id=body["channel"],
        kind=body["kind"],
        commodity=body["commodity"],
        direction=body["direction"],
        unit=body["unit"],
        interval_s=body["grid_s"],
        grid_s=body["grid_s"],
        allowance_s=0,
        horizon_days=0,
        signed=False,
        policy=Policy(None, None, None, None),
    )
