"""The tables of a site's models, as SQLAlchemy sees them. Made when first needed: importing SQLAlchemy is slow."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.database import Backend, spelling
from toolkit.errors import DeclarationError, IntegrityError, ToolkitError
from toolkit.lazily import LazyModule
from toolkit.models.constraints import UniqueConstraint, directed
from toolkit.models.declarations import located, located_all
from toolkit.models.fields import MISSING, AutoField, CharField, TextField
from toolkit.models.on_delete import BY_DATABASE, DB_SET_DEFAULT

if TYPE_CHECKING:
    from toolkit.models import broken, ddl, hidden, indexes
else:
    broken = LazyModule("toolkit.models.broken")
    ddl = LazyModule("toolkit.models.ddl")
    hidden = LazyModule("toolkit.models.hidden")
    indexes = LazyModule("toolkit.models.indexes")


NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(constraint_name)s",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class Schema:
    """All models of one site, their tables, and how they depend on each other.

    Args:
        models: Resolved model classes, hidden ones (tables between, translations) included.
        dialect: The database's dialect; some constraints are written per dialect.
        others: Models that live in other databases of the site; known here, for ``using()``.
        backend: The class of the database's backend, which says what it can do; by default the toolkit's own for the
            dialect. Another distribution's may speak a dialect of these, and be able to do less or more.
    """

    def __init__(
        self,
        models: Iterable[Any],
        dialect: str,
        *,
        others: Iterable[Any] = (),
        backend: type[Backend] | None = None,
    ) -> None:
        self.models: list[Any] = [model for model in models if not model._meta.proxy]
        every = [*(model for model in others if not model._meta.proxy), *self.models]
        self.dialect = dialect
        self.spelling = backend or spelling(dialect)
        self.by_table: dict[str, Any] = {model._meta.table: model for model in every}
        self.by_label: dict[str, Any] = {model._meta.label: model for model in every}
        self._others = {model for model in every if model not in self.models}
        self._elsewhere: dict[str, Any] = {}
        self._tables: dict[Any, Any] = {}
        self._aliases: dict[tuple[Any, str], Any] = {}
        self._metadata: Any = None
        self._making = threading.RLock()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.models)

    @property
    def table_names(self) -> list[str]:
        """The tables of all models, sorted."""
        return sorted({model._meta.table for model in self.models})

    @cached_property
    def searches(self) -> list[Any]:
        """What can be searched, of each model that can."""
        found = [model._meta.search for model in self.models]
        return [search for search, model in zip(found, self.models, strict=True) if search and search.model is model]

    @property
    def metadata(self) -> Any:
        """SQLAlchemy's MetaData with every table of the site."""
        for model in self.models:
            self.table(model)
        return self._metadata

    def table(self, model: Any) -> Any:
        """The SQLAlchemy table of a model."""
        found = self._tables.get(model)
        return self._made_once(model) if found is None else found

    def _made_once(self, model: Any) -> Any:
        """The table of a model, of which SQLAlchemy takes no second one, whichever threads ask for it first."""
        concrete = model._meta.concrete_model
        self.refuse_unknown(concrete)
        with self._making:
            found = self._tables.get(concrete)
            try:
                found = self._tables[model] = self._make(concrete) if found is None else found
            except DeclarationError as error:
                raise located(error, model._meta.declared_at) from error.__cause__
        return found

    def refuse_unknown(self, model: Any) -> None:
        """Refuse a model that no app of the site has.

        Raises:
            DeclarationError: It is one.
        """
        if model._meta.table not in self.by_table:
            error = DeclarationError(
                f"{model.__name__} is no model of this site, so it has no table: no app has it",
                hint="Declare it at the top level of an app's models.py, or import it there; not in a function.",
            )
            raise located(error, model._meta.declared_at)

    def alias(self, model: Any, name: str) -> Any:
        """The table of a model by another name, made once: all columns of an alias are made, and few are asked for.

        As statements number their aliases, there are few names, and threads may share what they stand for.
        """
        found = self._aliases.get((model, name))
        if found is None:
            made = self.table(model).alias(name)
            _ = made.c  # SQLAlchemy makes them when they are first asked for
            found = self._aliases.setdefault((model, name), made)
        return found

    def sorted(self) -> list[Any]:
        """The models, each after those it refers to (cycles apart)."""
        from sqlalchemy.schema import sort_tables_and_constraints

        sort: Any = sort_tables_and_constraints  # untyped; where sorted_tables would warn of a cycle it goes on
        tables = sorted(self.metadata.tables.values(), key=lambda table: table.name)
        found = (table for table, _ in sort(tables) if table is not None)
        order = {table.name: number for number, table in enumerate(found)}
        return sorted(self.models, key=lambda model: order[model._meta.table])

    def problems(self) -> list[ToolkitError]:
        """What is declared and this kind of database cannot do; what others made it can."""
        managed = (model for model in self.models if model._meta.managed)
        return [one for model in managed for one in located_all(_impossible(self, model), model._meta.declared_at)]

    def explain(self, error: IntegrityError, sql: str) -> None:
        """Put the words of a declared constraint into an error of the database; it asks for this itself."""
        broken.explain(self, error, sql)

    def _make(self, model: Any) -> Any:
        import sqlalchemy as sa

        if self._metadata is None:
            self._metadata = sa.MetaData(naming_convention=NAMING)
        meta, metadata = model._meta, self._metadata
        if model in self._others:  # whose table may be called like one of this database
            metadata = self._elsewhere.setdefault(meta.database, sa.MetaData(naming_convention=NAMING))
        columns = [self._column(sa, model, field) for field in meta.local_fields]
        if len(meta.key) > 1:  # in the order of the key, not of the fields: MariaDB takes references in no other
            columns.append(sa.PrimaryKeyConstraint(*(field.column for field in meta.key)))
        table = sa.Table(
            meta.table, metadata, *columns, sqlite_autoincrement=_counts(meta), comment=meta.db_table_comment
        )
        self._tables[model] = table
        for field in meta.local_fields:
            if _has_own_index(field):
                column = table.c[field.column]  # a reference is joined by, in the order of the key that it refers to
                sa.Index(None, column if field.is_relation else directed(self, column, descending=False, ordered=True))
        for key in meta.spread_keys:
            _refer(sa, key, table, self.spelling)
        for item in (*_column_checks(model, self.dialect), *meta.constraints, *meta.indexes):
            item.build(self, model, table)
        return table

    def _column(self, sa: Any, model: Any, field: Any) -> Any:
        """A column, with what the database computes for it."""
        if field.is_generated:
            text = ddl.as_text(ddl.literal_expression(self._draft, model, field.expression))
            return _column(sa, field, self.spelling, sa.Computed(text, persisted=field.db_persist))
        default = None
        if field.db_default is not MISSING:
            default = ddl.as_text(ddl.default_text(self._draft, model, field))
        return _column(sa, field, self.spelling, server_default=default)

    @cached_property
    def _draft(self) -> Schema:
        """The same tables with plain columns: expressions over them are compiled before the tables are made."""
        return _Draft(self.models, self.dialect, backend=self.spelling)


class _Draft(Schema):
    """Tables whose columns compute nothing."""

    def _column(self, sa: Any, model: Any, field: Any) -> Any:
        return _column(sa, field, self.spelling)


class _ColumnCheck:
    """A condition that a field asks of its own column."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name

    def build(self, schema: Schema, model: Any, table: Any) -> None:
        import sqlalchemy as sa

        table.append_constraint(sa.CheckConstraint(ddl.as_text(self.text), name=self.name))


def _column_checks(model: Any, dialect: str) -> Iterator[_ColumnCheck]:
    meta = model._meta
    for field in meta.local_fields:
        for number, text in enumerate(field.constraints(dialect)):
            yield _ColumnCheck(text, f"{meta.table}_{field.column}_check{number or ''}")


def _impossible(schema: Schema, model: Any) -> Iterator[ToolkitError]:
    """What the database cannot keep of a model."""
    yield from _impossible_items(schema, model)
    yield from _impossible_fields(schema, model)
    yield from _impossible_indexes(schema, model)


def _impossible_items(schema: Schema, model: Any) -> Iterator[ToolkitError]:
    """Constraints and indexes that ask for more than it has."""
    spelling, meta = schema.spelling, model._meta
    name = spelling.__name__
    for item in (*meta.constraints, *meta.indexes):
        hides = spelling.hidden_columns and isinstance(item, UniqueConstraint | indexes.Index)
        if hides and hidden.needs_hidden(item, unique=isinstance(item, UniqueConstraint)):
            yield from hidden.hidden_problems(schema, model, item, unique=isinstance(item, UniqueConstraint))
        for ability, what in item.needs().items():
            if not getattr(spelling, ability) and not (hides and ability in hidden.HIDEABLE):
                yield DeclarationError(
                    f"{meta.label}.Meta: {name} cannot keep the {type(item).__name__} {item.name!r}: {what}",
                    hint="Leave that out, or use a database that can: see the reference of constraints and indexes.",
                )


def _impossible_fields(schema: Schema, model: Any) -> Iterator[ToolkitError]:
    """References and computed columns that it does not know."""
    spelling, meta = schema.spelling, model._meta
    name = spelling.__name__
    for field in meta.local_fields:
        if getattr(field, "on_delete", None) == DB_SET_DEFAULT and not spelling.sets_defaults:
            yield DeclarationError(
                f"{meta.label}.{field.name}: {name} has no ON DELETE SET DEFAULT, which on_delete=DB_SET_DEFAULT "
                "asks for",
                hint="Use SET_DEFAULT, which the toolkit does itself, or DB_SET_NULL.",
            )
        told = ddl.by_settings(schema._draft, model, field.expression) if field.is_generated else None
        if told is not None:
            yield DeclarationError(
                f"{meta.label}.{field.name}: {name} computes {told} by the settings of who asks, and keeps none of it",
                hint="Compute it in annotate(), or let save() fill a plain field.",
            )
        if field.is_generated and not field.db_persist and not spelling.virtual_columns:
            yield DeclarationError(
                f"{meta.label}.{field.name}: {name} keeps what it computes, and db_persist is False",
                hint="Give it db_persist=True.",
            )
        if field.is_generated and field.db_persist and not spelling.stored_columns:
            yield DeclarationError(
                f"{meta.label}.{field.name}: {name} computes whenever it is asked, and db_persist is True",
                hint="Give it db_persist=False.",
            )


def _impossible_indexes(schema: Schema, model: Any) -> Iterator[ToolkitError]:
    """Texts that are too long for an index."""
    meta, name, longest = model._meta, schema.spelling.__name__, schema.spelling.indexed_text_length
    if longest is None:
        return
    unique = [item for item in meta.constraints if isinstance(item, UniqueConstraint)]
    named = {field.lstrip("-") for item in [*unique, *meta.indexes] for field in item.fields}
    for field in meta.local_fields:
        keyed = field.unique or field.db_index or field.in_key or field.name in named
        if keyed and _text_length(field) > longest:
            yield DeclarationError(
                f"{meta.label}.{field.name}: {name} cannot index text of more than {longest} characters",
                hint=f"Use a CharField of max_length={longest} or less, or drop the index.",
            )


def _text_length(field: Any) -> int:
    """Characters that a text column may have; 0 for other columns."""
    if isinstance(field, TextField):
        return sys.maxsize
    return field.max_length or 0 if isinstance(field, CharField) else 0


def _counts(meta: Any) -> bool:
    """Whether the database gives a table its keys. SQLite would give the key of a deleted last row again, and with it
    what is kept by key elsewhere: the URLs that a page had, the row that a ``GenericForeignKey`` names."""
    return len(meta.key) == 1 and isinstance(meta.pk, AutoField)


def _refer(sa: Any, key: Any, table: Any, spelling: type[Backend]) -> None:
    """The constraint and the index of a foreign key over several columns."""
    there = key.target._meta.table
    if key.db_constraint:
        deferred = {"deferrable": True, "initially": "DEFERRED"} if spelling.deferrable else {}
        others = [f"{there}.{name}" for name in key.target_field.columns]
        table.append_constraint(sa.ForeignKeyConstraint(key.columns, others, **deferred))
    columns = [table.c[name] for name in key.columns]
    if key.unique:
        table.append_constraint(sa.UniqueConstraint(*columns))
    elif key.db_index:
        sa.Index(None, *columns)


def _column(sa: Any, field: Any, spelling: type[Backend], *computed: Any, server_default: Any = None) -> Any:
    arguments: list[Any] = [*computed]
    if field.is_relation and field.db_constraint and is_near(field):
        target = field.target._meta
        deferred = {"deferrable": True, "initially": "DEFERRED"} if spelling.deferrable else {}
        rule = BY_DATABASE.get(field.on_delete)
        arguments.append(sa.ForeignKey(f"{target.table}.{field.target_field.column}", ondelete=rule, **deferred))
    if spelling.identity and isinstance(field, AutoField):
        arguments.append(sa.Identity())
    alone = field.model._meta.key == (field,)
    return sa.Column(
        field.column,
        field.sql_type(),
        *arguments,
        primary_key=field.in_key,
        nullable=field.null,
        unique=(field.unique and not alone) or None,
        autoincrement="auto" if isinstance(field, AutoField) else False,
        server_default=server_default,
        comment=field.db_comment,
    )


def _has_own_index(field: Any) -> bool:
    """Whether ``db_index`` makes one: the key's own begins with its first field, and unique fields have theirs."""
    return bool(field.db_index and not field.unique and field is not field.model._meta.key[0])


def is_near(field: Any) -> bool:
    """Whether a reference can be kept by the database: its target is the site's own, and in the same one."""
    target = field.target._meta
    return bool(target.managed and target.database == field.model._meta.database)


def columns_of(model: Any, names: Sequence[str]) -> list[Any]:
    """The fields of these names, in the order given."""
    return [model._meta.get_field(name) for name in names]
