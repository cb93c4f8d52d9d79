"""Writing many rows: inserts in batches, with a word for rows that are there already, and updates of many instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from toolkit.database.transactions import Block
from toolkit.errors import FieldError, IntegrityError
from toolkit.models.conflicts import Conflict
from toolkit.models.deferred import load_lacking
from toolkit.models.fields.base import DATABASE_DEFAULT, MISSING
from toolkit.models.given import refuse_one
from toolkit.models.inserting import computed_fields, computed_insert
from toolkit.models.saving import update_sql
from toolkit.models.sqltext import quoted
from toolkit.models.stale import refuse_stale_rows
from toolkit.models.undoing import Before, Written, block_around, is_gone, known_until
from toolkit.models.updating import update_rows
from toolkit.models.writing import (
    ComputedValue,
    fill_keys,
    forget_computed,
    insert_sql,
    key_of,
    link_to_parents,
    own_fields,
    refuse_keyless,
    refuse_other_rows,
    row_maker,
    settle_relations,
    stamp,
    statement_of,
    take_keys_from_links,
    tell_taken_key,
    written_fields,
)
from toolkit.trace import Scope

BATCH = 5_000
"""Rows that are written at a time, where nobody says how many."""


def batches(rows: Iterable[Any], size: int | None) -> Iterator[list[Any]]:
    """Lists of so many rows; what gives them is asked no further ahead."""
    size = BATCH if size is None else size
    if not isinstance(size, int) or size < 1:
        raise FieldError(f"batch_size = {size!r} must be a whole number above 0")
    given = iter(rows)
    while batch := list(islice(given, size)):
        yield batch


class BulkInsert:
    """One ``bulk_create()``: all rows in one transaction.

    Args:
        scope: The scope.
        model: Whose rows.
        batch_size: Rows in one statement.
        conflict: What becomes of rows that are there already; None refuses them.
        collect: Give the rows back, rather than let them go.
    """

    def __init__(
        self,
        scope: Scope,
        model: Any,
        *,
        batch_size: int | None,
        conflict: Conflict | None = None,
        collect: bool = True,
    ) -> None:
        self.scope, self.database, self.model, self.meta = scope, scope.database, model, model._meta
        self.batch_size, self.conflict, self.collect = batch_size, conflict, collect
        self._before = Before(keeps=collect)
        if conflict is not None and self.meta.parents:
            raise FieldError(
                f"bulk_create() of {model.__name__}: its rows are in several tables, and a conflict may be in any",
                hint="Use update_or_create() for each row.",
            )

    def run(self, rows: Iterable[Any]) -> list[Any]:
        """Insert them; the keys that the database gives are set on them.

        Raises:
            IntegrityError: A constraint was broken; nothing was written.
        """
        refuse_one("bulk_create", "rows", rows)
        done: list[Any] = []
        self._block = block_around(self.database)
        try:
            with self.database.atomic():
                for batch in batches(rows, self.batch_size):
                    self._insert(batch)
                    if self.collect:
                        done += batch
        except BaseException:
            self._before.put_back()
            raise
        return done

    def _insert(self, rows: Sequence[Any]) -> None:
        refuse_other_rows("bulk_create()", self.model, rows)
        load_lacking(row for row in rows if row._row is not None)
        settle_relations(rows, self.meta)
        stamp(self.scope, rows, self.meta.fields, new=True)
        if self.meta.parents:
            for row in rows:
                take_keys_from_links(row)
        for level in self.meta.levels:
            self._insert_level(level, rows)
        if any(field.is_generated or field.db_default is not MISSING for field in self.meta.fields):
            for row in rows:
                forget_computed(row)
        if self.conflict is None or not self.conflict.ignores:
            self._before.note_rows(rows)
            known: tuple[Any, ...] = ()
            if self._block is not None and self.conflict is None and self.collect:
                known = known_until(self._block, (), None, {})
            for row in rows:
                row._row = known

    def _insert_level(self, level: Any, rows: Sequence[Any]) -> None:
        """Insert the rows of one table: those with a key, then those to be given one."""
        if level._meta.parents:
            self._before.note(rows, [link.attname for link in level._meta.parents.values()])
            for row in rows:
                link_to_parents(row, level)
        fill_keys(rows, level, self._before)
        keys = _keys_of(rows, level)
        without = [row for row, key in zip(rows, keys, strict=True) if key is None or key is DATABASE_DEFAULT]
        kept = (row for row, key in zip(rows, keys, strict=True) if key is not None and key is not DATABASE_DEFAULT)
        keyed = rows if not without else [] if len(without) == len(rows) else list(kept)
        for fields, group in _by_fields(level, keyed):
            self._write(level, fields, group)
        if without:
            if level._meta.composite_key is None:
                self._before.note(without, [level._meta.pk.attname])
            try:
                self._insert_keyless(level, without)
            except IntegrityError as error:
                tell_taken_key(self.scope, level._meta, error)
                raise
        if self.database.receivers.watching:
            self._tell(level, rows)
        else:
            self.database.changed([level._meta.table])

    def _tell(self, level: Any, rows: Sequence[Any]) -> None:
        if self.conflict is not None and self.conflict.ignores:
            self.database.wrote(level, "insert", None)
            return
        keys = {key_of(row, level) for row in rows}
        known = None if None in keys else keys
        self.database.wrote(level, "insert", known)
        if self.conflict is not None:
            self.database.wrote(level, "update", known)

    def _write(self, level: Any, fields: Sequence[Any], rows: Sequence[Any], *, returning: bool = False) -> None:
        """Insert rows that all have these fields."""
        conflict, backend = self.conflict, self.database.backend
        try:
            values = row_maker(self.scope, level, fields)(rows)
        except ComputedValue:
            self._write_computed(level, fields, rows, returning=returning)
            return
        key = ("insert", level, tuple(field.attname for field in fields), conflict)
        sql = statement_of(self.scope, key, lambda: self._sql(level, fields))
        if returning and (conflict is None or not conflict.ignores):
            pk = level._meta.pk
            found = backend.insert_returning(self.database, sql, quoted(self.database.dialect, pk.column), values)
            for row, number in zip(rows, found, strict=bool(found)):
                row.__dict__[pk.attname] = number
        elif conflict is None:
            backend.insert_all(self.database, sql, values)
        else:
            self.database.run_many(sql, values)

    def _write_computed(self, level: Any, fields: Sequence[Any], rows: Sequence[Any], *, returning: bool) -> None:
        """Insert rows one by one: some have expressions for values."""
        conflict, database, pk = self.conflict, self.database, level._meta.pk
        keyed = returning and (conflict is None or not conflict.ignores)
        for row in rows:
            computed = [field.attname for field in computed_fields(row, fields)]
            sql, values = computed_insert(self.scope, level, row, fields)
            sql = sql if conflict is None else conflict.sql(self.scope, level, fields, insert=sql)
            if keyed:
                name = quoted(database.dialect, pk.column)
                for key in database.backend.insert_returning(database, sql, name, [values]):
                    row.__dict__[pk.attname] = key
            else:
                database.run(sql, values)
            self._before.note([row], computed)
            for attname in computed:
                del row.__dict__[attname]

    def _sql(self, level: Any, fields: Sequence[Any]) -> str:
        if self.conflict is not None:
            return self.conflict.sql(self.scope, level, fields)
        return insert_sql(self.scope, level, fields, returning=False)

    def _insert_keyless(self, level: Any, rows: Sequence[Any]) -> None:
        """Insert rows to which the database gives keys: ahead where it can, so that no statement has to return them."""
        meta = level._meta
        pk = meta.pk
        refuse_keyless(meta)
        if self.conflict is None and pk.db_default is MISSING:
            keys = self.database.backend.next_keys(self.database, meta.table, pk.column, len(rows))
            if keys:
                for row, number in zip(rows, keys, strict=True):
                    row.__dict__[pk.attname] = number
                for fields, group in _by_fields(level, rows):
                    self._write(level, fields, group)
                return
        for fields, group in _by_fields(level, rows):
            self._write(level, [field for field in fields if not field.in_key], group, returning=True)


def _keys_of(rows: Sequence[Any], level: Any) -> list[Any]:
    """The key of each row in one of its tables, on the shortest way."""
    if level._meta.composite_key is not None:
        return [key_of(row, level) for row in rows]
    attname = level._meta.pk.attname
    return [row.__dict__.get(attname) for row in rows]


def _by_fields(level: Any, rows: Sequence[Any]) -> Iterator[tuple[list[Any], list[Any]]]:
    """(fields, rows): rows that leave the same fields to the database's defaults go together."""
    fields = written_fields(level)
    optional = [field for field in fields if field.db_default is not MISSING]
    if not optional:
        if rows:
            yield fields, list(rows)
        return

    def left_out(row: Any) -> tuple[bool, ...]:
        return tuple(row.__dict__.get(field.attname) is DATABASE_DEFAULT for field in optional)

    for pattern, group in groupby(sorted(rows, key=left_out), key=left_out):
        gone = {field for field, out in zip(optional, pattern, strict=True) if out}
        yield [field for field in fields if field not in gone], list(group)


def bulk_update(
    scope: Scope, queryset: Any, rows: Iterable[Any], names: Iterable[str], *, batch_size: int | None
) -> int:
    """Write these fields of many instances, each its own values; how many rows there were.

    Raises:
        FieldError: A name is no column that can be changed.
        IntegrityError: An instance is not saved.
        StaleInstanceError: Of a model with versions: a row was changed since it was read.
    """
    meta = queryset.model._meta
    refuse_one("bulk_update", "rows", rows)
    refuse_one("bulk_update", "fields", names)
    fields = list(dict.fromkeys(field for name in names for field in own_fields(meta, name)))
    if not fields:
        raise FieldError("bulk_update() needs the names of fields", hint='Write bulk_update(stories, ["title"]).')
    for field in fields:
        if field.in_key or field.is_generated:
            raise FieldError(
                f"bulk_update(): {meta.object_name}.{field.name} is the key or computed, and is not written"
            )
    count, before, block = 0, Before(), block_around(scope.database)
    try:
        with scope.database.atomic():
            for batch in batches(rows, batch_size):
                refuse_other_rows("bulk_update()", queryset.model, batch)
                if queryset._operations or any(scope.sight):
                    met = set(queryset.order_by().filter(pk__in=[row.pk for row in batch]).values_list("pk", flat=True))
                    batch = [row for row in batch if row.pk in met]
                count += _update_batch(scope, queryset, batch, fields, before, block)
    except BaseException:
        before.put_back()
        raise
    return count


def _update_batch(
    scope: Scope, queryset: Any, rows: Sequence[Any], fields: Sequence[Any], before: Before, block: Block | None
) -> int:
    meta = queryset.model._meta
    for row in rows:
        if row._row.__class__ is Written and is_gone(row):
            told = f"bulk_update(): {meta.object_name} {row.pk} was rolled back with the block that made it"
            raise IntegrityError(told, hint="Save it first.")
    unsaved = next((row for row in rows if row.pk is None), None)
    if unsaved is not None:
        raise IntegrityError(f"bulk_update(): a {meta.object_name} has no key yet", hint="Save it first.")
    settle_relations(rows, meta)
    if meta.version is not None:
        refuse_stale_rows(scope, queryset.model, rows)
    plain, count = [], 0
    for row in rows:
        if computed := [field.attname for field in computed_fields(row, fields)]:
            before.note([row], computed)
            count += _update_by_expressions(scope, meta, row, fields, computed)
        else:
            plain.append(row)
    homes: dict[Any, list[Any]] = {}
    for field in fields:
        homes.setdefault(field.model, []).append(field)
    if meta.version is not None:
        homes.setdefault(meta.version.model, [])
    counts = [
        sum(_update_level(scope, level, group, given, meta.version) for given, group in _by_loaded(plain, chosen))
        for level, chosen in homes.items()
    ]
    if meta.version is not None:
        before.note(rows, [meta.version.attname])
        for row in rows:
            row.__dict__[meta.version.attname] += 1
    before.note(rows, [field.attname for field in meta.fields if field.is_generated])
    before.note_rows(rows)
    for row in rows:
        forget_computed(row)
        if block is None or (meta.version is None and row._row.__class__ is not Written):
            row._row = ()
        else:
            had = {} if meta.version is None else {meta.version.attname: row.__dict__[meta.version.attname] - 1}
            row._row = known_until(block, (), row._row, had)
    return count + min(counts)


def _by_loaded(rows: Sequence[Any], fields: Sequence[Any]) -> Iterator[tuple[Sequence[Any], Sequence[Any]]]:
    """(fields, rows): rows that have values of the same fields go together. What was not loaded stays as it is."""
    names = {field.attname for field in fields}
    if all(names <= row.__dict__.keys() for row in rows):
        yield fields, rows
        return
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for row in rows:
        groups.setdefault(tuple(field for field in fields if field.attname in row.__dict__), []).append(row)
    yield from groups.items()


def _update_by_expressions(scope: Scope, meta: Any, row: Any, fields: Sequence[Any], computed: Sequence[str]) -> int:
    values = {field.name: row.__dict__[field.attname] for field in fields if field.attname in row.__dict__}
    found = update_rows(scope, meta.base_manager.unrestricted().filter(pk=row.pk), values)
    for attname in computed:
        del row.__dict__[attname]
    return found


def _update_level(scope: Scope, level: Any, rows: Sequence[Any], fields: Sequence[Any], version: Any) -> int:
    """Update the rows of one table."""
    if not rows:
        return 0
    counted = version is not None and version.model is level
    chosen = [field for field in fields if field is not version]
    key = ("update", level, tuple(field.attname for field in chosen), counted)
    sql = statement_of(scope, key, lambda: update_sql(scope, level, chosen, counted=counted))
    values = row_maker(scope, level, [*chosen, *level._meta.key])(rows)
    count: int = scope.database.backend.update_all(scope.database, sql, values)
    scope.database.wrote(level, "update", [key_of(row, level) for row in rows])
    return count
