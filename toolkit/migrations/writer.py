"""Migration files: their text, their names, and writing them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.errors import MigrationError
from toolkit.files import write_whole
from toolkit.migrations.fields import FieldState, describe_field
from toolkit.migrations.graph import Key
from toolkit.migrations.layout import Doc, Group, call, render
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.values import Imports, Sources, add_writer, quoted, write_value
from toolkit.models import Field

HEADER = "# Made by `toolkit migrations make`. Read it, change it where it is wrong, and keep it with the code."
NAME_LENGTH = 52


@dataclass(frozen=True)
class WrittenMigration:
    """A migration that was made.

    Args:
        app: The label of its app.
        name: Its name, such as ``0002_story_kicker``.
        path: Its file.
        text: What is in it.
        summary: What it does, a line for each operation.
    """

    app: str
    name: str
    path: Path
    text: str = field(repr=False)
    summary: tuple[str, ...] = ()


def migration_text(
    operations: Iterable[Operation],
    *,
    dependencies: Iterable[Key] = (),
    replaces: Iterable[Key] = (),
    run_before: Iterable[Key] = (),
    atomic: bool = True,
    code: Iterable[str] = (),
    names: Mapping[Any, str] | None = None,
) -> str:
    """The text of a migration file: the same operations give the same text.

    Args:
        operations: What it does.
        dependencies: What must be applied before.
        replaces: What it stands for.
        run_before: What must be applied after it.
        atomic: Whether it is done in one transaction.
        code: Source of the functions and imports that it brings along.
        names: Those functions, and what they are called in the file.

    Raises:
        MigrationError: A value in an operation cannot be written.
    """
    imports: Imports = Sources({"toolkit.migrations"}, names or {})
    steps = [_operation(operation, imports) for operation in operations]
    stands_for = list(replaces)
    body = [_assignment("replaces", _pairs(stands_for)), ""] if stands_for else []
    body += [_assignment("dependencies", _pairs(dependencies)), ""]
    later = list(run_before)
    body += [_assignment("run_before", _pairs(later)), ""] if later else []
    body += [] if atomic else ["    atomic = False", ""]
    body.append(_assignment("operations", steps))
    pieces = [HEADER, "", *_import_lines(imports)]
    copied = list(code)
    lines = [one for one in copied if one.startswith(("import ", "from "))]
    pieces += [one for one in lines if one not in pieces and one != "from toolkit import migrations"]
    for source in copied:
        if source not in lines:
            pieces += ["", "", source]
    return "\n".join([*pieces, "", "", "class Migration(migrations.Migration):", *body, ""])


def _pairs(keys: Iterable[Key]) -> list[Any]:
    return [Group("(", (quoted(app), quoted(name)), ")") for app, name in keys]


def migration_name(number: int, operations: Iterable[Operation], *, initial: bool = False) -> str:
    """A name that tells what the migration does: ``0002_story_kicker``."""
    if initial:
        return f"{number:04}_initial"
    slugs = [re.sub(r"\W+", "_", slug) for operation in operations if (slug := operation.slug)]
    name = slugs[0][:NAME_LENGTH] if slugs else "custom"
    for slug in slugs[1:]:
        if len(name) + len(slug) + 1 > NAME_LENGTH:
            return f"{number:04}_{name}_and_more"
        name += f"_{slug}"
    return f"{number:04}_{name}"


def check_name(name: str) -> None:
    """Refuse the name of a new migration that is none of a file beside the others, such as one with a slash.

    Raises:
        MigrationError: There is something else in it than letters, digits and underscores.
    """
    if not re.fullmatch(r"\w+", name):
        raise MigrationError(
            f"{name!r} cannot be the name of a migration",
            hint="Take letters, digits and underscores, such as slugs_in_small_letters.",
        )


def write_file(path: Path, text: str) -> None:
    """Write a new migration beside its place and move it there.

    Raises:
        MigrationError: There is one already, or the folder cannot be written.
    """
    if path.exists():
        raise MigrationError("the file is there already", path=path, hint="Move it away, or give another name.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        marker = path.parent / "__init__.py"
        if not marker.exists():
            marker.write_text("", "utf-8")
        write_whole(path, text.encode())
    except OSError as error:
        raise MigrationError(
            f"the migration cannot be written: {error.strerror}", path=path, hint="May this user write the folder?"
        ) from error


def _assignment(name: str, items: list[Any]) -> str:
    value = Group("[", tuple(items), "]", broken=True)
    return f"    {name} = {render(value, level=1)}"


def _operation(operation: Operation, imports: Imports) -> Doc:
    try:
        arguments = [(name, _argument(name, value, imports)) for name, value in operation.arguments()]
    except MigrationError as error:
        raise MigrationError(f"{operation.describe()}: {error.message}", hint=error.hint) from error
    kind = type(operation)
    prefix = "migrations" if kind.__module__.startswith("toolkit.migrations.") else kind.__module__
    if prefix != "migrations":
        imports.add(prefix)
    return call(f"{prefix}.{kind.__name__}", arguments)


def _argument(name: str, value: Any, imports: Imports) -> Doc:
    if isinstance(value, FieldState):
        return _field(value, imports)
    if name == "fields":
        pairs = tuple(Group("(", (quoted(item.name), _field(item, imports)), ")") for item in value)
        return Group("[", pairs, "]", broken=bool(pairs))
    if name in ("state_operations", "database_operations"):
        return Group("[", tuple(_operation(item, imports) for item in value), "]", broken=True)
    if name in ("constraints", "indexes"):
        return Group("[", tuple(write_value(item, imports) for item in value), "]", broken=True)
    if name == "options":
        return write_value(dict(value), imports)
    if name == "managers":
        return write_value(list(value), imports)
    return write_value(value, imports)


def _field(state: FieldState, imports: Imports) -> Doc:
    module, _, name = state.kind.rpartition(".")
    imports.add(module)
    prefix = module.removeprefix("toolkit.") if module in ("toolkit.models", "toolkit.gis") else module
    options = [_option(option, value, imports) for option, value in (*state.options, *state.beside)]
    return call(f"{prefix}.{name}", sorted(options, key=lambda pair: pair[0] != ""))


def _option(name: str, value: Any, imports: Imports) -> tuple[str, Doc]:
    if isinstance(value, FieldState):
        return (name, _field(value, imports))
    if name == "to":
        return ("", quoted(value))
    if name == "on_delete":
        return (name, f"models.{value.upper()}")
    return (name, write_value(value, imports))


def _import_lines(imports: Imports) -> list[str]:
    ours = sorted(
        module.removeprefix("toolkit.")
        for module in imports
        if module in ("toolkit.migrations", "toolkit.models", "toolkit.gis")
    )
    others = sorted(module for module in imports if module.removeprefix("toolkit.") not in ours)
    standard = [module for module in others if module.partition(".")[0] in sys.stdlib_module_names]
    rest = [module for module in others if module not in standard]
    lines = [f"import {module}" for module in standard]
    lines += [""] * bool(standard) + [f"from toolkit import {', '.join(ours)}"]
    return lines + [""] * bool(rest) + [f"import {module}" for module in rest]


add_writer(Field, lambda value, imports: _field(describe_field("", value), imports))
