"""Every problem names its file and line, and says how to mend it; all are told at once, and nothing is written."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.content import Source
from toolkit.content.changes import Changes
from toolkit.content.files import Listing
from toolkit.content.layout import make_layouts
from toolkit.stamps import Stamp

from .conftest import SOURCES, STORM, Author, Desk, Link, Story

BAD_STORIES = {
    "title: S\nsektion: news": "storm.md:3:1: unknown key 'sektion': Story has no such field. Did you mean 'section'?",
    "title: S": "storm.md:2:1: section is missing. Name a Section by its slug.",
    "section: news": "storm.md:2:1: title is missing. Add a line 'title: …', or give Story.title a default.",
    "title: S\nsection: nws": "storm.md:3:10: section: there is no Section with the slug 'nws'. Did you mean 'news'?",
    "title: S\nsection: [news]": "storm.md:3:10: section: ['news'] is no slug. Name a Section by its slug.",
    "title: S\nsection: news\ntags:\n- food\n- foot": "storm.md:6:3: tags: there is no Tag with the slug 'foot'. "
    "Did you mean 'food'?",
    "title: S\nsection: news\ntags: food": "storm.md:4:7: tags: 'food' is no list. Write a list, such as [one, two].",
    "title: S\nsection: news\npublished: 31.02.2026": "storm.md:4:12: published: '31.02.2026' is not a date and time. "
    "Write it as",
    "title: S\nsection: news\npublished: 2026-02-31": "storm.md:4:12: '2026-02-31' cannot be read: day is out",
    "title: S\nsection: news\nweight: many": "storm.md:4:9: weight: 'many' is not a whole number",
    "title: S\nsection: news\nlive: maybe": "storm.md:4:7: live: 'maybe' is not true or false. Write true or false.",
    "title: {es: S}\nsection: news": "storm.md:2:1: title is missing",
    "title: {en: S, fr: T}\nsection: news": "storm.md:2:16: title: 'fr' is no locale of this site. There is:",
    "title: S\ntitle: T\nsection: news": "storm.md:3:1: the key 'title' is there twice; first on line 2. Remove",
    "title: S: T\nsection: news": "storm.md:2:9: the YAML cannot be read: mapping values are not allowed",
    "title: S\nsection: news\nslug: a b": "storm.md:4:7: slug: 'a b' is not a slug. Use letters",
    "- title": "storm.md:2:1: a mapping is expected, not ['title']. Write it as 'key: value' lines.",
    "2014: S": "storm.md:2:1: the key 2014 is no text. Put it in quotes.",
    "title: S\nsection: news\nbody: here": "storm.md:4:1: 'body' is given twice: here, and as the text from line 7.",
    "id: 3\ntitle: S\nsection: news": "storm.md:2:1: unknown key 'id'",
    "title: S\nsection: news\nlive: &a [1, *a]": "storm.md:4:7: an alias stands within what it repeats",
    "title: S\nz: &z 1\nlive: " + "[" * 2_000 + "*z" + "]" * 2_000: "storm.md:4:206: lists and mappings are nested too",
    "title: S\nlive: " + "[" * 30_000 + "]" * 30_000: "storm.md:3:206: lists and mappings are nested too deeply",
    "live:\n" + "".join(f"{' ' * n}-\n" for n in range(300)): "storm.md:202:200: lists and mappings are nested too",
    "".join(f"k{n}: &a{n} [{f'*a{n - 1}' if n else 1}]\n" for n in range(300)): "storm.md:202:7: lists and mappings",
    "title: S\nlive: !!bool maybe": "storm.md:3:7: 'maybe' cannot be read: it is no bool",
    "title: S\npublished: !!timestamp noon": "storm.md:3:12: 'noon' cannot be read: it is no timestamp",
    "title: S\nweight: !!int ''": "storm.md:3:9: '' cannot be read: it is no int",
    f"title: S\nweight: 1{':59' * 300}.5": "storm.md:3:9: '1:59:59",
    f"title: S\ntags: [0x{'f' * 5_000}]": "storm.md:3:8: '0xffff",
    f"a: &a {['x'] * 20}\nb: &b [{'*a,' * 20}]\nc: &c [{'*b,' * 20}]\nd: [{'*c,' * 20}]": "storm.md:5:4: with its "
    "aliases it stands for more than 100,000 values. Write out what is meant",
    "title: Forbidden\nsection: news": "storm.md:2:1: the title is forbidden. Choose another.",
}


@pytest.mark.parametrize(("matter", "told"), BAD_STORIES.items())
def test_front_matter(newsroom: Desk, matter: str, told: str) -> None:
    newsroom.write("content/stories/storm.md", f"---\n{matter}\n---\n\nIt blew.\n")
    (problem,) = newsroom.problems()
    assert problem.startswith(f"content/stories/{told}")
    assert Story.objects.count() == 0


BAD_FILES = {
    "---\ntitle: S\n": "1: the front matter does not end. Close it with a line of '---'.",
    '+++\ntitle = "S\n+++\n': "2:11: the TOML cannot be read: ",
    '+++\ntitle = "S"\nsektion = "x"\n+++\n': "3:1: unknown key 'sektion'",
    '{"title": "S",\n "section": }': "2:13: the front matter cannot be read: Expecting value",
    '{"title": "S", "title": "T"}\n': "1: the key 'title' is twice in one object; it is on lines 1",
    '{"title": "S",\n "sektion": "T"}\n': "2:2: unknown key 'sektion'",
    '{"title": "S"} text': "1:15: there is text behind the front matter",
    "No front matter": "1:1: title is missing",
    f'{{"title": "S", "weight": {"9" * 5000}}}': "1: the front matter cannot be read: Exceeds the limit",
    '{"extra": ' + "[" * 100_000: "1: the front matter cannot be read: maximum recursion depth",
    f'+++\ntitle = "S"\nweight = {"9" * 5000}\n+++\n': "2: the TOML cannot be read: Exceeds the limit",
    f'+++\ntitle = "S"\ntags = [0x{"f" * 5000}]\n+++\n': "2: the TOML cannot be read: Exceeds the limit",
    f"+++\nextra = {'[' * 5000}\n+++\n": "2: the TOML cannot be read: maximum recursion depth",
    f"---\nweight: {'9' * 5000}\n---\n": "2:9: '99999999999999999999999999999999999999999999999999999999999 cannot be",
}


@pytest.mark.parametrize(("text", "told"), BAD_FILES.items())
def test_other_front_matter(newsroom: Desk, text: str, told: str) -> None:
    newsroom.write("content/stories/storm.md", text)
    assert newsroom.problems()[0].startswith(f"content/stories/storm.md:{told}")


def test_a_file_that_is_not_utf_8(newsroom: Desk) -> None:
    (newsroom.folder / "content/stories/storm.md").write_bytes(b"---\ntitle: caf\xe9\n---\n")
    assert newsroom.problems() == ["content/stories/storm.md:2: the file is not UTF-8: byte 0xe9. Save it as UTF-8."]


BAD_CSV = {
    "": "1: there is no header row. Name the columns in the first row.",
    "slug,name,nam\n": "",
    "slug,name,slug\n": "1:slug: the column 'slug' is there twice. Remove one.",
    "slug,,name\n": "1: column 2 has no name",
    "slug,nmae\na,A\nb,B\n": "1:nmae: unknown column 'nmae': Author has no such field. Did you mean 'name'?",
    "slug,name\na,A\n\nb\n": "4: the row has 1 cells; the header has 2. Put a cell",
    'slug,name\na,"two\nlines"\nb b,B\n': "4:slug: slug: 'b b' is not a slug",
    'slug,name\na,"A\n': "2: the CSV cannot be read: unexpected end of data",
    "slug,name,bio_fr\na,A,x\n": "1:bio_fr: unknown column 'bio_fr'",
    "slug,name\na,\n": "2: name is missing. Fill in the column 'name', or give Author.name a default.",
    "slug,name\na,A\na,B\n": ": the slug 'a' of this Author is twice in this file. Give one of them another slug.",
}


@pytest.mark.parametrize(("text", "told"), BAD_CSV.items())
def test_csv(desk: Desk, text: str, told: str) -> None:
    desk.sources = [Source("people.csv", Author)]
    desk.write("people.csv", text)
    if not told:  # a column without a row says nothing yet
        assert desk.load().is_empty
        return
    where = "people.csv" if told.startswith(": ") else "people.csv:"
    assert desk.problems()[0].startswith(where + told)


def test_a_problem_in_a_row_of_csv_carries_row_line_and_column(desk: Desk) -> None:
    desk.sources = [Source("people.csv", Author)]
    desk.write("people.csv", 'slug,name\na,"two\nlines"\nb b,B\n')
    from toolkit.errors import Problems

    with pytest.raises(Problems, match="1 problem was found") as caught:
        desk.load()
    problem = caught.value.problems[0]
    assert (problem.line, problem.row, problem.column) == (4, 3, "slug")


def test_a_fault_in_a_file_is_not_told_again_by_who_names_its_rows(newsroom: Desk) -> None:
    newsroom.write("content/sections.yaml", "- {slug: news, nome: News}\n- {slug: sea, name: Sea}\n")
    newsroom.write("content/stories/ebb.md", STORM.replace("section: news", "section: see"))
    first, second = newsroom.problems()
    assert first.startswith("content/sections.yaml:1:16: unknown key 'nome'")
    assert "ebb.md:3:10: section: there is no Section with the slug 'see'" in second


@pytest.mark.parametrize(
    ("path", "text", "hint"),
    [
        (
            "sections.yaml",
            "- {slug: news, name: News, name_es: Actualidad}\n- {slug: sea, name: S}\n",
            "{en: …, es: …}.",
        ),
        ("authors/ines.md", "---\nname: Inés\nbio_es: x\n---\n", "{en: …, es: …}, or in ines.es.md beside it."),
    ],
)
def test_a_translation_that_is_named_as_in_csv_is_told_how(newsroom: Desk, path: str, text: str, hint: str) -> None:
    newsroom.write(f"content/{path}", text)
    (told,) = newsroom.problems()
    assert told.endswith(f"has no such field. Write translations as {'bio' if 'bio' in text else 'name'}: {hint}")


BAD_JSON = {
    "[{]": "1:3: the JSON cannot be read: Expecting property name",
    "3": "1:1: an array of objects is expected",
    "[\n 3]": "2:2: an object is expected, not 3",
    '[{"code": NaN}]': "1: the JSON cannot be read: NaN is no JSON",
    '[{"code": "a", "url": "u"},\n {"code": "b", "url": "v", "kind": "post"}]': "2:36: kind: 'post' is not one of the "
    "choices. There is: mail, web.",
    '[{"code": "a", "url": "u"},\n {"code": "b", "uri": "v"}]': "2:16: unknown key 'uri'",
    '[{"code": "a"}]': '1:2: url is missing. Add "url": …, or give Link.url a default.',
    '[{"code": "a", "url": "u"},\n {"code": "b", "url": "u"}]': "2:23: url: Link with this url already exists",
}


@pytest.mark.parametrize(("text", "told"), BAD_JSON.items())
def test_json(desk: Desk, text: str, told: str) -> None:
    desk.use("links").write("content/links.json", text)
    assert desk.problems()[0].startswith(f"content/links.json:{told}")
    assert Link.objects.count() == 0


BAD_GEOJSON = {
    '{"type": "Topology"}': "1:1: a FeatureCollection is expected, not 'Topology'",
    '{"type": "FeatureCollection"}': "1:1: 'features' must be an array",
    '{"type": "FeatureCollection", "features": [\n3]}': "2:1: a Feature is expected",
    '{"type": "FeatureCollection",\n"crs": {"properties": {"name": "EPSG:3857"}}, "features": []}': "2:1: the "
    "coordinates are in another reference than WGS 84. Transform the file",
    '{"type": "FeatureCollection", "features": [{"type": "Feature",\n "geometry": {"type": "Point"},\n'
    ' "properties": {"slug": "a", "name": "A"}}]}': "2:14: shape: {'type': 'Point'} is no geometry. Give GeoJSON.",
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null,\n'
    ' "properties": {"slug": "a",\n "nam": "A"}}]}': "3:2: unknown key 'nam'",
}


@pytest.mark.parametrize(("text", "told"), BAD_GEOJSON.items())
def test_geojson(desk: Desk, text: str, told: str) -> None:
    desk.use("places").write("content/places.geojson", text)
    assert desk.problems()[0].startswith(f"content/places.geojson:{told}")


def test_all_problems_of_all_files_are_told_at_once_and_nothing_is_written(newsroom: Desk) -> None:
    newsroom.load()
    before = newsroom.dump()
    newsroom.write("content/tags.csv", "slug,name\nweather,Wind\nfo od,Food\n")
    newsroom.write("content/stories/storm.md", STORM.replace("section: news", "section: nowhere\nweight: x"))
    newsroom.write("content/stories/new.md", STORM.replace("It blew", "Fine"))
    problems = newsroom.problems()
    assert [problem.partition(": ")[0] for problem in problems] == [
        "content/tags.csv:3:slug",
        "content/stories/storm.md:4:9",
    ]
    assert newsroom.dump() == before


def test_two_files_with_one_slug_are_both_named(newsroom: Desk) -> None:
    newsroom.write("content/stories/a.md", STORM.replace("---\ntitle", "---\nslug: storm\ntitle"))
    assert newsroom.problems() == [
        "content/stories/storm.md: the slug 'storm' of this Story is in content/stories/a.md too. "
        "Give one of them another slug."
    ]


def test_a_slug_that_an_unchanged_file_has_names_that_file(newsroom: Desk) -> None:
    newsroom.load()
    newsroom.write("content/stories/a.md", STORM.replace("---\ntitle", "---\ntitle: T\nslug: storm\n#"))
    assert newsroom.problems() == [
        "content/stories/a.md:3:7: the slug 'storm' of this Story is in content/stories/storm.md too. "
        "Give one of them another slug."
    ]


def test_a_slug_that_a_row_of_the_database_has_is_a_problem_and_the_row_is_not_touched(newsroom: Desk) -> None:
    Author.objects.create(name="By hand", slug="ines")
    (problem,) = newsroom.problems()
    assert "in the database (Author 1, which came from no file) too" in problem
    assert Author.objects.get(slug="ines").name == "By hand"


def test_one_file_cannot_have_two_sources(newsroom: Desk) -> None:
    newsroom.sources.append(Source("content/stories/*.md", Author, declared_at="pages.py:9"))
    (problem, *_) = newsroom.problems()
    assert problem.startswith(
        "content/stories/storm.md: two sources take this file: 'content/stories/**/*.md' (pages.py:7)"
    )


def test_a_removed_row_that_is_still_named_is_a_problem_of_the_file_that_names_it(newsroom: Desk) -> None:
    newsroom.load()
    newsroom.write("content/sections.yaml", "- {slug: sea, name: Sea}\n")
    assert newsroom.problems() == [
        "content/stories/storm.md:3:10: section: there is no Section with the slug 'news'. There is: sea."
    ]


def test_a_removed_row_that_rows_of_the_database_need_is_a_problem(desk: Desk) -> None:
    from .conftest import Section

    desk.use("sections").write("content/sections.yaml", "- {slug: news, name: News}\n- {slug: sea, name: Sea}\n")
    desk.load()
    Story.objects.create(title="By hand", slug="hand", section=Section.objects.get(slug="news"))
    desk.write("content/sections.yaml", "- {slug: sea, name: Sea}\n")
    (problem,) = desk.problems()
    assert problem.startswith("content/sections.yaml: the row 'news' is not here any more, but Story.section refers")
    assert Section.objects.count() == 2


BAD_TRANSLATIONS = {
    "storm.fr.md": "'fr' is no locale of this site. There is: ar, en, es.",
    "storm.en.md": "'en' is the site's own language, and needs no name. Rename it to content/stories/storm.md.",
    "strom.es.md": "it is a translation of content/stories/strom.md, which is not there.",
}


@pytest.mark.parametrize(("name", "told"), BAD_TRANSLATIONS.items())
def test_a_translation_with_a_wrong_name(newsroom: Desk, name: str, told: str) -> None:
    newsroom.write(f"content/stories/{name}", "---\ntitle: T\n---\n")
    assert newsroom.problems()[0].startswith(f"content/stories/{name}: {told}")


def test_a_translation_holds_translated_fields_only(newsroom: Desk) -> None:
    newsroom.write("content/stories/storm.es.md", "---\ntitle: T\nweight: 3\ntitel: x\n---\n")
    one, two = newsroom.problems()
    assert one.startswith("content/stories/storm.es.md:3:1: 'weight' cannot be translated. A translation holds")
    assert two.startswith("content/stories/storm.es.md:4:1: unknown key 'titel'. A translation holds translated fields")


def test_sources_are_known_by_the_fixture() -> None:
    assert {source.kind for source in SOURCES.values()} == {"yaml", "markdown", "csv", "geojson", "json"}


@pytest.mark.parametrize(
    ("dialect", "create", "longest"),
    [("sqlite", (), None), ("postgresql", ("tags",), 700), ("mysql", (), 700), ("mysql", ("tags",), 300)],
)
def test_a_path_that_the_database_cannot_keep_is_told(
    tmp_path: Path, dialect: str, create: tuple[str, ...], longest: int | None
) -> None:
    source = replace(SOURCES["stories"], create=create)
    fits, longer = ("content/stories/".ljust(length - 3, "d") + ".md" for length in (longest or 900, 901))
    layouts = make_layouts([source], dialect=dialect)
    changes = Changes(tmp_path, layouts, [Listing(dict.fromkeys((fits, longer), Stamp(0, 0, 0, 0)), 0)], {}, set())
    with closing(changes.spool):
        told = f"{longer}: the path has 901 characters; the database keeps {longest}. Give its folders shorter names."
        assert list(map(str, changes.problems)) == ([] if longest is None else [told])
        assert [group.path for group in changes.groups] == ([fits, longer] if longest is None else [fits])
