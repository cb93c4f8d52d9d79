"""Models that inherit: from abstract ones, from ones with a table of their own, and proxies."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError, IntegrityError, ValidationError
from toolkit.models import Case, Count, F, Q, Value, When
from toolkit.models.resolve import resolve_models
from toolkit.models.states import capture
from toolkit.signals import rows_changed
from toolkit.trace import EDITOR, READER, Scope, entered

from .conftest import own_database
from .verifying import broken_by, read_by


class Place(models.Model):
    name = models.CharField(max_length=50, translated=True)
    address = models.CharField(max_length=80, blank=True)
    visible = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        get_latest_by = "name"
        public = Q(visible=True)

    def __str__(self) -> str:
        return self.name


class Restaurant(Place):
    seats = models.IntegerField(default=0)
    hosts = models.ManyToManyField("Host", related_name="restaurants")


class Trattoria(Restaurant):
    chef = models.CharField(max_length=20, blank=True)


class Bar(Place):
    place = models.OneToOneField(Place, on_delete=models.CASCADE, parent_link=True, related_name="as_bar")
    code = models.CharField(max_length=5, primary_key=True)


class BigQuerySet(models.QuerySet["Big"]):
    def get_queryset(self) -> Any:
        return self.filter(seats__gte=10)


class Big(Restaurant):
    objects = BigQuerySet.as_manager()

    class Meta:
        proxy = True
        ordering = ["-seats"]

    def shout(self) -> str:
        return self.name.upper()


class Host(models.Model):
    name = models.CharField(max_length=20)

    @property
    def called(self) -> str:
        return self.name

    @called.setter
    def called(self, name: str) -> None:
        self.name = name

    @property
    def loud(self) -> str:
        return self.name.upper()


class Event(models.Model):
    number = models.AutoField(primary_key=True)
    title = models.CharField(max_length=20, translated=True)


class Fair(Place, Event):
    """Two tables beside each other, and each has translations."""

    motto = models.CharField(max_length=20, translated=True, blank=True)


class Stall(models.Model):
    fair = models.ForeignKey(Fair, on_delete=models.CASCADE, related_name="stalls")


class Review(models.Model):
    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="reviews")
    stars = models.IntegerField(default=3)


class Booking(models.Model):
    restaurant = models.ForeignKey(Restaurant, on_delete=models.CASCADE, related_name="bookings")
    big = models.ForeignKey(Big, on_delete=models.CASCADE, null=True, related_name="parties")


MODELS = resolved({"town": [Place, Restaurant, Trattoria, Bar, Big, Host, Event, Fair, Stall, Review, Booking]})
shared_database = own_database(MODELS)


@pytest.fixture
def town(scope: Scope) -> SimpleNamespace:
    """A park, two restaurants, one of them big, and a trattoria."""
    park = Place.objects.create(name="Park")
    roma = Restaurant.objects.create(name="Roma", seats=4)
    verdi = Restaurant.objects.create(name="Verdi", seats=40)
    anna = Trattoria.objects.create(name="Anna", seats=12, chef="Anna")
    return SimpleNamespace(park=park, roma=roma, verdi=verdi, anna=anna, database=scope.database)


def declare(name: str, /, *bases: Any, **namespace: Any) -> Any:
    return type(models.Model)(name, bases or (models.Model,), {"__module__": "town", "__qualname__": name, **namespace})


def abstract(name: str, /, *bases: Any, **namespace: Any) -> Any:
    return declare(name, *bases, Meta=type("Meta", (), {"abstract": True}), **namespace)


# tables of their own


def test_a_child_is_a_parent_too(town: Any) -> None:
    assert [str(p) for p in Place.objects.all()] == ["Anna", "Park", "Roma", "Verdi"]
    assert all(type(p) is Place for p in Place.objects.all())
    assert list(Restaurant.objects.values_list("name", "seats")) == [("Anna", 12), ("Roma", 4), ("Verdi", 40)]
    assert town.anna.pk == town.anna.id == town.anna.place_ptr_id == town.anna.restaurant_ptr_id
    assert Trattoria.objects.get().restaurant_ptr.place_ptr == Place.objects.get(name="Anna")


def test_a_row_of_both_tables_is_loaded_by_one_statement(town: Any) -> None:
    with town.database.counted() as queries:
        found = Trattoria.objects.get(seats=12)
        assert (found.name, found.seats, found.chef) == ("Anna", 12, "Anna")
    assert len(queries) == 1


def test_the_parent_leads_to_the_child_if_there_is_one(town: Any) -> None:
    places = list(Place.objects.all())
    with town.database.counted() as queries:
        assert [hasattr(place, "restaurant") for place in places] == [True, False, True, True]
    assert len(queries) == 1
    assert places[0].restaurant.trattoria.chef == "Anna"
    with pytest.raises(Restaurant.DoesNotExist, match="<Place: Park> has no restaurant") as caught:
        _ = town.park.restaurant
    assert isinstance(caught.value, Place.DoesNotExist)


def test_inherited_fields_are_fields_everywhere(town: Any) -> None:
    assert Trattoria.objects.filter(name="Anna", seats__gt=10, chef__isnull=False).count() == 1
    assert [str(r) for r in Restaurant.objects.exclude(name="Roma").order_by("-name")] == ["Verdi", "Anna"]
    assert Restaurant.objects.latest().name == "Verdi"
    assert Restaurant.objects.values("id", "name").first() == {"id": town.anna.id, "name": "Anna"}
    assert set(Restaurant.objects.values()[0]) == {"id", "name", "address", "visible", "place_ptr_id", "seats"}
    assert [str(p) for p in Place.objects.filter(restaurant__seats__gt=5)] == ["Anna", "Verdi"]
    assert [str(p) for p in Place.objects.filter(restaurant__isnull=True)] == ["Park"]
    assert Place.objects.filter(restaurant__trattoria__chef="Anna").get() == Place.objects.get(name="Anna")


def test_fields_left_out_are_loaded_from_the_table_they_are_in(town: Any) -> None:
    found = list(Restaurant.objects.only("seats").order_by("seats"))
    assert {"name", "address"} <= found[0].get_deferred_fields() and "seats" not in found[0].get_deferred_fields()
    with town.database.counted() as queries:
        assert [r.name for r in found] == ["Roma", "Anna", "Verdi"]
    assert len(queries) == 1 and "town_place" in queries[0]
    assert [r.seats for r in Restaurant.objects.defer("seats", "name").order_by("name")] == [12, 4, 40]
    with town.database.counted() as queries:
        assert [r.seats for r in Restaurant.objects.only("seats").order_by("pk")] == [4, 40, 12]
    assert "town_place" not in queries[0]


def test_relations_to_the_parent_are_the_childs_too(town: Any) -> None:
    Review.objects.create(place=town.anna, stars=5)
    Review.objects.create(place=town.roma, stars=1)
    town.anna.reviews.create(stars=4)
    host = Host.objects.create(name="Leo")
    town.anna.hosts.add(host)
    assert [r.stars for r in Trattoria.objects.get().reviews.order_by("stars")] == [4, 5]
    assert [r.stars for r in Trattoria.objects.get().reviews.all()] == [5, 4]
    assert [h.name for h in Trattoria.objects.get().hosts.all()] == ["Leo"]
    assert [str(r) for r in host.restaurants.all()] == ["Anna"]
    assert [str(t) for t in Trattoria.objects.filter(hosts__name="Leo", reviews__stars=4)] == ["Anna"]
    assert list(Restaurant.objects.annotate(n=Count("reviews")).values_list("name", "n")) == [
        ("Anna", 2), ("Roma", 1), ("Verdi", 0),
    ]  # fmt: skip
    assert Review.objects.filter(place=town.anna).count() == 2
    assert Review.objects.filter(place__restaurant__seats__lt=5).get().stars == 1
    assert [str(r) for r in Restaurant.objects.prefetch_related("reviews", "hosts")] == ["Anna", "Roma", "Verdi"]


@pytest.mark.usefixtures("first_keys")
def test_a_key_to_a_child_reads_both_tables(town: Any) -> None:
    Booking.objects.create(restaurant=town.anna)
    with pytest.raises(FieldError, match=r"no Restaurant\. Not every Place is one\. Give .*Restaurant\.objects\.get\("):
        Booking.objects.filter(restaurant=Place.objects.get(pk=town.anna.pk)).exists()
    with pytest.raises(ValidationError, match=r"place_ptr: the values of this new Restaurant would be written over"):
        Restaurant(seats=3).place_ptr = Place.objects.create(name="Late")
    Booking.objects.create(restaurant=town.roma)
    with town.database.counted() as queries:
        found = [b.restaurant.name for b in Booking.objects.select_related("restaurant").order_by("pk")]
    assert found == ["Anna", "Roma"] and len(queries) == 1
    with town.database.counted() as queries:
        assert [b.restaurant.name for b in Booking.objects.order_by("pk")] == ["Anna", "Roma"]
    assert len(queries) == 2
    assert Booking.objects.filter(restaurant__name="Anna", restaurant__id=town.anna.id).count() == 1
    assert list(Booking.objects.values_list("restaurant__name", flat=True)) == ["Anna", "Roma"]
    assert [b.pk for b in Booking.objects.order_by("-restaurant__name")] == [2, 1]


def test_saving_writes_each_table(town: Any) -> None:
    anna = Trattoria.objects.get()
    anna.name, anna.seats, anna.chef = "Bruna", 13, "Bruna"
    anna.save()
    assert Place.objects.get(pk=anna.pk).name == "Bruna"
    assert Restaurant.objects.get(pk=anna.pk).seats == 13
    anna.name, anna.seats = "Carla", 14
    anna.save(update_fields=["name"])
    assert Trattoria.objects.values_list("name", "seats").get() == ("Carla", 13)
    anna.refresh_from_db()
    assert anna.seats == 13


def test_saving_is_all_or_nothing(town: Any) -> None:
    with pytest.raises(IntegrityError):
        Bar(name="Twice", code=None).save()
    Bar.objects.create(name="Once", code="once")
    with pytest.raises(IntegrityError):
        Bar.objects.create(name="Twice", code="once")
    assert not Place.objects.filter(name="Twice").exists()


def test_a_place_that_is_there_becomes_a_restaurant_and_keeps_what_it_has(town: Any) -> None:
    Place.objects.filter(pk=town.park.pk).update(address="Ring 1", visible=False)
    park = Place.objects.only("name").get(pk=town.park.pk)  # the rest is loaded when it is wanted
    made = Restaurant(place_ptr=park, name="New Park", seats=3)
    made.save()
    assert (made.pk, made.id) == (town.park.pk, town.park.pk)
    assert Place.objects.count() == 4
    assert Place.objects.get(pk=town.park.pk).restaurant.seats == 3
    assert Place.objects.values_list("name", "address", "visible").get(pk=town.park.pk) == ("New Park", "Ring 1", False)


def test_a_declared_link_and_key_of_ones_own(town: Any) -> None:
    bar = Bar.objects.create(name="Luce", code="luce")
    assert Bar._meta.pk.name == "code" and bar.pk == "luce" and bar.place_id == bar.id
    assert Place.objects.get(name="Luce").as_bar == bar
    assert Bar.objects.get(pk="luce").name == "Luce"
    Review.objects.create(place=bar, stars=2)
    assert [r.stars for r in Bar.objects.get().reviews.all()] == [2]
    assert Bar.objects.filter(reviews__stars=2, name="Luce").update(name="Lux") == 1
    assert bar.delete() == {"town.Bar": 1, "town.Review": 1, "town.Place": 1}


def test_an_insert_may_be_forced_into_the_tables_of_parents_too(town: Any) -> None:
    for kind, forced in ((Trattoria, Place), (Trattoria, models.Model), (Restaurant, Place), (Big, Place)):
        with pytest.raises(IntegrityError), town.database.atomic():
            kind(pk=town.park.pk, name="New").save(force_insert=(forced,))
    Big(pk=town.park.pk, name="New").save(force_insert=(Big,))
    town.park.delete()
    town.park = Place.objects.create(name="Park")
    Trattoria(pk=town.park.pk, name="New").save(force_insert=(Restaurant,))
    assert Trattoria.objects.get(pk=town.park.pk).name == "New"
    with town.database.counted() as queries:
        Restaurant(pk=77, name="Far").save(force_insert=(Place,))
    assert [query.split()[0] for query in queries if "town_" in query] == ["INSERT", "INSERT"]


def test_an_insert_is_forced_for_parents_alone(town: Any) -> None:
    for told in ((Bar,), [Place], Place, (Place, 3), 1):
        with pytest.raises(FieldError, match=r"that is no tuple of models that Restaurant inherits from\. Write True"):
            Restaurant(name="New").save(force_insert=told)


def test_many_are_inserted_at_once(town: Any) -> None:
    made = Trattoria.objects.bulk_create([Trattoria(name=f"T{n}", seats=n, chef=f"C{n}") for n in range(5)])
    assert [t.pk for t in made] == list(range(made[0].pk, made[0].pk + 5))
    assert list(Trattoria.objects.filter(name__startswith="T").values_list("name", "seats", "chef")) == [
        (f"T{n}", n, f"C{n}") for n in range(5)
    ]


def test_an_update_reaches_each_table_whatever_it_changes_first(town: Any) -> None:
    assert Trattoria.objects.filter(name="Anna", seats=12).update(name="Bruna", seats=13, chef="B") == 1
    assert Trattoria.objects.values_list("name", "seats", "chef").get() == ("Bruna", 13, "B")
    assert Restaurant.objects.update(seats=models.F("seats") + 1, address="Here") == 3
    assert list(Restaurant.objects.values_list("seats", "address")) == [(14, "Here"), (5, "Here"), (41, "Here")]


def test_an_update_of_several_tables_is_told_of_each_and_made_whole_or_not_at_all(town: Any) -> None:
    heard = []

    def hear(sender: Any, operation: str, keys: Any) -> None:
        heard.append((sender.__name__, operation, list(keys)))

    with town.database.receivers.connected(rows_changed, hear):
        Trattoria.objects.update(name="Bruna", chef="B")
    assert sorted(heard) == [(name, "update", [town.anna.pk]) for name in ("Place", "Trattoria")]
    with pytest.raises(IntegrityError):
        Trattoria.objects.update(name="Carla", restaurant_ptr=town.park.pk)
    assert Trattoria.objects.get().name == "Bruna"


def test_what_is_computed_of_a_field_in_another_table_of_the_model_is_refused(town: Any) -> None:
    of_seats = "'address' of Trattoria is in the table of Place, and cannot be computed of 'seats', .* of Restaurant"
    for value in (F("seats"), Case(When(seats__gt=1, then=Value("a")), default=F("name"))):
        with pytest.raises(FieldError, match=f"{of_seats}.*Load the rows, set the values in Python"):
            Trattoria.objects.update(address=value)
    with pytest.raises(FieldError, match=r"'chef' of Trattoria is in the table of Trattoria, and .* 'name'"):
        Trattoria.objects.update(chef=F("name"), seats=F("seats") + 1)
    town.anna.address = F("seats")
    for write in (town.anna.save, lambda: Trattoria.objects.bulk_update([town.anna], ["address"])):
        with pytest.raises(FieldError, match=of_seats):
            write()
    assert isinstance(town.anna.address, F)
    assert Trattoria.objects.update(seats=F("pk"), address=F("name")) == 1
    anna = Trattoria.objects.get()
    assert (anna.seats, anna.address) == (anna.pk, "Anna")


@pytest.mark.parametrize("model", [Place, Restaurant, Trattoria])
def test_a_row_goes_from_every_table(town: Any, model: Any) -> None:
    Review.objects.create(place=town.anna)
    Booking.objects.create(restaurant=town.anna)
    gone = model.objects.get(name="Anna").delete()
    assert gone == {f"town.{n}": 1 for n in ("Place", "Restaurant", "Trattoria", "Review", "Booking")}
    assert Place.objects.count() == 3 and not Trattoria.objects.exists()


def test_what_is_hidden_in_the_parent_is_hidden_in_the_child(town: Any) -> None:
    Booking.objects.create(restaurant=town.anna)
    Booking.objects.create(restaurant=town.roma)
    Place.objects.filter(name="Anna").update(visible=False)
    with entered(Scope(None, town.database, READER)):
        assert [str(r) for r in Restaurant.objects.all()] == ["Roma", "Verdi"]
        assert not Trattoria.objects.exists()
        assert [b.restaurant and b.restaurant.name for b in Booking.objects.order_by("pk")] == [None, "Roma"]
        found = Booking.objects.select_related("restaurant").order_by("pk")
        assert [b.restaurant and b.restaurant.name for b in found] == [None, "Roma"]
        assert Booking.objects.filter(restaurant__seats=12).count() == 0
        assert Place.objects.annotate(n=Count("restaurant__bookings")).values_list("name", flat=True)[0] == "Park"
        assert [str(r) for r in Big.objects.all()] == ["Verdi"]


def test_an_inherited_field_is_shown_in_the_locale(town: Any) -> None:
    town.anna.translate("it", name="Da Anna")
    with entered(Scope(None, town.database, EDITOR, "it", "en")):
        assert [r.name for r in Restaurant.objects.all()] == ["Da Anna", "Roma", "Verdi"]
        assert Trattoria.objects.get(name="Da Anna").shown_locale == "it"
        assert Restaurant.objects.get(name="Roma").shown_locale == "en"
        assert [b.name for b in Big.objects.all()] == ["Verdi", "Da Anna"]


def test_translations_of_several_parents_stand_side_by_side(town: Any) -> None:
    fair = Fair.objects.create(name="Market", title="Summer", motto="Come")
    made = Fair.objects.create(name="Other", title="Winter")
    Stall.objects.create(fair=fair)
    fair.translate("it", name="Mercato", title="Estate", motto="Vieni")
    made.translate("it", title="Inverno")
    every = {"name": "Mercato", "title": "Estate", "motto": "Vieni"}
    with entered(Scope(None, town.database, EDITOR, "it", "en")):
        assert Fair.objects.values(*every).get(**every) == every
        assert Stall.objects.filter(**{f"fair__{name}": value for name, value in every.items()}).count() == 1
        assert Fair.objects.filter(Q(name="Mercato") | Q(title="Inverno")).count() == 2
        assert [(f.name, f.title) for f in Fair.objects.order_by("title")] == [
            ("Mercato", "Estate"),
            ("Other", "Inverno"),
        ]
    told = {"translations__name": "Mercato", "event_translations__title": "Estate", "fair_translations__motto": "Vieni"}
    assert Fair.objects.filter(**told).get() == fair
    assert [(t.locale, t.title) for t in fair.event_translations.all()] == [("it", "Estate")]
    loaded = Fair.objects.prefetch_related("event_translations", "translations").order_by("pk")
    assert [(len(f.translations.all()), len(f.event_translations.all())) for f in loaded] == [(1, 1), (0, 1)]
    gone = fair.delete()
    assert {name: gone[f"town.{name}Translation"] for name in ("Place", "Event", "Fair")} == {
        "Place": 1,
        "Event": 1,
        "Fair": 1,
    }


def test_children_are_pickled_with_all_that_they_have(town: Any) -> None:
    copy = pickle.loads(pickle.dumps(Trattoria.objects.get()))
    assert copy == town.anna and (copy.name, copy.chef) == ("Anna", "Anna")
    assert copy != Place.objects.get(name="Anna")


# what was read


PAGES: dict[str, Callable[[], Any]] = {
    "list": lambda: [(r.name, r.seats) for r in Restaurant.objects.all()],
    "one": lambda: Trattoria.objects.get(chef="Anna").seats,
    "lean": lambda: [(r.seats, r.name) for r in Restaurant.objects.only("seats")],
    "from the parent": lambda: [p.restaurant.seats for p in Place.objects.filter(restaurant__isnull=False)],
    "filtered": lambda: Trattoria.objects.filter(name="Anna").count(),
    "proxy": lambda: [(b.name, b.seats) for b in Big.objects.all()],
    "related": lambda: [(b.restaurant.name, b.restaurant.seats) for b in Booking.objects.all()],
}
ALL_OF_THE_ROW = {"list", "one", "lean", "from the parent", "proxy", "related"}
EDITS: dict[str, set[str]] = {
    "UPDATE town_place SET name = 'Zoe' WHERE name = 'Anna'": {*ALL_OF_THE_ROW, "filtered"},
    "UPDATE town_restaurant SET seats = 13 WHERE seats = 12": ALL_OF_THE_ROW,
    "UPDATE town_place SET visible = FALSE WHERE name = 'Anna'": {*ALL_OF_THE_ROW, "filtered"},
    "UPDATE town_place SET address = 'x' WHERE name = 'Park'": set(),
    "UPDATE town_trattoria SET chef = 'Zoe'": {"one"},
}


@pytest.mark.parametrize("sql", EDITS)
def test_an_edit_of_either_table_breaks_the_pages_that_show_it(town: Any, scope: Scope, sql: str) -> None:
    Booking.objects.create(restaurant=town.anna)
    assert broken_by(scope.database, PAGES, sql) == EDITS[sql]


def test_the_footprint_has_the_columns_of_both_tables(town: Any, scope: Scope) -> None:
    trace = read_by(scope.database, lambda: list(Restaurant.objects.filter(seats__gt=1)))
    pairs = {tuple(pair) for shape in trace.shapes.values() for pair in shape.record()["footprint"]}
    assert pairs >= {("town_place", "id"), ("town_place", "name"), ("town_place", "visible")}
    assert pairs >= {("town_restaurant", "place_ptr_id"), ("town_restaurant", "seats")}
    assert set(capture(scope, ["town_restaurant"], {})["town_restaurant"].columns) == {"place_ptr_id", "seats"}


# proxies


def test_a_property_that_can_be_set_takes_a_value_of_a_new_row(town: Any) -> None:
    host, made = Host.objects.get_or_create(name="Ann", defaults={"called": "Anna"})
    assert made and Host.objects.get(pk=host.pk).name == "Anna"
    host, made = Host.objects.update_or_create({"called": "Bea"}, name="Anna")
    assert not made and Host.objects.get(pk=host.pk).name == "Bea"
    with pytest.raises(FieldError, match="Host has no field 'loud'"):
        Host(loud="ANN")


def test_a_proxy_shares_the_table(town: Any) -> None:
    assert Big._meta.table == "town_restaurant"
    assert [(type(b), b.shout()) for b in Big.objects.all()] == [(Big, "VERDI"), (Big, "ANNA")]
    assert Big.objects.get(name="Verdi") == Restaurant.objects.get(name="Verdi")
    assert Big.objects.contains(Restaurant.objects.get(name="Verdi"))
    assert Restaurant.objects.contains(Big.objects.get(name="Verdi"))
    assert not Big.objects.contains(Restaurant.objects.get(name="Roma"))
    assert {Big.objects.get(name="Verdi"), Restaurant.objects.get(name="Verdi")} == {town.verdi}
    made = Big.objects.create(name="Hall", seats=500)
    assert Restaurant.objects.get(name="Hall").pk == made.pk
    assert made.delete() == {"town.Restaurant": 1, "town.Place": 1}


def test_a_proxy_is_combined_with_the_model_whose_table_it_shares(town: Any) -> None:
    """The rows are those of the first, as in Django."""
    anna, every = Restaurant.objects.filter(name="Anna"), Big.objects.all()
    assert [(type(r), r.name) for r in anna.union(every).order_by("name")] == [
        (Restaurant, "Anna"),
        (Restaurant, "Verdi"),
    ]
    assert [(type(b), b.name) for b in every.intersection(anna)] == [(Big, "Anna")]
    assert [b.name for b in every.difference(anna)] == ["Verdi"]
    with pytest.raises(FieldError, match=r"Restaurant objects and Place objects are not the same kind of rows"):
        anna.union(Place.objects.all())


def test_a_proxy_has_the_relations_and_can_be_referred_to(town: Any) -> None:
    booking = Booking.objects.create(restaurant=Big.objects.get(name="Verdi"), big=town.verdi)
    assert type(Booking.objects.get().big) is Big
    assert Booking.objects.filter(big=town.verdi, big__seats=40).get() == booking
    assert Big.objects.get(name="Verdi").parties.get() == town.verdi.parties.get() == booking
    assert Restaurant.objects.get(parties=booking) == Restaurant.objects.prefetch_related("parties").get(name="Verdi")
    assert Big.objects.get(name="Verdi").bookings.get() == booking
    assert town.verdi.delete()["town.Booking"] == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: declare("P", Meta=type("Meta", (), {"proxy": True})), "must inherit from one model with a table"),
        (
            lambda: declare("P", Place, Meta=type("Meta", (), {"proxy": True}), x=models.IntegerField()),
            "P is a proxy and cannot have fields: x",
        ),
        (
            lambda: declare("P", Place, Meta=type("Meta", (), {"proxy": True, "abstract": True})),
            "abstract or a proxy, not both",
        ),
        (lambda: declare("P", Place, name=models.TextField()), "P.name would hide the field that P inherits from"),
        (
            lambda: declare("P", Place, link=models.OneToOneField(Place, on_delete=models.CASCADE)),
            "Add parent_link=True",
        ),
        (lambda: declare("P", Place, Review), "P.id would hide the field"),
    ],
)
def test_what_cannot_be_inherited_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        make()


# abstract parents


def test_fields_and_meta_of_abstract_parents() -> None:
    dated = declare(
        "Dated",
        day=models.DateField(),
        note=models.CharField(max_length=9, db_column="remark"),
        Meta=type("Meta", (), {"abstract": True, "ordering": ["day"], "get_latest_by": "day"}),
    )
    named = declare(
        "Named",
        name=models.CharField(max_length=5),
        note=models.TextField(),
        Meta=type("Meta", (), {"abstract": True, "verbose_name": "thing", "ordering": ["name"]}),
    )
    first = declare("First", dated, named)
    assert [field.name for field in first._meta.fields] == ["id", "day", "note", "name"]
    assert type(first._meta.by_name["note"]) is models.CharField and first._meta.by_name["note"].column == "remark"
    assert (first._meta.abstract, first._meta.ordering, first._meta.get_latest_by) == (False, ["day"], "day")
    both = declare("Both", dated, named, Meta=type("Meta", (dated.Meta, named.Meta), {}))
    assert (both._meta.ordering, both._meta.verbose_name, both._meta.abstract) == (["day"], "thing", False)
    own = declare("Own", dated, Meta=type("Meta", (dated.Meta,), {"ordering": ["-day"]}))
    assert (own._meta.ordering, own._meta.get_latest_by) == (["-day"], "day")
    bare = declare("Bare", dated, Meta=type("Meta", (), {"verbose_name": "x"}))
    assert (bare._meta.ordering, bare._meta.get_latest_by) == ([], None)


def test_an_inherited_field_is_overridden_or_removed() -> None:
    base = abstract("Base", name=models.CharField(max_length=5), note=models.TextField(), age=models.IntegerField())
    child = declare("Child", base, name=models.CharField(max_length=99), note=None, age=property(lambda self: 7))
    assert [field.name for field in child._meta.fields] == ["id", "name"]
    assert child._meta.by_name["name"].max_length == 99
    assert child(name="x").age == 7
    with pytest.raises(TypeError, match="Base is abstract and has no rows"):
        base(name="x")
    grandchild = declare("Grandchild", child.__bases__[0], note=None)
    assert "note" not in grandchild._meta.by_name and "note" in base._meta.by_name


def test_names_of_relations_and_constraints_are_made_for_each_child() -> None:
    unique = models.UniqueConstraint(fields=["host"], name="%(app_label)s_%(class)s_host")
    names = {"related_name": "%(app_label)s_%(class)s_set", "related_query_name": "%(class)ss"}
    base = declare(
        "Base",
        host=models.ForeignKey(Host, on_delete=models.CASCADE, **names),
        Meta=type("Meta", (), {"abstract": True, "constraints": [unique]}),
    )
    first, second = declare("First", base), declare("Second", base)
    _, problems = resolve_models({"town": [Host, first], "city": [second]})
    assert problems == []
    assert {"firsts", "seconds"} <= set(Host._meta.reverse)
    assert hasattr(Host, "town_first_set") and hasattr(Host, "city_second_set")
    assert [c.name for m in (first, second) for c in m._meta.constraints] == ["town_first_host", "city_second_host"]


def test_a_constraint_that_two_children_would_share_is_a_problem() -> None:
    options = {"abstract": True, "constraints": [models.UniqueConstraint(fields=["code"], name="one_code")]}
    base = declare("Base", code=models.CharField(max_length=5), Meta=type("Meta", (), options))
    _, problems = resolve_models({"a": [declare("First", base), declare("Second", base)]})
    assert [p.message for p in problems] == ["a.Second and a.First both have a constraint or index named 'one_code'"]


def test_default_related_name() -> None:
    options = {"default_related_name": "%(class)ss"}
    host = declare("Owner", name=models.CharField(max_length=5))
    dog = declare("Dog", owner=models.ForeignKey(host, on_delete=models.CASCADE), Meta=type("Meta", (), options))
    resolve_models({"a": [host, dog]})
    assert host.dogs.declared is dog._meta.by_name["owner"] and list(host._meta.reverse) == ["dogs"]


def test_an_abstract_child_of_a_table_hands_it_on() -> None:
    base = abstract("Base", Place, extra=models.IntegerField(default=1))
    child = declare("Child", base)
    assert [f.name for f in child._meta.local_fields] == ["place_ptr", "extra"]
    assert list(child._meta.parents) == [Place] and child._meta.ordering == ["name"]
    with pytest.raises(AttributeError, match="Base is abstract"):
        _ = base.objects
