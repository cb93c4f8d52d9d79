"""Rows in several tables, by inheritance; columns that the database computes or fills in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source
from toolkit.content.export import export_model
from toolkit.content.layout import make_layouts
from toolkit.content.stored import read_stored
from toolkit.trace import Scope, entered

from .conftest import Desk


class Venue(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=40, translated=True)
    stars = models.IntegerField(db_default=3)
    points = models.GeneratedField(
        expression=models.F("stars") * 10, output_field=models.IntegerField(), db_persist=True
    )
    opened = models.DateTimeField(db_default=models.Now())


class Bar(Venue):
    stools = models.IntegerField(default=0)
    menu = models.MarkdownField(blank=True, translated=True)
    near = models.ManyToManyField(Venue, related_name="+", blank=True)


class Pub(Bar):
    taps = models.IntegerField(default=1)


class Review(models.Model):
    slug = models.SlugField(unique=True)
    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="reviews")


MODELS = resolved({"town": [Venue, Bar, Pub, Review]})
BARS, PUBS = Source("bars/*.md", Bar), Source("pubs.yaml", Pub)
REVIEWS = Source("reviews.csv", Review)


def scope_on(url: str) -> Scope:
    return Scope(None, opened_with(url, MODELS))


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    with entered(scope_on(request.param)) as scope:
        desk = Desk(tmp_path, scope, [BARS, PUBS, REVIEWS])
        desk.write("bars/luce.md", "---\nname: Luce\nstools: 4\nstars: 5\nnear: [the-anchor]\n---\nSoup.\n")
        desk.write("bars/luce.es.md", "---\nname: Luz\n---\nSopa.\n")
        desk.write("pubs.yaml", "- {slug: the-anchor, name: The Anchor, taps: 7, menu: Ale}\n")
        desk.write("reviews.csv", "slug,venue\nfirst,luce\nsecond,the-anchor\n")
        yield desk
        scope.database.drop()


def test_fields_of_parents_stand_in_the_file_and_rows_are_in_all_tables(town: Desk) -> None:
    assert town.counts() == (4, 0, 0, 0)
    assert town.counts() == (0, 0, 4, 0)
    luce, anchor = Bar.objects.get(slug="luce"), Pub.objects.get()
    assert (luce.name, luce.stools, luce.stars, luce.points) == ("Luce", 4, 5, 50)
    assert (anchor.stars, anchor.points, anchor.taps, anchor.menu) == (3, 30, 7, "Ale")
    assert [one.pk for one in luce.near.all()] == [anchor.pk]
    assert anchor.opened is not None
    assert {one.slug: one.venue.name for one in Review.objects.all()} == {"first": "Luce", "second": "The Anchor"}
    with entered(Scope(None, town.scope.database, locale="es")):
        shown = Bar.objects.get(slug="luce")
        assert (shown.name, str(shown.menu).strip()) == ("Luz", "Sopa.")


def test_an_edit_changes_the_row_where_it_is_and_a_removed_file_takes_it_from_all(town: Desk) -> None:
    town.load()
    pk = Bar.objects.get(slug="luce").pk
    opened = Bar.objects.get(slug="luce").opened
    town.write("bars/luce.md", "---\nname: Lux\nstools: 5\n---\nStew.\n")
    assert town.counts() == (0, 1, 3, 0)
    luce = Bar.objects.get(pk=pk)
    assert (luce.name, luce.stools, luce.stars, luce.menu) == ("Lux", 5, 3, "Stew.")  # the database's default again
    assert luce.opened == opened
    town.delete("bars/luce.md")
    town.delete("bars/luce.es.md")
    town.write("reviews.csv", "slug,venue\nsecond,the-anchor\n")
    assert town.counts()[3] == 2
    assert [one.slug for one in Venue.objects.all()] == ["the-anchor"]
    assert Bar.objects.count() == 1


def test_a_row_is_missed_and_found_by_those_who_name_it_as_one_of_its_parent(town: Desk) -> None:
    town.load()
    before = (town.folder / "bars/luce.md").read_text(encoding="utf-8")
    town.delete("bars/luce.md")
    town.delete("bars/luce.es.md")
    assert town.problems() == [
        "reviews.csv:2:venue: venue: there is no Venue with the slug 'luce'. There is: the-anchor."
    ]
    assert Review.objects.count() == 2
    town.write("bars/luce.md", before + "More.\n")
    town.write("bars/luce.es.md", "---\nname: Luz\n---\nSopa.\n")
    town.write("bars/nero.md", "---\nname: Nero\n---\n")
    assert town.counts() == (1, 1, 3, 0)
    luce, nero = (Bar.objects.get(slug=slug) for slug in ("luce", "nero"))
    town.write("bars/luce.md", "---\nslug: nero\nname: Luce\n---\n")
    town.write("bars/nero.md", "---\nslug: luce\nname: Nero\n---\n")
    town.load()
    assert Bar.objects.get(slug="luce").pk == nero.pk
    assert Review.objects.get(slug="first").venue_id == nero.pk != luce.pk


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: A\npoints: 7\n", "bars/a.md:3:1: points: the database computes it, and no file can say it. Remove it."),
        ("name: A\nstars: many\n", "bars/a.md:3"),
        ("name: A\nvenue_ptr: 7\n", "unknown key 'venue_ptr'"),
        ("stools: 1\n", "name is missing"),
        ("name: A\nopened: soon\n", "bars/a.md:3"),
    ],
)
def test_what_a_file_cannot_say_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with entered(scope_on("sqlite://")) as scope:
        desk = Desk(tmp_path, scope, [BARS])
        desk.write("bars/a.md", f"---\n{text}---\n")
        assert told in "; ".join(desk.problems())
        assert Venue.objects.count() == 0
        scope.database.close()


def test_an_export_leaves_the_rows_of_a_child_to_its_source(town: Desk) -> None:
    town.load()
    Venue.objects.create(slug="park", name="Park")
    venues = Source("venues/*.yaml", Venue)
    town.sources.append(venues)
    paths = [export_model(town.scope, each, town.folder / "out", sources=town.sources) for each in town.sources]
    assert paths == [["bars/luce.es.md", "bars/luce.md"], ["pubs.yaml"], ["reviews.csv"], ["venues/venue.yaml"]]
    assert (
        (town.folder / "out/venues/venue.yaml").read_text(encoding="utf-8").startswith("- slug: park\n  name: Park\n")
    )


def test_a_computed_key_is_refused() -> None:
    assert "is computed by the database" in str(Source("bars/*.md", Bar, key="points").problems()[0])


WORD = st.text("abcdefghij", min_size=1, max_size=6)
VENUE = st.fixed_dictionaries(
    {"name": WORD},
    optional={"stars": st.integers(0, 9), "stools": st.integers(0, 9), "menu": WORD, "opened": st.datetimes().map(str)},
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(venues=st.dictionaries(WORD, VENUE, max_size=4), suffix=st.sampled_from(["md", "yaml", "json", "csv"]), es=WORD)
def test_a_folder_gives_back_what_was_written_to_it(venues: dict[str, Any], suffix: str, es: str) -> None:
    source = Source("bars/*.md" if suffix == "md" else f"bars.{suffix}", Bar)
    with tempfile.TemporaryDirectory() as folder:
        first, second = (Desk(Path(folder), scope_on("sqlite://"), [source]) for _ in "ab")
        with entered(first.scope):
            for slug, values in venues.items():
                bar = Bar(slug=slug, **{name: value for name, value in values.items() if name != "opened"})
                bar.save()
                Venue.objects.get(pk=bar.pk).translate("es", name=es)
            export_model(first.scope, source, first.folder, locales=first.locales)
            before = _said(first, source)
        with entered(second.scope):
            second.load()
            assert _said(second, source) == before
            assert [one.points for one in Bar.objects.all()] == [one.stars * 10 for one in Bar.objects.all()]
        for desk in (first, second):
            desk.scope.database.close()


def _said(desk: Desk, source: Source) -> list[Any]:
    layout = make_layouts([source], dialect="sqlite", locales=desk.locales)[0]
    rows = read_stored(desk.scope.database, layout)
    return [replace(row, pk=None, path=None, values={**row.values, "id": None}) for row in rows]
