"""Fields that hold text."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from toolkit.errors import DeclarationError, ValidationError
from toolkit.i18n import gettext_lazy, ngettext_lazy
from toolkit.models.fields.base import Convert, Field, FieldOptions
from toolkit.models.text_lookups import TEXT, refuse_unsound
from toolkit.models.unmanaged import is_of_others, read_as_text
from toolkit.validators import URLValidator, validate_email, validate_slug, validate_unicode_slug
from toolkit.validators.base import refusal

T = TypeVar("T")

_validate_url = URLValidator(["http", "https"])

_NOT_TEXT = gettext_lazy("%(shown)s is not text")
_TOO_LONG = ngettext_lazy(
    "the text has %(length)d characters; at most %(max)d is allowed",
    "the text has %(length)d characters; at most %(max)d are allowed",
    "max",
)
_SHORTEN = gettext_lazy("Shorten it.")


class _Text(Field[T]):
    """What all text fields share."""

    lookups = TEXT
    native: ClassVar[type | None] = str
    empty: ClassVar[str] = ""
    max_length: int | None = None

    def to_python(self, value: Any) -> Any:
        if value.__class__ is str:
            return value
        if isinstance(value, str):
            return str.__str__(value)  # a member of an enum, or marked-up text: the text alone is kept
        forgotten_call = callable(value)  # author.get_name
        if forgotten_call or isinstance(value, bool | list | dict | tuple | set | frozenset | bytes | bytearray):
            raise refusal(_NOT_TEXT, value, code="type")
        return str(value)

    def validate(self, value: Any) -> None:
        if not isinstance(value, str):
            return  # of a subclass whose values are of another class, which knows their bounds
        refuse_unsound(value)
        if self.max_length is not None and len(value) > self.max_length:
            raise too_long(value, self.max_length)

    def db_value_of(self, dialect: str) -> Callable[[Any], Any]:
        """Refuse, on every database, what one of them cannot keep."""
        write, longest = self.db_writer(dialect), self.column_length or sys.maxsize
        read, native = self.to_python, self.native

        def value_of(value: Any) -> Any:
            if value.__class__ is not native:
                value = read(value)
            if len(value) > longest:
                raise too_long(value, longest)
            if "\x00" in value or not value.isascii():
                refuse_unsound(value)
            return value

        return value_of if write is None else super().db_value_of(dialect)

    def db_reader(self, dialect: str) -> Convert:
        return read_as_text if is_of_others(self, dialect) else None

    def compared_value_of(self, dialect: str) -> Callable[[Any], Any]:
        write, read, native = self.db_writer(dialect), self.to_python, self.native

        def value_of(value: Any) -> Any:
            if value.__class__ is not native:
                value = read(value)
            if "\x00" in value or not value.isascii():
                refuse_unsound(value)
            return value

        return value_of if write is None else super().compared_value_of(dialect)

    @property
    def column_length(self) -> int | None:
        """The most characters that the column takes; None if there is no bound."""
        return self.max_length

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.String(self.max_length) if self.max_length else sa.Text()


def too_long(value: str, longest: int) -> ValidationError:
    """The error for text over its length."""
    return refusal(_TOO_LONG, value, code="max_length", hint=_SHORTEN, length=len(value), max=longest)


class CharField(_Text[T]):
    """A line of text.

    Args:
        max_length: The most characters it may have (Unicode code points). Without one the column is of any length,
            and cannot be a key, unique or indexed.
    """

    @overload
    def __init__(
        self: CharField[str],
        *,
        max_length: int | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: CharField[str | None],
        *,
        max_length: int | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int | None = None, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)
        self.max_length = max_length

    def check(self) -> None:
        if self.max_length is None:
            self._check_unindexed()

    def _check_unindexed(self) -> None:
        refused = [option for option in ("primary_key", "unique", "db_index") if getattr(self, option)]
        if refused:
            raise DeclarationError(
                f"{self.model.__name__}.{self.name}: {refused[0]} needs a max_length",
                hint="MariaDB makes no index of text without a bound. Give max_length.",
            )


class TextField(_Text[T]):
    """Text of any length.

    Args:
        max_length: The most characters it may have, if there is a bound; checked by validation only.
    """

    @overload
    def __init__(
        self: TextField[str],
        *,
        max_length: int | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: TextField[str | None],
        *,
        max_length: int | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int | None = None, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(null=null, **options)
        self.max_length = max_length

    @property
    def column_length(self) -> int | None:
        return None

    def sql_type(self) -> Any:
        import sqlalchemy as sa

        return sa.Text()


class MarkdownField(TextField[T]):
    """Text in Markdown (CommonMark with tables, footnotes and strikethrough); ``{{ story.body|markdown }}``.

    It is the bulk of a row, and lists do not show it. So it is loaded when it is touched, for all rows that were
    loaded together: lists do without it, and an edit of it leaves them alone.
    """

    is_heavy = True

    @overload
    def __init__(
        self: MarkdownField[str],
        *,
        max_length: int | None = None,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: MarkdownField[str | None],
        *,
        max_length: int | None = None,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int | None = None, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(max_length=max_length, null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here


class SlugField(CharField[T]):
    """A name for URLs: letters, digits, hyphens and underscores.

    Args:
        max_length: The most characters.
        allow_unicode: Letters of all scripts; translated slugs always may have them.
    """

    @overload
    def __init__(
        self: SlugField[str],
        *,
        max_length: int = 50,
        allow_unicode: bool = False,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: SlugField[str | None],
        *,
        max_length: int = 50,
        allow_unicode: bool = False,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        max_length: int = 50,
        allow_unicode: bool = False,
        null: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(max_length=max_length, null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here
        self.allow_unicode = allow_unicode or self.translated

    def validate(self, value: Any) -> None:
        super().validate(value)
        (validate_unicode_slug if self.allow_unicode else validate_slug)(value)


class EmailField(CharField[T]):
    """An e-mail address (RFC 5321 length limits; the usual dot-atom form of RFC 5322).

    Args:
        max_length: The most characters.
    """

    @overload
    def __init__(
        self: EmailField[str],
        *,
        max_length: int = 254,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: EmailField[str | None],
        *,
        max_length: int = 254,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int = 254, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(max_length=max_length, null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here

    def validate(self, value: Any) -> None:
        super().validate(value)
        validate_email(value)


class URLField(CharField[T]):
    """An absolute http or https URL.

    Args:
        max_length: The most characters.
    """

    @overload
    def __init__(
        self: URLField[str],
        *,
        max_length: int = 200,
        null: Literal[False] = False,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: URLField[str | None],
        *,
        max_length: int = 200,
        null: Literal[True],
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int = 200, null: bool = False, **options: Unpack[FieldOptions]) -> None:
        super().__init__(max_length=max_length, null=null, **options)  # type: ignore[call-overload, misc]  # null is a bool here

    def validate(self, value: Any) -> None:
        super().validate(value)
        _validate_url(value)
