"""What becomes of a column's values when its field changes its kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, NoReturn

from toolkit.errors import MigrationError, Problems, ToolkitError, ValidationError
from toolkit.models import (
    BinaryField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    Field,
    IntegerField,
    JSONField,
    TextField,
)
from toolkit.models.outputs import kind_of

TEXT = (CharField, TextField)

Conversion = Callable[[Any], Any]

SHOWN_PROBLEMS = 20

PLAIN = "This text is plain."
"""What a field does not read that can tell its own form from others."""


class Refusals:
    """The values that do not fit a changed field, reported together.

    Args:
        model: The model as it shall be.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._problems: list[ToolkitError] = []
        self._count = 0

    def add(self, field: Field[Any], row: Any, message: str) -> None:
        """Note one value: the key of its row, and what is wrong with it."""
        self._count += 1
        if len(self._problems) < SHOWN_PROBLEMS:
            self._problems.append(MigrationError(f"{self._model._meta.table}, row {row}, {field.name}: {message}"))

    def guarded(self, convert: Conversion, field: Field[Any]) -> Callable[[Any, Any], Any]:
        """A function from (stored value, key of the row) to the converted value; what it refuses is noted."""

        def converted(stored: Any, row: Any) -> Any:
            if stored is None:
                return None
            try:
                return convert(stored)
            except (ToolkitError, ValueError, TypeError, ArithmeticError) as error:
                self.add(field, row, str(getattr(error, "message", error)))
                return stored

        return converted

    def check(self) -> None:
        """Stop if anything was refused.

        Raises:
            Problems: Each value with its row.
        """
        if self._problems:
            values = "1 value does" if self._count == 1 else f"{self._count} values do"
            raise Problems(
                self._problems,
                summary=f"{self._model._meta.label}: {values} not fit the field as it shall be. "
                "Mend the rows, or convert them with RunPython first",
            )


def check_convertible(old: Field[Any], new: Field[Any]) -> None:
    """Refuse a change that has no meaning by itself.

    Raises:
        MigrationError: Values of the one kind are no values of the other.
    """
    where = f"{new.model._meta.label}.{new.name}"
    if isinstance(old, BinaryField) != isinstance(new, BinaryField):
        raise MigrationError(
            f"{where}: a {type(old).__name__} cannot become a {type(new).__name__} by itself",
            hint="Add a new field, fill it with RunPython, and remove the old one.",
        )
    if getattr(old, "srid", None) != getattr(new, "srid", None):
        raise MigrationError(
            f"{where}: the reference system changes from {getattr(old, 'srid', None)} to "
            f"{getattr(new, 'srid', None)}, and a migration does not move coordinates",
            hint="Add a new field, transform into it with RunPython, and remove the old one.",
        )


def same_storage(old: Field[Any], new: Field[Any]) -> bool:
    """Whether the values of one field are values of the other as they stand."""
    if isinstance(old, TEXT) and isinstance(new, TEXT):
        return _form(old) is _form(new)
    if old.is_relation or new.is_relation:  # keys stay keys: the foreign key check tells whether they are right
        return _same_keys(held_by(old), held_by(new))
    alike = _kind(old) == _kind(new) and vars_of(old) == vars_of(new) and _form(old) is _form(new)
    return alike and str(old.sql_type()) == str(new.sql_type())


def _form(field: Field[Any]) -> Any:
    """What stands for a way of its own in which text, numbers and the like are kept: encrypted, in cents."""
    kind = kind_of(field)
    return kind if kind is not None and kind is not field.native else None


def _same_keys(old: Field[Any], new: Field[Any]) -> bool:
    numbers = isinstance(old, IntegerField) and isinstance(new, IntegerField)
    return numbers or same_storage(old, new)


def held_by(field: Any) -> Any:
    """The field that says what kind of values a key or a reference has."""
    while field.is_relation:
        field = field.target_field
    return field


def shortest(old: Field[Any], new: Field[Any]) -> int | None:
    """The length that texts must keep from now on, if they need not before."""
    if not isinstance(new, CharField) or not isinstance(old, TEXT):
        return None
    before = old.max_length if isinstance(old, CharField) else None
    after = new.max_length
    return after if after is not None and (before is None or after < before) else None


def conversion(old: Field[Any], new: Field[Any], *, dialect: str, lossy: bool = False) -> Conversion:
    """A function from a stored value of the old field to one of the new; it raises ``ValidationError``.

    Args:
        old: The field as it was.
        new: The field as it shall be.
        dialect: The database's.
        lossy: Take values of which something is lost, such as the hour of a moment that becomes a date.
    """
    if old.is_relation and new.is_relation and not _leads_there_still(old, new):
        return partial(_refuse_reference, old, new)
    old, new = held_by(old), held_by(new)
    read = old.db_reader(dialect) or _same
    write = new.db_writer(dialect) or _same
    if isinstance(old, JSONField) and isinstance(new, TEXT):
        read = _same
    is_formed = None if lossy else _form_check(old, new, dialect=dialect)

    def convert(stored: Any) -> Any:
        before = read(stored)
        if before == "" and new.null and not isinstance(new, TEXT):
            return None
        value = new.to_python(_adapted(before, new))
        new.validate(value)
        if not lossy and _loses(before, value, old):
            raise ValidationError(
                f"{before} would become {value}, and something of it would be lost "
                "(write lossy=True into the operation to accept that)",
                code="lossy",
            )
        written = write(value)
        if is_formed is not None and is_formed(stored, written):
            raise ValidationError(
                f"{type(new).__name__} can read what stands there, and would write it in its form once more. If all "
                "rows are in that form, change the models alone: SeparateDatabaseAndState(state_operations=[...]); "
                "if none is, write lossy=True into the operation",
                code="form",
            )
        return written

    return convert


def _form_check(old: Field[Any], new: Field[Any], *, dialect: str) -> Callable[[Any, Any], bool] | None:
    """Whether a text, given with what it would become, stands in the form of the new field already: encrypted by hand.

    Returns:
        None where nobody can tell: plain text becomes no such form, or the field reads any text there is.
    """
    read = new.db_reader(dialect)
    if read is None or not isinstance(old, TEXT) or _form(old) is not None or _form(new) is None:
        return None
    if _reads(read, PLAIN):
        return None
    return lambda stored, written: _reads(read, stored) and read(stored) != read(written)


def _reads(read: Callable[[Any], Any], stored: Any) -> bool:
    """Whether a field can read a text. What libraries say of one that is not encrypted is no error of Python's."""
    try:
        read(stored)
    except Exception:  # noqa: BLE001 - see above
        return False
    return True


def _leads_there_still(old: Any, new: Any) -> bool:
    """Whether two references are to the same rows, by the same field of them."""
    ways = [(key.target._meta.label, key.target_field.name) for key in (old, new)]
    return ways[0] == ways[1]


def _refuse_reference(old: Any, new: Any, stored: Any) -> NoReturn:
    """Refuse a reference to a row of another table: nobody can tell to which row it shall lead.

    Raises:
        ValidationError: Always.
    """
    raise ValidationError(
        f"it refers to {old.target._meta.label} by {old.target_field.name} {stored!r:.40}, and shall refer to "
        f"{new.target._meta.label} by {new.target_field.name}, which are values of another kind. Add a new field, fill "
        "it with RunPython, and remove the old one",
        code="reference",
    )


def _loses(before: Any, after: Any, old: Field[Any]) -> bool:
    """Whether the way back leads elsewhere. What a field understands of a text is what the text said."""
    if isinstance(old, (*TEXT, JSONField, BinaryField)):
        return False
    try:
        return bool(old.to_python(_adapted(after, old)) != before)
    except (ToolkitError, ValueError, TypeError, ArithmeticError):
        return False  # there is no way back to compare


def vars_of(field: Field[Any]) -> tuple[Any, ...]:
    """The options that decide how a kind stores its values."""
    names = ("max_digits", "decimal_places", "geometry_type", "srid", "low", "high")
    return tuple(getattr(field, name, None) for name in names)


def _kind(field: Field[Any]) -> Any:
    """The class that says how values are stored: the one that defines the column's type."""
    return next(owner for owner in type(field).__mro__ if "sql_type" in vars(owner))


def _same(value: Any) -> Any:
    return value


def _adapted(value: Any, new: Field[Any]) -> Any:
    """A value as the new field can read it, where its ``to_python`` is stricter than a change of kind must be."""
    if isinstance(new, TEXT):
        return _as_text(value)
    if isinstance(new, JSONField) and isinstance(value, str):
        return json.loads(value)
    if isinstance(value, datetime) and isinstance(new, DateField):
        return value.date()
    if isinstance(value, date) and not isinstance(value, datetime) and isinstance(new, DateTimeField):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, bool) and not isinstance(new, BooleanField | JSONField):
        return int(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
