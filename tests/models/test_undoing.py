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
