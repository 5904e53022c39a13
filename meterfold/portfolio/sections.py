"""From the tree of text to shapes: each object read on its own, so that one that is wrong does not hide the faults of the others."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from meterfold.portfolio.document import Document
from meterfold.portfolio.model import Ending, Key
from meterfold.portfolio.problem import CODES, Fault, Path, Problem
from meterfold.portfolio.shape import KINDS, SHAPES, EndedShape, WithdrawnShape
from meterfold.portfolio.shape_base import Shape, every_key
from meterfold.portfolio.written import read_id, read_tenancy_id, read_text

_ID_READERS: Final = {"devices": read_text, "tenancies": read_tenancy_id}
_PERSONAL: Final = frozenset(
    "name first_name firstname last_name lastname surname full_name customer tenant resident title birthday date_of_birth address street "
    "house_number city town postcode zip email e-mail e_mail mail phone telephone mobile fax contact iban bank bank_account".split()
)
_BRACKETED: Final = re.compile(r"\[\w+\]")
"""Steps of pydantic's that are not in the file: `[key]`, and which shape a charge of some kind has, `[tiers]`."""
_SHAPE_WORDS: Final = {
    "dict_type": ("a mapping", "write keys and values"),
    "model_type": ("a mapping", "write keys and values"),
    "list_type": ("a list", "write a list"),
}
_KEYS: Final = sorted(every_key())

ShapeT = TypeVar("ShapeT", bound=Shape)


@dataclass(slots=True)
class Written:
    """What the file says, object by object, and every problem found so far; the later steps add theirs."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    declared: dict[str, set[str]] = field(default_factory=lambda: {section: set() for section in SHAPES})
    paths: dict[Key, Path] = field(default_factory=dict)
    endings: dict[Key, Ending] = field(default_factory=dict)
    _shapes: dict[str, dict[str, Shape]] = field(default_factory=lambda: {section: {} for section in SHAPES})

    def add(self, path: Path, fault: Fault) -> None:
        """Note a problem."""
        assert fault.code in CODES
        self.problems.append(self.document.problem(fault.code, path, fault.wrong, fault.do))

    def objects(self, section: str, shape: type[ShapeT]) -> dict[str, ShapeT]:
        """The well-shaped objects of a section, by id."""
        return {id_: item for id_, item in self._shapes[section].items() if isinstance(item, shape)}

    def keep(self, section: str, id_: str, shape: Shape) -> None:
        """Take an object up."""
        self._shapes[section][id_] = shape

    def path(self, section: str, id_: str) -> Path:
        """Where an object stands."""
        return self.paths.get((KINDS[section], id_), (section, id_))

    def refer(self, section: str, id_: str, path: Path) -> bool:
        """Whether the file defines what is referred to; if not, that is a problem."""
        if id_ in self.declared[section]:
            return True
        kind = KINDS[section].replace("_", " ")
        near = get_close_matches(id_, self.declared[section], n=1)
        if (KINDS[section], id_) in self.endings:
            do = f"keep its other keys beside its end under {section}"
        else:
            do = f"did you mean {near[0]}" if near else f"define it under {section}, or correct the id"
        self.add(path, Fault("unknown_reference", f"the file defines no {kind} {id_}", do))
        return False

    def refer_or_only(self, section: str, id_: str | None, path: Path) -> str | None:
        """As `refer`; no id means the only one that the file defines. None: a problem is noted."""
        if id_ is not None:
            return id_ if self.refer(section, id_, path) else None
        if len(self.declared[section]) == 1:
            return next(iter(self.declared[section]))
        wrong = f"is missing, and the file defines {len(self.declared[section])} under {section}"
        self.add(path, Fault("missing_key", wrong, "say which one"))
        return None


def read_sections(document: Document) -> Written:
    """Every object of the file as a shape, with all problems of shape and of single values."""
    written = Written(document)
    for section, node in document.data.items():
        if section.startswith("x-"):
            continue
        if section not in SHAPES:
            written.add((section,), _unknown_key(section, list(SHAPES)))
        elif section == "tenancies":
            _read_tenancies(written, node)
        elif isinstance(node, dict):
            for id_, body in node.items():
                _read_object(written, section, id_, body, (section, id_))
        elif node is not None:
            written.add(
                (section,), Fault("wrong_shape", "is not a mapping", "write ids as keys, each with its mapping")
            )
    return written


def _read_tenancies(written: Written, node: Any) -> None:
    if node is not None and not isinstance(node, list):
        written.add(("tenancies",), Fault("wrong_shape", "is not a list", "begin each tenancy with a dash"))
        return
    for position, body in enumerate(node or []):
        path: Path = ("tenancies", position)
        given = body if isinstance(body, dict) else {}
        parts = [given.get(key) for key in ("account", "supply_point", "from")]
        id_ = str(given.get("id") or "/".join(map(str, parts)))
        if ("tenancy", id_) in written.paths and (given.get("id") or all(parts)):
            _, first = written.document.place(written.paths[("tenancy", id_)])
            do = "keep one of the two, or give one an `id:` of its own"
            written.add(path, Fault("duplicate_id", f"tenancy {id_} is already on line {first}", do))
        elif set(given) <= {"ended", "withdrawn"} and given:
            written.add(path, Fault("missing_key", "an end without `id`", "say which tenancy ends"))
        else:
            _read_object(written, "tenancies", id_, body, path)


def _read_object(written: Written, section: str, id_: str, body: Any, path: Path) -> None:
    key = (KINDS[section], id_)
    try:
        _ID_READERS.get(section, read_id)(id_)
    except PydanticCustomError as error:
        context = error.context or {}
        written.add(path, Fault("bad_value", context["wrong"], context["do"]))
    written.paths[key] = path
    if not isinstance(body, dict):
        written.declared[section].add(id_)
        written.add(path, Fault("wrong_shape", "is not a mapping", "write its keys and values, indented"))
        return
    _read_ending(written, key, body, path)
    rest = {name: value for name, value in body.items() if name not in ("ended", "withdrawn")}
    if len(rest) < len(body) and set(rest) <= {"id"}:
        return
    written.declared[section].add(id_)
    shape = _validated(written, SHAPES[section], rest, path)
    if shape is not None:
        written.keep(section, id_, shape)


def _read_ending(written: Written, key: Key, body: dict[str, Any], path: Path) -> None:
    if "ended" in body and "withdrawn" in body:
        wrong = "both ended and withdrawn"
        written.add(
            (*path, "withdrawn"), Fault("bad_value", wrong, "ended: it was right until then; withdrawn: it never was")
        )
    if "ended" in body:
        ended = _validated(written, EndedShape, body["ended"], (*path, "ended"))
        if ended is None:
            return
        if key[0] != "device" and not ended.at.whole_day:
            written.add(
                (*path, "ended", "at"), Fault("bad_value", f"`{ended.at.text}` is not a whole day", "write a date")
            )
        written.endings[key] = Ending(ended.reason, ended.at)
    elif "withdrawn" in body:
        withdrawn = _validated(written, WithdrawnShape, body["withdrawn"], (*path, "withdrawn"))
        if withdrawn is not None:
            written.endings[key] = Ending(withdrawn.reason, None)


def _validated(written: Written, shape: type[ShapeT], value: Any, path: Path) -> ShapeT | None:
    if not isinstance(value, dict):
        written.add(path, Fault("wrong_shape", "is not a mapping", "write its keys and values, indented"))
        return None
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            where = (*path, *(step for step in detail["loc"] if not _BRACKETED.fullmatch(str(step))))
            written.add(where, _fault_of(detail, where))
        return None


def _fault_of(detail: ErrorDetails, where: Path) -> Fault:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return Fault("missing_key", "is missing", "add it")
    if kind in CODES:
        return Fault(kind, context["wrong"], context["do"])
    if kind == "extra_forbidden":
        key = str(where[-1])
        if key.lower() in _PERSONAL and where[0] in ("accounts", "tenancies"):
            do = "leave it out: here stands only `party_id`; names and addresses live in the party store, which can be erased"
            return Fault("personal_data", f"`{key}` is personal data", do)
        return _unknown_key(key, _KEYS)
    if kind in _SHAPE_WORDS:
        expected, do = _SHAPE_WORDS[kind]
        return Fault("wrong_shape", f"is not {expected}", do)
    if kind == "literal_error":
        return Fault("bad_value", f"`{detail['input']}` is not one of the choices", f"write {context['expected']}")
    if kind == "too_short":
        return Fault("missing_key", "is empty", "write at least one")
    return Fault("bad_value", detail["msg"], "see docs/portfolio.md")


def _unknown_key(key: str, known: list[str]) -> Fault:
    if key.isdigit():
        return Fault(
            "unknown_key", f"`{key}` means nothing here", "write a point for the comma: in { } a comma ends the value"
        )
    near = get_close_matches(key, known, n=1)
    do = f"did you mean `{near[0]}`" if near else "remove it; docs/portfolio.md lists every key"
    return Fault("unknown_key", f"`{key}` means nothing here", do)
