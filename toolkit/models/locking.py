"""Locks on rows: ``select_for_update``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from toolkit.errors import FieldError, TransactionError, did_you_mean
from toolkit.models.given import refuse_one

if TYPE_CHECKING:
    from toolkit.models.compiler import Compiler


class Lock(NamedTuple):
    """What ``select_for_update`` was told; see there."""

    nowait: bool
    skip_locked: bool
    of: tuple[str, ...]
    no_key: bool


def make_lock(*, nowait: bool, skip_locked: bool, of: Iterable[str], no_key: bool) -> Lock:
    """A lock.

    Raises:
        FieldError: The options exclude each other.
    """
    if nowait and skip_locked:
        raise FieldError(
            "select_for_update(): nowait and skip_locked exclude each other", hint="Leave out one of them."
        )
    refuse_one("select_for_update", "of", of)
    return Lock(nowait, skip_locked, tuple(of), no_key)


def locked(compiler: Compiler, select: Any) -> Any:
    """A SELECT that locks its rows, where the database has such locks.

    SQLite has none and needs none: a transaction that may write is the only one (``BEGIN IMMEDIATE``).

    Raises:
        FieldError: The database knows no such lock, or a name is none.
    """
    lock, backend = compiler.selection.lock, compiler.schema.spelling
    if lock is None:
        return select
    chosen = _chosen(compiler, lock.of)
    if not backend.locks_rows:
        return select
    if compiler.selection.grouped or (compiler.selection.distinct and compiler.selection.values is not None):
        raise FieldError(
            "select_for_update(): groups and distinct values are no rows that could be locked",
            hint="Lock the rows in a question of their own.",
        )
    if compiler.windowed or compiler.selection.qualify or compiler.selection.distinct_on:
        raise FieldError(
            "select_for_update(): rows that are looked at by a Window, or are the first of each, cannot be locked",
            hint="Lock them by their keys: filter(pk__in=...).select_for_update().",
        )
    for name, asked in (("of", lock.of), ("no_key", lock.no_key)):
        if asked and name not in backend.lock_options:
            raise FieldError(
                f"select_for_update({name}=...): this database has no such lock", hint=f"Leave out {name}."
            )
    tables = chosen or _tables(compiler)
    hint = backend.lock_hint(nowait=lock.nowait, skip_locked=lock.skip_locked)
    if hint:
        for table in tables or [compiler.root.table, *(node.table for node in compiler.root.descendants())]:
            select = select.with_hint(table, hint, backend.dialect)
        return select
    return select.with_for_update(
        nowait=lock.nowait, skip_locked=lock.skip_locked, key_share=lock.no_key, of=tables or None
    )


def _tables(compiler: Compiler) -> list[Any]:
    """The tables whose rows are locked where nobody chose; none for all of them.

    A reference that may be empty is joined so that its row may be missing, and such a row cannot be locked.
    """
    nodes = list(compiler.root.descendants())
    if "of" not in compiler.schema.spelling.lock_options or not any(node.outer for node in nodes):
        return []
    return [compiler.root.table, *(node.table for node in nodes if not node.outer)]


def _chosen(compiler: Compiler, names: Sequence[str]) -> list[Any]:
    """The tables of ``of=``.

    Raises:
        FieldError: A name is not selected along, or its row may be missing.
    """
    known = {"self": compiler.root}
    for path in compiler.selection.related:
        node = compiler.root
        for name in path.split("__"):
            node = node.children[name]
        known[path] = node
    for name in names:
        if name not in known:
            raise FieldError(
                f"select_for_update(of=...): {name!r} is not selected along", hint=did_you_mean(name, known)
            )
        if known[name].outer:
            raise FieldError(
                f"select_for_update(of=...): {name!r} may be empty, and a row that may be missing cannot be locked",
                hint=f"Lock it by a question of its own: {known[name].model.__name__}.objects.select_for_update().",
            )
    return [known[name].table for name in names]


def refuse_lock_outside(database: Any) -> None:
    """Refuse to lock rows outside of a transaction, where the lock would be gone before the rows are there.

    Raises:
        TransactionError: There is no transaction.
    """
    if database.transaction is None:
        raise TransactionError(
            "select_for_update() outside of a transaction locks nothing", hint="Ask inside 'with atomic():'."
        )
