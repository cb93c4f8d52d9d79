"""Scalars of YAML that PyYAML's constructors fail on with errors of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_PREFIX = "tag:yaml.org,2002:"
_LONGEST_BITS = 14_000
"""Of a whole number: Python writes numbers of more than 4,300 digits no more, and reads longer ones if they are hex."""


def check_scalars(loader: Any) -> None:
    """Let a subclass of ``yaml.SafeLoader`` raise ValueError for each scalar that is not what its tag says.

    PyYAML has a KeyError for ``!!bool maybe``, an IndexError for ``!!int ''``, an AttributeError for ``!!timestamp x``
    and an OverflowError for a float of too many sexagesimal places.
    """
    for kind in ("bool", "int", "float", "timestamp"):
        loader.add_constructor(_PREFIX + kind, _checked(kind, loader.yaml_constructors[_PREFIX + kind]))


def _checked(kind: str, construct: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def call(loader: Any, node: Any) -> Any:
        try:
            value = construct(loader, node)
        except (ArithmeticError, AttributeError, LookupError) as error:
            raise ValueError(f"it is no {kind}") from error
        if value.__class__ is int and value.bit_length() > _LONGEST_BITS:
            raise ValueError("it has more than 4,300 digits")
        return value

    return call
