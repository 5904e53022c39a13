"""Options of the test run, and what tests tell beside having passed."""

from collections.abc import Callable

import pytest

from tests.kept_store import let_go

TOLD = "told"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="run the simulation on this seed only")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The file whose first test compiles the fold comes first, so that one process does that while others do what needs none of it."""
    items.sort(key=lambda item: item.path.name != "test_changes.py")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if "store" not in getattr(item, "fixturenames", ()):
        let_go()


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say something in the summary of the run, from whichever process the test runs in."""
    return lambda text: record_property(TOLD, text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, text in report.user_properties:
            if name == TOLD:
                terminalreporter.section(report.nodeid.rpartition("::")[2], sep="-")
                terminalreporter.write_line(str(text))
