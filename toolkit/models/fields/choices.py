"""Choices of a field: pairs of a value and its label, in groups if there are many, or a class of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, EnumType, IntEnum, StrEnum
from typing import Any, TypeAlias

Choice: TypeAlias = tuple[Any, str]
Choices: TypeAlias = Iterable[Any] | Mapping[Any, Any] | type[Enum] | Callable[[], Any]
"""What ``choices=`` takes."""


class ChoicesType(EnumType):
    """The class of classes of choices: what can be asked of the class itself."""

    @property
    def choices(cls) -> list[Choice]:
        """Pairs of value and label; first the empty choice, if ``__empty__`` gives it a label."""
        empty = [(None, cls.__empty__)] if hasattr(cls, "__empty__") else []
        return [*empty, *((member.value, member.label) for member in _members(cls))]

    @property
    def labels(cls) -> list[str]:
        """The labels, in order."""
        return [label for _, label in cls.choices]

    @property
    def values(cls) -> list[Any]:
        """The values, in order."""
        return [value for value, _ in cls.choices]

    @property
    def names(cls) -> list[str]:
        """The names of the members, in order."""
        empty = ["__empty__"] if hasattr(cls, "__empty__") else []
        return [*empty, *(member.name for member in _members(cls))]

    def __contains__(cls, value: object) -> bool:
        return any(value == member.value for member in _members(cls))


def _members(kind: Any) -> list[Any]:
    return list(kind)


def _label_of(member: Any) -> Any:
    given = member._given_label
    return member.name.replace("_", " ").title() if given is None else given


class TextChoices(StrEnum, metaclass=ChoicesType):
    """Choices whose values are text.

    ::

        class Status(models.TextChoices):
            DRAFT = "draft", "Draft"
            LIVE = "live", "Live"

    Each member is its value: ``Status.LIVE == "live"``. Without a label it is named after the member.
    """

    _given_label: Any

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last_values: list[Any]) -> str:
        return name

    def __new__(cls, value: str, label: Any = None) -> TextChoices:
        """A member with a label."""
        member = str.__new__(cls, value)
        member._value_ = value
        member._given_label = label
        return member

    @property
    def label(self) -> Any:
        """What people read."""
        return _label_of(self)


class IntegerChoices(IntEnum, metaclass=ChoicesType):
    """Choices whose values are whole numbers: ``LOW = 1, "Low"``."""

    _given_label: Any

    def __new__(cls, value: int, label: Any = None) -> IntegerChoices:
        """A member with a label."""
        member = int.__new__(cls, value)
        member._value_ = value
        member._given_label = label
        return member

    @property
    def label(self) -> Any:
        """What people read."""
        return _label_of(self)


def list_choices(given: Any) -> list[Any]:
    """Choices as they are shown: pairs, and groups as ``(name, pairs)``."""
    if isinstance(given, ChoicesType):
        return list(given.choices)
    if isinstance(given, type) and issubclass(given, Enum):
        return [(member.value, member.name.replace("_", " ").title()) for member in given]
    if callable(given):
        return list_choices(given())
    pairs = given.items() if isinstance(given, Mapping) else given
    return [(first, list_choices(second)) if _is_group(second) else (first, second) for first, second in pairs]


def _is_group(second: Any) -> bool:
    return isinstance(second, list | tuple | Mapping)


def flatten_choices(given: Any) -> list[Choice]:
    """All choices, those in groups included."""
    found: list[Choice] = []
    for first, second in list_choices(given):
        found += second if isinstance(second, list) else [(first, second)]
    return found
