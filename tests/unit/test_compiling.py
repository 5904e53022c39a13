"""Small work never waits for the compiler, and whoever does wait is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from state import compiling
from state.compiling import Worth


def test_a_batch_is_worth_it_when_large_and_compiled_code_is_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_at_hand", lambda _: True)
    worth = Worth("state.some.function", few=512, many=10_000)
    assert [worth.of(records) for records in (511, 512, 5_000)] == [False, True, True]


def test_what_was_never_compiled_is_compiled_after_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "is_at_hand", lambda _: False)
    worth = Worth("state.some.function", few=512, many=10_000)
    assert [worth.of(records) for records in (5_000, 4_999, 100, 511, 512)] == [False, False, False, False, True]


def test_the_first_call_anywhere_says_that_it_compiles_and_leaves_the_result_at_hand(tmp_path: Path) -> None:
    code = (
        "import numpy as np\n"
        "from connectors.file_log.crc import crc32\n"
        "from state import compiling\n"
        "said, crc = [], 'connectors.file_log.crc.crc32'\n"
        "compiling.say_when_compiling(lambda: said.append(compiling.is_at_hand(crc)))\n"
        "before = compiling.is_at_hand(crc)\n"
        "data = np.frombuffer(b'meterfold', np.uint8)\n"
        "crc32(data, 0, 9)\n"
        "crc32(data, 0, 9)\n"
        "print(before, said, compiling.is_at_hand(crc))\n"
    )
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    runs = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=250)
        for _ in range(2)
    ]
    assert [run.stdout.strip() for run in runs] == ["False [False] True", "True [] True"]
