"""Instances as rows of the driver's values, by functions and statements that are made once for each model.

Saving one row is in ``saving``, many rows in ``bulk``, all rows of a question in ``updating``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from toolkit.errors import FieldError, IntegrityError, ValidationError, near_or_all
from toolkit.models.expressions import Expression, Q
from toolkit.models.fields import AutoField, IntegerField
from toolkit.models.fields.base import DATABASE_DEFAULT, MISSING, Field
from toolkit.models.generated import make_function
from toolkit.models.sqltext import placeholder, quoted
from toolkit.models.undoing import Before
from toolkit.trace import Scope

__all__ = ["insert_sql", "own_field", "quoted", "row_maker"]

RowMaker = Callable[[Sequence[Any]], list[tuple[Any, ...]]]


def insert_sql(scope: Scope, model: Any, fields: Sequence[Any], *, returning: bool) -> str:
    """``INSERT`` of one row with these fields."""
    scope.database.schema.refuse_unknown(model)
    dialect = scope.database.dialect
    meta = model._meta
    columns = ", ".join(quoted(dialect, field.column) for field in fields)
    marks = ", ".join([placeholder(dialect)] * len(fields))
    told = "OVERRIDING SYSTEM VALUE " if _may_be_refused(dialect, meta, fields) else ""
    sql = f"INSERT INTO {quoted(dialect, meta.table)} ({columns}) {told}VALUES ({marks})"
    if not fields:
        sql = f"INSERT INTO {quoted(dialect, meta.table)} {_default_row(scope, meta)}"
    return scope.database.backend.returning_key(sql, quoted(dialect, meta.pk.column)) if returning else sql


def _may_be_refused(dialect: str, meta: Any, fields: Sequence[Any]) -> bool:
    """Whether the database may want to count a key itself: ``GENERATED ALWAYS AS IDENTITY``, which no migration makes.

    Source: PostgreSQL, "INSERT", OVERRIDING SYSTEM VALUE.
    """
    return dialect == "postgresql" and not meta.managed and any(isinstance(each, AutoField) for each in fields)


def _default_row(scope: Scope, meta: Any) -> str:
    ending: str = scope.database.backend.default_row
    return ending.format(key=quoted(scope.database.dialect, meta.key[0].column))


def statement_of(scope: Scope, key: Any, make: Callable[[], Any]) -> Any:
    """Something that is made once for each database, such as a statement of a model and how its rows are made."""
    found = scope.database.statements.get(key)
    if found is None:
        found = scope.database.statements[key] = make()
    return found


def row_maker(scope: Scope, model: Any, fields: Sequence[Any]) -> RowMaker:
    """A generated function from instances to rows of the driver's values.

    A loop over the fields costs three times as much: most values are of the type that the driver takes, which a
    comparison in the generated line finds out.

    Raises:
        ValidationError: By the function: a value is none that its field can hold.
        ComputedValue: By the function: a value is an expression.
    """
    key = ("rows", model, tuple(field.attname for field in fields))
    found: RowMaker = statement_of(scope, key, lambda: _make_rows(scope.database.dialect, fields))
    return found


def _make_rows(dialect: str, fields: Sequence[Any]) -> RowMaker:
    names: dict[str, Any] = {"dict_of": attrgetter("__dict__")}
    items = [_item(number, field, dialect, names) for number, field in enumerate(fields)]
    # in a comprehension the name of the walrus is the function's: one assignment for each value
    row = "".join(f"{item}, " for item in items)
    generated: RowMaker = make_function(f"def rows(found): return [({row}) for d in map(dict_of, found)]", names)

    def rows(instances: Sequence[Any]) -> list[tuple[Any, ...]]:
        try:
            return generated(instances)
        except (KeyError, ValidationError) as error:
            return _one_by_one(dialect, fields, instances, error)

    return rows


def _item(number: int, field: Any, dialect: str, names: dict[str, Any]) -> str:
    """The Python text of one value."""
    names[f"convert_{number}"] = _plain(field.db_value_of(dialect))
    value, convert = f"d[{field.attname!r}]", f"convert_{number}(v)"
    source = field.target_field if field.is_relation else field
    while source.is_relation:
        source = source.target_field
    bounded = type(source).db_value_of is IntegerField.db_value_of
    if source.native is None or not (bounded or type(source).db_value_of is Field.db_value_of):
        return f"(None if (v := {value}) is None else {convert})"
    names[f"native_{number}"] = source.native
    write = source.db_writer(dialect)
    if write is None:
        bounds = f" and {source.low} <= v <= {source.high}" if bounded else ""
        return f"(v if (v := {value}) is None or v.__class__ is native_{number}{bounds} else {convert})"
    names[f"write_{number}"] = write
    return f"(None if (v := {value}) is None else write_{number}(v) if v.__class__ is native_{number} else {convert})"


class ComputedValue(Exception):
    """A value is an expression: no row of plain values can be made."""


def _plain(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A conversion that lets no expression be taken for a value."""

    def value(given: Any) -> Any:
        if isinstance(given, Expression | Q):
            raise ComputedValue
        return convert(given)

    return value


def _one_by_one(
    dialect: str, fields: Sequence[Any], instances: Sequence[Any], cause: Exception
) -> list[tuple[Any, ...]]:
    """The slow way: finds out which value is wrong, and takes an attribute that is not there for None."""
    writers = [(field.attname, _plain(field.db_value_of(dialect))) for field in fields]
    rows = []
    for instance in instances:
        row = []
        for attname, write in writers:
            value = instance.__dict__.get(attname)
            try:
                row.append(None if value is None else write(value))
            except ValidationError as error:
                where = f"{instance._meta.object_name}.{attname}"
                raise ValidationError(f"{where}: {error.message}", code=error.code, hint=error.hint) from cause
        rows.append(tuple(row))
    return rows


def own_field(meta: Any, name: str) -> Any:
    """The field with a column of this name.

    Raises:
        FieldError: There is none.
    """
    field = next((field for field in meta.fields if name in (field.name, field.attname)), None)
    if field is None and name == "pk":
        return meta.pk
    if field is None and any(name == relation.name for relation in meta.many_to_many):
        raise FieldError(
            f"{meta.object_name}.{name} is no column, but leads to many rows",
            hint=f"Use {name}.set([...]) of each row.",
        )
    if field is None:
        raise FieldError(
            f"{meta.object_name}.{name} is no column", hint=near_or_all(name, [field.name for field in meta.fields])
        )
    return field


def refuse_other_rows(where: str, model: Any, rows: Iterable[Any]) -> None:
    """Refuse what is no row of a model.

    Raises:
        FieldError: One is not.
    """
    wrong = [row for row in rows if not isinstance(row, model._meta.concrete_model)]
    if wrong:
        raise FieldError(f"{where} of {model.__name__} takes its instances, not {wrong[0]!r}")


def own_fields(meta: Any, name: str) -> Sequence[Any]:
    """The field of this name, or those that it stands for.

    Raises:
        FieldError: There is none.
    """
    whole = several_of(meta, name)
    return whole.parts if whole is not None else [own_field(meta, name)]


def several_of(meta: Any, name: str) -> Any:
    """What has this name and stands for several fields; None if that is none."""
    key = next((key for key in meta.foreign_keys() if key.is_several and name in (key.name, key.attname)), None)
    return key or (meta.composite_key if name == "pk" else meta.virtual.get(name))


def stamp(scope: Scope, instances: Sequence[Any], fields: Iterable[Any], *, new: bool) -> None:
    """Set the ``auto_now`` and ``auto_now_add`` fields among these, and let fields store what they keep elsewhere."""
    for field in fields:
        if field.stores:
            for instance in instances:
                field.before_save(instance)
        if field.auto_now or (new and field.auto_now_add):
            now = field.stamp(scope.now())
            for instance in instances:
                instance.__dict__[field.attname] = now


def settle_relations(instances: Sequence[Any], meta: Any) -> None:
    """Take the keys of related objects that were saved after they were assigned.

    Raises:
        IntegrityError: One of them is not saved.
    """
    for key in meta.foreign_keys():
        name = key.name
        for instance in instances:
            related = instance.__dict__.get(name)
            if related is None:
                continue
            held = key.value_of(related)
            if held is None:
                raise unsaved(meta, name, related)
            if key.held_by(instance) in (None, ""):  # the key of what was not saved yet, where a text is the key
                key.hold(instance, held)
    for several in meta.virtual.values():
        for instance in instances:
            several.settle(instance)


def unsaved(meta: Any, name: str, related: Any) -> IntegrityError:
    """The error for a reference to an object that has no key yet."""
    return IntegrityError(
        f"{meta.object_name}.{name} refers to an unsaved {related._meta.object_name}",
        hint="Save that one first.",
    )


def key_of(instance: Any, level: Any) -> Any:
    """The key of an instance's row in one of its tables."""
    meta = level._meta
    return instance.__dict__.get(meta.pk.attname) if meta.composite_key is None else instance.pk


def fill_keys(instances: Sequence[Any], level: Any, before: Before) -> None:
    """Give new rows whose key is None the one that its default makes."""
    for field in level._meta.key:
        if field.default is not MISSING:
            lacking = [each for each in instances if each.__dict__.get(field.attname) is None]
            before.note(lacking, [field.attname])
            for each in lacking:
                each.__dict__[field.attname] = field.get_default()


def refuse_keyless(meta: Any) -> None:
    """Refuse a row without a key where the database gives none. SQLite would count any key of whole numbers.

    Raises:
        IntegrityError: It gives none.
    """
    if meta.composite_key is None and (isinstance(meta.pk, AutoField) or meta.pk.db_default is not MISSING):
        return
    names = " and ".join(field.name for field in meta.key)
    raise IntegrityError(f"{meta.object_name} has no {names}, which is its key", hint="Give each row one.")


def tell_taken_key(scope: Scope, meta: Any, error: IntegrityError) -> None:
    """Say that it was the database that gave a key which is taken, and how its counter goes on behind that one."""
    mend = scope.database.backend.move_counter_sql(meta.table, meta.pk.column)
    if mend and error.kind == "unique" and error.fields == (meta.pk.name,):
        told = "the key that the database gave is taken by a row that was written with a key of its own"
        error.message = f"{meta.object_name}: {told}"
        error.args, error.validation = (error.message,), None
        error.hint = f"Nothing was written. Let the database count on behind the greatest key: {mend}"


def take_keys_from_links(instance: Any) -> None:
    """``Restaurant(place_ptr=place)`` is the restaurant of a place that there is."""
    for level in reversed(instance._meta.levels):
        for parent, link in level._meta.parents.items():
            given = instance.__dict__.get(link.attname)
            if given is not None and key_of(instance, parent) is None:
                instance.__dict__[parent._meta.pk.attname] = given


def link_to_parents(instance: Any, level: Any) -> None:
    """Let the row in one table refer to those in its parents' tables."""
    for parent, link in level._meta.parents.items():
        instance.__dict__[link.attname] = key_of(instance, parent)


def written_fields(level: Any) -> list[Any]:
    """The columns of one table that are written: all but those that the database computes."""
    return [field for field in level._meta.local_fields if not field.is_generated]


def given_fields(instance: Any, fields: Iterable[Any]) -> list[Any]:
    """Those fields that an instance has a value for, and does not leave to the database's default."""
    values = instance.__dict__
    return [field for field in fields if values.get(field.attname, DATABASE_DEFAULT) is not DATABASE_DEFAULT]


def forget_computed(instance: Any) -> None:
    """Have what the database computes, or filled in, read when it is touched next."""
    values = instance.__dict__
    for field in instance._meta.fields:
        if field.is_generated or values.get(field.attname) is DATABASE_DEFAULT:
            values.pop(field.attname, None)
