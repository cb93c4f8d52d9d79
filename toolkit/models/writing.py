"""Writing rows: insert, update, delete, in statements that are made once for each model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from toolkit.errors import FieldError, IntegrityError, ProtectedError, did_you_mean
from toolkit.models.expressions import Expression
from toolkit.models.relations import CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET_DEFAULT, SET_NULL
from toolkit.trace import Scope

DELETE_KEYS = 500


def quoted(dialect: str, name: str) -> str:
    """An identifier in the dialect's quotes."""
    mark = "`" if dialect == "mysql" else '"'
    return mark + name.replace(mark, mark * 2) + mark


def _placeholder(dialect: str) -> str:
    return "?" if dialect == "sqlite" else "%s"


def _writers(scope: Scope, fields: Iterable[Any]) -> list[Any]:
    dialect = scope.database.dialect
    return [(field.attname, field.db_writer(dialect)) for field in fields]


def _driver_values(writers: Sequence[Any], instance: Any) -> list[Any]:
    values = instance.__dict__
    row = []
    for attname, write in writers:
        value = values.get(attname)
        row.append(value if write is None or value is None else write(value))
    return row


def insert_sql(scope: Scope, model: Any, fields: Sequence[Any], *, returning: bool) -> str:
    """``INSERT`` of one row with these fields."""
    dialect = scope.database.dialect
    meta = model._meta
    columns = ", ".join(quoted(dialect, field.column) for field in fields)
    marks = ", ".join([_placeholder(dialect)] * len(fields))
    sql = f"INSERT INTO {quoted(dialect, meta.table)} ({columns}) VALUES ({marks})"  # noqa: S608 - names of the schema
    if not fields:
        sql = f"INSERT INTO {quoted(dialect, meta.table)} DEFAULT VALUES"
    return f"{sql} RETURNING {quoted(dialect, meta.pk.column)}" if returning else sql


def _stamp(model: Any, instance: Any, *, new: bool) -> None:
    """Set ``auto_now`` and ``auto_now_add`` fields."""
    for field in model._meta.fields:
        if getattr(field, "auto_now", False) or (new and getattr(field, "auto_now_add", False)):
            instance.__dict__[field.attname] = datetime.now(UTC)


def save_instance(
    scope: Scope, instance: Any, *, update_fields: Iterable[str] | None, force_insert: bool
) -> None:
    """Insert or update one row."""
    new = force_insert or instance._row is None
    _refuse_unsaved_relations(instance)
    _stamp(type(instance), instance, new=new)
    if not new:
        if _update_instance(scope, instance, update_fields) == 0:
            name = instance._meta.object_name
            raise IntegrityError(
                f"{name} {instance.pk} cannot be updated: the row is gone", hint="Load it again."
            )
    elif force_insert or instance.pk is None or _update_instance(scope, instance, None) == 0:
        _insert_instance(scope, instance)
    instance._row = ()
    scope.database.memo.clear()


def _refuse_unsaved_relations(instance: Any) -> None:
    for key in instance._meta.foreign_keys():
        related = instance.__dict__.get(key.name)
        if related is None:
            continue
        if related.pk is None:
            raise IntegrityError(
                f"{instance._meta.object_name}.{key.name} refers to an unsaved {related._meta.object_name}",
                hint="Save that one first.",
            )
        if related.pk != instance.__dict__.get(key.attname) and instance.__dict__.get(key.attname) is None:
            instance.__dict__[key.attname] = related.pk


def _insert_instance(scope: Scope, instance: Any) -> None:
    meta = instance._meta
    generated = instance.pk is None
    fields = [field for field in meta.fields if not (field.primary_key and generated)]
    row = _driver_values(_writers(scope, fields), instance)
    returning = generated and scope.database.dialect == "postgresql"
    cursor = scope.database.execute(insert_sql(scope, type(instance), fields, returning=returning), row)
    if generated:
        instance.__dict__[meta.pk.attname] = cursor.fetchone()[0] if returning else cursor.lastrowid


def _update_instance(scope: Scope, instance: Any, names: Iterable[str] | None) -> int:
    meta = instance._meta
    chosen = [meta.get_field(name) for name in names] if names is not None else meta.fields
    fields = [field for field in chosen if not field.primary_key and field.attname in instance.__dict__]
    dialect, mark = scope.database.dialect, _placeholder(scope.database.dialect)
    table, key = quoted(dialect, meta.table), quoted(dialect, meta.pk.column)
    pairs = ", ".join(f"{quoted(dialect, field.column)} = {mark}" for field in fields)
    if not pairs:
        pairs = f"{key} = {key}"
    row = _driver_values(_writers(scope, [*fields, meta.pk]), instance)
    sql = f"UPDATE {table} SET {pairs} WHERE {key} = {mark}"  # noqa: S608 - names of the schema
    return int(scope.database.execute(sql, row).rowcount)


def bulk_insert(scope: Scope, model: Any, rows: list[Any], *, batch_size: int) -> list[Any]:
    """Insert many rows in one transaction."""
    if not rows:
        return rows
    meta = model._meta
    with scope.database.atomic():
        keyed = [row for row in rows if row.pk is not None]
        keyless = [row for row in rows if row.pk is None]
        for group, fields in ((keyed, meta.fields), (keyless, [f for f in meta.fields if not f.primary_key])):
            for row in group:
                _refuse_unsaved_relations(row)
                _stamp(model, row, new=True)
            if group is keyless and group:
                _insert_keyless(scope, model, group, fields, batch_size)
            elif group:
                sql = insert_sql(scope, model, fields, returning=False)
                _in_batches(scope, sql, _writers(scope, fields), group, batch_size)
    for row in rows:
        row._row = ()
    return rows


def _in_batches(scope: Scope, sql: str, writers: Sequence[Any], rows: Sequence[Any], size: int) -> None:
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        scope.database.executemany(sql, [_driver_values(writers, row) for row in chunk])


def _insert_keyless(scope: Scope, model: Any, rows: Sequence[Any], fields: Sequence[Any], size: int) -> None:
    """Rows whose keys the database gives. SQLite gives rising ones: inside our transaction they are known ahead."""
    meta = model._meta
    if scope.database.dialect != "sqlite":
        for row in rows:
            _insert_instance(scope, row)
        return
    table, key = quoted("sqlite", meta.table), quoted("sqlite", meta.pk.column)
    last = scope.database.fetch(f"SELECT coalesce(max({key}), 0) FROM {table}")[0][0]  # noqa: S608 - of the schema
    for number, row in enumerate(rows, last + 1):
        row.__dict__[meta.pk.attname] = number
    sql = insert_sql(scope, model, meta.fields, returning=False)
    _in_batches(scope, sql, _writers(scope, meta.fields), rows, size)
    del fields


def update_rows(scope: Scope, queryset: Any, values: dict[str, Any]) -> int:
    """``UPDATE`` of all rows of a queryset."""
    import sqlalchemy as sa

    from toolkit.models.compiler import Compiler, own_slots

    if not values:
        return 0
    model = queryset.model
    lifted: list[Any] = list(queryset._values)
    compiler = Compiler(scope.database, model, scope.sight)
    compiler.apply(queryset._operations)
    table = compiler.root.table
    keys = (
        sa.select(table.c[model._meta.pk.column]).select_from(compiler.from_clause()).where(*compiler.where())
    )
    assignments = {}
    for name, value in values.items():
        field = model._meta.get_field(name)
        if not hasattr(field, "column") or field not in model._meta.fields:
            raise FieldError(f"update(): {name!r} is no column", hint=did_you_mean(name, model._meta.by_name))
        assignments[field.column] = _assigned(scope, compiler, field, value, lifted, own_slots)
    target = scope.database.schema.table(model)
    statement = compiler.statement(
        sa.update(target)
        .where(target.c[model._meta.pk.column].in_(_materialized(sa, scope, keys)))
        .values(assignments)
    )
    scope.database.memo.clear()
    return int(scope.database.execute(statement.sql, statement.bind(lifted, scope, ())).rowcount)


def _materialized(sa: Any, scope: Scope, keys: Any) -> Any:
    """MySQL refuses to update a table that a subquery reads, unless the subquery is a table of its own."""
    if scope.database.dialect != "mysql":
        return keys
    inner = keys.subquery()
    return sa.select(inner.c[0])


def _assigned(scope: Scope, compiler: Any, field: Any, value: Any, lifted: list[Any], slots: Any) -> Any:
    import sqlalchemy as sa

    from toolkit.models.shapes import SLOT, Bind

    if isinstance(value, Expression):
        return compiler.expression(value.lift(lifted), compiler.root, slots)[0]
    if value is None:
        return sa.null()
    lifted.append(value)
    return compiler.binds.add(
        Bind(SLOT, len(lifted) - 1, field.db_writer(scope.database.dialect)), field.sql_type()
    )


# deleting


def delete_instance(scope: Scope, instance: Any) -> dict[str, int]:
    """Delete one row and what depends on it."""
    gone = _delete_keys(scope, type(instance), [instance.pk])
    instance._row = None
    return gone


def delete_rows(scope: Scope, queryset: Any) -> dict[str, int]:
    """Delete all rows of a queryset and what depends on them."""
    keys = list(queryset.order_by().values_list("pk", flat=True))
    return _delete_keys(scope, queryset.model, keys)


def _delete_keys(scope: Scope, model: Any, keys: list[Any]) -> dict[str, int]:
    gone: dict[str, int] = {}
    if keys:
        with scope.database.atomic():
            _collect(scope, model, keys, gone)
    scope.database.memo.clear()
    return gone


def _collect(scope: Scope, model: Any, keys: list[Any], gone: dict[str, int]) -> None:
    """Do what ``on_delete`` says for rows that refer to these, then delete these."""
    for relation in model._meta.reverse.values():
        field = relation.field
        if hasattr(field, "on_delete"):
            _follow(scope, model, field, keys, gone)
        else:
            _unlink(scope, field, keys, own_side=False)
    for field in model._meta.many_to_many:
        _unlink(scope, field, keys, own_side=True)
    dialect = scope.database.dialect
    table, key = quoted(dialect, model._meta.table), quoted(dialect, model._meta.pk.column)
    write = model._meta.pk.db_writer(dialect)
    for start in range(0, len(keys), DELETE_KEYS):
        chunk = [write(item) if write else item for item in keys[start : start + DELETE_KEYS]]
        marks = ", ".join([_placeholder(dialect)] * len(chunk))
        cursor = scope.database.execute(f"DELETE FROM {table} WHERE {key} IN ({marks})", chunk)  # noqa: S608 - of the schema
        gone[model._meta.label] = gone.get(model._meta.label, 0) + cursor.rowcount


def _follow(scope: Scope, model: Any, field: Any, keys: list[Any], gone: dict[str, int]) -> None:
    if field.on_delete == DO_NOTHING:
        return
    referring = field.model.objects.unrestricted().filter(**{f"{field.name}__in": keys})
    if field.on_delete in (PROTECT, RESTRICT):
        found = list(referring[:6])
        if found:
            shown = ", ".join(str(item) for item in found[:5]) + (" and more" if len(found) > 5 else "")
            raise ProtectedError(
                f"{model._meta.object_name} cannot be deleted: {field.model.__name__}.{field.name} refers to it ({shown})",
                hint="Delete those first, or give them another.",
            )
    elif field.on_delete == CASCADE:
        below = list(referring.order_by().values_list("pk", flat=True))
        if below:
            _collect(scope, field.model, below, gone)
    elif field.on_delete in (SET_NULL, SET_DEFAULT):
        referring.update(**{field.name: None if field.on_delete == SET_NULL else field.get_default()})


def _unlink(scope: Scope, field: Any, keys: list[Any], *, own_side: bool) -> None:
    own, other = field.link_fields()
    side = own if own_side else other
    dialect = scope.database.dialect
    table, column = quoted(dialect, field.through._meta.table), quoted(dialect, side.column)
    write = side.db_writer(dialect)
    for start in range(0, len(keys), DELETE_KEYS):
        chunk = [write(item) if write else item for item in keys[start : start + DELETE_KEYS]]
        marks = ", ".join([_placeholder(dialect)] * len(chunk))
        scope.database.execute(f"DELETE FROM {table} WHERE {column} IN ({marks})", chunk)  # noqa: S608 - of the schema
