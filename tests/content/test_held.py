"""References that keep another field of their target than its key, and what becomes of them when that changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source
from toolkit.content.export import export_model
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

from .conftest import Desk


class Country(models.Model):
    slug = models.SlugField(unique=True)
    code = models.CharField(max_length=3, unique=True, null=True)
    token = models.UUIDField(unique=True, default=uuid4)


class Capital(models.Model):
    """Is referred to by a field that is a reference by itself."""

    slug = models.SlugField(unique=True)
    country = models.OneToOneField(Country, on_delete=models.CASCADE, to_field="code", related_name="+")


class Team(models.Model):
    slug = models.SlugField(unique=True)
    country = models.ForeignKey(Country, on_delete=models.CASCADE, to_field="code", related_name="teams")
    home = models.ForeignKey(Capital, on_delete=models.CASCADE, to_field="country", null=True, related_name="+")
    sealed = models.ForeignKey(Country, on_delete=models.SET_NULL, to_field="token", null=True, related_name="+")
    rivals = models.ManyToManyField(Country, through="Rivalry", related_name="+", blank=True)
    text = models.MarkdownField(blank=True)


class Rivalry(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE, to_field="slug", related_name="+")
    country = models.ForeignKey(Country, on_delete=models.CASCADE, to_field="code", related_name="+")


class Fan(models.Model):
    slug = models.SlugField(unique=True)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, to_field="slug", default="reds", related_name="+")


class Visa(models.Model):
    """Comes from no file."""

    country = models.ForeignKey(Country, on_delete=models.PROTECT, to_field="code", related_name="+")


MODELS = resolved({"world": [Country, Capital, Team, Rivalry, Fan, Visa]})
SOURCES = [Source("countries.yaml", Country), Source("capitals.csv", Capital), Source("teams/*.md", Team)]
FANS = Source("fans.json", Fan)
COUNTRIES = "- {slug: peru, code: PER}\n- {slug: chile, code: CHL}\n- {slug: nowhere}\n"


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    database = opened_with(request.param, MODELS)
    with entered(Scope(None, database)) as scope:
        desk = Desk(tmp_path, scope, SOURCES)
        desk.write("countries.yaml", COUNTRIES)
        desk.write("capitals.csv", "slug,country\nlima,peru\nsantiago,chile\n")
        desk.write("teams/reds.md", "---\ncountry: peru\nhome: lima\nsealed: peru\nrivals: [chile]\n---\n")
        yield desk
        database.drop()  # type: ignore[attr-defined]  # of ``opened_with``


def reds() -> tuple[Any, ...]:
    team = Team.objects.get(slug="reds")
    return team.country_id, team.home_id, [one.slug for one in team.rivals.all()]


def test_a_reference_keeps_what_to_field_says(world: Desk) -> None:
    assert world.counts() == (6, 0, 0, 0)
    team = Team.objects.get(slug="reds")
    assert reds() == ("PER", "PER", ["chile"])
    assert (team.country.slug, team.home.slug, team.sealed.slug) == ("peru", "lima", "peru")
    assert Rivalry.objects.values_list("team_id", "country_id").get() == ("reds", "CHL")
    assert world.counts() == (0, 0, 6, 0)


def test_a_target_that_is_in_the_database_alone(world: Desk) -> None:
    Country.objects.create(slug="bolivia", code="BOL")
    world.write("teams/reds.md", "---\ncountry: bolivia\nrivals: [bolivia, peru]\n---\n")
    world.load()
    assert reds() == ("BOL", None, ["bolivia", "peru"])


def test_those_that_refer_follow_a_value_that_changes(world: Desk) -> None:
    world.load()
    token = Country.objects.get(slug="peru").token
    world.write("countries.yaml", COUNTRIES.replace("PER", "PE").replace("CHL", "CL"))
    assert world.counts() == (0, 5, 1, 0)
    assert reds() == ("PE", "PE", ["chile"])
    assert Capital.objects.get(slug="santiago").country_id == "CL"
    assert Team.objects.get(slug="reds").sealed_id == token == Country.objects.get(slug="peru").token
    assert world.counts() == (0, 0, 6, 0)


def test_values_may_be_exchanged(world: Desk) -> None:
    world.load()
    world.write("countries.yaml", COUNTRIES.replace("PER", "X").replace("CHL", "PER").replace("X", "CHL"))
    world.load()
    assert reds() == ("CHL", "CHL", ["chile"])
    assert Rivalry.objects.get().country_id == "PER"


def test_a_made_value_is_the_one_that_the_row_has(world: Desk) -> None:
    world.load()
    token = Country.objects.get(slug="peru").token
    assert isinstance(token, UUID)
    world.write("countries.yaml", COUNTRIES + "- {slug: cuba}\n")
    world.write("teams/blues.md", "---\ncountry: peru\nsealed: peru\n---\n")
    world.load()
    assert {team.sealed_id for team in Team.objects.all()} == {token}


def test_a_slug_that_changes_takes_its_links_along(world: Desk) -> None:
    world.load()
    world.write("teams/reds.md", "---\nslug: red\ncountry: peru\nrivals: [chile, peru]\n---\n")
    assert world.counts() == (0, 1, 5, 0)
    links = [(link.team_id, link.country_id) for link in Rivalry.objects.order_by("country_id")]
    assert links == [("red", "CHL"), ("red", "PER")]


def test_the_key_of_files_may_be_what_is_kept(world: Desk) -> None:
    world.sources = [*SOURCES, FANS]
    world.write("fans.json", '[{"slug": "ann", "team": "reds"}, {"slug": "bob"}]')
    world.load()
    assert set(Fan.objects.values_list("team_id", flat=True)) == {"reds"}
    world.write("teams/reds.md", "---\nslug: red\ncountry: peru\n---\n")
    assert world.problems() == ["fans.json:1:26: team: there is no Team with the slug 'reds'. Did you mean 'red'?"]
    world.write("fans.json", '[{"slug": "ann", "team": "red"}, {"slug": "bob", "team": "red"}]')
    assert world.counts() == (0, 3, 5, 0)
    assert {fan.team.slug for fan in Fan.objects.all()} == {"red"}


def test_a_target_without_the_value_cannot_be_referred_to(world: Desk) -> None:
    world.write("teams/reds.md", "---\ncountry: nowhere\n---\n")
    told = "teams/reds.md:2:10: country: the Country 'nowhere' has no code to refer to it by. Give it a code."
    assert world.problems() == [told]


def test_a_value_that_a_row_of_the_database_keeps_stays(world: Desk) -> None:
    world.load()
    Visa.objects.create(country=Country.objects.get(slug="peru"))
    world.write("countries.yaml", COUNTRIES.replace("PER", "PE"))
    told = "countries.yaml:1:22: code: 1 of Visa, which no file gave, refer to it by 'PER'"
    assert world.problems() == [f"{told}. Change these first, or leave it 'PER'."]
    assert reds()[0] == "PER"


def test_removing_a_row_does_what_on_delete_says(world: Desk) -> None:
    world.load()
    visa = Visa.objects.create(country=Country.objects.get(slug="chile"))
    Team.objects.filter(slug="reds").update(sealed=Country.objects.get(slug="chile"))
    world.write("countries.yaml", "- {slug: peru, code: PER}\n")
    world.write("capitals.csv", "slug,country\nlima,peru\n")
    world.write("teams/reds.md", "---\ncountry: peru\nhome: lima\n---\n")
    (told,) = world.problems()
    assert "the row 'chile' is not here any more, but" in told
    visa.delete()
    Team.objects.create(slug="wild", country=Country.objects.get(slug="chile"))
    Team.objects.create(slug="sealed", country_id="PER", sealed=Country.objects.get(slug="chile"))
    assert world.counts()[3] == 3
    assert sorted((team.slug, team.sealed_id) for team in Team.objects.all()) == [("reds", None), ("sealed", None)]
    assert Rivalry.objects.count() == 0


def test_an_export_names_the_targets_by_their_keys(world: Desk) -> None:
    world.load()
    export_model(world.scope, SOURCES[2], world.folder / "out", sources=SOURCES)
    text = (world.folder / "out/teams/reds.md").read_text(encoding="utf-8")
    assert text == "---\ncountry: peru\nhome: lima\nsealed: peru\nrivals:\n- chile\n---\n"


def test_a_computed_value_cannot_be_kept() -> None:
    class Place(models.Model):
        slug = models.SlugField(unique=True)
        code = models.GeneratedField(
            expression=models.F("slug"), output_field=models.CharField(max_length=50), db_persist=True, unique=True
        )

    class Trip(models.Model):
        slug = models.SlugField(unique=True)
        place = models.ForeignKey(Place, on_delete=models.CASCADE, to_field="code", related_name="+")

    resolve_models({"trips": [Place, Trip]})
    assert "'place' refers to the code of Place, which is computed" in str(Source("trips.csv", Trip).problems()[0])
