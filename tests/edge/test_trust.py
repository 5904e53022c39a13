"""Identity and plausibility: which name a unit's reads bear, and which totals are doubted."""

from __future__ import annotations

import pytest

from edge_collector.plan import Request, plan
from edge_collector.profile import Profile, ScaleSpec
from edge_collector.profile_load import load_profile
from edge_collector.reading import Flag, StatusKind
from edge_collector.trust import CHECK_EVERY_MS, Identity, Trust, UnableToIdentify, identity_of
from edge_collector.words import UnableToDecode, encode_identity, encode_scale

PULSES = load_profile("pulse_concentrator")


def scales(*decimals: int) -> dict[ScaleSpec, tuple[int, ...]]:
    return {spec: encode_scale(spec, digits) for spec, digits in zip(PULSES.scales, decimals, strict=True)}


def trust_of(memory: dict[str, str] | None = None, pinned: str | None = None) -> Trust:
    return Trust("M-1", pinned, (memory or {}).get)


def name_after(trust: Trust, *identities: Identity) -> str:
    for identity in identities:
        trust.identified(identity, 0, 0)
    return trust.name


def test_the_first_serial_number_is_the_meters_and_another_one_is_another_device() -> None:
    trust = trust_of()
    assert trust.identified(Identity("101", {}), 0, 0) is None
    assert trust.name == "M-1"
    report = trust.identified(Identity("202", {}), 1, 5)
    assert trust.name == "M-1@202"
    assert report is not None
    assert (report.device, report.kind, report.at_ms) == ("M-1", StatusKind.EXCHANGE, 5)
    assert trust.identified(Identity("202", {}), 2, 6) is None, "said once"
    back = trust.identified(Identity("101", {}), 3, 7)
    assert trust.name == "M-1"
    assert back is not None
    assert back.kind is StatusKind.COMMUNICATION


def test_what_was_seen_first_outlives_the_process() -> None:
    trust = trust_of()
    trust.identified(Identity("101", {}), 0, 0)
    memory = trust.take_memory()
    assert trust.take_memory() == {}
    after = trust_of(memory)
    report = after.identified(Identity("202", {}), 0, 0)
    assert report is not None
    again = trust_of({**memory, **after.take_memory()})
    assert again.name == "M-1@202"
    assert again.identified(Identity("202", {}), 0, 0) is None, "what was said is not said again"


@pytest.mark.parametrize(
    ("pinned", "serial", "name"),
    [("00AB12", "ab12", "M-1"), (" 0101 ", "101", "M-1"), ("101", "1010", "M-1@1010"), ("101", None, "M-1@unknown")],
)
def test_a_pinned_serial_number(pinned: str, serial: str | None, name: str) -> None:
    assert name_after(trust_of(pinned=pinned), Identity(serial, {})) == name


def test_a_serial_number_that_reads_as_nothing_says_nothing() -> None:
    trust = trust_of()
    assert name_after(trust, Identity(None, {}, is_blank=True)) == "M-1", "it never had one"
    trust.identified(Identity("101", {}), 0, 0)
    with pytest.raises(UnableToIdentify):
        trust.identified(Identity(None, {}, is_blank=True), 0, 0)
    assert trust.name == "M-1"


def test_a_changed_scale_is_another_device_until_it_is_changed_back() -> None:
    trust = trust_of()
    assert name_after(trust, Identity("7", scales(3, 3, 0))) == "M-1"
    assert name_after(trust, Identity("7", scales(2, 3, 0))) == "M-1@7/2,3,0"
    assert name_after(trust, Identity("8", scales(2, 3, 0))) == "M-1@8", "the other meter's first scale is its own"
    assert name_after(trust, Identity("8", scales(1, 3, 0))) == "M-1@8/1,3,0"
    assert name_after(trust, Identity("7", scales(3, 3, 0))) == "M-1"


def test_a_model_that_the_profile_is_not_for_is_another_device() -> None:
    assert name_after(trust_of(), Identity("7", {}), Identity("7", {}, is_expected=False)) == "M-1@7"


def test_the_identity_is_due_at_first_after_a_failure_and_once_a_day() -> None:
    trust = trust_of()
    assert trust.is_due(0)
    trust.identified(Identity("7", {}), 1000, 0)
    assert not trust.is_due(1000 + CHECK_EVERY_MS - 1)
    assert trust.is_due(1000 + CHECK_EVERY_MS)
    trust.doubt()
    assert trust.is_due(1001)
    trust.identified(Identity("7", scales(3, 3, 0)), 2000, 0)
    assert trust.is_due(2001), "a scale is read whenever something is scaled by it"


@pytest.mark.parametrize(
    ("last", "count", "flag"),
    [
        (None, 0, None),
        (0, 0, None),
        (5, 0, Flag.ZERO),
        (5, 4, Flag.BACKWARD),
        (5, 5, None),
        (5, 6, None),
        (-3, -4, Flag.BACKWARD),
        (5, None, Flag.SENTINEL),
        (None, None, Flag.SENTINEL),
    ],
)
def test_doubts(last: int | None, count: int | None, flag: Flag | None) -> None:
    trust = trust_of()
    trust.published("total", last)
    assert trust.doubt_of("total", count) is flag
    assert trust.doubt_of("another", 0) is None


def test_totals_of_an_exchanged_meter_are_compared_with_its_own() -> None:
    trust = trust_of()
    trust.identified(Identity("101", {}), 0, 0)
    trust.published("total", 900)
    trust.identified(Identity("202", {}), 0, 0)
    assert trust.doubt_of("total", 3) is None
    trust.published("total", 3)
    trust.identified(Identity("101", {}), 0, 0)
    assert trust.doubt_of("total", 901) is None
    assert trust.doubt_of("total", 3) is Flag.BACKWARD
    memory = trust.take_memory()
    assert (memory["count/M-1/total"], memory["count/M-1@202/total"]) == ("900", "3")


def words_for(profile: Profile, serial: str, decimals: int) -> list[tuple[Request, list[int]]]:
    answers = []
    for request in plan(profile).identity:
        words = [0] * request.count
        for spec in request.identity:
            at = spec.span.address - request.address
            words[at : at + spec.span.count] = encode_identity(spec, serial)
        for scale in request.scales:
            words[scale.address - request.address] = encode_scale(scale, decimals)[0]
        answers.append((request, words))
    return answers


def test_an_identity_is_read_out_of_the_plans_blocks() -> None:
    identity = identity_of(words_for(PULSES, "S0012", 3))
    assert (identity.serial, identity.scale, identity.is_blank) == ("S0012", "3,3,3", False)
    sdm = plan(load_profile("eastron_sdm630")).identity
    assert identity_of((request, None) for request in sdm) == Identity(None, {})
    assert identity_of((request, [0] * request.count) for request in sdm) == Identity(None, {}, is_blank=True)
    with pytest.raises(UnableToDecode):
        identity_of((request, None) for request in plan(PULSES).identity)
