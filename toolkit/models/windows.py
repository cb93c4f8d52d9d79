"""Windows: what a row shows of those around it, such as its rank: ``Window(Rank(), order_by="-weight")``.

Where the order of a window leaves rows equal, the primary key decides, as in every order: so a row's number and its
neighbours are the same on every database and at every build. ``Rank`` and its kin, and aggregates without a frame of
rows, treat equals alike, as SQL says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from toolkit.errors import FieldError
from toolkit.models.casts import read_as
from toolkit.models.comparisons import Structure
from toolkit.models.expressions import Expression, F, Ordered, refuse_class
from toolkit.models.fields.several import columns_of
from toolkit.models.outputs import Output, Typed
from toolkit.models.structures import is_among_names, iter_parts

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler
    from toolkit.models.context import Context
    from toolkit.models.fields.base import Field


class WindowFrameExclusion(Enum):
    """Rows that a frame leaves out, though they lie in it."""

    CURRENT_ROW = "CURRENT ROW"
    GROUP = "GROUP"
    TIES = "TIES"
    NO_OTHERS = "NO OTHERS"


class WindowFrame:
    """The rows around the row at hand that an aggregate, or ``FirstValue`` and its kin, look at.

    Args:
        start: Where it begins: below 0 before the row, 0 at it, above 0 behind it, None at the first row.
        end: Where it ends; None at the last row.
        exclusion: Rows that it leaves out; not on MariaDB.
    """

    kind: ClassVar[str] = ""

    def __init__(
        self, start: int | None = None, end: int | None = None, exclusion: WindowFrameExclusion | None = None
    ) -> None:
        for name, value in (("start", start), ("end", end)):
            if value is not None and (not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31):
                raise FieldError(
                    f"{type(self).__name__}({name}={value!r}): a frame begins and ends at a whole number, or at None"
                )
        if start is not None and end is not None and start > end:
            raise FieldError(f"{type(self).__name__}(start={start}, end={end}) ends before it begins")
        if exclusion is not None and not isinstance(exclusion, WindowFrameExclusion):
            raise FieldError(
                f"{type(self).__name__}(exclusion={exclusion!r})", hint="Such as WindowFrameExclusion.CURRENT_ROW."
            )
        self.start, self.end, self.exclusion = start, end, exclusion

    def __repr__(self) -> str:
        return f"{type(self).__name__}(start={self.start!r}, end={self.end!r})"

    def lift(self) -> Structure:
        """The frame as part of a structure."""
        return (self.kind, self.start, self.end, self.exclusion.value if self.exclusion is not None else "")


class RowRange(WindowFrame):
    """So many rows before and behind: ``RowRange(start=-2, end=0)`` is the row and the two before it."""

    kind = "rows"


class ValueRange(WindowFrame):
    """Rows whose value lies so near: ``ValueRange(start=-2, end=2)``, of one number that the window is ordered by.

    With no numbers but 0 and None the order may be of anything: 0 is the row with all its equals.
    """

    kind = "range"


class Over(msgspec.Struct, frozen=True):
    """What stands behind ``OVER``.

    Args:
        context: Where the window stands.
        partition: The columns that rows of one part have in common.
        order: The members of its order.
        ties: Columns that tell any two rows apart.
        frame: What ``WindowFrame.lift`` gave, or None.
        said: The structures of partition and order.
    """

    context: Context
    partition: Sequence[Any]
    order: Sequence[Any]
    ties: Sequence[Any]
    frame: Any
    said: Any

    @property
    def counts_values(self) -> bool:
        """Whether the frame is measured by values."""
        return self.frame is not None and self.frame[0] == "range" and any(self.frame[1:3])

    def __call__(self, function: Any, *, by_row: bool = False, framed: bool = True) -> Any:
        """A function over this window.

        Args:
            function: SQLAlchemy's function.
            by_row: Which of equal rows comes first matters.
            framed: It looks at the frame; otherwise at the whole part.
        """
        if by_row and framed and self.counts_values:
            raise FieldError(
                f"{function.name}() in a frame measured by values: nobody says which of equal rows comes first",
                hint="Use RowRange, or an aggregate such as Max().",
            )
        frame = self.frame if framed else None
        breaks_ties = by_row or (frame is not None and frame[0] == "rows")
        order = [*self.order, *(self.ties if breaks_ties else ())]
        partition = [*self._apart(breaks_ties), *self.partition]
        options: dict[str, Any] = {}
        if frame is not None:
            options = {"rows" if frame[0] == "rows" else "range_": frame[1:3], "exclude": frame[3] or None}
        return function.over(partition_by=partition or None, order_by=order or None, **options)

    def _apart(self, breaks_ties: bool) -> list[Any]:
        """On MariaDB, what keeps one window's order from being taken for another's.

        It sorts once for windows whose orders begin alike, as that of ``OVER ()`` does with every other; of three, the
        third may then be computed in the order of the first (tried on 10.11). So all but the first order have a column
        in front that is the same in every row, and different for each.
        """
        import sqlalchemy as sa

        known = self.context.compiler.windows
        number = known.setdefault((self.said, breaks_ties), len(known))
        if self.context.dialect != "mysql" or (number == 0 and any(self.said)):
            return []
        column = self.ties[0].element
        return [sa.func.coalesce(sa.func.nullif(column, column), sa.literal_column(str(number)))]


class WindowFunction(Expression):
    """A function that only windows have: subclass it and say how it is built.

    Args:
        expression: What of the rows is looked at: the name of a field, or an expression; None for nothing.
        values: Values that the function needs as bound parameters.
    """

    def __init__(self, expression: str | Expression | None = None, *values: Any) -> None:
        self.expression = F(expression) if isinstance(expression, str) else expression
        self.values = values

    def __repr__(self) -> str:
        shown = [repr(each) for each in (self.expression, *self.values) if each is not None]
        return f"{type(self).__name__}({', '.join(shown)})"

    def lift(self, values: list[Any]) -> Structure:
        inner = self.expression.lift(values) if self.expression is not None else None
        start = len(values)
        values.extend(self.values)
        return (type(self), inner, start, tuple(value is not None for value in self.values))

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        raise FieldError(
            f"{cls.__name__}() looks at the rows of a window", hint=f"Write Window({cls.__name__}(...), order_by=...)."
        )

    @classmethod
    def compile_over(cls, context: Context, structure: Structure, over: Over) -> Typed:
        """SQL of the function over a window, and the field that reads it."""
        _, inner, start, given = structure
        argument = context.expression(inner) if inner is not None else (None, None)
        if inner is not None and len(columns_of(argument[0])) > 1:
            raise FieldError(f"{cls.__name__}({inner[-1]!r}): that is several columns", hint="Name one of its fields.")
        values = [
            (lambda *kinds, index=start + n: context.bind(index, *kinds)) if is_there else None
            for n, is_there in enumerate(given)
        ]
        return cls.build_over(context, over, argument, values)

    @classmethod
    def build_over(
        cls, context: Context, over: Over, argument: Typed, values: Sequence[Callable[..., Any] | None]
    ) -> Typed:
        """SQLAlchemy's expression, and the field that reads it.

        Args:
            context: Where the window stands.
            over: Puts a function over the window.
            argument: What the rows are looked at for, and its field.
            values: A function that gives the bound parameter, for each value; None for None.
        """
        raise TypeError(f"{cls.__name__} must define build_over()")


class Window(Expression):
    """A function of the rows around: ``Window(Sum("words"), partition_by="section", order_by="published")``.

    Args:
        expression: An aggregate, or a function of windows such as ``RowNumber()``.
        partition_by: What rows must have in common to see each other: a name, an expression, or several.
        order_by: The order in which they are looked at, as in ``order_by()``: one or several.
        frame: Which of them are looked at, by default those up to this one and its equals, or all without an order.
        output_field: The field that reads the result, instead of the function's own.
    """

    def __init__(
        self,
        expression: Any,
        partition_by: Any = None,
        order_by: Any = None,
        frame: WindowFrame | None = None,
        output_field: Field[Any] | None = None,
    ) -> None:
        refuse_class(expression)
        if not hasattr(expression, "compile_over"):
            raise FieldError(
                f"Window({expression!r}): that cannot look at a window",
                hint="Give it an aggregate or a function of windows, and compute with the Window: Window(...) * 2.",
            )
        if frame is not None and not isinstance(frame, WindowFrame):
            raise FieldError(f"Window(frame={frame!r})", hint="Such as frame=RowRange(start=-2, end=0).")
        self.expression, self.frame = expression, frame
        self.output_field = output_field or getattr(expression, "read_by", None)
        self.partition_by = [F(item) if isinstance(item, str) else item for item in _listed(partition_by)]
        self.order_by = _listed(order_by)
        for item in (*self.partition_by, *self.order_by):
            if not isinstance(item, str | Expression):
                raise FieldError(f"Window(): {item!r} is no name of a field and no expression")

    def __repr__(self) -> str:
        return f"Window({self.expression!r})"

    def lift(self, values: list[Any]) -> Structure:
        return (
            Window,
            getattr(self.expression, "lift_bare", self.expression.lift)(values),
            tuple(item.lift(values) for item in self.partition_by),
            tuple(_lifted_order(item, values) for item in self.order_by),
            self.frame.lift() if self.frame is not None else None,
            Output.of(self.output_field),
        )

    @classmethod
    def compile(cls, context: Context, structure: Structure) -> Typed:
        _, function, partition, order, frame, output = structure
        compiler = context.compiler
        if context.node is not compiler.root or context.prefix:
            raise FieldError("a Window looks at rows of the question itself", hint="annotate() it before.")
        for item in (*function[1:], *partition, *order):
            refuse_windows(compiler, item, "another window")
        inside = replace(context, grouped=compiler.selection.grouped)
        over = _over(inside, partition, order, frame)
        column, field = function[0].compile_over(inside, function, over)
        return read_as(context.dialect, (column, field), output) if output else (column, field)


def _over(context: Context, partition: Sequence[Any], order: Sequence[Any], frame: Any) -> Over:
    compiler = context.compiler
    columns = [column for item in partition for column in columns_of(context.expression(item)[0])]
    if compiler.selection.keyed is not None:  # each owner's rows are a window of their own, however many are asked for
        columns += compiler.key_columns()
    directed = [each for item in order for each in compiler.ordering(item, context.values)]
    split = [one._replace(column=each) for one in directed for each in columns_of(one.column)]
    over = Over(
        context,
        columns,
        [part for one in split for part in compiler.directed(one)],
        [column.asc() for column in compiler.identity_columns()],
        frame,
        (partition, order),
    )
    _refuse_frame(over, len(split))
    return over


def _refuse_frame(over: Over, orders: int) -> None:
    """Refuse a frame that the database, or nobody, can make.

    Raises:
        FieldError: It is measured by values, and the order is not of one number; or rows are left out on MariaDB.
    """
    if over.counts_values and orders != 1:
        raise FieldError(
            f"Window(frame=ValueRange(...)) with numbers needs an order by one number, not by {orders}",
            hint="Give order_by one name, or use RowRange.",
        )
    if over.frame is not None and over.frame[3] not in ("", "NO OTHERS") and over.context.dialect == "mysql":
        raise FieldError(
            "MariaDB has no frames that leave rows out", hint="Leave out exclusion=, and subtract what is too much."
        )


def _listed(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


def _lifted_order(item: Any, values: list[Any]) -> Structure:
    """A member of the order as a structure, so that its names are known: ``"-weight"`` is that of ``F``, turned."""
    if not isinstance(item, str):
        return item.lift(values)
    return (Ordered, item.startswith("-"), "", (F, item.removeprefix("-")))


def is_windowed(structure: Any, compiler: Compiler) -> bool:
    """Whether a value depends on a window.

    Args:
        structure: Of the value, or of a condition.
        compiler: Knows which annotations do.
    """
    return any(
        found[0] is Window or (found[0] is F and is_among_names(found[1], compiler.windowed, compiler.model))
        for found in iter_parts(structure)
    )


def has_window(operations: Sequence[Any]) -> bool:
    """Whether a question computes anything with a window."""
    return any(part[0] is Window for each in operations for item in _said(each) for part in iter_parts(item))


def _said(operation: Any) -> Sequence[Any]:
    """The structures in an operation."""
    kind, *rest = operation
    if kind in ("annotate", "alias"):
        return [structure for _, structure in rest[0]]
    return rest if kind == "filter" else rest[0] if kind == "order" else ()


def refuse_windows(compiler: Compiler, structure: Any, told: str) -> None:
    """Refuse what depends on a window where nothing can: windows are computed last of all.

    Args:
        compiler: Knows which annotations do.
        structure: What stands there.
        told: Where that is.

    Raises:
        FieldError: It does.
    """
    if is_windowed(structure, compiler):
        raise FieldError(
            f"{compiler.model.__name__}: what a Window gives cannot stand inside of {told}",
            hint="Ask in two steps: filter(pk__in=...) of the question with the Window, or compute with its values.",
        )
