"""What a database refused, in the words of the model: the message that ``full_clean()`` gives of the same fault.

Databases tell differently: PostgreSQL and MariaDB by the constraint's name, SQLite by the columns of a unique one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from toolkit.errors import IntegrityError, ValidationError
from toolkit.models.checking import add_error, row_error
from toolkit.models.constraints import BaseConstraint, UniqueConstraint, unique_refusal
from toolkit.models.fields.base import REQUIRED

_TABLE = re.compile(r"""\s*(?:INSERT\s+(?:\w+\s+)*?INTO|UPDATE|REPLACE\s+INTO)\s+[`"\[]?([^\s`"\]]+)""", re.IGNORECASE)


class Rule(msgspec.Struct, frozen=True):
    """Something that a table refuses.

    Args:
        model: Its model.
        name: The constraint's name in the database.
        columns: The columns, of a unique one over columns.
        fields: The fields that it is about.
        constraint: What declares it, if it is declared in ``Meta.constraints``.
    """

    model: Any
    name: str
    columns: tuple[str, ...]
    fields: tuple[str, ...]
    constraint: BaseConstraint | None = None

    def refusal(self) -> ValidationError:
        """What to tell."""
        if self.constraint is not None:
            return self.constraint.refusal(self.model)
        return unique_refusal(self.model, self.fields)


def explain(schema: Any, error: IntegrityError, sql: str) -> None:
    """Put the model's own words into an error of the database, where the rule that was broken is a declared one."""
    if error.kind == "not_null":
        _explain_null(schema, error, sql)
        return
    if error.kind == "foreign_key":
        error.fields = _fields_of_reference(schema, error.constraint or "")
        return
    rules = list(find_rules(schema, error, sql))
    if rules:
        rule = _surest(rules)
        error.constraint, error.fields = rule.name or None, rule.fields
        _tell(error, rule.model, rule.refusal(), rule.fields)


def _surest(rules: Sequence[Rule]) -> Rule:
    """Of several unique rules over the same columns, which SQLite does not tell apart, the one that was broken.

    One without a condition was, for it says the most. Otherwise it is one of those with a condition: then only that
    the fields must be unique is sure.
    """
    plain = [rule for rule in rules if getattr(rule.constraint, "condition", None) is None]
    if len(rules) == 1 or plain:
        return (plain or rules)[0]
    return Rule(rules[0].model, "", rules[0].columns, rules[0].fields)


def _tell(error: IntegrityError, model: Any, refusal: ValidationError, fields: Sequence[str]) -> None:
    errors: dict[str, list[ValidationError]] = {}
    add_error(errors, refusal, fields=fields)
    error.validation = row_error(model, errors)
    error.message = refusal.message
    error.args = (refusal.message,)


def _explain_null(schema: Any, error: IntegrityError, sql: str) -> None:
    table, _, column = (error.constraint or "").rpartition(".")
    model = schema.by_table.get(table or _table_of(sql))
    found = [one for one in model._meta.local_fields if one.column == column] if model is not None else []
    if len(found) != 1:
        return
    (one,) = found
    error.constraint, error.fields = None, (one.name,)
    message = f"{model._meta.object_name}.{one.name}: {REQUIRED}"
    error.validation = row_error(model, {one.name: [ValidationError(REQUIRED, code="null")]})
    error.message, error.args = message, (message,)


def _fields_of_reference(schema: Any, told: str) -> tuple[str, ...]:
    """The foreign key that a database's message names, by its constraint or, on SQLite, by its columns."""
    for model in schema.by_table.values():
        meta = model._meta
        for key in dict.fromkeys([*meta.local_foreign_keys(), *meta.spread_keys]):
            columns = [part.column for part in (key.parts if key.is_several else (key,))]
            if told in (f"{meta.table}.{', '.join(columns)}", f"{meta.table}_{'_'.join(columns)}_fkey"):
                return (key.name,)
    return ()


def find_rules(schema: Any, error: IntegrityError, sql: str) -> Iterator[Rule]:
    """The declared rules that a database's message may speak of."""
    told = error.constraint or ""
    table = _table_of(sql)
    if error.kind == "unique" and re.fullmatch(r"[^,]+\.[^,]+(, [^,]+\.[^,]+)*", told):  # SQLite tells the columns
        pairs = [part.rpartition(".") for part in told.split(", ")]
        table, columns = pairs[0][0], tuple(column for _, _, column in pairs)
        yield from (rule for rule in _rules(schema, [table]) if rule.columns == columns)
        return
    name = f"{table}_pkey" if told == "PRIMARY" else told  # MariaDB's name of all primary keys
    every = schema.by_table if not schema.by_table.get(table) else [table]
    yield from (rule for rule in _rules(schema, every) if rule.name == name)


def _rules(schema: Any, tables: Iterable[str]) -> Iterator[Rule]:
    for table in tables:
        model = schema.by_table.get(table)
        if model is None:
            continue
        meta = model._meta
        if meta.composite_key is not None:
            yield Rule(model, f"{table}_pkey", meta.pk.columns, tuple(one.name for one in meta.key))
        for one in meta.local_fields:
            if one.unique or one.primary_key:
                name = f"{table}_pkey" if one.primary_key else f"{table}_{one.column}_key"
                yield Rule(model, name, (one.column,), (one.name,))
        for constraint in meta.constraints:
            yield _rule_of(model, constraint)


def _rule_of(model: Any, constraint: BaseConstraint) -> Rule:
    meta = model._meta
    if isinstance(constraint, UniqueConstraint) and constraint.fields:
        columns = tuple(meta.get_field(name).column for name in constraint.fields)
        return Rule(model, constraint.name, columns, tuple(constraint.fields), constraint)
    names = dict.fromkeys(meta.get_field(name).name for name in constraint.names())
    return Rule(model, constraint.name, (), tuple(names), constraint)


def _table_of(sql: str) -> str:
    """The table that a statement writes; empty if it is not plain to see."""
    found = _TABLE.match(sql)
    return found[1] if found else ""
