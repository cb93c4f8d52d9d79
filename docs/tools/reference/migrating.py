"""Migrations: what a file says, its operations, and what may be asked from Python."""

from __future__ import annotations

import inspect

from toolkit import migrations

from .docstrings import arguments, read_doc
from .signatures import describe

FUNCTIONS = ("make", "update", "apply", "plan", "show", "check", "sql", "squash", "rebase", "merge", "prune")


def attributes() -> str:
    """What ``class Migration`` may say."""
    return arguments(read_doc(migrations.Migration), "Attributes")


def operations() -> str:
    """A heading for each operation."""
    kinds = [getattr(migrations, name) for name in migrations.__all__]
    found = [kind for kind in kinds if inspect.isclass(kind) and issubclass(kind, migrations.Operation)]
    return "\n\n".join(
        describe(kind.__name__, kind)
        for kind in sorted(found, key=lambda kind: kind.__name__)
        if kind is not migrations.Operation
    )


def functions() -> str:
    """A heading for each function."""
    return "\n\n".join(describe(f"migrations.{name}", getattr(migrations, name)) for name in FUNCTIONS)
