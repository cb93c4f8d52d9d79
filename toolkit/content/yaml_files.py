"""YAML, read with the C loader. Duplicate keys are refused; positions come from the nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from toolkit.content.place import Place, Step, content_error
from toolkit.text.yaml_scalars import check_scalars

DEEPEST = 200
"""So many lists and mappings may stand in each other: libyaml's stack ends the process where there are many more."""

_TOO_DEEP = f"lists and mappings are nested too deeply: more than {DEEPEST} in each other"

MOST_NODES = 100_000
"""So many values a text with aliases may stand for: each alias counts as all that it repeats."""

_DEEP_LINE = re.compile(rf"^[ \t?:-]{{{DEEPEST // 2}}}", re.MULTILINE)
"""A mapping may have a list in its own column, and no other two that stand in each other share one."""


class YamlDocument:
    """The rows of a YAML file, or the one row of YAML front matter.

    Args:
        rows: What was read.
        nodes: The node of each row.
        first_line: Line of the file on which the YAML begins, from 1.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], nodes: list[Any], *, first_line: int = 1) -> None:
        self.rows = rows
        self._nodes = nodes
        self._first_line = first_line

    def locate(self, row: int, path: tuple[Step, ...] = (), *, key: bool = False) -> Place:
        node = self._nodes[row]
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node = found[0] if key and step == path[-1] else found[1]
        return _place(node.start_mark, self._first_line)

    def text_of(self, row: int, path: tuple[Step, ...]) -> str | None:
        node = self._nodes[row]
        for step in path:
            found = _child(node, step)
            if found is None:
                return None
            node = found[1]
        return str(node.value) if node.id == "scalar" and not node.tag.endswith(":null") else None


def _child(node: Any, step: Step) -> tuple[Any, Any] | None:
    """The nodes of a member's key and value."""
    if node.id == "sequence" and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step]
    if node.id == "mapping":
        return next((pair for pair in node.value if str(pair[0].value) == step), None)
    return None


def _place(mark: Any, first_line: int) -> Place:
    return Place(mark.line + first_line, mark.column + 1) if mark is not None else Place()


def parse_yaml(text: str, *, path: str, first_line: int = 1, single: bool = False) -> YamlDocument:
    """Read a YAML text: a mapping, or a list of mappings.

    Args:
        text: The text.
        path: The file it is from, for errors.
        first_line: Its first line in that file.
        single: Only one mapping will do (front matter); an empty text is an empty one.

    Raises:
        ContentError: It is no YAML, repeats a key, or is something else; or its aliases make too much of it.
    """
    import yaml

    node = None
    try:
        _refuse_depth(text, path, first_line)
        loader = _loader_class()(text)
        try:
            node = loader.get_single_node()
            if node is not None and "*" in text:
                _refuse_bomb(node, path, first_line)
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except _duplicate_key_class() as error:
        raise content_error(
            f"the key {error.key!r} is there twice; first on line {error.first.line + first_line}",
            path,
            _place(error.second, first_line),
            "Remove one of them.",
        ) from None
    except yaml.MarkedYAMLError as error:
        told = ", ".join(part for part in (error.context, error.problem) if part)
        raise content_error(
            f"the YAML cannot be read: {told}",
            path,
            _place(error.problem_mark or error.context_mark, first_line),
            "Text with a colon, quotes or a tab belongs in quotes.",
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        wrong = None if node is None else _find_wrong(node)
        told = f"{wrong.value!r:.60} cannot be read" if wrong is not None else "the YAML cannot be read"
        place = _place(wrong.start_mark, first_line) if wrong is not None else Place(first_line)
        raise content_error(f"{told}: {' '.join(str(error).split())}", path, place) from None
    return _document(value, node, path, first_line, single)


def _document(value: Any, node: Any, path: str, first_line: int, single: bool) -> YamlDocument:
    if value is None:
        return YamlDocument([{}] if single else [], [_Nothing()] if single else [], first_line=first_line)
    rows, nodes = ([value], [node]) if isinstance(value, dict) or single else (value, None)
    if not isinstance(rows, list):
        raise content_error(
            f"a list of mappings is expected, not {value!r:.40}",
            path,
            _place(node.start_mark, first_line),
            "Begin each row with '- ' and give it 'key: value' lines.",
        )
    nodes = nodes if nodes is not None else node.value
    for row, at in zip(rows, nodes, strict=True):
        if not isinstance(row, dict):
            raise content_error(
                f"a mapping is expected, not {row!r:.40}",
                path,
                _place(at.start_mark, first_line),
                "Write it as 'key: value' lines.",
            )
        _refuse_other_keys(row, at, path, first_line)
    return YamlDocument(rows, nodes, first_line=first_line)


def _refuse_other_keys(row: dict[Any, Any], node: Any, path: str, first_line: int) -> None:
    """``no: 1`` and ``2014: x`` have keys that are no text."""
    for name in row:
        if not isinstance(name, str):
            at = next((pair[0].start_mark for pair in node.value if not pair[0].tag.endswith(":str")), None)
            raise content_error(f"the key {name!r} is no text", path, _place(at, first_line), "Put it in quotes.")


def _refuse_depth(text: str, path: str, first_line: int) -> None:
    """Refuse what is nested more deeply than ``DEEPEST``, before nodes are made of it.

    Few texts need a look: one that is deep has many brackets, or a line that begins with many spaces and dashes.

    Raises:
        ContentError: It is.
    """
    import yaml

    if text.count("[") + text.count("{") <= DEEPEST and not _DEEP_LINE.search(text):
        return
    depth = 0
    for event in yaml.parse(text, Loader=_loader_class()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise content_error(_TOO_DEEP, path, _place(event.start_mark, first_line))


def _refuse_bomb(root: Any, path: str, first_line: int) -> None:
    """Refuse aliases that repeat repetitions, or themselves: a few lines would become more than a machine holds.

    Raises:
        ContentError: They do.
    """
    sizes: dict[int, tuple[int, int] | None] = {}  # with the depth; None while it is being counted

    def size_of(node: Any) -> tuple[int, int]:
        if node.id == "scalar":
            return 1, 0
        known = sizes.get(id(node), (0, 0))
        if known is None:
            raise content_error("an alias stands within what it repeats", path, _place(node.start_mark, first_line))
        if known[0]:
            return known
        sizes[id(node)] = None
        parts = node.value if node.id == "sequence" else [part for pair in node.value for part in pair]
        found = [size_of(part) for part in parts]
        size, depth = 1 + sum(each for each, _ in found), 1 + max((each for _, each in found), default=0)
        if depth > DEEPEST:
            raise content_error(_TOO_DEEP, path, _place(node.start_mark, first_line))
        if size > MOST_NODES:
            raise content_error(
                f"with its aliases it stands for more than {MOST_NODES:,} values",
                path,
                _place(node.start_mark, first_line),
                "Write out what is meant, with fewer aliases (*name).",
            )
        sizes[id(node)] = size, depth
        return size, depth

    size_of(root)


def _find_wrong(node: Any) -> Any:
    """The value that looks like a date or a number and is none, such as ``2026-02-31``."""
    if node.id == "scalar":
        try:
            _loader_class()("").construct_object(node)
        except ValueError:
            return node
        return None
    parts = node.value if node.id == "sequence" else [part for pair in node.value for part in pair]
    return next((found for part in parts if (found := _find_wrong(part)) is not None), None)


class _Mark:
    line = 0
    column = 0


class _Nothing:
    """The node of front matter with nothing in it."""

    id = "mapping"
    value: tuple[Any, ...] = ()
    start_mark = _Mark()


@cache
def _duplicate_key_class() -> Any:
    class DuplicateKey(Exception):
        """A mapping has a key twice."""

        def __init__(self, key: str, first: Any, second: Any) -> None:
            super().__init__(key)
            self.key, self.first, self.second = key, first, second

    return DuplicateKey


@cache
def _loader_class() -> Any:
    """The C loader with a check for duplicate keys, or Python's where libyaml is missing."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    duplicate = _duplicate_key_class()

    class Loader(base):  # type: ignore[misc]  # one of two classes
        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: dict[Any, Any] = {}
            for key, _ in node.value:
                if key.id == "scalar" and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        raise duplicate(key.value, seen[key.value], key.start_mark)
                    seen[key.value] = key.start_mark
            return super().construct_mapping(node, deep)

    check_scalars(Loader)
    return Loader
