"""DDL as text: SQLAlchemy's constructs and Alembic's operations, compiled for a database and run by nobody yet."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

from toolkit.database import Backend
from toolkit.models.schema import Schema

_TABLES: WeakKeyDictionary[Any, dict[type[Backend], tuple[list[Any], Any]]] = WeakKeyDictionary()
"""Model to the kind of database, what it refers to, and its table: each step asks for those of the same few models."""


@dataclass(frozen=True)
class Item:
    """A constraint or an index of a table.

    Args:
        name: Its name.
        kind: ``UniqueConstraint``, ``ForeignKeyConstraint``, ``CheckConstraint``, ``PrimaryKeyConstraint``, ``Index``.
        sql: The statement that makes it.
        drop_sql: The statement that drops it.
        columns: The columns that it is about; all of the table's, where a condition may name any.
        hidden: How many columns come and go with it (see ``toolkit.models.hidden``).
    """

    name: str
    kind: str
    sql: str
    drop_sql: str
    columns: frozenset[str] = frozenset()
    hidden: int = 0

    @property
    def is_index(self) -> bool:
        """Whether it is an index of its own, not one that a constraint keeps."""
        return self.kind == "Index"

    @property
    def is_foreign_key(self) -> bool:
        """Whether it refers to another table."""
        return self.kind == "ForeignKeyConstraint"


def ddl(database: Any, construct: Any) -> str:
    """The text of a DDL construct for a database."""
    return str(construct.compile(dialect=database.sqlalchemy_dialect)).strip()


def table_of(model: Any, database: Any) -> Any:
    """The SQLAlchemy table of a model, beside those that it refers to: not to be changed, for it is made once."""
    (table,) = tables_of([model], database)
    return table


def tables_of(models: Sequence[Any], database: Any) -> list[Any]:
    """The tables of several models, made together: one by one those that they refer to would be made for each."""
    kind = database.spelling
    if any(_table_made(model, kind) is None for model in models):
        every = _with_targets(models)
        schema = _schema_of(every, database)
        for model in every:
            if _table_made(model, kind) is None:
                targets = [ref(target) for target in _with_targets([model])]
                _TABLES.setdefault(model, {})[kind] = (targets, schema.table(model))
    return [_table_made(model, kind) for model in models]


def _table_made(model: Any, kind: type[Backend]) -> Any:
    """The table that was made of a model, unless it refers to others since then."""
    targets, table = _TABLES.get(model, {}).get(kind, ([], None))
    return table if targets == [ref(target) for target in _with_targets([model])] else None


def create_statements(database: Any, model: Any, *, foreign_keys: bool) -> list[str]:
    """What makes a table, and then its indexes; on servers what repeats another constraint comes after the table."""
    from sqlalchemy.schema import CreateTable

    table, twins = table_of(model, database), []
    if not foreign_keys and _twins_of(table):
        table = _schema_of(_with_targets([model]), database).table(model)  # of which they may be taken
        twins = _take_twins(table, database)
    made = CreateTable(table) if foreign_keys else CreateTable(table, include_foreign_key_constraints=[])
    items = [*twins, *indexes_of(table, database)]
    return [ddl(database, made), *(item.sql for item in items), *comments_of(table, database)]


def _schema_of(models: Iterable[Any], database: Any) -> Schema:
    """A schema whose tables are made: foreign keys name them."""
    schema = Schema(models, database.dialect, backend=database.spelling)
    schema.metadata  # noqa: B018 - makes them
    return schema


def comments_of(table: Any, database: Any) -> list[str]:
    """The comments on a table and its columns, where they are statements of their own."""
    from sqlalchemy.schema import SetColumnComment, SetTableComment

    dialect = database.sqlalchemy_dialect
    if not dialect.supports_comments or dialect.inline_comments:
        return []
    found: list[Any] = [SetTableComment(table)] if table.comment else []
    found += [SetColumnComment(column) for column in table.columns if column.comment]
    return [ddl(database, construct) for construct in found]


def items_of(table: Any, database: Any, *, primary_key: bool = False) -> list[Item]:
    """The constraints and indexes of a table, in the order of their declaration; foreign keys last."""
    made = sorted(table.constraints, key=lambda item: item._creation_order)
    constraints = [_constraint(item, database) for item in made if primary_key or not _is_key(item)]
    keys = [item for item in constraints if item.is_foreign_key]
    return [*(item for item in constraints if not item.is_foreign_key), *indexes_of(table, database), *keys]


def indexes_of(table: Any, database: Any) -> list[Item]:
    """The indexes of a table, by their columns."""
    positions = {column.name: number for number, column in enumerate(table.columns)}
    indexes = sorted(table.indexes, key=lambda index: ([positions[c.name] for c in index.columns], str(index.name)))
    return [_index(index, database) for index in indexes]


def foreign_keys_of(table: Any, database: Any) -> list[Item]:
    """The foreign keys of a table, in the order of their declaration."""
    return [item for item in items_of(table, database) if item.is_foreign_key]


def _take_twins(table: Any, database: Any) -> list[Item]:
    """Take unique constraints that repeat another out of a table: PostgreSQL would forget them in CREATE TABLE."""
    twins = _twins_of(table)
    items = [_constraint(constraint, database) for constraint in twins]
    for constraint in twins:
        table.constraints.discard(constraint)
    return items


def _twins_of(table: Any) -> list[Any]:
    """Unique constraints over the columns of another that was declared before."""
    import sqlalchemy as sa

    seen: set[tuple[str, ...]] = set()
    twins = []
    for constraint in sorted(table.constraints, key=lambda item: item._creation_order):
        if isinstance(constraint, sa.UniqueConstraint | sa.PrimaryKeyConstraint):
            columns = tuple(column.name for column in constraint.columns)
            if columns in seen:
                twins.append(constraint)
            seen.add(columns)
    return twins


def renamed_items(old: Any, new: Any, database: Any) -> list[tuple[Item, Item]]:
    """(before, after) pairs of what is called after a table or column that got another name.

    Both tables have the same columns, constraints and indexes in the same order.
    """
    before = items_of(old, database, primary_key=True)
    after = items_of(new, database, primary_key=True)
    names_before, names_after = {item.name for item in before}, {item.name for item in after}
    left = [item for item in before if item.name not in names_after]
    right = [item for item in after if item.name not in names_before]
    return list(zip(left, right, strict=True))


class Collected:
    """What Alembic's operations would run, as statements.

    Args:
        database: Whose dialect they are for.
    """

    def __init__(self, database: Any) -> None:
        self.dialect = database.sqlalchemy_dialect
        self._statements: list[str] = []

    def execute(self, construct: Any, *_: object) -> None:
        """Stand in for a connection: what Alembic writes into a script itself has spaces in place of tabs."""
        self._statements.append(str(construct.compile(dialect=self.dialect)).strip())

    def in_transaction(self) -> bool:
        """Whoever runs the statements sees to that."""
        return False

    def of(self, step: Callable[[Any], object]) -> Iterable[str]:
        """The statements of one step, which gets ``alembic.operations.Operations``."""
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        connection: Any = self
        step(Operations(MigrationContext.configure(connection=connection, opts={"transactional_ddl": False})))
        return list(self._statements)


def _with_targets(models: Iterable[Any]) -> list[Any]:
    found: dict[Any, None] = {}
    waiting = list(models)
    while waiting:
        current = waiting.pop()
        if current not in found:
            found[current] = None
            waiting.extend(field.target for field in current._meta.foreign_keys())
    return list(found)


def _is_key(constraint: Any) -> bool:
    return type(constraint).__name__ == "PrimaryKeyConstraint"


def _constraint(constraint: Any, database: Any) -> Item:
    from sqlalchemy.schema import AddConstraint, DropConstraint

    preparer = database.sqlalchemy_dialect.identifier_preparer
    name = preparer.unformat_identifiers(preparer.format_constraint(constraint))[0]
    added = AddConstraint(constraint, isolate_from_table=False)  # else its table would be made without it from then on
    made, dropped = ddl(database, added), ddl(database, DropConstraint(constraint))
    kind = next(one.__name__ for one in type(constraint).__mro__ if one.__module__.startswith("sqlalchemy"))
    return Item(name, kind, made, dropped, _columns(constraint))


def _index(index: Any, database: Any) -> Item:
    from sqlalchemy.schema import CreateIndex, DropIndex

    preparer = database.sqlalchemy_dialect.identifier_preparer
    name = preparer.unformat_identifiers(preparer.format_index(index))[0]
    made, dropped = ddl(database, CreateIndex(index)), ddl(database, DropIndex(index))
    return Item(name, "Index", made, dropped, _columns(index), len(index.info.get("hidden", ())))


def _columns(item: Any) -> frozenset[str]:
    """The columns of a constraint or index: all of the table's where there is SQL that may name any."""
    hidden = item.info.get("hidden", ())
    if hidden:
        words = {word for column in hidden for word in re.findall(r"\w+", column.text)}
        return frozenset(column.name for column in item.table.columns if column.name in words)
    found = frozenset(column.name for column in getattr(item, "columns", ()))
    says_more = not found or any(options.get("where") is not None for options in _dialect_options(item))
    return frozenset(column.name for column in item.table.columns) if says_more else found


def _dialect_options(item: Any) -> list[Any]:
    return list(getattr(item, "dialect_options", {}).values())
