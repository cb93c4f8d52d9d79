"""The tables of a site's models, as SQLAlchemy sees them. Made when first needed: importing SQLAlchemy is slow."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from toolkit.database import Backend, spelling
from toolkit.errors import DeclarationError, ToolkitError
from toolkit.models.constraints import CheckConstraint, UniqueConstraint
from toolkit.models.expressions import F, Q
from toolkit.models.fields import CharField, TextField

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
    """

    def __init__(self, models: Iterable[Any], dialect: str) -> None:
        self.models: list[Any] = [model for model in models if not model._meta.proxy]
        self.dialect = dialect
        self.spelling = spelling(dialect)
        self.by_table: dict[str, Any] = {model._meta.table: model for model in self.models}
        self._tables: dict[Any, Any] = {}
        self._metadata: Any = None

    def __iter__(self) -> Iterator[Any]:
        return iter(self.models)

    @property
    def table_names(self) -> list[str]:
        """The tables of all models, sorted."""
        return sorted(self.by_table)

    @property
    def metadata(self) -> Any:
        """SQLAlchemy's MetaData with every table of the site."""
        for model in self.models:
            self.table(model)
        return self._metadata

    def table(self, model: Any) -> Any:
        """The SQLAlchemy table of a model."""
        found = self._tables.get(model)
        if found is None:
            concrete = model._meta.concrete_model
            found = self._tables[model] = self._make(model) if model is concrete else self.table(concrete)
        return found

    def sorted(self) -> list[Any]:
        """The models, each after those it refers to (cycles apart)."""
        order = {table.name: number for number, table in enumerate(self.metadata.sorted_tables)}
        return sorted(self.models, key=lambda model: order[model._meta.table])

    def problems(self) -> list[ToolkitError]:
        """What is declared and this kind of database cannot do."""
        return [problem for model in self.models for problem in _impossible(model, self.spelling)]

    def _make(self, model: Any) -> Any:
        import sqlalchemy as sa

        if self._metadata is None:
            self._metadata = sa.MetaData(naming_convention=NAMING)
        meta = model._meta
        columns = [_column(sa, field, self.spelling) for field in meta.local_fields]
        table = sa.Table(meta.table, self._metadata, *columns, sqlite_autoincrement=False)
        self._tables[model] = table
        for constraint in self._constraints(sa, model, table):
            table.append_constraint(constraint)
        for index in meta.indexes:
            columns_of = [_index_column(table, meta, name) for name in index.fields]
            sa.Index(index.name, *columns_of, **self._where(model, index.condition))
        return table

    def _constraints(self, sa: Any, model: Any, table: Any) -> Iterator[Any]:
        meta = model._meta
        for field in meta.local_fields:
            for number, text in enumerate(field.constraints(self.dialect)):
                yield sa.CheckConstraint(text, name=f"{meta.table}_{field.column}_check{number or ''}")
        for constraint in meta.constraints:
            if isinstance(constraint, UniqueConstraint):
                names = [meta.get_field(name).column for name in constraint.fields]
                if constraint.condition is None:
                    yield sa.UniqueConstraint(*names, name=constraint.name)
                else:
                    where = self._where(model, constraint.condition)
                    sa.Index(constraint.name, *(table.c[name] for name in names), unique=True, **where)
            elif isinstance(constraint, CheckConstraint):
                yield sa.CheckConstraint(literal_condition(self, model, constraint.condition), name=constraint.name)

    def _where(self, model: Any, condition: Any) -> dict[str, Any]:
        if condition is None:
            return {}
        import sqlalchemy as sa

        text = sa.text(literal_condition(self, model, condition).replace(":", r"\:"))
        return {"sqlite_where": text, "postgresql_where": text}


def _impossible(model: Any, spelling: type[Backend]) -> Iterator[ToolkitError]:
    meta, name, longest = model._meta, spelling.__name__, spelling.indexed_text_length
    unique = [item for item in meta.constraints if isinstance(item, UniqueConstraint)]
    for constraint in unique if not spelling.partial_indexes else ():
        if constraint.condition is not None:
            yield DeclarationError(
                f"{meta.label}: {name} cannot keep the constraint {constraint.name!r}, which has a condition",
                hint="Drop the condition, or use SQLite or PostgreSQL.",
            )
    if longest is None:
        return
    named = {field.lstrip("-") for item in [*unique, *meta.indexes] for field in item.fields}
    for field in meta.local_fields:
        keyed = field.unique or field.db_index or field.primary_key or field.name in named
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


def literal_condition(schema: Schema, model: Any, condition: Any) -> str:
    """A condition on a model's own columns as SQL text with the values written out, for DDL.

    DDL takes no parameters; the values come from declarations in code, and SQLAlchemy's literal processors quote
    them.
    """
    import sqlalchemy as sa

    meta = model._meta
    columns = {field.column: sa.column(field.column, field.sql_type()) for field in meta.local_fields}
    clause = _literal(sa, meta, columns, condition)
    dialect = schema.spelling.literal_compiler()
    return str(clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _literal(sa: Any, meta: Any, columns: Any, condition: Any) -> Any:
    clauses = [
        _literal(sa, meta, columns, child) if isinstance(child, Q) else _literal_leaf(sa, meta, columns, *child)
        for child in condition.children
    ]
    joined = sa.or_(*clauses) if condition.connector == "OR" else sa.and_(*clauses)
    return sa.not_(joined) if condition.negated else joined


def _literal_leaf(sa: Any, meta: Any, columns: Any, name: str, value: Any) -> Any:
    path, _, lookup = name.partition("__")
    field = meta.get_field(path)
    column = columns[field.column]
    if isinstance(value, F):
        value = columns[meta.get_field(value.name).column]
    operators = {
        "": "__eq__",
        "exact": "__eq__",
        "gt": "__gt__",
        "gte": "__ge__",
        "lt": "__lt__",
        "lte": "__le__",
    }
    if lookup == "isnull":
        return column.is_(None) if value else column.is_not(None)
    if lookup == "in":
        return column.in_(list(value))
    if lookup not in operators:
        raise DeclarationError(
            f"{meta.label}: a constraint cannot use {name!r}",
            hint="Use exact, gt, gte, lt, lte, in and isnull on the model's own fields.",
        )
    return getattr(column, operators[lookup])(value)


def _column(sa: Any, field: Any, spelling: type[Backend]) -> Any:
    arguments: list[Any] = []
    if field.is_relation and field.db_constraint:
        target = field.target._meta
        deferred = {"deferrable": True, "initially": "DEFERRED"} if spelling.deferrable else {}
        arguments.append(sa.ForeignKey(f"{target.table}.{field.target_field.column}", **deferred))
    return sa.Column(
        field.column,
        field.sql_type(),
        *arguments,
        primary_key=field.primary_key,
        nullable=field.null,
        unique=(field.unique and not field.primary_key) or None,
        index=(field.db_index and not field.unique and not field.primary_key) or None,
        autoincrement=False if field.is_relation else "auto",
    )


def _index_column(table: Any, meta: Any, name: str) -> Any:
    column = table.c[meta.get_field(name.removeprefix("-")).column]
    return column.desc() if name.startswith("-") else column


def columns_of(model: Any, names: Sequence[str]) -> list[Any]:
    """The fields of these names, in the order given."""
    return [model._meta.get_field(name) for name in names]
