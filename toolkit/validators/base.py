"""What all validators share: a message, a code, and that two of the same settings are equal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from toolkit.errors import FEW_NAMES, ValidationError, near_names
from toolkit.i18n import gettext_lazy

SHOWN_CHARACTERS = 60
"""How much of a refused value a message repeats."""


def shown(value: Any) -> str:
    """A value as a message repeats it: quoted, and not longer than a reader needs."""
    if isinstance(value, str | bytes):
        return repr(value) if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]!r}…"
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - a number of thousands of digits, or a broken __str__
        return f"a value of the type {type(value).__name__}"
    return text if len(text) <= 2 * SHOWN_CHARACTERS else f"{text[: 2 * SHOWN_CHARACTERS]}…"


_MEANT_ONE = gettext_lazy("Did you mean %(names)s?")
_MEANT_SEVERAL = gettext_lazy("Did you mean one of these: %(names)s?")
_THERE_IS = gettext_lazy("There is: %(names)s.")


def meant(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest known names, or all of them when few, in the language of the moment."""
    names = sorted(set(known))
    near = near_names(name, names)
    if near:
        told = ", ".join(map(repr, near))
        return (_MEANT_ONE if len(near) == 1 else _MEANT_SEVERAL) % {"names": told}
    return _THERE_IS % {"names": ", ".join(names)} if 0 < len(names) <= FEW_NAMES else ""


def refusal(message: Any, value: Any, *, code: str = "invalid", hint: Any = None, **params: Any) -> ValidationError:
    """The error for a value, in the language of the moment.

    Args:
        message: What to say, best of all lazily translated; it may speak of ``%(shown)s``, ``%(value)s`` and of
            ``params``.
        value: The value that is refused.
        code: The error's stable name.
        hint: How to mend it.
        params: What else the message may speak of, by name.
    """
    return ValidationError(message, code=code, params={"value": value, "shown": shown(value), **params}, hint=hint)


class Validator:
    """A rule for one value: call it, and it raises ``ValidationError`` or does nothing.

    A rule of your own is any function that does the same. A class that inherits from this one gets equality, a
    readable ``repr``, and a message that ``message=`` replaces.

    Args:
        message: What to say instead; ``%(value)s`` stands for the value.
        code: The error's stable name.
    """

    message: Any = gettext_lazy("%(shown)s is not a valid value")
    code: str = "invalid"
    hint: Any = None

    internal: ClassVar[frozenset[str]] = frozenset({"pattern"})
    """Attributes that are made from the others."""

    def __init__(self, message: Any = None, code: str | None = None) -> None:
        if message is not None:
            self.message, self.hint = message, None
        if code is not None:
            self.code = code

    def __call__(self, value: Any) -> None:
        raise TypeError(f"{type(self).__name__} must define __call__()")

    def refuse(self, value: Any, **params: Any) -> ValidationError:
        """The error for a value.

        Args:
            value: The value that is refused.
            params: What else the message may speak of, by name.
        """
        return refusal(self.message, value, code=self.code, hint=self.hint, **params)

    @property
    def settings(self) -> dict[str, Any]:
        """What this one was told, by name."""
        return {name: value for name, value in vars(self).items() if name not in self.internal}

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.settings == other.settings

    def __hash__(self) -> int:
        return hash((type(self), repr(sorted(self.settings.items(), key=lambda item: item[0]))))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.settings.items() if value is not None)
        return f"{type(self).__name__}({told})"
