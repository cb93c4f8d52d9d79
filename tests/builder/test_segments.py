"""Builds of a part: what is outside stays as it is, no link breaks, and the next build of everything is exact.

``SEGMENT_SEEDS=100`` tries that many histories at random.
"""

from __future__ import annotations

import os
import random
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.builder.conftest import NOON
from toolkit.builder import Builder
from toolkit.builder.selections import Segment
from toolkit.errors import BuildError, NoSuchPage, Problems
from toolkit.testing import temporary_site

LINK = re.compile(rb"""(?:href|src|content)=["'](?:https://press\.example|[^"']*url=)?(/[^"'#?]*)""")


def segment(*only: str) -> Any:
    """A segment of the press; its routes are named whole, for there is no site here to look them up in."""
    rules: dict[str, tuple[str, ...]] = {}
    for text in only:
        kind, _, value = text.partition("=")
        rules[kind] = (*rules.get(kind, ()), value)
    return Segment(rules)


def broken_links(files: dict[str, bytes]) -> set[tuple[str, str]]:
    """(file, link) of every link within the site that leads nowhere."""
    found = set()
    for path, body in files.items():
        if path.endswith(".html"):
            for link in LINK.findall(body):
                url = unquote(link.decode())
                target = url.lstrip("/") + ("index.html" if url.endswith("/") else "")
                if target not in files and url != "/search/":
                    found.add((path, url))
    return found


def test_a_segment_renders_its_pages_and_the_next_build_the_rest(press: Any, tree_of: Any) -> None:
    press.take_built()
    before = tree_of(press.out)
    press.write("templates/base.html", (press.folder / "templates/base.html").read_text() + "<!-- new -->")
    report = press.build(part=segment("route=press:story", "locale=es"))
    assert {event.subject.split("/")[1] for event in report.events if event.kind == "rendered"} == {"es"}
    changed = {path for path, body in tree_of(press.out).items() if before.get(path) != body}
    assert changed
    assert all(path.startswith("es/") for path in changed)
    assert any("outside of what was asked for are stale" in notice for notice in report.notices)
    assert press.same().rendered > 0


def test_what_was_left_stale_stays_so_through_further_segments(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET title = title || '!'")
    press.build(part=segment("path=/sport/"))
    press.build(part=segment("path=/town/"))
    press.replace("templates/base.html", "<body", "<!-- new --><body")
    press.build(part=segment("locale=es"))
    assert "!" in press.read("sport/story-1/index.html")
    press.same()
    assert press.build().events == []


def test_pages_that_link_to_a_moved_one_are_made_along(press: Any, tree_of: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET slug = 'moved' WHERE id = 2")
    report = press.build(part=segment("path=/sport/moved/"))
    rendered = {event.subject for event in report.events if event.kind == "rendered"}
    assert {"/sport/moved/", "/sport/"} <= rendered
    assert not broken_links(tree_of(press.out))
    assert "/sport/moved/" in press.read("sport/story-1/index.html")
    press.same()


def test_pages_that_a_built_one_links_to_are_made_along(press: Any, tree_of: Any) -> None:
    """A new section, not asked for, is linked by its story."""
    press.take_built()
    press.sql("INSERT INTO press_section (id, name, slug) VALUES (9, 'Culture', 'culture')")
    press.sql("UPDATE press_story SET section_id = 9 WHERE id = 2")
    report = press.build(part=segment("route=press:story"))
    reasons = {event.subject: event.reason for event in report.events if event.kind == "rendered"}
    assert reasons["/culture/"] == "a page that was built links to it"
    assert not broken_links(tree_of(press.out))
    press.same()


def test_a_page_that_is_gone_goes_with_its_segment_only(press: Any, tree_of: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET status = 'draft' WHERE id = 2")
    assert (press.out / "sport/story-1/index.html").exists()
    press.build(part=segment("path=/town/"))
    assert (press.out / "sport/story-1/index.html").exists()
    press.build(part=segment("path=/sport/"))
    assert not (press.out / "sport/story-1/index.html").exists()
    assert not broken_links(tree_of(press.out))
    press.same()


def test_what_is_gone_and_links_to_what_goes_is_not_left_standing(press: Any, tree_of: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET status = 'draft' WHERE id IN (2, 3)")
    press.build(part=segment("path=/town/"))
    assert not (press.out / "town/story-2/index.html").exists()
    assert not broken_links(tree_of(press.out))
    press.same()


def test_a_segment_of_nothing_built_yet_makes_what_its_pages_need(press: Any, tree_of: Any) -> None:
    report = press.build(part=segment("path=/notes/"))
    assert not broken_links(tree_of(press.out))
    assert report.rendered > 2
    press.same()


def test_files_outside_that_somebody_removed_are_made_by_the_next_build(press: Any) -> None:
    press.take_built()
    (press.out / "sport/story-1/index.html").unlink()
    press.build(part=segment("locale=es"))
    press.same()


def edit(press: Any, chance: random.Random) -> None:
    """Something at random."""
    story = chance.randrange(1, 6)  # another one links to the sixth by its name
    statement, *parameters = chance.choice(
        [
            ("UPDATE press_story SET title = title || '!' WHERE id = ?", story),
            ("UPDATE press_story SET slug = 's' || ? WHERE id = ?", chance.randrange(10**6), story),
            ("UPDATE press_story SET section_id = 3 - section_id WHERE id = ?", story),
            ("UPDATE press_story SET status = ? WHERE id = ?", chance.choice(["draft", "live"]), story),
            ("UPDATE press_section SET slug = 'x' || ? WHERE id = ?", chance.randrange(10**6), chance.randrange(1, 3)),
            ("UPDATE press_tag SET name = name || '?' WHERE id = ?", chance.randrange(1, 4)),
        ]
    )
    press.sql(statement, *parameters)
    if chance.random() < 0.2:
        press.write("templates/parts/banner.html", f"<b>{chance.random()}</b>")


SEGMENTS = ["path=/sport/", "path=/town/", "locale=es", "route=press:story", "route=press:section", "route=press:tag"]


@pytest.mark.parametrize("seed", range(int(os.environ.get("SEGMENT_SEEDS", "3"))))
def test_segments_at_random_break_no_link_and_end_as_a_clean_build(press: Any, tree_of: Any, seed: int) -> None:
    chance = random.Random(seed)
    press.take_built()
    for _ in range(3):
        for _ in range(chance.randrange(1, 3)):
            edit(press, chance)
        wanted = chance.sample(SEGMENTS, chance.randrange(1, 3))
        press.build(part=segment(*wanted))
        assert not broken_links(tree_of(press.out)), wanted
    press.same()


# what can be asked for

MODELS = """
class Story(models.Model):
    slug = models.SlugField()
    updated = models.DateTimeField()
"""
PAGES = """
from toolkit.sitemaps import Sitemap

@app.page("/")
def home():
    return "home"

@app.page("/<slug>/", each=Story.objects.all(), sitemap=Sitemap(lastmod="updated"))
def story(story):
    return story.slug

@app.view("/search/")
def search(request):
    return ""
"""


def test_changed_since_asks_what_the_sitemap_says(tmp_path: Path) -> None:
    with temporary_site(tmp_path / "site", models=MODELS, pages=PAGES, settings='locales = ["en", "es"]') as site:
        story = site.models[0]
        for day in (1, 2, 3):
            story.objects.create(slug=f"day-{day}", updated=NOON + timedelta(days=day))
        since = (NOON + timedelta(days=2)).isoformat()
        part = Segment.parse([f"changed-since:{since}", "locale:en"], site)
        assert [event.subject for event in Builder(site, part=part).build().events if event.kind == "rendered"] == [
            "/day-2/",
            "/day-3/",
        ]


@pytest.mark.parametrize(
    ("only", "error", "told"),
    [
        ("stori", NoSuchPage, r"there is no page 'stori'. Did you mean 'story'"),
        ("search", BuildError, r"--only search: that is a view \(.*/pages.py:\d+\), which answers when it is asked"),
        ("locale:fr", BuildError, r"the site has no locale 'fr'. It has: en"),
        ("changed-since:yesterday", BuildError, r"'yesterday' is no instant. Write it as 2026-05-01T06:00\+02:00"),
        ("changed-since:2026-05-01T06:00", BuildError, "is no instant"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(tmp_path: Path, only: str, error: type[Exception], told: str) -> None:
    with temporary_site(tmp_path / "site", models=MODELS, pages=PAGES) as site, pytest.raises(error, match=told):
        Segment.parse([only], site)


def test_changed_since_needs_somebody_who_tells(tmp_path: Path) -> None:
    pages = '@app.page("/")\ndef home():\n    return "home"\n'
    with temporary_site(tmp_path / "site", pages=pages) as site:
        part = Segment.parse(["changed-since:2026-05-01T06:00Z"], site)
        with pytest.raises(BuildError, match="no model says when its rows changed"):
            Builder(site, part=part).build()


def test_paths_without_any_page_are_refused_with_the_nearest(press: Any, tree_of: Any) -> None:
    press.take_built()
    before = tree_of(press.out)
    with pytest.raises(Problems, match=r"--only /spotr/: no page is there. Did you mean /sport/") as raised:
        press.build(part=segment("path=/town/", "path=/spotr/", "path=/*/nowhere/"))
    assert "--only /*/nowhere/: no page is there. toolkit routes lists" in str(raised.value)
    assert tree_of(press.out) == before


def test_a_path_that_a_view_answers_is_said_to_be_one(press: Any, tree_of: Any) -> None:
    press.take_built()
    with pytest.raises(
        Problems, match=r"--only /search/: no page is there, but the view press:search \(.*press/pages.py"
    ):
        press.build(part=segment("path=/search/"))


def test_a_path_whose_pages_went_is_a_part(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET status = 'draft' WHERE slug = 'story-3'")
    press.build(part=segment("path=/sport/story-3/"))
    assert not (press.out / "sport/story-3/index.html").exists()
    with pytest.raises(Problems, match="no page is there"):
        press.build(part=segment("path=/sport/story-3/"))


def test_a_part_without_any_page_is_told(press: Any) -> None:
    press.take_built()
    report = press.build(part=segment("path=/sport/", "route=press:home"))
    assert "the site has no page of those asked for" in report.notices
    assert press.build(part=segment("path=/es/")).notices == []
