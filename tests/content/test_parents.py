"""Rows with several parents, each in a table with a key of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source, export_model
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

from .conftest import Desk


class Place(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=40)


class Museum(models.Model):
    number = models.AutoField(primary_key=True)
    theme = models.CharField(max_length=40, blank=True, translated=True)
    stamp = models.CharField(max_length=9, unique=True, null=True)


class Listed(models.Model):
    code = models.CharField(max_length=9, primary_key=True)
    grade = models.IntegerField(default=2)


class Sealed(models.Model):
    token = models.UUIDField(primary_key=True, default=uuid4)
    seal = models.CharField(max_length=9, blank=True)


class Cafe(Place, Museum):
    seats = models.IntegerField(default=0)
    likes = models.ManyToManyField(Museum, related_name="+", blank=True)
    text = models.MarkdownField(blank=True, translated=True)


class Castle(Place, Listed, Sealed):
    towers = models.IntegerField(default=1)


class Shrine(Listed):
    """Has a key of its own beside its parent's."""

    listed_ptr = models.OneToOneField(Listed, on_delete=models.CASCADE, parent_link=True)
    name = models.CharField(max_length=20, primary_key=True)


class Indoors(Place):
    heated = models.BooleanField(default=True)


class Open(Place):
    place_link = models.OneToOneField(Place, on_delete=models.CASCADE, parent_link=True, related_name="+")
    closes = models.IntegerField(default=18)


class Hall(Indoors, Open):
    """Is a place by two ways, and one place all the same."""

    rows = models.IntegerField(default=9)


class Ticket(models.Model):
    slug = models.SlugField(unique=True)
    museum = models.ForeignKey(Museum, on_delete=models.CASCADE, null=True, related_name="tickets")
    stamp = models.ForeignKey(Museum, on_delete=models.SET_NULL, to_field="stamp", null=True, related_name="+")
    listed = models.ForeignKey(Listed, on_delete=models.PROTECT, null=True, related_name="+")
    sealed = models.ForeignKey(Sealed, on_delete=models.SET_NULL, null=True, related_name="+")


MODELS = resolved({"town": [Place, Museum, Listed, Sealed, Cafe, Castle, Shrine, Indoors, Open, Hall, Ticket]})
CAFES, CASTLES, HALLS = Source("cafes/*.md", Cafe), Source("castles.yaml", Castle), Source("halls.csv", Hall)
MUSEUMS = Source("museums.csv", Museum, key="stamp")
SHRINES, TICKETS = Source("shrines.json", Shrine, key="name"), Source("tickets.yaml", Ticket)
BLUE = "---\nname: Blue\ntheme: Sea\nstamp: B\nseats: 4\n---\nSoup.\n"
KEEP = "- {slug: keep, name: The Keep, code: K1, grade: 1, towers: 4}\n"


def make(url: str) -> Any:
    return opened_with(url, MODELS)


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def town(request: pytest.FixtureRequest, find_shared: Callable[[str], Any], tmp_path: Path) -> Iterator[Desk]:
    with entered(Scope(None, find_shared(request.param))) as scope:
        desk = Desk(tmp_path, scope, [MUSEUMS, CAFES, CASTLES, TICKETS])
        Museum.objects.create(theme="Before", stamp="0")  # so that the keys of one row differ
        Place.objects.bulk_create([Place(slug=f"p{number}", name="Before") for number in range(3)])
        desk.write("museums.csv", "stamp,theme\nX,Bones\n")
        desk.write("cafes/blue.md", BLUE)
        desk.write("cafes/blue.es.md", "---\ntheme: Mar\n---\nSopa.\n")
        desk.write("cafes/red.md", "---\nname: Red\n---\n")
        desk.write("castles.yaml", KEEP)
        desk.write("tickets.yaml", "- {slug: one, museum: B, stamp: B, listed: K1}\n")
        yield desk
        Ticket.objects.all().delete()
        desk.sources = []
        desk.load()  # the rows of all files go
        for model in (Cafe, Castle, Hall, Museum, Place, Listed, Sealed):
            model.objects.all().delete()


def everything(desk: Desk) -> dict[str, int]:
    names = ("Place", "Museum", "Cafe", "Listed", "Sealed", "Castle", "Ticket")
    return {model.__name__: model.objects.count() for model in MODELS if model.__name__ in names}


def blue() -> tuple[Any, ...]:
    cafe = Cafe.objects.get(slug="blue")
    return cafe.name, cafe.theme, cafe.seats, cafe.text, cafe.pk, cafe.number


def test_a_row_is_in_the_tables_of_all_its_parents(town: Desk) -> None:
    assert town.counts() == (5, 0, 0, 0)
    assert town.counts() == (0, 0, 5, 0)
    cafe, castle, ticket = Cafe.objects.get(slug="blue"), Castle.objects.get(), Ticket.objects.get()
    assert blue()[:4] == ("Blue", "Sea", 4, "Soup.")
    assert cafe.pk == cafe.place_ptr_id != cafe.number == cafe.museum_ptr_id
    assert (castle.grade, castle.towers, castle.listed_ptr_id) == (1, 4, "K1")
    assert (ticket.listed_id, ticket.stamp_id, ticket.museum.cafe.name) == ("K1", "B", "Blue")
    with entered(Scope(None, town.scope.database, locale="es")):
        shown = Cafe.objects.get(slug="blue")
        assert (shown.theme, str(shown.text).strip()) == ("Mar", "Sopa.")


def test_an_edit_changes_the_row_where_it_is_and_a_new_name_keeps_its_keys(town: Desk) -> None:
    town.load()
    keys, token = blue()[4:], Castle.objects.get().token
    town.write("cafes/blue.md", BLUE.replace("Sea", "Sky").replace("stamp: B", "stamp: C\nlikes: []").replace("4", "5"))
    town.write("cafes/blue.es.md", "---\ntheme: Cielo\n---\n")
    town.write("castles.yaml", KEEP.replace("grade: 1", "grade: 3"))
    town.write("tickets.yaml", "- {slug: one, museum: C, stamp: C, listed: K1}\n")
    assert town.counts()[:2] == (0, 3)
    assert blue() == ("Blue", "Sky", 5, "Soup.", *keys)
    assert (Castle.objects.get().grade, Castle.objects.get().token) == (3, token)
    told = Museum._meta.translation.objects.values_list("locale", "theme")
    assert list(told) == [("es", "Cielo")]
    town.write("cafes/blue.md", BLUE.replace("name: Blue", "slug: azure\nname: Azure").replace("stamp: B", "stamp: C"))
    assert town.counts() == (0, 1, 4, 0)
    assert (Cafe.objects.get(slug="azure").pk, Cafe.objects.get(slug="azure").number) == keys
    (town.folder / "cafes/red.md").rename(town.folder / "cafes/rust.md")
    assert town.counts() == (0, 1, 4, 0)


def test_two_rows_may_exchange_their_names(town: Desk) -> None:
    town.load()
    keys = blue()[4:]
    town.write("cafes/blue.md", BLUE.replace("name:", "slug: red\nname:").replace("stamp: B\n", ""))
    town.write("cafes/red.md", "---\nslug: blue\nname: Red\nstamp: B\n---\n")
    assert town.counts() == (0, 3, 2, 0)
    cafe = Cafe.objects.get(slug="red")
    assert (cafe.name, cafe.pk, cafe.number) == ("Blue", *keys)
    assert Ticket.objects.get().stamp.cafe.slug == "blue"


def test_a_row_that_goes_leaves_all_tables_and_those_that_refer_to_any(town: Desk) -> None:
    sources, town.sources = town.sources, [MUSEUMS]
    town.load()
    before, town.sources = everything(town), sources
    town.load()
    Ticket.objects.create(slug="wild", museum=Cafe.objects.get(slug="blue").museum_ptr)
    Ticket.objects.create(slug="tame", sealed=Castle.objects.get().sealed_ptr)
    for name in ("cafes/blue.md", "cafes/blue.es.md", "cafes/red.md"):
        town.delete(name)
    town.write("castles.yaml", "[]\n")
    assert [one.partition(": there is")[0] for one in town.problems()] == [
        "tickets.yaml:1:23: museum",
        "tickets.yaml:1:33: stamp",
        "tickets.yaml:1:44: listed",
    ]
    town.write("tickets.yaml", "- {slug: one}\n")
    assert town.counts() == (0, 1, 1, 3)
    assert everything(town) == before | {"Ticket": 2}
    assert Ticket.objects.get(slug="tame").sealed_id is None
    assert not Museum._meta.translation.objects.exists()


def test_a_row_of_its_own_may_take_what_one_of_a_child_gives_up(town: Desk) -> None:
    town.load()
    town.write("cafes/blue.md", BLUE.replace("stamp: B", "stamp: D"))
    town.write("museums.csv", "stamp,theme\nX,Bones\nB,Bread\n")
    town.write("tickets.yaml", "- {slug: one, museum: B, stamp: D}\n")
    assert town.counts() == (1, 2, 3, 0)
    assert dict(Museum.objects.filter(stamp__isnull=False).values_list("stamp", "theme")) == {
        "0": "Before",
        "B": "Bread",
        "D": "Sea",
        "X": "Bones",
    }
    town.write("museums.csv", "stamp,theme\n0,Taken\n")
    assert any("which came from no file" in told for told in town.problems())


def test_who_protects_one_of_its_parents_keeps_the_row(town: Desk) -> None:
    town.load()
    Ticket.objects.create(slug="wild", listed_id="K1")
    town.write("tickets.yaml", "- {slug: one, stamp: B}\n")
    town.write("castles.yaml", "[]\n")
    (told,) = town.problems()
    assert "the row 'keep' is not here any more, but" in told
    assert Castle.objects.get().code == "K1"


def test_the_key_of_a_further_parent_may_change_in_the_file(town: Desk) -> None:
    town.load()
    castle = Castle.objects.get()
    town.write("castles.yaml", KEEP.replace("K1", "K2"))
    town.write("tickets.yaml", "- {slug: one, stamp: B, listed: K2}\n")
    assert town.counts() == (0, 2, 3, 0)
    after = Castle.objects.get()
    assert (after.pk, after.code, after.token, after.grade) == (castle.pk, "K2", castle.token, 1)
    assert list(Listed.objects.values_list("code", flat=True)) == ["K2"]
    Ticket.objects.create(slug="wild", listed_id="K2")
    town.write("castles.yaml", KEEP.replace("K1", "K3"))
    town.write("tickets.yaml", "- {slug: one, stamp: B}\n")
    told = "castles.yaml:1:38: code: 1 of Ticket, which no file gave, refer to it by 'K2'"
    assert town.problems() == [f"{told}. Change these first, or leave it 'K2'."]


def test_keys_of_further_parents_may_be_exchanged_and_taken_only_once(town: Desk) -> None:
    two = KEEP + "- {slug: tower, name: The Tower, code: T1}\n"
    town.write("castles.yaml", two)
    town.load()
    town.write("castles.yaml", two.replace("K1", "X").replace("T1", "K1").replace("X", "T1"))
    assert town.counts()[:2] == (0, 2)
    assert dict(Castle.objects.values_list("slug", "code")) == {"keep": "T1", "tower": "K1"}
    assert dict(Listed.objects.values_list("code", "grade")) == {"T1": 1, "K1": 2}
    town.write("castles.yaml", two.replace("T1", "K1"))
    town.write("tickets.yaml", "- {slug: one}\n")
    (told,) = town.problems()
    assert told.startswith("castles.yaml:1:38: code: Listed with this code already exists.")
    assert dict(Castle.objects.values_list("slug", "code")) == {"keep": "T1", "tower": "K1"}


def test_faults_in_fields_of_any_parent_are_told_together(town: Desk) -> None:
    town.write("cafes/red.md", "---\nname: Red\nnumber: 7\nseats: many\n---\n")
    town.write("castles.yaml", "- {slug: keep, name: The Keep, grade: high}\n- {slug: moat, code: M1, place_ptr: 1}\n")
    assert [one.partition(": Ca")[0].partition(". ")[0] for one in town.problems()] == [
        "cafes/red.md:3:1: unknown key 'number'",
        "cafes/red.md:4:8: seats: 'many' is not a whole number",
        "castles.yaml:1:3: code is missing",
        "castles.yaml:1:39: grade: 'high' is not a whole number",
        "castles.yaml:2:26: unknown key 'place_ptr'",
        "castles.yaml:2:3: name is missing",
        "tickets.yaml:1:44: listed: there is no Listed with the code 'K1'",
    ]
    assert not Cafe.objects.exists()


def test_a_place_by_two_ways_is_one(town: Desk) -> None:
    town.sources = [HALLS, SHRINES]
    town.write("halls.csv", "slug,name,heated,closes,rows\nmain,Main,no,20,3\nside,Side,yes,21,4\n")
    town.write("shrines.json", '[{"name": "Small", "code": "S1"}, {"name": "Large", "code": "S2", "grade": 4}]')
    assert town.counts() == (4, 0, 0, 0)
    assert town.counts() == (0, 0, 4, 0)
    rows = Hall.objects.order_by("slug").values_list("slug", "heated", "closes", "rows")
    assert list(rows) == [("main", False, 20, 3), ("side", True, 21, 4)]
    assert all(hall.indoors_ptr_id == hall.open_ptr_id == hall.pk for hall in Hall.objects.all())
    assert dict(Shrine.objects.values_list("name", "listed_ptr")) == {"Small": "S1", "Large": "S2"}
    town.write("halls.csv", "slug,name,heated,closes,rows\nside,Side,yes,23,4\n")
    town.write("shrines.json", '[{"name": "Large", "code": "S3", "grade": 5}]')
    assert town.counts() == (0, 2, 0, 2)
    assert list(Hall.objects.values_list("slug", "closes")) == [("side", 23)]
    assert list(Listed.objects.values_list("code", "grade")) == [("S3", 5)]
    assert Place.objects.filter(slug="main").count() == 0


@pytest.mark.parametrize("suffix", ["md", "yaml", "json", "csv"])
def test_a_folder_gives_back_what_was_written_to_it(town: Desk, suffix: str) -> None:
    town.write("cafes/red.md", "---\nname: Red\nlikes: []\ntheme: Fire\n---\nChili.\n")
    town.load()
    before = blue(), everything(town)
    cafes = replace(CAFES, pattern="out/*.md" if suffix == "md" else f"out.{suffix}")
    castles = replace(
        CASTLES, pattern="forts.json" if suffix == "json" else f"forts.{'csv' if suffix == 'csv' else 'yaml'}"
    )
    town.sources = [MUSEUMS, cafes, castles, TICKETS]
    for source in town.sources[1:]:
        export_model(town.scope, source, town.folder, sources=town.sources, locales=town.locales, adopt=True)
    assert town.counts() == (0, 0, 5, 0)
    for path in [*town.folder.glob("out*"), *town.folder.glob("out/*"), *town.folder.glob("forts*")]:
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            path.write_text(
                text.replace("---\n", "---\n# again\n", 1) if suffix == "md" else f"{text}\n", encoding="utf-8"
            )
    assert town.counts() == (0, 0, 5, 0)
    assert (blue(), everything(town)) == before


def test_a_counted_key_beside_a_reference_as_the_key_is_refused() -> None:
    class Owner(models.Model):
        slug = models.SlugField(unique=True)

    class Plot(models.Model):
        owner = models.OneToOneField(Owner, primary_key=True, on_delete=models.CASCADE, related_name="+")

    class Garden(Plot, Museum):
        slug = models.SlugField(unique=True)

    resolve_models({"others": [Owner, Plot, Garden]})
    told = str(Source("gardens.csv", Garden).problems()[0])
    assert "the key of Garden is a reference, and the database counts 'number' of another parent" in told
