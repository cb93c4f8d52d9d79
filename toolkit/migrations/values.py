"""Python values as source text: what a migration file is made of."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from toolkit import models
from toolkit.errors import MigrationError
from toolkit.migrations.layout import Chain, Doc, Group, call
from toolkit.models import Expression, F, Q
from toolkit.models.constraints import Declared
from toolkit.models.expressions import Ordered
from toolkit.models.queryset import ManagerDescriptor

Imports = set[str]
"""Modules that a source needs."""


class Sources(set[str]):
    """Imports of a file that brings functions along.

    Args:
        modules: The modules that it imports.
        names: The functions, and what they are called in the file.
    """

    def __init__(self, modules: Iterable[str], names: Mapping[Any, str]) -> None:
        super().__init__(modules)
        self.names = names


_OPERATORS = {"AND": "&", "OR": "|", "XOR": "^"}


def is_writable(value: Any) -> bool:
    """Whether a value can be written into a file and read back the same."""
    try:
        write_value(value, set())
    except MigrationError:
        return False
    return True


def write_value(value: Any, imports: Imports) -> Doc:
    """The source of a value.

    Args:
        value: None, numbers, text, bytes, dates, UUIDs, enum members, containers of these, functions and classes
            that stand at the top of a module, conditions, constraints and indexes; dataclasses, and what has a
            ``deconstruct()`` that gives the import path of its class, arguments, and arguments by name.
        imports: Modules that the source needs are added here.

    Raises:
        MigrationError: It cannot be written.
    """
    for kinds, writer in _WRITERS:
        if isinstance(value, kinds):
            return writer(value, imports)
    if callable(value):
        return _write_reference(value, imports)
    made = _made_with(value)
    if made is not None:
        return _write_call(*made, imports)
    raise MigrationError(
        f"{value!r} ({type(value).__name__}) cannot be written into a migration",
        hint="Use a plain value or a dataclass, give its class a deconstruct() that says how it is made, or write a "
        "function at the top of a module that makes it.",
    )


def quoted(text: str) -> str:
    """Text as a literal in double quotes, as formatters like it."""
    literal = repr(text)
    if literal.startswith('"') or '"' in text:
        return literal
    return '"' + literal[1:-1].replace("\\'", "'") + '"'


def _write_enum(value: Enum, imports: Imports) -> Doc:
    imports.add(type(value).__module__)
    return f"{type(value).__module__}.{type(value).__qualname__}.{value.name}"


def _write_float(value: float, imports: Imports) -> Doc:
    return repr(value) if math.isfinite(value) else f'float("{value}")'


def _write_datetime(value: datetime, imports: Imports) -> Doc:
    imports.add("datetime")
    if value.tzinfo is not None:
        value = value.astimezone(UTC)
    return repr(value).replace("datetime.timezone.utc", "datetime.UTC")


def _write_moment(value: date | time | timedelta, imports: Imports) -> Doc:
    imports.add("datetime")
    return repr(value)


def _write_decimal(value: Decimal, imports: Imports) -> Doc:
    imports.add("decimal")
    return f'decimal.Decimal("{value}")'


def _write_uuid(value: UUID, imports: Imports) -> Doc:
    imports.add("uuid")
    return f'uuid.UUID("{value}")'


def _write_list(value: list[Any], imports: Imports) -> Doc:
    return Group("[", tuple(write_value(item, imports) for item in value), "]")


def _write_tuple(value: tuple[Any, ...], imports: Imports) -> Doc:
    items = tuple(write_value(item, imports) for item in value)
    return Group("(", items, ",)" if len(items) == 1 else ")")


def _write_set(value: set[Any] | frozenset[Any], imports: Imports) -> Doc:
    items = Group("[", tuple(write_value(item, imports) for item in sorted(value, key=repr)), "]")
    return call("frozenset" if isinstance(value, frozenset) else "set", [("", items)])


def _write_dict(value: dict[Any, Any], imports: Imports) -> Doc:
    items = [_pair(write_value(key, imports), write_value(item, imports)) for key, item in value.items()]
    return Group("{", tuple(items), "}")


def _pair(key: Doc, value: Doc) -> Doc:
    return Group("", (key, value), "", separator=": ") if isinstance(key, Group) else _prefixed(f"{key}: ", value)


def _prefixed(prefix: str, value: Doc) -> Doc:
    if isinstance(value, str):
        return prefix + value
    if isinstance(value, Chain):
        return Chain(value.operands, value.operator, prefix)
    return Group(prefix + value.opening, value.items, value.closing, broken=value.broken)


def _write_reference(value: Any, imports: Imports) -> Doc:
    if isinstance(imports, Sources) and value in imports.names:
        return imports.names[value]
    name = getattr(value, "__qualname__", "")
    owner = getattr(value, "__self__", None)
    module = getattr(owner if isinstance(owner, type) else value, "__module__", None)
    if not name or not module or "<" in name:
        raise MigrationError(
            f"{value!r} cannot be written into a migration: it has no name that can be imported",
            hint="Give it a name: write a function at the top of a module instead of a lambda or an inner function.",
        )
    if module == "builtins":
        return str(name)
    if module.startswith("toolkit.migrations.operations."):  # such as RunPython.noop; the file imports migrations
        return f"migrations.{name}"
    imports.add(module)
    return f"{module}.{name}"


def _write_q(value: Q, imports: Imports) -> Doc:
    """The outermost operator needs no brackets, and is where a long condition is broken."""
    operands = [_child(child, imports) for child in value.children]
    if value.negated or len(operands) < 2 or _is_plain(value):
        return _inner_q(value, imports)
    imports.add("toolkit.models")
    return Chain(tuple(operands), _OPERATORS[value.connector])


def _inner_q(value: Q, imports: Imports) -> str:
    """A condition that may stand beside an operator: brackets around everything that has one of its own."""
    return "~" * value.negated + _condition(value, imports)


def _condition(value: Q, imports: Imports) -> str:
    imports.add("toolkit.models")
    parts = [_child(child, imports) for child in value.children]
    if len(parts) == 1 and isinstance(value.children[0], Q):
        return parts[0]
    if _is_plain(value):
        return f"models.Q({', '.join(part[len('models.Q(') : -1] for part in parts)})"
    return f"({f' {_OPERATORS[value.connector]} '.join(parts)})"


def _is_plain(value: Q) -> bool:
    """Whether one call says it all: ``Q(a=1, b=2)``."""
    return value.connector == "AND" and all(not isinstance(child, Q) for child in value.children)


def _child(child: Q | Expression | tuple[str, Any], imports: Imports) -> str:
    if isinstance(child, Q):
        return _inner_q(child, imports)
    if isinstance(child, Expression):
        return f"models.Q({_flat(write_value(child, imports))})"
    return f"models.Q({child[0]}={_flat(write_value(child[1], imports))})"


def _flat(doc: Doc) -> str:
    return doc if isinstance(doc, str) else doc.flat


def _write_f(value: F, imports: Imports) -> Doc:
    imports.add("toolkit.models")
    return f"models.F({quoted(value.name)})"


def _write_declared(value: Declared, imports: Imports) -> Doc:
    """A constraint or an index. What it tells people is left out: it changes no table."""
    return _write_call(*value.deconstruct(), imports)


def _made_with(value: Any) -> tuple[str, Sequence[Any], Mapping[str, Any]] | None:
    """Import path, arguments, and arguments by name of the call that makes a value of somebody's class."""
    kind = type(value)
    if hasattr(kind, "deconstruct"):
        path, positional, options = value.deconstruct()
        return path, positional, options
    if dataclasses.is_dataclass(value) and "<" not in kind.__qualname__:
        told = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
        return f"{kind.__module__}.{kind.__qualname__}", (), told
    return None


def _write_call(path: str, positional: Iterable[Any], options: Mapping[str, Any], imports: Imports) -> Doc:
    module, _, name = path.rpartition(".")
    imports.add(module)
    written = [("", write_value(item, imports)) for item in positional]
    written += [(option, write_value(item, imports)) for option, item in options.items()]
    return call(f"{'models' if module == 'toolkit.models' else module}.{name}", written)


def _write_ordered(value: Ordered, imports: Imports) -> Doc:
    """``models.F("published").desc(nulls_last=True)``."""
    (inner,), options = value.made_with
    told = [(name, write_value(item, imports)) for name, item in options.items() if item and name != "descending"]
    return call(f"{_flat(write_value(inner, imports))}.{'desc' if options['descending'] else 'asc'}", told)


def _write_expression(value: Expression, imports: Imports) -> Doc:
    """The call that makes an expression."""
    kind = type(value)
    public = getattr(models, kind.__name__, None) is kind
    imports.add("toolkit.models" if public else kind.__module__)
    arguments, options = value.made_with
    written = [("", write_value(item, imports)) for item in arguments]
    written += [(name, write_value(item, imports)) for name, item in options.items()]
    return call(f"models.{kind.__name__}" if public else f"{kind.__module__}.{kind.__qualname__}", written)


def _write_manager(value: ManagerDescriptor, imports: Imports) -> Doc:
    """The call that makes a manager; of a queryset class its ``as_manager()``."""
    kind = value.queryset
    public = getattr(models, kind.__name__, None) is kind
    imports.add("toolkit.models" if public else kind.__module__)
    name = f"models.{kind.__name__}" if public else f"{kind.__module__}.{kind.__qualname__}"
    if not kind._is_manager:
        return call(f"{name}.as_manager", [])
    written = [("", write_value(item, imports)) for item in value.arguments]
    written += [(option, write_value(item, imports)) for option, item in value.options.items()]
    return call(name, written)


def add_writer(kind: Any, writer: Callable[[Any, Imports], Doc]) -> None:
    """Let values of a class be written."""
    _WRITERS.append((kind, writer))


_WRITERS: list[tuple[Any, Callable[[Any, Imports], Doc]]] = [
    (Enum, _write_enum),
    ((bool, int, type(None), bytes), lambda value, imports: repr(value)),
    (str, lambda value, imports: quoted(value)),
    (float, _write_float),
    (datetime, _write_datetime),
    ((date, time, timedelta), _write_moment),
    (Decimal, _write_decimal),
    (UUID, _write_uuid),
    (list, _write_list),
    (tuple, _write_tuple),
    ((set, frozenset), _write_set),
    (dict, _write_dict),
    (Q, _write_q),
    (F, _write_f),
    (Declared, _write_declared),
    (Ordered, _write_ordered),
    (Expression, _write_expression),
    (ManagerDescriptor, _write_manager),
]
