"""Relations by way of a table between, as attributes: ``story.tags``, ``tag.stories``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from toolkit.errors import IntegrityError
from toolkit.models.many_to_many import ManyToManyField
from toolkit.models.related import Defaults, Related, atomic_for
from toolkit.models.relations import ForeignKey
from toolkit.models.scopes import current_scope
from toolkit.signals import m2m_changed

LINK_ATTEMPTS = 3
"""How often rows between are added again when another writer was faster."""


class RelatedBetween(Related):
    """Partners by way of a table between: a many-to-many field, or its other side.

    Args:
        name: The attribute.
        declared: The many-to-many field.
        forward: Whether it is the field's own side.
    """

    def __init__(self, name: str, declared: ManyToManyField[Any], *, forward: bool) -> None:
        target, path = (declared.target, declared.query_name) if forward else (declared.model, declared.name)
        super().__init__(name, declared, target, path)
        self.forward = forward

    @property
    def of_model(self) -> Any:
        """The field itself on its own side."""
        return self.declared if self.forward else self

    @cached_property
    def _sides(self) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
        own, other = self.declared.link_fields()
        return (own, other) if self.forward else (other, own)

    @cached_property
    def anchor(self) -> Any:
        """The owner's field that the rows between refer to."""
        return self._sides[0].target_field

    @property
    def through(self) -> Any:
        """The model of the table between."""
        return self.declared.through

    @property
    def compared(self) -> Any:
        """The owner's key."""
        return (self.declared.model if self.forward else self.declared.target)._meta.pk

    def keys_of(self, partners: Iterable[Any]) -> list[Any]:
        """What the rows between refer to."""
        return self._keys(partners, self._sides[1].target_field)

    def _links(self) -> Any:
        return self.declared.through._meta.base_manager.unrestricted()

    def add(self, owner: Any, partners: Iterable[Any], *, bulk: bool = True, through_defaults: Defaults = None) -> None:
        """See ``RelatedManager.add``."""
        owner.__dict__.pop(self.asked, None)
        mine, keys = getattr(owner, self.anchor.attname), self.keys_of(partners)
        if not keys:
            return
        with (
            atomic_for(owner),
            self._told(owner, "add", self._missing, keys),
        ):
            self._link(mine, keys, through_defaults)
            if self.declared.symmetrical:
                for key in keys:
                    if key != mine:
                        self._link(key, [mine], through_defaults)

    def _missing(self, owner: Any, keys: Sequence[Any]) -> set[Any]:
        return set(keys) - set(self.present(owner))

    @contextmanager
    def _told(
        self, owner: Any, verb: str, find: Callable[[Any, Sequence[Any]], Any], keys: Sequence[Any]
    ) -> Iterator[None]:
        """A block around which ``m2m_changed`` is sent; which keys is found out only if somebody hears it."""
        scope = current_scope()
        receivers, sender = scope.database.receivers, self.declared.through
        if not receivers.hears(m2m_changed, sender):
            yield
            return
        values = {"instance": owner, "reverse": not self.forward, "model": self.target, "pk_set": find(owner, keys)}
        receivers.send(m2m_changed, sender, action=f"pre_{verb}", scope=scope, **values)
        yield
        receivers.send(m2m_changed, sender, action=f"post_{verb}", scope=scope, **values)

    def _link(self, mine: Any, keys: Sequence[Any], defaults: Defaults) -> None:
        """Add the rows between that are missing. One that another writer adds meanwhile stays as it is.

        In a table of the field's own nothing but the pair is unique, so the database can pass over those. A model of
        somebody's may have other constraints, which no row may be lost by: what is there is asked again.
        """
        own, other = self._sides
        extra = {name: value() if callable(value) else value for name, value in (defaults or {}).items()}
        through = self.declared.through
        database = current_scope().of(through, writing=True).database
        for attempt in range(LINK_ATTEMPTS):
            rows = self._links().filter(**{own.name: mine, f"{other.name}__in": keys})
            present = set(rows.values_list(other.attname, flat=True))
            made = [through(**{own.attname: mine, other.attname: key, **extra}) for key in keys if key not in present]
            if not made:
                return
            try:
                with database.atomic():
                    self._links().bulk_create(made, ignore_conflicts=through._meta.hidden)
                return
            except IntegrityError:  # another writer added one of them, or a partner is not there
                if attempt == LINK_ATTEMPTS - 1:
                    raise

    def remove(self, owner: Any, keys: Sequence[Any], *, bulk: bool = True) -> None:
        """See ``RelatedManager.remove``."""
        owner.__dict__.pop(self.asked, None)
        own, other = self._sides
        mine = getattr(owner, self.anchor.attname)
        with atomic_for(owner), self._told(owner, "remove", lambda _, gone: set(gone), keys):
            self._links().filter(**{own.name: mine, f"{other.name}__in": keys}).delete()
            if self.declared.symmetrical:
                self._links().filter(**{other.name: mine, f"{own.name}__in": keys}).delete()

    def clear(self, owner: Any, *, bulk: bool = True) -> None:
        """See ``RelatedManager.clear``."""
        owner.__dict__.pop(self.asked, None)
        own, other = self._sides
        mine = getattr(owner, self.anchor.attname)
        with atomic_for(owner), self._told(owner, "clear", lambda *_: None, ()):
            self._links().filter(**{own.name: mine}).delete()
            if self.declared.symmetrical:
                self._links().filter(**{other.name: mine}).delete()

    def present(self, owner: Any) -> list[Any]:
        """What refers to the partners that there are, whoever may see them."""
        own, other = self._sides
        rows = self._links().filter(**{own.name: getattr(owner, self.anchor.attname)})
        return list(rows.order_by().values_list(other.attname, flat=True))
