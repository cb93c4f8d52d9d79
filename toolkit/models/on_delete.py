"""What becomes of references to a row that is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args


class SET:
    """``on_delete=SET(value)``: references to a row that goes are set to a value.

    Args:
        value: An instance, a key, or a function that gives one, which is called when it is needed.
    """

    def __init__(self, value: Any) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"SET({self._value!r})"

    def value(self) -> Any:
        """The value."""
        return self._value() if callable(self._value) else self._value


Rule = Literal[
    "cascade",
    "protect",
    "restrict",
    "set_null",
    "set_default",
    "do_nothing",
    "db_cascade",
    "db_set_null",
    "db_set_default",
]


RULES: tuple[Any, ...] = get_args(Rule)


OnDelete = Rule | SET


CASCADE: Rule = "cascade"


PROTECT: Rule = "protect"


RESTRICT: Rule = "restrict"


SET_NULL: Rule = "set_null"


SET_DEFAULT: Rule = "set_default"


DO_NOTHING: Rule = "do_nothing"


DB_CASCADE: Rule = "db_cascade"


DB_SET_NULL: Rule = "db_set_null"


DB_SET_DEFAULT: Rule = "db_set_default"


BY_DATABASE: Mapping[Any, str] = {DB_CASCADE: "CASCADE", DB_SET_NULL: "SET NULL", DB_SET_DEFAULT: "SET DEFAULT"}
"""What the database itself does (``ON DELETE``), whoever deletes the row."""
