"""Related content by shared tags: ``related = Similar("tags")``, then ``story.related(5)``.

Most shared tags first; among equals, the model's own ordering. What comes out depends on the set of tags alone (and
on leaving the story itself out), so a ranking is made once for each set of tags, however many stories have it. Where
many are wanted, it is made from an inverted index that is loaded once for each snapshot; for a few, only the rows that
have one of the tags are loaded.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, Generic, TypeVar, overload

import msgspec

from toolkit.errors import DeclarationError, did_you_mean
from toolkit.models.batches import ask_keyed, note_row, raw
from toolkit.models.fetching import neighbours_of
from toolkit.models.many_to_many import ManyToManyField
from toolkit.models.options import located
from toolkit.models.partners import fetch_many, find_relation, load_many
from toolkit.models.query import Query
from toolkit.models.queryset import QuerySet
from toolkit.models.scopes import current_scope, find_shape
from toolkit.trace import Scope, digest

M = TypeVar("M")

FEW_SETS = 3
"""Sets of tags that are ranked in one snapshot before all rows are loaded for more: an edit shows few pages anew."""

SEVERAL = 16
"""Tags that few stories have more of."""


class TagIndex(msgspec.Struct, frozen=True):
    """Which rows have which tag, the rows numbered in the model's order; of all tags, or of some.

    Args:
        keys: Primary keys by number.
        rows: Tag key to the numbers of its rows.
    """

    keys: Sequence[Any]
    rows: dict[Any, list[int]]

    def rank(self, tags: Iterable[Any], limit: int) -> list[Any]:
        """Keys of the rows that share most of these tags, at most ``limit``, best first."""
        counts: Counter[int] = Counter()
        for tag in tags:
            counts.update(self.rows.get(tag, ()))
        best = heapq.nsmallest(limit, counts.items(), key=lambda item: (-item[1], item[0]))
        return [self.keys[number] for number, _ in best]


class Similar(Generic[M]):
    """Rows of the same model that share partners in a many-to-many relation.

    Args:
        name: The many-to-many field.
    """

    def __init__(self, name: str) -> None:
        self.by = name
        self.name = ""
        self.model: Any = None

    def contribute_virtual(self, model: Any, name: str) -> None:
        """Take a place on a model class."""
        field = model._meta.by_name.get(self.by)
        if not isinstance(field, ManyToManyField):
            many = [item.name for item in model._meta.many_to_many]
            raise DeclarationError(
                f"{model.__name__}.{name}: Similar({self.by!r}) needs a many-to-many field",
                hint=did_you_mean(self.by, many),
            )
        if model._meta.composite_key is not None:
            raise DeclarationError(
                f"{model.__name__}.{name}: rows are ranked by a key of one field", hint="Give the model a simple key."
            )
        self.model, self.name = model, name

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Similar[M]: ...
    @overload
    def __get__(self, instance: object, owner: type[Any]) -> SimilarTo[Any]: ...
    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self if instance is None else SimilarTo(self, instance)

    def rank(
        self, scope: Scope, tags: tuple[Any, ...], limit: int, *, memo: dict[Any, Any] | None = None, sets: int = 1
    ) -> list[Any]:
        """Keys of the best rows for a set of tags; made once for each snapshot, set and limit.

        Args:
            scope: Who asks, and at which moment.
            tags: Keys of the tags, sorted.
            limit: The most keys to give.
            memo: Where rankings are kept, for a caller that asks for many at one instant.
            sets: How many sets of tags the caller is about to ask for.
        """
        memo = self.memo(scope) if memo is None else memo
        key = ("similar", self.model, self.by, scope.sight, scope.locale, scope.moment, tags, limit)
        found: list[Any] | None = memo.get(key)
        if found is None:
            found = memo[key] = self._index(scope, memo, tags, sets).rank(tags, limit) if tags else []
        return found

    def memo(self, scope: Scope) -> dict[Any, Any]:
        """Where rankings are kept; nowhere while the clock runs, if what is public depends on it."""
        if scope.moment is None and scope.sight[0] and (self.clock(scope) or self._keys_shape(scope).opaque):
            return {}
        memo: dict[Any, Any] = scope.database.memo
        return memo

    def _index(self, scope: Scope, memo: dict[Any, Any], tags: Sequence[Any], sets: int) -> TagIndex:
        key = ("similar index", self.model, self.by, scope.sight, scope.locale, scope.moment)
        kept: TagIndex | int = memo.get(key, 0)
        if isinstance(kept, TagIndex):
            return kept
        if kept + sets <= FEW_SETS:
            memo[key] = kept + 1
            padded = [*tags, *repeat(tags[-1], -len(tags) % SEVERAL)]  # so that one statement does for most stories
            return self._load_index(scope, self._link_query().filter(**{f"{self._link_names()[1]}__in": padded}))
        index = memo[key] = self._load_index(scope)
        return index

    def _load_index(self, scope: Scope, some: QuerySet[Any] | None = None) -> TagIndex:
        """The index of all rows.

        Args:
            scope: Who asks.
            some: The links that count, if not all do.
        """
        own, other = self._link_names()
        links = self._link_query() if some is None else some
        rows = QuerySet[Any](self.model).values_list("pk")
        keys = [key for (key,) in _fetch(scope, rows if some is None else rows.filter(pk__in=some.values(own)))]
        numbers = {key: number for number, key in enumerate(keys)}
        found: dict[Any, list[int]] = {}
        for key, tag in _fetch(scope, links.values_list(own, other)):
            if key in numbers:
                found.setdefault(tag, []).append(numbers[key])
        return TagIndex(keys, found)

    def _link_query(self) -> QuerySet[Any]:
        return QuerySet[Any](self.model._meta.by_name[self.by].through).order_by()

    def _link_names(self) -> tuple[str, str]:
        own, other = self.model._meta.by_name[self.by].link_fields()
        return own.attname, other.attname

    def _keys_shape(self, scope: Scope) -> Any:
        return find_shape(scope, Query(self.model, (("values", ("pk",)),), "instances"))

    def footprint(self, scope: Scope) -> tuple[tuple[str, str], ...]:
        """The columns that a ranking depends on."""
        field = self.model._meta.by_name[self.by]
        own, other = field.link_fields()
        table = located(field.through._meta.table, self.model._meta.database)
        return (*self._keys_shape(scope).footprint, (table, own.column), (table, other.column))

    def clock(self, scope: Scope) -> tuple[tuple[str, str, int], ...]:
        """The columns of it that are compared with the moment."""
        found: tuple[tuple[str, str, int], ...] = self._keys_shape(scope).clock
        return found

    def record(self, scope: Scope) -> dict[str, Any]:
        """All that another process needs to ask again."""
        return {
            "id": self.shape_id(scope),
            "similar": [located(self.model._meta.table, self.model._meta.database), self.name],
            "footprint": [list(pair) for pair in self.footprint(scope)],
            "clock": [list(each) for each in self.clock(scope)],
            "opaque": self._keys_shape(scope).opaque,
        }

    def answer(self, scope: Scope, tags: Iterable[Any], limit: int) -> bytes:
        """The digest of a ranking, for tags as a trace has them."""
        read = self.model._meta.by_name[self.by].target._meta.pk.db_reader(scope.database.dialect)
        return digest(self.rank(scope, tuple(map(read, tags) if read is not None else tags), limit))

    def shape(self, scope: Scope, memo: dict[Any, Any]) -> SimilarShape:
        """What a trace keeps of this question; made once for all pages that show one state."""
        key = ("similar shape", self.model, self.name, scope.sight)
        found: SimilarShape | None = memo.get(key)
        if found is None:
            found = memo[key] = SimilarShape(self.record(scope))
        return found

    def shape_id(self, scope: Scope) -> str:
        """The name of this question in traces: it depends on other columns where editions or drafts are left out."""
        sight = "".join("01"[flag] for flag in scope.sight)
        return f"similar:{self.model._meta.label}.{self.name}:{sight}"


class SimilarShape:
    """What a trace keeps of the question."""

    def __init__(self, record: dict[str, Any]) -> None:
        self._record = record

    def record(self) -> dict[str, Any]:
        """All that another process needs to ask again."""
        return self._record


class SimilarTo(Generic[M]):
    """The related content of one row: call it with how many."""

    def __init__(self, declared: Similar[Any], instance: Any) -> None:
        self.declared = declared
        self.instance = instance

    def __call__(self, limit: int = 5) -> list[M]:
        """The rows that share most, best first.

        Args:
            limit: The most rows to give.
        """
        scope = current_scope().of(type(self.instance))
        declared, instance = self.declared, self.instance
        cache = f"_similar_{declared.name}_{limit}"
        if instance.__dict__.get(cache, _NEVER)[0] != scope.standing:
            _load_for_peers(scope, declared, instance, cache, limit)
        found: list[M] = instance.__dict__[cache][1]
        if scope.trace is not None:
            self._note(scope, found, limit)
        return found

    def _note(self, scope: Scope, found: list[M], limit: int) -> None:
        declared, trace = self.declared, scope.trace
        if trace is None:
            return
        tags = _tags_of(declared, self.instance)
        name = declared.shape_id(scope)
        tag_key = find_relation(type(self.instance), declared.by).target._meta.pk
        key = ("query", (name, scope.locale, limit + 1, *(raw(tag_key, scope, tag) for tag in tags)))
        if key not in trace.own:
            memo = declared.memo(scope)
            trace.shapes[name] = declared.shape(scope, memo)
            trace.own[key] = digest(declared.rank(scope, tags, limit + 1, memo=memo))
        for item in found:
            note_row(trace, item)


_NEVER: tuple[int, Any] = (-1, None)


def _fetch(scope: Scope, question: QuerySet[Any]) -> Iterable[Any]:
    """Rows of Python's values. No trace notes them, for a ranking is a question of its own."""
    query, values = question._query("instances")
    shape = find_shape(scope, query)
    found = shape.ask(scope.database, shape.statement.sql, shape.statement.bind(values, scope, ()))
    rows: Iterable[Any] = shape.load(found)
    return rows


def _tags_of(declared: Similar[Any], instance: Any) -> tuple[Any, ...]:
    """The keys of an instance's tags, as this page's own read."""
    return tuple(sorted(tag.pk for tag in load_many(instance, find_relation(type(instance), declared.by))))


def _load_for_peers(scope: Scope, declared: Similar[Any], instance: Any, cache: str, limit: int) -> None:
    """Rank for all instances loaded together, and load what they show in one statement."""
    standing = scope.standing
    others = [
        peer
        for peer in neighbours_of(instance)
        if peer is not instance and peer._row and peer.__dict__.get(cache, _NEVER)[0] != standing
    ]
    peers = [instance, *others]
    memo = declared.memo(scope)
    relation = find_relation(type(instance), declared.by)
    chosen: list[list[Any]] = []
    tagged = [tuple(sorted(tag.pk for tag in fetch_many(peer, relation))) for peer in peers]
    sets = len(set(tagged))
    for peer, tags in zip(peers, tagged, strict=True):
        best = declared.rank(scope, tags, limit + 1, memo=memo, sets=sets)
        chosen.append([key for key in best if key != peer.pk][:limit])
    wanted = sorted({key for keys in chosen for key in keys})
    raws = [raw(declared.model._meta.pk, scope, key) for key in wanted]
    _, rows = ask_keyed(scope, declared.model, (), "pk", (), raws)
    found = {key: rows[one][0] for key, one in zip(wanted, raws, strict=True) if one in rows}
    for peer, keys in zip(peers, chosen, strict=True):
        peer.__dict__[cache] = (standing, [found[key] for key in keys if key in found])
