"""Old URLs lead to the new ones, until something else is published there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.servers import SERVERS, opened_apart
from toolkit.builder.history import free_redirects, remember
from toolkit.errors import Problems
from toolkit.site.history import find_history, read_history


def slug(press: Any, value: str, *, pk: int = 4) -> None:
    press.sql("UPDATE press_story SET slug = ? WHERE id = ?", value, pk)


def redirect(press: Any, url: str) -> str | None:
    """Where the file at a URL leads, or None if there is no file, or the file is a page."""
    path = press.out / url.strip("/") / "index.html"
    if not path.exists():
        return None
    _, found, rest = path.read_text("utf-8").partition('http-equiv="refresh" content="0; url=')
    return rest.partition('"')[0] if found else None


def test_a_changed_slug_leaves_a_redirect(press: Any) -> None:
    press.take_built()
    slug(press, "moved")
    report = press.same()
    assert redirect(press, "/sport/story-3/") == "/sport/moved/"
    assert "redirected /sport/story-3/: to /sport/moved/" in map(str, report.events)


def test_a_slug_that_changes_back_leaves_none_to_itself(press: Any) -> None:
    press.take_built()
    for value in ("moved", "story-3"):
        slug(press, value)
        press.same()
    assert "<h1>Story 3</h1>" in press.read("sport/story-3/index.html")
    assert redirect(press, "/sport/moved/") == "/sport/story-3/"


def test_chains_collapse(press: Any) -> None:
    press.take_built()
    for value in ("b", "c", "d"):
        slug(press, value)
        press.same()
    assert {redirect(press, f"/sport/{value}/") for value in ("story-3", "b", "c")} == {"/sport/d/"}


def test_a_new_page_at_an_old_url_wins(press: Any) -> None:
    press.take_built()
    slug(press, "moved")
    press.build()
    slug(press, "story-3", pk=2)
    press.same()
    assert "<h1>Story 1</h1>" in press.read("sport/story-3/index.html")
    slug(press, "other", pk=2)
    press.same()
    assert redirect(press, "/sport/story-3/") == "/sport/other/"


def test_a_page_without_subject_and_a_public_file_at_an_old_url_win(press: Any) -> None:
    press.take_built()
    slug(press, "moved")
    press.build()
    press.write("public/sport/story-3/index.html", "public")
    press.same()
    assert press.read("sport/story-3/index.html") == "public"
    (press.folder / "public/sport/story-3/index.html").unlink()
    press.same()
    assert redirect(press, "/sport/story-3/") == "/sport/moved/"
    press.replace("press/pages.py", '"/plain/"', '"/sport/story-3/"')
    press.same()
    assert press.read("sport/story-3/index.html") == "<p>plain</p>"
    assert redirect(press, "/plain/") == "/sport/story-3/"


def test_a_slug_that_changes_its_case_is_no_collision_with_its_own_past(press: Any) -> None:
    press.take_built()
    slug(press, "Story-3")
    press.same()
    assert (press.out / "sport/Story-3/index.html").exists()


def test_the_page_of_a_deleted_row_leaves_nothing(press: Any) -> None:
    press.take_built()
    slug(press, "moved")
    press.build()
    press.edit(lambda m: m.Story.objects.get(pk=4).delete())
    press.same()
    assert redirect(press, "/sport/story-3/") is None


def test_a_moved_section_moves_its_stories_and_feeds(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_section SET slug = 'games' WHERE slug = 'sport'")
    press.same()
    assert redirect(press, "/sport/") == "/games/"
    assert redirect(press, "/es/sport/historia-3/") == "/es/games/historia-3/"
    assert not (press.out / "sport/feed.xml").exists(), "a feed's reader would find HTML there"


def test_aliases_are_redirects_and_may_not_be_in_the_way(press: Any) -> None:
    press.take_built()
    assert redirect(press, "/home/") == "/"
    assert redirect(press, "/s/story-3/") == "/sport/story-3/"
    press.replace("press/pages.py", 'aliases=["/home/"]', 'aliases=["/stats/"]')
    with pytest.raises(Problems, match=r"a page and a redirect both want the file stats/index.html"):
        press.build()


def test_what_a_build_to_another_folder_published_is_known_to_this_one(press: Any) -> None:
    press.take_built()
    slug(press, "elsewhere")
    press.clean("elsewhere")
    slug(press, "story-3")
    press.same()
    assert redirect(press, "/sport/elsewhere/") == "/sport/story-3/"


def test_an_edit_of_the_file_of_redirects_is_built_like_any_other(press: Any) -> None:
    press.write("redirects.csv", "from,to\n/one/,/two/\n/two/,/sport/story-3/\n/old/*,/:splat\n/sport/story-1/,/\n")
    report = press.same()
    assert redirect(press, "/one/") == redirect(press, "/two/") == "/sport/story-3/"
    assert "redirects.csv:5: /sport/story-1/ is published, so it redirects nobody" in report.notices
    slug(press, "moved")
    press.same()
    assert redirect(press, "/one/") == "/sport/moved/", "what people wrote down follows pages that move"
    press.write("redirects.csv", "from,to\n/one/,/nowhere/\n")
    report = press.same()
    assert (redirect(press, "/one/"), redirect(press, "/two/")) == ("/nowhere/", None)
    assert "redirects.csv:2: /one/ leads to /nowhere/, where nothing is published" in report.notices
    assert press.build().count("written") == 0


def test_a_circle_of_redirects_stops_the_build_and_leaves_the_last_one(press: Any) -> None:
    press.take_built()
    before = press.read("sport/story-3/index.html")
    press.write("redirects.csv", "from,to\n/one/,/two/\n/two/,/one/\n")
    with pytest.raises(Problems, match=r"redirects.csv:2: redirects go round in a circle: /one/ -> /two/ -> /one/"):
        press.build()
    assert press.read("sport/story-3/index.html") == before


@pytest.mark.parametrize("url", ["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def test_urls_are_remembered_on_every_database(url: str) -> None:
    database = opened_apart(url)
    try:
        first = dict.fromkeys(("/a/", "/A/", "/" + "x" * 1999), ("press.story", "{}", "en"))
        assert remember(database, first) == []
        assert remember(database, {**first, "/a/": ("press.story", "{}", "es")}) == []
        assert read_history(database) == {**first, "/a/": ("press.story", "{}", "es")}
        assert find_history(database, "/A/") == ("press.story", "{}", "en")
    finally:
        database.drop()


@pytest.mark.parametrize("url", ["/../up/", "/a/%2e%2e/%2e%2e/up/", "/a//b/", f"/{'z' * 300}/"])
def test_no_redirect_is_a_file_elsewhere_than_its_url_says(url: str) -> None:
    assert free_redirects({url: "/new/", "/a/": "/new/"}, []) == {"/a/": "/new/"}


SHORTCUTS = """

@app.redirects
def shortcuts():
    return [(f"/s{story.pk}/", f"/{story.section.slug}/{story.slug}/") for story in Story.objects.all()]
"""


def test_rows_of_a_model_redirect_as_they_are_at_each_build(press: Any) -> None:
    press.write("press/pages.py", (press.folder / "press/pages.py").read_text() + SHORTCUTS)
    press.same()
    assert redirect(press, "/s4/") == "/sport/story-3/"
    slug(press, "moved")
    press.same()
    assert redirect(press, "/s4/") == "/sport/moved/"
    assert press.build().count("written") == 0
    press.sql("DELETE FROM press_story_tags WHERE story_id = 4")
    press.sql("DELETE FROM press_story WHERE id = 4")
    press.same()
    assert redirect(press, "/s4/") is None
