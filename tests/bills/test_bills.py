"""Every folder here is a story of bills (README.md): played through loader, runs and issues, line by line as worked out by hand."""

from pathlib import Path

import pytest

from connectors.clickhouse import Store
from meterfold.store import open_store
from tests.bills.story import Story
from tests.integration.conftest import empty

HERE = Path(__file__).parent
STORIES = sorted(path.parent.name for path in HERE.glob("*/story.yaml"))
SHORT = ("clock_changes",)
"""What `make test` plays; the others are in the long form, as every run of the bills takes seconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bills")
    open_store(made).close()
    return made


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in SHORT else pytest.mark.long) for name in STORIES]
)
def test_story(folder: Path, name: str) -> None:
    with Store(folder) as store:
        empty(store)
        Story.of(HERE / name, store).play()


def test_every_story_says_what_it_is_about() -> None:
    assert len(STORIES) >= 21
    for name in STORIES:
        assert (HERE / name / "README.md").read_text("utf-8").startswith("# "), name
