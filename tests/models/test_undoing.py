"""What is left of an instance whose row was refused: it can be mended and saved again, as if nothing had been tried."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import IntegrityError, StaleInstanceError
from toolkit.models import F, Q, Value
from toolkit.models.functions import Upper
from toolkit.models.undoing import Before
from toolkit.signals import post_save
from toolkit.trace import Scope, entered

from .conftest import own_database


class Place(models.Model):
    name = models.CharField(max_length=20)


class Cafe(Place):
    slug = models.SlugField(unique=True)


class Wiki(models.Model):
    slug = models.SlugField(unique=True)
    title = models.CharField(max_length=50, null=True)
    views = models.IntegerField(default=0)
    live = models.BooleanField(default=False)


class Page(models.Model):
    slug = models.SlugField(unique=True)
    views = models.IntegerField(default=0)
    version = models.VersionField()


shared_database = own_database(resolved({"town": [Place, Cafe, Wiki, Page]}))


@pytest.fixture
def town(database: Any) -> Iterator[Any]:
    with entered(Scope(None, database)):
        yield database


def refuse(**_: Any) -> None:
    raise ValueError("not this one")


def test_the_key_in_a_parents_table_is_taken_back_with_its_row(town: Any) -> None:
    Cafe.objects.create(name="First", slug="corner")
    for write in (Cafe.save, lambda cafe: Cafe.objects.bulk_create([cafe])):
        cafe = Cafe(name="Mine", slug="corner")
        with pytest.raises(IntegrityError, match="already exists"):
            write(cafe)
        assert (cafe.pk, cafe.id, cafe.place_ptr_id) == (None, None, None)


def test_a_row_that_was_refused_never_takes_the_place_of_another_afterwards(town: Any) -> None:
    Cafe.objects.create(name="First", slug="corner")
    cafe = Cafe(name="Mine", slug="corner")
    with pytest.raises(IntegrityError, match="already exists"):
        cafe.save()
    Place.objects.create(name="Somebody's")  # on SQLite it has the key that was taken back
    cafe.slug = "square"
    cafe.save()
    assert list(Place.objects.order_by("name").values_list("name", flat=True)) == ["First", "Mine", "Somebody's"]


@pytest.mark.parametrize("in_bulk", [False, True])
def test_the_expressions_of_a_row_that_was_refused_are_there_when_it_is_saved_again(town: Any, in_bulk: bool) -> None:
    Wiki.objects.create(slug="flood")
    page = Wiki(slug="flood", title=Upper(Value("the flood")))

    def write() -> None:
        if in_bulk:
            Wiki.objects.bulk_create([page])
        else:
            page.save()

    with pytest.raises(IntegrityError, match="already exists"):
        write()
    page.slug = "ferry"
    write()
    assert (page.title, Wiki.objects.get(slug="ferry").title) == ("THE FLOOD", "THE FLOOD")


def test_the_expressions_of_a_change_that_was_taken_back_are_applied_once(town: Any) -> None:
    page = Wiki.objects.create(slug="flood", views=3)
    page.views = F("views") + 1
    with town.receivers.connected(post_save, refuse, sender=Wiki), pytest.raises(ValueError, match="not this one"):
        page.save()
    page.save()
    assert (page.views, Wiki.objects.get().views) == (4, 4)


@pytest.mark.parametrize("in_bulk", [False, True])
def test_the_version_of_a_row_that_was_refused_is_that_of_the_database(town: Any, in_bulk: bool) -> None:
    page, other = Page.objects.create(slug="flood"), Page.objects.create(slug="ferry")
    page.views = 7
    if in_bulk:
        Page.objects.filter(pk=other.pk).update(views=1)  # so that the second of two batches is refused
    heard = nullcontext() if in_bulk else town.receivers.connected(post_save, refuse, sender=Page)
    with heard, pytest.raises(StaleInstanceError if in_bulk else ValueError, match=r"changed by|not this one"):
        if in_bulk:
            Page.objects.bulk_update([page, other], ["views"], batch_size=1)
        else:
            page.save()
    assert page.version == Page.objects.get(pk=page.pk).version == 1
    page.save()
    assert Page.objects.get(pk=page.pk).views == 7


def test_conditions_are_written_in_bulk_as_by_one_row(town: Any) -> None:
    Wiki.objects.create(slug="a", views=1)
    Wiki.objects.create(slug="b")
    first, second = Wiki.objects.order_by("slug")
    for page in (first, second):
        page.live = Q(views__gt=0)
    assert Wiki.objects.bulk_update([first, second], ["live"]) == 2
    assert (first.live, second.live) == (True, False)


def test_what_was_noted_first_is_put_back_last() -> None:
    page, before = Page(slug="a"), Before()
    for slug in ("b", "c"):
        before.note([page], ["slug", "other"])
        page.slug = slug
        page.__dict__["other"] = slug
    before.put_back()
    assert page.slug == "a"
    assert "other" not in page.__dict__


def test_nothing_is_noted_of_rows_that_nobody_keeps() -> None:
    page, before = Page(slug="a"), Before(keeps=False)
    before.note([page], ["slug"])
    before.note_rows([page])
    page.slug, page._row = "b", ()
    before.put_back()
    assert (page.slug, page._row) == ("b", ())


class Retried(Exception):
    pass


def done_again(database: Any, write: Any) -> None:
    """What is written in a block that is rolled back, and then once more, as after a deadlock."""
    with pytest.raises(Retried), database.atomic():
        with database.atomic():
            write()
        raise Retried
    with database.atomic():
        write()


def test_what_was_rolled_back_is_saved_again(town: Any) -> None:
    wiki, cafe = Wiki(slug="w", views=1), Cafe(name="Mine", slug="corner")
    many = [Wiki(slug="a"), Wiki(slug="b")]
    place = Place(name="Pier")

    def write() -> None:
        wiki.save()
        wiki.title = "New"
        wiki.save()
        cafe.save()
        Wiki.objects.bulk_create(many)
        place.save()

    done_again(town, write)
    assert list(Wiki.objects.order_by("slug").values_list("slug", "title")) == [("a", None), ("b", None), ("w", "New")]
    assert [one.pk for one in Wiki.objects.filter(slug__in=["a", "b"]).order_by("slug")] == [one.pk for one in many]
    assert (Cafe.objects.get().name, Place.objects.count()) == ("Mine", 2)

    def count() -> None:
        wiki.views = F("views") + 1
        wiki.save()

    done_again(town, count)
    assert Wiki.objects.get(slug="w").views == 2
    with pytest.raises(Retried), town.atomic():
        count()
        raise Retried
    wiki.save()
    assert Wiki.objects.get(slug="w").views == 3
    Wiki.objects.all().delete()
    with pytest.raises(IntegrityError, match="there is no such row"):
        wiki.save()  # what was committed and is gone is somebody's doing


def test_a_key_that_somebody_got_meanwhile_is_not_written_over(town: Any) -> None:
    mine = Wiki(slug="mine")
    with pytest.raises(Retried), town.atomic():
        mine.save()
        raise Retried
    Wiki.objects.create(pk=mine.pk, slug="theirs")
    for write, told in (
        (mine.save, r"already exists\. Nothing was written"),
        (lambda: mine.save(update_fields=["slug"]), "cannot be updated: there is no such row"),
        (
            lambda: Wiki.objects.bulk_update([mine], ["slug"]),
            "was rolled back with the block that made it. Save it first",
        ),
    ):
        with pytest.raises(IntegrityError, match=told):
            write()
    assert mine.delete() == {}
    assert Wiki.objects.get().slug == "theirs"
    mine.pk = None
    mine.save()
    assert Wiki.objects.count() == 2


def test_versions_are_those_before_the_block_that_was_rolled_back(town: Any) -> None:
    page = Page(slug="p")
    done_again(town, page.save)
    page = Page.objects.only("slug").get()

    def write() -> None:
        page.views = 5
        page.save()
        Page.objects.bulk_update([page], ["views"])
        for _ in range(3):
            with pytest.raises(Retried), town.atomic():
                page.save()
                raise Retried
        with town.atomic():
            page.save()

    done_again(town, write)
    assert (page.version, Page.objects.get().version) == (4, 4)
    with pytest.raises(Retried), town.atomic():
        page.save()
        raise Retried
    Page.objects.update(views=7)
    Page.objects.update(views=8)
    with pytest.raises(StaleInstanceError, match="version 6 in the database, and 4 here"):
        page.save()
    with pytest.raises(StaleInstanceError):
        page.delete()
