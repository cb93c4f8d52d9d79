"""Questions inside of questions: ``Subquery``, ``Exists`` and ``OuterRef``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.errors import FieldError
from toolkit.models.casts import read_as
from toolkit.models.comparisons import Structure
from toolkit.models.expressions import Expression, F
from toolkit.models.fields.several import columns_of
from toolkit.models.outputs import Output, Typed, boolean, like
from toolkit.models.windows import refuse_windows

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler
    from toolkit.models.context import Context
    from toolkit.models.fields.base import Field


class OuterRef(F):
    """A field of the question around, inside of a ``Subquery``, ``Exists`` or a queryset behind ``__in``.

    Args:
        name: As for ``F``; or another ``OuterRef``, for the question around that one.
    """

    outward: ClassVar[bool] = True

    def __init__(self, name: str | OuterRef) -> None:
        self.inner = name
        super().__init__(name.name if isinstance(name, OuterRef) else name)

    def __repr__(self) -> str:
        return f"OuterRef({self.inner!r})"

    def lift(self, values: list[Any]) -> Structure:
        return (OuterRef, (F, self.inner) if isinstance(self.inner, str) else self.inner.lift(values))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        around = context.compiler.around
        if around is None:
            raise FieldError(
                f"OuterRef({structure[1][1]!r}) has no question around it",
                hint="Use it in a queryset inside of another question; elsewhere use F().",
            )
        context.compiler.binds.correlated.add(around)
        if structure[1][0] is F:
            refuse_windows(around.compiler, structure[1], "a question inside (OuterRef)")
        return around.expression(structure[1])


class Subquery(Expression):
    """The first value of another question, for each row: ``Subquery(comments.values("text")[:1])``.

    The question gives one column, by ``values()``; its primary key otherwise. Of several rows, the first in the
    question's order counts.

    Args:
        queryset: The question; ``OuterRef`` in it names fields of the one around.
        output_field: The field that reads the result, instead of that of the column.
    """

    closed: ClassVar[bool] = True

    def __init__(self, queryset: Any, output_field: Field[Any] | None = None) -> None:
        if not hasattr(queryset, "lift_question"):
            raise FieldError(f"{type(self).__name__}() takes a queryset, not {queryset!r}")
        self.queryset, self.output_field = queryset, output_field

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.queryset!r})"

    def lift(self, values: list[Any]) -> Structure:
        return (type(self), self.queryset.lift_question(values), Output.of(self.output_field))

    def lift_subquery(self, values: list[Any]) -> Any:
        """For ``__in``: the question as the list to search."""
        return self.queryset.lift_subquery(values)

    @classmethod
    def compile(cls, context: Context, structure: Structure, compared: Any = None) -> Typed:
        """SQL of the question, and the field that reads it.

        Args:
            context: Where it stands.
            structure: What was lifted.
            compared: The field that its value is compared with.
        """
        _, lifted, output = structure
        compiler, values = context.compiler.nested(lifted, context.values, context)
        names = compiler.selection.values or [unnamed_value(compiler.model, compared)]
        if len(names) != 1:
            raise FieldError(
                f"a Subquery gives one value, and this one has {', '.join(names)}", hint="Name one: values('title')."
            )
        column, field = compiler.value_column(names[0])
        if len(columns_of(column)) > 1:
            raise FieldError(
                f"a Subquery gives one value, and {names[0]!r} of {compiler.model.__name__} is several",
                hint="Name one of its fields.",
            )
        start, stop = lifted[3:]
        if (start, stop) == (None, None):
            _refuse_groups_of_partners(compiler)
        select = compiler.limited(compiler.select([column]), start, stop, values, at_most=1)
        found = select.scalar_subquery(), like(field)
        return read_as(context.dialect, found, output) if output else found


def _refuse_groups_of_partners(compiler: Compiler) -> None:
    """Refuse one value of groups by partners: a condition on partners says which rows, and not which groups.

    Raises:
        FieldError: They are groups by partners.
    """
    compiler.groups()
    if compiler.selection.grouped and compiler.crossed:
        groups = ", ".join(map(repr, compiler.selection.groups))
        raise FieldError(
            f"a Subquery gives one value, and {compiler.model.__name__} in groups by {groups} has one of each partner "
            "of its rows, whichever partner they were filtered by",
            hint="Aggregate the partners themselves, as annotate(n=Count('stories')) does, or group the rows of the "
            "table between. Slice it, [:1], for the first.",
        )


def unnamed_value(model: Any, compared: Any) -> str:
    """What a question that names no values gives: the key, or what a reference to its rows holds in place of it.

    Args:
        model: Whose rows the question gives.
        compared: The field that is compared with it.

    Raises:
        FieldError: The field refers to rows of another kind.
    """
    _refuse_other_rows(model, compared)
    if not getattr(compared, "to_field", None):
        return "pk"
    refers = issubclass(model._meta.concrete_model, compared.target._meta.concrete_model)
    return str(compared.target_field.name) if refers else "pk"


def _refuse_other_rows(model: Any, compared: Any) -> None:
    if compared is None or compared.model is None or not (compared.is_relation or compared.primary_key):
        return
    wanted = [compared.target] if compared.is_relation else []
    wanted += [compared.model] if compared.primary_key else []
    known = [each._meta.concrete_model for each in wanted]
    if not any(issubclass(one, other) or issubclass(other, one) for one in known for other in _kinds_of(model)):
        named = " or ".join(each.__name__ for each in wanted)
        raise FieldError(
            f"{compared.model.__name__}.{compared.name} is of {named} objects, and a queryset of {model.__name__} "
            "objects stands for others",
            hint="Name in values() what is meant, such as values('pk').",
        )


def _kinds_of(model: Any) -> list[Any]:
    """The models whose rows the keys of a model are those of: where a reference is the key, of what it refers to."""
    found = [model._meta.concrete_model]
    key = model._meta.pk
    while getattr(key, "is_relation", False) and key.target._meta.concrete_model not in found:
        if not key.parent_link:
            found.append(key.target._meta.concrete_model)
        key = key.target._meta.pk
    return found


class Exists(Subquery):
    """Whether another question has any answer: ``filter(~Exists(comments.filter(story=OuterRef("pk"))))``."""

    @classmethod
    def compile(cls, context: Context, structure: Structure, compared: Any = None) -> Typed:
        import sqlalchemy as sa

        _, lifted, _ = structure
        compiler, values = context.compiler.nested(lifted, context.values, context)
        select = compiler.part([sa.literal_column("1").label("found")], lifted, values, wrapped=False)
        return sa.exists(select), boolean()
