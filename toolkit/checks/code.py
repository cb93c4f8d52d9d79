"""What pages' functions read that no trace can know of: chance, the wall clock, other hosts.

Python tells nobody of these reads, so they are looked for in the source. Looked at are the functions that are declared
to be run for pages, those of the same module that they call, and values of the module that these use. A view may read
whatever it likes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from toolkit.checks.findings import Finding

_DECLARING = {"page", "listing", "feed", "context_processor", "filter", "template_global", "error_page", "shortcode"}
_CLOCK = "Ask for the moment with toolkit's Now() in the query, or now() in the template: the trace knows those."
_CHANCE = "A page is a function of what it reads: choose by the subject's key, or in the browser."
_OUTSIDE = "Load it into the database or a file before the build."

UNTRACKED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        (
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
            "time.time",
            "time.time_ns",
            "time.localtime",
            "time.gmtime",
            "time.strftime",
            "time.monotonic",
            "time.perf_counter",
        ),
        ("the wall clock", _CLOCK),
    ),
    **dict.fromkeys(
        (
            *(
                f"random.{name}"
                for name in ("random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform")
            ),
            *(f"secrets.{name}" for name in ("choice", "randbelow", "token_hex", "token_urlsafe", "token_bytes")),
            "os.urandom",
            "uuid.uuid1",
            "uuid.uuid4",
        ),
        ("chance", _CHANCE),
    ),
    **dict.fromkeys(
        (
            "urllib.request.urlopen",
            "socket.create_connection",
            "socket.socket",
            *(f"requests.{name}" for name in ("get", "post", "head", "request")),
            *(f"httpx.{name}" for name in ("get", "post", "head", "request", "stream")),
            *(f"subprocess.{name}" for name in ("run", "check_output", "Popen", "call")),
            "os.popen",
            "os.system",
        ),
        ("another host or program", _OUTSIDE),
    ),
}
"""Full name of a function, to (what it reads, what to do instead)."""

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
    names = _imported(tree)
    functions = {node.name: node for node in tree.body if isinstance(node, Function)}
    run = _run_for_pages(functions)
    for function in run:
        for what, hint, line in _reads(function, names):
            message = f"{function.name}() is run for pages and reads {what}, which no trace knows of"
            yield Finding("code.untracked", message, path=str(path), line=line, hint=hint)
    used = {name: function.name for function in run for name in _globals_of(function)}
    for statement in tree.body:
        for name in _assigned(statement) & used.keys():
            for what, hint, line in _reads(statement, names):
                message = f"{name} reads {what} when the module is imported, and {used[name]}() is run for pages"
                yield Finding("code.untracked", message, path=str(path), line=line, hint=hint)


def _reads(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    """What is read that no trace knows of, what to do instead, and the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            known = UNTRACKED.get(_full_name(node.func, names))
            if known is not None:
                yield (*known, node.lineno)


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


def _imported(tree: ast.Module) -> dict[str, str]:
    """Name in the module to the full name of what was imported under it."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    return names


def _full_name(node: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])
