"""Calls in Python's source that read what no trace can know of: chance, the wall clock, other hosts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

CLOCK, CHANCE = "the wall clock", "chance"
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
        (CHANCE, _CHANCE),
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


def may_read_clock(source: bytes) -> bool:
    """Whether it is worth it to parse a source."""
    return _MAY_READ_CLOCK.search(source) is not None


def clock_calls(tree: ast.Module) -> list[ast.Call]:
    """The calls in a module that ask for the time; not those that measure how long something takes."""
    names = imported_names(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        call
        for call in calls
        if (full := full_name(call.func, names)) not in _MEASURING and UNTRACKED.get(full, ("",))[0] == CLOCK
    ]
