"""What a model says of itself: ``Story._meta``, made from ``class Meta`` and the fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.errors import DeclarationError, FieldError, did_you_mean
from toolkit.models.expressions import Q
from toolkit.models.fields.base import Field

if TYPE_CHECKING:
    from toolkit.models.constraints import Constraint, Index
    from toolkit.models.relations import ForeignKey, ManyToManyField, Reverse

LOOKUP_SEPARATOR = "__"

META_OPTIONS = {
    "abstract": "no table of its own; its fields go to the models that inherit",
    "app_label": "the app it belongs to, if not the package it stands in",
    "constraints": "UniqueConstraint and CheckConstraint objects",
    "db_table": "the table's name",
    "get_latest_by": "the field that latest() goes by",
    "indexes": "Index objects",
    "ordering": "names to order by, '-' for descending",
    "public": "a Q: which rows readers may see",
    "untranslated": "'hide' or 'show': what becomes of a row in a locale it is not translated to",
    "verbose_name": "the name that people read",
    "verbose_name_plural": "and its plural",
}


class Options:
    """The description of one model class.

    Attributes:
        fields: Fields with a column, in order of declaration.
        many_to_many: The other fields, which have a table of their own.
        reverse: Relations of other models to this one, by the name used in lookups. Known once prepared.
        public: Which rows readers see; None means all.
        translation: The model of the rows that hold the translated fields; None if no field is translated.
        resolved: Whether the names of related models were resolved.
        pk_index: Where the primary key stands among the fields.
    """

    def __init__(self, model: type[Any], meta: type | None) -> None:
        options = _options_of(meta)
        for name in options:
            if name not in META_OPTIONS:
                raise DeclarationError(
                    f"{model.__name__}.Meta: unknown option {name!r}", hint=did_you_mean(name, META_OPTIONS)
                )
        self.model = model
        self.object_name = model.__name__
        self.model_name = model.__name__.lower()
        self.abstract: bool = options.get("abstract", False)
        self.app_label: str = options.get("app_label", "")
        self.db_table: str = options.get("db_table", "")
        self.ordering: Sequence[str] = list(options.get("ordering", ()))
        self.constraints: list[Constraint] = list(options.get("constraints", ()))
        self.indexes: list[Index] = list(options.get("indexes", ()))
        self.public: Q | None = options.get("public")
        self.untranslated: str = options.get("untranslated", "show")
        self.get_latest_by: str | None = options.get("get_latest_by")
        self.verbose_name: str = options.get("verbose_name") or _spaced(model.__name__)
        self.verbose_name_plural: str = options.get("verbose_name_plural") or f"{self.verbose_name}s"
        self.fields: list[Field[Any]] = []
        self.many_to_many: list[ManyToManyField[Any]] = []
        self.reverse: dict[str, Reverse] = {}
        self.by_name: dict[str, Field[Any]] = {}
        self.translation: Any = None
        self.hidden = False
        self.resolved = False
        self.pk_index = 0
        self.known_lookups: set[str] = set()
        self._check()

    def _check(self) -> None:
        if self.untranslated not in ("hide", "show"):
            raise DeclarationError(
                f"{self.object_name}.Meta: untranslated = {self.untranslated!r}", hint="Use 'hide' or 'show'."
            )
        if self.public is not None and not isinstance(self.public, Q):
            raise DeclarationError(
                f"{self.object_name}.Meta: public = {self.public!r} is not a Q",
                hint="Write it as Q(status='live', published__lte=Now()).",
            )

    def __repr__(self) -> str:
        return f"<Options of {self.label}>"

    @property
    def label(self) -> str:
        """``app.Model``, the name used in messages and by other apps."""
        return f"{self.app_label}.{self.object_name}"

    @property
    def table(self) -> str:
        """The table's name: ``app_model`` unless ``Meta.db_table`` says otherwise."""
        return self.db_table or f"{self.app_label}_{self.model_name}"

    @cached_property
    def pk(self) -> Field[Any]:
        """The field that is the primary key."""
        return next(field for field in self.fields if field.primary_key)

    @property
    def translated(self) -> list[Field[Any]]:
        """The fields with one value for each locale."""
        return [field for field in self.fields if field.translated]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns, in order of declaration."""
        return tuple(field.column for field in self.fields)

    def foreign_keys(self) -> Iterator[ForeignKey[Any]]:
        """The fields that refer to a row of another model."""
        return (field for field in self.fields if field.is_relation)  # type: ignore[misc]  # is_relation tells

    def get_field(self, name: str) -> Any:
        """The field, or the reverse relation, of this name.

        Raises:
            FieldError: There is none; the nearest names are in the hint.
        """
        if name == "pk":
            return self.pk
        found = self.by_name.get(name) or self.reverse.get(name)
        if found is None:
            found = next((field for field in self.fields if field.attname == name), None)
        if found is None:
            raise FieldError(f"{self.object_name} has no field {name!r}", hint=did_you_mean(name, self.names()))
        return found

    def names(self) -> Iterable[str]:
        """All names that a lookup may begin with."""
        return [*self.by_name, *(name for name in self.reverse if not name.startswith("_")), "pk"]


def _options_of(meta: type | None) -> dict[str, Any]:
    """What ``class Meta`` says, and the classes that it inherits from; ``abstract`` is not inherited."""
    found: dict[str, Any] = {}
    for kind in reversed(meta.__mro__ if meta else ()):
        if kind is not object:
            found.pop("abstract", None)
            found |= {name: value for name, value in vars(kind).items() if not name.startswith("_")}
    return found


def _spaced(name: str) -> str:
    """``LiveBlog`` as ``live blog``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
