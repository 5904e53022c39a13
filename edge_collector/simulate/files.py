"""What one needs to collect and bill a simulated building: its `site.toml`, and a `portfolio.yaml` with a flat for each meter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge_collector.profile_load import load_profile
from edge_collector.simulate.building import COMMON_PROFILES, Endpoint, MeterPlan
from edge_collector.simulate.server import Wire
from edge_collector.site_text import UnitText, link_text, site_text
from edge_collector.transport import Framing, Network, SerialLine, Transport

COLLECTOR: Final = "simulated-building"
BILLED: Final = "active_import"
"""The register that the portfolio bills."""


def site_of(
    endpoints: Sequence[Endpoint],
    interval_s: int,
    data: Path,
    timing_ms: tuple[int, int] | None = None,
    telemetry: bool = True,
) -> str:
    """The text of a `site.toml` for running lines."""
    links = [
        link_text(
            end.line.name,
            transport_of(end),
            [
                UnitText(meter.device, meter.unit, meter.profile, None, [BILLED] if _bills(meter) else [], telemetry)
                for meter in end.line.meters
            ],
            timing_ms,
        )
        for end in endpoints
    ]
    return site_text(COLLECTOR, interval_s, data, links)


def transport_of(endpoint: Endpoint) -> Transport:
    """How a running line is reached."""
    if endpoint.line.wire is Wire.SERIAL:
        return SerialLine(endpoint.device)
    framing = Framing.RTU if endpoint.line.wire is Wire.RTU_OVER_TCP else Framing.MBAP
    return Network(endpoint.host, endpoint.port, framing)


def portfolio_of(meters: Sequence[MeterPlan], since_ms: int, interval_s: int) -> str:
    """The text of a portfolio: each meter in a flat of its own from an instant on, each flat with a tenant and a plain tariff."""
    since = datetime.fromtimestamp(since_ms / 1000, UTC)
    numbered = [(number, meter) for number, meter in enumerate(meters, 1) if _bills(meter)]
    lines = [
        "# A simulated building: docs/portfolio.md says what each key means.",
        "legal_entities: { HOUSE: { name: Simulated House Ltd, currency: EUR, invoice_series: SH } }",
        "sites: { HOUSE: { time_zone: UTC } }",
        "supply_points:",
        *(
            f"  FLAT-{n:03}: {{ channels: {{ E1: {{ kind: totals, interval: {interval_s // 60} }} }} }}"
            for n, _ in numbered
        ),
        "devices:",
    ]
    for number, meter in numbered:
        lines += [
            f"  {meter.device}:",
            f"    assignments: {{ supply_point: FLAT-{number:03}, from: {since:%Y-%m-%d %H:%M} }}",
            f"    registers: {{ {BILLED}: {{ channel: E1, decimals: {_decimals(meter)}, max_per_hour: 100 }} }}",
        ]
    day = f"{since:%Y-%m-%d}"
    lines += [
        "accounts:",
        *(f"  A-{n:03}: {{ party_id: P-{n:03}, billing_from: {day} }}" for n, _ in numbered),
        "tenancies:",
        *(f"  - {{ account: A-{n:03}, supply_point: FLAT-{n:03}, from: {day}, tariff: PLAIN }}" for n, _ in numbered),
        "tariffs:",
        "  PLAIN:",
        "    versions:",
        f"      - {{ effective_from: {day}, standing_per_day: 0.40, tax: {{ name: VAT, rate: 0.19 }}, energy: {{ E1: 0.30 }} }}",
    ]
    return "\n".join(lines) + "\n"


def billable_profiles() -> tuple[str, ...]:
    """Common profiles with the register that the portfolio bills."""
    return tuple(name for name in COMMON_PROFILES if any(spec.name == BILLED for spec in load_profile(name).billing))


def _bills(meter: MeterPlan) -> bool:
    return _decimals(meter) is not None


def _decimals(meter: MeterPlan) -> int | None:
    """Places after the point of the billed register; null for a meter that has none."""
    profile = load_profile(meter.profile)
    return next((spec.decimals for spec in profile.billing if spec.name == BILLED), None)
