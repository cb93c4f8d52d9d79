"""Each kind of file gives the rows one would expect."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from toolkit.content import Source
from toolkit.errors import Problems

from .conftest import SOURCES, Author, Desk, Link, Place, Section, Tag


def test_markdown_with_yaml_front_matter(newsroom: Desk) -> None:
    report = newsroom.load()
    story = newsroom.story("storm")
    assert (story.title, story.body, story.section.name) == ("The storm", "It blew.", "News")
    assert [author.name for author in story.authors.all()] == ["Inés"]
    assert report.added == 6


def test_markdown_with_toml_front_matter(newsroom: Desk) -> None:
    newsroom.write(
        "content/stories/storm.md",
        '+++\ntitle = "The storm"\nsection = "news"\npublished = 2026-01-02T03:04:05Z\ntags = ["food"]\n+++\nIt blew.',
    )
    newsroom.load()
    story = newsroom.story("storm")
    assert story.published == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert [tag.slug for tag in story.tags.all()] == ["food"]


def test_markdown_with_json_front_matter(newsroom: Desk) -> None:
    newsroom.write("content/stories/storm.md", '{"title": "The storm",\n "section": "sea", "weight": 3}\n\nIt blew.\n')
    newsroom.load()
    assert (newsroom.story("storm").weight, newsroom.story("storm").body) == (3, "It blew.")


def test_the_slug_of_a_markdown_file_is_its_name_without_a_date(newsroom: Desk) -> None:
    newsroom.write("content/stories/2014/2014-3-12-flood.md", "---\ntitle: Flood\nsection: news\n---\n")
    newsroom.write("content/stories/2014/fire/index.md", "---\ntitle: Fire\nsection: news\n---\n")
    newsroom.load()
    assert newsroom.story("flood").day == date(2014, 3, 12)
    assert newsroom.story("fire").day is None


def test_a_line_break_of_another_system_and_a_byte_order_mark_mean_nothing(newsroom: Desk) -> None:
    text = "\ufeff---\r\ntitle: Storm\r\nsection: news\r\n---\r\n\r\nOne\r\n\r\nTwo\r\n"
    newsroom.write("content/stories/storm.md", text)
    newsroom.load()
    assert newsroom.story("storm").body == "One\n\nTwo"


def test_a_rule_in_the_body_does_not_end_the_front_matter_again(newsroom: Desk) -> None:
    newsroom.write("content/stories/storm.md", "---\ntitle: S\nsection: news\n---\nOne\n\n---\n\nTwo\n")
    newsroom.load()
    assert newsroom.story("storm").body == "One\n\n---\n\nTwo"


@pytest.mark.parametrize(
    ("written", "title"),
    [("2014", "2014"), ("no", "no"), ("1.10", "1.10"), ("12:30", "12:30"), ("2014-01-02", "2014-01-02")],
)
def test_a_text_field_takes_what_was_written_not_what_yaml_makes_of_it(
    newsroom: Desk, written: str, title: str
) -> None:
    newsroom.write("content/stories/storm.md", f"---\ntitle: {written}\nsection: news\n---\n")
    newsroom.load()
    assert newsroom.story("storm").title == title


def test_a_decimal_keeps_the_digits_that_were_written(newsroom: Desk) -> None:
    newsroom.write("content/stories/storm.md", "---\ntitle: S\nsection: news\nprice: 9.10\n---\n")
    newsroom.load()
    assert newsroom.story("storm").price == Decimal("9.10")


def test_yaml_list_with_translations_and_forward_references(desk: Desk) -> None:
    desk.use("sections").write(
        "content/sections.yaml",
        "- {slug: ferries, name: Ferries, parent: sea}\n- {slug: sea, name: {en: Sea, es: Mar}}\n",
    )
    desk.load()
    ferries = Section.objects.get(slug="ferries")
    assert ferries.parent.name == "Sea"
    translation = Section._meta.translation.objects.get(locale="es")
    assert (translation.name, translation.source_id) == ("Mar", ferries.parent_id)


def test_csv_with_localized_columns_quotes_and_lists(desk: Desk) -> None:
    desk.sources = [SOURCES["sections"], SOURCES["tags"], Source("content/people.csv", Author)]
    desk.write("content/sections.yaml", "[]")
    desk.write("content/tags.csv", "\ufeffslug;name\r\nfood;Food\r\n")
    desk.write("content/people.csv", 'slug,name,bio,bio_es\nines,"Carballo, Inés","two\nlines",dos\ntom,Tom,,\n')
    desk.load()
    assert Tag.objects.get(slug="food").name == "Food"
    ines = Author.objects.get(slug="ines")
    assert (ines.name, ines.bio) == ("Carballo, Inés", "two\nlines")
    assert [row.bio for row in Author._meta.translation.objects.all()] == ["dos"]
    assert Author.objects.get(slug="tom").bio == ""


def test_geojson_gives_properties_and_the_geometry(desk: Desk) -> None:
    desk.use("places").write(
        "content/places.geojson",
        """{"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"slug": "pier", "name": {"en": "Pier", "ar": "رصيف"}},
         "geometry": {"type": "Point", "coordinates": [1.5, 2.5]}}]}""",
    )
    desk.load()
    assert Place.objects.get(slug="pier").shape.__geo_interface__["coordinates"] == [1.5, 2.5]
    assert Place._meta.translation.objects.get(locale="ar").name == "رصيف"


def test_json_with_a_primary_key_of_its_own(desk: Desk) -> None:
    desk.use("links").write("content/links.json", '[{"code": "a", "url": "https://a.example"}]')
    assert desk.counts() == (1, 0, 0, 0)
    desk.write("content/links.json", '[{"code": "b", "url": "https://a.example"}]')
    assert desk.counts() == (1, 0, 0, 1)
    assert [link.pk for link in Link.objects.all()] == ["b"]


def test_files_that_begin_with_a_dot_are_left_alone(newsroom: Desk) -> None:
    newsroom.write("content/stories/.#storm.md", "no front matter")
    newsroom.write("content/.drafts/secret.md", "---\nnothing: true\n---\n")
    newsroom.write("content/stories/notes.txt", "not a story")
    assert newsroom.load().sources[-1].added == 1


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Source("../stories/*.md", Author), "leaves the site's folder"),
        (Source("content/*.docx", Author), r"'\.docx' is no kind of file .*\.md"),
        (Source("content/*.csv", Author, key="slugg"), "key = 'slugg' is no field of Author.*'slug'"),
        (Source("content/*.md", Author, body="boddy"), "body = 'boddy' is no field"),
        (Source("content/*.md", Tag), "not clear which field takes the text"),
        (Source("content/*.geojson", Tag), "not exactly one geometry field"),
        (Source("content/*.csv", Section, key="parent"), "refers to another model"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(desk: Desk, source: Source, told: str) -> None:
    desk.sources = [Source(source.pattern, source.model, source.key, source.body, declared_at="pages.py:3")]
    with pytest.raises(Problems, match=f"pages.py:3: .*{told}"):
        desk.load()


def test_a_pattern_without_files_is_noted_and_a_named_file_must_be_there(desk: Desk) -> None:
    assert "stories/**/*.md matches no file declared at pages.py:7" in str(desk.use("stories").load())
    assert desk.use("tags").problems() == [
        "content/tags.csv: the file of the source for Tag is not there. Write it, or remove the source."
    ]


def test_a_long_cell_is_read_and_the_modules_limit_is_left_as_it_was(desk: Desk) -> None:
    import csv

    before = csv.field_size_limit()
    desk.sources = [Source("people.csv", Author)]
    desk.write("people.csv", f"slug,name,bio\na,A,{'x' * 300_000}\n")
    desk.load()
    assert len(Author.objects.get(slug="a").bio) == 300_000
    assert csv.field_size_limit() == before
