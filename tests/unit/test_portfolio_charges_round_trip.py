"""Random charges as the log has them, written as the file has them, and loaded: they come back as they were."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from meterfold.portfolio.written import DAY_TYPES
from tests.unit.test_portfolio_charges import tariff

NAMES = st.text("abcXYZ 0129%·é", min_size=1, max_size=9).filter(lambda text: text == text.strip())
NUMBERS = st.decimals(Decimal("0.000000001"), Decimal("9.999999999"), places=9).map(
    lambda n: f"{n:f}".rstrip("0").rstrip(".")
)
PLACES = st.sampled_from([("1", "half_up"), ("0.05", "down"), ("10", "up"), ("0.25", "half_even")])
ROUND = st.none() | PLACES.map(lambda pair: {"to": pair[0], "mode": pair[1]})
TIMES = st.fixed_dictionaries(
    {},
    optional={
        "months": st.sets(st.integers(1, 12), min_size=1).map(sorted),
        "days": st.sets(st.sampled_from(DAY_TYPES), min_size=1).map(lambda days: [day for day in DAY_TYPES if day in days]),
        "from": st.sampled_from(["00:15", "06:00"]),
        "to": st.sampled_from(["06:15", "23:45"]),
    },
).filter(bool)  # fmt: skip


def given_only(**fields: Any) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in (None, [])}


STEPS = st.lists(
    st.builds(
        lambda key, factor, rounding: {key: factor, **given_only(round=rounding)},
        st.sampled_from(["times", "over"]),
        NUMBERS,
        ROUND,
    ),
    max_size=3,
)
QUANTITIES = st.builds(
    lambda share, minus, net, steps: {
        "channel": "E1", "unit": "kWh", "share": share, **given_only(minus=minus, net=net if minus else None, steps=steps),
    },
    NUMBERS, st.sampled_from([None, "B1"]), st.sampled_from(["interval", "period"]), STEPS,
)  # fmt: skip
TIERS = st.lists(
    st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4, unique_by=lambda tier: Decimal(tier[0])
).map(
    lambda tiers: [
        {"up_to": bound if place < len(tiers) else None, "rate": rate, "fee": fee}
        for place, (bound, rate, fee) in enumerate(sorted(tiers, key=lambda tier: Decimal(tier[0])), start=1)
    ]
)
TIERED = st.builds(
    lambda quantity, when, scheme, bounds, prorate, tiers, rounding: {
        "kind": "tiers", "quantity": quantity, **given_only(when=when), "scheme": scheme, "bounds": bounds, "prorate": prorate,
        "tiers": tiers, **given_only(round=rounding),
    },
    QUANTITIES, st.lists(TIMES, max_size=2), st.sampled_from(["graduated", "volume"]), st.sampled_from(["period", "day"]),
    st.sampled_from(["days", "none"]), TIERS, ROUND,
)  # fmt: skip
STANDING = st.builds(
    lambda rate, per, rounding: {"kind": "standing", "rate": rate, "per": per, "prorate": "none", **given_only(round=rounding)},
    NUMBERS, st.sampled_from(["day", "month", "period", "year"]), ROUND,
)  # fmt: skip


def as_written(body: dict[str, Any]) -> dict[str, Any]:
    """A charge of the log as the file has it: the quantity flat in it."""
    return {
        **body.get("quantity", {}),
        **{key: value for key, value in body.items() if key not in ("name", "quantity")},
    }


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, TIERED | STANDING, min_size=1, max_size=3))
def test_what_is_in_the_log_was_in_the_file(bodies: dict[str, dict[str, Any]]) -> None:
    text = json.dumps({name: as_written(body) for name, body in bodies.items()}, ensure_ascii=False)
    try:
        found = tariff(f"charges: {text}")["versions"][0]["charges"]
    except AssertionError as error:  # the only thing wrong with these
        assert "passes midnight" in str(error), error
    else:
        assert found == [{"name": name, **body} for name, body in bodies.items()]
