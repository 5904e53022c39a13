"""The billing log takes many records as columns, and is then what it would be with one after the other."""

from pathlib import Path

import numpy as np
import pytest

from connectors.file_log import LogWriter, create_topic
from connectors.texts import Texts
from meterfold.billing import log as log_module
from meterfold.billing.log import FileBillingLog
from state.compiling import Worth

TEXTS = Texts(np.frombuffer('{}{"a":"é"}'.encode(), np.uint8), np.array([0, 2, 0]), np.array([2, 12, 12]))


@pytest.mark.parametrize("few", [0, 1 << 30], ids=["columns", "one by one"])
def test_what_is_appended_together_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(log_module, "_FRAMED", Worth("connectors.file_log.prepared._frame", few=few, many=0))
    directory = create_topic(tmp_path / "billing", 1).directory
    with LogWriter(directory) as writer:
        log = FileBillingLog(writer, directory, lambda: 5)
        first = log.append(b"LE", b"first")
        offsets = log.append_together(b"LE", TEXTS)
        log.flush()
        found = list(log.iter_records(0))
    assert found == [
        (first, 5, b"first"),
        *((offset, 5, text) for offset, text in zip(offsets.tolist(), TEXTS, strict=True)),
    ]
    assert TEXTS[1] == '{"a":"é"}'.encode()
