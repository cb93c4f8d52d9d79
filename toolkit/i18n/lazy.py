"""Text translated when it is shown, not when it is declared: for class bodies and module constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .catalog import Message
from .messages import translate


class LazyText:
    """A message that becomes text in the language of the moment at ``str()``.

    It can be used where a ``str`` is read: formatted, joined, compared, measured, asked for ``upper()``.

    Attributes:
        msgid, plural, context: The message, for those who extract it.
    """

    __slots__ = ("context", "msgid", "number", "plural")

    def __init__(
        self,
        msgid: str,
        *,
        context: str | None = None,
        plural: str | None = None,
        number: int | str | None = None,
    ) -> None:
        self.msgid = msgid
        self.context = context
        self.plural = plural
        self.number = number

    @property
    def message(self) -> Message:
        """The message for a catalog."""
        return Message(self.msgid, self.context, self.plural)

    def __str__(self) -> str:
        return self._in_form(self.number if isinstance(self.number, int) else None)

    def _in_form(self, n: int | None) -> str:
        plural = self.plural if n is not None else None
        return translate(self.msgid, context=self.context, plural=plural, n=n)

    def __mod__(self, values: Any) -> str:
        """``%`` formatting; where ``number`` names a key, that value picks the plural form."""
        text = str(self)
        if isinstance(self.number, str) and isinstance(values, Mapping):
            text = self._in_form(int(values[self.number]))
        elif self.plural is not None and self.number is None and isinstance(values, int):
            text = self._in_form(values)
        formatted: str = text % values
        return formatted

    def __repr__(self) -> str:
        return f"LazyText({self.msgid!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, (str, LazyText)) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other)

    def __add__(self, other: object) -> str:
        return str(self) + str(other)

    def __radd__(self, other: object) -> str:
        return str(other) + str(self)

    def __len__(self) -> int:
        return len(str(self))

    def __bool__(self) -> bool:
        return bool(self.msgid)

    def __iter__(self) -> Iterator[str]:
        return iter(str(self))

    def __contains__(self, part: str) -> bool:
        return part in str(self)

    def __getitem__(self, index: int | slice) -> str:
        return str(self)[index]

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __getattr__(self, name: str) -> Any:
        """The methods of ``str``, on the text of the moment."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(str(self), name)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (self.msgid, self.context, self.plural, self.number))


def _restore(msgid: str, context: str | None, plural: str | None, number: int | str | None) -> LazyText:
    return LazyText(msgid, context=context, plural=plural, number=number)


class LazyFormat:
    """``str.format`` that waits until it is shown, since its parts are lazy."""

    __slots__ = ("arguments", "options", "template")

    def __init__(self, template: str | LazyText, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.template = template
        self.arguments = arguments
        self.options = options

    def __str__(self) -> str:
        return str(self.template).format(*self.arguments, **self.options)

    def __repr__(self) -> str:
        return f"LazyFormat({self.template!r})"


def gettext_lazy(message: str) -> LazyText:
    """``gettext`` at ``str()``."""
    return LazyText(message)


def pgettext_lazy(context: str, message: str) -> LazyText:
    """``pgettext`` at ``str()``."""
    return LazyText(message, context=context)


def ngettext_lazy(singular: str, plural: str, n: int | str | None = None) -> LazyText:
    """``ngettext`` at ``%``.

    Args:
        singular: Source text for one.
        plural: Source text for several.
        n: The number, or the key of it in the values given to ``%``; None when ``%`` is given it alone.
    """
    return LazyText(singular, plural=plural, number=n)


def npgettext_lazy(context: str, singular: str, plural: str, n: int | str | None = None) -> LazyText:
    """``npgettext`` at ``%``; see :func:`ngettext_lazy`."""
    return LazyText(singular, context=context, plural=plural, number=n)


def format_lazy(template: str | LazyText, /, *arguments: Any, **options: Any) -> LazyFormat:
    """``template.format(...)`` at ``str()``: ``format_lazy("{} ({})", _("Draft"), 3)``."""
    return LazyFormat(template, arguments, options)
