"""Relations that are loaded right after the rows: ``prefetch_related("tags", Prefetch("stories", queryset=...))``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from types import SimpleNamespace
from typing import Any

from msgspec.structs import replace

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.batches import Groups, load_forward, written_reader
from toolkit.models.comparisons import shown
from toolkit.models.fetching import FETCH_PEERS, spread
from toolkit.models.given import refuse_one
from toolkit.models.partners import Partners, find_relation, partners_of
from toolkit.models.relations import ForeignKey


class Prefetch:
    """A relation to load right after the rows, and how.

    Args:
        lookup: The relation, or a path of them.
        queryset: Which objects, in which order; a slice is of each row's own. All of them if it is left out.
        to_attr: Keep them as a list in this attribute, beside the relation itself.
    """

    def __init__(self, lookup: str, queryset: Any = None, to_attr: str | None = None) -> None:
        if queryset is not None and not hasattr(queryset, "_gives"):
            raise FieldError(
                f"Prefetch({lookup!r}): {shown(queryset)} is no queryset", hint="Such as Tag.objects.all()."
            )
        if queryset is not None and queryset._gives != "instances":
            raise FieldError(
                f"Prefetch({lookup!r}): the queryset gives values, not objects", hint="Leave out values()."
            )
        if to_attr is not None and not to_attr.isidentifier():
            raise FieldError(f"Prefetch({lookup!r}): to_attr={to_attr!r} cannot be the name of an attribute")
        self.lookup, self.queryset, self.to_attr = lookup, queryset, to_attr

    def __repr__(self) -> str:
        return f"Prefetch({self.lookup!r})"

    @property
    def is_plain(self) -> bool:
        """Whether it says no more than a name does."""
        return self.queryset is None and self.to_attr is None


class Asked(Partners):
    """The question that a ``Prefetch`` asks for the partners of owners.

    Args:
        prefetch: What was asked.
        relation: The relation.
        cache: See ``Partners``.
        owner: One of the owners.
        source: The attribute of owners that is the key; their own key if left out.
    """

    def __init__(
        self, prefetch: Prefetch, relation: Any, cache: str, *, owner: Any = None, source: str | None = None
    ) -> None:
        queryset = relation.target._meta.default_manager if prefetch.queryset is None else prefetch.queryset
        _refuse_other_objects(prefetch, queryset.model, relation.target)
        own, values = queryset._query("instances")
        narrowing, more = relation.narrowing(owner, len(values)) if source is None else ((), ())
        path = relation.keyed if source is None else relation.path
        query = replace(own, operations=(*own.operations, *narrowing, ("keyed", path)))
        super().__init__(relation, cache, query, (*values, *more))
        self.source, self.along, self.mode = source, queryset._prefetch, queryset._mode

    def key_reader(self, scope: Any) -> Callable[[Any], Any]:
        if self.source is None:
            return super().key_reader(scope)
        return written_reader(self.source, self.relation.held.db_writer(scope.database.dialect))

    def loaded(self, owner: Any, groups: Groups) -> None:
        partners = list(chain.from_iterable(groups.values()))
        if self.mode is FETCH_PEERS:
            super().loaded(owner, groups)
        else:
            spread(self.mode, partners)
        prefetch(partners, self.along)

    def value(self, found: list[Any]) -> Any:
        """What the attribute shows: the list, or the one object."""
        if self.source is None and self.relation.many:
            return found
        return found[0] if found else None


def _refuse_other_objects(prefetch: Prefetch, model: Any, target: Any) -> None:
    kinds = model._meta.concrete_model, target._meta.concrete_model
    if not issubclass(*kinds) and not issubclass(*reversed(kinds)):
        raise FieldError(
            f"{prefetch!r} leads to {target.__name__} objects, and its queryset is of {model.__name__} objects"
        )


def prefetch(instances: Sequence[Any], lookups: Iterable[str | Prefetch]) -> None:
    """Load relations of all instances, one statement each.

    Args:
        instances: Of one model.
        lookups: Names, paths, ``Prefetch`` objects.

    Raises:
        FieldError: A name is no relation, or is asked for twice in different ways.
    """
    seen: dict[str, Prefetch] = {}
    for lookup in lookups:
        asked = lookup if isinstance(lookup, Prefetch) else Prefetch(lookup)
        *path, last = asked.lookup.split("__")
        key = "__".join([*path, asked.to_attr or last])
        known = seen.setdefault(key, asked)
        if known is not asked and (asked.queryset is not None or asked.to_attr):
            raise FieldError(
                f"prefetch_related: {asked.lookup!r} was asked for before, with another queryset",
                hint="Give it a to_attr of its own, or name it once.",
            )
        found = list(instances)
        for name in path:
            found = _step(found, Prefetch(name))
        if path and not asked.is_plain:
            for item in instances:  # what can be reached from it is narrowed down: see Model.__fragment_key__
                item.__dict__["_narrowed"] = (*item.__dict__.get("_narrowed", ()), asked)
        _step(found, Prefetch(last, asked.queryset, asked.to_attr))


def prefetch_related_objects(instances: Iterable[Any], *lookups: str | Prefetch) -> None:
    """Load relations of instances that are there already, one statement each.

    Args:
        instances: Of one model.
        lookups: Relations, paths of them, or ``Prefetch`` objects.
    """
    refuse_one("prefetch_related_objects", "instances", instances)
    prefetch(list(instances), lookups)


def _step(instances: Sequence[Any], asked: Prefetch) -> list[Any]:
    """Load one relation, and give what was found.

    Behind a generic reference there are rows of several models: those that have the relation, each have their own.
    """
    kinds = list(dict.fromkeys(map(type, instances)))
    if len(kinds) > 1:
        kinds = [kind for kind in kinds if _has_relation(kind, asked.lookup)] or kinds[:1]
        each = ([item for item in instances if type(item) is kind] for kind in kinds)
        return [one for group in each for one in _step_of_one(group, asked)]
    return _step_of_one(instances, asked) if instances else []


def _has_relation(kind: Any, name: str) -> bool:
    meta = kind._meta
    single = isinstance(meta.by_name.get(name), ForeignKey) or hasattr(meta.virtual.get(name), "load")
    return single or find_relation(kind, name) is not None


def is_taken(model: Any, name: str) -> bool:
    """Whether rows have something of this name: a field, a relation, a method, or what the toolkit keeps with them."""
    if name.startswith("_") or name in model._meta.by_name or name in model._meta.reverse:
        return True
    return any(hasattr(vars(kind).get(name), "__get__") for kind in model.__mro__)


def _step_of_one(instances: Sequence[Any], asked: Prefetch) -> list[Any]:
    """Load one relation of instances of one model."""
    meta = instances[0]._meta
    name, attribute = asked.lookup, asked.to_attr or asked.lookup
    if f"_asked_{name}" in instances[0].__dict__ and asked.is_plain:
        return _fetch_all(instances, name)
    if asked.to_attr is not None and is_taken(type(instances[0]), asked.to_attr):
        told = f"Prefetch({name!r}): to_attr={asked.to_attr!r}"
        if asked.to_attr.startswith("_"):
            plain = asked.to_attr.lstrip("_") or name
            raise FieldError(f"{told}: names with '_' in front are a row's own", hint=f"Call it {plain!r}.")
        raise FieldError(f"{told} would hide {meta.object_name}.{asked.to_attr}")
    key = meta.by_name.get(name)
    if isinstance(key, ForeignKey):
        return _step_forward(instances, key, asked)
    generic = meta.virtual.get(name)
    if hasattr(generic, "load"):
        return _step_generic(instances, generic, asked)
    relation = find_relation(type(instances[0]), name)
    if relation is None:
        raise FieldError(
            f"prefetch_related({name!r}): {meta.object_name} has no such relation",
            hint=did_you_mean(name, _relations_of(meta)),
        )
    if asked.is_plain:
        return _fetch_among(instances, partners_of(instances[0], relation))
    _attach(instances, attribute, Asked(asked, relation, f"_many_{attribute}", owner=instances[0]))
    return _fetch_all(instances, attribute)


def _relations_of(meta: Any) -> list[str]:
    """What may be prefetched of a model, by the names of attributes."""
    keys = [field.name for field in meta.fields if isinstance(field, ForeignKey)]
    back = [each.accessor for each in meta.reverse.values() if each.accessor]
    return [*keys, *(each.name for each in meta.many_to_many), *back, *meta.virtual]


def _step_forward(instances: Sequence[Any], key: ForeignKey[Any], asked: Prefetch) -> list[Any]:
    """Load what a foreign key refers to."""
    if asked.is_plain:
        lacking = [item for item in instances if key.name not in item.__dict__]
        if lacking:
            load_forward(lacking[0], key, waiting=lacking)
        return _unique(item.__dict__[key.name] for item in instances)
    attribute = asked.to_attr or key.name
    held = key.target_field
    relation = SimpleNamespace(name=attribute, target=key.target, path=held.name, held=held, many=False)
    _attach(instances, attribute, Asked(asked, relation, f"_one_{attribute}", source=key.attname))
    found = _fetch_all(instances, attribute)
    if asked.to_attr is None:
        for item in instances:
            question = item.__dict__[f"_asked_{attribute}"]
            item.__dict__[key.name] = question.value(question.fetch(item))
    return found


def _step_generic(instances: Sequence[Any], key: Any, asked: Prefetch) -> list[Any]:
    """Load what a generic reference refers to, one statement a model."""
    if not asked.is_plain:
        raise FieldError(
            f"Prefetch({asked.lookup!r}): a row of any model cannot be of one queryset", hint="Give the name alone."
        )
    return _unique(key.load(instances))


def _attach(instances: Iterable[Any], attribute: str, question: Asked) -> None:
    """Let instances answer an attribute with this question from now on."""
    for item in instances:
        item.__dict__[f"_asked_{attribute}"] = question
        item.__dict__.pop(question.cache, None)


def _fetch_all(instances: Sequence[Any], attribute: str) -> list[Any]:
    """What instances were asked for under an attribute."""
    return _fetch_among(instances, instances[0].__dict__[f"_asked_{attribute}"])


def _fetch_among(instances: Sequence[Any], question: Partners) -> list[Any]:
    """The partners of all these instances, each once, loaded together where they are not known."""
    lacking = [item for item in instances if not question.is_known(item)]
    if lacking:
        question.fetch(lacking[0], waiting=lacking)
    return _unique(partner for item in instances for partner in question.fetch(item))


def _unique(found: Iterable[Any]) -> list[Any]:
    """Each object once, without the gaps."""
    return list({id(one): one for one in found if one is not None}.values())
