"""Writing rows: insert, update, delete, in statements that are made once for each model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from toolkit.errors import FieldError, IntegrityError, ValidationError, did_you_mean
from toolkit.models.compiler import Compiler, own_slots
from toolkit.models.expressions import Expression, Now
from toolkit.models.fields import IntegerField
from toolkit.models.fields.several import as_one
from toolkit.models.paths import own_column
from toolkit.models.shapes import KEYS, MOMENT, SLOT, Bind
from toolkit.models.sqltext import iter_chunks, placeholder, quoted
from toolkit.trace import Scope

__all__ = ["bulk_insert", "insert_sql", "quoted", "save_instance", "update_rows"]


def _writers(scope: Scope, fields: Iterable[Any]) -> list[Any]:
    dialect = scope.database.dialect
    return [(field.attname, field.db_value_of(dialect)) for field in fields]


def _driver_values(writers: Sequence[Any], instance: Any) -> list[Any]:
    values = instance.__dict__
    row = []
    for attname, write in writers:
        value = values.get(attname)
        try:
            row.append(None if value is None else write(value))
        except ValidationError as error:
            where = f"{instance._meta.object_name}.{attname}"
            raise ValidationError(f"{where}: {error.message}", code=error.code, hint=error.hint) from error
    return row


def insert_sql(scope: Scope, model: Any, fields: Sequence[Any], *, returning: bool) -> str:
    """``INSERT`` of one row with these fields."""
    dialect = scope.database.dialect
    meta = model._meta
    columns = ", ".join(quoted(dialect, field.column) for field in fields)
    marks = ", ".join([placeholder(dialect)] * len(fields))
    sql = f"INSERT INTO {quoted(dialect, meta.table)} ({columns}) VALUES ({marks})"  # noqa: S608 - names of the schema
    if not fields:
        sql = f"INSERT INTO {quoted(dialect, meta.table)} {scope.database.backend.default_row}"
    return f"{sql} RETURNING {quoted(dialect, meta.pk.column)}" if returning else sql


def _stamp(scope: Scope, instance: Any, *, new: bool) -> None:
    """Set ``auto_now`` and ``auto_now_add`` fields, and let fields store what they keep elsewhere."""
    for field in instance._meta.storing:
        field.before_save(instance)
    for field in instance._meta.fields:
        if getattr(field, "auto_now", False) or (new and getattr(field, "auto_now_add", False)):
            instance.__dict__[field.attname] = field.stamp(scope.now())


def save_instance(scope: Scope, instance: Any, *, update_fields: Iterable[str] | None, force_insert: bool) -> None:
    """Insert or update one row."""
    only_update = not force_insert and (instance._row is not None or update_fields is not None)
    _refuse_unsaved_relations(instance)
    _stamp(scope, instance, new=not only_update)
    names = list(update_fields) if update_fields is not None else None
    with scope.database.atomic() if instance._meta.parents else nullcontext():
        if not only_update:
            _save_levels(scope, instance, force_insert=force_insert)
        elif _update_instance(scope, instance, names) == 0:
            raise IntegrityError(
                f"{instance._meta.object_name} {instance.pk} cannot be updated: there is no such row",
                hint="Load it again.",
            )
    instance._row = ()
    scope.database.changed()


def _save_levels(scope: Scope, instance: Any, *, force_insert: bool) -> None:
    """Insert a row, or update the one with its key; in a parent's table before its own.

    Only its own row is sure to be new when ``force_insert`` says so: that of a parent may be there.
    """
    _take_keys_from_links(instance)
    for level in instance._meta.levels:
        link_to_parents(instance, level)
        forced = force_insert and level is instance._meta.concrete_model
        if (
            forced
            or _key(instance, level) is None
            or _update_level(scope, instance, level, level._meta.local_fields) == 0
        ):
            _insert_level(scope, instance, level)


def _key(instance: Any, level: Any) -> Any:
    """The key of an instance's row in one of its tables."""
    pk = level._meta.pk
    return instance.__dict__.get(pk.attname) if level._meta.composite_key is None else instance.pk


def _take_keys_from_links(instance: Any) -> None:
    """``Restaurant(place_ptr=place)`` is the restaurant of a place that there is."""
    for level in reversed(instance._meta.levels):
        for parent, link in level._meta.parents.items():
            given = instance.__dict__.get(link.attname)
            if given is not None and _key(instance, parent) is None:
                instance.__dict__[parent._meta.pk.attname] = given


def link_to_parents(instance: Any, level: Any) -> None:
    """Let the row in one table refer to those in its parents' tables."""
    for parent, link in level._meta.parents.items():
        instance.__dict__[link.attname] = _key(instance, parent)


def _refuse_unsaved_relations(instance: Any) -> None:
    for key in instance._meta.foreign_keys():
        related = instance.__dict__.get(key.name)
        if related is None:
            continue
        held = key.value_of(related)
        if held is None:
            raise IntegrityError(
                f"{instance._meta.object_name}.{key.name} refers to an unsaved {related._meta.object_name}",
                hint="Save that one first.",
            )
        if key.held_by(instance) is None:
            key.hold(instance, held)


def _insert_level(scope: Scope, instance: Any, level: Any) -> None:
    """Insert an instance's row of one table."""
    meta = level._meta
    generated = _key(instance, level) is None
    if generated and meta.composite_key is not None:
        raise _keyless(meta)
    fields = [field for field in meta.local_fields if not (field.in_key and generated)]
    row = _driver_values(_writers(scope, fields), instance)
    returning = generated and scope.database.backend.returning
    cursor = scope.database.execute(insert_sql(scope, level, fields, returning=returning), row)
    if generated:
        instance.__dict__[meta.pk.attname] = cursor.fetchone()[0] if returning else cursor.lastrowid


def _update_instance(scope: Scope, instance: Any, names: Iterable[str] | None) -> int:
    """Update an instance's rows, in each table that has one of the fields; 0 if one of them is gone."""
    meta = instance._meta
    chosen = [one for name in names for one in _own_fields(meta, name)] if names is not None else meta.fields
    groups: dict[Any, list[Any]] = {}
    for field in chosen:
        groups.setdefault(field.model, []).append(field)
    if not groups:
        groups[meta.concrete_model] = []
    return min(_update_level(scope, instance, level, fields) for level, fields in groups.items())


def _update_level(scope: Scope, instance: Any, level: Any, chosen: Iterable[Any]) -> int:
    """Update an instance's row of one table."""
    meta = level._meta
    fields = [field for field in chosen if not field.in_key and field.attname in instance.__dict__]
    dialect, mark = scope.database.dialect, placeholder(scope.database.dialect)
    table = quoted(dialect, meta.table)
    keys = [quoted(dialect, field.column) for field in meta.key]
    pairs = ", ".join(f"{quoted(dialect, field.column)} = {mark}" for field in fields)
    if not pairs:
        pairs = f"{keys[0]} = {keys[0]}"
    row = _driver_values(_writers(scope, [*fields, *meta.key]), instance)
    sql = f"UPDATE {table} SET {pairs} WHERE {' AND '.join(f'{key} = {mark}' for key in keys)}"  # noqa: S608 - names of the schema
    return int(scope.database.execute(sql, row).rowcount)


def _own_fields(meta: Any, name: str) -> Sequence[Any]:
    """The field of this name, or those that it stands for.

    Raises:
        FieldError: There is none.
    """
    key = next((key for key in meta.foreign_keys() if key.is_several and name in (key.name, key.attname)), None)
    return key.parts if key is not None else [_own_field(meta, name)]


def _by_field(meta: Any, values: Mapping[str, Any]) -> dict[Any, Any]:
    """What is to be set, by field; a reference of several columns is taken apart."""
    found: dict[Any, Any] = {}
    for name, value in values.items():
        fields = _own_fields(meta, name)
        if len(fields) == 1 and fields[0].attname in (name, f"{name}_id"):
            found[fields[0]] = value
            continue
        key = next(key for key in meta.foreign_keys() if name in (key.name, key.attname))
        if isinstance(value, Expression):
            raise FieldError(
                f"update({name}=...): {key.model.__name__}.{name} is several columns, and no expression gives them",
                hint="Give an instance or a tuple, or set the single fields.",
            )
        found |= dict(zip(fields, (None,) * len(fields) if value is None else key.split(value), strict=True))
    return found


def _own_field(meta: Any, name: str) -> Any:
    """The field with a column of this name.

    Raises:
        FieldError: There is none.
    """
    field = next((field for field in meta.fields if name in (field.name, field.attname)), None)
    if field is None:
        raise FieldError(
            f"{meta.object_name}.{name} is no column", hint=did_you_mean(name, [field.name for field in meta.fields])
        )
    return field


def bulk_insert(scope: Scope, model: Any, rows: list[Any], *, batch_size: int) -> list[Any]:
    """Insert many rows in one transaction: those with a key, then those to be given one."""
    if not rows:
        return rows
    for row in rows:
        _refuse_unsaved_relations(row)
        _stamp(scope, row, new=True)
        _take_keys_from_links(row)
    given: list[tuple[Any, str]] = []
    try:
        with scope.database.atomic():
            for level in model._meta.levels:
                _bulk_insert_level(scope, level, rows, batch_size, given)
    except BaseException:
        for row, key in given:
            row.__dict__[key] = None
        raise
    for row in rows:
        row._row = ()
    scope.database.changed()
    return rows


def _bulk_insert_level(scope: Scope, level: Any, rows: Sequence[Any], size: int, given: list[tuple[Any, str]]) -> None:
    """Insert the rows of one table; notes which instances were given a key."""
    if level._meta.parents:
        for row in rows:
            link_to_parents(row, level)
    key = level._meta.pk.attname
    keyless = [row for row in rows if _key(row, level) is None]
    if level._meta.composite_key is None:
        given += [(row, key) for row in keyless]
    _in_batches(scope, level, [row for row in rows if _key(row, level) is not None], size)
    if keyless and _give_keys(scope, level, keyless):
        _in_batches(scope, level, keyless, size)


def _in_batches(scope: Scope, model: Any, rows: Sequence[Any], size: int) -> None:
    if not rows:
        return
    fields = model._meta.local_fields
    sql, writers = insert_sql(scope, model, fields, returning=False), _writers(scope, fields)
    for start in range(0, len(rows), size):
        chunk = rows[start : start + size]
        scope.database.executemany(sql, [_driver_values(writers, row) for row in chunk])


def _keyless(meta: Any) -> IntegrityError:
    """The error for a row without a key, where the database gives none."""
    names = " and ".join(field.name for field in meta.key)
    return IntegrityError(f"{meta.object_name} has no {names}, which is its key", hint="Give each row one.")


def _give_keys(scope: Scope, model: Any, rows: Sequence[Any]) -> bool:
    """Set the keys that the database would give, ahead of the insert; if that cannot be, insert the rows one by one.

    Returns:
        Whether the rows remain to be inserted.
    """
    meta = model._meta
    if not isinstance(meta.pk, IntegerField):
        raise _keyless(meta)
    keys = scope.database.backend.next_keys(scope.database, meta.table, meta.pk.column, len(rows))
    if not keys:
        return _insert_keyless(scope, meta, rows)
    for row, number in zip(rows, keys, strict=True):
        row.__dict__[meta.pk.attname] = number
    return True


def _insert_keyless(scope: Scope, meta: Any, rows: Sequence[Any]) -> bool:
    """Insert the rows and set the keys that they were given; False, for ``_give_keys``: none remain."""
    fields = [field for field in meta.local_fields if not field.in_key]
    writers, sql = _writers(scope, fields), insert_sql(scope, meta.model, fields, returning=False)
    keys = scope.database.backend.insert_many(scope.database, sql, [_driver_values(writers, row) for row in rows])
    for row, number in zip(rows, keys, strict=bool(keys)):
        row.__dict__[meta.pk.attname] = number
    for row in rows if not keys else ():
        _insert_level(scope, row, meta.model)
    return False


def update_rows(scope: Scope, queryset: Any, values: dict[str, Any]) -> int:
    """``UPDATE`` of all rows of a queryset."""
    import sqlalchemy as sa

    if queryset._start or queryset._stop is not None:
        raise FieldError("a sliced queryset cannot be updated", hint="Filter by the keys: filter(pk__in=stories[:5]).")
    if not values:
        return 0
    model = queryset.model
    lifted: list[Any] = list(queryset._values)
    compiler = Compiler(scope.database, model, scope.sight)
    compiler.apply(queryset._operations)
    fields = _by_field(model._meta, values)
    if any(field.model is not model._meta.concrete_model for field in fields):
        return _update_levels(scope, compiler, fields, lifted)
    where = compiler.where()
    keys = sa.select(*compiler.root.keys).select_from(compiler.from_clause()).where(*where)
    assignments = {field.column: _assigned(scope, compiler, field, value, lifted) for field, value in fields.items()}
    target = scope.database.schema.table(model)
    own = as_one([target.c[field.column] for field in model._meta.key])
    statement = compiler.statement(sa.update(target).where(own.in_(_materialized(sa, scope, keys))).values(assignments))
    count = int(scope.database.execute(statement.sql, statement.bind(lifted, scope, ())).rowcount)
    scope.database.changed()
    return count


def _update_levels(scope: Scope, compiler: Compiler, fields: Mapping[Any, Any], lifted: list[Any]) -> int:
    """Update rows in several tables: which ones is asked before the first of them is changed."""
    import sqlalchemy as sa

    homes = list(dict.fromkeys(field.model for field in fields))
    columns = [own_column(compiler, compiler.root, home._meta.pk) for home in homes]
    where = compiler.where()
    asked = compiler.statement(sa.select(*columns).select_from(compiler.from_clause()).where(*where))
    with scope.database.atomic():
        keys = scope.database.fetch(asked.sql, asked.bind(lifted, scope, ()))
        for number, home in enumerate(homes):
            values: list[Any] = []
            level = Compiler(scope.database, home, scope.sight)
            table = level.root.table
            assignments = {
                field.column: _assigned(scope, level, field, value, values)
                for field, value in fields.items()
                if field.model is home
            }
            found = table.c[home._meta.pk.column].in_(level.binds.add(Bind(KEYS), home._meta.pk.sql_type()))
            statement = level.statement(sa.update(table).where(found).values(assignments))
            for chunk, _ in iter_chunks([row[number] for row in keys], scope.database.dialect):
                scope.database.execute(statement.text(len(chunk)), statement.bind(values, scope, chunk))
    scope.database.changed()
    return len(keys)


def _materialized(sa: Any, scope: Scope, keys: Any) -> Any:
    """MySQL refuses to update a table that a subquery reads, unless the subquery is a table of its own."""
    if scope.database.dialect != "mysql":
        return keys
    inner = keys.subquery()
    return sa.select(*inner.c)


def _assigned(scope: Scope, compiler: Compiler, field: Any, value: Any, lifted: list[Any]) -> Any:
    """SQL of a new value."""
    import sqlalchemy as sa

    dialect = scope.database.dialect
    if isinstance(value, Now):
        return compiler.binds.add(Bind(MOMENT, None, field.db_writer(dialect)), field.sql_type())
    if isinstance(value, Expression):
        joined = len(compiler.root.children)
        column = compiler.expression(value.lift(lifted), compiler.root, own_slots)[0]
        if len(compiler.root.children) > joined:
            raise FieldError(
                f"update({field.name}=...): the value of another table's row cannot be taken",
                hint="Use F() with a field of the model itself, or save the rows one by one.",
            )
        return column
    if value is None:
        return sa.null()
    lifted.append(value)
    return compiler.binds.add(Bind(SLOT, len(lifted) - 1, field.db_value_of(dialect)), field.sql_type())
