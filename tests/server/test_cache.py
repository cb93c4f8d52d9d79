"""The page cache: what is served from memory is what would be rendered now."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from toolkit.models.passing import NEVER
from toolkit.pages import Rendering
from toolkit.server import pages as module
from toolkit.server.answers import Answer
from toolkit.server.cache import Entry, PageCache
from toolkit.server.freshness import FileStamps, next_crossing
from toolkit.trace import Trace, entered


@pytest.fixture
def renders(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs that were rendered, in order."""
    seen: list[str] = []
    original = module.render

    def counted(site: Any, page: Any, *arguments: Any, **options: Any) -> Rendering:
        seen.append(page.url)
        return original(site, page, *arguments, **options)

    monkeypatch.setattr(module, "render", counted)
    return seen


@pytest.fixture
def settled(newsroom: Any) -> Any:
    """The newsroom, its files as old as files of a deployed site are."""
    age(newsroom.folder)
    return newsroom


def age(folder: Path) -> None:
    """Let all files be written a while ago. The time of their change of status cannot be set, so look away from it."""
    for place in folder.rglob("*"):
        os.utime(place, (time.time() - 60, time.time() - 60), follow_symlinks=False)


@pytest.fixture(autouse=True)
def trusting(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Take the stamps of files that were just made for settled ones, where a test says ``settled``."""
    if "settled" in request.fixturenames:
        monkeypatch.setattr("toolkit.server.freshness.is_settled", lambda stamp, at_ns: True)


def test_a_page_is_rendered_once(settled: Any, renders: list[str]) -> None:
    assert len({settled.get("/").body for _ in range(5)}) == 1
    assert renders == ["/"]


def test_a_page_from_memory_asks_the_database_nothing(settled: Any) -> None:
    settled.get("/")
    with settled.site.database.counted() as statements:
        settled.get("/")
    assert statements == []


def test_the_query_of_a_url_makes_no_further_entries(settled: Any, renders: list[str]) -> None:
    for number in range(5):
        settled.get(f"/?utm={number}")
    assert renders == ["/"]


def test_another_process_edits_a_row(settled: Any, renders: list[str]) -> None:
    settled.get("/town/flood/")
    settled.sql("UPDATE {} SET body = 'new words'".format(settled.model("Story")._meta.table))
    assert b"new words" in settled.get("/town/flood/").body
    assert renders == ["/town/flood/", "/town/flood/"]


def test_an_edit_elsewhere_renders_nothing(settled: Any, renders: list[str]) -> None:
    settled.story("drought")
    settled.get("/town/flood/")
    settled.sql("UPDATE {} SET body = 'x' WHERE slug = 'drought'".format(settled.model("Story")._meta.table))
    settled.get("/town/flood/")
    settled.get("/town/flood/")
    assert renders == ["/town/flood/"]


def test_a_row_that_is_hidden_takes_its_page_away(settled: Any) -> None:
    assert settled.get("/town/flood/").status == 200
    settled.sql("UPDATE {} SET status = 'draft'".format(settled.model("Story")._meta.table))
    assert settled.get("/town/flood/").status == 404
    settled.sql("UPDATE {} SET status = 'live'".format(settled.model("Story")._meta.table))
    assert settled.get("/town/flood/").status == 200


def test_an_own_write_is_seen(settled: Any) -> None:
    settled.get("/")
    settled.story("drought")
    assert b"Drought" in settled.get("/").body


def test_a_slug_that_changes_moves_the_page_and_its_links(settled: Any) -> None:
    assert b'href="/town/flood/"' in settled.get("/").body
    settled.get("/town/flood/")
    settled.sql("UPDATE {} SET slug = 'high-water'".format(settled.model("Story")._meta.table))
    assert settled.get("/town/flood/").status == 404
    assert b'href="/town/high-water/"' in settled.get("/").body


def test_a_database_that_is_put_in_anothers_place_is_read(settled: Any) -> None:
    settled.get("/town/flood/")
    settled.site.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = settled.folder / "copy.db"
    copy.write_bytes((settled.folder / "site.db").read_bytes())
    with sqlite3.connect(copy) as connection:
        connection.execute("UPDATE {} SET body = 'restored'".format(settled.model("Story")._meta.table))
    connection.close()
    for name in ("site.db-wal", "site.db-shm"):
        (settled.folder / name).unlink(missing_ok=True)
    copy.replace(settled.folder / "site.db")
    assert b"restored" in settled.get("/town/flood/").body


def test_an_embargo_ends_without_anybody_doing_anything(settled: Any, renders: list[str]) -> None:
    settled.story("soon", days=1.2 / 86400)
    assert (b"Soon" in settled.get("/").body, settled.get("/town/soon/").status) == (False, 404)
    wait_until(lambda: b"Soon" in settled.get("/").body)
    assert settled.get("/town/soon/").status == 200


def test_an_expired_story_is_gone_though_no_row_changed(settled: Any, pass_seconds: Callable[[float], None]) -> None:
    settled.story("brief", expires=datetime.now(UTC) + timedelta(seconds=90))
    assert (settled.get("/town/brief/").status, b"Brief" in settled.get("/").body) == (200, True)
    pass_seconds(91)
    assert settled.get("/town/brief/").status == 404
    assert b"Brief" not in settled.get("/").body


def wait_until(holds: Any) -> None:
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end, "it did not happen in five seconds"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("templates/about.html", '{% extends "base.html" %}{% block content %}Edited{% endblock %}'),
        ("templates/base.html", "<title>Edited</title>{% block content %}{% endblock %}"),
    ],
)
def test_an_edited_template_is_seen(settled: Any, name: str, text: str) -> None:
    settled.get("/about/")
    settled.write(name, text)
    assert b"Edited" in settled.get("/about/").body


def test_a_template_that_comes_to_override_an_apps_is_seen(make_newsroom: Any, renders: list[str]) -> None:
    newsroom = make_newsroom()
    newsroom.write(f"{newsroom.folder.name}/templates/extra.html", "the app's")
    newsroom = make_newsroom(
        pages='@app.page("/extra/", template="extra.html")\ndef extra():\n    return {}\n',
        files={},
    )
    newsroom.write(f"{newsroom.folder.name}/templates/extra.html", "the app's")
    newsroom.site.__dict__.pop("environment", None)
    assert newsroom.get("/extra/").body.strip() == b"the app's"
    newsroom.write("templates/extra.html", "the site's")
    assert newsroom.get("/extra/").body.strip() == b"the site's"


def test_a_translation_is_seen(make_newsroom: Any) -> None:
    text = '{% extends "base.html" %}{% block content %}{% trans %}Hello{% endtrans %}{% endblock %}'
    newsroom = make_newsroom(files={"templates/about.html": text})
    assert b"Hello" in newsroom.get("/es/about/").body
    header = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    newsroom.write("locale/es/LC_MESSAGES/messages.po", f'{header}msgid "Hello"\nmsgstr "Hola"\n')
    assert b"Hola" in newsroom.get("/es/about/").body
    newsroom.write("locale/es/LC_MESSAGES/messages.po", f'{header}msgid "Hello"\nmsgstr "Eh"\n')
    assert b"Eh" in newsroom.get("/es/about/").body


def test_a_broken_catalog_does_not_stop_readers(make_newsroom: Any, caplog: pytest.LogCaptureFixture) -> None:
    newsroom = make_newsroom()
    newsroom.get("/es/about/")
    list(newsroom.site.catalogs.locales)
    newsroom.site.catalogs.load()
    newsroom.write("locale/es/LC_MESSAGES/messages.po", "msgid nonsense")
    assert newsroom.get("/es/about/").status == 200
    assert newsroom.get("/es/").status == 200
    assert len([record for record in caplog.records if "messages stay as they were" in record.message]) == 1


def test_a_file_that_a_page_reads_is_seen(make_newsroom: Any) -> None:
    pages = """
    @app.page("/tide/")
    def tide():
        from pathlib import Path
        return (Path(__file__).parent.parent / "tide.txt").read_text()
    """
    newsroom = make_newsroom(pages=pages, files={"tide.txt": "low"})
    assert newsroom.get("/tide/").body == b"low"
    newsroom.write("tide.txt", "high")
    assert newsroom.get("/tide/").body == b"high"


def test_what_modules_were_told_at_import_holds_while_the_process_lives(settled: Any, renders: list[str]) -> None:
    """A build makes such a page anew each time, for another process may have been told something else."""
    settled.site.read_at_import["outside", ("subprocess.Popen 'git'",)] = b"?"
    settled.get("/town/flood/")
    settled.sql("UPDATE {} SET name = name".format(settled.model("Section")._meta.table))
    settled.get("/town/flood/")
    assert renders == ["/town/flood/"]


def test_threads_agree(settled: Any) -> None:
    """Each has a connection, and with it a change counter, of its own."""
    table = settled.model("Story")._meta.table
    wrong: list[str] = []

    def ask(number: int) -> None:
        try:
            for _ in range(30):
                with lock:
                    settled.sql(f"UPDATE {table} SET body = 'state ' || (abs(random()) % 1000000)")
                    with sqlite3.connect(settled.folder / "site.db") as connection:
                        body = connection.execute(f"SELECT body FROM {table}").fetchone()[0]
                    connection.close()
                    got = settled.get("/town/flood/").body
                    if body.encode() not in got:
                        wrong.append(f"{number}: {body} is not in {got!r}")
        finally:
            settled.site.database.close()

    lock = threading.Lock()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_moment_is_shared_until_something_crosses_it(settled: Any) -> None:
    pages = settled.application.pages
    settled.story("later", days=1)
    settled.get("/")
    with entered(settled.site.scope()):
        later = settled.model("Story").objects.get(slug="later")
    with pages.snapshot() as (first, moment):
        assert moment.crossing == later.published
        assert next_crossing(settled.site.database, later.published + timedelta(seconds=1)) == NEVER
    with pages.snapshot() as (second, _):
        assert first.moment == second.moment


def test_stamps_that_are_young_prove_nothing(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_text("a")
    assert not FileStamps([str(place)]).hold()
    assert FileStamps([str(tmp_path / "absent")]).hold()


def entry(size: int) -> Entry:
    rendering = Rendering(b"x" * size, "text/html", Trace())
    return Entry(rendering, Answer(200), 0.0, NEVER, FileStamps(()))


def test_the_least_recently_asked_for_goes_first() -> None:
    cache = PageCache(max_bytes=30_000)
    for name in ("a", "b", "c"):
        cache.keep(name, entry(5_000))
    cache.find("a")
    cache.keep("d", entry(5_000))
    assert [name for name in "abcd" if cache.find(name)] == ["a", "c", "d"]


def test_what_is_too_large_is_not_kept() -> None:
    cache = PageCache(max_bytes=30_000)
    cache.keep("a", entry(1_000))
    cache.keep("b", entry(50_000))
    assert (cache.find("b"), len(cache), cache.bytes) == (None, 1, entry(1_000).size)


def test_forgetting_frees_its_bytes() -> None:
    cache = PageCache()
    cache.keep("a", entry(1_000))
    cache.keep("a", entry(2_000))
    cache.drop("a")
    cache.drop("a")
    assert (len(cache), cache.bytes) == (0, 0)


def test_a_news_sitemap_holds_no_longer_than_a_minute(make_newsroom: Any) -> None:
    """Stories leave it after two days, and no row changes when they do."""
    news = """
    from toolkit.sitemaps import News
    app.sitemap("/news.xml", news=True)

    @app.page("/news/<slug>/", each=Story.objects.all(), template="story.html", sitemap=News(title="title"))
    def news_story(story):
        return {}
    """
    newsroom = make_newsroom(pages=news)
    newsroom.story("flood")
    newsroom.story("old", days=-3)
    body = newsroom.get("/news.xml").body
    assert b"/news/flood/" in body and b"/news/old/" not in body
    entry = newsroom.application.pages.cache.find("/news.xml")
    assert entry is not None
    assert entry.valid_until <= datetime.now(UTC) + timedelta(minutes=1)


def test_a_template_that_reads_the_clock_holds_for_its_minute(make_newsroom: Any) -> None:
    text = '{% extends "base.html" %}{% block content %}{{ now().isoformat() }}{% endblock %}'
    newsroom = make_newsroom(files={"templates/about.html": text})
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    body = newsroom.get("/about/").body
    assert minute.isoformat().encode() in body or (minute + timedelta(minutes=1)).isoformat().encode() in body
    entry = newsroom.application.pages.cache.find("/about/")
    assert entry is not None
    assert minute < entry.valid_until <= minute + timedelta(minutes=2)
