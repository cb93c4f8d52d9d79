"""Checking a row before it is written, by the database's own judgement.

The candidate is laid before the database as a table of one row, ``candidate``, with the types of the real columns,
and the constraint's own SQL text is asked of it. So a value is compared, folded and calculated with as it will be
once it is stored. Hidden rows count: what readers may not see takes a name all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.errors import NON_FIELD_ERRORS, ValidationError
from toolkit.i18n import gettext_lazy
from toolkit.models.constraints import UniqueConstraint, unique_refusal
from toolkit.models.ddl import default_text, literal_condition, literal_expression
from toolkit.models.expressions import F, Q
from toolkit.models.fields.base import DATABASE_DEFAULT
from toolkit.models.given import refuse_one
from toolkit.models.scopes import current_scope
from toolkit.models.sqltext import placeholder, quoted
from toolkit.trace import Scope
from toolkit.validators.base import refusal

Errors = dict[str, list[ValidationError]]


@dataclass(frozen=True)
class Check:
    """One row that is to be written.

    Args:
        scope: Gives the database.
        model: The model whose table it is.
        instance: The row.
        exclude: Names of fields that are not to be looked at, for they are known to be wrong.
    """

    scope: Scope
    model: Any
    instance: Any
    exclude: frozenset[str] = field(default_factory=frozenset)

    @property
    def schema(self) -> Any:
        """The database's schema."""
        return self.scope.database.schema

    def knows(self, names: Iterable[str]) -> bool:
        """Whether all these fields may be looked at, with those that they are computed of."""
        return not any(one.name in self.exclude for one in self._with_sources(names))

    def _with_sources(self, names: Iterable[str]) -> list[Any]:
        """Fields, and behind each that the database computes, those that it is computed of."""
        meta = self.model._meta
        found = []
        for one in map(meta.get_field, names):
            found += [one, *(map(meta.get_field, one.expression.names()) if one.is_generated else ())]
        return list({one.column: one for one in found}.values())

    def ask(self, sql: str, names: Iterable[str]) -> list[Any]:
        """Rows of a SELECT over ``candidate``, which has the columns of these fields."""
        candidate, parameters = self._candidate(names)
        if placeholder(self.scope.database.dialect) == "%s":
            sql = sql.replace("%", "%%")  # what is written out in it is no parameter
        found: list[Any] = self.scope.database.ask(f"WITH candidate AS ({candidate}) {sql}", parameters)
        return found

    def ask_others(self, terms: Sequence[str], names: Iterable[str], condition: Q | None = None) -> list[Any]:
        """Whether another row meets all terms, which compare it with the candidate.

        Args:
            terms: SQL conditions over the table's columns and ``candidate``.
            names: The fields that they, and the condition, speak of.
            condition: What both rows have to meet.
        """
        identifier, meta = self.scope.database.backend.identifier, self.model._meta  # ``ask`` doubles percent signs
        found = list(terms)
        if condition is not None:
            text = literal_condition(self.schema, self.model, condition)
            found += [f"({text})", f"EXISTS (SELECT 1 FROM candidate WHERE {text})"]  # noqa: S608 - written by the compiler
        own = [*dict.fromkeys([*names, *self._own_key()])]
        if self._own_key():
            keys = [identifier(one.column) for one in meta.key]
            others = " OR ".join(f"{key} <> (SELECT {key} FROM candidate)" for key in keys)  # noqa: S608 - quoted
            found.append(f"({others})")
        sql = f"SELECT 1 FROM {identifier(meta.table)} WHERE {' AND '.join(found)} LIMIT 1"  # noqa: S608 - quoted, or written by the compiler
        return self.ask(sql, own)

    def _own_key(self) -> list[str]:
        """The name of the key, if the row is in the database already and must not be compared with itself."""
        return [] if self.instance._row is None else [one.name for one in self.model._meta.key]

    def _candidate(self, names: Iterable[str]) -> tuple[str, list[Any]]:
        """A SELECT of one row. The empty first half lends it the types of the columns."""
        dialect, meta = self.scope.database.dialect, self.model._meta
        every = self._with_sources(names)
        fields = [one for one in every if not one.is_generated]
        given = [one for one in fields if self._value(one) is not DATABASE_DEFAULT]
        columns = ", ".join(quoted(dialect, one.column) for one in fields)
        mark = placeholder(dialect)
        marks = ", ".join(mark if one in given else self._text(default_text, one) for one in fields)
        empty = f"SELECT {columns} FROM {quoted(dialect, meta.table)} WHERE 1 = 0"  # noqa: S608 - names of the schema
        row = f"{empty} UNION ALL SELECT {marks}"
        for one in every:
            if one.is_generated:
                computed = f"{self._text(_computed_text, one)} AS {quoted(dialect, one.column)}"
                row = f"SELECT given.*, {computed} FROM ({row}) given"  # noqa: S608 - written by the compiler
        return row, [self._written(one) for one in given]

    def _text(self, write: Callable[[Any, Any, Any], str], one: Any) -> str:
        """SQL text of what the database puts into a field, in which a percent sign is no parameter."""
        text = write(self.schema, self.model, one)
        return text.replace("%", "%%") if placeholder(self.scope.database.dialect) == "%s" else text

    def _value(self, one: Any) -> Any:
        return getattr(self.instance, one.attname)

    def _written(self, one: Any) -> Any:
        value = self._value(one)
        return None if value is None else one.db_value_of(self.scope.database.dialect)(value)

    def is_null(self, names: Iterable[str]) -> bool:
        """Whether any of these fields is NULL, as far as it is known before the database computes."""
        fields = map(self.model._meta.get_field, names)
        return any(not one.is_generated and self._value(one) is None for one in fields)


def _computed_text(schema: Any, model: Any, one: Any) -> str:
    return literal_expression(schema, model, one.expression)


def unique_errors(check: Check) -> Errors:
    """The fields with ``unique=True``, the key of a new row, and ``unique_for_date`` and its kin."""
    errors: Errors = {}
    for names in _unique_names(check):
        rule = UniqueConstraint(fields=names, name=f"{'_'.join(names)}_unique")
        if check.knows(names) and not check.is_null(names) and rule.violated(check):
            where = names[0] if len(names) == 1 else NON_FIELD_ERRORS
            errors.setdefault(where, []).append(unique_refusal(check.model, names))
    for one in check.model._meta.local_fields:
        for kind in ("date", "year", "month"):
            if error := _unique_for(check, one, kind, getattr(one, f"unique_for_{kind}", None)):
                errors.setdefault(one.name, []).append(error)
    return errors


def _unique_names(check: Check) -> Iterator[list[str]]:
    meta = check.model._meta
    if check.instance._row is None:
        yield [one.name for one in meta.key]
    for one in meta.local_fields:
        if one.unique and meta.key != (one,):
            yield [one.name]


UNIQUE_FOR = gettext_lazy("%(field_label)s must be unique for %(date_field_label)s: the same %(lookup_type)s has one")
_PARTS = {"date": ("year", "month", "day"), "year": ("year",), "month": ("month",)}


def _unique_for(check: Check, one: Any, kind: str, day: str | None) -> ValidationError | None:
    if not day or not check.knows([one.name, day]) or check.is_null([one.name, day]):
        return None
    parts = [F(f"{day}__{part}") for part in _PARTS[kind]]
    rule = UniqueConstraint(F(one.name), *parts, name=f"{one.name}_unique_for_{kind}")
    if not rule.violated(check):
        return None
    params = {
        "model": check.model,
        "field": one.name,
        "field_label": str(one.verbose_name),
        "date_field": day,
        "date_field_label": str(check.model._meta.get_field(day).verbose_name),
        "lookup_type": kind,
    }
    message = (getattr(one, "error_messages", None) or {}).get("unique_for_date", UNIQUE_FOR)
    return ValidationError(message, code="unique_for_date", params=params)


def constraint_errors(check: Check) -> Errors:
    """The constraints in ``class Meta``."""
    errors: Errors = {}
    for constraint in check.model._meta.constraints:
        try:
            constraint.validate(check)
        except ValidationError as error:
            add_error(errors, error, fields=getattr(constraint, "fields", ()))
    return errors


NO_SUCH_ROW = gettext_lazy("there is no %(model_name)s %(shown)s")


def reference_errors(check: Check) -> Errors:
    """References to rows that are not there, whether a database keeps them or not. Hidden rows are there."""
    meta = check.model._meta
    errors: Errors = {}
    for key in dict.fromkeys([*meta.local_foreign_keys(), *meta.spread_keys]):
        if key in meta.parents.values() or not check.knows([key.name]):
            continue
        own, there = (one.parts if one.is_several else (one,) for one in (key, key.target_field))
        values = [check.instance.__dict__.get(one.attname) for one in own]
        if None in values or DATABASE_DEFAULT in values or _is_there(check, key.target, there, values):
            continue
        value = tuple(values) if key.is_several else values[0]
        refused = refusal(NO_SUCH_ROW, value, model_name=str(key.target._meta.verbose_name))
        errors[key.name] = [key.in_own_words(refused, value)]
    return errors


def _is_there(check: Check, target: Any, fields: Sequence[Any], values: Sequence[Any]) -> bool:
    """Whether a row of a model has these values; the row itself counts, as it does for the database."""
    own = check.instance.__dict__
    if isinstance(check.instance, target) and [own.get(one.attname) for one in fields] == [*values]:
        return True
    is_here = target._meta.database == check.model._meta.database  # or in the one of using()
    database = (check.scope if is_here else current_scope().of(target, writing=True)).database
    mark, table = placeholder(database.dialect), quoted(database.dialect, target._meta.table)
    terms = " AND ".join(f"{quoted(database.dialect, one.column)} = {mark}" for one in fields)
    written = [one.db_value_of(database.dialect)(value) for one, value in zip(fields, values, strict=True)]
    return bool(database.ask(f"SELECT 1 FROM {table} WHERE {terms} LIMIT 1", written))  # noqa: S608 - of the schema


def excluded(method: str, names: Iterable[str] | None) -> frozenset[str]:
    """The names of fields that are not looked at.

    Args:
        method: What was given them, for the message.
        names: Their names; None for none.

    Raises:
        FieldError: They are no list.
    """
    if names is not None:
        refuse_one(method, "exclude", names)
    return frozenset(names or ())


def find_errors(look: Callable[[Check], Errors], scope: Scope, instance: Any, exclude: Iterable[str]) -> Errors:
    """What is wrong with a row in each of the tables that it is in.

    Args:
        look: ``unique_errors`` or ``constraint_errors``.
        scope: Gives the database.
        instance: The row.
        exclude: Names of fields that are not looked at.
    """
    errors: Errors = {}
    for level in instance._meta.levels:
        for name, found in look(Check(scope, level, instance, frozenset(exclude))).items():
            errors.setdefault(name, []).extend(found)
    return errors


def add_error(errors: Errors, error: ValidationError, *, fields: Sequence[str] = ()) -> None:
    """Add an error to those of a row: to its fields, or to the one it is about, or to the row as a whole."""
    if not error.errors and error.code == "unique" and len(fields) == 1:
        errors.setdefault(fields[0], []).extend(error.error_list)
        return
    for name, found in error.by_field().items():
        errors.setdefault(name, []).extend(found)


def row_error(model: Any, errors: Errors) -> ValidationError:
    """One error that has those of all fields."""
    told = "; ".join(
        f"{'' if name == NON_FIELD_ERRORS else f'{name}: '}{', '.join(error.message for error in found)}"
        for name, found in errors.items()
    )
    return ValidationError(f"{model._meta.object_name}: {told}", code="fields", errors=errors)
