"""What a reader may not see stays unseen on every way to it: tables between, parents, references to any model."""

# ruff: noqa: E501 - a table of ways

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.models import (
    Case,
    Count,
    Exists,
    F,
    JSONArrayAgg,
    Max,
    OuterRef,
    Prefetch,
    Q,
    RawSQL,
    RowRange,
    StringAgg,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from toolkit.models.functions import Coalesce, Lag, Lead, Length, RowNumber
from toolkit.trace import READER, Scope, entered

from .conftest import KINDS, URLS


class Shown(models.Model):
    name = models.CharField(max_length=30)
    shown = models.BooleanField(default=True)

    class Meta:
        abstract = True
        ordering = ["name"]
        public = Q(shown=True)


class Owner(Shown):
    pass


class Place(Shown):
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="places")

    class Meta(Shown.Meta):
        natural_key = ("name",)


class Pub(Place):
    beer = models.CharField(max_length=30)


class Guest(Shown):
    pubs = models.ManyToManyField(Pub, through="Visit", related_name="guests")
    friends = models.ManyToManyField("self")


class Visit(models.Model):
    guest = models.ForeignKey(Guest, on_delete=models.CASCADE)
    pub = models.ForeignKey(Pub, on_delete=models.CASCADE)
    shown = models.BooleanField(default=True)

    class Meta:
        public = Q(shown=True)


class Badge(Shown):
    guest = models.OneToOneField(Guest, on_delete=models.CASCADE, related_name="badge")


class Note(models.Model):
    content_type = models.ModelNameField()
    object_id = models.CharField(max_length=40)
    subject = models.GenericForeignKey()
    text = models.CharField(max_length=30)


MODELS = resolved({"town": [Owner, Place, Pub, Guest, Visit, Badge, Note]})
SECRET = "Secret"


@pytest.fixture(scope="module", params=URLS, ids=KINDS)
def town(request: pytest.FixtureRequest, newsroom_models: Any) -> Iterator[SimpleNamespace]:
    """Pubs, guests and visits: the Swan and Ann are there to be seen, and Ann's one visit to it."""
    database = newsroom_models.make_database(request.param, MODELS)
    with entered(Scope(None, database)):
        owner, hidden = Owner.objects.create(name="Owner"), Owner.objects.create(name=f"{SECRET} owner", shown=False)
        swan = Pub.objects.create(name="Swan", beer="Ale", owner=owner)
        crown = Pub.objects.create(name="Crown", beer="Ale", owner=hidden)
        secret = Pub.objects.create(name=f"{SECRET} pub", beer=f"{SECRET} beer", owner=owner, shown=False)
        ann, bob = Guest.objects.create(name="Ann"), Guest.objects.create(name="Bob")
        spy = Guest.objects.create(name=f"{SECRET} guest", shown=False)
        for guest, pub, shown in ((ann, swan, 1), (ann, crown, 0), (ann, secret, 1), (spy, swan, 1), (bob, swan, 0)):
            Visit.objects.create(guest=guest, pub=pub, shown=bool(shown))
        ann.friends.add(spy)
        Badge.objects.create(name=f"{SECRET} badge", guest=ann, shown=False)
        Badge.objects.create(name="Badge", guest=spy)
        for each in (swan, secret, spy):
            Note.objects.create(subject=each, text="Note")
    yield SimpleNamespace(database=database, swan=swan, crown=crown, secret=secret, ann=ann, spy=spy)
    database.drop()


def names(rows: Any) -> list[str]:
    return sorted(row.name for row in rows)


WAYS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "partners of one": (lambda town: names(town.swan.guests.all()), ["Ann"]),
    "partners of one, filtered": (lambda town: names(town.ann.pubs.filter(name__gt="")), ["Swan"]),
    "a condition on partners": (lambda town: names(Guest.objects.filter(pubs__name="Swan")), ["Ann"]),
    "a condition past a hidden row between": (lambda town: names(Guest.objects.filter(pubs=town.crown)), []),
    "a condition on a hidden partner": (lambda town: names(Guest.objects.filter(pubs=town.secret)), []),
    "no partner": (lambda town: names(Guest.objects.filter(pubs__isnull=True)), ["Bob"]),
    "partners counted": (
        lambda town: list(Guest.objects.annotate(n=Count("pubs")).values_list("name", "n")),
        [("Ann", 1), ("Bob", 0)],
    ),
    "totals over partners": (
        lambda town: Guest.objects.aggregate(n=Count("pubs"), f=Count("friends"), m=Max("pubs__beer")),
        {"n": 1, "f": 0, "m": "Ale"},
    ),
    "partners joined into a text": (
        lambda town: list(Guest.objects.annotate(s=StringAgg("pubs__name", ","), f=JSONArrayAgg("friends__name", default=[])).values_list("name", "s", "f")),
        [("Ann", "Swan", []), ("Bob", None, [])],
    ),
    "a total of what partners and their partners give": (
        lambda town: list(Owner.objects.annotate(n=Sum(Length("places__pub__beer") * Length("places__name"))).values_list("n")),
        [(12,)],
    ),
    "the filter of an aggregate": (lambda town: Guest.objects.aggregate(n=Count("pk", filter=Q(pubs__name__contains=SECRET))), {"n": 0}),
    "a window": (
        lambda town: list(Pub.objects.order_by("name").values_list("name", Window(Count("*")), Window(Lag("name"), order_by="name"), Window(Lead("beer"), order_by="name"))),
        [("Crown", 2, None, "Ale"), ("Swan", 2, "Crown", None)],
    ),
    "a condition on a window": (lambda town: names(Pub.objects.alias(n=Window(RowNumber(), order_by="-name")).filter(n=1)), ["Swan"]),
    "a window over groups": (
        lambda town: list(Guest.objects.values_list("pubs__name").annotate(n=Count("pk")).annotate(r=Window(Count("*"))).order_by("pubs__name")),
        [(None, 1, 2), ("Swan", 1, 2)],
    ),
    "a window over what partners give": (
        lambda town: list(Guest.objects.annotate(w=Window(Max("name"), order_by=Max("pubs__name"), frame=RowRange())).values_list("name", "w")),
        [("Ann", "Bob"), ("Bob", "Bob")],
    ),
    "totals of a slice, of groups and of windows": (
        lambda town: [
            Place.objects.order_by("-name")[:3].aggregate(m=Max("name")),
            Place.objects.values("shown").annotate(m=Max("name")).aggregate(m=Max("m"), n=Count("m")),
            Place.objects.annotate(r=Window(RowNumber(), order_by="-name")).filter(r=1).aggregate(m=Max("name"), r=Max("r")),
        ],
        [{"m": "Swan"}, {"m": "Swan", "n": 1}, {"m": "Swan", "r": 1}],
    ),
    "values of partners": (
        lambda town: list(Guest.objects.values_list("name", "pubs__name", "friends__name", "badge__name")),
        [("Ann", "Swan", None, None), ("Bob", None, None, None)],
    ),
    "groups by partners": (
        lambda town: sorted(Guest.objects.values_list("pubs__name").annotate(n=Count("pk")), key=str),
        [("Swan", 1), (None, 1)],
    ),
    "the other side of a one-to-one": (
        lambda town: hasattr(Guest.objects.select_related("badge").get(name="Ann"), "badge"),
        False,
    ),
    "a reference": (lambda town: [badge.guest for badge in Badge.objects.select_related("guest")], [None]),
    "a name across a reference": (lambda town: list(Badge.objects.values_list("guest__name", F("guest__name"))), [(None, None)]),
    "a condition across a reference": (lambda town: Badge.objects.filter(guest__name__contains=SECRET).count(), 0),
    "a prefetch": (
        lambda town: [names(each.known) for each in Guest.objects.prefetch_related(Prefetch("friends", to_attr="known"))],
        [[], []],
    ),
    "a sliced prefetch": (
        lambda town: [names(each.last) for each in Guest.objects.prefetch_related(Prefetch("pubs", Pub.objects.order_by("-name")[:1], to_attr="last"))],
        [["Swan"], []],
    ),
    "references to any model": (lambda town: sorted(str(note.subject) for note in Note.objects.all()), ["None", "None", f"{Pub.__name__} 1"]),
    "a child of a hidden parent": (lambda town: names(Pub.objects.all()), ["Crown", "Swan"]),
    "a field of a hidden parent": (lambda town: Pub.objects.filter(beer__contains=SECRET).exists(), False),
    "down to the child": (lambda town: list(Owner.objects.values_list("places__pub__beer", flat=True)), ["Ale"]),
    "aggregates down to the child": (
        lambda town: list(Owner.objects.annotate(m=Max("places__pub__beer"), n=Count("places__pub__guests")).values_list("m", "n")),
        [("Ale", 1)],
    ),
    "a union": (lambda town: names(Place.objects.filter(name="Swan").union(Place.objects.filter(name__contains=SECRET))), ["Swan"]),
    "a union of values": (lambda town: list(Owner.objects.values_list("name").union(Place.objects.values_list("owner__name"))), [(None,), ("Owner",)]),
    "either": (lambda town: names(Place.objects.filter(name="Swan") | Place.objects.filter(name__contains=SECRET)), ["Swan"]),
    "among": (lambda town: names(Owner.objects.filter(pk__in=Place.objects.filter(name__contains=SECRET).values("owner"))), []),
    "the first of each": (lambda town: names(Place.objects.order_by("-name").distinct("shown")), ["Swan"]),
    "in bulk": (lambda town: names(Pub.objects.in_bulk([town.swan.pk, town.secret.pk]).values()), ["Swan"]),
    "contains": (lambda town: Pub.objects.contains(town.secret), False),
    "by natural key": (lambda town: Place.objects.filter(name=f"{SECRET} pub").first(), None),
    "by hand": (lambda town: names(Place.objects.raw("SELECT id, name FROM town_place")), ["Crown", "Swan"]),
    "in chunks": (lambda town: names(Pub.objects.iterator(chunk_size=1)), ["Crown", "Swan"]),
    "a question inside": (
        lambda town: list(Owner.objects.values_list("name", Subquery(Place.objects.filter(owner=OuterRef("pk")).order_by("-name").values("name")[:1]))),
        [("Owner", "Swan")],
    ),
    "a question inside, of a hidden row": (
        lambda town: list(Badge.objects.values_list(Subquery(Guest.objects.filter(pk=OuterRef("guest")).values("name")[:1]), flat=True)),
        [None],
    ),
    "whether there is any": (lambda town: Owner.objects.filter(Exists(Place.objects.filter(owner=OuterRef("pk"), name__contains=SECRET))).count(), 0),
    "a name outside that is hidden": (lambda town: names(Place.objects.filter(Exists(Owner.objects.filter(name__lte=OuterRef("owner__name"))))), ["Swan"]),
    "a choice": (
        lambda town: list(Badge.objects.values_list(Case(When(guest__name__contains=SECRET, then=Value("seen")), default=Value("-")), flat=True)),
        ["-"],
    ),
    "a function": (lambda town: list(Badge.objects.values_list(Coalesce("guest__name", Value("-")), flat=True)), ["-"]),
    "a column on the right": (lambda town: names(Place.objects.filter(owner__name__startswith=F("owner__name"))), ["Swan"]),
    "a column on the right of partners": (lambda town: names(Guest.objects.filter(pubs__beer__contains=F("pubs__beer"))), ["Ann"]),
    "columns in a list": (lambda town: Badge.objects.filter(guest__name__in=[F("guest__name"), f"{SECRET} guest"]).count(), 0),
    "columns in a range": (lambda town: Badge.objects.filter(guest__name__range=(Value(""), F("guest__name"))).count(), 0),
    "one value of a question": (lambda town: Guest.objects.filter(name__lt=Guest.objects.order_by("-name").values("name")[:1]).count(), 1),
    "one value of hidden rows": (lambda town: Guest.objects.filter(name__lte=Guest.objects.filter(shown=False).values("name")).count(), 0),
    "SQL of the rows": (lambda town: list(Place.objects.values_list(RawSQL("upper(town_place.name)", ()), flat=True)), ["CROWN", "SWAN"]),
    "under a name that the condition uses": (lambda town: names(Place.objects.annotate(shown__exact=Value(True))), ["Crown", "Swan"]),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_reader_sees_no_more_by_way_of(town: Any, way: str) -> None:
    ask, seen = WAYS[way]
    with entered(Scope(None, town.database, READER)):
        assert ask(town) == seen


def test_what_one_viewer_loaded_is_not_shown_to_another(m: Any, newsroom: Any) -> None:
    """The same instances, first in an editor's hands, then in a reader's, and the other way round."""
    with entered(m.look(newsroom.database)):
        section, story = m.Section.objects.get(slug="section-1"), m.Story.objects.get(slug="story-4")
        author = m.Author.objects.select_related("profile").get(slug="author-0")
        edited = len(section.stories.all()), len(story.related(20)), len(author.stories.all())
    with entered(m.look(newsroom.database, READER)):
        again = (
            m.Section.objects.get(slug="section-1"),
            m.Story.objects.get(slug="story-4"),
            m.Author.objects.get(pk=author.pk),
        )
        for one, other, writer in ((section, story, author), again):
            shown = len(one.stories.all()), len(other.related(20)), len(writer.stories.all())
            assert (one.stories.count(), one.stories.all()[:20].count()) == (shown[0], shown[0])
            assert shown < edited and shown[0] == 5
    with entered(m.look(newsroom.database)):
        assert (len(section.stories.all()), len(story.related(20)), len(author.stories.all())) == edited


def test_what_was_loaded_in_one_language_is_not_shown_in_another(m: Any, newsroom: Any) -> None:
    newsroom.stories[4].translate("es", title="Cuatro")
    with entered(m.look(newsroom.database, READER)):
        section = m.Section.objects.get(slug="section-1")
        assert len(section.stories.all()) == 5
    with entered(m.look(newsroom.database, READER, locale="es")):
        assert [story.title for story in section.stories.all()] == ["Cuatro"]


def test_what_was_public_at_one_moment_is_asked_for_at_another(m: Any, newsroom: Any) -> None:
    later = Scope(None, newsroom.database, READER, "en", "en", m.NOON + timedelta(days=3))
    with entered(m.look(newsroom.database, READER)):
        section, stories = m.Section.objects.get(slug="section-1"), m.Story.objects.filter(weight=1)
        before = [story.slug for story in stories], len(section.stories.all())
    with entered(later):
        assert [story.slug for story in stories] == ["story-1", *before[0]]  # published a day after noon
        assert len(section.stories.all()) == before[1] + 1
