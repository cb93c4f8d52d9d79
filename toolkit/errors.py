"""Every exception a user can meet.

::

    ToolkitError
    ├── Problems                    several errors of one run, reported together
    ├── SettingError                toolkit.toml or a TOOLKIT_ variable
    ├── DeclarationError            a model, field, page or app that cannot stand as declared
    │   └── FrozenError             declared after the site was prepared
    ├── FieldError                  a name in a query that no field has
    │   └── ImpossibleValue         a value that the field can never hold
    ├── ValidationError             a value that a field or a model refuses
    ├── ObjectDoesNotExist          ``get()`` found no row (``Story.DoesNotExist``)
    ├── MultipleObjectsReturned     ``get()`` found several
    ├── DatabaseError               the database refused
    │   ├── DatabaseUnavailable     it cannot be reached
    │   ├── IntegrityError          a constraint was broken
    │   │   └── ProtectedError      a row is still referred to
    │   ├── StaleInstanceError      the row was changed since it was read
    │   ├── TransactionError        a transaction that cannot be used so
    │   │   ├── LockedError         another one holds a lock
    │   │   └── DeadlockError       the database gave it up for another's
    │   └── UnplannedQuery          strict mode: a query nobody planned
    ├── ReceiverError               a receiver of a signal failed after the commit
    ├── MigrationError              models, migrations and tables disagree
    ├── ContentError                a content file or row
    ├── TemplateError               a template, with its line and the page's URL
    ├── CatalogError                a PO file
    ├── RouteError                  pages and their URLs
    │   ├── NoSuchPage              ``url_for`` of something that has no page
    │   └── Collision               two pages want one URL or one file
    ├── StorageError                a stored file that cannot be kept or found
    ├── ImageError                  an image that cannot be shown
    ├── NotFound                    nothing is published at this URL (404)
    ├── FeedError                   a feed that no reader could read
    ├── GeometryError               a geometry that cannot be used
    ├── BuildError                  a build that could not finish
    └── DeployError                 a build that could not be put where readers are
        └── TargetLocked            another deploy is under way

An error is a short letter: what, where, the value, the cause, and the next step.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


class ToolkitError(Exception):
    """What went wrong, where, and how to mend it.

    Args:
        message: What is wrong, with the value in it. No full stop.
        path: The file it is about.
        line: Line in that file, from 1.
        column: Column in that line, from 1, or the name of a column of data.
        row: Row of tabular data, from 1 (the header is row 1).
        url: The URL of the page it is about.
        hint: The next step, as a sentence.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        column: int | str | None = None,
        row: int | None = None,
        url: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.row = row
        self.url = url
        self.hint = hint

    @property
    def where(self) -> str:
        """The place, as ``path:line:column`` or a URL; empty when there is none."""
        if self.path is None:
            return self.url or ""
        place = str(self.path)
        for part in (self.line if self.line is not None else self.row, self.column):
            if part is not None:
                place += f":{part}"
        return place

    def __str__(self) -> str:
        letter = f"{self.where}: {self.message}" if self.where else self.message
        if self.url and self.path is not None:
            letter += f" (page {self.url})"
        if self.hint:
            letter += f"{'' if letter.endswith(('.', '?', '!')) else '.'} {self.hint}"
        return letter

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (type(self), self.args, self.__dict__.copy()))


def _restore(kind: type[ToolkitError], args: tuple[object, ...], state: dict[str, object]) -> ToolkitError:
    """Rebuild an error that crossed from a worker process."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class Problems(ToolkitError):
    """All errors that one run found, reported together.

    Attributes:
        problems: The errors, in the order they were found.
    """

    def __init__(self, problems: Sequence[ToolkitError], *, summary: str = "") -> None:
        self.problems = list(problems)
        count = len(self.problems)
        title = summary or (f"{count} problems were found" if count != 1 else "1 problem was found")
        super().__init__(title)

    def __str__(self) -> str:
        return "\n".join([f"{self.message}:", *(f"  {problem}" for problem in self.problems)])


class SettingError(ToolkitError):
    """A setting that is unknown, mistyped or missing."""


class DeclarationError(ToolkitError):
    """A model, field, page or app that cannot stand as declared."""


class FrozenError(DeclarationError):
    """Something was declared after the site was prepared."""


class FieldError(ToolkitError):
    """A name in a query that no field, lookup or annotation has."""


class ImpossibleValue(FieldError):
    """A query compares a field with a value that it can never hold: a number beyond 64 bits, text for a date."""


NON_FIELD_ERRORS = "__all__"
"""The key of the errors that are of a row as a whole, and of no one field."""


class ValidationError(ToolkitError):
    """A value that a field or a model refuses.

    Args:
        message: What is wrong, with the place for each of ``params`` as ``%(name)s``; or several messages or errors
            in a list; or messages by the name of a field, for a whole row.
        code: Stable name of the rule, such as ``"max_length"``.
        params: What the message speaks of, by name.
        errors: For a whole row, field name to its errors; what is of no field is under ``NON_FIELD_ERRORS``.

    Attributes:
        error_list: The single errors that this one is made of; itself, where it is a single one.
        messages: What each of them says.
        message_dict: For a whole row, what is said of each field.
    """

    def __init__(
        self,
        message: object,
        *,
        code: str = "invalid",
        params: Mapping[str, Any] | None = None,
        errors: Mapping[str, Sequence[ValidationError]] | None = None,
        path: str | Path | None = None,
        line: int | None = None,
        column: int | str | None = None,
        row: int | None = None,
        hint: object = None,
    ) -> None:
        self.params = dict(params or {})
        self.code = code
        self.errors = {name: list(found) for name, found in (errors or {}).items()}
        self.parts: list[ValidationError] = []
        if isinstance(message, Mapping):
            self.errors = {name: _error_list(found) for name, found in message.items()}
            message = "; ".join(f"{name}: {', '.join(_told(found))}" for name, found in self.errors.items())
        elif isinstance(message, list | tuple):
            self.parts = _error_list(message)
            message = "; ".join(_told(self.parts))
        elif params and "%(" in str(message):
            message = message % self.params  # type: ignore[operator]  # text, or text that is translated when shown
        told = None if hint is None else str(hint)
        super().__init__(str(message), path=path, line=line, column=column, row=row, hint=told)

    @property
    def error_list(self) -> list[ValidationError]:
        """The single errors."""
        if self.errors:
            return [single for found in self.errors.values() for error in found for single in error.error_list]
        return self.parts or [self]

    @property
    def messages(self) -> list[str]:
        """What each single error says."""
        return _told(self.error_list)

    @property
    def message_dict(self) -> dict[str, list[str]]:
        """What is said of each field; of an error that is of no row, all under ``NON_FIELD_ERRORS``."""
        return {name: _told(found) for name, found in self.by_field().items()}

    def by_field(self) -> dict[str, list[ValidationError]]:
        """The single errors of each field."""
        if not self.errors:
            return {NON_FIELD_ERRORS: self.error_list}
        return {name: [one for error in found for one in error.error_list] for name, found in self.errors.items()}


def _error_list(found: object) -> list[ValidationError]:
    """The single errors in a message, an error, or a list of them."""
    if isinstance(found, ValidationError):
        return found.error_list
    if isinstance(found, list | tuple):
        return [single for item in found for single in _error_list(item)]
    return [ValidationError(found)]


def _told(errors: Iterable[ValidationError]) -> list[str]:
    return [error.message for error in errors]


class ObjectDoesNotExist(ToolkitError):
    """``get()`` found no row."""


class MultipleObjectsReturned(ToolkitError):
    """``get()`` found more than one row."""


class DatabaseError(ToolkitError):
    """The database refused."""


class DatabaseUnavailable(DatabaseError):
    """The database cannot be reached."""


class IntegrityError(DatabaseError):
    """A constraint was broken; nothing was written.

    Where the database tells which, and a model declares it, the message is the constraint's own, as ``full_clean()``
    gives it.

    Attributes:
        kind: ``"unique"``, ``"check"``, ``"foreign_key"``, ``"not_null"``, ``"exclusion"``; empty if not known.
        constraint: The constraint's name in the database, if it is known.
        fields: Names of the fields that it is about, if they are known.
        validation: The same as ``full_clean()`` would have said it, by field; None where it cannot be told.
        detail: What the database itself said.
    """

    kind: str = ""
    constraint: str | None = None
    fields: tuple[str, ...] = ()
    validation: ValidationError | None = None
    detail: str = ""


class ProtectedError(IntegrityError):
    """A row cannot be deleted: others refer to it.

    Attributes:
        objects: The rows that stand in the way.
        plan: What the delete would have done (``DeletionPlan``).
    """

    def __init__(self, message: str, *, objects: Sequence[Any] = (), plan: Any = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.objects, self.plan = list(objects), plan


class StaleInstanceError(DatabaseError):
    """A row was changed by somebody else since this instance was read; nothing was written.

    Attributes:
        instance: What was to be written.
        found: The row as the database has it.
        differences: Field name to (the value that was read, the value in the database).
    """

    def __init__(
        self,
        message: str,
        *,
        instance: Any,
        found: Any,
        differences: dict[str, tuple[Any, Any]],
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.instance, self.found, self.differences = instance, found, differences


class TransactionError(DatabaseError):
    """A transaction that cannot be used so."""


class LockedError(TransactionError):
    """Another transaction holds a lock for longer than this one waits."""


class DeadlockError(TransactionError):
    """Two transactions waited for each other, and the database gave this one up: it may be tried again."""


class UnplannedQuery(DatabaseError):
    """Strict mode: a template or page asked for rows that nobody planned to load."""


class ReceiverError(ToolkitError):
    """A receiver of ``rows_changed`` failed. What it was told of is committed."""


class MigrationError(ToolkitError):
    """Models, migrations and tables disagree."""


class ContentError(ToolkitError):
    """A content file, or a row of one, that cannot be loaded."""


class TemplateError(ToolkitError):
    """A template that cannot be found, compiled or rendered."""


class CatalogError(ToolkitError):
    """A message catalog that cannot be read or compiled."""


class RouteError(ToolkitError):
    """Pages and their URLs."""


class NoSuchPage(RouteError):
    """``url_for`` was asked for something that has no page."""


class Collision(RouteError):
    """Two pages want one URL, or one file."""


class StorageError(ToolkitError):
    """A stored file, or a storage, that cannot be kept, found or reached."""


class ImageError(ToolkitError):
    """An image that is not there, cannot be read, or cannot be shown as it is asked for."""


class NotFound(ToolkitError):
    """Nothing is published at this URL."""


class FeedError(ToolkitError):
    """A feed that no reader could read."""


class GeometryError(ToolkitError):
    """A geometry that cannot be used as asked."""


class BuildError(ToolkitError):
    """A build that could not finish; the last good output is untouched."""


class DeployError(ToolkitError):
    """A build that could not be put where readers are; deploying again completes it."""


class TargetLocked(DeployError):
    """Another deploy to the same target is under way."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence with the nearest known names, or all of them when few; empty when there are none."""
    names = sorted(set(known))
    near = near_names(str(name), names)
    if near:
        return "Did you mean " + " or ".join(repr(match) for match in near) + "?"
    if 0 < len(names) <= FEW_NAMES:
        return "There is: " + ", ".join(names) + "."
    return ""


FEW_NAMES = 12
"""So many names are told whole, where none is near."""

MANY_NAMES = 40
"""So many are told of more, where that is all that can be said."""


def near_or_all(name: str, known: Iterable[str]) -> str:
    """``did_you_mean``, with the first names of any number where none is near."""
    names = sorted(set(known))
    more = len(names) - MANY_NAMES
    whole = "There is: " + ", ".join(names[:MANY_NAMES]) + (f", and {more} more." if more > 0 else ".")
    return did_you_mean(name, names) or (whole if names else "")


def near_names(name: str, known: Sequence[str]) -> list[str]:
    """Up to three of the known names, the nearest first."""
    return difflib.get_close_matches(name, known, n=3, cutoff=0.6)
