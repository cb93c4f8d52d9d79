"""Lookups, questions of a queryset, and expressions."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from toolkit import gis, models
from toolkit.gis.lookups import LOOKUPS as SPATIAL
from toolkit.models import functions
from toolkit.models.aggregates import Aggregate
from toolkit.models.asynchronous import Awaited, AwaitedPartners, AwaitedRow
from toolkit.models.expressions import Expression
from toolkit.models.json_lookups import LOOKUPS as JSON
from toolkit.models.lookups import COMMON
from toolkit.models.model import Model
from toolkit.models.queryset import QuerySet
from toolkit.models.related import RelatedManager
from toolkit.models.text_lookups import TEXT

from .docstrings import read_doc, table
from .signatures import describe, signature

MEANINGS = {
    "exact": "equal; what `title=…` without a lookup means",
    "iexact": "equal without regard to case, in every script",
    "contains": "has this text in it",
    "icontains": "the same without regard to case",
    "startswith": "begins with this text",
    "istartswith": "the same without regard to case",
    "endswith": "ends with this text",
    "iendswith": "the same without regard to case",
    "gt": "greater",
    "gte": "greater or equal",
    "lt": "less",
    "lte": "less or equal",
    "in": "one of a list, or of another queryset",
    "range": "between two values, both included",
    "regex": "a regular expression finds something in it",
    "iregex": "the same without regard to case",
    "isnull": "`True`: there is no value; `False`: there is one",
}
JSON_MEANINGS = {
    "contains": "has all that is in the value, at any depth; a list has an item that is equal",
    "contained_by": "has nothing that is not in the value",
    "has_key": "is an object with this key",
    "has_keys": "is an object with all these keys",
    "has_any_keys": "is an object with one of these keys",
}
SPATIAL_MEANINGS = {
    "intersects": "shares a point with the value",
    "disjoint": "shares none",
    "within": "lies in it, not only on its edge",
    "contains": "has the value in it, not only on its edge",
    "covers": "has the value in it or on its edge",
    "covered_by": "lies in it or on its edge",
    "coveredby": "the same, in Django's spelling",
    "touches": "meets its edge only",
    "crosses": "DE-9IM: some, not all, of its inside is in the value",
    "overlaps": "DE-9IM: shares some inside with a geometry of the same dimension",
    "equals": "is the same set of points",
    "exact": "the same",
    "bbox": "its box meets the box `(west, south, east, north)`, or that of a geometry",
    "bboverlaps": "the same, in Django's spelling",
    "dwithin": "is so near: `geometry__dwithin=(place, D(km=5))`",
    "distance_lte": "the same",
    "distance_lt": "is nearer than this",
    "distance_gt": "is farther than this",
    "distance_gte": "is at least so far",
    "isvalid": "is valid, or is not",
    "isempty": "is empty, or is not",
}


def lookups() -> str:
    """The lookups of every field."""
    return _told([*COMMON, "isnull"], MEANINGS)


def text_lookups() -> str:
    """The lookups of text."""
    return _told(TEXT, MEANINGS)


def json_lookups() -> str:
    """The lookups that JSON alone has, or has in a way of its own."""
    return _told(JSON_MEANINGS if set(JSON_MEANINGS) <= set(JSON) else JSON, JSON_MEANINGS)


def transforms() -> str:
    """The transforms that fields of each kind have."""
    rows: dict[Any, list[str]] = {}
    kinds = [getattr(models, name) for name in models.__all__ if name.endswith("Field")]
    for kind in kinds:
        for name, transform in vars(kind).get("transforms", {}).items():
            rows.setdefault((name, read_doc(transform).text), []).append(f"`{kind.__name__}`")
    table_rows = [[f"`{name}`", ", ".join(found), said] for (name, said), found in rows.items()]
    return table(["transform", "behind a", "gives"], table_rows)


def spatial_lookups() -> str:
    """All lookups of geometry fields."""
    return _told([name for name, build in SPATIAL.items() if build is not None], SPATIAL_MEANINGS)


def _told(names: Any, meanings: dict[str, str]) -> str:
    missing = [name for name in names if name not in meanings]
    if missing:
        raise LookupError(f"tools/reference/queries.py says nothing of the lookups {', '.join(missing)}")
    return table(["lookup", "the field's value …"], [[f"`{name}`", meanings[name]] for name in names])


def queryset_methods() -> str:
    """A heading for each question."""
    return _methods(QuerySet, skip={"lift_question", "lift_subquery", "lift_first", "gives_one", "get_queryset"})


def related_sets() -> str:
    """A heading for each thing that the partners of a row can do, beside what querysets can."""
    names = ("add", "remove", "set", "clear", "create", "bulk_create", "through")
    found = [(name, inspect.getattr_static(RelatedManager, name)) for name in names]
    return "\n\n".join(
        describe(
            name,
            member.fget if isinstance(member, property) else member,
            call=not isinstance(member, property),
            identifier=f"related-{name}",
        )
        for name, member in found
    )


def prefetch() -> str:
    """How ``prefetch_related()`` is told more than a name."""
    kinds = (models.Prefetch, models.prefetch_related_objects)
    return "\n\n".join(describe(kind.__name__, kind) for kind in kinds)


def awaited() -> str:
    """What coroutines await, by whose it is."""
    owners = [("a queryset", Awaited), ("the partners of a row", AwaitedPartners), ("a row", AwaitedRow)]
    rows = [
        [said, ", ".join(f"`{name}()`" for name in vars(kind) if not name.startswith("_"))] for said, kind in owners
    ]
    return table(["of", "awaited"], rows)


def model_methods() -> str:
    """A heading for each method of a row."""
    return _methods(Model, skip={"load_deferred"})


def _methods(kind: Any, skip: set[str]) -> str:
    found = []
    for name, member in _members(kind):
        if name.startswith("_") or name in skip:
            continue
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if inspect.isfunction(function):
            called = not isinstance(member, property)
            found.append(describe(name, function, call=called, identifier=f"{kind.__name__.lower()}-{name}"))
    return "\n\n".join(found)


def _members(kind: Any) -> Iterator[tuple[str, Any]]:
    """What a class and its parents in the toolkit declare, parents first; without what is awaited."""
    for each in reversed(kind.__mro__):
        if each.__module__.startswith("toolkit.") and each not in (Awaited, AwaitedRow):
            yield from vars(each).items()


def expressions() -> str:
    """Expressions and aggregates, of models and of geometry."""
    rows = []
    for module, prefix in ((models, "models"), (gis, "gis")):
        for name in module.__all__:
            kind = getattr(module, name)
            if not inspect.isclass(kind) or not issubclass(kind, (Expression, models.Q)):
                continue
            if kind not in (Expression, Aggregate, models.Function, models.WindowFunction) and (
                name not in functions.__all__ or kind is models.Now
            ):
                rows.append([f"`{prefix}.{name}({_called(kind)})`", read_doc(kind).summary])
    return table(["expression", "what it is"], sorted(rows))


def _called(kind: type) -> str:
    """The arguments of an expression as one writes them; all take ``output_field``."""
    return signature(kind).replace(", output_field=None", "")


def database_functions() -> str:
    """Functions of the database, by what they are of, with their arguments."""
    groups: dict[str, list[list[str]]] = {}
    for name in functions.__all__:
        kind = getattr(functions, name)
        called = ", ".join(_arguments(kind))
        of = _KINDS.get(kind.__module__.rpartition(".")[2], "")  # Now has a place of its own
        groups.setdefault(of, []).append([f"`{name}({called})`", read_doc(kind).summary])
    return "\n\n".join(table([f"of {of}", "what it gives"], groups[of]) for of in dict.fromkeys(_KINDS.values()))


_KINDS = {
    "comparison": "any value",
    "text": "text",
    "hashes": "text",
    "math": "numbers",
    "parts": "dates and instants",
    "truncating": "dates and instants",
    "json": "values, as JSON",
    "windows": "the rows around",
}


def _arguments(kind: type) -> Iterator[str]:
    """The arguments of a function as one writes them; all take ``output_field``."""
    if kind.__init__ is models.Function.__init__:  # type: ignore[misc]  # a class has one
        yield "expression"
        return
    for parameter in list(inspect.signature(kind.__init__).parameters.values())[1:]:  # type: ignore[misc]
        if parameter.kind is parameter.VAR_POSITIONAL:
            yield f"*{parameter.name}"
        elif parameter.kind is parameter.VAR_KEYWORD:
            yield f"**{parameter.name}"
        elif parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            yield parameter.name if parameter.default is parameter.empty else f"{parameter.name}={parameter.default}"
