"""The module with the models of a database that is there already."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.models.inspecting.columns import FieldText, can_be_key, field_of, key_field_of
from toolkit.models.inspecting.names import class_name, field_name
from toolkit.models.inspecting.tables import Column, Reference, Table, read_tables

HEAD = '''"""Models of a database that others made: written by `toolkit data inspect`, to be read and mended by you.

Rename models and fields as you like: db_table and db_column keep them to their tables. With managed = False neither
migrations nor builds touch a table. Look at the references: DO_NOTHING leaves a deletion to the database.
"""

from toolkit import models
'''

MAY_BE_EMPTY = frozenset({"CharField", "TextField", "BinaryField", "JSONField"})
"""Fields of which a form, or a file, may leave out the value although the column takes no NULL."""


def inspect_models(database: Any, tables: Iterable[str] = (), *, views: bool = False, alias: str = "") -> str:
    """The source of a module with a model for each table.

    Args:
        database: The database.
        tables: Only these tables; all, if none is named.
        views: Models for views, too.
        alias: What the site calls the database, if it is not the main one.

    Raises:
        DatabaseError: A table that was named is not there.
    """
    found = read_tables(database, tables, views=views)
    module = _Module(found, rowids=database.dialect == "sqlite", alias=alias)
    return HEAD + "".join(f"\n\n{module.model(table)}" for table in found)


@dataclass
class _Module:
    """What the models of one module know of each other.

    Args:
        tables: All tables.
        rowids: Every table has a hidden key ``rowid``.
        alias: The name of their database; empty for the main one.
    """

    tables: Sequence[Table]
    rowids: bool
    alias: str = ""
    classes: dict[str, str] = field(default_factory=dict)
    accessors: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.tables:
            self.classes[table.name] = class_name(table.name, self.classes.values())
        by_name = {table.name: table for table in self.tables}
        self.names = {name: self._names(table) for name, table in by_name.items()}
        self.keys = {name: table.key for name, table in by_name.items()}
        self.spread = {name: self._spread(table) for name, table in by_name.items()}
        for name, names in self.names.items():
            self.accessors[name] = {*names.values(), *self.spread[name].values()}

    def _names(self, table: Table) -> dict[str, str]:
        """Column to name of its field."""
        names: dict[str, str] = {}
        for column in table.columns:
            reference = self._target(table, column) is not None
            taken = {*names.values(), *(f"{name}_id" for name in names.values())}
            names[column] = field_name(column, taken, reference=reference)
        return names

    def _spread(self, table: Table) -> dict[Reference, str]:
        """The references over several columns that a field can be, and the names of these fields."""
        taken, found = set(self.names[table.name].values()), {}
        for one in table.references:
            there = next((other for other in self.tables if other.name == one.table), None)
            is_key = there is not None and len(one.columns) > 1 and set(one.targets) == set(there.key)
            if is_key and all(name in table.columns and not table.columns[name].computed for name in one.columns):
                found[one] = name = field_name(one.table, taken)
                taken |= {name, f"{name}_key"}
        return found

    def _target(self, table: Table, column: str) -> tuple[str, str] | None:
        """The table and column that a column alone refers to, if there is a model for it."""
        reference = table.reference_of(column)
        if reference is None or reference.table not in self.classes:
            return None
        target = next(one for one in self.tables if one.name == reference.table)
        column_there = next(iter(reference.targets or target.key), "")
        if column_there not in target.columns or not target.is_unique(column_there):
            return None  # SQLite takes any, and MariaDB any with an index
        if not (self.rowids or target.key or self._unique_key(target)):
            return None
        return reference.table, column_there

    def model(self, table: Table) -> str:
        """The class of a table; in comments, if its rows cannot be told apart: it would stop every build."""
        lines = list(self._lines(table))
        if not self._can_be_read(table):
            lines = [f"# {line}".rstrip() for line in lines]
        return "\n".join(lines) + "\n"

    def _can_be_read(self, table: Table) -> bool:
        return self.rowids or bool(self._key(table))

    def _lines(self, table: Table) -> Iterator[str]:
        names = self.names[table.name]
        key = self._key(table)
        yield f"class {self.classes[table.name]}(models.Model):"
        if table.view:
            yield "    # a view"
        if not key and self.rowids and not table.view:
            name = field_name("rowid", names.values())
            options = f'primary_key=True, db_column="{_rowid(table.columns)}"'
            yield f"    {name} = models.AutoField({options})  # the table has no primary key"
        elif len(key) == 1 and not table.key and not table.is_unique(key[0]):
            yield f"    # no primary key: {key[0]!r} is taken for one; look whether it tells the rows apart"
        elif not key:
            yield "    # no primary key: name a column that is one, and take the marks of comments away"
        if len(key) > 1:
            yield f"    pk = models.CompositePrimaryKey({', '.join(_literal(names[column]) for column in key)})"
        for column in table.columns:
            yield f"    {self._field(table, column, key)}"
        for one in table.references:
            if one in self.spread[table.name]:
                yield f"    {self._spread_field(table, one)}"
            elif len(one.columns) > 1 or self._target(table, one.columns[0]) is None:
                yield f"    # ({', '.join(one.columns)}) refers to {one.table} ({', '.join(one.targets)})"
        yield ""
        yield from self._meta(table, names)

    def _key(self, table: Table) -> tuple[str, ...]:
        """The primary key; of a table without one, what is unique and always there, or a column that is called ``id``.

        Of a view, which is not written, it is the first that may be one.
        """
        if key := table.key or self._unique_key(table):
            return key
        if self.rowids and not table.view:
            return ()
        named = [column for column, name in self.names[table.name].items() if name == "id"]
        plain = [column for column, found in table.columns.items() if table.view and can_be_key(found.type)]
        return tuple([*named, *plain, *(table.columns if table.view else ())][:1])

    def _unique_key(self, table: Table) -> tuple[str, ...]:
        """The columns of the shortest unique constraint whose columns are always there."""
        for _, columns in sorted(table.uniques, key=lambda one: len(one[1])):
            if not any(table.columns[column].null for column in columns):
                return columns
        return ()

    def _field(self, table: Table, column: str, key: tuple[str, ...]) -> str:
        kind, null, counted, computed, _, comment = table.columns[column]
        name, alone = self.names[table.name][column], key == (column,)
        target = self._target(table, column)
        options: dict[str, Any] = {}
        if target is None:
            find = key_field_of if column in key else field_of
            made = find(kind, counted=alone and (counted or self.rowids))
            attribute = name
            options |= made.options
        else:
            made, attribute = self._reference(table, column, target, options), f"{name}_id"
        if computed and target is None and column not in key:
            made = self._generated(table.columns[column], made)
            options = dict(made.options)
        elif alone:
            options["primary_key"] = True
        elif null and column not in key:  # SQLite's keys may be NULL, and no row is told by that
            options |= {"null": True, "blank": True}
        elif made.kind in MAY_BE_EMPTY and "choices" not in options and column not in key:
            options["blank"] = True  # the database takes an empty one
        if table.is_unique(column) and not alone and made.kind != "OneToOneField":
            options["unique"] = True
        if attribute != column:
            options["db_column"] = column
        if comment and made.kind != "GeneratedField":
            options["db_comment"] = comment
        text = _options(options)
        first = self._first(target, text)
        return f"{name} = models.{made.kind}({first})" + (f"  # {made.remark}" if made.remark else "")

    def _generated(self, column: Column, made: FieldText) -> FieldText:
        """A field that the database computes, of the kind that its column has."""
        sql = column.computed.replace("%", "%%")
        output = f"models.{made.kind}({_options(made.options)})"
        options = {"expression": Source(f"models.RawSQL({_literal(sql)})"), "output_field": Source(output)}
        return FieldText("GeneratedField", options | {"db_persist": column.kept}, made.remark)

    def _first(self, target: tuple[str, str] | None, text: str) -> str:
        """The arguments of a field: those of a reference begin with its model."""
        if target is None:
            return text
        return f"{_literal(self.classes[target[0]])}, on_delete=models.DO_NOTHING" + (f", {text}" if text else "")

    def _reference(self, table: Table, column: str, target: tuple[str, str], options: dict[str, Any]) -> FieldText:
        """A foreign key; the name of its way back is one that nothing else has there."""
        there, column_there = target
        if (column_there,) != self.keys[there]:
            options["to_field"] = self.names[there][column_there]
        kind = "OneToOneField" if table.is_unique(column) else "ForeignKey"
        options |= self._way_back(table, there, self.names[table.name][column], one=kind == "OneToOneField")
        return FieldText(kind)

    def _spread_field(self, table: Table, reference: Reference) -> str:
        """A foreign key over several columns, which have fields of their own."""
        name, there = self.spread[table.name][reference], reference.table
        column_of = dict(zip(reference.targets, reference.columns, strict=True))
        options: dict[str, Any] = {
            "from_fields": tuple(self.names[table.name][column_of[part]] for part in self.keys[there])
        }
        options |= self._way_back(table, there, name, one=False)
        return f"{name} = models.ForeignKey({self._first((there, ''), _options(options))})"

    def _way_back(self, table: Table, there: str, name: str, *, one: bool) -> dict[str, Any]:
        """The name of the way back from what a field refers to, where the one that it would have is taken."""
        own = self.classes[table.name].lower()
        taken = self.accessors[there]
        default = own if one else f"{own}_set"
        if {default, own} & taken:
            found = field_name(f"{own}_by_{name}", taken)
            taken.add(found)
            return {"related_name": found}
        taken |= {default, own}
        return {}

    def _meta(self, table: Table, names: dict[str, str]) -> Iterator[str]:
        yield "    class Meta:"
        if self.alias:
            yield f"        database = {_literal(self.alias)}"
        yield "        managed = False"
        yield f"        db_table = {_literal(table.name)}"
        if table.comment and not table.view:
            yield f"        db_table_comment = {_literal(table.comment)}"
        several = [(title, columns) for title, columns in table.uniques if len(columns) > 1]
        if several:
            yield "        constraints = ["
            for title, columns in several:
                fields = [names[column] for column in columns]
                title = title or f"{table.name}_{'_'.join(columns)}_key"
                yield f"            models.UniqueConstraint(fields={_literal(fields)}, name={_literal(title)}),"
            yield "        ]"


def _rowid(columns: Collection[str]) -> str:
    """What a table of SQLite's calls the number of a row. Source: SQLite, "CREATE TABLE", "ROWIDs"."""
    taken = {column.lower() for column in columns}
    return next(name for name in ("rowid", "oid", "_rowid_") if name not in taken)


class Source(str):
    """Python, as it is to stand in the module."""


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{option}={_literal(value)}" for option, value in options.items())


def _literal(value: Any) -> str:
    """A value as Python, with the quotes of this house."""
    if isinstance(value, Source):
        return value
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        inner = ", ".join(map(_literal, value))
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return repr(value)
