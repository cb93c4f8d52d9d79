"""What is called otherwise: models and their tables, fields, indexes."""

from __future__ import annotations

from toolkit.migrations.detecting.items import only_in_first
from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.alterations import RenameField
from toolkit.migrations.operations.items import RenameIndex, called
from toolkit.migrations.operations.models import AlterModelTable, RenameModel
from toolkit.migrations.operations.options import AlterModelBases
from toolkit.migrations.renames import renamed_field, renamed_models
from toolkit.migrations.state import ModelState, text_of


def rename_models(walk: Walk) -> None:
    """Models and tables that have another name now, and parents that are called otherwise."""
    for renamed in renamed_models(walk.state, walk.wanted, ask=walk.ask):
        walk.moved[f"{renamed.app}.{renamed.new}"] = renamed.old.lower()
        walk.note(renamed.app, RenameModel(renamed.old, renamed.new))
    for model in walk.kept():
        current = walk.state.models[model.label]
        if current.db_table != model.db_table and not model.is_proxy:
            _free_table(walk, model)
            walk.note(model.app, AlterModelTable(model.name, model.db_table))
        stays = current.is_proxy is model.is_proxy and not walk.changes_parent(model)
        if current.bases != model.bases and stays and _may_inherit(walk, model):
            walk.note(model.app, AlterModelBases(model.name, model.bases))


def _free_table(walk: Walk, wanted: ModelState) -> None:
    """Put a table out of the way whose name another takes: it goes, or gets a name of its own later."""
    for other in list(walk.state.models.values()):
        if other.table == wanted.table and other.label != wanted.label and not other.is_proxy:
            walk.note(other.app, AlterModelTable(other.name, f"{other.table}_before"))


def rename_fields(walk: Walk, wanted: ModelState) -> None:
    """Fields that have another name now; those that are called after a renamed model follow it."""
    for name in walk.state.models[wanted.label].field_names:
        current = walk.state.models[wanted.label]
        if name in wanted.field_names or _goes_elsewhere(walk, wanted, current.get_field(name)):
            continue
        new = (
            _following(walk, wanted, current.get_field(name))
            or _new_key(current, wanted, name)
            or renamed_field(current, wanted, name=name, ask=walk.ask)
        )
        if new is not None:
            walk.renamed[(wanted.label, name)] = new
            walk.note(wanted.app, RenameField(wanted.name, name, new))


def _following(walk: Walk, wanted: ModelState, field: FieldState) -> str | None:
    """The new name of a field of a hidden model, when it is called after something that was renamed."""
    source = f"{wanted.app}.{wanted.name.removesuffix('Translation')}"
    twin = walk.renamed.get((source, field.name)) if source != wanted.label else None
    if twin is not None and twin in wanted.field_names:
        return twin
    old = walk.moved.get(field.to or "")
    if old is None or not field.name.endswith(old):
        return None
    name = field.name.removesuffix(old) + str(field.to).partition(".")[2].lower()
    same = [other for other in wanted.fields if other.name == name and other.identity == field.identity]
    return name if same else None


def rename_indexes(walk: Walk, wanted: ModelState) -> None:
    """An index that says the same under another name is that index."""
    current = walk.state.models[wanted.label].indexes
    come = only_in_first(wanted.indexes, current)
    for index in only_in_first(current, wanted.indexes):
        twin = next((one for one in come if text_of(called(index, one.name)) == text_of(one)), None)
        if twin is not None:
            come.remove(twin)
            walk.note(wanted.app, RenameIndex(wanted.name, index.name, twin.name))


def _goes_elsewhere(walk: Walk, wanted: ModelState, field: FieldState) -> bool:
    """Whether a field that a model has no more is the key of one that changes its parent, or its parent's now."""
    inherited = {one.name for model in walk.wanted.ancestors(wanted) for one in model.fields}
    return walk.changes_parent(wanted) and (field.is_key or field.name in inherited)


def _may_inherit(walk: Walk, wanted: ModelState) -> bool:
    """Whether the models that it shall inherit from are there; if not, it is said once they are."""
    return all(base in walk.state.models for base in wanted.bases)


def _new_key(current: ModelState, wanted: ModelState, name: str) -> str | None:
    """The field that takes the place of a primary key that is gone: a row has one, and keeps it under another name."""
    if current.has_composite_key or wanted.has_composite_key or current.key_names != (name,):
        return None
    old, new = current.get_field(name), wanted.get_field(wanted.key_names[0])
    inherits = new.to is not None and old.to is None
    return None if inherits or new.name in current.field_names else new.name
