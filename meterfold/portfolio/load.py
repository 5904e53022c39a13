"""Reading a portfolio file: the whole way from bytes to a checked portfolio."""

from __future__ import annotations

from pathlib import Path

from meterfold.portfolio.document import read_document
from meterfold.portfolio.model import Portfolio
from meterfold.portfolio.problem import Problem
from meterfold.portfolio.sections import read_sections
from meterfold.portfolio.validate import validate


def load_file(path: str | Path) -> Portfolio | list[Problem]:
    """The portfolio of a YAML file, or everything wrong with it in the order of lines (never an empty list)."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        return [
            Problem(
                "syntax", str(path), 0, f"the file cannot be read ({error.strerror})", "check its name and its rights"
            )
        ]
    return load_text(content, Path(path).parent)


def load_text(content: bytes | str, folder: Path | None = None) -> Portfolio | list[Problem]:
    """As `load_file`, from the file's content; paths in it are relative to `folder`."""
    document = read_document(content)
    return document if isinstance(document, list) else validate(read_sections(document), folder)
