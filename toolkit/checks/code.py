"""What pages' functions read that no trace can know of or verify: chance, the wall clock, other hosts.

They are looked for in the source. Looked at are the functions that are declared
to be run for pages, those of the same module that they call, and values of the module that these use. A view may read
whatever it likes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from toolkit.checks.findings import Finding
from toolkit.site.calls import CHANCE, imported_names, untracked_calls

_DECLARING = {"page", "listing", "feed", "context_processor", "filter", "template_global", "error_page", "shortcode"}
_BOXES = {"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict", "WeakKeyDictionary"}
_CHANGING = {
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault",
    "update",
}  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef


def check_module(path: Path) -> Iterator[Finding]:
    """The untracked reads of one module's pages.

    Args:
        path: A Python source; one that cannot be read is told elsewhere.
    """
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    names = imported_names(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    run = _run_for_pages(functions)
    for function in run:
        for what, hint, line in untracked_calls(function, names):
            message = f"{function.name}() is run for pages and reads {what}, {_so(what)}"
            yield Finding("code.untracked", message, path=str(path), line=line, hint=hint)
    yield from _kept(tree, run, path)
    used = {name: function.name for function in run for name in _globals_of(function)}
    for statement in tree.body:
        for name in _assigned(statement) & used.keys():
            for what, hint, line in untracked_calls(statement, names):
                message = f"{name} reads {what} when the module is imported, and {used[name]}() is run for pages"
                message += "" if what == CHANCE else ": every build makes every page anew"
                yield Finding("code.untracked", message, path=str(path), line=line, hint=hint)


def _kept(tree: ast.Module, run: Sequence[Function], path: Path) -> Iterator[Finding]:
    """Values of the module that functions change: the next page finds what the last one left there."""
    boxes = {name for statement in tree.body if _makes_box(statement) for name in _assigned(statement)}
    for function in run:
        for name, line in sorted(_changed_by(function, boxes).items()):
            message = f"{function.name}() is run for pages and changes {name}, which the pages after it find changed"
            hint = "Let functools.cache keep answers: what they were made of is in the trace of each page that asks."
            yield Finding("code.untracked", message, path=str(path), line=line, hint=hint)


def _makes_box(statement: ast.stmt) -> bool:
    """Whether a statement gives a name an empty or full dict, list, set or the like."""
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Call):
        called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return called in _BOXES
    return isinstance(value, ast.Dict | ast.List | ast.Set)


def _changed_by(function: Function, boxes: set[str]) -> dict[str, int]:
    """Name to line of each value of the module that a function changes."""
    nodes = list(ast.walk(function))
    shared = {name for node in nodes if isinstance(node, ast.Global) for name in node.names}
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)} - shared
    found: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in shared:
            found.setdefault(node.id, node.lineno)
        elif isinstance(place := _changed_place(node), ast.Name) and place.id in boxes - own:
            found.setdefault(place.id, place.lineno)
    return found


def _changed_place(node: ast.AST) -> ast.expr | None:
    """What a part of a function changes: ``x`` of ``x[1] = 2``, ``del x[1]``, ``x.append(1)``."""
    if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
        return node.func.value
    return None


def _so(what: str) -> str:
    return "which no trace knows of" if what == CHANCE else "so every build makes its pages anew"


def _globals_of(function: Function) -> set[str]:
    """The names that a function reads, without its own."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    own = {node.id for node in found if not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return {node.id for node in found} - own


def _assigned(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module gives values to."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return set()
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}


def _run_for_pages(functions: dict[str, Function]) -> list[Function]:
    """The functions that make pages, and those that they call, in the order of the source."""
    waiting = [one.name for one in functions.values() if any(map(_declares, one.decorator_list))]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        called = (node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name))
        waiting += [one for one in called if one in functions]
    return [function for name, function in functions.items() if name in reached]


def _declares(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(target, ast.Attribute) and target.attr in _DECLARING
