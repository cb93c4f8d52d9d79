"""Functions that are made. As text, where a loop over columns or parameters would cost a multiple at each row."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def make_function(source: str, names: dict[str, Any]) -> Any:
    """The function that a text defines.

    Args:
        source: The text of one function: names and numbers of our own, no value of a user's.
        names: What the text speaks of. The function keeps this dict.
    """
    exec(_compiled(source), names)  # noqa: S102 - see above
    return names[source[4 : source.index("(")]]


@lru_cache(maxsize=2_000)
def _compiled(source: str) -> CodeType:
    """Half of all statements bind as another one does: 0.1 ms less for each."""
    return compile(source, "<generated>", "exec")


def made_by(function: F, maker: Callable[..., Any], *arguments: Any) -> F:
    """Note how a function can be made in another process.

    Args:
        function: It.
        maker: A function of a module, which gives it.
        arguments: What it is called with.
    """
    function.__dict__["made_by"] = (maker, arguments)
    return function
