"""Models that inherit, composite keys and generic references. Never run: ``mypy --strict`` must accept every line."""

from __future__ import annotations

from typing import Any, assert_type

from toolkit import models
from toolkit.models import Count, Q, QuerySet, RelatedManager


class Dated(models.Model):
    day = models.DateField()
    comments = models.GenericRelation("Comment")

    class Meta:
        abstract = True
        ordering = ["-day", models.F("id").desc()]
        get_latest_by = ["day", "id"]
        default_related_name = "%(class)ss"


class Place(Dated):
    name = models.CharField(max_length=50)
    code = models.SlugField(unique=True)

    class Meta(Dated.Meta):
        permissions = [("move_place", "Can move a place")]
        natural_key = ["code"]


class Restaurant(Place):
    place_ptr = models.OneToOneField(Place, on_delete=models.CASCADE, parent_link=True, primary_key=True)
    seats = models.IntegerField(default=0)
    country = models.ForeignKey(
        "Country",
        on_delete=models.PROTECT,
        to_field="code",
        related_query_name="restaurant",
        limit_choices_to=Q(open=True),
        db_constraint=False,
        db_index=False,
    )


class BigQuerySet(models.QuerySet["Big"]):
    def crowded(self) -> BigQuerySet:
        return self.filter(seats__gte=100)


class BigManager(models.Manager["Big"]):
    def get_queryset(self) -> QuerySet[Big]:
        found: QuerySet[Big] = super().get_queryset().filter(seats__gte=10)
        return found


class Big(Restaurant):
    objects = BigManager()
    crowds = BigManager.from_queryset(BigQuerySet)()

    class Meta:
        proxy = True
        default_manager_name = "objects"
        base_manager_name = "objects"


class Country(models.Model):
    code = models.CharField(max_length=2, unique=True)
    neighbours = models.ManyToManyField("self", symmetrical=True, db_table="borders")


class Guest(models.Model):
    pk = models.CompositePrimaryKey("place", "number")
    place = models.ForeignKey(Place, on_delete=models.CASCADE)
    number = models.IntegerField()


class Team(models.Model):
    guests = models.ManyToManyField(
        Country, through="Membership", through_fields=("team", "country"), limit_choices_to={"code": "it"}
    )


class Comment(models.Model):
    content_type = models.ModelNameField()
    object_id = models.CharField(max_length=40)
    target = models.GenericForeignKey("content_type", "object_id")


def inherited(restaurant: Restaurant, big: Big) -> None:
    assert_type(restaurant.name, str)
    assert_type(restaurant.seats, int)
    assert_type(restaurant.place_ptr, Place)
    assert_type(Restaurant.objects.get(name="x"), Restaurant)
    assert_type(Big.objects.first(), Big | None)
    assert_type(Big.objects.get(pk=1).seats, int)
    assert_type(Restaurant.objects.filter(name="x").order_by("-seats"), QuerySet[Restaurant])
    for each in Big.objects.filter(seats=1):
        assert_type(each, Big)
    restaurant.pk = 3


def composite(guest: Guest) -> None:
    assert_type(Guest.objects.get(pk=(1, 2)), Guest)
    assert_type(Guest.objects.filter(pk__in=[(1, 2)]).first(), Guest | None)
    key: tuple[int, int] = guest.pk
    assert_type(key, tuple[int, int])


def generic(comment: Comment, place: Place, country: Country) -> None:
    comment.target = place
    target: Any = comment.target
    print(target)
    Comment.objects.filter(target=place, content_type=Place).annotate(n=Count("pk"))
    place.comments.create(object_id="x")
    country.neighbours.add(country, through_defaults={})
    country.neighbours.set([country], clear=True)
    assert_type(country.neighbours, RelatedManager[Any])
