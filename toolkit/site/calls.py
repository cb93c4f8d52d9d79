"""Calls in Python's source that read what no trace can know of: chance, the wall clock, other hosts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

CLOCK = "the wall clock"
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
        (CLOCK, _CLOCK),
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

_MEASURING = {"time.monotonic", "time.perf_counter"}
_MAY_READ_CLOCK = re.compile(rb"\b(?:now|utcnow|today|time|time_ns|localtime|gmtime|strftime)\s*\(")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def untracked_calls(tree: ast.AST, names: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    """What is read that no trace knows of, what to do instead, and the line.

    Args:
        tree: A part of a module.
        names: What the module calls what it imports, see ``imported_names``.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            known = UNTRACKED.get(full_name(node.func, names))
            if known is not None:
                yield (*known, node.lineno)


def imported_names(tree: ast.Module) -> dict[str, str]:
    """Name in the module to the full name of what was imported under it."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                names[one.asname or one.name.partition(".")[0]] = one.name if one.asname else one.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})
    return names


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    """The full name of what an expression names; empty if it is nothing that was imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join([names[node.id], *reversed(parts)])


def clock_reads_at_import(paths: Iterable[Path]) -> list[tuple[Path, int]]:
    """Where modules ask for the time while they are imported: path and line.

    Functions count that are called then, by their name alone, whichever module has them. How long something took is
    not asked for: that is no date.

    Args:
        paths: Sources of one site; those that cannot be read are told elsewhere.
    """
    sources = [(path, source) for path in paths if (source := _source(path))]
    if not any(_MAY_READ_CLOCK.search(source) for _, source in sources):
        return []
    trees = [(path, tree, imported_names(tree)) for path, source in sources if (tree := _parsed(source)) is not None]
    functions = {
        node.name: (path, node, names)
        for path, tree, names in trees
        for node in ast.walk(tree)
        if isinstance(node, Function)
    }
    waiting = [(path, node, names) for path, tree, names in trees for node in tree.body]
    found: set[tuple[Path, int]] = set()
    reached: set[str] = set()
    while waiting:
        path, node, names = waiting.pop()
        for call in _calls_now(node):
            full = full_name(call.func, names)
            if UNTRACKED.get(full, ("",))[0] == CLOCK and full not in _MEASURING:
                found.add((path, call.lineno))
            called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if called in functions and called not in reached:
                reached.add(called)
                place, function, known = functions[called]
                waiting += [(place, one, known) for one in function.body]
    return sorted(found)


def _source(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _parsed(source: bytes) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError):
        return None


def _calls_now(node: ast.AST) -> Iterator[ast.Call]:
    """The calls of a statement that run with it: not those in a function that it only makes."""
    if isinstance(node, Function):
        for part in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            yield from _calls_now(part)
        return
    if isinstance(node, ast.Lambda) or (isinstance(node, ast.If) and _is_script(node.test)):
        return
    if isinstance(node, ast.Call):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _calls_now(child)


def _is_script(test: ast.expr) -> bool:
    """Whether it is ``__name__ == "__main__"``."""
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))
