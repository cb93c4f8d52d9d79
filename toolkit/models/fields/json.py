"""The field that holds JSON, and the value that is JSON's null."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, Literal, Self, TypeVar, Unpack, overload

from toolkit.i18n import gettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.models.json_lookups import LOOKUPS
from toolkit.models.json_paths import KeyTransform, Step, sort_keys
from toolkit.validators.base import refusal

T = TypeVar("T")

DEEPEST = 31
"""Lists and objects one inside the other that MariaDB keeps, so that a site can move there. Source: MariaDB 10.11,
``JSON_DEPTH_LIMIT``, which counts the value inside too."""

_NOT_JSON = gettext_lazy("%(shown)s is not JSON: %(reason)s")
_NOT_WRITTEN = gettext_lazy("the value cannot be written as JSON: %(reason)s")
_TOO_DEEP = gettext_lazy("lists and objects in JSON may not be nested more than %(most)s deep: %(path)s is")
_LESS_DEEP = gettext_lazy("MariaDB keeps no more. Keep what is inside as text, or in rows of their own.")
_NULL_CHARACTER = gettext_lazy("text in JSON may not contain a null character")


class JSONNull:
    """The value ``null`` of JSON, where ``None`` is SQL's NULL: ``Story(data=JSONNull())``.

    All are equal, and none is true. Inside of lists and objects ``None`` is ``null`` already.
    """

    def __repr__(self) -> str:
        return "JSONNull()"

    def __str__(self) -> str:
        return "null"

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JSONNull)

    def __hash__(self) -> int:
        return hash(JSONNull)


class JSONField(Field[T]):
    """Any JSON value: objects, lists, text, numbers, true, false; ``models.JSONNull()`` for null.

    It is stored in one form for equal values, with the keys of objects sorted, and comes back so. Lists and objects may
    be nested 31 deep, which is what MariaDB keeps.

    Args:
        encoder: A subclass of ``json.JSONEncoder`` for values that JSON does not know.
        decoder: A subclass of ``json.JSONDecoder`` that reads them back.
    """

    lookups = LOOKUPS
    is_nested = True
    is_computed = False
    path: ClassVar[tuple[Step, ...]] = ()
    base: ClassVar[Any] = None

    @overload
    def __init__(
        self: JSONField[Any],
        *,
        encoder: type[json.JSONEncoder] | None = None,
        decoder: type[json.JSONDecoder] | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: JSONField[Any | None],
        *,
        encoder: type[json.JSONEncoder] | None = None,
        decoder: type[json.JSONDecoder] | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        encoder: type[json.JSONEncoder] | None = None,
        decoder: type[json.JSONDecoder] | None = None,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(null=null, **options)
        self.encoder, self.decoder = encoder, decoder

    def at(self, base: Any, path: tuple[Step, ...]) -> Self:
        """The field of the values at a path inside of this one's.

        Args:
            base: SQLAlchemy's expression of the whole value.
            path: Keys and indexes.
        """
        inner = copy(self)
        outer = getattr(self, "outer", self)
        inner.__dict__.update(base=base, path=path, model=None, null=True, translated=False, outer=outer)
        return inner

    def find_transform(self, name: str) -> Any:
        """A transform that was registered under the name, or else the key or the index."""
        return super().find_transform(name) or KeyTransform(name)

    def sort_keys(self, column: Any, dialect: str) -> list[Any]:
        """What to order by, for an order that all databases share: null, false, true, numbers, text, the rest."""
        return sort_keys(column, dialect)

    def group_keys(self, column: Any, dialect: str) -> list[Any]:
        """The same for groups by the value, of which no two are equal: between lists, and between objects, their text
        decides."""
        import sqlalchemy as sa

        if dialect not in ("sqlite", "postgresql", "mysql"):
            return [column]
        text = sa.collate(sa.cast(column, sa.Text()), "C") if dialect == "postgresql" else column
        return [*self.sort_keys(column, dialect), text]

    # values

    def validate(self, value: Any) -> None:
        self.dump_for_keeping(value)

    def dump_for_keeping(self, value: Any) -> str:
        """The same text as ``dump`` gives, of a value that every database can keep.

        Raises:
            ValidationError: It cannot be written as JSON, or is nested too deeply.
        """
        text = self.dump(value)
        if text.count("[") + text.count("{") > DEEPEST and (path := _find_depths(json.loads(text), DEEPEST)):
            raise refusal(_TOO_DEEP, value, most=DEEPEST, path=f"{path:.200}", code="nested", hint=_LESS_DEEP)
        return text

    def dump(self, value: Any) -> str:
        """A value as JSON text, in the one form of it.

        Raises:
            ValidationError: It cannot be written as JSON.
        """
        try:
            text = self._dump(value)
            if "e+" in text or "-0.0" in text:
                text = self._dump(_as_kept(json.loads(text)))
            text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            told = str(error) or type(error).__name__
            raise refusal(_NOT_WRITTEN, value, reason=told) from error
        if "\\u0000" in text and "\\u0000" in text.replace("\\\\", ""):
            raise refusal(_NULL_CHARACTER, value, code="null_characters")
        return text

    def _dump(self, value: Any) -> str:
        return json.dumps(
            None if isinstance(value, JSONNull) else value,
            cls=self.encoder,
            default=None if self.encoder else _plain,
            ensure_ascii=False,
            allow_nan=False,
            sort_keys=True,
            separators=(",", ":"),
        )

    def load(self, text: Any) -> Any:
        """The value of a JSON text; inside of a value, and in a column that the database computes, null is None."""
        value = json.loads(text, cls=self.decoder)
        return JSONNull() if value is None and not self.path and not self.is_computed else value

    def value_to_string(self, value: Any) -> str:
        return self.dump(value)

    def from_string(self, text: str) -> Any:
        try:
            return self.load(text)
        except ValueError as error:
            raise refusal(_NOT_JSON, text, reason=error) from error

    # the database

    def sql_type(self) -> Any:
        import sqlalchemy as sa
        from sqlalchemy.dialects.postgresql import JSONB

        # in SQLite a column of type JSON has the affinity of numbers: 0 and 1.0 would lose their form
        return sa.JSON().with_variant(sa.Text(), "sqlite").with_variant(JSONB(), "postgresql")

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        return self.db_writer(dialect) or self.dump_for_keeping

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        return self.dump

    def db_writer(self, dialect: str) -> Convert:
        return self.dump_for_keeping

    def db_reader(self, dialect: str) -> Convert:
        return self._load_unsorted if dialect == "postgresql" else self.load

    def _load_unsorted(self, text: Any) -> Any:
        """PostgreSQL orders keys by their length first."""
        return _sorted(self.load(text))


def _plain(value: Any) -> Any:
    """What stands for a value that JSON does not know."""
    if isinstance(value, JSONNull):
        return None
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _find_depths(value: Any, most: int, path: str = "") -> str:
    """The path of a list or an object inside of so many others; empty if there is none."""
    if not isinstance(value, list | dict):
        return ""
    if most == 0:
        return path
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    found = (_find_depths(inner, most - 1, f"{path}.{step}" if path else f"{step}") for step, inner in steps)
    return next(filter(None, found), "")


def _as_kept(value: Any) -> Any:
    """Numbers as PostgreSQL gives them back: zero without a sign, and those such as 1e+300 as whole numbers."""
    if isinstance(value, float) and value.is_integer():
        return int(value) if "e" in repr(value) else value or 0.0
    if isinstance(value, dict):
        return {key: _as_kept(item) for key, item in value.items()}
    return [_as_kept(item) for item in value] if isinstance(value, list) else value


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
