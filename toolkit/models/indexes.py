"""Indexes of a table, declared in ``class Meta``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from toolkit.errors import DeclarationError
from toolkit.models.constraints import Declared, as_expressions, index_members, index_options
from toolkit.models.expressions import Expression, Q
from toolkit.models.hidden import build_hidden, needs_hidden
from toolkit.models.naming import names_in


class Index(Declared):
    """An index over fields or expressions; ``-`` before a name for descending.

    Args:
        expressions: Such as ``Lower("title")`` or ``F("published").desc()``, instead of ``fields``.
        fields: Names of fields.
        name: The index's name, unique in the database; made from the table and the fields if none is given.
        condition: Only rows that meet it.
        include: Fields whose values the index keeps beside, for queries that need no more (PostgreSQL; elsewhere it
            changes nothing).
        opclasses: For each field, PostgreSQL's operator class.
    """

    method: ClassVar[str] = ""
    """PostgreSQL's name of the kind; empty for the ordinary one that every database has."""

    arguments: ClassVar[tuple[str, ...]] = ("fields", "condition", "name", "include", "opclasses")
    positional = "expressions"
    parameters: ClassVar[Mapping[str, str]] = {}
    """Option of the constructor to PostgreSQL's storage parameter."""

    def __init__(
        self,
        *expressions: Expression | str,
        fields: Sequence[str] = (),
        name: str = "",
        condition: Q | None = None,
        include: Sequence[str] | None = None,
        opclasses: Sequence[str] = (),
    ) -> None:
        kind = type(self).__name__
        self.name = name
        self.expressions = as_expressions(expressions, kind, name)
        self.fields, self.condition = list(fields), condition
        self.include, self.opclasses = list(include) if include else None, list(opclasses)
        if bool(self.fields) == bool(self.expressions):
            raise DeclarationError(f"{kind} {name!r}: give either fields=[...] or expressions", hint="One of the two.")
        if self.expressions and not name:
            raise DeclarationError(f"{kind}: an index on expressions needs a name", hint="Give it name='...'.")
        if self.opclasses and len(self.opclasses) != len(self.fields):
            raise DeclarationError(
                f"{kind} {name!r}: give an operator class for each of the fields", hint="As many as fields."
            )

    def named(self, meta: Any) -> Self:
        made = super().named(meta)
        made.name = made.name or _name_for(meta.table, self.fields, self.method)
        return made

    def needs(self) -> Mapping[str, str]:
        found = {
            "partial_indexes": "condition" if self.condition is not None else "",
            "expression_indexes": "expressions" if self.expressions else "",
            "index_methods": f"the method {self.method}" if self.method else "",
        }
        return {ability: what for ability, what in found.items() if what}

    def names(self) -> Iterator[str]:
        yield from (name.removeprefix("-") for name in self.fields)
        yield from names_in([*self.expressions, self.condition])

    def build(self, schema: Any, model: Any, table: Any) -> None:
        """Add it to SQLAlchemy's table."""
        import sqlalchemy as sa

        if schema.spelling.hidden_columns and needs_hidden(self, unique=False):
            build_hidden(schema, model, table, self, unique=False)
            return
        ordered = self.method in ("", "btree")
        members = index_members(schema, model, table, self.fields, self.expressions, self.opclasses, ordered=ordered)
        options = index_options(schema, model, self.condition, self.fields, self.opclasses, ordered=ordered)
        if schema.dialect == "postgresql":
            if self.method:
                options["postgresql_using"] = self.method
            if self.include:
                options["postgresql_include"] = [model._meta.get_field(name).column for name in self.include]
            if storage := self._storage():
                options["postgresql_with"] = storage
        sa.Index(self.name, *members, _table=table, **options)

    def _storage(self) -> dict[str, Any]:
        told = {parameter: getattr(self, name) for name, parameter in self.parameters.items()}
        return {parameter: _spelled(value) for parameter, value in told.items() if value is not None}


def _spelled(value: Any) -> Any:
    return ("on" if value else "off") if isinstance(value, bool) else value


def _name_for(table: str, fields: Sequence[str], method: str) -> str:
    """``newsroom_story_published_idx``, or a shorter one with a digest where that is too long."""
    parts = "_".join(name.removeprefix("-") for name in fields)
    name = f"{table}_{parts}_{method or 'idx'}"
    if len(name.encode()) <= 60 and not any(field.startswith("-") for field in fields):
        return name
    mark = hashlib.blake2b(f"{table} {list(fields)} {method}".encode(), digest_size=4).hexdigest()
    return f"{name.encode()[:45].decode(errors='ignore')}_{mark}_{method or 'idx'}"


class _Tuned(Index):
    """An index of PostgreSQL's with storage parameters of its own."""

    def __init__(self, *expressions: Expression | str, **options: Any) -> None:
        for name in self.parameters:
            setattr(self, name, options.pop(name, None))
        super().__init__(*expressions, **options)


class BTreeIndex(_Tuned):
    """PostgreSQL's ordinary index, with its parameters.

    Args:
        expressions: As for ``Index``, and so are further options.
        fillfactor: How full its pages are packed, in percent.
        deduplicate_items: Whether equal keys are kept once.
    """

    method = "btree"
    parameters: ClassVar[Mapping[str, str]] = {"fillfactor": "fillfactor", "deduplicate_items": "deduplicate_items"}
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "fillfactor", "deduplicate_items")


class BrinIndex(_Tuned):
    """A tiny index for large tables whose rows lie in the order of the column, such as a log by time (PostgreSQL).

    Args:
        expressions: As for ``Index``, and so are further options.
        pages_per_range: Pages that one entry stands for.
        autosummarize: Whether new pages are summarized at once.
    """

    method = "brin"
    parameters: ClassVar[Mapping[str, str]] = {"pages_per_range": "pages_per_range", "autosummarize": "autosummarize"}
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "pages_per_range", "autosummarize")


class GinIndex(_Tuned):
    """For values that hold many, such as JSON, arrays and search vectors (PostgreSQL).

    Args:
        expressions: As for ``Index``, and so are further options.
        fastupdate: Whether changes are gathered before they are entered.
        gin_pending_list_limit: How many, in kilobytes.
    """

    method = "gin"
    parameters: ClassVar[Mapping[str, str]] = {
        "fastupdate": "fastupdate",
        "gin_pending_list_limit": "gin_pending_list_limit",
    }
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "fastupdate", "gin_pending_list_limit")


class GistIndex(_Tuned):
    """For geometries, ranges and nearest neighbours (PostgreSQL).

    Args:
        expressions: As for ``Index``, and so are further options.
        buffering: Whether it is built with buffers.
        fillfactor: How full its pages are packed, in percent.
    """

    method = "gist"
    parameters: ClassVar[Mapping[str, str]] = {"buffering": "buffering", "fillfactor": "fillfactor"}
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "buffering", "fillfactor")


class SpGistIndex(_Tuned):
    """For values that fall into parts of uneven size, such as telephone numbers and points (PostgreSQL).

    Args:
        expressions: As for ``Index``, and so are further options.
        fillfactor: How full its pages are packed, in percent.
    """

    method = "spgist"
    parameters: ClassVar[Mapping[str, str]] = {"fillfactor": "fillfactor"}
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "fillfactor")


class HashIndex(_Tuned):
    """For equality alone (PostgreSQL).

    Args:
        expressions: As for ``Index``, and so are further options.
        fillfactor: How full its pages are packed, in percent.
    """

    method = "hash"
    parameters: ClassVar[Mapping[str, str]] = {"fillfactor": "fillfactor"}
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "fillfactor")


class BloomIndex(_Tuned):
    """For equality in any few of many columns; needs the extension ``bloom`` (PostgreSQL).

    Args:
        expressions: As for ``Index``, and so are further options.
        length: Bits of each signature.
        columns: Bits that each column sets, in the order of ``fields``.
    """

    method = "bloom"
    arguments: ClassVar[tuple[str, ...]] = (*Index.arguments, "length", "columns")

    def __init__(
        self, *expressions: Expression | str, length: int | None = None, columns: Sequence[int] = (), **options: Any
    ) -> None:
        self.length, self.columns = length, list(columns)
        super().__init__(*expressions, **options)

    def _storage(self) -> dict[str, Any]:
        bits = {f"col{number}": count for number, count in enumerate(self.columns, 1)}
        return {**({} if self.length is None else {"length": self.length}), **bits}
