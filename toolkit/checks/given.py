"""Which names the templates of pages have, as far as the source of their functions tells."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

ALWAYS = frozenset({"page", "site", "locale", "viewer"})
"""Names that the renderer gives to every page."""


def names_of_templates(site: Any) -> dict[str, set[str] | None]:
    """Template to the names that its pages have; None where a function keeps them to itself."""
    common: set[str] | None = set(ALWAYS)
    for function in site.context_functions:
        found = returned_names(function)
        common = None if common is None or found is None else common | found
    given: dict[str, set[str] | None] = {}
    for route in site.routes:
        if not route.template:
            continue
        own = _names_of(route)
        before = given.get(route.template, set())
        whole = None if own is None or common is None or before is None else before | own | common
        given[route.template] = whole
    return given


def _names_of(route: Any) -> set[str] | None:
    if route.kind not in ("page", "listing", "error"):
        return None
    names = returned_names(route.function)
    if names is None:
        return None
    if route.kind == "listing":
        names.add("listing")
    if route.each is not None:
        if route.model is None:
            return None  # a mapping as subject gives its own keys
        names.add(route.subject_name)
    return names


def returned_names(function: Callable[..., Any] | None) -> set[str] | None:
    """The keys of the dictionaries that a function returns, if they are written out; None if they are not."""
    if function is None:
        return set()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function))))
    except (OSError, TypeError, SyntaxError):
        return None
    body = tree.body[0]
    if not isinstance(body, ast.FunctionDef):
        return None
    names: set[str] = set()
    for returned in _returns(body):
        found = _keys(returned)
        if found is None:
            return None
        names |= found
    return names


def _returns(function: ast.FunctionDef) -> Iterator[ast.expr | None]:
    """What the function itself returns, not those within it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            yield node.value
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _keys(node: ast.expr | None) -> set[str] | None:
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return set()
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:  # a listing: (rows, further names)
        node = node.elts[1]
    if isinstance(node, ast.Dict):
        keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
        return set(keys) if len(keys) == len(node.keys) else None
    if isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        return _rows(node)
    return None


def _rows(node: ast.expr) -> set[str] | None:
    """A listing returns rows: ``section.stories.all()`` gives no names. Calls of functions may return anything."""
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return None
        node = node.func if isinstance(node, ast.Call) else node.value
    return set() if isinstance(node, ast.Name) else None
