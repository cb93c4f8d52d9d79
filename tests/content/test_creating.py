"""Partners that files name are made, called as the first file calls them, and go when nobody names them any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from toolkit import models
from toolkit.content import Source, export_model
from toolkit.errors import Problems

from .conftest import SOURCES, Author, Desk, Link, Section, Story, Tag

STORIES = replace(SOURCES["stories"], create=("tags", "authors"), ignore=("layout", "wp_*"))


def note(desk: Desk, name: str, *tags: str, more: str = "") -> None:
    """Write a story that names tags."""
    listed = "".join(f"- {tag}\n" for tag in tags)
    desk.write(f"content/stories/{name}.md", f"---\ntitle: {name}\nsection: news\n{more}tags:\n{listed}---\n")


def tags(desk: Desk) -> dict[str, str]:
    return dict(desk.scope.database.fetch("SELECT slug, name FROM news_tag ORDER BY slug"))


@pytest.fixture
def blog(desk: Desk) -> Desk:
    """Stories that make their tags and authors."""
    desk.sources = [SOURCES["sections"], STORIES]
    desk.write("content/sections.yaml", "- {slug: news, name: News}\n")
    return desk


def test_what_a_story_names_is_made_and_linked(blog: Desk) -> None:
    note(blog, "a", "User-centered design", "2014", more="authors: [ines-roca]\n")
    report = blog.load()
    assert tags(blog) == {"user-centered-design": "User-centered design", "2014": "2014"}
    assert [tag.slug for tag in blog.story("a").tags.order_by("slug")] == ["2014", "user-centered-design"]
    assert [author.name for author in blog.story("a").authors.all()] == ["ines-roca"]
    assert "tags in content/stories/**/*.md (news.Tag): 2 added" in str(report)
    assert ("added", "content/stories/a.md: user-centered-design") in report.events


def test_spellings_of_one_slug_are_one_row_named_by_the_first_file(blog: Desk) -> None:
    note(blog, "b", "web DESIGN")
    blog.load()
    assert tags(blog) == {"web-design": "web DESIGN"}
    note(blog, "a", "Web design", "web-design")
    report = blog.load()
    assert tags(blog) == {"web-design": "Web design"}
    assert report.events == (("added", "content/stories/a.md"), ("changed", "content/stories/a.md: web-design"))
    blog.delete("content/stories/a.md")
    blog.load()
    assert tags(blog) == {"web-design": "web DESIGN"}


def test_a_row_goes_with_the_last_file_that_names_it(blog: Desk) -> None:
    note(blog, "a", "food", "sea")
    note(blog, "b", "food")
    blog.load()
    note(blog, "a", "food")
    report = blog.load()
    assert tags(blog) == {"food": "food"}
    assert ("removed", "tags in content/stories/**/*.md: sea") in report.events
    assert (report.added, report.changed, report.removed) == (0, 1, 1)


def test_an_edit_reads_no_other_file(blog: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.stamps.RACY_NS", -(10**12))
    note(blog, "a", "food", "sea")
    note(blog, "b", "Food")
    blog.load()
    note(blog, "a", "wind")
    real = type(blog.folder).read_bytes
    monkeypatch.setattr(type(blog.folder), "read_bytes", lambda path: real(path) if path.stem == "a" else pytest.fail())
    blog.load()
    assert tags(blog) == {"food": "Food", "wind": "wind"}


def test_a_row_that_a_file_gives_is_taken_as_it_is(blog: Desk) -> None:
    blog.sources = [*blog.sources, Source("content/tags.csv", Tag)]
    blog.write("content/tags.csv", "slug,name\nfood,Food and drink\n")
    note(blog, "a", "food")
    blog.load()
    assert tags(blog) == {"food": "Food and drink"}
    blog.write("content/tags.csv", "slug,name\n")
    pk = Tag.objects.get().pk
    blog.load()
    assert tags(blog) == {"food": "food"}
    blog.write("content/tags.csv", "slug,name\nfood,All food\n")
    note(blog, "a")
    blog.load()
    assert (tags(blog), Tag.objects.get().pk) == ({"food": "All food"}, pk)


def test_a_row_that_somebody_made_stays_when_no_file_names_it(blog: Desk) -> None:
    Tag.objects.create(slug="food", name="By hand")
    note(blog, "a", "Food")
    blog.load()
    assert tags(blog) == {"food": "By hand"}
    note(blog, "a")
    blog.load()
    assert tags(blog) == {"food": "By hand"}


def test_what_somebody_added_to_a_row_that_was_made_stays(blog: Desk) -> None:
    note(blog, "a", "sea", more="authors: [Inés]\n")
    blog.load()
    author = Author.objects.get(slug="ines")
    author.bio = "Writes."
    author.save()
    note(blog, "0", "sea", more="authors: [INÉS]\n")
    blog.load()
    author = Author.objects.get(slug="ines")
    assert (author.name, author.bio) == ("INÉS", "Writes.")


def test_a_foreign_key_may_make_its_target(desk: Desk) -> None:
    desk.sources = [replace(SOURCES["stories"], create=("section",))]
    desk.write("content/stories/a.md", "---\ntitle: A\nsection: The sea\n---\n")
    desk.load()
    assert (desk.story("a").section.slug, desk.story("a").section.name) == ("the-sea", "The sea")
    desk.delete("content/stories/a.md")
    desk.load()
    assert Section.objects.count() == 0


def test_a_tag_file_may_take_over_a_name_and_leave_it_again(blog: Desk) -> None:
    """The row keeps its primary key as long as its slug stays; a file that changes its slug takes its row along."""
    blog.sources = [*blog.sources, Source("content/tags/*.md", Tag, body="name")]
    note(blog, "a", "food")
    blog.load()
    blog.write("content/tags/x.md", "---\nslug: food\n---\nFood!\n")
    blog.load()
    assert (tags(blog), Tag.objects.count()) == ({"food": "Food!"}, 1)
    blog.write("content/tags/x.md", "---\nslug: meals\n---\nFood!\n")
    blog.load()
    assert tags(blog) == {"food": "food", "meals": "Food!"}
    assert [tag.slug for tag in blog.story("a").tags.all()] == ["food"]


def test_another_key_is_the_text_itself(desk: Desk) -> None:
    desk.sources = [
        replace(SOURCES["stories"], create=("tags", "section")),
        Source("content/tags.csv", Tag, key="name"),
    ]
    desk.write("content/tags.csv", "name,slug\nSea,sea\n")
    desk.write("content/stories/a.md", "---\ntitle: A\nsection: news\ntags: [Sea]\n---\n")
    with pytest.raises(Problems, match="a text cannot make a Tag: 'slug' is required"):
        desk.load()


def test_the_source_stops_making_rows(blog: Desk) -> None:
    note(blog, "a", "food")
    blog.load()
    blog.sources = [SOURCES["sections"], SOURCES["stories"]]
    with pytest.raises(Problems, match="no Tag with the slug 'food'"):
        blog.load()
    note(blog, "a")
    blog.delete("content/stories/a.md")
    blog.write("content/stories/b.md", "---\ntitle: B\nsection: news\n---\n")
    blog.load()
    assert tags(blog) == {}


def test_exported_stories_name_their_partners_as_they_are_called(blog: Desk) -> None:
    note(blog, "a", "Web design")
    note(blog, "b", "web design")
    blog.load()
    sources = blog.sources
    export_model(blog.scope, sources[1], blog.folder, sources=sources, locales=blog.locales, adopt=True)
    assert "Web design" in (blog.folder / "content/stories/b.md").read_text(encoding="utf-8")
    assert blog.load().is_empty
    blog.delete("content/stories/a.md")
    blog.load()
    assert tags(blog) == {"web-design": "Web design"}
    blog.delete("content/stories/b.md")
    blog.load()
    assert tags(blog) == {}


def test_exported_tags_belong_to_their_files(blog: Desk) -> None:
    note(blog, "a", "Web design")
    blog.load()
    source = Source("content/tags.csv", Tag)
    blog.sources = [*blog.sources, source]
    export_model(blog.scope, source, blog.folder, sources=blog.sources, locales=blog.locales, adopt=True)
    note(blog, "a")
    blog.load()
    assert tags(blog) == {"web-design": "Web design"}


def test_ignored_keys_are_passed_over_and_others_refused(blog: Desk) -> None:
    note(blog, "a", more="layout: post\nwp_id: 7\n")
    blog.load()
    note(blog, "a", more="layout: post\nlayuot: post\n")
    (problem,) = blog.problems()
    assert problem.startswith("content/stories/a.md:5:1: unknown key 'layuot': Story has no such field")


BAD = {
    "'!!!'": "content/stories/a.md:5:3: tags: '!!!' makes no slug. Write letters or digits.",
    "y" * 61: "content/stories/a.md:5:3: tags: ",
    "{a: b}": "content/stories/a.md:5:3: tags: {'a': 'b'} is no slug. Name a Tag by its slug.",
    "": "content/stories/a.md:5:2: tags: None is no slug. Name a Tag by its slug.",
}


@pytest.mark.parametrize(("tag", "told"), BAD.items())
def test_a_text_that_makes_no_row_is_told_with_its_place(blog: Desk, tag: str, told: str) -> None:
    note(blog, "a", tag)
    assert blog.problems()[0].startswith(told)


def test_a_row_that_the_database_refuses_is_told_where_it_is_named(blog: Desk) -> None:
    blog.scope.database.execute("CREATE UNIQUE INDEX one_name ON news_tag (name)")
    Tag.objects.create(slug="other", name="Food")
    note(blog, "a", "sea", "Food")
    (problem,) = blog.problems()
    assert problem.startswith("content/stories/a.md:6:3: the database refuses the row: ")
    assert tags(blog) == {"other": "Food"}


class Shelf(models.Model):
    number = models.IntegerField(unique=True)
    keeper = models.ForeignKey(Author, on_delete=models.PROTECT)
    boxes = models.ManyToManyField(Link)


class Book(models.Model):
    slug = models.SlugField(unique=True)
    shelf = models.ForeignKey(Shelf, on_delete=models.PROTECT)


DECLARATIONS = [
    ({"create": ("tagz",)}, "create = 'tagz' is no relation of Story. Did you mean 'tags'?"),
    ({"create": ("title",)}, "create = 'title' is no relation of Story"),
    ({"create": "tags"}, r"create = 'tags' is a text. Write create=\('tags',\)"),
    ({"ignore": "layout"}, "ignore = 'layout' is a text"),
    ({"ignore": ("title",)}, "ignore passes over 'title', a field of Story. Leave it out of 'ignore'"),
    ({"ignore": ("ta*",)}, "ignore passes over 'tags', a field of Story"),
]


@pytest.mark.parametrize(("options", "told"), DECLARATIONS)
def test_declarations_that_cannot_stand(desk: Desk, options: dict[str, object], told: str) -> None:
    desk.sources = [Source("content/stories/*.md", Story, **options)]  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(Problems, match=told):
        desk.load()


def test_a_target_that_no_text_can_make_is_told_all_at_once() -> None:
    from toolkit.models.resolve import resolve_models

    resolve_models({"shop": [Author, Link, Shelf, Book]})
    shelves = Source("shelves.csv", Shelf, key="number")
    told = [str(problem) for problem in Source("books.csv", Book, create=("shelf",)).problems([shelves])]
    assert told == [
        "source 'books.csv': create = 'shelf': a text cannot make a Shelf, whose key 'number' is no text. "
        "Give Shelf a SlugField 'slug'.",
        "source 'books.csv': create = 'shelf': a text cannot make a Shelf: 'keeper' is required. "
        "Give Shelf.keeper a default, or blank=True.",
        "source 'books.csv': create = 'shelf': a text cannot make a Shelf: 'boxes' is required. "
        "Give Shelf.boxes blank=True.",
    ]
