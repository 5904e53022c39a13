"""What every shape of the portfolio file is: exactly its keys; and the short forms that several of them share."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, PlainValidator

from meterfold.portfolio.written import integer


class Shape(BaseModel):
    """Written with exactly these keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def whole(lowest: int, highest: int) -> Any:
    """A whole number in [lowest, highest]."""
    return PlainValidator(integer(lowest, highest))


def listed(value: Any) -> Any:
    """One element may be written without its list."""
    return [value] if isinstance(value, dict | str) else value


def every_key() -> set[str]:
    """Every key that some shape knows."""
    shapes = [Shape]
    for shape in shapes:
        shapes.extend(shape.__subclasses__())
    return {item.alias or name for shape in shapes for name, item in shape.model_fields.items()}
