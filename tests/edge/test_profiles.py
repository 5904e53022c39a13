"""Profiles: ours load and decode their golden frames; a broken one says everything that is wrong with it, with the place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_collector.golden import golden_faults, golden_value
from edge_collector.profile import GoldenFrame, Span
from edge_collector.profile_load import UnableToLoadProfile, builtin_profiles, load_profile, read_profile

EXPECTED = (
    "abb_b23 carlo_gavazzi_em24 carlo_gavazzi_em340 eastron_sdm120 eastron_sdm630 inepro_pro380 janitza_umg96rm meter_blocks "
    "pulse_concentrator schneider_iem3155 siemens_pac2200"
).split()
GOLDEN = [(name, number) for name in EXPECTED for number in range(len(load_profile(name).golden))]

SOUND = """
title = "A meter"
document = "its manual"
revision = "1"

[limits]
most_words = 100
gap = 4

[registers.active_import]
function = 3
address = 100
type = "u32"
order = "ABCD"
scale = "0.01"
unit = "kWh"
resolution = "0.01"
priority = "billing"

[identity.serial]
function = 3
address = 200
words = 2
encoding = "number"
"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(UnableToLoadProfile) as caught:
        read_profile(text, "broken", "broken.toml")
    return caught.value.problems


def test_these_come_with_the_collector() -> None:
    assert list(builtin_profiles()) == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_every_profile_says_where_it_is_from(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name and profile.document and profile.revision and profile.golden
    assert profile.billing
    assert all(frame.origin for frame in profile.golden)


@pytest.mark.parametrize(("name", "number"), GOLDEN)
def test_golden_frames_decode_exactly(name: str, number: int) -> None:
    profile = load_profile(name)
    frame = profile.golden[number]
    assert {key: golden_value(profile, frame, key) for key in frame.values} == dict(frame.values)


@pytest.mark.parametrize(("name", "number"), GOLDEN)
def test_a_golden_frame_that_says_something_else_is_found(name: str, number: int) -> None:
    profile = load_profile(name)
    frame = profile.golden[number]
    assert not list(golden_faults(profile, frame))
    for key in frame.values:
        wrong = replace(frame, values={key: frame.values[key] + "0"})
        assert [fault for fault in golden_faults(profile, wrong) if key in fault]


GOOD_REQUEST, GOOD_RESPONSE = bytes.fromhex("01030064000285d4"), bytes.fromhex("01030400000007bbf1")


@pytest.mark.parametrize(
    ("request_frame", "response", "values", "said"),
    [
        (GOOD_REQUEST, GOOD_RESPONSE, {"active_import": "0.07"}, None),
        (GOOD_REQUEST[:-1] + b"\x14", GOOD_RESPONSE, {}, "the checksum is 85 14, but should be 85 d4"),
        (GOOD_REQUEST, b"\x01\x03", {}, "a frame has at least 4 bytes"),
        (GOOD_REQUEST, GOOD_REQUEST, {}, "the response is no answer with registers"),
        (GOOD_RESPONSE, GOOD_RESPONSE, {}, "the request is no read of registers"),
        (GOOD_REQUEST, bytes.fromhex("0203040000000788f1"), {}, "the response is not for the request"),
        (GOOD_REQUEST, GOOD_RESPONSE, {}, "says no value"),
        (GOOD_REQUEST, GOOD_RESPONSE, {"serial": "7"}, "serial cannot be read from it"),
        (GOOD_REQUEST, GOOD_RESPONSE, {"colour": "7"}, "colour cannot be read from it"),
    ],
)
def test_frames_that_are_none(request_frame: bytes, response: bytes, values: dict[str, str], said: str | None) -> None:
    profile = read_profile(SOUND, "sound", "sound.toml")
    faults = list(golden_faults(profile, GoldenFrame(request_frame, response, "here", values)))
    assert [bool(said and said in fault) for fault in faults] == ([] if said is None else [True])


def test_a_broken_profile_says_everything_at_once() -> None:
    text = SOUND.replace('scale = "0.01"', "scale = 0.01").replace('encoding = "number"', 'encoding = "words"')
    text = text.replace("gap = 4", "gap = 4\nspeed = 3").replace('revision = "1"', "")
    text += """
[registers.second]
function = 5
address = 70000
type = "u24"
order = "ABDC"
scale = "0.001"
unit = "kWh"
resolution = "0.01"

[registers.third]
function = 3
address = 300
type = "u32"
order = "ABCD"
scale = "0.001"
unit = "kWh"
resolution = "0.01"
priority = "telemetry"
sentinels = [0x100000000, "nothing"]
"""
    problems = problems_of(text)
    places = [problem.split(": ")[1] for problem in problems]
    assert sorted(places) == sorted(
        [
            "revision",
            "limits.speed",
            "registers.active_import.scale",
            "registers.second.function",
            "registers.second.address",
            "registers.second.type",
            "registers.second.order",
            "registers.second.priority",
            "registers.third.sentinels",
            "registers.third.sentinels",
            "registers.third.resolution",
            "identity.serial.encoding",
        ]
    )
    assert all(problem.startswith("broken.toml: ") and "; " in problem for problem in problems)


TABLE_OF_FAULTS = [
    ('unit = "kWh"', 'unit = ""', "registers.active_import.unit: '' is no text"),
    ("address = 100", "address = 65535", "ends at 65536, beyond the last address"),
    ("most_words = 100", "most_words = 1", "2 words are more than limits.most_words"),
    ("most_words = 100", "most_words = 126", "126 is no integer from 1 to 125"),
    ("gap = 4", "gap = 4\nmultiple_of = 101", "limits.multiple_of: is more than most_words"),
    ("gap = 4", "gap = 4\nreadable = [{ function = 3, first = 0, last = 50 }]", "lies outside limits.readable"),
    ('resolution = "0.01"', 'resolution = "0.02"', "0.02 is no last digit"),
    ('resolution = "0.01"', 'resolution = "0.1"', "is no whole number of 0.1"),
    ('scale = "0.01"', 'scale = "-1"', "-1 is not above zero"),
    ('priority = "billing"', 'priority = "billing"\ndigits = 11', "the type is full before"),
    ('priority = "billing"', 'priority = "telemetry"', "none has the priority billing"),
    (
        'priority = "billing"',
        'priority = "billing"\nscale_register = { function = 3, address = 5, type = "f32", order = "ABCD" }',
        "goes with integers only",
    ),
    ("[registers.active_import]", "[registers.Active]", "registers.Active: is no name"),
    ("words = 2", "words = 5", "5 words are no number"),
    ("words = 2", "words = 2\nblock = { address = 201, words = 9 }", "identity.serial.block: does not hold the words"),
    ("[identity.serial]", "[identity.colour]", "identity.colour: means nothing here"),
    ("title =", "titel =", "titel: means nothing here"),
    ("[limits]", "[limits", "not TOML"),
    ("address = 200", "address = 101", ""),  # an identity may share words with a register
]


@pytest.mark.parametrize(("old", "new", "said"), TABLE_OF_FAULTS)
def test_each_fault_is_told(old: str, new: str, said: str) -> None:
    text = SOUND.replace(old, new, 1)
    assert text != SOUND
    if not said:
        assert read_profile(text, "sound", "sound.toml")
        return
    assert [problem for problem in problems_of(text) if said in problem]


def test_overlaps_are_told() -> None:
    second = (
        SOUND[SOUND.index("[registers") : SOUND.index("[identity")]
        .replace("active_import", "other")
        .replace("100", "101")
    )
    assert problems_of(SOUND + second) == [
        "broken.toml: registers.other: shares words with active_import; correct an address or a type"
    ]


def test_a_meter_that_cannot_be_planned_is_told() -> None:
    text = SOUND.replace(
        "gap = 4",
        "gap = 0\nreadable = [{ function = 3, first = 100, last = 101 }, { function = 3, first = 200, last = 201 }]",
    )
    assert "no free length for the block of 2" in problems_of(text)[0]


def test_load_profile_and_blocks_are_looked_at() -> None:
    text = (
        SOUND
        + """
[load_profile]
register = "active_export"
function = 3
address = 60000
stride = 3
entries = 2000
interval_s = 1000
time_order = "ABCD"

[blocks]
base = 0
stride = 100
meters = 700
"""
    )
    said = "\n".join(problems_of(text))
    for part in (
        "there is no register active_export",
        "1000 s do not divide a day",
        "the ring goes beyond",
        "registers are",
        "fewer",
    ):
        assert part in said


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(SOUND)
    assert load_profile(path).register("active_import").span == Span(3, 100, 2)
    assert load_profile(str(path)).name == "own"


@pytest.mark.parametrize(("name", "said"), [("eastron", "no profile of that name"), ("nowhere.toml", "cannot be read")])
def test_what_cannot_be_found(name: str, said: str) -> None:
    with pytest.raises(UnableToLoadProfile, match=said):
        load_profile(name)


def test_a_meter_behind_a_gateway_has_its_own_addresses() -> None:
    profile = load_profile("meter_blocks")
    moved = profile.at_index(2)
    assert moved.register("active_export").address == 2 * 1600 + 4
    assert moved.load_profile and moved.load_profile.address == 2 * 1600 + 40
    assert moved.identity[0].span.address == 2 * 1600 + 20
    for index in (None, -1, 40):
        with pytest.raises(ValueError, match="index behind the gateway"):
            profile.at_index(index)
    with pytest.raises(ValueError, match="stands for itself"):
        load_profile("abb_b23").at_index(0)
