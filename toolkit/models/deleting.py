"""Deleting rows and what depends on them, as ``on_delete`` says.

The rows that go are collected first, and only then is anything written: so a row that is protected is found while
nothing is lost yet, and rows that refer to each other in a circle go together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError, ProtectedError, ValidationError
from toolkit.lazily import LazyModule
from toolkit.models.circles import children_first
from toolkit.models.collecting import Collector, Release
from toolkit.models.expressions import F
from toolkit.models.plans import DeletionPlan
from toolkit.models.sqltext import CHUNK_KEYS, flat, iter_chunks, key_text, placeholder, quoted
from toolkit.models.stale import next_version, refuse_stale
from toolkit.models.undoing import Written, is_gone
from toolkit.models.updating import rows_met, update_rows
from toolkit.signals import post_delete, pre_delete
from toolkit.trace import Scope

if TYPE_CHECKING:
    from toolkit.models import compiler as compiling
else:
    compiling = LazyModule("toolkit.models.compiler")


def delete_instance(scope: Scope, instance: Any, *, even_if_stale: bool = False) -> dict[str, int]:
    """Delete one row and what depends on it; how many went, by model."""
    meta = instance._meta
    if instance.pk is None:
        raise ValidationError(
            f"this {meta.object_name} has no key, so there is no row to delete", hint="Save it first."
        )
    if instance._row.__class__ is Written and is_gone(instance):
        return {}
    with scope.database.atomic():
        if meta.version is not None and instance._row is not None and not even_if_stale:
            refuse_stale(scope, instance, "delete")
        gone = _delete(scope, meta.concrete_model, [instance.pk], instance)
    instance._row = None
    return gone


def delete_rows(scope: Scope, queryset: Any) -> dict[str, int]:
    """Delete all rows of a queryset and what depends on them; how many went, by model."""
    _refuse_form(queryset)
    model = queryset.model._meta.concrete_model
    if _stands_alone(scope, model):
        return _delete_at_once(scope, queryset)
    return _delete(scope, model, _keys_of(queryset))


def delete_referring(scope: Scope, model: Any, field: Any, values: Sequence[Any]) -> None:
    """Do what ``on_delete`` says for the rows that refer to rows which are gone, by the values of a field."""
    with scope.database.atomic():
        collector = Collector(scope)
        collector.follow(model, field, values)
        _refuse_protected(collector.plan())
        Deletion(scope, collector).run()


def plan_of(scope: Scope, model: Any, keys: Sequence[Any]) -> DeletionPlan:
    """What deleting rows would do, and what stands in the way."""
    collector = Collector(scope)
    collector.collect(model, _raw(scope, model, keys))
    return collector.plan()


def plan_of_rows(scope: Scope, queryset: Any) -> DeletionPlan:
    """The same for all rows of a queryset."""
    _refuse_form(queryset)
    return plan_of(scope, queryset.model._meta.concrete_model, _keys_of(queryset))


def _refuse_form(queryset: Any) -> None:
    if queryset._gives != "instances":
        raise FieldError("delete() cannot follow values()", hint="Say it of the rows: filter(pk__in=...).delete().")
    if queryset._start or queryset._stop is not None:
        raise FieldError("a sliced queryset cannot be deleted", hint="Filter by the keys: filter(pk__in=stories[:5]).")


def _keys_of(queryset: Any) -> list[Any]:
    return list(queryset.order_by().values_list("pk", flat=True))


def _raw(scope: Scope, model: Any, keys: Sequence[Any]) -> list[Any]:
    write = model._meta.pk.db_value_of(scope.database.dialect)
    return [write(key) for key in keys if key is not None]


def _delete(scope: Scope, model: Any, keys: Sequence[Any], instance: Any = None) -> dict[str, int]:
    raw = _raw(scope, model, keys)
    if not raw:
        return {}
    with scope.database.atomic():
        collector = Collector(scope)
        collector.collect(model, raw)
        _refuse_protected(collector.plan())
        return Deletion(scope, collector, instance).run()


def _refuse_protected(plan: DeletionPlan) -> None:
    if plan.allowed:
        return
    raise ProtectedError(
        f"{plan.blocked[0].referred._meta.object_name} cannot be deleted: {plan.blocking_text()}",
        objects=plan.blocking(),
        plan=plan,
        hint="Delete those first, or give them another.",
    )


def _stands_alone(scope: Scope, model: Any) -> bool:
    """Whether nothing has to be looked at before rows are deleted: no reference, no parent, nobody who listens."""
    meta, receivers = model._meta, scope.database.receivers
    if meta.parents or meta.generic_relations or receivers.watching or any(True for _ in meta.own_reverse()):
        return False
    return not (receivers.hears(pre_delete, model) or receivers.hears(post_delete, model))


def _delete_at_once(scope: Scope, queryset: Any) -> dict[str, int]:
    """One statement, with the question inside it."""
    import sqlalchemy as sa

    model = queryset.model._meta.concrete_model
    compiler = compiling.Compiler(scope.database, queryset.model, scope.sight)
    compiler.apply(queryset._operations)
    met = rows_met(scope, compiler)
    statement = compiler.statement(sa.delete(scope.database.schema.table(model)).where(*met))
    bound = statement.bind(queryset._values, scope, ())
    if queryset._is_nothing():
        return {}
    # MariaDB tells behind the statement that it gave up a pattern
    with scope.database.atomic() if "REGEXP" in statement.sql else nullcontext():
        count = scope.database.run(statement.sql, bound).rowcount
    scope.database.changed([model._meta.table])
    return {model._meta.label: count} if count else {}


class Deletion:
    """Writes what was collected.

    Args:
        scope: Gives the database.
        collector: What goes, and what is let go of.
        instance: The instance whose ``delete()`` it is, for the receivers.
    """

    def __init__(self, scope: Scope, collector: Collector, instance: Any = None) -> None:
        self.scope, self.database = scope, scope.database
        self.collector, self.instance = collector, instance

    def run(self) -> dict[str, int]:
        """First what is let go of, then the rows, those that refer before those they refer to."""
        doomed = list(self._heard_instances())
        for _, kind, instance in doomed:
            self.database.receivers.send(pre_delete, kind, instance=instance, scope=self.scope)
        for release in self.collector.releases:
            self._let_go(release)
        going = self.collector.going
        ordered, circular = children_first(going)
        held = circular and not self.database.backend.deferrable
        with self.database.references_held() if held else nullcontext():
            gone = {}
            for model in ordered:
                gone[model._meta.label] = self._remove(model, list(going[model]))
                for owner, kind, instance in doomed:  # those that they referred to are there yet, as in Django
                    if owner is model:
                        self.database.receivers.send(post_delete, kind, instance=instance, scope=self.scope)
            if held:
                self._refuse_dangling()
        return gone

    def _heard_instances(self) -> Iterator[tuple[Any, Any, Any]]:
        """(model, sender, instance) of the rows whose deletion somebody hears of, loaded while they are there."""
        receivers = self.database.receivers
        for model, raw in self.collector.going.items():
            if model._meta.hidden or not (receivers.hears(pre_delete, model) or receivers.hears(post_delete, model)):
                continue
            keys = self.collector.python_keys(model, raw)
            for start in range(0, len(keys), 500):
                for found in model._meta.base_manager.unrestricted().filter(pk__in=keys[start : start + 500]):
                    own = self.instance is not None and found == self.instance
                    yield (model, type(self.instance), self.instance) if own else (model, model, found)

    def _let_go(self, release: Release) -> None:
        """Set what SET_NULL and its like set."""
        dialect, field = self.database.dialect, release.field
        meta = field.model._meta
        width, mark = len(field.columns), placeholder(dialect)
        changes = [f"{quoted(dialect, column)} = {mark}" for column in field.columns]
        changes += next_version(dialect, field.model)
        values = [None] * width if release.raw is None else flat([release.raw], width)
        columns = meta.pk.columns
        for chunk, marks in iter_chunks(release.keys, dialect, len(columns)):
            where = f"{key_text(dialect, columns)} IN ({marks})"
            sql = f"UPDATE {quoted(dialect, meta.table)} SET {', '.join(changes)} WHERE {where}"  # noqa: S608 - quoted
            self.database.run(sql, [*values, *chunk])
        keys = self.collector.python_keys(field.model, release.keys)
        self.database.wrote(field.model, "update", keys)
        if meta.version is not None and meta.version.model is not field.model:
            self._raise_inherited(field.model, keys)

    def _raise_inherited(self, model: Any, keys: Sequence[Any]) -> None:
        """Raise the versions of rows whose version is in the table of a model that theirs inherits."""
        version = model._meta.version.name
        for start in range(0, len(keys), CHUNK_KEYS):
            rows = model._meta.base_manager.unrestricted().filter(pk__in=keys[start : start + CHUNK_KEYS])
            update_rows(self.scope, rows, {version: F(version) + 1})

    def _refuse_dangling(self) -> None:
        """Prove what the database was kept from checking: no row refers to one that is gone.

        Another writer who refers to one of the rows has either committed, and is seen here, or waits for their
        locks and is refused by the database afterwards.
        """
        fresh = Collector(self.scope)
        for model, field, values in self.collector.referred:
            if not field.db_constraint:  # the database was never asked to check it
                continue
            staying = fresh.referring(field, values)
            if staying:
                fresh.block(model, field, staying)
                _refuse_protected(fresh.plan())

    def _remove(self, model: Any, keys: Sequence[Any]) -> int:
        dialect, columns = self.database.dialect, model._meta.pk.columns
        table, key, count = quoted(dialect, model._meta.table), key_text(dialect, columns), 0
        for chunk, marks in iter_chunks(keys, dialect, len(columns)):
            count += self.database.run(f"DELETE FROM {table} WHERE {key} IN ({marks})", chunk).rowcount  # noqa: S608 - quoted
        if self.database.receivers.watching:
            self.database.wrote(model, "delete", self.collector.python_keys(model, keys))
        else:
            self.database.changed()
        return count
