"""What may stand behind a field in a path: ``title__icontains``, ``published__year``."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import DeclarationError
from toolkit.models.declarations import DeclarationType
from toolkit.models.lookups import COMMON, Lookup, LookupFunction

if TYPE_CHECKING:
    from toolkit.models.calls import Transform

_PROVIDING = ("toolkit.models.functions.parts", "toolkit.models.functions.truncating")
"""Modules of the toolkit's own transforms. Most questions have none."""


class Lookable(metaclass=DeclarationType):
    """A kind of field knows its lookups and transforms, and those of the kinds that it is made from.

    Attributes:
        lookups: Lookups of this kind of field, beside those of the classes it is made from; None takes one away.
            See ``register_lookup``.
        transforms: Functions that may stand behind such a field in a path, by name; see ``register_transform``.
    """

    lookups: ClassVar[Mapping[str, LookupFunction | None]] = COMMON
    transforms: ClassVar[Mapping[str, type[Transform]]] = {}

    @classmethod
    def register_transform(cls, transform: type[Transform]) -> type[Transform]:
        """Let a transform stand behind fields of this class and its subclasses; usable as a decorator."""
        cls.transforms = {**vars(cls).get("transforms", {}), transform.lookup_name: transform}
        return transform

    @classmethod
    def provide_transform(cls, transform: type[Transform]) -> type[Transform]:
        """The same for the toolkit's own, which are imported when one is asked for: one that was registered wins."""
        found = vars(cls).get("transforms", {})
        cls.transforms = {**found, transform.lookup_name: found.get(transform.lookup_name, transform)}
        return transform

    @classmethod
    def register_lookup(cls, lookup: Any, name: str = "") -> Any:
        """Let a lookup, or a transform, stand behind fields of this class and its subclasses; usable as a decorator.

        Args:
            lookup: A subclass of ``Lookup`` or of ``Transform``, or a function that builds the condition.
            name: What stands in the path; by default the class's ``lookup_name``.

        Raises:
            DeclarationError: It has no name, or one that no path can have.
        """
        name = name or getattr(lookup, "lookup_name", "")
        if not name.isidentifier() or "__" in name:
            raise DeclarationError(
                f"{lookup!r} cannot be a lookup of {cls.__name__} under the name {name!r}",
                hint="Give it a lookup_name of letters, digits and single underscores.",
            )
        if hasattr(lookup, "output"):
            cls.transforms = {**vars(cls).get("transforms", {}), name: lookup}
        else:
            build = lookup.build if isinstance(lookup, type) and issubclass(lookup, Lookup) else lookup
            cls.lookups = {**vars(cls).get("lookups", {}), name: build}
        return lookup

    def find_lookup(self, name: str) -> LookupFunction | None:
        """The lookup of this name, or None."""
        return next((found[name] for found in self._registered("lookups") if name in found), None)

    def known_lookups(self) -> list[str]:
        """The names of the lookups that may stand behind the field, sorted."""
        return sorted(
            name for name in {n for found in self._registered("lookups") for n in found} if self.find_lookup(name)
        )

    def find_transform(self, name: str) -> Any:
        """The transform of this name, or None. A field whose transforms are not known by name overrides it."""
        return next((found[name] for found in self._registered_transforms() if name in found), None)

    def known_transforms(self) -> list[str]:
        """The names of the transforms that may stand behind the field, sorted."""
        return sorted({name for found in self._registered_transforms() for name in found})

    def _registered(self, what: str) -> Iterable[Mapping[str, Any]]:
        return (vars(kind)[what] for kind in type(self).__mro__ if what in vars(kind))

    def _registered_transforms(self) -> Iterable[Mapping[str, Any]]:
        for module in _PROVIDING:
            importlib.import_module(module)
        return self._registered("transforms")
