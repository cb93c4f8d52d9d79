"""The rows on the other side of a relation, loaded for all owners that were loaded together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from toolkit.models.batches import Groups, ask_shape, note_keyed, stale_peers
from toolkit.models.fetching import mode_of, spread
from toolkit.models.query import Query
from toolkit.models.routing import scope_from
from toolkit.models.scopes import current_scope, find_shape
from toolkit.trace import Scope


def find_relation(model: Any, name: str) -> Any:
    """The descriptor of a many-valued relation, or of the other side of a one-to-one field; None if there is none."""
    found = next((vars(kind)[name] for kind in model.__mro__ if name in vars(kind)), None)
    return found if hasattr(found, "relation") else None


class Partners:
    """The question for the partners of owners in a relation.

    Args:
        relation: ``Related`` of the accessor, or whatever else has its ``name``, ``target`` and ``path``.
        cache: The attribute of owners where the partners are kept, with what they hold for (``Scope.standing``).
        query: The keyed query.
        values: Its values.
    """

    def __init__(self, relation: Any, cache: str, query: Query, values: Sequence[Any] = ()) -> None:
        self.relation, self.cache, self.query, self.values = relation, cache, query, values

    def key_reader(self, scope: Scope) -> Callable[[Any], Any]:
        """A function from an owner to the driver's value of what its partners refer to."""
        reader: Callable[[Any], Any] = self.relation.key_reader(scope)
        return reader

    def is_known(self, owner: Any) -> bool:
        """Whether the partners of an owner are loaded already for whoever looks, and nothing was written since."""
        return has_many(owner, self)

    def fetch(self, owner: Any, *, waiting: Sequence[Any] | None = None) -> list[Any]:
        """The partners of an owner, loaded for its peers too. Recorded by nobody: see ``note``.

        They are kept with what they hold for: what this process writes, it sees, and nobody sees what is another's.
        """
        found = owner.__dict__.get(self.cache)
        scope = scope_from(owner)
        standing = scope.standing
        if found is None or found[0] != standing:
            if waiting is None:
                waiting = self._waiting(owner, standing)
            keys = [*map(self.key_reader(scope), waiting)]
            shape = find_shape(scope, self.query)
            groups, named = ask_shape(
                scope, shape, self.values, [key for key in dict.fromkeys(keys) if key is not None]
            )
            several, cache = shape.names_more, self.cache
            for peer, key in zip(waiting, keys, strict=True):
                peer.__dict__[cache] = (standing, groups.get(key, []), named.get(key, []) if several else None)
            self.loaded(owner, groups)
            found = owner.__dict__[self.cache]
        partners: list[Any] = found[1]
        return partners

    def loaded(self, owner: Any, groups: Groups) -> None:
        """What to do with partners when they have been loaded."""
        spread(mode_of(owner), chain.from_iterable(groups.values()))

    def _waiting(self, owner: Any, standing: Any) -> list[Any]:
        """The owner and those of its peers of whom the same is asked and not known."""
        asked = f"_asked_{self.relation.name}"
        own = owner.__dict__.get(asked)
        peers = stale_peers(owner, self.cache, standing)
        return [peer for peer in peers if peer.__dict__.get(asked) is own]

    def note(self, scope: Scope, owner: Any) -> list[Any]:
        """The partners of an owner, recorded as a read of the page at hand."""
        found = self.fetch(owner)
        if scope.trace is not None and (key := self.key_reader(scope)(owner)) is not None:
            named = owner.__dict__[self.cache][2]
            note_keyed(scope, find_shape(scope, self.query), self.values, key, found, named)
        return found


def partners_of(owner: Any, relation: Any) -> Partners:
    """The question for an owner's partners: what a ``Prefetch`` made of it, or for all of them."""
    asked: Partners | None = owner.__dict__.get(relation.asked)
    if asked is not None:
        return asked
    known: dict[Any, Partners] = relation.__dict__.setdefault("_partners", {})
    every = known.get(type(owner))
    if every is None:  # one object, so that its shape is found by identity
        operations, values = relation.narrowing(owner, 0)
        query = Query(relation.target, (*operations, ("keyed", relation.keyed)), "instances")
        every = known[type(owner)] = Partners(relation, relation.cache, query, values)
    return every


def load_many(owner: Any, relation: Any) -> list[Any]:
    """The partners of an owner in a many-valued relation, as a read of the page at hand.

    Args:
        owner: An instance.
        relation: ``Related`` of the accessor: name, target model and the path back to the owner.
    """
    return partners_of(owner, relation).note(current_scope(), owner)


def fetch_many(owner: Any, relation: Any) -> list[Any]:
    """The partners of an owner, loaded for its peers too. Recorded by nobody: see ``load_many``."""
    return partners_of(owner, relation).fetch(owner)


def has_many(owner: Any, relation: Any) -> bool:
    """Whether the partners of an owner are loaded already for whoever looks, and nothing was written since."""
    found = owner.__dict__.get(relation.cache)
    return found is not None and found[0] == scope_from(owner).standing
