"""The base of all fields, and what their options mean.

A field is a declaration on a model class. On an instance its value is an ordinary attribute; the field itself is
found on the class. It knows four things: how to read a value that somebody typed (``to_python``), what it refuses
(``clean``), which column it has (``sql_type``), and how values cross to the database and back.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypedDict, TypeVar, overload

from toolkit.errors import DeclarationError, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.lazily import LazyModule
from toolkit.models.fields.choices import Choice, Choices, flatten_choices, list_choices
from toolkit.models.fields.lookable import Lookable
from toolkit.models.never_called import FIELD, refuse_never_called
from toolkit.validators.base import meant, refusal

if TYPE_CHECKING:
    from toolkit.models import elsewhere
else:
    elsewhere = LazyModule("toolkit.models.elsewhere")

T = TypeVar("T")

Validator = Callable[[Any], None]
Convert = Callable[[Any], Any] | None

_order = itertools.count()

REQUIRED = gettext_lazy("a value is required")
_MODEL = "toolkit.models.model"
"""Where ``Model`` is, whose own names no field may have: it would hide them."""

_TAKEN = ("pk", "objects", "DoesNotExist", "MultipleObjectsReturned")

_NOT_A_CHOICE = gettext_lazy("%(shown)s is not one of the choices")


class _Missing:
    """Stands for "no default"."""

    def __repr__(self) -> str:
        return "MISSING"

    def __reduce__(self) -> str:
        return "MISSING"  # a copy of a field has none, either


MISSING = _Missing()


class _DatabaseDefault:
    """The value of an attribute that the database will fill in when the row is saved."""

    def __repr__(self) -> str:
        return "DATABASE_DEFAULT"

    def __str__(self) -> str:
        return ""

    def __bool__(self) -> bool:
        return False

    def __copy__(self) -> _DatabaseDefault:
        return self

    def __deepcopy__(self, memo: Any) -> _DatabaseDefault:
        return self

    def __reduce__(self) -> str:
        return "DATABASE_DEFAULT"


DATABASE_DEFAULT: Any = _DatabaseDefault()


class FieldOptions(TypedDict, total=False):
    """The options that every field takes; see ``Field``."""

    blank: bool
    default: Any
    db_default: Any
    unique: bool
    unique_for_date: str
    unique_for_month: str
    unique_for_year: str
    db_index: bool
    db_column: str
    db_comment: str
    primary_key: bool
    choices: Choices
    validators: Sequence[Validator]
    error_messages: Mapping[str, str]
    verbose_name: str
    help_text: str
    editable: bool
    translated: bool


class Field(Lookable, Generic[T]):
    """One column of a model.

    Args:
        null: NULL is allowed in the database.
        blank: May be left empty in forms and content files.
        default: A value, or a function that makes one.
        db_default: A value or an expression that the database fills in where none is given.
        unique: No two rows may have the same.
        unique_for_date: A date field of the model: no two rows of one day may have the same.
        unique_for_month: The same, of one month in any year.
        unique_for_year: The same, of one year.
        db_index: Make an index.
        db_column: The column's name, if it is not the field's.
        db_comment: A comment on the column, for people who read the database; SQLite keeps none.
        primary_key: This is the key of the table.
        choices: Allowed values with their labels: pairs, groups of pairs, a mapping, a class of choices
            (``models.TextChoices``), or a function that gives one of these.
        validators: Functions that raise ``ValidationError``.
        error_messages: Messages of your own by code, such as ``{"blank": "Who wrote it?"}``; ``%(value)s`` is
            the value.
        verbose_name: The name that people read; translatable.
        help_text: A sentence for those who fill it in; translatable.
        editable: Shown in forms.
        translated: Has one value for each locale of the site.

    Attributes:
        queryset_methods: Questions that querysets of a model with such a field have; each takes the queryset first.
        many_to_one: It refers to one row, as others may; and so on.
        native: The class whose values go to the database without ``to_python``; None if all have to pass it.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_never_called(cls, FIELD)

    queryset_methods: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    native: ClassVar[type | None] = None
    empty: ClassVar[Any] = None
    is_relation: ClassVar[bool] = False
    many_to_one: ClassVar[bool] = False
    one_to_one: ClassVar[bool] = False
    many_to_many: ClassVar[bool] = False
    one_to_many: ClassVar[bool] = False
    is_several: ClassVar[bool] = False
    is_nested: ClassVar[bool] = False
    """Takes lists and objects as values, from files that have those."""
    in_key = False
    """Whether it is the primary key, or a part of it."""
    auto_created = False
    concrete: ClassVar[bool] = True
    """Has a column."""
    stores: ClassVar[bool] = False
    """Has an ``after_init`` and a ``before_save`` to be called."""
    auto_now = auto_now_add = False
    is_generated: ClassVar[bool] = False
    """Computed by the database at each write, and never written."""
    is_version: ClassVar[bool] = False
    """Counts how often the row was written."""
    is_heavy: ClassVar[bool] = False
    """Left out of a row until it is touched, and then loaded for all rows that were loaded together."""

    def __init__(
        self,
        *,
        null: bool = False,
        blank: bool = False,
        default: Any = MISSING,
        db_default: Any = MISSING,
        unique: bool = False,
        unique_for_date: str | None = None,
        unique_for_month: str | None = None,
        unique_for_year: str | None = None,
        db_index: bool = False,
        db_column: str | None = None,
        db_comment: str | None = None,
        primary_key: bool = False,
        choices: Choices | None = None,
        validators: Sequence[Validator] = (),
        error_messages: Mapping[str, str] | None = None,
        verbose_name: str | None = None,
        help_text: str = "",
        editable: bool = True,
        translated: bool = False,
    ) -> None:
        self.null, self.blank, self.default, self.db_default = null, blank, default, db_default
        self.unique, self.db_index, self.primary_key = unique, db_index, primary_key
        self.unique_for_date, self.unique_for_month, self.unique_for_year = (
            unique_for_date,
            unique_for_month,
            unique_for_year,
        )
        self.db_comment = db_comment
        self.declared_choices = choices or None
        if callable(validators):
            raise DeclarationError(f"validators = {validators!r} is one, and no list", hint="Write it in brackets.")
        self.validators = list(validators)
        self.error_messages = dict(error_messages or {})
        self.verbose_name, self.help_text = verbose_name, help_text
        self.editable, self.translated = editable, translated
        self.name = ""
        self.db_column = db_column
        self.column = db_column or ""
        self.model: Any = None
        self.order = next(_order)

    # the descriptor: on the class the field; on an instance its value (a deferred one is loaded)

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> T: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self
        return instance.load_deferred(self)

    if TYPE_CHECKING:

        def __set__(self, instance: Any, value: T) -> None: ...

    def __repr__(self) -> str:
        owner = f"{self.model.__name__}." if self.model else ""
        return f"<{type(self).__name__} {owner}{self.name}>"

    def __copy__(self) -> Self:
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def contribute(self, model: type[Any], name: str) -> None:
        """Take a place on a model class."""
        if name.endswith("_") or "__" in name or name in _TAKEN:
            raise DeclarationError(
                f"{model.__name__}.{name}: a field cannot be called {name!r}",
                hint=f"'__' separates names in lookups; {', '.join(_TAKEN)} are taken. Choose another name.",
            )
        if any(base.__module__ == _MODEL and name in vars(base) for base in model.__mro__):
            raise DeclarationError(
                f"{model.__name__}.{name}: a field cannot be called {name!r}, for that is what models have themselves",
                hint=f"Choose another name; db_column={name!r} keeps the column's.",
            )
        self.model, self.name = model, name
        self.column = self.column or self.attname
        self.verbose_name = self.verbose_name or name.replace("_", " ")
        if self.primary_key and self.null:
            raise DeclarationError(f"{model.__name__}.{name}: a primary key is never NULL", hint="Remove null=True.")
        self._check_options()
        self.check()

    def _check_options(self) -> None:
        """Refuse choices that are no pairs, validators that are no functions, and lengths that are none."""
        where = f"{self.model.__name__}.{self.name}"
        length = getattr(self, "max_length", None)
        if length is not None and (not isinstance(length, int) or length < 1):
            raise DeclarationError(
                f"{where}: max_length = {length!r} is no length of a value", hint="Give a whole number above 0."
            )
        for each in self.validators:
            if not callable(each):
                told = f"{where}: validators has {each!r}, which is no function"
                raise DeclarationError(told, hint="Give functions.")
            if isinstance(each, type) and any("__call__" in vars(kind) for kind in each.__mro__):
                told = f"{where}: validators has the class {each.__name__}, which would be made anew and refuse nothing"
                raise DeclarationError(told, hint=f"Make one, with brackets: {each.__name__}(...).")
        try:
            self.choices_at_hand()
        except (TypeError, ValueError):
            raise DeclarationError(
                f"{where}: choices = {self.declared_choices!r} are no pairs of a value and its label",
                hint='Such as [("draft", "Draft"), ("live", "Live")].',
            ) from None

    def fitted(self, value: Any) -> Any:
        """A value that stands in a declaration, as the field holds it.

        Raises:
            ValidationError: The field can never hold it.
        """
        value = self.to_python(value)
        self.validate(value)
        return value

    def descriptor(self) -> Any:
        """What stands on the class under the field's name; the field itself, unless a value needs more."""
        return self

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            complaint = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(elsewhere.told(complaint, name, elsewhere.FIELD), name=name, obj=self)

    def after_init(self, instance: Any) -> None:
        """Called when an instance was made in Python, and has all its values."""

    def before_save(self, instance: Any) -> None:
        """Called before an instance is written, to set its value or to store what belongs to it."""

    def check(self) -> None:
        """Refuse options that make no sense. Called once, when the field takes its place."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns: one, but for a name that stands for several."""
        return (self.column,)

    @property
    def attname(self) -> str:
        """The instance attribute that holds the column's value (``section_id`` for a foreign key)."""
        return self.name

    @property
    def choices(self) -> list[Any] | None:
        """Allowed values with their labels, and groups of them with their names; None if every value is allowed."""
        return None if self.declared_choices is None else list_choices(self.declared_choices)

    @property
    def flatchoices(self) -> list[Choice]:
        """Allowed values with their labels, groups opened; empty if every value is allowed."""
        return [] if self.declared_choices is None else flatten_choices(self.declared_choices)

    def choices_at_hand(self) -> list[Choice]:
        """Those that are written out in the declaration; none if a function gives them."""
        given = self.declared_choices
        return [] if given is None or (callable(given) and not isinstance(given, type)) else flatten_choices(given)

    @property
    def related_model(self) -> Any:
        """The model that it refers to; None if it is no relation."""
        return None

    def value_from_object(self, instance: Any) -> Any:
        """What an instance holds: of a foreign key the key, of a field to many rows the rows."""
        return getattr(instance, self.attname)

    def has_default(self) -> bool:
        """Whether it has a default, rather than nothing or one of the database."""
        return self.default is not MISSING

    def get_default(self) -> Any:
        """The value of an instance that was given none."""
        if self.default is MISSING:
            if self.db_default is not MISSING:
                return DATABASE_DEFAULT
            return None if self.null else self.empty
        if callable(self.default):
            return self.default()
        # a list or dict that rows share would be changed for all of them
        return deepcopy(self.default) if isinstance(self.default, list | dict | set) else self.default

    # values

    def to_python(self, value: Any) -> Any:
        """The value as Python holds it, from Python or from text.

        Raises:
            ValidationError: It cannot be one.
        """
        return value

    def clean(self, value: Any) -> Any:
        """A value that may be saved.

        Raises:
            ValidationError: It may not.
        """
        if value is DATABASE_DEFAULT:
            return value
        try:
            return self._clean(value)
        except ValidationError as error:
            own = [self.in_own_words(each, value) for each in error.error_list]
            raise (own[0] if len(own) == 1 else ValidationError(own)) from error

    def _clean(self, value: Any) -> Any:
        if value is None or value == "":
            return self._clean_empty(value)
        value = self.to_python(value)
        if self.declared_choices is not None:
            self._check_choice(value)
        self.validate(value)
        self._ask_validators(value)
        return value

    def _ask_validators(self, value: Any) -> None:
        """Ask all validators, and tell everything that they refuse."""
        errors: list[ValidationError] = []
        for validator in self.validators:
            try:
                validator(value)
            except ValidationError as error:
                errors += error.error_list
        if errors:
            raise errors[0] if len(errors) == 1 else ValidationError(errors)

    def in_own_words(self, error: ValidationError, value: Any) -> ValidationError:
        """The error with the message that the declaration has for its code."""
        own = self.error_messages.get(error.code)
        if own is None:
            return error
        return refusal(own, value, code=error.code, **{k: v for k, v in error.params.items() if k not in _TOLD})

    def validate(self, value: Any) -> None:
        """Refuse a value of the right type that is out of bounds."""

    def _clean_empty(self, value: Any) -> Any:
        if not self.blank and not (self.null and value is None):
            raise ValidationError(REQUIRED, code="null" if value is None else "blank")
        if value is None and not self.null:
            if self.empty is None:
                raise ValidationError(REQUIRED, code="null")
            return self.empty
        return None if self.null and not isinstance(self.empty, str) else value

    def _check_choice(self, value: Any) -> None:
        allowed = [choice for choice, _ in self.flatchoices]
        if value not in allowed:
            raise refusal(_NOT_A_CHOICE, value, code="invalid_choice", hint=meant(str(value), map(str, allowed)))

    def display(self, value: Any) -> Any:
        """The label of a choice, or the value itself."""
        return next((label for choice, label in self.flatchoices if choice == value), value)

    # the database

    def sql_type(self) -> Any:
        """The SQLAlchemy type of the column."""
        raise TypeError(f"{type(self).__name__} must define sql_type()")

    def db_writer(self, dialect: str) -> Convert:
        """A function from a Python value (never None) to what the driver takes, or None if they are the same."""
        return None

    def db_reader(self, dialect: str) -> Convert:
        """A function from what the driver gives (never None) to a Python value, or None if they are the same."""
        return None

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """A function from any value that somebody may give (never None) to what the driver takes.

        The function raises ``ValidationError`` for a value that the field cannot hold: SQLite would keep it.
        """
        write, native, read = self.db_writer(dialect), self.native, self.to_python
        if write is None:
            return lambda value: value if value.__class__ is native else read(value)
        return lambda value: write(value if value.__class__ is native else read(value))

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """The same for the other side of a comparison, where a value out of the field's bounds does no harm."""
        return Field.db_value_of(self, dialect)

    def compared_type(self) -> Any:
        """The SQLAlchemy type of a value that the column is compared with."""
        return self.sql_type()

    # text: content files, serializers, forms

    def value_to_string(self, value: Any) -> str:
        """A value (never None) as text that ``from_string`` reads back exactly."""
        return str(value)

    def from_string(self, text: str) -> Any:
        """The value of such a text.

        Raises:
            ValidationError: It is none.
        """
        return self.to_python(text)

    # migrations

    def deconstruct(self) -> tuple[str, dict[str, Any]]:
        """The class's import path, and the options that make the same field again; those at their default left out.

        An option is found under its own name as an attribute. A class that keeps one under another name overrides
        this.
        """
        kind = type(self)
        options = {}
        for name, default in options_of(kind):
            value = self._option(name)
            is_same = value is default or (value == default and type(value) is type(default))
            if not is_same and not (_is_nothing(value) and _is_nothing(default)):
                options[name] = value
        return f"{kind.__module__}.{kind.__qualname__}", options

    def _option(self, name: str) -> Any:
        if name == "db_column":
            return self.column if self.column not in ("", self.attname) else None
        if name == "verbose_name" and self.verbose_name == self.name.replace("_", " "):
            return None
        return getattr(self, "declared_choices" if name == "choices" else name)

    def sort_keys(self, column: Any, dialect: str) -> list[Any]:
        """What rows are ordered by, where they are ordered by the field.

        Args:
            column: SQLAlchemy's expression of the column.
            dialect: The database's.
        """
        return [column]

    def constraints(self, dialect: str) -> Iterable[str]:
        """SQL conditions that the column must meet, as CHECK constraints."""
        return ()


_TOLD = frozenset({"message", "value", "shown", "code", "hint"})
"""What ``refusal`` takes itself."""


def _is_nothing(value: Any) -> bool:
    return value is None or value in ((), [], {})


def options_of(kind: type[Any]) -> list[tuple[str, Any]]:
    """The options of a field class with their defaults, those of its base classes included."""
    found: dict[str, Any] = {}
    for owner in kind.__mro__:
        if "__init__" in vars(owner) and owner is not object:
            for name, default in _parameters(vars(owner)["__init__"]):
                found.setdefault(name, default)
    return list(found.items())


@functools.lru_cache(maxsize=256)  # looking at signatures was a tenth of what migrations take
def _parameters(function: Any) -> tuple[tuple[str, Any], ...]:
    """The names that a method takes, with their defaults."""
    return tuple(
        (parameter.name, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self" and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    )
