"""The tables of a SELECT, as a tree: each knows how it is joined to the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from toolkit.models.fields.several import as_one


@dataclass(eq=False)
class Node:
    """A table in the FROM clause.

    Args:
        model: The model whose table it is.
        table: SQLAlchemy's table or alias.
        on: The join's condition; None for the root.
        outer: Whether rows without a partner stay.
        many: Whether there may be several of its rows for one of the table before.
        answers: Its rows are the answers of another question, and are told apart by all that is in them.

    Attributes:
        entered: Whether it is joined.
        held: Columns of a table before that have the same values as fields of this one.
    """

    model: Any
    table: Any
    on: Any
    outer: bool = False
    many: bool = False
    answers: bool = False
    children: dict[str, Node] = field(default_factory=dict)

    entered: ClassVar[bool] = True
    held: ClassVar[Mapping[Any, Any]] = {}

    def enter(self) -> None:
        """Join it, if that was not sure yet."""

    def descendants(self) -> Iterator[Node]:
        """All nodes below that are joined, parents first."""
        for child in self.children.values():
            if child.entered:
                yield child
                yield from child.descendants()

    @property
    def pk(self) -> Any:
        """The primary key: a column, or several as one."""
        return as_one(self.keys)

    @property
    def keys(self) -> list[Any]:
        """The columns of the primary key."""
        if self.answers:
            return list(self.table.c)
        return [self.table.c[field.column] for field in self.model._meta.key]


class LinkedNode(Node):
    """A table at the end of a link, which is joined only if more is asked of it than the key that the link holds.

    As in Django, the key of a partner is what the link says, be there such a row or not.

    Args:
        model: The model whose table it is.
        table: SQLAlchemy's alias. Who asks for it, joins it.
        outer: Whether links without a partner stay.
        held: By field of the key, the column of the link.
        entering: Called with the node when it comes to be joined; sets the condition.
    """

    def __init__(
        self, model: Any, table: Any, *, outer: bool, held: Mapping[Any, Any], entering: Callable[[Node], None]
    ) -> None:
        self._entering: Callable[[Node], None] | None = entering
        self.held = held  # type: ignore[misc]  # other nodes have none
        super().__init__(model, table, None, outer)

    @property
    def entered(self) -> bool:  # type: ignore[override]  # other nodes always are
        return self._entering is None

    @property
    def table(self) -> Any:
        self.enter()
        return self._table

    @table.setter
    def table(self, table: Any) -> None:
        self._table = table

    def enter(self) -> None:
        entering, self._entering = self._entering, None
        if entering is not None:
            entering(self)
