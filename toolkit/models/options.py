"""What a model says of itself: ``Story._meta``, made from ``class Meta`` and the fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from inspect import getattr_static
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.database import DEFAULT
from toolkit.errors import DeclarationError, FieldError, near_or_all
from toolkit.lazily import LazyModule
from toolkit.models.declarations import Place
from toolkit.models.expressions import Expression, Q
from toolkit.models.fields.base import Field
from toolkit.models.fields.several import CompositePrimaryKey
from toolkit.models.meta import DEFAULT_PERMISSIONS, options_of

if TYPE_CHECKING:
    from toolkit.models import elsewhere
    from toolkit.models.constraints import BaseConstraint
    from toolkit.models.indexes import Index
    from toolkit.models.many_to_many import ManyToManyField
    from toolkit.models.relations import ForeignKey, Reverse
else:
    elsewhere = LazyModule("toolkit.models.elsewhere")

SHARED = (
    "fields",
    "local_fields",
    "many_to_many",
    "local_many_to_many",
    "by_name",
    "reverse",
    "virtual",
    "spread_keys",
)
"""What a proxy has together with the model whose table it shares."""


def located(table: str, place: str) -> str:
    """What traces call a table: by its name alone in the main database, else with that of its database."""
    return table if place == DEFAULT else f"{place}:{table}"


class RowPart(NamedTuple):
    """What of a row that was read is a row of one table.

    Args:
        table: The table.
        mask: Its columns that were read; None for all.
        key: Index of the table's key in the row; of a composite key, the indexes of its parts.
        indexes: Indexes of the columns in the row; None when the row has no others.
    """

    table: str
    mask: tuple[str, ...] | None
    key: int | tuple[int, ...]
    indexes: tuple[int, ...] | None


class Options:
    """The description of one model class.

    Attributes:
        fields: Fields with a column, in order of declaration; those inherited from a parent with a table first.
        local_fields: Those of them whose column is in the model's own table.
        many_to_many: The other fields, which have a table of their own; inherited ones too.
        local_many_to_many: Those declared here.
        parents: Each parent with a table, and the one-to-one field that links to it.
        concrete_model: The model whose table it is; another one for a proxy.
        stand_ins: Keys of ancestors' tables, and the field of one's own that always has the same value.
        database: The alias of the database that the table is in.
        managed: Whether the table is the toolkit's to make and to change.
        given: What ``class Meta`` said, by name.
        declared_at: File and line of its declaration; None of models that the toolkit makes.
        managers: Name to manager, in order of precedence.
        spread_keys: Foreign keys to composite keys, which have no column of their own.
        virtual: Names that stand for several fields, such as a ``GenericForeignKey``.
        generic_relations: Rows of other models that refer to this one by a ``GenericForeignKey``.
        reverse: Relations of other models to this one, by the name used in lookups. Known once prepared.
        public: Which rows readers see; None means all.
        translation: The model of the rows that hold the translated fields; None if no field is translated.
        search: What of its rows can be searched; None if nothing.
        resolved: Whether the names of related models were resolved.
        composite_key: The primary key, if it has several fields.
        pk_index: Where the primary key, or its first part, stands among the fields.
        key_indexes: Where each part of it stands.
    """

    def __init__(self, model: type[Any], meta: type | None) -> None:
        options = options_of(model.__name__, meta)
        self.given = options
        self.declared_at: Place | None = None
        self.model = self.concrete_model = model
        self.object_name = model.__name__
        self.model_name = model.__name__.lower()
        self.abstract: bool = options.get("abstract", False)
        self.proxy: bool = options.get("proxy", False)
        self.managed: bool = options.get("managed", True)
        self.database: str = options.get("database", DEFAULT)
        self.app_label: str = options.get("app_label", "")
        self._table_given: str = options.get("db_table", "")
        self.db_table_comment: str | None = options.get("db_table_comment")
        self.ordering: Sequence[str | Expression] = list(options.get("ordering", ()))
        self.constraints: list[BaseConstraint] = list(options.get("constraints", ()))
        self.indexes: list[Index] = list(options.get("indexes", ()))
        self.public: Q | None = options.get("public")
        self.untranslated: str = options.get("untranslated", "show")
        self.get_latest_by: str | Sequence[str] | None = options.get("get_latest_by")
        self.default_related_name: str | None = options.get("default_related_name")
        self.default_manager_name: str | None = options.get("default_manager_name")
        self.base_manager_name: str | None = options.get("base_manager_name")
        self.natural_key: Sequence[str] = tuple(options.get("natural_key", ()))
        self.permissions: Sequence[tuple[str, str]] = [tuple(pair) for pair in options.get("permissions", ())]
        self.default_permissions: Sequence[str] = tuple(options.get("default_permissions", DEFAULT_PERMISSIONS))
        self.verbose_name: str = options.get("verbose_name") or _spaced(model.__name__)
        self.verbose_name_plural: str = options.get("verbose_name_plural") or f"{self.verbose_name}s"
        self.fields: list[Field[Any]] = []
        self.local_fields: list[Field[Any]] = []
        self.many_to_many: list[ManyToManyField[Any]] = []
        self.local_many_to_many: list[ManyToManyField[Any]] = []
        self.parents: dict[Any, ForeignKey[Any]] = {}
        self.stand_ins: dict[Field[Any], ForeignKey[Any]] = {}
        self.composite_key: CompositePrimaryKey | None = None
        self.managers: dict[str, Any] = {}
        self.plain_manager: Any = None
        self.reverse: dict[str, Reverse] = {}
        self.by_name: dict[str, Field[Any]] = {}
        self.virtual: dict[str, Any] = {}
        self.spread_keys: list[ForeignKey[Any]] = []
        self.generic_relations: dict[str, Any] = {}
        self.translation: Any = None
        self.search: Any = None
        self.hidden = False
        self.resolved = False
        self.pk_index = 0
        self.key_indexes: tuple[int, ...] = (0,)
        self.known_lookups: set[str] = set()
        self._row_parts: dict[tuple[str, ...] | None, Sequence[RowPart]] = {}
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
        if self.abstract and self.proxy:
            raise DeclarationError(
                f"{self.object_name}.Meta: a model is abstract or a proxy, not both", hint="Remove one of the two."
            )

    def __repr__(self) -> str:
        return f"<Options of {self.label}>"

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            complaint = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(elsewhere.told(complaint, name, elsewhere.OPTIONS), name=name, obj=self)

    @property
    def auto_created(self) -> bool:
        """Whether the toolkit made the model: a table between, or one of translations."""
        return self.hidden

    @property
    def label(self) -> str:
        """``app.Model``, the name used in messages and by other apps."""
        return f"{self.app_label}.{self.object_name}"

    @property
    def label_lower(self) -> str:
        """The same in small letters."""
        return f"{self.app_label}.{self.model_name}"

    @property
    def table(self) -> str:
        """The table's name: ``app_model`` unless ``Meta.db_table`` says otherwise."""
        if self.proxy:
            return str(self.concrete_model._meta.table)
        return self._table_given or f"{self.app_label}_{self.model_name}"

    @property
    def db_table(self) -> str:
        """The same, by Django's name."""
        return self.table

    @cached_property
    def pk(self) -> Field[Any]:
        """The field that is the primary key."""
        return self.composite_key or next(field for field in self.local_fields if field.primary_key)

    @cached_property
    def key(self) -> tuple[Field[Any], ...]:
        """The fields with the columns of the primary key: one, or the parts of a composite key."""
        return self.composite_key.parts if self.composite_key is not None else (self.pk,)

    @cached_property
    def initial(self) -> tuple[tuple[str, str, bool, Any, Callable[[], Any] | None], ...]:
        """What makes an instance: (name, attribute, whether to keep it is to set it, default, its maker) of each field.

        A default that is made anew for each instance has a maker.

        Raises:
            TypeError: The model is abstract.
        """
        if self.abstract:
            raise TypeError(f"{self.object_name} is abstract and has no rows: make one of a model that inherits it")
        found = []
        for field in self.fields:
            accessor = getattr_static(self.model, field.name, None)
            is_plain = field.name == field.attname and not hasattr(type(accessor), "__set__")
            is_made = callable(field.default) or isinstance(field.default, list | dict | set)
            constant, make = (None, field.get_default) if is_made else (field.get_default(), None)
            found.append((field.name, field.name if is_plain else field.attname, is_plain, constant, make))
        return tuple(found)

    @cached_property
    def storing(self) -> tuple[Field[Any], ...]:
        """The fields that have something to do before a row is written."""
        return tuple(field for field in self.fields if field.stores)

    @cached_property
    def version(self) -> Field[Any] | None:
        """The field that counts how often a row was written, if the model has one (``VersionField``)."""
        return next((field for field in self.fields if field.is_version), None)

    @cached_property
    def levels(self) -> list[Any]:
        """The models whose tables hold a row of this one: ancestors first, the model itself last."""
        every = [level for parent in self.parents for level in parent._meta.levels]
        return list(dict.fromkeys([*every, self.concrete_model]))

    @cached_property
    def lineage(self) -> list[Options]:
        """Whoever has a say in who may see a row: the model itself, and those it inherits a table from."""
        every = [options for parent in self.parents for options in parent._meta.lineage]
        return list(dict.fromkeys([self, *every]))

    def mask_name(self, field: Field[Any]) -> str:
        """What a column is called among those of a row of which not all were loaded: a parent's with its table."""
        return field.column if field in self._local else f"{field.model._meta.table}.{field.column}"

    @cached_property
    def _local(self) -> frozenset[Field[Any]]:
        return frozenset(self.local_fields)

    def row_parts(self, mask: tuple[str, ...] | None) -> Sequence[RowPart]:
        """How a row that was read is made of rows of tables; one of them, unless a parent has a table of its own.

        Args:
            mask: The names of the columns that were loaded (``mask_name``); None for all.
        """
        found = self._row_parts.get(mask)
        if found is None:
            found = self._row_parts[mask] = list(self._split_row(mask))
        return found

    def key_in(self, row: Sequence[Any], mask: tuple[str, ...] | None) -> Any:
        """The driver's value of the primary key in a row that was read; of a composite one a tuple."""
        found = self.row_parts(mask)[-1].key
        return row[found] if found.__class__ is int else tuple(row[index] for index in found)  # type: ignore[union-attr]  # the class tells which

    def _split_row(self, mask: tuple[str, ...] | None) -> Iterator[RowPart]:
        names = mask or tuple(self.mask_name(field) for field in self.fields)
        if not self.parents:
            keys = tuple(names.index(field.column) for field in self.key)
            yield RowPart(located(self.table, self.database), mask, keys[0] if len(keys) == 1 else keys, None)
            return
        for level in self.levels:
            options = level._meta
            key = names.index(self.mask_name(options.pk))
            places = {name: index for index, name in enumerate(names)}
            found = [
                (places[name], field) for field in options.local_fields if (name := self.mask_name(field)) in places
            ]
            if level is not self.concrete_model and all(field.in_key for _, field in found):
                continue  # the key alone, which is one's own too
            columns = tuple(field.column for _, field in found)
            whole = len(found) == len(options.local_fields)
            yield RowPart(
                located(options.table, options.database),
                None if whole else columns,
                key,
                tuple(index for index, _ in found),
            )

    def hides(self, sight: tuple[bool, bool, bool]) -> bool:
        """Whether a viewer may miss rows of the model; see ``Scope.sight``."""
        return any(
            (sight[0] and each.public is not None)
            or (sight[1] and each.untranslated == "hide" and each.translation is not None)
            for each in self.lineage
        )

    def share(self, other: Options) -> None:
        """Become the description of a proxy: with the table, fields and relations of another model."""
        self.concrete_model = other.model
        for name in SHARED:
            setattr(self, name, getattr(other, name))
        self.parents, self.stand_ins = other.parents, other.stand_ins
        self.composite_key, self.pk_index, self.key_indexes = other.composite_key, other.pk_index, other.key_indexes
        self.constraints, self.indexes = other.constraints, other.indexes
        for name in ("ordering", "get_latest_by", "natural_key", "untranslated"):
            if name not in self.given:
                setattr(self, name, getattr(other, name))
        if other.untranslated == "hide":
            self.untranslated = "hide"
        if other.public is not None:  # a proxy may show less of the table to readers, never more
            self.public = other.public if self.public is None else other.public & self.public

    @property
    def translated(self) -> list[Field[Any]]:
        """The fields of its own table with one value for each locale."""
        return [field for field in self.local_fields if field.translated]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the model's own table, in order of declaration."""
        return tuple(field.column for field in self.local_fields)

    def foreign_keys(self) -> Sequence[ForeignKey[Any]]:
        """The fields that refer to a row of another model."""
        inherited = (key for parent in self.parents for key in parent._meta.foreign_keys() if key.is_several)
        with_column: Iterator[Any] = (field for field in self.fields if field.is_relation)
        return (*inherited, *self.spread_keys, *with_column)

    def local_foreign_keys(self) -> Sequence[ForeignKey[Any]]:
        """Those of them whose column is in the model's own table."""
        with_column: Iterator[Any] = (field for field in self.local_fields if field.is_relation)
        return (*self.spread_keys, *with_column)

    @cached_property
    def default_manager(self) -> Any:
        """The manager of related sets: the first one declared, or the one that ``Meta`` names."""
        name = self.default_manager_name or next(iter(self.managers))
        return self.managers[name].__get__(None, self.model)

    @property
    def base_manager(self) -> Any:
        """All rows, whatever managers narrow them; or the manager that ``Meta.base_manager_name`` names."""
        descriptor = self.managers[self.base_manager_name] if self.base_manager_name else self.plain_manager
        return descriptor.__get__(None, self.model)

    def own_reverse(self) -> list[Reverse]:
        """Relations that refer to this model's own table, without those that refer to a parent's."""
        every = [each for each in self.reverse.values() if each.refers and each.name not in self.generic_relations]
        return [each for each in every if each.field.target._meta.concrete_model is self.concrete_model]

    @property
    def concrete_fields(self) -> Sequence[Field[Any]]:
        """The fields with a column, which are ``fields``."""
        return self.fields

    @property
    def related_objects(self) -> list[Reverse]:
        """The relations of other models to this one, as it sees them; without those that have no name here."""
        return [relation for relation in self.reverse.values() if relation.accessor is not None]

    def get_fields(self) -> list[Any]:
        """All fields: those with a column, to many rows, over several columns, and the other sides of relations."""
        return [*self.fields, *self.many_to_many, *self.virtual.values(), *self.related_objects]

    def get_field(self, name: str, *, besides: Iterable[str] = ()) -> Any:
        """The field, or the reverse relation, of this name.

        Args:
            name: The name.
            besides: Further names that may have been meant, such as those of annotations.

        Raises:
            FieldError: There is none; the nearest names are in the hint.
        """
        if name == "pk":
            return self.pk
        found = self.by_name.get(name) or self.reverse.get(name) or self.virtual.get(name)
        if found is None:
            found = next((field for field in (*self.fields, *self.spread_keys) if field.attname == name), None)
        if found is None:
            hint = near_or_all(name, [*self.names(), *besides])
            if isinstance(getattr_static(self.model, name, None), property | cached_property | FunctionType):
                hint = f"Python computes it, and the database knows fields alone. {hint}"
            raise FieldError(f"{self.object_name} has no field {name!r}", hint=hint)
        return found

    def names(self) -> Iterable[str]:
        """All names that a lookup may begin with."""
        reverse = (name for name in self.reverse if not name.startswith("_"))
        return [*self.by_name, *self.virtual, *reverse, "pk"]


def _spaced(name: str) -> str:
    """``LiveBlog`` as ``live blog``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
