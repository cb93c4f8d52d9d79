"""What others keep of a row to refer to it, where that is not its key: it may change, or go with the row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.content import tables
from toolkit.content.levels import fields_held, root_field, root_key, stored_fields
from toolkit.content.matching import Entry, Leaver
from toolkit.content.place import content_error
from toolkit.content.references import locate
from toolkit.errors import ContentError
from toolkit.lazily import LazyModule
from toolkit.models.model import blank_instance

if TYPE_CHECKING:
    from toolkit.models import deleting
else:
    deleting = LazyModule("toolkit.models.deleting")


def note_before(database: Any, entries: Iterable[Entry]) -> set[Any]:
    """Note under which values others know rows that are there. Returns the models of which some may change."""
    by_layout: dict[Any, dict[Any, Entry]] = {}
    for entry in entries:
        if entry.earlier is not None:
            by_layout.setdefault(entry.layout, {})[entry.pk] = entry
    moved = set()
    for layout, known in by_layout.items():
        held = fields_held(layout.model)
        fields = [field for field in layout.naming if field is not layout.key_field or field in held]
        key = root_key(layout.model)
        rows = tables.fetch_columns(database, layout.model, (key, *fields), key, known) if fields else []
        for pk, *values in rows:
            entry = known[pk]
            entry.before = dict(zip(fields, values, strict=True))
            if any(field.is_relation or entry.named(field) != value for field, value in entry.before.items()):
                moved.update(layout.model._meta.levels)
    return moved


def keepers_of(model: Any) -> Iterator[tuple[Any, Any]]:
    """(foreign key, field) of those who refer to a model's rows by another field than the key.

    Links between the tables of a row are the row's own.
    """
    links = {link for level in model._meta.levels for link in level._meta.parents.values()}
    for level in model._meta.levels:
        for relation in level._meta.own_reverse():
            if hasattr(relation.field, "target_field") and relation.field not in links:
                field = root_field(relation.field.target_field)
                if field is not root_key(model):
                    yield relation.field, field


def settle_gone(scope: Any, leaver: Leaver, row: Sequence[Any]) -> None:
    """Do what ``on_delete`` says for the rows that still refer to one that is gone.

    Args:
        scope: Gives the database.
        leaver: The row.
        row: Its values, by ``stored_fields``.

    Raises:
        IntegrityError: They stand in its way.
    """
    fields, key = stored_fields(leaver.model), root_key(leaver.model)
    _delete(scope, leaver.model, key, leaver.given.pk)
    for level in leaver.model._meta.levels:
        if (further := root_key(level)) is not key:
            value = row[fields.index(further)]
            if not is_there(scope.database, level, further, value):
                _delete(scope, level, further, value)
    for relation, field in keepers_of(leaver.model):
        value = row[fields.index(field)]
        if value is not None and not is_there(scope.database, relation.target, field, value):
            deleting.delete_referring(scope, relation.target._meta.concrete_model, relation.target_field, [value])


def _delete(scope: Any, model: Any, key: Any, value: Any) -> None:
    """Do as if a row of one table, which is gone, was deleted now."""
    read = key.db_reader(scope.database.dialect)
    instance = blank_instance(model)
    instance.pk = value if read is None else read(value)
    deleting.delete_instance(scope, instance)


def is_there(database: Any, model: Any, field: Any, value: Any) -> bool:
    """Whether some row has a value."""
    return bool(tables.fetch_keys(database, model, field, [value]))


def find_left_behind(database: Any, entries: Sequence[Entry], folder: Path) -> list[ContentError]:
    """Rows that no file gave, and that still refer to others by what these had before. When all is written."""
    problems = []
    for entry in entries:
        for key, field in keepers_of(entry.layout.model) if entry.before else ():
            old = entry.before.get(field)
            if old is None or old == entry.named(field) or is_there(database, key.target, field, old):
                continue
            left = tables.fetch_keys(database, key.model, key, [old])
            if left:
                label = key.model._meta.object_name
                told = f"{field.name}: {len(left)} of {label}, which no file gave, refer to it by {old!r}"
                place = locate(folder, entry, field.name)
                problems.append(content_error(told, entry.path, place, f"Change these first, or leave it {old!r}."))
    return problems
