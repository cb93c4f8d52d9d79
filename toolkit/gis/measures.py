"""Lengths and areas with their units: ``D(km=5)``, ``A(ha=12)``.

The spellings are Django's (`django.contrib.gis.measure`). Factors are exact by definition (international
foot, mile and acre of 1959; nautical mile of 1929).
"""

from __future__ import annotations

import math
from functools import total_ordering
from typing import Any, ClassVar, Self

from toolkit.errors import GeometryError, did_you_mean


@total_ordering
class Measure:
    """A quantity in its base unit, made from one unit and read in any.

    Raises:
        GeometryError: No unit, several, an unknown one, or a value that is no finite number.
    """

    UNITS: ClassVar[dict[str, float]] = {}
    BASE: ClassVar[str] = ""
    __slots__ = ("standard",)
    standard: float

    def __init__(self, **units: float) -> None:
        if len(units) != 1:
            given = ", ".join(units) or "none"
            raise GeometryError(f"{type(self).__name__} takes one unit, not {given}", hint=f"Such as {self._example()}")
        ((unit, value),) = units.items()
        if unit not in self.UNITS:
            raise GeometryError(f"{unit!r} is not a unit of {type(self).__name__}", hint=did_you_mean(unit, self.UNITS))
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise GeometryError(f"{type(self).__name__}({unit}={value!r}) is not a finite number")
        object.__setattr__(self, "standard", float(value) * self.UNITS[unit])

    @classmethod
    def _example(cls) -> str:
        return f"{cls.__name__}({cls.BASE}=500)"

    @classmethod
    def of(cls, standard: float) -> Self:
        """A measure of so many base units (metres, square metres)."""
        return cls(**{cls.BASE: standard})

    def __getattr__(self, unit: str) -> float:
        try:
            return self.standard / self.UNITS[unit]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no unit {unit!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} does not change; make another")

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).of, (self.standard,))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.BASE}={self.standard!r})"

    def __hash__(self) -> int:
        return hash((type(self), self.standard))

    def __eq__(self, other: object) -> bool:
        return self.standard == other.standard if type(other) is type(self) else NotImplemented

    def __lt__(self, other: Any) -> bool:
        return self.standard < other.standard if type(other) is type(self) else NotImplemented

    def __add__(self, other: Self) -> Self:
        return self.of(self.standard + other.standard) if type(other) is type(self) else NotImplemented

    def __sub__(self, other: Self) -> Self:
        return self.of(self.standard - other.standard) if type(other) is type(self) else NotImplemented

    def __mul__(self, factor: float) -> Self:
        return self.of(self.standard * factor) if isinstance(factor, (int, float)) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, factor: float) -> Self:
        return self.of(self.standard / factor) if isinstance(factor, (int, float)) else NotImplemented

    def __bool__(self) -> bool:
        return self.standard != 0


class D(Measure):
    """A distance: ``D(m=300)``, ``D(km=5)``, ``D(mi=1)``, ``D(nmi=1)``, ``D(ft=100)``, ``D(yd=10)``."""

    UNITS = {"m": 1.0, "km": 1000.0, "mi": 1609.344, "nmi": 1852.0, "ft": 0.3048, "yd": 0.9144}
    BASE = "m"
    __slots__ = ()


class A(Measure):
    """An area: ``A(sq_m=300)``, ``A(sq_km=5)``, ``A(ha=12)``, ``A(sq_mi=1)``, ``A(acre=40)``."""

    UNITS = {"sq_m": 1.0, "sq_km": 1e6, "ha": 1e4, "sq_mi": 1609.344**2, "acre": 4046.8564224}
    BASE = "sq_m"
    __slots__ = ()
