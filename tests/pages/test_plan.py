"""Which pages there are, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import Collision, FrozenError, NoSuchPage, Problems, RouteError
from toolkit.pages import Plan, match_url, url_for
from toolkit.trace import entered

STORY = '@app.page("/<slug>/", each=Story.objects.all())\ndef story(story): return story.title\n'


def urls(site: Any) -> list[str]:
    plan = Plan(site)
    return [page.url for route, locale in plan.routes() for page in plan.unit(route, locale).pages()]


def add(site: Any, models: Any, *slugs: str) -> list[Any]:
    with site:
        return [models.Story.objects.create(title=slug, slug=slug) for slug in slugs]


def test_a_row_without_a_slug_is_named_with_every_other_one(make_site: Any, models_of: Any, build: Any) -> None:
    site = make_site(STORY)
    add(site, models_of(site), "", "a/b", "fine")
    with pytest.raises(Problems, match=r"(?s)Story 1: .*<slug> is empty.*Story 2: .*cannot be in a URL"):
        build(site)


def test_declarations_are_checked_all_at_once_with_their_lines(make_site: Any) -> None:
    site = make_site(
        """
        @app.page("/<slgu>/", each=Story.objects.all())
        def story(story): return ""

        @app.page("/<x>/y/")
        def lost(): return ""

        @app.listing("/list", template="x")
        def listing(): return []

        @app.page("/same/")
        def one(): return ""

        @app.page("/Same/")
        def two(): return ""

        @app.page("/bare")
        def bare(): return ""

        @app.page("/tagged/<section__stories>/", each=Story.objects.all())
        def many(story): return ""

        @app.page("/fr/", locales=["fr"])
        def french(): return ""
        """,
        prepare=False,
    )
    with pytest.raises(Problems) as caught:
        site.prepare()
    text = str(caught.value)
    for part in (
        r"pages.py:8: page 'story': <slgu>: ",
        "Did you mean 'slug'?",
        "has placeholders, but it is not said what it is published for",
        "of a listing must end in a slash",
        "two pages are published at /Same/: 'one'",
        "ends in neither a slash nor a file name",
        "has many values",
        "'fr' is no locale of the site",
    ):
        assert part in text, text
    assert any(isinstance(problem, Collision) for problem in caught.value.problems)


def test_declaring_after_prepare_is_refused(make_site: Any) -> None:
    site = make_site(STORY)
    with pytest.raises(FrozenError, match=r"page 'late' was declared after the site was prepared"):

        @site.apps[0].page("/late/")
        def late() -> str:
            return ""

    with pytest.raises(FrozenError, match=r"test_plan.py:\d+: source 'x'"):
        site.apps[0].source("x", model=None)


def test_every_url_of_the_plan_is_matched_back_to_its_page(make_site: Any, models_of: Any) -> None:
    site = make_site(
        STORY
        + '@app.listing("/in/<slug>/", each=Section.objects.all(), template="x", per_page=2, stable=False)\n'
        + "def section(section): return section.stories.all()\n"
        + 'def years(): return [{"year": 2025}, {"year": 2026}]\n'
        + '@app.page("/archive/<int:year>/", each=years)\ndef archive(year): return str(year)\n',
        settings='locales = ["en", "es"]',
    )
    m = models_of(site)
    with site:
        section = m.Section.objects.create(name="Town", slug="the town")
        for slug in ("a b", "c%d", "e.f", "مد", "cafe\u0301", "page", "archive"):
            m.Story.objects.create(title=slug, slug=slug, section=section)
    plan = Plan(site)
    from urllib.parse import unquote

    seen = 0
    for route, locale in plan.routes():
        for page in plan.unit(route, locale).pages():
            seen += 1
            found = match_url(Plan(site), unquote(page.url))
            assert found is not None and found.page == page
    assert seen == 2 * (7 + 4 + 2)
    assert match_url(plan, "/in/the town/page/5/") is None
    assert match_url(plan, "/nothing/") is None
    assert match_url(plan, "/archive/1999/") is None


def test_a_number_that_no_row_can_have_is_no_page(make_site: Any, models_of: Any) -> None:
    site = make_site('@app.page("/no/<int:id>/", each=Story.objects.all())\ndef story(story): return story.title\n')
    (story,) = add(site, models_of(site), "flood")
    assert match_url(Plan(site), f"/no/{story.pk}/") is not None
    assert match_url(Plan(site), f"/no/{10**30}/") is None


def test_url_for_says_what_is_missing(make_site: Any, models_of: Any, reader: Any) -> None:
    site = make_site(
        STORY
        + 'def years(): return [{"year": 2026}]\n'
        + '@app.page("/archive/<int:year>/", each=years)\ndef archive(year): return str(year)\n'
    )
    (story,) = add(site, models_of(site), "flood")
    with reader(site):
        assert url_for(story) == "/flood/"
        assert url_for("story", slug="flood", absolute=True) == "https://paper.example/flood/"
        assert url_for("archive", year=2026) == "/archive/2026/"
        with pytest.raises(NoSuchPage, match=r"there is no page 'stroy'. Did you mean 'story'\? It takes story"):
            url_for("stroy")
        with pytest.raises(NoSuchPage, match=r"'story' with {'slug': 'fire'} has no page"):
            url_for("story", slug="fire")
        with pytest.raises(NoSuchPage, match="has no page"):
            url_for("archive", year=1999)
        with pytest.raises(RouteError, match="has no 'year', which its URL needs"):
            url_for("archive", month=1)
        with pytest.raises(NoSuchPage, match="no page is declared for Section objects"):
            url_for(models_of(site).Section(pk=1))


def test_the_urls_of_a_long_list_are_looked_up_part_by_part(
    make_site: Any, models_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("fetching", "loader"):
        monkeypatch.setattr(f"toolkit.models.{module}.NEIGHBOURS", 3)
    site = make_site(STORY)
    add(site, models_of(site), *"abcdefgh")
    plan, route = Plan(site), site.find_route("story")
    with entered(site.scope()):
        stories = list(models_of(site).Story.objects.all())
    with site.database.counted() as queries:
        found = [plan.find(route, "en", story) for story in stories]
    assert [one and one.url for one in found] == [f"/{slug}/" for slug in "abcdefgh"]
    assert len(queries) == 3
    with entered(site.scope()), site.database.counted() as queries:
        assert url_for(stories[0]) == "/a/"  # outside of a page nobody keeps what is looked up along
    assert queries[0].count("?") == 1


def test_a_route_whose_pages_depend_on_their_own_urls_is_refused(make_site: Any, build: Any) -> None:
    site = make_site(
        'def loop(): return [{"x": "a", "url": url_for("page", x="a")}]\n'
        '@app.page("/<x>/", each=loop)\ndef page(x, url): return url'
    )
    with pytest.raises(Problems, match="which pages 'page' has depends on its own URLs"):
        build(site)


def test_keys_that_are_uuids_verify(make_site: Any, models_of: Any, build: Any) -> None:
    site = make_site(
        STORY + '@app.page("/all/", template="all.html")\ndef everything(): return {"all": Story.objects.all()}\n',
        models="""
        import uuid

        class Story(models.Model):
            id = models.UUIDField(primary_key=True, default=uuid.uuid4)
            title = models.CharField(max_length=9)
            slug = models.SlugField()
        """,
        templates={"all.html": "{% for s in all %}{{ url_for(s) }}{% endfor %}"},
    )
    add(site, models_of(site), "a", "b")
    first, files = build(site)
    assert set(files) == {"a/index.html", "b/index.html", "all/index.html"}
    again, _ = build(site)
    assert (first.rendered, again.rendered) == (3, 0)


def test_empty_listings_are_published_unless_told_otherwise(make_site: Any, models_of: Any, build: Any) -> None:
    page = '@app.listing("/{0}/<slug>/", each=Section.objects.all(), template="x.html", allow_empty={1}, name="{0}")\n'
    site = make_site(
        page.format("yes", True) + "def yes(section): return section.stories.all()\n"
        + page.format("no", False) + "def no(section): return section.stories.all()\n",
        templates={"x.html": "{{ listing.total }} {{ listing.number }}/{{ listing.pages }}"},
    )  # fmt: skip
    m = models_of(site)
    with site:
        m.Section.objects.create(name="Empty", slug="empty")
    assert build(site)[1] == {"yes/empty/index.html": "0 1/1"}


def test_a_front_page_is_there_before_the_first_story_is(make_site: Any, models_of: Any, build: Any) -> None:
    site = make_site(
        '@app.listing("/", template="x.html")\ndef home(): return Story.objects.all()\n'
        '@app.listing("/late/", template="x.html", allow_empty=False)\ndef late(): return Story.objects.all()\n',
        templates={"x.html": "{{ listing.total }} {{ listing.pages }}"},
    )
    assert build(site)[1] == {"index.html": "0 1"}
    add(site, models_of(site), "a")
    assert build(site)[1] == {"index.html": "1 1", "late/index.html": "1 1"}


def test_error_pages_are_files_of_each_language(make_site: Any, build: Any) -> None:
    site = make_site(
        'app.error_page(404, template="404.html")',
        templates={"404.html": "{{ status }} {{ locale }} {{ page.head }}"},
        settings='locales = ["en", "es"]',
    )
    _, files = build(site)
    assert set(files) == {"404.html", "es/404.html"}
    assert 'content="noindex"' in files["404.html"] and "canonical" not in files["404.html"]


def test_two_sites_live_in_one_process(make_site: Any, models_of: Any, build: Any) -> None:
    one, two = make_site(STORY), make_site(STORY, settings='title = "Two"\nlocales = ["es"]')
    add(one, models_of(one), "a")
    add(two, models_of(two), "b")
    with one, two:
        assert [s.slug for s in models_of(two).Story.objects.all()] == ["b"]
    assert set(build(one)[1]) == {"a/index.html"}
    assert set(build(two)[1]) == {"b/index.html"}
    assert build(one)[0].rendered == 0


def test_an_empty_listing_that_is_not_published_has_no_url_either_where_it_is_looked_up_alone(make_site: Any) -> None:
    site = make_site(
        """
        @app.listing("/<slug>/", each=Section.objects.all(), template="list.html", allow_empty=False)
        def section(section):
            return section.stories.all()
        """,
        templates={"list.html": ""},
    )
    section = next(m for m in site.models if m.__name__ == "Section")
    with entered(site.scope()):
        empty = section.objects.create(name="Town", slug="town")
    plan = Plan(site)
    route = site.find_route("section")
    assert plan.find(route, "en", empty) is None
    assert match_url(plan, "/town/") is None
    assert plan.unit(route, "en").planned == []


def test_an_alias_follows_what_no_page_reads(make_site: Any, models_of: Any, build: Any) -> None:
    site = make_site(
        '@app.page("/<slug>/", each=Story.objects.all(), aliases=["/in/<section__name>/<slug>/"])\n'
        "def story(story): return story.title\n"
    )
    m = models_of(site)
    with site:
        town = m.Section.objects.create(name="Town", slug="town")
        m.Story.objects.create(title="Flood", slug="flood", section=town)
    assert set(build(site)[1]) == {"flood/index.html", "in/Town/flood/index.html"}
    with site:
        town.name = "City"
        town.save()
    report, files = build(site)
    assert report.rendered == 0
    assert set(files) == {"flood/index.html", "in/City/flood/index.html"}


def test_the_pages_of_a_listing_have_urls_as_far_as_there_are_any(make_site: Any, models_of: Any, reader: Any) -> None:
    site = make_site(
        '@app.listing("/<slug>/", each=Section.objects.all(), template="x", per_page=2)\n'
        "def section(section): return section.stories.all()\n",
        settings='locales = ["en", "es"]',
    )
    m = models_of(site)
    with site:
        town = m.Section.objects.create(name="Town", slug="town")
        for number in range(4):
            m.Story.objects.create(title="x", slug=str(number), section=town)
    with reader(site):
        assert url_for(town, number=2) == "/town/page/1/"
        assert url_for(town, number=2, locale="es") == "/es/town/page/1/"
        with pytest.raises(NoSuchPage, match="has no page"):
            url_for(town, number=3)


def test_locale_prefixes_and_patterns_of_one_locale_only(make_site: Any, build: Any) -> None:
    site = make_site(
        '@app.page("/only/", locales=["es"])\ndef only(): return "solo"\n'
        '@app.page("/both/")\ndef both(): return "both"\n',
        settings='locales = ["en", "es", "pt-BR"]',
    )
    assert set(build(site)[1]) == {
        "es/only/index.html",
        "both/index.html",
        "es/both/index.html",
        "pt-BR/both/index.html",
    }
