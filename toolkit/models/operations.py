"""The operations of a query, taken up one by one: filters, annotations, orders and the rest.

The first three sorts of condition are told apart as SQL tells them: on rows before they are grouped (WHERE), on groups
(HAVING), and on what windows give, which are computed last of all (see ``layers``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import FieldError, did_you_mean
from toolkit.models.combining import combined_table
from toolkit.models.conditions import condition, one_of_two
from toolkit.models.context import Context, Values
from toolkit.models.crossings import crossings
from toolkit.models.expressions import F
from toolkit.models.nodes import Node
from toolkit.models.orderings import ordering
from toolkit.models.paths import canonical
from toolkit.models.search.compiling import apply_search
from toolkit.models.splitting import iter_aggregates, names_beside_aggregates, split
from toolkit.models.structures import is_among_names, iter_names
from toolkit.models.windows import is_windowed

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


def _filter(compiler: Compiler, operation: Any, values: Values) -> None:
    chosen = compiler.selection
    rows, groups, windows = split(operation[1], compiler)
    _refuse_parted(compiler, rows, windows, values)
    if rows is not None:
        chosen.where.append(condition(Context(compiler, compiler.root, values), rows))
    for part, clauses in ((groups, chosen.having), (windows, chosen.qualify)):
        if part is not None:
            refuse_ungrouped(compiler, part, "a condition on groups")
            clauses.append(condition(Context(compiler, compiler.root, values, chosen.grouped), part))


def _refuse_parted(compiler: Compiler, rows: Any, windows: Any, values: Values) -> None:
    """Refuse conditions on one partner that are known at different times.

    Raises:
        FieldError: A condition on rows and one on a window are about the same partner.
    """
    if rows is None or windows is None:
        return
    context = Context(compiler, compiler.root, values)
    if not crossings(context, rows).keys().isdisjoint(crossings(context, windows)):
        raise FieldError(
            f"{compiler.model.__name__}: what a Window gives cannot stand inside of a condition on partners",
            hint="Say it in a filter() of its own.",
        )


def refuse_ungrouped(compiler: Compiler, structure: Any, told: str) -> None:
    """Refuse what speaks of single rows where there are groups.

    Raises:
        FieldError: A name is neither among the groups nor an annotation, and not inside of an aggregate.
    """
    chosen = compiler.selection
    if not chosen.grouped:
        return
    known = [*chosen.groups, *chosen.aggregates, *compiler.windowed]
    for name in names_beside_aggregates(structure):
        if not is_among_names(name, known, compiler.model):
            raise FieldError(
                f"{compiler.model.__name__}: {told} speaks of {name!r}, which is not among the groups",
                hint=did_you_mean(name, known) or f"Add {name!r} to values(), or aggregate it.",
            )


def _either(compiler: Compiler, operation: Any, values: Values) -> None:
    compiler.selection.where.append(_joined(compiler, operation, values))


def _joined(compiler: Compiler, operation: Any, values: Values) -> Any:
    """The condition of two querysets joined by ``&``, ``|`` or ``^``."""
    import sqlalchemy as sa

    _, connector, ((one, first), (two, second)) = operation
    left = _side(compiler, one, lambda index: values(index + first))
    right = _side(compiler, two, lambda index: values(index + second))
    if connector == "AND":
        return sa.and_(left, right)
    if connector == "OR":
        return sa.or_(left, right)
    return one_of_two(left, right)


def _side(compiler: Compiler, operations: Sequence[Any], values: Values) -> Any:
    """What one queryset says of rows, with its own annotations."""
    import sqlalchemy as sa

    kept, compiler.annotations = compiler.annotations, {}
    clauses = [sa.true()]
    for operation in operations:
        if operation[0] in ("annotate", "alias"):
            for alias, structure in operation[1]:
                compiler.annotations[alias] = compiler.expression(structure, compiler.root, values)
        elif operation[0] == "either":
            clauses.append(_joined(compiler, operation, values))
        else:
            clauses.append(condition(Context(compiler, compiler.root, values), operation[1]))
    compiler.annotations = kept
    return sa.and_(*clauses)


def _shifted(compiler: Compiler, operation: Any, values: Values) -> None:
    _, offset, inner = operation
    take(compiler, inner, lambda index: values(index + offset))


def _combined(compiler: Compiler, operation: Any, values: Values) -> None:
    table, extras, gives_values = combined_table(compiler, operation, values)
    if compiler.dialect == "mysql" and compiler.around in compiler.binds.correlated:
        raise FieldError(
            f"{compiler.model.__name__}: MariaDB knows no union(), intersection() and difference() that speak of the "
            "question around (OuterRef)",
            hint="Say it in one question, with Q(...) | Q(...).",
        )
    chosen = compiler.selection
    chosen.combined = chosen.unrestricted = True  # each part shows what the viewer may see
    compiler.root = Node(compiler.model, table, None, answers=gives_values)
    compiler.annotations = {}
    for extra in extras:
        compiler.annotations[_unused(compiler, extra.name)] = (extra.column, extra.field)
    chosen.annotated = list(compiler.annotations)
    chosen.values = list(compiler.annotations) if gives_values else None


def _unused(compiler: Compiler, name: str) -> str:
    """A name for a column of parts that are put together: ``values_list("pk", "pk")`` may be that and another there."""
    return name if name not in compiler.annotations else _unused(compiler, f"{name} again")


def _annotate(compiler: Compiler, operation: Any, values: Values) -> None:
    chosen = compiler.selection
    for alias, structure in operation[1]:
        _define(compiler, alias, structure, values)
        for given in (chosen.annotated, *([chosen.values] if chosen.values is not None else ())):
            if alias not in given:
                given.append(alias)


def _alias(compiler: Compiler, operation: Any, values: Values) -> None:
    for alias, structure in operation[1]:
        _define(compiler, alias, structure, values)
        if alias in compiler.selection.annotated:
            compiler.selection.annotated.remove(alias)


def _define(compiler: Compiler, alias: str, structure: Any, values: Values) -> None:
    """Compute an annotation; after ``values()``, an aggregate makes groups."""
    chosen = compiler.selection
    _refuse_hiding(compiler, alias)
    after_values = chosen.values is not None
    aggregates = list(iter_aggregates(structure)) if after_values else []
    if aggregates:
        _group(compiler)
    windowed = is_windowed(structure, compiler)
    totals = (is_among_names(name, chosen.aggregates, compiler.model) for name in iter_names(structure))
    of_groups = bool(aggregates) or any(totals)
    if of_groups or windowed:
        refuse_ungrouped(compiler, structure, repr(alias))
    compiler.crossed, compiler.naming = set(), repr(alias)
    compiler.annotations[alias] = compiler.expression(structure, compiler.root, values, grouped=after_values)
    compiler.naming = ""
    for known in (compiler.windowed, chosen.aggregates):
        known.discard(alias)
    if windowed:
        compiler.windowed.add(alias)
    elif of_groups:
        chosen.aggregates.add(alias)
    elif chosen.grouped:
        chosen.groups.append(alias)


def _group(compiler: Compiler) -> None:
    """Make groups of the rows that are chosen so far, by the names of ``values()``."""
    chosen = compiler.selection
    if chosen.grouped:
        return
    if compiler.windowed or chosen.distinct_on:
        compiler.narrow(None, None)  # what windows give stands still before rows are grouped
    chosen.groups = list(chosen.values or ())
    chosen.grouped = True


def _refuse_hiding(compiler: Compiler, alias: str) -> None:
    model, given = compiler.model, compiler.selection.values
    if alias in model._meta.by_name and (given is None or alias in given):
        raise FieldError(f"the annotation {alias!r} would hide the field {model.__name__}.{alias}")
    hidden = (vars(kind).get(alias) for kind in model.__mro__)
    if given is None and any(hasattr(each, "__get__") for each in hidden):
        raise FieldError(f"the annotation {alias!r} would hide {model.__name__}.{alias}")


def _order(compiler: Compiler, operation: Any, values: Values) -> None:
    compiler.selection.ordered = True
    compiler.selection.order = [
        (item, directed) for item in operation[1] for directed in ordering(compiler, item, compiler.root, values)
    ]


def _reverse(compiler: Compiler, operation: Any, values: Values) -> None:
    compiler.selection.reverse = not compiler.selection.reverse


def _values(compiler: Compiler, operation: Any, values: Values) -> None:
    chosen = compiler.selection
    every = [*(field.attname for field in compiler.model._meta.fields), *chosen.annotated]
    if chosen.combined and chosen.values is not None:
        every = chosen.values
        for name in operation[1]:
            if name not in every:
                raise FieldError(f"values({name!r}): the parts do not give it", hint=did_you_mean(name, every))
    if chosen.grouped:
        every = chosen.values or []
        refuse_ungrouped(compiler, tuple((F, name) for name in operation[1]), "values()")
    chosen.values = list(operation[1]) or every


def _distinct(compiler: Compiler, operation: Any, values: Values) -> None:
    compiler.selection.distinct = not operation[1]
    compiler.selection.distinct_on = operation[1]


def _only(compiler: Compiler, operation: Any, values: Values) -> None:
    chosen = compiler.selection
    named = {canonical(compiler.model, name) for name in operation[1]}
    chosen.only, chosen.defer = named - chosen.defer or None, set()


def _defer(compiler: Compiler, operation: Any, values: Values) -> None:
    chosen = compiler.selection
    if operation[1] == (None,):
        chosen.only, chosen.defer = None, set()
        return
    named = {canonical(compiler.model, name) for name in operation[1]}
    if chosen.only is None:
        chosen.defer |= named
    elif chosen.only - named:
        chosen.only -= named
    else:
        chosen.defer = named - chosen.only
        chosen.only = None


def _related(compiler: Compiler, operation: Any, values: Values) -> None:
    chosen = compiler.selection
    if operation[1] == (None,):
        chosen.related, chosen.related_all = [], False
    elif operation[1]:
        chosen.related += [name for name in operation[1] if name not in chosen.related]
    else:
        chosen.related_all = True


def _beforehand(compiler: Compiler, operation: Any, values: Values) -> None:
    """Taken up before all others: conditions and windows made on the way ask for it."""


def _lock(compiler: Compiler, operation: Any, values: Values) -> None:
    compiler.selection.lock = operation[1]


def _none(compiler: Compiler, operation: Any, values: Values) -> None:
    compiler.selection.none = True


OPERATIONS: Mapping[str, Callable[[Compiler, Any, Values], None]] = {
    "filter": _filter,
    "either": _either,
    "shifted": _shifted,
    "combined": _combined,
    "annotate": _annotate,
    "alias": _alias,
    "order": _order,
    "reverse": _reverse,
    "values": _values,
    "distinct": _distinct,
    "only": _only,
    "defer": _defer,
    "related": _related,
    "unrestricted": _beforehand,
    "keyed": _beforehand,
    "search": apply_search,
    "lock": _lock,
    "none": _none,
}


def take(compiler: Compiler, operation: Any, values: Values) -> None:
    """Take up one operation."""
    OPERATIONS[operation[0]](compiler, operation, values)


def take_beforehand(compiler: Compiler, operations: Sequence[Any]) -> None:
    """Take up what all others depend on."""
    chosen = compiler.selection
    chosen.unrestricted = chosen.unrestricted or any(operation[0] == "unrestricted" for operation in operations)
    chosen.keyed = next((operation[1] for operation in operations if operation[0] == "keyed"), chosen.keyed)
    compiler.few = compiler.few or chosen.keyed in ("pk", compiler.model._meta.pk.name)
