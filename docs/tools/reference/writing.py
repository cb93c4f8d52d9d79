"""Transactions and signals."""

from __future__ import annotations

import ast
import inspect
import itertools

from toolkit import database, signals
from toolkit.models import DeletionPlan
from toolkit.signals import COMMON, Signal

from .docstrings import parse_doc, read_doc, table
from .signatures import describe, signature


def transactions() -> str:
    """The functions of ``toolkit.database`` for the current site."""
    return "\n\n".join(
        describe(name, getattr(database, name)).replace(f"{name}(function=None, ", f"{name}(")
        for name in ("atomic", "on_commit", "set_rollback", "non_atomic_requests")
    )


def deletion_plan() -> str:
    """What a plan of a delete has."""
    names = ("allowed", "counts", "objects", "blocking", "blocking_text")
    rows = [[f"`{name}`", said] for name, said in read_doc(DeletionPlan).items["Args"]]
    for name in names:
        member = inspect.getattr_static(DeletionPlan, name)
        call = "" if isinstance(member, property) else f"({signature(member)})"
        rows.append([f"`{name}{call}`", read_doc(member).summary])
    return table(["of a plan", "what it is"], rows)


def signal_kinds() -> str:
    """A heading for each signal, with the text that stands below it in the source."""
    parts = []
    body = ast.parse(inspect.getsource(signals)).body
    for statement, following in itertools.pairwise(body):
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            continue
        name = statement.targets[0].id
        signal = getattr(signals, name)
        if isinstance(signal, Signal):
            if not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)):
                raise LookupError(f"toolkit.signals.{name} has no docstring")
            own = ", ".join(f"`{value}`" for value in signal.values if value not in COMMON)
            text = parse_doc(inspect.cleandoc(str(following.value.value))).text
            parts.append(f"### `{name}`\n\n{text}\n\nIt gives {own}.")
    return "\n\n".join(parts)
