"""Fields as migrations know them: what the database sees of a field, as a frozen value.

A field is described by its class and those options that its column depends on. Labels, help texts, choices and
validators change nothing in a database and appear in no migration.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from toolkit import gis, models
from toolkit.errors import DeclarationError, MigrationError, ToolkitError
from toolkit.migrations.values import is_writable
from toolkit.models import DateTimeField, Field, ModelNameField, SlugField, TextField
from toolkit.models.fields import MISSING
from toolkit.models.naming import field_renamer, renamed
from toolkit.models.on_delete import BY_DATABASE

NOT_IN_DATABASE = frozenset(
    {
        "choices",
        "validators",
        "error_messages",
        "verbose_name",
        "help_text",
        "editable",
        "translated",
        "unique_for_date",
        "unique_for_month",
        "unique_for_year",
        "related_name",
        "through",
        "related_query_name",
        "limit_choices_to",
        "parent_link",
    }
)
"""Options of every field that its column does not depend on."""

NOT_IN_DATABASE_OF: tuple[tuple[type[Any], frozenset[str]], ...] = (
    (TextField, frozenset({"max_length"})),
    (SlugField, frozenset({"allow_unicode"})),
    (DateTimeField, frozenset({"auto_now", "auto_now_add"})),
)
"""The same, of some kinds. A field class of your own lists its own in ``not_in_database``."""

KEPT_BESIDE = frozenset({"default", "blank", "on_delete"})
"""Written down because rows and models of the past need them; a change of these alone is no migration."""

LOOKED_UP_BY = frozenset({"unique", "db_index"})
"""Options that a primary key has without saying so."""

NAMES_OF_FIELDS = frozenset({"fields", "from_fields"})
"""Options that are lists of names of fields of the same model."""

PUBLIC_MODULES: dict[str, Any] = {"toolkit.models": models, "toolkit.gis": gis}


@dataclass(frozen=True)
class FieldState:
    """A field at one point of the history.

    Args:
        name: Its name on the model.
        kind: Its class, as ``module.Class``.
        options: The options that its column depends on, in the order of the class's signature.
        beside: Options that are kept, but whose change is no change of the database.
    """

    name: str
    kind: str
    options: tuple[tuple[str, Any], ...] = ()
    beside: tuple[tuple[str, Any], ...] = field(default=(), compare=False)

    @property
    def to(self) -> str | None:
        """The label of the model referred to, of a foreign key."""
        return dict(self.options).get("to")

    @property
    def identity(self) -> tuple[Any, ...]:
        """Everything but the name: fields of one identity may be one field renamed."""
        return (self.kind, tuple(pair for pair in self.options if pair[0] not in ("db_column", "from_fields")))

    @property
    def null(self) -> bool:
        """Whether the column may hold NULL."""
        return bool(dict(self.options).get("null", False))

    @property
    def is_key(self) -> bool:
        """Whether it is the primary key, or says of which fields that is made."""
        return self.name == "pk" or bool(dict(self.options).get("primary_key", False))

    @property
    def makes_keys(self) -> bool:
        """Whether it has a value of its own for each row: a number, or what a function makes."""
        default = self.build().default
        return self.kind.endswith("AutoField") or (default is not MISSING and callable(default))

    @property
    def is_generated(self) -> bool:
        """Whether the database computes it."""
        return "expression" in dict(self.options)

    @property
    def names_models(self) -> bool:
        """Whether rows hold names of models in it."""
        return issubclass(_find_class(self.kind), ModelNameField)

    def loosened(self) -> FieldState:
        """The same field while it may be NULL."""
        if self.null:
            return self
        kept = tuple(pair for pair in self.options if pair[0] != "null")
        return replace(self, options=(*kept, ("null", True)))

    def without_key(self) -> FieldState:
        """The same field, and not the primary key."""
        return replace(self, options=tuple(pair for pair in self.options if pair[0] != "primary_key"))

    def becoming(self, key: FieldState) -> FieldState:
        """The kind and the options of a key to be, while this field is none yet."""
        kept = tuple(pair for pair in self.options if pair[0] in LOOKED_UP_BY)
        told = tuple(pair for pair in key.without_key().options if pair[0] not in LOOKED_UP_BY)
        return replace(key, options=(*told, *kept))

    def naming(self, old: str, new: str) -> FieldState:
        """The same field once another of its model has another name, which an expression or a key may speak of."""
        change = field_renamer(old, new)

        def told(option: str, value: Any) -> Any:
            if option in NAMES_OF_FIELDS and isinstance(value, list | tuple):
                return type(value)(new if name == old else name for name in value)
            return renamed(value, change)

        return replace(self, options=tuple((option, told(option, value)) for option, value in self.options))

    def referring_to(self, target: str, old: str, new: str) -> FieldState:
        """The same foreign key once the field of its target that it refers to has another name."""
        if not self.holds(target, old):
            return self
        options = tuple((name, new if name == "to_field" else value) for name, value in self.options)
        return replace(self, options=options)

    def holds(self, target: str, name: str) -> bool:
        """Whether it is a foreign key that refers to its target by this field, said by ``to_field``."""
        return self.to == target and dict(self.options).get("to_field") == name

    def unchecked(self) -> FieldState:
        """The same foreign key without a constraint."""
        kept = tuple(pair for pair in self.options if pair[0] != "db_constraint")
        return replace(self, options=(*kept, ("db_constraint", False)))

    def pointing_to(self, label: str) -> FieldState:
        """The same foreign key, to another model."""
        options = tuple((name, label if name == "to" else value) for name, value in self.options)
        return replace(self, options=options)

    def build(self) -> Field[Any]:
        """A field object of this description, not yet on a model.

        Raises:
            MigrationError: Its class is gone, or takes other options now.
        """
        options = dict(self.options) | dict(self.beside)
        if "to" in options:
            options["related_name"] = "+"
        try:
            given = {name: value.build() if isinstance(value, FieldState) else value for name, value in options.items()}
            made: Field[Any] = _find_class(self.kind)(**given)
        except (TypeError, DeclarationError) as error:
            told = error.message if isinstance(error, DeclarationError) else error
            raise MigrationError(
                f"the field {self.name!r} cannot be made from its migration: {self.kind}: {told}",
                hint="Keep the class's old options working, or mend the migration.",
            ) from error
        return made


def describe_field(name: str, field: Field[Any]) -> FieldState:
    """The description of a field, on a model or not.

    Raises:
        MigrationError: Its class does not keep an option under its own name, so that it cannot be described.
    """
    hidden = NOT_IN_DATABASE | _hidden_options(field)
    options: list[tuple[str, Any]] = []
    beside: list[tuple[str, Any]] = []
    path, given = _deconstructed(name, field)
    for option, told in given.items():
        if option in hidden:
            continue
        if option == "on_delete":
            rule = "do_nothing" if isinstance(told, models.SET) else told  # a function is of today's code only
            (options if rule in BY_DATABASE else beside).append((option, rule))
            continue
        value = _as_state(told)
        if option not in KEPT_BESIDE:
            options.append((option, value))
        elif is_writable(value):  # a default that no file can hold is one for the model of today only
            beside.append((option, value))
    return FieldState(name, path, tuple(options), tuple(beside))


def usable_default(field: Field[Any]) -> Any:
    """What an existing row gets in a new column: the field's default, or else the empty value if the field takes it.

    Returns:
        A value, a function that makes one for each row, or ``MISSING`` when somebody has to be asked.
    """
    if field.default is not MISSING:
        return field.default
    try:
        return field.clean(field.get_default())
    except ToolkitError:
        return MISSING


def _deconstructed(name: str, field: Field[Any]) -> tuple[str, dict[str, Any]]:
    """What a field says of itself, under this name."""
    named = copy(field)
    named.name = name
    try:
        path, options = named.deconstruct()
    except AttributeError as error:
        raise MigrationError(
            f"{type(field).__name__} {name!r} cannot be written into a migration: it takes {error.name!r} and has no "
            "attribute of that name",
            hint=f"Keep it as self.{error.name}, or override deconstruct().",
        ) from error
    own = f"{type(field).__module__}.{type(field).__qualname__}"
    return _public_path(type(field)) if path == own else path, options


def _as_state(value: Any) -> Any:
    """An option as a migration has it: a model by its label, a field by its description."""
    if isinstance(value, Field):
        return describe_field("", value)
    meta = getattr(value, "_meta", None) if isinstance(value, type) else None
    return value if meta is None else meta.label


def _hidden_options(field: Field[Any]) -> frozenset[str]:
    found = frozenset(getattr(field, "not_in_database", ()))
    for kind, names in NOT_IN_DATABASE_OF:
        if isinstance(field, kind):
            found |= names
    return found


def _public_path(kind: type[Any]) -> str:
    """``toolkit.models.CharField`` for a class defined deeper down: the place that stays when files move."""
    for name, module in PUBLIC_MODULES.items():
        if getattr(module, kind.__name__, None) is kind:
            return f"{name}.{kind.__name__}"
    return f"{kind.__module__}.{kind.__qualname__}"


def _find_class(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise MigrationError(
            f"a migration uses the field class {path}, which cannot be imported: {error}",
            hint="Keep field classes as long as migrations name them.",
        ) from error
