"""Recorded frames become a table; golden frames of every profile show their values."""

from __future__ import annotations

import pytest

from edge_collector.inspect_frames import Direction, UnableToInspect, inspect_text, table_of
from edge_collector.profile_load import builtin_profiles, load_profile

REQUEST = "01 04 00 48 00 04 71 DF"
ANSWER = "01 04 08 46 40 E6 B6 3E 80 00 00 32 0F"


def test_a_request_and_its_answer() -> None:
    request, answer = inspect_text(f"{REQUEST}\n{ANSWER}", load_profile("eastron_sdm630"))
    assert (request.direction, request.unit, request.function, request.address, request.count) == (
        Direction.REQUEST, 1, 4, 0x48, 4,
    )  # fmt: skip
    assert (answer.direction, answer.address, answer.count, answer.is_sound) == (Direction.ANSWER, 0x48, 4, True)
    assert answer.words == (0x4640, 0xE6B6, 0x3E80, 0)
    assert answer.values == (("active_import", "12345.678 kWh"), ("active_export", "0.250 kWh"))


@pytest.mark.parametrize("name", builtin_profiles())
def test_golden_frames(name: str) -> None:
    profile = load_profile(name)
    whole = profile.at_index(0 if profile.blocks else None)
    seen = 0
    for frame in profile.golden:
        answer = inspect_text(f"{frame.request.hex()}\n{frame.response.hex()}", whole)[1]
        assert answer.is_sound
        scaled = {spec.name for spec in profile.registers if spec.scale_register}
        for register, value in frame.values.items():
            if register in dict(answer.values) and register not in scaled:
                assert dict(answer.values)[register].split(" ")[0] == value
                seen += 1
    assert seen or name == "pulse_concentrator"


@pytest.mark.parametrize(
    "text",
    [
        f"{REQUEST} {ANSWER}",
        f"TX: {REQUEST}\nRX: {ANSWER}  # what came",
        f"12:30:05.123 > {REQUEST.replace(' ', ':')}\n12:30:05.140 < {ANSWER.replace(' ', ':').lower()}",
        "# a dump\n" + " ".join(f"0x{byte}" for byte in REQUEST.split()) + "\n\n[rx] " + ANSWER.replace(" ", ","),
    ],
)
def test_dumps_of_many_kinds(text: str) -> None:
    assert [(frame.direction, frame.address, frame.count) for frame in inspect_text(text)] == [
        (Direction.REQUEST, 0x48, 4),
        (Direction.ANSWER, 0x48, 4),
    ]


def test_mbap() -> None:
    request, answer, refusal, cut = inspect_text(
        "00 2A 00 00 00 06 05 03 0C 83 00 02 00 2A 00 00 00 07 05 03 04 00 01 00 02\n"
        "00 2B 00 00 00 03 05 83 02\n"
        "00 2C 00 00 00 07 05 03 04 00"
    )
    assert (request.transaction, request.unit, request.address, request.count) == (42, 5, 0x0C83, 2)
    assert (answer.transaction, answer.address, answer.words) == (42, 0x0C83, (1, 2))
    assert (refusal.transaction, refusal.exception, refusal.function) == (43, 2, 3)
    assert (cut.direction, cut.is_sound) == (Direction.UNKNOWN, False)


def test_what_is_damaged_or_foreign_is_shown_as_it_is() -> None:
    broken, foreign, late = inspect_text(f"{REQUEST[:-1]}0\n01 2B 0E 01 00 70 77\n{ANSWER}")
    assert (broken.is_sound, broken.direction) == (False, Direction.REQUEST)
    assert foreign.direction is Direction.UNKNOWN
    assert late.count == 4


def test_an_answer_of_another_length_than_was_asked_for_has_no_address() -> None:
    _, answer = inspect_text(
        "01 04 00 48 00 02\n".replace("00 02", "00 02 F1 DD") + ANSWER, load_profile("eastron_sdm630")
    )
    assert (answer.address, answer.values) == (None, ())


def test_the_table() -> None:
    lines = table_of(inspect_text(f"{REQUEST}\n{ANSWER}\n01 84 06 03 02", load_profile("eastron_sdm630"))).splitlines()
    assert lines[0].split() == ["direction", "id", "unit", "fn", "address", "count", "sound", "words"]
    assert lines[1].split() == ["request", "1", "4", "72", "4", "yes"]
    assert lines[2].split()[:6] == ["answer", "1", "4", "72", "4", "yes"]
    assert lines[3].strip() == "active_import = 12345.678 kWh"
    assert lines[-1].split() == ["answer", "1", "4", "72", "NO", "exception", "6"]


def test_what_is_no_hexadecimal() -> None:
    with pytest.raises(UnableToInspect, match="line 2: 'hello'"):
        inspect_text(f"{REQUEST}\nhello")
