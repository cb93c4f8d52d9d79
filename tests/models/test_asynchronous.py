"""Questions that coroutines await: the same answers, in threads that leave nothing behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import SERVERS
from toolkit.errors import ObjectDoesNotExist, TransactionError
from toolkit.models import Count
from toolkit.testing import Client, temporary_site
from toolkit.trace import Scope, entered


@pytest.fixture
def room(newsroom: Any) -> Iterator[Any]:
    """The newsroom. Connections that threads gave back are open still, for the next who ask: they are closed."""
    yield newsroom
    if newsroom.database.dialect != "sqlite":
        newsroom.database.close_all()


def test_each_question_has_its_awaited_one(room: Any, m: Any) -> None:
    async def ask() -> None:
        stories = m.Story.objects.order_by("pk")
        first = await stories.afirst()
        assert first == await stories.aget(slug="story-0") == (await stories.ain_bulk([first.pk]))[first.pk]
        assert (await stories.alast()).slug == "story-19"
        assert (await stories.alatest()).slug == "story-0"
        assert (await stories.aearliest()).slug == "story-19"
        assert (await stories.acount(), await stories.aexists(), await stories.acontains(first)) == (20, True, True)
        assert await stories.aaggregate(n=Count("*")) == {"n": 20}
        assert await stories.aexplain()
        assert [story.slug async for story in stories[:2]] == ["story-0", "story-1"]
        with pytest.raises(ObjectDoesNotExist):
            await stories.aget(slug="none")

    asyncio.run(ask())


def test_rows_are_written_and_read_again(room: Any, m: Any) -> None:
    async def work() -> None:
        tag = await m.Tag.objects.acreate(name="Sea", slug="sea")
        assert await m.Tag.objects.aget_or_create(slug="sea", defaults={"name": "No"}) == (tag, False)
        assert (await m.Tag.objects.aupdate_or_create(slug="sea", defaults={"name": "Ocean"}))[1] is False
        await tag.arefresh_from_db()
        assert tag.name == "Ocean"
        tag.name = "Sea"
        await tag.asave(update_fields=["name"])
        made = await m.Tag.objects.abulk_create([m.Tag(name=f"b{n}", slug=f"b{n}") for n in range(3)])
        assert await m.Tag.objects.filter(slug__startswith="b").aupdate(name="many") == 3
        assert await m.Tag.objects.abulk_update(made, ["name"]) == 3
        story = room.stories[0]
        await story.tags.aset([tag])
        await story.tags.aadd(*made)
        await story.tags.aremove(made[0])
        assert await story.tags.acount() == 3
        await story.tags.aclear()
        assert await m.Tag.objects.filter(slug__startswith="b").adelete() == {"news.Tag": 3}
        assert await tag.adelete() == {"news.Tag": 1}

    asyncio.run(work())


def test_many_are_asked_at_once(room: Any, m: Any) -> None:
    async def ask() -> list[Any]:
        return await asyncio.gather(*(m.Story.objects.aget(slug=f"story-{n % 20}") for n in range(100)))

    assert [story.slug for story in asyncio.run(ask())] == [f"story-{n % 20}" for n in range(100)]


def test_rows_come_in_chunks_and_may_be_left(room: Any, m: Any) -> None:
    async def take(count: int) -> list[str]:
        found = []
        rows = m.Story.objects.order_by("pk").aiterator(chunk_size=3)
        async for story in rows:
            found.append(story.slug)
            if len(found) == count:
                break
        await rows.aclose()
        return found

    assert asyncio.run(take(100)) == [f"story-{n}" for n in range(20)]
    assert asyncio.run(take(4)) == [f"story-{n}" for n in range(4)]


def test_inside_of_a_block_nothing_is_asked_past_it(room: Any, m: Any) -> None:
    async def ask(question: Coroutine[Any, Any, Any]) -> None:
        with room.database.atomic():
            await question

    with pytest.raises(TransactionError, match=r"aget\(\) inside of atomic\(\): it would be asked in another thread"):
        asyncio.run(ask(m.Story.objects.aget(slug="story-1")))


VIEWS = """
import asyncio
from .models import Note

@app.view("/notes/")
async def notes(request):
    found = await asyncio.gather(*(Note.objects.acount() for _ in range(8)))
    return {"counts": found, "texts": [note.text async for note in Note.objects.aiterator()]}

@app.view("/fails/")
async def fails(request):
    await Note.objects.aget(text="none")
"""


def test_an_async_view_asks_and_leaves_no_thread_and_no_connection(tmp_path: Path) -> None:
    models = "class Note(models.Model):\n    text = models.CharField(max_length=20)\n"
    with temporary_site(tmp_path, {}, models=models, pages=VIEWS) as site:
        note = site.models[0]
        client = Client(site)
        with site:
            note.objects.create(text="one")
        before = threading.active_count()
        for _ in range(5):
            assert client.get("/notes/").json() == {"counts": [1] * 8, "texts": ["one"]}
        assert threading.active_count() <= before + 1  # one more may be about to end


@pytest.mark.parametrize("url", SERVERS, ids=lambda url: url.partition(":")[0])
def test_forty_questions_share_two_connections(url: str, m: Any) -> None:
    database = m.make_database(f"{url}?pool_size=2&pool_timeout_seconds=20")

    async def ask() -> list[int]:
        return await asyncio.gather(*(m.Tag.objects.acount() for _ in range(40)))

    try:
        database.release()
        with entered(Scope(None, database)):
            assert asyncio.run(ask()) == [0] * 40
    finally:
        database.close_all()
        database.drop()
