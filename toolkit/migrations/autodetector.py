"""The operations that lead from one state of the models to another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from toolkit.errors import MigrationError, Problems, ToolkitError
from toolkit.migrations.fields import FieldState, describe_field, usable_default
from toolkit.migrations.operations.alterations import AddField, AlterField, RemoveField, RenameField
from toolkit.migrations.operations.inheriting import AddParent, RemoveParent
from toolkit.migrations.operations.items import (
    AddConstraint,
    AddIndex,
    RemoveConstraint,
    RemoveIndex,
    RenameIndex,
    called,
)
from toolkit.migrations.operations.keys import AlterPrimaryKey
from toolkit.migrations.operations.models import AlterModelTable, CreateModel, DeleteModel, RenameModel
from toolkit.migrations.operations.operation import Operation
from toolkit.migrations.operations.options import (
    COMMENT,
    STATE_OPTIONS,
    AlterModelBases,
    AlterModelManagers,
    AlterModelOptions,
    AlterModelTableComment,
)
from toolkit.migrations.operations.special import SeparateDatabaseAndState
from toolkit.migrations.renames import Ask, is_between_of, never, renamed_field, renamed_models
from toolkit.migrations.state import ModelState, ProjectState, text_of
from toolkit.models import AutoField
from toolkit.models.fields import MISSING

AskValue = Callable[[str], Any]
"""Answers a question of the autodetector with a value, or None."""

Change = tuple[str, Operation]
"""(app label, operation)."""


def detect_changes(
    before: ProjectState,
    after: ProjectState,
    *,
    ask: Ask = never,
    fills: Mapping[str, Any] | None = None,
    ask_value: AskValue | None = None,
    released: Collection[str] = (),
    complete: bool = True,
) -> list[Change]:
    """The operations between two states, in an order in which they can be done.

    Args:
        before: The models as the migrations know them.
        after: The models as they are.
        ask: Answers whether something was renamed.
        fills: ``app.Model.field`` to what existing rows get in a new column that has no default.
        ask_value: Asks what existing rows get, where nothing says so; it may answer None.
        released: Labels of models whose tables are somebody else's from now on, and stay.
        complete: Every row must get a value; False when the question is only what changed.

    Raises:
        Problems: Changes that nobody can make without being told more.
    """
    detector = _Detector(before, after, ask=ask, fills=fills or {}, ask_value=ask_value, complete=complete)
    detector.released = frozenset(released)
    detector.run()
    if detector.problems:
        raise Problems(detector.problems, summary="the migration cannot be made")
    return detector.changes


class _Detector:
    """Walks a state towards another, and notes each step."""

    def __init__(
        self,
        before: ProjectState,
        after: ProjectState,
        *,
        ask: Ask,
        fills: Mapping[str, Any],
        ask_value: AskValue | None,
        complete: bool,
    ) -> None:
        self.state, self.wanted = before, after
        self.ask, self.fills, self.complete = ask, dict(fills), complete
        self.ask_value = ask_value
        self.released: frozenset[str] = frozenset()
        self.changes: list[Change] = []
        self.problems: list[ToolkitError] = []
        self._postponed: list[Change] = []
        self._moved: dict[str, str] = {}
        self._renamed: dict[tuple[str, str], str] = {}

    def run(self) -> None:
        """All steps: names first, then what is gone from tables that stay, then what is new, then tables that go."""
        self._rename_models()
        self._leave_other_kinds()
        for model in self._kept():
            self._rename_fields(model)
        for model in self._kept():
            self._rename_indexes(model)
            self._remove_items(model)
        for model in self._kept():
            self._alter_keys(model)  # first: what is added may refer to them
        self._create_models()
        self._change_parents()
        for model in self._kept():  # a model at a time: neighbouring steps on one table are done at once
            if self._changes_target(model):
                continue
            for step in (
                self._add_fields,
                self._alter_fields,
                self._remove_fields,
                self._add_items,
                self._alter_options,
            ):
                step(model)
        for change in self._postponed:
            self._note(*change)
        self._delete_models()

    def _note(self, app: str, operation: Operation) -> None:
        self.changes.append((app, operation))
        self.state = operation.change(app, self.state)

    def _kept(self) -> list[ModelState]:
        """The models that were there and stay, as they shall be. Those made by this run are as they shall be."""
        created = {f"{app}.{one.name}" for app, one in self.changes if isinstance(one, CreateModel)}
        return [
            model for label, model in self.wanted.models.items() if label in self.state.models and label not in created
        ]

    # names

    def _rename_models(self) -> None:
        for renamed in renamed_models(self.state, self.wanted, ask=self.ask):
            self._moved[f"{renamed.app}.{renamed.new}"] = renamed.old.lower()
            self._note(renamed.app, RenameModel(renamed.old, renamed.new))
        for model in self._kept():
            current = self.state.models[model.label]
            if current.db_table != model.db_table and not model.is_proxy:
                self._free_table(model)
                self._note(model.app, AlterModelTable(model.name, model.db_table))
            stays = current.is_proxy is model.is_proxy and not self._changes_parent(model)
            if current.bases != model.bases and stays and self._may_inherit(model):
                self._note(model.app, AlterModelBases(model.name, model.bases))

    def _free_table(self, wanted: ModelState) -> None:
        """Put a table out of the way whose name another takes: it goes, or gets a name of its own later."""
        for other in list(self.state.models.values()):
            if other.table == wanted.table and other.label != wanted.label and not other.is_proxy:
                self._note(other.app, AlterModelTable(other.name, f"{other.table}_before"))

    def _rename_fields(self, wanted: ModelState) -> None:
        for name in self.state.models[wanted.label].field_names:
            current = self.state.models[wanted.label]
            if name in wanted.field_names or self._goes_elsewhere(wanted, current.get_field(name)):
                continue
            new = (
                self._following(wanted, current.get_field(name))
                or _new_key(current, wanted, name)
                or renamed_field(current, wanted, name=name, ask=self.ask)
            )
            if new is not None:
                self._renamed[(wanted.label, name)] = new
                self._note(wanted.app, RenameField(wanted.name, name, new))

    def _following(self, wanted: ModelState, field: FieldState) -> str | None:
        """The new name of a field of a hidden model, when it is called after something that was renamed."""
        source = f"{wanted.app}.{wanted.name.removesuffix('Translation')}"
        twin = self._renamed.get((source, field.name)) if source != wanted.label else None
        if twin is not None and twin in wanted.field_names:
            return twin
        old = self._moved.get(field.to or "")
        if old is None or not field.name.endswith(old):
            return None
        name = field.name.removesuffix(old) + str(field.to).partition(".")[2].lower()
        same = [other for other in wanted.fields if other.name == name and other.identity == field.identity]
        return name if same else None

    def _leave_other_kinds(self) -> None:
        """A model that becomes a proxy, or ceases to be one, is another model."""
        for model in self._kept():
            current = self.state.models[model.label]
            if current.is_proxy is not model.is_proxy:
                self._note(model.app, self._leaving(current, DeleteModel(model.name)))
            elif current.database != model.database:
                self.problems.append(
                    MigrationError(
                        f"{model.label} moves from the database {current.database!r} to {model.database!r}, and a "
                        "migration does not carry rows from one to the other",
                        hint="Make a new model there, copy the rows with a command of yours, and delete the old one.",
                    )
                )

    # what Meta says

    def _may_inherit(self, wanted: ModelState) -> bool:
        """Whether the models that it shall inherit from are there; if not, it is said once they are."""
        return all(base in self.state.models for base in wanted.bases)

    def _alter_options(self, wanted: ModelState) -> None:
        current = self.state.models[wanted.label]
        if current.bases != wanted.bases:
            self._note(wanted.app, AlterModelBases(wanted.name, wanted.bases))
        if current.option(COMMENT) != wanted.option(COMMENT):
            self._note(wanted.app, AlterModelTableComment(wanted.name, wanted.option(COMMENT)))
        before, after = ({name: one.option(name) for name in STATE_OPTIONS} for one in (current, wanted))
        if text_of(before) != text_of(after):
            self._note(wanted.app, AlterModelOptions(wanted.name, {k: v for k, v in after.items() if v}))
        if text_of(current.managers) != text_of(wanted.managers):
            self._note(wanted.app, AlterModelManagers(wanted.name, wanted.managers))

    # constraints and indexes

    def _rename_indexes(self, wanted: ModelState) -> None:
        """An index that says the same under another name is that index."""
        current = self.state.models[wanted.label].indexes
        come = _only_in_first(wanted.indexes, current)
        for index in _only_in_first(current, wanted.indexes):
            twin = next((one for one in come if text_of(called(index, one.name)) == text_of(one)), None)
            if twin is not None:
                come.remove(twin)
                self._note(wanted.app, RenameIndex(wanted.name, index.name, twin.name))

    def _remove_items(self, wanted: ModelState) -> None:
        current = self.state.models[wanted.label]
        for constraint in _only_in_first(current.constraints, wanted.constraints):
            self._note(wanted.app, RemoveConstraint(wanted.name, constraint.name))
        for index in _only_in_first(current.indexes, wanted.indexes):
            self._note(wanted.app, RemoveIndex(wanted.name, index.name))

    def _add_items(self, wanted: ModelState) -> None:
        current = self.state.models[wanted.label]
        for index in _only_in_first(wanted.indexes, current.indexes):
            self._note(wanted.app, AddIndex(wanted.name, index))
        for constraint in _only_in_first(wanted.constraints, current.constraints):
            self._note(wanted.app, AddConstraint(wanted.name, constraint))

    # models

    def _create_models(self) -> None:
        waiting = [model for label, model in self.wanted.models.items() if label not in self.state.models]
        for model, later in _in_order(waiting):
            self._create(model, later)

    def _create(self, model: ModelState, later: set[str]) -> None:
        """Make a model; foreign keys that would close a circle are added once both tables are there."""
        constraints = [item for item in model.constraints if not _mentions(item, later)]
        indexes = [item for item in model.indexes if not _mentions(item, later)]
        kept = replace(
            model,
            fields=tuple(field for field in model.fields if field.name not in later),
            constraints=tuple(constraints),
            indexes=tuple(indexes),
        )
        self._note(model.app, CreateModel.of(kept))
        for field in model.fields:
            if field.name in later:
                self._postponed.append((model.app, AddField(model.name, field.name, field)))
        for constraint in _only_in_first(model.constraints, constraints):
            self._postponed.append((model.app, AddConstraint(model.name, constraint)))
        for index in _only_in_first(model.indexes, indexes):
            self._postponed.append((model.app, AddIndex(model.name, index)))

    def _delete_models(self) -> None:
        waiting = [model for label, model in self.state.models.items() if label not in self.wanted.models]
        order = list(_in_order(waiting))
        for model, later in order:
            for item in [one for one in (*model.constraints, *model.indexes) if _mentions(one, later)]:
                kind = RemoveConstraint if item in model.constraints else RemoveIndex
                self._note(model.app, self._leaving(model, kind(model.name, item.name)))
            for name in sorted(later):
                self._note(model.app, self._leaving(model, RemoveField(model.name, name)))
        for model, _ in reversed(order):
            self._note(model.app, self._leaving(model, DeleteModel(model.name)))

    def _leaving(self, model: ModelState, operation: Operation) -> Operation:
        """What is done to the table of a model that goes: nothing, if somebody else keeps it."""
        if model.label not in self.released:
            return operation
        return SeparateDatabaseAndState(state_operations=[operation])

    # fields

    def _add_fields(self, wanted: ModelState) -> None:
        for field in wanted.fields:
            if field.name not in self.state.models[wanted.label].field_names:
                refused = self._refuse_second_parent(wanted, field)
                fill = MISSING if refused else self._fill(wanted, field, "a new column")
                self._note(wanted.app, AddField(wanted.name, field.name, field, fill=fill))

    def _refuse_second_parent(self, wanted: ModelState, field: FieldState) -> bool:
        """Say what to do where rows would need one row each in the table of another parent than the first."""
        path = f"{wanted.label}.{field.name}"
        if field.to not in wanted.bases or field.to == wanted.parent or not self.complete or path in self.fills:
            return False
        target = str(field.to)
        self.problems.append(
            MigrationError(
                f"{wanted.label} begins to inherit {target} beside {wanted.parent}, and a migration gives rows that "
                "are there a row of one parent by itself, not of a second",
                hint=f"While {wanted.name} inherits {wanted.parent} alone, add {field.name} = OneToOneField("
                f"{target!r}, null=True, on_delete=CASCADE, related_name='+'), give each row one of its own with "
                f"RunPython, and inherit both in the migration after that. If there are no rows, say --fill {path}=0.",
            )
        )
        return True

    def _alter_fields(self, wanted: ModelState) -> None:
        for field in wanted.fields:
            current = self.state.models[wanted.label].get_field(field.name)
            if current == field:
                continue
            if field.is_key or current.is_key:
                continue
            is_link = field.to in wanted.bases and current.to == field.to  # one value for all would be none
            closing = current.null and not field.null and not is_link
            fill = self._fill(wanted, field, "rows that hold NULL") if closing else MISSING
            self._note(wanted.app, AlterField(wanted.name, field.name, field, fill=fill))

    def _remove_fields(self, wanted: ModelState) -> None:
        current = self.state.models[wanted.label]
        for field in current.fields:
            if field.name not in wanted.field_names and not field.is_key:
                self._note(wanted.app, RemoveField(wanted.name, field.name))

    def _alter_keys(self, wanted: ModelState) -> None:
        current = self.state.models[wanted.label]
        if self._changes_parent(wanted):
            return
        if wanted.is_proxy or current.key_names == wanted.key_names:
            for name in wanted.key_names:
                if current.get_field(name) != wanted.get_field(name) and not wanted.has_composite_key:
                    self._alter_key(wanted, wanted.get_field(name))
        else:
            self._exchange_key(wanted)

    def _alter_key(self, wanted: ModelState, field: FieldState) -> None:
        """A key stays the key: it may become one of another kind, and what refers to it follows."""
        fill = self.fills.get(f"{wanted.label}.{field.name}", MISSING)
        self._note(wanted.app, AlterField(wanted.name, field.name, field, fill=fill if callable(fill) else MISSING))

    def _exchange_key(self, wanted: ModelState) -> None:
        """Other fields become the key."""
        for name in wanted.key_names:
            self._prepare_key(wanted, wanted.get_field(name))
        current = self.state.models[wanted.label]
        names = dict.fromkeys((*current.key_names, *wanted.key_names, "pk"))
        told = [wanted.get_field(name) for name in names if name in wanted.field_names]
        changed = [
            field for field in told if field.name not in current.field_names or current.get_field(field.name) != field
        ]
        gone = [name for name in names if name in current.field_names and name not in wanted.field_names]
        fill = self.fills.get(f"{wanted.label}.{wanted.key_names[0]}", MISSING)
        self._note(
            wanted.app,
            AlterPrimaryKey(
                wanted.name,
                [(field.name, field) for field in changed],
                removes=gone,
                fill=fill if callable(fill) else MISSING,
            ),
        )

    def _prepare_key(self, wanted: ModelState, field: FieldState) -> None:
        """A field of the key to be gets a value in each row before, but for one that numbers or makes its own."""
        current = self.state.models[wanted.label]
        if field.name in current.field_names:
            before = current.get_field(field.name)
            ready = before.becoming(field)
            if before != ready and field.name not in current.key_names:
                fill = self._fill(wanted, ready, "rows that hold NULL") if before.null else MISSING
                self._note(wanted.app, AlterField(wanted.name, field.name, ready, fill=fill))
        elif not field.makes_keys:
            ready = field.without_key()
            fill = self._fill(wanted, ready, "a new column")
            self._note(wanted.app, AddField(wanted.name, field.name, ready, fill=fill))

    # parents

    def _changes_parent(self, wanted: ModelState) -> bool:
        """Whether a model that is there begins to inherit a table, or ceases to."""
        current = self.state.models[wanted.label]
        if current.is_proxy is not wanted.is_proxy or current.key_target == wanted.key_target:
            return False  # a history may lack the bases of a model whose key was the link all along
        return current.parent != wanted.parent

    def _goes_elsewhere(self, wanted: ModelState, field: FieldState) -> bool:
        """Whether a field that a model has no more is the key of one that changes its parent, or its parent's now."""
        inherited = {one.name for model in self.wanted.ancestors(wanted) for one in model.fields}
        return self._changes_parent(wanted) and (field.is_key or field.name in inherited)

    def _change_parents(self) -> None:
        """Let all leave first, the youngest before its parent; then let all join, a parent before its children."""
        moving = [model for model in self._kept() if self._changes_parent(model)]
        moving.sort(key=lambda model: len(self.state.ancestors(self.state.models[model.label])), reverse=True)
        for wanted in moving:
            if self.state.models[wanted.label].parent is not None:
                self._add_early(wanted, but=wanted)
                self._leave_parent(wanted)
        for wanted in sorted(moving, key=lambda model: len(self.wanted.ancestors(model))):
            if wanted.parent is not None:
                self._settle_early(self.wanted.ancestors(wanted), but=wanted)
                self._join_parent(wanted)

    def _settle_early(self, ancestors: Iterable[ModelState], *, but: ModelState) -> None:
        """Make ancestors what they shall be: rows are made there."""
        kept = {one.label: one for one in self._kept()}
        for model in ancestors:
            self._add_early(model, but=but)
            if model.label in kept:
                self._alter_fields(model)
                self._remove_fields(model)

    def _add_early(self, model: ModelState, *, but: ModelState) -> None:
        """Make the columns that values shall move to: those of an ancestor, and of the translations of both."""
        kept = {one.label: one for one in self._kept()}
        for label in (model.label, f"{model.label}Translation"):
            if label in kept and label != but.label:
                self._add_fields(kept[label])

    def _leave_parent(self, wanted: ModelState) -> None:
        current = self.state.models[wanted.label]
        inherited = _plain_fields(self.state.ancestors(current))
        next_of_kin = _plain_fields(self.wanted.ancestors(wanted))
        own = {field.name: field for field in wanted.fields}
        down = [
            own.get(name, field)
            for name, field in inherited.items()
            if name not in current.field_names and (name in own or name in next_of_kin)
        ]
        key = self._key_alone(current, wanted, taken=inherited)
        (link,) = current.key_names
        if link != key.name:
            self._note(wanted.app, RenameField(wanted.name, link, key.name))
        bases = wanted.bases if wanted.parent is None else ()
        self._note(
            wanted.app,
            RemoveParent(wanted.name, key.name, key, fields=[(one.name, one) for one in down], bases=bases),
        )
        if wanted.parent is None and wanted.key_names != (key.name,):
            self._exchange_key(wanted)

    def _key_alone(self, current: ModelState, wanted: ModelState, *, taken: Collection[str]) -> FieldState:
        """The key of a model once it has no parent: its own, if that is a new one; else a number for the time being."""
        if wanted.parent is None and not wanted.has_composite_key:
            key = wanted.get_field(wanted.key_names[0])
            if key.name not in taken and key.name not in current.field_names:
                return key
        name = "id" if "id" not in (*taken, *current.field_names) else f"{wanted.name.lower()}_id_alone"
        return describe_field(name, AutoField[int]())

    def _join_parent(self, wanted: ModelState) -> None:
        (name,) = wanted.key_names
        ancestors = [self.state.models[one.label] for one in self.wanted.ancestors(wanted)]
        theirs = _plain_fields(ancestors)
        self._free_key(wanted, name, theirs)
        (key,) = self.state.models[wanted.label].key_names
        if key != name:
            self._note(wanted.app, RenameField(wanted.name, key, name))
        current = self.state.models[wanted.label]
        fills: dict[str, Any] = {}
        for model in ancestors:
            for field in model.fields:
                if field.name in theirs and field.name not in current.field_names and not field.is_generated:
                    value = self._fill(model, field, f"the rows that {wanted.label} gets there")
                    fills |= {} if value is MISSING else {field.name: value}
        removes = [one for one in current.field_names if one in theirs]
        bases = [base for base in wanted.bases if base == wanted.parent]
        link = wanted.get_field(name)
        self._note(wanted.app, AddParent(wanted.name, name, link, bases=bases, removes=removes, fills=fills))

    def _free_key(self, wanted: ModelState, link: str, theirs: Collection[str]) -> None:
        """Let a number be the key, where the key is a field that stays one, or has several fields."""
        current = self.state.models[wanted.label]
        keys = current.key_names
        if not current.has_composite_key and not {*wanted.field_names, *theirs} & set(keys):
            return
        kept = [] if current.has_composite_key else [current.get_field(keys[0]).without_key()]
        fields = [describe_field(link, AutoField[int]()), *kept]
        removes = ["pk"] if current.has_composite_key else []
        self._note(wanted.app, AlterPrimaryKey(wanted.name, [(field.name, field) for field in fields], removes=removes))

    def _changes_target(self, wanted: ModelState) -> bool:
        """Whether a table between shall lead elsewhere: what its rows say is nothing about rows of another table."""
        current = self.state.models[wanted.label]
        owner = next((one for one in self.wanted.models.values() if is_between_of(wanted, one)), None)
        gone, come = (
            [field for field in one.fields if field.to and field.name not in other.field_names]
            for one, other in ((current, wanted), (wanted, current))
        )
        told = not self.complete or any(f"{wanted.label}.{field.name}" in self.fills for field in come)
        if owner is None or len(gone) != 1 or len(come) != 1 or told:
            return False
        name = f"{owner.label}.{wanted.name.removeprefix(f'{owner.name}_')}"
        self.problems.append(
            MigrationError(
                f"{name}: a many-to-many field changes its target from {gone[0].to} to {come[0].to}, and nobody can "
                "tell to which of those rows its links shall lead",
                hint="Give the new field another name: the links of the old one then go with it. To keep some, add the "
                "new field, copy them with RunPython, and remove the old one in a migration after that.",
            )
        )
        return True

    def _fill(self, model: ModelState, field: FieldState, why: str) -> Any:
        """What the rows that are there get; MISSING when the field's own default will do."""
        path = f"{model.label}.{field.name}"
        needed = self.complete and not field.null and usable_default(field.build()) is MISSING
        if needed and path not in self.fills and self.ask_value is not None:
            answer = self.ask_value(f"{path} may not be null and has no default. What do the rows that are there get?")
            self.fills |= {} if answer is None else {path: answer}
        if path in self.fills:
            return self._given(path, field)
        if needed:
            self.problems.append(
                MigrationError(
                    f"{path} may not be null and has no default: {why} must get a value",
                    hint=f"Say which (toolkit migrations make --fill {path}=VALUE), give the field a default, "
                    "or let it be null.",
                )
            )
        return MISSING

    def _given(self, path: str, field: FieldState) -> Any:
        value = self.fills[path]
        if field.to is not None or callable(value):
            return value
        try:
            return field.build().to_python(value)
        except ToolkitError as error:
            self.problems.append(MigrationError(f"{path}: {error.message}", hint=error.hint))
            return MISSING


def _in_order(models: Iterable[ModelState]) -> Iterator[tuple[ModelState, set[str]]]:
    """Models after those that they refer to, each with the foreign keys that must come later."""
    waiting = {model.label: model for model in models}
    while waiting:
        ready = [one for one in waiting.values() if not waiting.keys() & set(one.bases)]
        bases = {base for one in waiting.values() for base in one.bases}
        model = min(ready, key=lambda one: (len(_open_keys(one, waiting)), one.label not in bases))
        yield model, _open_keys(model, waiting)
        del waiting[model.label]


def _open_keys(model: ModelState, waiting: Mapping[str, ModelState]) -> set[str]:
    """The foreign keys of a model to others that wait."""
    return {field.name for field in model.fields if field.to in waiting and field.to != model.label}


def _mentions(item: Any, names: set[str]) -> bool:
    fields = {name.lstrip("-").partition("__")[0] for name in getattr(item, "fields", ())}
    if item.condition is not None:
        fields |= {name.partition("__")[0] for name in item.condition.names()}
    return bool(fields & names)


def _plain_fields(models: Iterable[ModelState]) -> dict[str, FieldState]:
    """The fields of some models by name, their keys apart."""
    return {field.name: field for model in models for field in model.fields if not field.is_key}


def _new_key(current: ModelState, wanted: ModelState, name: str) -> str | None:
    """The field that takes the place of a primary key that is gone: a row has one, and keeps it under another name."""
    if current.has_composite_key or wanted.has_composite_key or current.key_names != (name,):
        return None
    old, new = current.get_field(name), wanted.get_field(wanted.key_names[0])
    inherits = new.to is not None and old.to is None
    return None if inherits or new.name in current.field_names else new.name


def _only_in_first(first: Iterable[Any], second: Iterable[Any]) -> list[Any]:
    """The constraints or indexes of one collection that are not in the other, by what they say."""
    said = {text_of(item) for item in second}
    return [item for item in first if text_of(item) not in said]
