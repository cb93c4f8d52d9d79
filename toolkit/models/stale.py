"""Optimistic locking: a model with a ``VersionField`` refuses to save an instance whose row was changed meanwhile.

Every write path raises the version. SQL that does not is found all the same: the row is compared with what was read of
it, column by column, while nobody else can change it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from toolkit.errors import StaleInstanceError
from toolkit.models.sqltext import CHUNK_KEYS, quoted
from toolkit.trace import Scope

SHOWN = 5
"""Differences told in the message."""


def next_version(dialect: str, level: Any) -> list[str]:
    """The assignment that raises a version, in an ``UPDATE`` of its table; none for a table that inherits it."""
    version = level._meta.version
    if version is None or version.model is not level:
        return []
    column = quoted(dialect, version.column)
    return [f"{column} = {column} + 1"]


def refuse_stale(scope: Scope, instance: Any, verb: str) -> None:
    """Compare a row with what an instance knows of it. Called in a transaction; the row stays locked until its end.

    Args:
        scope: Gives the database.
        instance: What is to be written.
        verb: ``save`` or ``delete``, for the message.

    Raises:
        StaleInstanceError: They differ.
    """
    found = _locked_row(instance)
    if found is None:
        return  # that it is gone is told by whoever writes
    version = instance._meta.version
    differences = _differences(scope, instance, found)
    here, there = instance.__dict__.get(version.attname), found.__dict__[version.attname]
    if not differences and (version.attname not in instance.__dict__ or here == there):
        return
    told = [f"{name} is {there!r} there and was {here!r}" for name, (here, there) in list(differences.items())[:SHOWN]]
    raise StaleInstanceError(
        f"{instance._meta.object_name} {instance.pk} was changed by somebody else since it was read: "
        f"it has version {there} in the database, and {here} here" + "".join(f"; {text}" for text in told),
        instance=instance,
        found=found,
        differences=differences,
        hint=f"Nothing was written. Call refresh_from_db() and change it again, or {verb}(even_if_stale=True) to "
        f"{'write over what is there' if verb == 'save' else 'delete it all the same'}.",
    )


def _loaded(instance: Any) -> list[Any]:
    """The fields that an instance has values of."""
    return [field for field in instance._meta.fields if field.attname in instance.__dict__]


def _locked_row(instance: Any) -> Any:
    """The row as it is now, with the fields that the instance has; no other writer can change it any more."""
    meta = instance._meta
    names = {field.name for field in _loaded(instance)} | {meta.version.name}
    rows = meta.base_manager.unrestricted().only(*sorted(names)).select_for_update()
    return rows.order_by().filter(pk=instance.pk).first()


def _known(instance: Any) -> dict[str, Any]:
    """Column to the value that was read of it, as the driver gave it; empty after it was written."""
    meta = instance._meta
    names = instance.__dict__.get("_mask") or [meta.mask_name(field) for field in meta.fields]
    return dict(zip(names, instance._row or (), strict=False))


def _differences(scope: Scope, instance: Any, found: Any) -> dict[str, tuple[Any, Any]]:
    """Name to (the value read, the value there), of the columns that were changed by others."""
    meta, before, now = instance._meta, _known(instance), _known(found)
    dialect = scope.database.dialect
    differing = {}
    for field in meta.fields:
        name = meta.mask_name(field)
        if name in before and name in now and before[name] != now[name] and field is not meta.version:
            read, value = field.db_reader(dialect), before[name]
            differing[field.name] = (
                value if read is None or value is None else read(value),
                found.__dict__[field.attname],
            )
    return differing


def refuse_stale_rows(scope: Scope, model: Any, instances: Sequence[Any]) -> None:
    """The same for many instances, by their versions alone.

    Raises:
        StaleInstanceError: One of them is stale; none was written.
    """
    meta = model._meta
    versions: dict[Any, int] = {}
    for chunk in iter_slices(instances):
        rows = meta.base_manager.unrestricted().select_for_update().order_by().filter(pk__in=[row.pk for row in chunk])
        versions |= dict(rows.values_list("pk", meta.version.name))
    for instance in instances:
        if versions.get(instance.pk, getattr(instance, meta.version.attname)) != getattr(
            instance, meta.version.attname
        ):
            refuse_stale(scope, instance, "save")


def iter_slices(instances: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Lists of so many as one statement takes."""
    for start in range(0, len(instances), CHUNK_KEYS):
        yield instances[start : start + CHUNK_KEYS]


def read_back(instance: Any) -> None:
    """Read a row that was just written, so that the next change by others is noticed, and the version is known."""
    meta = instance._meta
    names = sorted({field.name for field in _loaded(instance)} | {meta.version.name})
    found = meta.base_manager.unrestricted().only(*names).order_by().filter(pk=instance.pk).first()
    instance.__dict__[meta.version.attname] = found.__dict__[meta.version.attname]
    instance._row = found._row
    instance.__dict__.pop("_mask", None)
    if "_mask" in found.__dict__:
        instance.__dict__["_mask"] = found.__dict__["_mask"]
