"""What is called otherwise: models and their tables, fields, indexes."""

from __future__ import annotations

from collections.abc import Iterable

from toolkit.migrations.detecting.items import only_in_first
from toolkit.migrations.detecting.walk import Walk
from toolkit.migrations.fields import FieldState
from toolkit.migrations.operations.alterations import RenameField
from toolkit.migrations.operations.items import RenameIndex, called
from toolkit.migrations.operations.models import AlterModelTable, RenameModel
from toolkit.migrations.operations.options import AlterModelBases
from toolkit.migrations.renames import Answers, renamed_field, renamed_models
from toolkit.migrations.state import ModelState, ProjectState, text_of


def rename_models(walk: Walk) -> None:
    """Models and tables that have another name now, and parents that are called otherwise."""
    for renamed in renamed_models(walk.state, walk.wanted, ask=walk.ask):
        walk.moved[f"{renamed.app}.{renamed.new}"] = renamed.old.lower()
        walk.note(renamed.app, RenameModel(renamed.old, renamed.new))
        if isinstance(walk.ask, Answers):
            walk.ask.follow(renamed)
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


def rename_fields(walk: Walk) -> None:
    """Fields that have another name now; a model's after those of the models that it refers to, as keys follow keys."""
    for model in _targets_first(walk.kept()):
        _rename_as_told(walk, model)
        _rename_fields(walk, model)


def _targets_first(models: Iterable[ModelState]) -> list[ModelState]:
    """Models, each behind those that it refers to; where they refer to each other in a circle, as they came."""
    waiting = {model.label: model for model in models}
    found: list[ModelState] = []

    def visit(model: ModelState) -> None:
        for label in model.targets():
            if (target := waiting.pop(label, None)) is not None:
                visit(target)
        found.append(model)

    while waiting:
        visit(waiting.pop(next(iter(waiting))))
    return found


def _rename_as_told(walk: Walk, wanted: ModelState) -> None:
    """Names that pass from field to field: the old name is there still, or the new one was there before."""
    told = _told(walk, wanted)
    while told:
        taken = walk.state.models[wanted.label].field_names
        name = next((name for name, new in told.items() if new not in taken), None)
        if name is None:  # a circle: one of them steps aside
            name = next(iter(told))
            aside = f"{name}_before"
            walk.note(wanted.app, RenameField(wanted.name, name, aside))
            told = {aside: told.pop(name), **told}
        else:
            new = told.pop(name)
            walk.note(wanted.app, RenameField(wanted.name, name, new))


def _told(walk: Walk, wanted: ModelState) -> dict[str, str]:
    """Old to new name of fields, where at least one of both is the name of two different fields."""
    if not isinstance(walk.ask, Answers):
        return {}
    source = f"{wanted.app}.{wanted.name.removesuffix('Translation')}"
    current = walk.state.models[wanted.label].field_names
    possible = {
        old: new for old, new in walk.ask.of_fields(source).items() if old in current and new in wanted.field_names
    }
    passing = set(possible) & set(possible.values())
    told = {old: new for old, new in possible.items() if old in passing or new in passing}
    for old, new in told.items():
        walk.ask.says(f"{source}.{old}", new)
        walk.renamed[(wanted.label, old)] = new
    return told


def _rename_fields(walk: Walk, wanted: ModelState) -> None:
    known = walk.state.models[wanted.label]
    for name in sorted(known.field_names, key=lambda name: not _parts(walk.state, known.get_field(name))):
        current = walk.state.models[wanted.label]
        if name in wanted.field_names or _goes_elsewhere(walk, wanted, current.get_field(name)):
            continue
        new = (
            _following(walk, wanted, current.get_field(name))
            or _following_key(walk, wanted, name)
            or _new_key(current, wanted, name)
            or renamed_field(current, wanted, name=name, ask=walk.ask)
        )
        if new is not None:
            if isinstance(walk.ask, Answers):
                walk.ask.says(f"{wanted.label}.{name}", new)
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


def _following_key(walk: Walk, wanted: ModelState, name: str) -> str | None:
    """The new name of a column that holds a part of another model's key, when it is called after that part."""
    for key in walk.state.models[wanted.label].fields:
        if key.name in wanted.field_names:
            before, after = _parts(walk.state, key), _parts(walk.wanted, wanted.get_field(key.name))
            part = next((part for part, column in before.items() if column == name), None)
            if part is not None and after.get(part) == f"{key.name}_{part}":
                return after[part]
    return None


def _parts(state: ProjectState, key: FieldState) -> dict[str, str]:
    """The columns of a reference to a key of several fields, by those that they refer to; none of other fields."""
    target = state.models.get(key.to or "")
    if target is None or not target.has_composite_key:
        return {}
    parts = [target.get_field(name) for name in target.key_names]
    columns = dict(key.options).get("from_fields", ())
    return {f"{part.name}_id" if part.to else part.name: column for part, column in zip(parts, columns, strict=False)}


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
