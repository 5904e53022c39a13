"""The YAML file as a tree of text, with the line of every place in it.

Nothing is turned into a number or a date here: `0.1` stays "0.1", `06:00` stays "06:00" and `2026-01-01` stays that. Only unquoted
`null`, `~`, nothing, `true` and `false` have a meaning of their own. Anchors, aliases and merge keys (`<<`) work; tags do not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from meterfold.portfolio.problem import Path, Problem

_PLAIN: Final[dict[str, Any]] = {"": None, "~": None, "null": None, "true": True, "false": False}
_TAGS: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))
_MOST_VALUES: Final = 500_000
"""Values of one file, aliases counted as often as they are used: beyond it a file of a few lines could fill the memory."""

_LOADER: Final = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """The tree (`data`) and the line on which each path stands, counted from 1."""

    data: dict[str, Any]
    lines: dict[Path, int]

    def place(self, path: Path) -> tuple[str, int]:
        """(`devices.M-1.registers.E1`, its line). What is not written takes the line of what holds it; steps that a short form leaves out
        are left out here too."""
        found: Path = ()
        shown: list[str] = []
        unwritten: list[str] = []
        node: Any = self.data
        for step in path:
            if isinstance(node, str):
                break
            if (*found, step) in self.lines:
                found, node, unwritten = (*found, step), node[step], []
                shown.append(str(step))
            elif isinstance(step, str):
                unwritten.append(step)
        return ".".join(shown + unwritten) or "file", self.lines.get(found, 1)

    def problem(self, code: str, path: Path, wrong: str, do: str) -> Problem:
        """A problem at a path."""
        shown, line = self.place(path)
        return Problem(code, shown, line, wrong, do)


def read_document(content: bytes | str) -> Document | list[Problem]:
    """The tree of one YAML document whose root is a mapping, or everything that is wrong with its form."""
    try:
        root = yaml.compose(_decoded(content), Loader=_LOADER)
    except yaml.YAMLError as error:
        return [_syntax(error)]
    except (UnicodeDecodeError, RecursionError) as error:
        return [Problem("syntax", "file", 1, f"the file cannot be read ({error})", "save it as UTF-8 text")]
    if not isinstance(root, yaml.MappingNode):
        wrong = "the file is empty" if root is None else "the file is not a mapping"
        return [Problem("syntax", "file", 1, wrong, "begin with a section such as `legal_entities:`")]
    walk = _Walk()
    data = walk.value(root, ())
    return walk.problems or Document(data, walk.lines)


def _decoded(content: bytes | str) -> str:
    return content.decode("utf-8-sig") if isinstance(content, bytes) else content.removeprefix("\ufeff")


def _syntax(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line = mark.line + 1 if mark else 1
    return Problem("syntax", "file", line, f"not YAML: {said}", "check indentation, colons and quotes just before")


@dataclass(slots=True)
class _Walk:
    """Turns nodes into plain values, noting lines and problems. One use per document."""

    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _open: set[int] = field(default_factory=set)
    _values: int = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._values += 1
        if self._values == _MOST_VALUES:
            self._note(
                "syntax", node, path, f"more than {_MOST_VALUES:,} values", "split the portfolio, or use fewer aliases"
            )
        if self._values >= _MOST_VALUES:
            return None
        if node.tag not in _TAGS:
            self._note("syntax", node, path, f"the tag {node.tag}", "leave tags out: every value is plain text")
        if isinstance(node, yaml.ScalarNode):
            return _PLAIN.get(node.value, node.value) if not node.style else node.value
        if id(node) in self._open:
            self._note("syntax", node, path, "an alias that contains itself", "write the value out")
            return None
        self._open.add(id(node))
        value = self._mapping(node, path) if isinstance(node, yaml.MappingNode) else self._list(node, path)
        self._open.discard(id(node))
        return value

    def _list(self, node: yaml.Node, path: Path) -> list[Any]:
        return [self.value(item, (*path, position)) for position, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._note("syntax", key_node, path, "a key that is not plain text", "write the key as one word")
            elif key_node.value == "<<" and not key_node.style:
                continue
            elif key_node.value in data:
                first = self.lines[(*path, key_node.value)]
                wrong = f"`{key_node.value}` stands here again (first on line {first})"
                self._note("duplicate_key", key_node, (*path, key_node.value), wrong, "keep one of the two")
            else:
                self.lines[(*path, key_node.value)] = key_node.start_mark.line + 1
                data[key_node.value] = self.value(value_node, (*path, key_node.value))
        self._merge(node, path, data)
        return data

    def _merge(self, node: yaml.MappingNode, path: Path, data: dict[str, Any]) -> None:
        """`<<: *other` and `<<: [*one, *two]`: keys that the mapping does not have itself; the earlier of two wins."""
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.value != "<<" or key_node.style:
                continue
            for source in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
                if not isinstance(source, yaml.MappingNode):
                    self._note(
                        "syntax", source, path, "`<<` that names no mapping", "merge only what is itself a mapping"
                    )
                    continue
                own = _Walk(_open=self._open, _values=self._values)
                merged = own.value(source, path)
                self._values = own._values
                self.problems.extend(problem for problem in own.problems if problem not in self.problems)
                data.update({key: value for key, value in (merged or {}).items() if key not in data})
                self.lines = own.lines | self.lines

    def _note(self, code: str, node: yaml.Node, path: Path, wrong: str, do: str) -> None:
        shown = ".".join(map(str, path)) or "file"
        self.problems.append(Problem(code, shown, node.start_mark.line + 1, wrong, do))
