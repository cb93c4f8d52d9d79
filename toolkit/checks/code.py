"""What pages' functions read that no trace can know of or verify: chance, the wall clock, other hosts.

They are looked for in the source. Looked at are the functions that are declared
to be run for pages, those of the same module that they call, and values of the module that these use. A view may read
whatever it likes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks.findings import Finding
from toolkit.site.calls import CHANCE, imported_names, untracked_calls

_DECLARING = {"page", "listing", "feed", "context_processor", "filter", "template_global", "error_page", "shortcode"}
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
    used = {name: function.name for function in run for name in _globals_of(function)}
    for statement in tree.body:
        for name in _assigned(statement) & used.keys():
            for what, hint, line in untracked_calls(statement, names):
                message = f"{name} reads {what} when the module is imported, and {used[name]}() is run for pages"
                message += "" if what == CHANCE else ": every build makes every page anew"
                yield Finding("code.untracked", message, path=str(path), line=line, hint=hint)


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
