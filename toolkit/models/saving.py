"""Saving one row: insert or update, in each of its tables, and what is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any

from toolkit.errors import FieldError, IntegrityError
from toolkit.models.assigning import refuse_other_tables
from toolkit.models.deferred import load_lacking
from toolkit.models.fields.base import MISSING
from toolkit.models.given import refuse_one
from toolkit.models.inserting import computed_fields, computed_insert
from toolkit.models.sqltext import placeholder, quoted
from toolkit.models.stale import next_version, read_back, refuse_stale
from toolkit.models.undoing import Before, Written, block_around, is_gone, known_until, step_back
from toolkit.models.updating import update_rows
from toolkit.models.writing import (
    fill_keys,
    forget_computed,
    given_fields,
    insert_sql,
    key_of,
    link_to_parents,
    own_fields,
    refuse_keyless,
    row_maker,
    settle_relations,
    stamp,
    statement_of,
    take_keys_from_links,
    tell_taken_key,
    written_fields,
)
from toolkit.signals import post_save, pre_save
from toolkit.trace import Scope


def save_instance(
    scope: Scope,
    instance: Any,
    *,
    update_fields: Iterable[str] | None = None,
    force_insert: bool | tuple[type[Any], ...] = False,
    force_update: bool = False,
    even_if_stale: bool = False,
) -> None:
    """Insert or update one row; see ``Model.save``."""
    if update_fields is not None:
        refuse_one("save", "update_fields", update_fields)
    names = None if update_fields is None else frozenset(update_fields)
    if names is not None and not names:
        return
    if force_insert and (force_update or names is not None):
        raise FieldError("save() cannot be told to insert and to update", hint="Leave out one of the two.")
    Saving(scope, instance, names, _forced(instance, force_insert), force_update, even_if_stale).run()


def _forced(instance: Any, told: bool | tuple[type[Any], ...]) -> tuple[type[Any], ...]:
    """The models into whose tables, and those of models that inherit from them, a row is inserted whatever is there.

    Raises:
        FieldError: It is neither true or false, nor a tuple of classes that the model is of.
    """
    kind = type(instance)
    if isinstance(told, bool):
        return (kind._meta.concrete_model,) if told else ()
    wrong = not isinstance(told, tuple) or not all(isinstance(each, type) and issubclass(kind, each) for each in told)
    if wrong:
        raise FieldError(
            f"save(force_insert={told!r}): that is no tuple of models that {kind.__name__} inherits from",
            hint="Write True, or name the parents in whose tables there is no such row yet: (Place,).",
        )
    return tuple(each._meta.concrete_model if hasattr(each, "_meta") else each for each in told)


class Saving:
    """One ``save()``.

    Args:
        scope: The scope; gives the database and the moment.
        instance: What is saved.
        names: The fields to write; None for all that there are.
        forced: Insert into the tables of these models, and of those that inherit from them.
        force_update: Update.
        even_if_stale: Write over what others wrote since the row was read.
    """

    def __init__(
        self,
        scope: Scope,
        instance: Any,
        names: frozenset[str] | None,
        forced: tuple[type[Any], ...],
        force_update: bool,
        even_if_stale: bool,
    ) -> None:
        self.scope, self.instance, self.meta = scope, instance, instance._meta
        self.names, self.even_if_stale, self.before = names, even_if_stale, Before()
        if instance._row.__class__ is Written and is_gone(instance):
            if names is not None or force_update:
                raise _not_there(instance)
            self.before.note_rows([instance])
            step_back(instance)
            forced = forced or (self.meta.concrete_model,)  # under its key, which may be somebody else's by now
        new = instance._row is None or instance.pk is None
        self.forced = forced
        self.inserts = bool(forced) or (new and not force_update and names is None and self._makes_its_key())
        self.updates = not self.inserts and (not new or force_update or names is not None)
        self.replaced: list[str] = []

    def _makes_its_key(self) -> bool:
        """A key that a default made cannot be there: no UPDATE has to look for it. As in Django."""
        return all(field.default is not MISSING or field.db_default is not MISSING for field in self.meta.key)

    def run(self) -> None:
        """Write, all or nothing, and tell the receivers."""
        scope, instance, kind = self.scope, self.instance, type(self.instance)
        receivers = scope.database.receivers
        told = receivers.hears(pre_save, kind) or receivers.hears(post_save, kind)
        together = told or self.meta.parents or self.meta.version is not None
        block, row = block_around(scope.database), instance._row
        self.before.note_rows([instance])
        try:
            with scope.database.atomic() if together else nullcontext():
                if told:
                    receivers.send(pre_save, kind, instance=instance, update_fields=self.names, scope=scope)
                settle_relations([instance], self.meta)
                created = self._write()
                instance._row = ()
                if self.meta.version is not None:
                    self.replaced += (self.meta.version.attname, "_mask")
                    self.before.note([instance], self.replaced)
                    read_back(instance)
                if block is not None and (created or self.replaced or row.__class__ is Written):
                    had = self.before.find(instance, self.replaced) if self.replaced else {}
                    instance._row = known_until(block, instance._row, None if created else row, had)
                if told:
                    values = {"instance": instance, "created": created, "update_fields": self.names}
                    receivers.send(post_save, kind, scope=scope, **values)
        except BaseException:
            self.before.put_back()
            raise

    def _write(self) -> bool:
        """Whether the row is new."""
        if self.updates:
            self._update()
            return False
        if self.instance._row is not None:
            load_lacking([self.instance])
        take_keys_from_links(self.instance)
        return [self._save_level(level) for level in self.meta.levels][-1]

    def _save_level(self, level: Any) -> bool:
        """Update the row of one table if there is one, or insert it; in a parent's table before its own.

        Only its own row is sure to be new when an insert is forced: that of a parent may be there, unless it is named.
        """
        self.before.note([self.instance], [link.attname for link in level._meta.parents.values()])
        link_to_parents(self.instance, level)
        forced = (self.inserts and level is self.meta.concrete_model) or issubclass(level, self.forced)
        there = not forced and key_of(self.instance, level) is not None
        if there and self._update_level(level, written_fields(level)):
            self.scope.database.wrote(level, "update", [key_of(self.instance, level)])
            return False
        self._insert_level(level)
        return True

    def _insert_level(self, level: Any) -> None:
        scope, instance, meta = self.scope, self.instance, level._meta
        fill_keys([instance], level, self.before)
        stamp(scope, [instance], meta.local_fields, new=True)
        generated = key_of(instance, level) is None
        if generated:
            refuse_keyless(meta)
        fields = [f for f in given_fields(instance, written_fields(level)) if not (f.in_key and generated)]
        returning = generated and scope.database.backend.returning
        computed = [field.attname for field in computed_fields(instance, fields)]
        if computed:
            values: Sequence[Any]
            sql, values = computed_insert(scope, level, instance, fields)
            sql = f"{sql} RETURNING {quoted(scope.database.dialect, meta.pk.column)}" if returning else sql
        else:
            key = ("insert", level, tuple(field.attname for field in fields), returning)
            sql = statement_of(scope, key, lambda: insert_sql(scope, level, fields, returning=returning))
            values = row_maker(scope, level, fields)([instance])[0]
        try:
            cursor = scope.database.run(sql, values)
        except IntegrityError as error:
            if generated:
                tell_taken_key(scope, meta, error)
            raise
        if generated:
            self.before.note([instance], [meta.pk.attname])
            instance.__dict__[meta.pk.attname] = cursor.fetchone()[0] if returning else cursor.lastrowid
        self._forget(computed)
        forget_computed(instance)
        scope.database.wrote(level, "insert", [key_of(instance, level)])

    def _update(self) -> None:
        """Update the rows of the tables that have one of the fields.

        Raises:
            IntegrityError: There is no such row.
            StaleInstanceError: The row was changed since it was read.
        """
        if self.meta.version is not None and self.instance._row is not None and not self.even_if_stale:
            refuse_stale(self.scope, self.instance, "save")
        groups: dict[Any, list[Any]] = {}
        for field in self._chosen():
            groups.setdefault(field.model, []).append(field)
        for level, fields in (groups or {self.meta.concrete_model: []}).items():
            if not self._update_level(level, fields):
                raise _not_there(self.instance)
            self.scope.database.wrote(level, "update", [key_of(self.instance, level)])

    def _chosen(self) -> list[Any]:
        """The fields to write, the version with whatever else is written."""
        if self.names is None:
            return [field for level in self.meta.levels for field in written_fields(level)]
        named = (field for name in sorted(self.names) for field in own_fields(self.meta, name))
        chosen = list(dict.fromkeys(named))
        version = self.meta.version
        if version is not None and version not in chosen:
            chosen.append(version)
        return chosen

    def _update_level(self, level: Any, chosen: Sequence[Any]) -> int:
        """Update the row of one table, if there is one."""
        scope, instance, meta = self.scope, self.instance, level._meta
        stamp(scope, [instance], chosen, new=False)
        if computed_fields(instance, chosen):
            return self._update_by_expressions(level, chosen)
        fields = [f for f in given_fields(instance, chosen) if not f.in_key and f is not self.meta.version]
        counted = self.meta.version in chosen
        key = ("update", level, tuple(field.attname for field in fields), counted)
        sql = statement_of(scope, key, lambda: update_sql(scope, level, fields, counted=counted))
        found = int(scope.database.run(sql, row_maker(scope, level, [*fields, *meta.key])([instance])[0]).rowcount)
        if found:
            forget_computed(instance)
        return found

    def _update_by_expressions(self, level: Any, chosen: Sequence[Any]) -> int:
        """``story.views = F("views") + 1; story.save()``: what comes of it is read when it is touched next."""
        values = self.instance.__dict__
        fields = [f for f in given_fields(self.instance, chosen) if not f.in_key and f is not self.meta.version]
        refuse_other_tables(self.meta, {field: values[field.attname] for field in fields})
        rows = level._meta.base_manager.unrestricted().filter(pk=key_of(self.instance, level))
        found = update_rows(self.scope, rows, {field.name: values[field.attname] for field in fields})
        self._forget([field.attname for field in computed_fields(self.instance, fields)] if found else ())
        return found

    def _forget(self, names: Sequence[str]) -> None:
        """Have what came of expressions read when it is touched next."""
        self.before.note([self.instance], names)
        self.replaced += names
        for name in names:
            del self.instance.__dict__[name]


def _not_there(instance: Any) -> IntegrityError:
    return IntegrityError(
        f"{instance._meta.object_name} {instance.pk} cannot be updated: there is no such row",
        hint="Load it again; for a copy of it, set pk = None and save.",
    )


def update_sql(scope: Scope, level: Any, fields: Sequence[Any], *, counted: bool) -> str:
    """``UPDATE`` of the row with a key.

    Args:
        scope: Gives the database.
        level: The model whose table it is.
        fields: What is set; the key comes after it.
        counted: Raise the version.
    """
    meta, dialect = level._meta, scope.database.dialect
    mark, keys = placeholder(dialect), [quoted(dialect, field.column) for field in meta.key]
    pairs = [f"{quoted(dialect, field.column)} = {mark}" for field in fields]
    pairs += next_version(dialect, level) if counted else []
    what = ", ".join(pairs) or f"{keys[0]} = {keys[0]}"
    where = " AND ".join(f"{key} = {mark}" for key in keys)
    return f"UPDATE {quoted(dialect, meta.table)} SET {what} WHERE {where}"  # noqa: S608 - names of the schema
