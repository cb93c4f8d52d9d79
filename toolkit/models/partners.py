"""The rows on the other side of a relation, loaded for all owners that were loaded together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from toolkit.models.along import Along
from toolkit.models.batches import Groups, ask_shape, note_keyed
from toolkit.models.fetching import mode_of, neighbours_of, spread
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
        cache: The attribute of owners where the partners are kept, with what they were asked for with (``Along``), and
            by what a trace knows them, if that is more than their keys.
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
        """Whether the partners of an owner are loaded already for whoever looks, and none was written since."""
        return has_many(owner, self)

    def fetch(self, owner: Any, *, waiting: Sequence[Any] | None = None) -> list[Any]:
        """The partners of an owner, loaded for its peers too. Recorded by nobody: see ``note``.

        They are kept with what they hold for: what this process writes, it sees, and nobody sees what is another's.
        """
        cache = self.cache
        found = owner.__dict__.get(cache)
        scope = scope_from(owner)
        if found is None or not found[0].holds(scope):
            shape = find_shape(scope, self.query)
            made = Along(scope, self.relation.target, shape)
            if waiting is None:
                waiting = self._waiting(owner, scope, made, None if found is None else found[0])
            keys = [*map(self.key_reader(scope), waiting)]
            wanted = dict.fromkeys(keys)
            wanted.pop(None, None)
            groups, named = ask_shape(scope, shape, self.values, wanted)
            if shape.names_more:
                for peer, key in zip(waiting, keys, strict=True):
                    peer.__dict__[cache] = (made, groups.get(key, []), named.get(key, []))
            else:
                for peer, key in zip(waiting, keys, strict=True):
                    peer.__dict__[cache] = (made, groups.get(key, []), None)
            self.loaded(owner, groups)
            found = owner.__dict__[cache]
        partners: list[Any] = found[1]
        return partners

    def loaded(self, owner: Any, groups: Groups) -> None:
        """What to do with partners when they have been loaded."""
        spread(mode_of(owner), chain.from_iterable(groups.values()))

    def _waiting(self, owner: Any, scope: Scope, made: Along, before: Along | None) -> list[Any]:
        """The owner and those of its peers for whom to ask the same, as it is not known or holds no longer.

        Args:
            owner: It.
            scope: Who asks.
            made: What will be kept with them.
            before: What the owner's were kept with.
        """
        kind, cache, asked = type(owner), self.cache, f"_asked_{self.relation.name}"
        own = owner.__dict__.get(asked)
        if before is not None:
            others = made.others(scope, owner, cache, before)
        else:
            others = [peer for peer in neighbours_of(owner) if cache not in peer.__dict__ and peer is not owner]
        return [owner, *[peer for peer in others if peer.__dict__.get(asked) is own and type(peer) is kind]]

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
    """Whether the partners of an owner are loaded already for whoever looks, and none was written since."""
    found = owner.__dict__.get(relation.cache)
    return found is not None and found[0].holds(scope_from(owner))
