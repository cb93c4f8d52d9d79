"""Updating all rows of a question in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError
from toolkit.lazily import LazyModule
from toolkit.models.assigning import assigned, refuse_other_tables
from toolkit.models.expressions import Expression, F, Q
from toolkit.models.fields.several import as_one
from toolkit.models.nesting import nested_enough
from toolkit.models.shapes import KEYS, Bind
from toolkit.models.sqltext import CHUNK_KEYS, key_of
from toolkit.models.writing import own_field, several_of
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.models import compiler as compiling
    from toolkit.models import layers, paths
    from toolkit.models.compiler import Compiler
else:
    compiling = LazyModule("toolkit.models.compiler")
    layers = LazyModule("toolkit.models.layers")
    paths = LazyModule("toolkit.models.paths")


def update_rows(scope: Scope, queryset: Any, values: dict[str, Any]) -> int:
    """``UPDATE`` of all rows of a queryset; how many there were.

    Raises:
        FieldError: The queryset has a slice or distinct rows, or a value cannot be computed by the table's own rows.
    """
    _refuse_form(queryset)
    if not values:
        return 0
    model = queryset.model
    meta = model._meta
    fields = _by_field(meta, values)
    computed = next((field for field in fields if field.is_generated), None)
    if computed is not None:
        raise FieldError(f"update(): {meta.object_name}.{computed.name} is computed by the database and never written")
    refuse_other_tables(meta, fields)
    if meta.version is not None:
        fields.setdefault(meta.version, F(meta.version.name) + 1)
    lifted: list[Any] = list(queryset._values)
    compiler = compiling.Compiler(scope.database, model, scope.sight)
    with nested_enough():
        compiler.apply(queryset._operations)
    if compiler.selection.grouped:
        raise FieldError("update() of groups is not possible", hint="Filter by the keys: filter(section__in=...).")
    homes = {field.model for field in fields}
    if homes != {meta.concrete_model} or scope.database.receivers.watching:
        return _update_by_keys(scope, compiler, fields, lifted)
    return _update_at_once(scope, compiler, fields, lifted, nothing=queryset._is_nothing())


def _by_field(meta: Any, values: Mapping[str, Any]) -> dict[Any, Any]:
    """What is to be set, by field; what stands for several columns is taken apart."""
    found: dict[Any, Any] = {}
    for name, value in values.items():
        key = several_of(meta, name)
        if key is None:
            _set(found, name, own_field(meta, name), value)
            continue
        if isinstance(value, Expression | Q) or hasattr(value, "lift_question"):
            raise FieldError(
                f"update({name}=...): {key.model.__name__}.{name} is several columns, and no expression gives them",
                hint="Give its value, or set the single fields.",
            )
        given = (None,) * len(key.parts) if value is None else key.split(value)
        for part, each in zip(key.parts, given, strict=True):
            _set(found, name, part, each)
    return found


def _set(found: dict[Any, Any], name: str, field: Any, value: Any) -> None:
    """Note what a field is set to.

    Raises:
        FieldError: It is set already, by another name.
    """
    if field in found:
        raise FieldError(
            f"update({name}=...) sets {field.name!r} of {field.model.__name__}, which another name sets too",
            hint="Leave out one of the two.",
        )
    found[field] = value


def _refuse_form(queryset: Any) -> None:
    if queryset._start or queryset._stop is not None:
        raise FieldError("a sliced queryset cannot be updated", hint="Filter by the keys: filter(pk__in=stories[:5]).")
    if any(_makes_others(operation, queryset) for operation in queryset._operations):
        raise FieldError(
            "update() of distinct values, or of a union, is not possible",
            hint="Filter by the keys: filter(pk__in=...).",
        )


def _makes_others(operation: Any, queryset: Any) -> bool:
    """Whether what comes out are other rows than those that met the conditions. With their key, rows are distinct."""
    return operation[0] == "combined" or (
        operation[0] == "distinct" and (bool(operation[1]) or queryset._gives != "instances")
    )


def _update_at_once(
    scope: Scope, compiler: Compiler, fields: Mapping[Any, Any], lifted: list[Any], *, nothing: bool
) -> int:
    """One statement, for a change of one table that nobody wants to be told of row by row."""
    import sqlalchemy as sa

    met = rows_met(scope, compiler)
    assignments = {field.column: assigned(scope, compiler, field, value, lifted) for field, value in fields.items()}
    target = scope.database.schema.table(compiler.model)
    statement = compiler.statement(sa.update(target).where(*met).values(assignments))
    bound = statement.bind(lifted, scope, ())  # refuses values, though there be no rows
    if nothing:
        return 0
    count = int(scope.database.run(statement.sql, bound).rowcount)
    scope.database.changed([target.name])
    return count


def rows_met(scope: Scope, compiler: Compiler) -> list[Any]:
    """The conditions of a question, for a statement that writes its rows.

    Where they look beyond the table, the rows are found by their keys. Where they do not, they stand as they are: on
    MariaDB a subquery would share its locks, and two writers of one row would lock each other out.
    """
    import sqlalchemy as sa
    from sqlalchemy.sql import visitors

    if layers.is_layered(compiler) or compiler.windowed:
        return _among(scope, compiler, compiler.select(compiler.root.keys, ordered=False))
    where = compiler.where()
    inner = any(isinstance(part, sa.SelectBase) for clause in where for part in visitors.iterate(clause))
    if not compiler.root.children and not (inner and scope.database.dialect == "mysql"):
        return where
    return _among(scope, compiler, sa.select(*compiler.root.keys).select_from(compiler.from_clause()).where(*where))


def _among(scope: Scope, compiler: Compiler, chosen: Any) -> list[Any]:
    """That a row of the table is among chosen ones.

    MariaDB reads the whole table to find the rows of a subquery, and waits at each that another writer has locked; of a
    table that it joins it looks for the keys. That one has to be distinct: else MariaDB makes one question of both, and
    refuses to change what it reads.
    """
    target = scope.database.schema.table(compiler.model)
    own = [target.c[field.column] for field in compiler.model._meta.key]
    if scope.database.dialect != "mysql":
        return [as_one(own).in_(chosen)]
    return [key == each for key, each in zip(own, chosen.distinct().subquery().c, strict=True)]


def _update_by_keys(scope: Scope, compiler: Compiler, fields: Mapping[Any, Any], lifted: list[Any]) -> int:
    """Update rows, perhaps in several tables: which ones is asked before the first of them is changed."""

    homes = list(dict.fromkeys([compiler.model._meta.concrete_model, *(field.model for field in fields)]))
    columns = [paths.own_column(compiler, compiler.root, field) for home in homes for field in home._meta.key]
    asked = compiler.statement(compiler.select(columns, ordered=False))
    with scope.database.atomic():
        rows = scope.database.ask(asked.sql, asked.bind(lifted, scope, ()))
        start = 0
        for home in homes:
            own = {field: value for field, value in fields.items() if field.model is home}
            width = len(home._meta.key)
            if own:
                _update_home(scope, home, own, [key_of(row, width, start) for row in rows])
            start += width
    return len(rows)


def _update_home(scope: Scope, home: Any, fields: Mapping[Any, Any], keys: list[Any]) -> None:
    """Update the rows of one table with these keys."""
    import sqlalchemy as sa

    values: list[Any] = []
    level = compiling.Compiler(scope.database, home, scope.sight)
    table, pk = level.root.table, home._meta.pk
    level.key_width = width = len(home._meta.key)
    assignments = {field.column: assigned(scope, level, field, value, values) for field, value in fields.items()}
    own = as_one([table.c[field.column] for field in home._meta.key])
    found = own.in_(level.binds.add(Bind(KEYS), pk.sql_type() if width == 1 else None))
    statement = level.statement(sa.update(table).where(found).values(assignments))
    for start in range(0, len(keys), CHUNK_KEYS):
        sql, given = statement.for_keys(list(keys[start : start + CHUNK_KEYS]))
        scope.database.run(sql, statement.bind(values, scope, given))
    read = pk.db_reader(scope.database.dialect)
    scope.database.wrote(home, "update", [key if read is None else read(key) for key in keys])
