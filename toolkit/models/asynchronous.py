"""Questions that a coroutine awaits: ``await Story.objects.aget(slug="flood")``.

Drivers wait for the database, so each question is asked in a thread of the event loop's, which gives its connection
back when it has the answer. Nothing is asked in another way than without ``await``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextvars import copy_context
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from toolkit.errors import TransactionError
from toolkit.lazily import LazyModule
from toolkit.trace import current

if TYPE_CHECKING:
    import asyncio
    from concurrent import futures
else:
    asyncio = LazyModule("asyncio")
    futures = LazyModule("concurrent.futures")

M = TypeVar("M", covariant=True)
P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> R:
    """What a function gives that asks the database.

    Raises:
        TransactionError: This thread is inside of an atomic block, of which another thread knows nothing.
    """
    _refuse_block(getattr(function, "__name__", "a question"))
    return await asyncio.to_thread(_released, partial(function, *arguments, **options))


def _databases() -> list[Any]:
    scope = current.get()
    if scope is None:
        return []
    return list(scope.site.databases.values()) if scope.site is not None else [scope.database]


def _refuse_block(name: str) -> None:
    if any(database.transaction is not None for database in _databases()):
        raise TransactionError(
            f"a{name}() inside of atomic(): it would be asked in another thread, which is outside of the block",
            hint="Put the whole block into a function without 'async', and await asyncio.to_thread(function).",
        )


def _released(function: Callable[[], R]) -> R:
    """Call a function, and let other threads have the connections that this one used."""
    try:
        return function()
    finally:
        for database in _databases():
            database.release()


class Awaited(Generic[M]):
    """The questions of a queryset, each as one that is awaited; an ``a`` stands before its name, as in Django."""

    async def __aiter__(self: Any) -> AsyncIterator[M]:
        for row in await in_thread(self._fetch):
            yield row

    async def aiterator(self: Any, *, chunk_size: int = 2000) -> AsyncIterator[M]:
        """``iterator()``. One thread, and one connection, takes all the rows."""
        _refuse_block("iterator")
        loop, context = asyncio.get_running_loop(), copy_context()
        thread, rows = futures.ThreadPoolExecutor(1), self.iterator(chunk_size=chunk_size)

        def take() -> list[M]:
            return list(islice(rows, chunk_size))

        try:
            while chunk := await loop.run_in_executor(thread, context.run, take):
                for row in chunk:
                    yield row
        finally:
            await loop.run_in_executor(thread, context.run, partial(_released, rows.close))
            thread.shutdown(wait=False)

    async def aget(self: Any, /, *conditions: Any, **lookups: Any) -> M:
        """``get()``."""
        found: M = await in_thread(self.get, *conditions, **lookups)
        return found

    async def afirst(self: Any) -> M | None:
        """``first()``."""
        found: M | None = await in_thread(self.first)
        return found

    async def alast(self: Any) -> M | None:
        """``last()``."""
        found: M | None = await in_thread(self.last)
        return found

    async def alatest(self: Any, *names: Any) -> M:
        """``latest()``."""
        found: M = await in_thread(self.latest, *names)
        return found

    async def aearliest(self: Any, *names: Any) -> M:
        """``earliest()``."""
        found: M = await in_thread(self.earliest, *names)
        return found

    async def ain_bulk(self: Any, keys: Iterable[Any] | None = None, **options: Any) -> dict[Any, M]:
        """``in_bulk()``."""
        found: dict[Any, M] = await in_thread(self.in_bulk, keys, **options)
        return found

    async def acount(self: Any) -> int:
        """``count()``."""
        return int(await in_thread(self.count))

    async def aexists(self: Any) -> bool:
        """``exists()``."""
        return bool(await in_thread(self.exists))

    async def acontains(self: Any, item: Any) -> bool:
        """``contains()``."""
        return bool(await in_thread(self.contains, item))

    async def aaggregate(self: Any, /, *aggregates: Any, **named: Any) -> dict[str, Any]:
        """``aggregate()``."""
        found: dict[str, Any] = await in_thread(self.aggregate, *aggregates, **named)
        return found

    async def aexplain(self: Any, **options: Any) -> str:
        """``explain()``."""
        return str(await in_thread(self.explain, **options))

    async def acreate(self: Any, /, **values: Any) -> M:
        """``create()``."""
        made: M = await in_thread(self.create, **values)
        return made

    async def aget_or_create(self: Any, /, defaults: Mapping[str, Any] | None = None, **lookups: Any) -> tuple[M, bool]:
        """``get_or_create()``."""
        found: tuple[M, bool] = await in_thread(self.get_or_create, defaults=defaults, **lookups)
        return found

    async def aupdate_or_create(
        self: Any,
        /,
        defaults: Mapping[str, Any] | None = None,
        create_defaults: Mapping[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[M, bool]:
        """``update_or_create()``."""
        given = {"defaults": defaults, "create_defaults": create_defaults}
        found: tuple[M, bool] = await in_thread(self.update_or_create, **given, **lookups)
        return found

    async def abulk_create(self: Any, rows: Iterable[Any], **options: Any) -> list[M]:
        """``bulk_create()``."""
        made: list[M] = await in_thread(self.bulk_create, rows, **options)
        return made

    async def abulk_update(self: Any, rows: Iterable[Any], fields: Iterable[str], **options: Any) -> int:
        """``bulk_update()``."""
        return int(await in_thread(self.bulk_update, rows, fields, **options))

    async def aupdate(self: Any, /, **values: Any) -> int:
        """``update()``."""
        return int(await in_thread(self.update, **values))

    async def adelete(self: Any) -> dict[str, int]:
        """``delete()``."""
        gone: dict[str, int] = await in_thread(self.delete)
        return gone


class AwaitedPartners:
    """What changes the partners of a row, to be awaited."""

    __slots__ = ()

    async def aadd(self: Any, *partners: Any, **options: Any) -> None:
        """``add()``."""
        await in_thread(self.add, *partners, **options)

    async def aremove(self: Any, *partners: Any) -> None:
        """``remove()``."""
        await in_thread(self.remove, *partners)

    async def aset(self: Any, partners: Iterable[Any], **options: Any) -> None:
        """``set()``."""
        await in_thread(self.set, partners, **options)

    async def aclear(self: Any) -> None:
        """``clear()``."""
        await in_thread(self.clear)


class AwaitedRow:
    """What reads and writes a row, to be awaited."""

    __slots__ = ()

    async def asave(self: Any, **options: Any) -> None:
        """``save()``."""
        await in_thread(self.save, **options)

    async def adelete(self: Any, **options: Any) -> dict[str, int]:
        """``delete()``."""
        gone: dict[str, int] = await in_thread(self.delete, **options)
        return gone

    async def arefresh_from_db(self: Any, fields: Iterable[str] | None = None, **options: Any) -> None:
        """``refresh_from_db()``."""
        await in_thread(self.refresh_from_db, fields, **options)
