"""The portfolio as log records: bodies of `reference` records for billing, and the raw records of a device for ingest.

The `device` body holds a device's whole timeline, with the definitions of the channels that it feeds and the digest of its site's
calendar. So a changed body is exactly a device whose raw records must be restated, and the raw records follow from it and the site's body.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any, Final

from meterfold.portfolio.calendar import TZDATA_VERSION, iso_utc
from meterfold.portfolio.model import (
    Account,
    Channel,
    Device,
    Ending,
    Key,
    LegalEntity,
    Portfolio,
    Site,
    SupplyPoint,
    Tenancy,
    Treatment,
)
from meterfold.portfolio.records_tariffs import decimal_text, series_body, tariff_body, tax_body
from meterfold.portfolio.units import minor_digits

Body = dict[str, Any]
"""Plain JSON values only, so that a body read back from the log equals the one written."""

KIND_ORDER: Final = ("legal_entity", "site", "supply_point", "device", "tax", "series", "tariff", "account", "tenancy")
"""The order of reference records: what is referred to comes first."""


def bodies(portfolio: Portfolio) -> dict[Key, Body]:
    """The body of every object that the file describes, by (kind, id)."""
    sites = {id_: _site(item) for id_, item in portfolio.sites.items()}
    digests = {id_: calendar_digest(id_, body) for id_, body in sites.items()}
    points = portfolio.supply_points
    return {
        **{("legal_entity", id_): _legal_entity(item) for id_, item in portfolio.legal_entities.items()},
        **{("site", id_): body for id_, body in sites.items()},
        **{("supply_point", id_): _supply_point(item) for id_, item in points.items()},
        **{("device", id_): _device(item, points, digests) for id_, item in portfolio.devices.items()},
        **{("tax", id_): tax_body(item) for id_, item in portfolio.taxes.items()},
        **{("series", id_): series_body(item) for id_, item in portfolio.series.items()},
        **{("tariff", id_): tariff_body(item) for id_, item in portfolio.tariffs.items()},
        **{("account", id_): _account(item) for id_, item in portfolio.accounts.items()},
        **{("tenancy", id_): _tenancy(item) for id_, item in portfolio.tenancies.items()},
    }


def ended_body(ending: Ending, at_ms: int | None = None) -> Body:
    """The `ended` of a reference record. `at` is a date, or for a device the instant `at_ms` in UTC."""
    if ending.at is None:
        return {"reason": ending.reason, "withdrawn": True}
    return {"reason": ending.reason, "at": ending.at.stamp.date().isoformat() if at_ms is None else iso_utc(at_ms)}


def _legal_entity(item: LegalEntity) -> Body:
    """What is not stated is not there, so that a file without it gives the body that it always gave."""
    body: Body = {"name": item.name, "currency": item.currency, "invoice_series": item.invoice_series}
    if item.change_control:
        body["change_control"] = True
    if item.back_billing is not None:
        body["back_billing"] = asdict(item.back_billing)
    if item.holds is not None:
        body["holds"] = {name: f"{value:f}" for name, value in asdict(item.holds).items() if value is not None}
    if item.ledger:
        body["ledger"] = dict(item.ledger)
    return body


def _site(item: Site) -> Body:
    return {
        "legal_entity": item.legal_entity,
        "time_zone": item.time_zone,
        "utc_offsets": [list(row) for row in item.utc_offsets],
        "holidays": [day.isoformat() for day in item.holidays],
        "timetable": {"gate_after_days": item.gate_after_days, "gate_at": item.gate_at},
        "tzdata": TZDATA_VERSION,
    }


def _supply_point(item: SupplyPoint) -> Body:
    assert item.site is not None
    keys = ("unit", "grid_s", "kind", "commodity", "direction")
    channels = [
        {"channel": id_, **{key: getattr(item.channels[id_], key) for key in keys}} for id_ in sorted(item.channels)
    ]
    vacant = item.vacant
    charged = vacant and {
        "account": vacant.account,
        "tariff": vacant.tariff,
        "from": vacant.from_day.isoformat() if vacant.from_day else None,
    }
    return {"site": item.site.id, "channels": channels} | ({"vacant": charged} if charged else {})


def _device(item: Device, points: Mapping[str, SupplyPoint], digests: Mapping[str, str]) -> Body:
    fed = sorted({(span.supply_point, span.channel) for span in item.registers})
    channels = [_channel(point, points[point].channels[channel]) for point, channel in fed]
    return {
        "site": item.site,
        "calendar_sha256": digests[item.site],
        "assignments": [asdict(assignment) for assignment in item.assignments],
        "registers": [asdict(span) for span in item.registers],
        "channels": channels,
    }


def _channel(point: str, channel: Channel) -> Body:
    rest = {key: value for key, value in asdict(channel).items() if key not in ("id", "commodity", "direction")}
    return {"supply_point": point, "channel": channel.id, **rest}


def _account(item: Account) -> Body:
    return {
        "legal_entity": item.legal_entity,
        "party_id": item.party_id,
        "currency": item.currency,
        "billing_from": item.billing_from.isoformat(),
        "calendar": {"kind": "monthly", "day": item.calendar_day},
        "opening_position": f"{item.opening_position + 0:.{max(minor_digits(item.currency), 2)}f}",
        **({"taxes": [_treatment(treated) for treated in item.taxes]} if item.taxes else {}),
    }


def _treatment(item: Treatment) -> Body:
    return {
        "tax": item.tax,
        "treatment": item.treatment,
        "evidence": item.evidence,
        "from": item.from_day.isoformat(),
        "to": item.to_day.isoformat() if item.to_day else None,
    }


def _tenancy(item: Tenancy) -> Body:
    return {
        "account": item.account,
        "supply_point": item.supply_point,
        "from": item.from_day.isoformat(),
        "to": item.to_day.isoformat() if item.to_day else None,
        "tariff": item.tariff,
        **({"numbers": [_number(*number) for number in item.numbers]} if item.numbers else {}),
    }


def _number(name: str, begins: date, value: Decimal) -> Body:
    return {"name": name, "from": begins.isoformat(), "value": decimal_text(value)}


def calendar(site: str, body: Mapping[str, Any]) -> Body:
    """The `calendar` of a raw configuration, from a site's body."""
    return {"site": site, **{key: body[key] for key in ("time_zone", "utc_offsets", "holidays")}}


def calendar_digest(site: str, body: Mapping[str, Any]) -> str:
    """SHA-256 of the calendar as compact JSON with sorted keys."""
    text = json.dumps(calendar(site, body), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def assignment_record(device: str, version: int, body: Mapping[str, Any], reason: str | None) -> Body:
    """The raw `assignment` of a device body."""
    record = {"v": 1, "type": "assignment", "device": device, "version": version, "spans": body["assignments"]}
    return record | ({"reason": reason} if reason else {})


def configuration_record(
    device: str, version: int, body: Mapping[str, Any], site: Mapping[str, Any], reason: str | None
) -> Body:
    """The raw `configuration` of a device body and its site's body.

    `supply_point` stands in registers and channels only where one channel id occurs on several of the device's supply points.
    """
    names = [item["channel"] for item in body["channels"]]
    keep = len(set(names)) < len(names)
    record = {
        "v": 1,
        "type": "configuration",
        "device": device,
        "version": version,
        "registers": list(_plain(body["registers"], keep)),
        "channels": list(_plain(body["channels"], keep)),
        "calendar": calendar(body["site"], site),
    }
    return record | ({"reason": reason} if reason else {})


def _plain(rows: list[Body], keep_supply_point: bool) -> Iterator[Body]:
    for row in rows:
        yield row if keep_supply_point else {key: value for key, value in row.items() if key != "supply_point"}
