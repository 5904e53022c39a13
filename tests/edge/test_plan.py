"""Requests: every wanted register once, within the meter's limits, and no two of one length."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge_collector.plan import Plan, Request, UnableToPlan, entry_request, plan
from edge_collector.profile import (
    DataType,
    IdentityRole,
    IdentitySpec,
    Limits,
    LoadProfileSpec,
    Order,
    Profile,
    RegisterSpec,
    Span,
    TextEncoding,
)
from edge_collector.profile_load import builtin_profiles, load_profile
from edge_collector.reading import Priority


def register(name: str, function: int, address: int, kind: DataType, priority: Priority) -> RegisterSpec:
    return RegisterSpec(name, function, address, kind, Order.ABCD, Decimal(1), "kWh", Decimal(1), priority)


@some.composite
def profiles(draw: some.DrawFn) -> Profile:
    """Up to a dozen registers that do not overlap, close together and far apart; with or without a fixed identity block."""
    registers, address = [], draw(some.integers(0, 200))
    for number in range(draw(some.integers(1, 12))):
        kind = draw(some.sampled_from(DataType))
        function, priority = draw(some.sampled_from([3, 4])), draw(some.sampled_from(Priority))
        registers.append(register(f"r{number}", function, address, kind, priority))
        address += kind.words + draw(some.sampled_from([0, 0, 1, 3, 17, 90]))
    block = draw(some.sampled_from([None, Span(3, 60000, 27)]))
    identity = IdentitySpec(IdentityRole.SERIAL, Span(3, 60011, 8), TextEncoding.ASCII, Order.ABCD, block)
    multiple_of = draw(some.sampled_from([1, 2, 4]))
    limits = Limits(draw(some.sampled_from([60, 80, 124])), multiple_of, draw(some.integers(0, 40)))
    return Profile("drawn", "", "", "", limits, tuple(registers), (identity,))


def check(profile: Profile, planned: Plan, wanted: set[str]) -> None:
    requests = list(planned)
    assert Counter(spec.name for request in requests for spec in request.registers) == Counter(wanted)
    assert Counter(spec.role for request in requests for spec in request.identity) == Counter(
        spec.role for spec in profile.identity
    )
    lengths = [request.count for request in requests]
    assert len(set(lengths)) == len(lengths)
    for request in requests:
        check_request(profile, request)
    assert all(spec.priority is Priority.BILLING for request in planned.billing for spec in request.registers)
    assert all(spec.priority is Priority.TELEMETRY for request in planned.telemetry for spec in request.registers)


def check_request(profile: Profile, request: Request) -> None:
    fixed = [spec.block for spec in request.identity if spec.block]
    if fixed:
        assert request.span == fixed[0]
    else:
        assert request.count <= profile.limits.most_words
        assert request.count % profile.limits.multiple_of == 0
        assert profile.limits.may_touch(request.span)
    for span in (one.span for kind in (request.registers, request.identity, request.scales) for one in kind):
        assert request.span.covers(span)


@given(profiles(), some.data())
def test_drawn_profiles(profile: Profile, data: some.DataObject) -> None:
    names = [spec.name for spec in profile.registers]
    wanted = data.draw(some.sets(some.sampled_from(names)))
    check(profile, plan(profile, wanted), wanted)


@pytest.mark.parametrize("name", builtin_profiles())
def test_our_profiles(name: str) -> None:
    profile = load_profile(name)
    if profile.blocks:
        profile = profile.at_index(7)
    check(profile, plan(profile), {spec.name for spec in profile.registers})
    check(
        profile,
        plan(profile, ["active_import"]) if "active_import" in names(profile) else plan(profile),
        wanted_of(profile),
    )


def names(profile: Profile) -> set[str]:
    return {spec.name for spec in profile.registers}


def wanted_of(profile: Profile) -> set[str]:
    return {"active_import"} if "active_import" in names(profile) else names(profile)


def test_neighbours_share_a_request_up_to_the_gap() -> None:
    near, far = (
        register("near", 3, 4, DataType.U32, Priority.BILLING),
        register("far", 3, 15, DataType.U32, Priority.BILLING),
    )
    first = register("first", 3, 0, DataType.U32, Priority.BILLING)
    profile = Profile("p", "", "", "", Limits(100, 1, 8), (first, near, far))
    assert [(one.address, one.count) for one in plan(profile).billing] == [(0, 6), (15, 2)]


def test_padding_goes_before_the_block_where_there_is_no_room_behind() -> None:
    specs = (register("a", 3, 0, DataType.U32, Priority.BILLING), register("b", 3, 98, DataType.U32, Priority.BILLING))
    limits = Limits(100, 1, 0, readable=(Span(3, 0, 2), Span(3, 90, 10)))
    planned = plan(Profile("p", "", "", "", limits, specs))
    assert [(one.address, one.count) for one in planned.billing] == [(0, 2), (97, 3)]


def test_a_meter_that_leaves_no_room_is_refused() -> None:
    specs = (register("a", 3, 0, DataType.U32, Priority.BILLING), register("b", 3, 50, DataType.U32, Priority.BILLING))
    limits = Limits(100, 1, 0, readable=(Span(3, 0, 2), Span(3, 50, 2)))
    with pytest.raises(UnableToPlan, match="no free length for the block of 2 at 50"):
        plan(Profile("p", "", "", "", limits, specs))


def test_an_unknown_register_is_an_error() -> None:
    with pytest.raises(KeyError, match="no_such"):
        plan(load_profile("abb_b23"), ["no_such"])


def test_words_are_cut_out_of_an_answer_of_the_right_length_only() -> None:
    one = register("one", 3, 12, DataType.U32, Priority.BILLING)
    request = Request(3, 10, 5, (one,))
    assert request.words_of(one, (0, 1, 2, 3, 4)) == (2, 3)
    for words in ((0, 1, 2, 3), (0, 1, 2, 3, 4, 5)):
        with pytest.raises(ValueError, match="were asked for"):
            request.words_of(one, words)


def test_a_load_profile_is_addressed_by_time() -> None:
    ring = LoadProfileSpec("total", 3, 40, 6, 256, 900, Order.ABCD)
    assert entry_request(ring, 0).span == Span(3, 40, 6)
    assert entry_request(ring, 255 * 900_000).address == 40 + 255 * 6
    assert entry_request(ring, 256 * 900_000).address == 40
    for no_boundary_ms in (900_001, 899_000):
        with pytest.raises(ValueError, match="no boundary"):
            entry_request(ring, no_boundary_ms)
