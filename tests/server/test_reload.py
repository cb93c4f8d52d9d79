"""Live preview: a page is told of its own changes, soon, and of no others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
import watchfiles

from toolkit.server.client import Got

SECONDS = 30.0
"""How long a browser waits, and a test for what is to come."""


@pytest.fixture(autouse=True)
def watching(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the files' watcher has begun."""
    begun, make = threading.Event(), watchfiles.main.RustNotify

    def notify(*args: Any) -> Any:
        made = make(*args)
        begun.set()
        return made

    monkeypatch.setattr(watchfiles.main, "RustNotify", notify)
    return begun


@pytest.fixture
def preview(make_newsroom: Callable[..., Any]) -> Any:
    made = make_newsroom(preview=True)
    made.story("flood", body="Water")
    made.story("drought")
    return made


def token_of(got: Got) -> str:
    """What the browser's script reads from the Server-Timing header."""
    return got.headers["server-timing"].removeprefix('toolkit;desc="').removesuffix('"')


class Waiting:
    """A browser that shows a page and waits for its change."""

    def __init__(self, newsroom: Any, path: str, watching: threading.Event, *, token: str | None = None) -> None:
        shown = newsroom.get(path) if token is None else None
        self.token = token_of(shown) if shown is not None else token
        self.got: Got | None = None
        self._reloader = newsroom.application.reloader
        self._reloader.wait_seconds = SECONDS
        self._changes = self._reloader.changes
        waits, wait = threading.Event(), self._changes.wait

        def waited(*args: Any) -> bool:
            waits.set()
            return bool(wait(*args))

        def ask() -> None:
            self.got = newsroom.get(f"/_toolkit/wait?page={quote(path)}&token={self.token}")
            waits.set()

        self._changes.wait = waited
        self._thread = threading.Thread(target=ask)
        self._thread.start()
        assert watching.wait(SECONDS) and waits.wait(SECONDS)
        await_that(lambda: self._changes.count > 0)  # the database's watcher tells of its first look

    def status(self) -> int:
        self._thread.join()
        assert self.got is not None
        return self.got.status

    def status_after(self, write: Callable[[], Any]) -> int:
        """The same, waiting no longer than until a change was told."""
        count = self._changes.count
        write()
        await_that(lambda: self._changes.count > count)
        self._changes.interrupt()  # who waits looks at the page once more
        return self.status()


def await_that(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def open_page(preview: Any, watching: threading.Event) -> Callable[..., Waiting]:
    return lambda path, **options: Waiting(preview, path, watching, **options)


def test_an_edited_template_reloads_its_page(preview: Any, open_page: Any) -> None:
    waiting = open_page("/about/")
    preview.write("templates/about.html", '{% extends "base.html" %}{% block content %}Edited{% endblock %}')
    assert waiting.status() == 200


def test_another_pages_template_does_not(preview: Any, open_page: Any) -> None:
    waiting = open_page("/about/")
    assert waiting.status_after(lambda: preview.write("templates/story.html", "edited")) == 204


def test_an_edited_row_reloads_its_page(preview: Any, open_page: Any) -> None:
    waiting = open_page("/town/flood/")
    preview.sql("UPDATE {} SET body = 'more' WHERE slug = 'flood'".format(preview.model("Story")._meta.table))
    assert waiting.status() == 200


def test_another_pages_row_does_not(preview: Any, open_page: Any) -> None:
    waiting = open_page("/town/flood/")
    edit = "UPDATE {} SET body = 'more' WHERE slug = 'drought'".format(preview.model("Story")._meta.table)
    assert waiting.status_after(lambda: preview.sql(edit)) == 204


def test_an_edited_asset_reloads_the_pages_that_use_it(preview: Any, open_page: Any) -> None:
    waiting, other = open_page("/"), open_page("/about/")
    assert other.status_after(lambda: preview.write("static/site.css", "body { color: white }")) == 204
    assert waiting.status() == 200


def test_a_save_that_changes_no_byte_reloads_nothing(preview: Any, open_page: Any) -> None:
    waiting, same = open_page("/about/"), (preview.folder / "templates/about.html").read_bytes()
    assert waiting.status_after(lambda: preview.write("templates/about.html", same)) == 204


def test_a_change_between_showing_and_waiting_is_told_at_once(preview: Any) -> None:
    token = token_of(preview.get("/about/"))
    preview.write("templates/about.html", '{% extends "base.html" %}{% block content %}Edited{% endblock %}')
    assert preview.get(f"/_toolkit/wait?page=/about/&token={token}").status == 200


def test_a_browser_that_knows_no_token_waits_for_what_was_shown_last(preview: Any, open_page: Any) -> None:
    preview.get("/about/")
    waiting = open_page("/about/", token="")
    assert waiting.status_after(preview.application.reloader.changes.tell) == 204
    preview.write("templates/about.html", "Edited")
    assert preview.get("/_toolkit/wait?page=/about/").status == 200


def test_a_page_that_comes_to_be_reloads_its_404(preview: Any, open_page: Any) -> None:
    waiting = open_page("/town/storm/")
    preview.story("storm")
    assert waiting.status() == 200


def test_a_page_that_goes_reloads(preview: Any, open_page: Any) -> None:
    waiting = open_page("/town/flood/")
    preview.sql("DELETE FROM {} WHERE slug = 'flood'".format(preview.model("Story")._meta.table))
    assert waiting.status() == 200


def test_a_failing_page_reloads_when_it_is_mended(preview: Any, open_page: Any) -> None:
    shown = preview.get("/broken/").body.decode()
    token = shown.partition('data-failed="')[2].partition('"')[0]
    waiting = open_page("/broken/", token=token)
    assert waiting.status_after(preview.application.reloader.changes.tell) == 204
    waiting = open_page("/broken/", token=token)
    preview.write("templates/broken.html", "mended")
    assert waiting.status() == 200


def test_a_page_that_begins_to_fail_reloads_to_say_so(preview: Any, open_page: Any) -> None:
    waiting = open_page("/about/")
    preview.write("templates/about.html", "{{ nonsense }}")
    assert waiting.status() == 200
    assert b"nonsense" in preview.get("/about/").body


def test_a_view_reloads_at_any_saved_file_and_at_no_row(preview: Any, open_page: Any) -> None:
    first, edit = open_page("/search/", token=""), "UPDATE {} SET body = 'more'"
    assert first.status_after(lambda: preview.sql(edit.format(preview.model("Story")._meta.table))) == 204
    second = open_page("/search/", token="")
    preview.write("templates/search.html", "edited")
    assert second.status() == 200


def test_each_save_is_told(preview: Any, open_page: Any) -> None:
    for number in range(4):
        waiting = open_page("/about/")
        preview.write("templates/about.html", f"version {number}")
        assert waiting.status() == 200


def test_the_script_is_ours_and_small(preview: Any) -> None:
    got = preview.get("/_toolkit/reload.js")
    assert got.headers["content-type"] == "text/javascript; charset=utf-8"
    assert len(got.body) < 4096
    assert preview.get("/_toolkit/reload.js", headers={"If-None-Match": got.headers["etag"]}).status == 304


def test_changed_code_ends_the_waiting_for_the_process_to_be_replaced(preview: Any, open_page: Any) -> None:
    waiting = open_page("/about/")
    began = time.monotonic()
    preview.write("extra.py", "x = 1")
    assert waiting.status() == 204
    assert time.monotonic() - began < SECONDS


def test_closing_ends_the_waiting(preview: Any, open_page: Any) -> None:
    waiting = open_page("/about/")
    began = time.monotonic()
    preview.application.close()
    assert waiting.status() == 204
    assert time.monotonic() - began < SECONDS


def test_a_preview_answers_only_to_its_own_names(preview: Any) -> None:
    """A page of another site that resolves its own name to this machine must not read drafts."""
    for host in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000", "192.168.1.7", "bay.example"):
        assert preview.get("/", host=host).status == 200, host
    for host in ("evil.example", "evil.example:8000", "localhost.evil.example", "", "127.0.0.1.evil.example", "a@evil"):
        assert preview.get("/", host=host).status == 400, host


CONTENT = """
app.source("content/*.yaml", model=Section, key="slug")
"""


def test_content_files_become_pages_as_they_are_saved(make_newsroom: Any, watching: threading.Event) -> None:
    preview = make_newsroom(preview=True, pages=CONTENT, files={"content/sea.yaml": "- slug: sea\n  name: Sea\n"})
    assert b"Sea" in preview.get("/sea/").body
    waiting = Waiting(preview, "/sea/", watching)
    preview.write("content/sea.yaml", "- slug: sea\n  name: The sea\n")
    assert waiting.status() == 200
    assert b"The sea" in preview.get("/sea/").body


def test_a_bad_content_file_is_shown_in_place_of_every_page(make_newsroom: Any, watching: threading.Event) -> None:
    preview = make_newsroom(preview=True, pages=CONTENT, files={"content/sea.yaml": "- slug: sea\n  name: Sea\n"})
    waiting = Waiting(preview, "/about/", watching)
    preview.write("content/sea.yaml", "- slug: sea\n  naem: Sea\n")
    assert waiting.status() == 200
    got = preview.get("/about/")
    assert got.status == 500
    assert b"naem" in got.body and b"content/sea.yaml:2" in got.body
    again = Waiting(
        preview, "/about/", watching, token=got.body.decode().partition('data-failed="')[2].partition('"')[0]
    )
    preview.write("content/sea.yaml", "- slug: sea\n  name: Sea\n")
    assert again.status() == 200
    assert preview.get("/about/").status == 200


def test_whatever_a_load_raises_is_shown_and_the_watching_goes_on(
    make_newsroom: Any, watching: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = make_newsroom(preview=True, pages=CONTENT, files={"content/sea.yaml": "- slug: sea\n  name: Sea\n"})
    with monkeypatch.context() as patch:
        patch.setattr("toolkit.server.reload.load_sources", lambda *_: 1 / 0)
        got = preview.get("/about/")
        assert (got.status, b"division by zero" in got.body) == (500, True)
        before = threading.active_count()
        assert preview.get("/about/").body == got.body
        assert threading.active_count() == before
    preview.write("content/sea.yaml", "- slug: sea\n  name: The sea\n")
    waiting = Waiting(
        preview, "/about/", watching, token=got.body.decode().partition('data-failed="')[2].partition('"')[0]
    )
    assert waiting.status() == 200
    assert preview.get("/about/").status == 200
