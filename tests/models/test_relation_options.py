"""The options of relations: keys to unique fields, tables between, symmetry, and what may be chosen."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError, IntegrityError, ProtectedError, ValidationError
from toolkit.models import Count, Exists, F, OuterRef, Q
from toolkit.models.resolve import resolve_models
from toolkit.signals import post_save
from toolkit.trace import READER, Scope, Trace, entered

from .conftest import own_database
from .verifying import broken


class Country(models.Model):
    code = models.CharField(max_length=2, unique=True)
    name = models.CharField(max_length=20)
    open = models.BooleanField(default=True)

    class Meta:
        public = Q(open=True)


class Person(models.Model):
    name = models.CharField(max_length=20)
    country = models.ForeignKey(
        Country,
        on_delete=models.CASCADE,
        to_field="code",
        related_name="people",
        related_query_name="person",
        null=True,
    )
    home = models.ForeignKey(
        Country,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        limit_choices_to={"open": True},
        db_constraint=False,
        db_index=False,
    )
    friends = models.ManyToManyField("self")
    idols = models.ManyToManyField(
        "self", symmetrical=False, related_name="fans", db_table="idolatry", db_constraint=False
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    name = models.CharField(max_length=20)
    members = models.ManyToManyField(
        Person, through="Membership", through_fields=("team", "person"), related_name="teams"
    )


class Membership(models.Model):
    team = models.ForeignKey(Team, on_delete=models.CASCADE)
    person = models.ForeignKey(Person, on_delete=models.CASCADE)
    inviter = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="invited")
    role = models.CharField(max_length=10, default="member")


class Passport(models.Model):
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="passport")
    number = models.CharField(max_length=9, primary_key=True)


class Visa(models.Model):
    passport = models.ForeignKey(Passport, on_delete=models.CASCADE)
    country = models.ForeignKey(Country, on_delete=models.PROTECT, to_field="code")


class Depot(models.Model):
    code = models.CharField(max_length=2, unique=True, null=True)


class Van(models.Model):
    depot = models.ForeignKey(Depot, models.CASCADE, to_field="code", null=True, related_name="vans")


class Embassy(models.Model):
    """Its key is a reference."""

    country = models.OneToOneField(Country, models.CASCADE, primary_key=True)
    rooms = models.IntegerField(default=1)


class Clerk(models.Model):
    embassy = models.ForeignKey(Embassy, models.CASCADE, related_name="clerks")
    name = models.CharField(max_length=20)


MODELS = resolved({"world": [Country, Person, Team, Membership, Passport, Visa, Depot, Van, Embassy, Clerk]})
shared_database = own_database(MODELS)


@pytest.fixture
def world(scope: Scope) -> SimpleNamespace:
    it, fr = Country.objects.create(code="it", name="Italy"), Country.objects.create(code="fr", name="France")
    ann, bob, cid = (Person.objects.create(name=name, country=it) for name in ("Ann", "Bob", "Cid"))
    return SimpleNamespace(it=it, fr=fr, ann=ann, bob=bob, cid=cid, database=scope.database)


def names(rows: Any) -> list[str]:
    return [row.name for row in rows]


# keys to a unique field


def test_a_key_to_a_unique_field_holds_its_value(world: Any) -> None:
    assert (world.ann.country_id, Person.objects.get(name="Ann").country_id) == ("it", "it")
    with world.database.counted() as queries:
        assert names(p.country for p in Person.objects.all()) == ["Italy"] * 3
    assert len(queries) == 2
    assert Person.objects.select_related("country")[0].country == world.it
    assert names(world.it.people.all()) == names(Person.objects.filter(country=world.it)) == ["Ann", "Bob", "Cid"]
    assert names(world.it.people.filter(name="Ann")) == ["Ann"]
    assert Person.objects.filter(country="it").count() == Person.objects.filter(country_id="it").count() == 3
    assert Person.objects.filter(country__code="it", country__name="Italy").count() == 3
    assert Person.objects.filter(country__pk=world.it.pk).count() == 3
    assert Person.objects.filter(country__in=[world.it, "fr"]).count() == 3
    assert names(Country.objects.filter(person__name="Ann")) == ["Italy"]
    assert Country.objects.annotate(n=Count("person")).order_by("code").values_list("code", "n")[1] == ("it", 3)
    assert list(Person.objects.order_by().values_list("country__name", "country").distinct()) == [("Italy", "it")]


def test_a_key_to_a_unique_field_does_not_look_at_the_other_table_for_it(world: Any) -> None:
    with world.database.counted() as queries:
        assert Person.objects.filter(country__code="it").exists()
    assert "world_country" not in queries[0]


@pytest.mark.usefixtures("first_keys")
def test_paths_go_on_along_a_key_that_is_a_reference(world: Any) -> None:
    embassy = Embassy.objects.create(country=world.it)
    clerk = Clerk.objects.create(embassy=embassy, name="Dan")
    for condition in (
        {"embassy__country__name__startswith": "It"},
        {"embassy__country__pk": world.it.pk},
        {"embassy__country": world.it},
        {"embassy__country__in": Country.objects.filter(name="Italy")},
        {"embassy__country__person__name": "Ann"},
        {"embassy": embassy},
        {"embassy__pk": embassy},
        {"embassy__country__embassy__rooms": 1},
    ):
        assert Clerk.objects.filter(**condition).get() == clerk
        assert not Clerk.objects.exclude(**condition).exists()
    assert Embassy.objects.get(pk=embassy) == Embassy.objects.get(pk__in=[embassy]) == embassy
    assert Clerk.objects.order_by("embassy__country__name").values_list("embassy__country__name")[0] == ("Italy",)
    assert Clerk.objects.annotate(where=F("embassy__country__code")).get().where == "it"
    assert Country.objects.get(embassy__clerks__name="Dan") == world.it
    world.it.open = False
    world.it.save()
    with entered(Scope(None, world.database, READER)):
        assert not Clerk.objects.filter(embassy__country__name="Italy").exists()


def test_nothing_refers_to_a_row_that_has_no_value_to_refer_to(scope: Any) -> None:
    depots = [Depot.objects.create(code=code) for code in (None, "A", None)]
    van = Van.objects.create(depot=depots[1])
    Van.objects.create(depot=None)
    for rows in (Depot.objects.order_by("pk"), Depot.objects.order_by("pk").prefetch_related("vans")):
        assert [list(depot.vans.all()) for depot in rows] == [[], [van], []]
    assert [(depot.vans.count(), depot.vans.filter(pk__gt=0).exists()) for depot in depots] == [
        (0, False),
        (1, True),
        (0, False),
    ]
    for write in (
        lambda vans: vans.add(van),
        lambda vans: vans.create(),
        lambda vans: vans.clear(),
        lambda vans: vans.set([]),
    ):
        with pytest.raises(ValidationError, match=r"Depot\.vans: <Depot: Depot 1> has no code, which they refer to"):
            write(depots[0].vans)
    with pytest.raises(ValidationError, match=r"Depot\.vans: the Depot has no key yet"):
        Depot().vans.all()
    assert Van.objects.filter(depot=None).count() == 1


def test_an_object_whose_key_is_a_text_may_be_given_it_after_it_was_assigned(world: Any) -> None:
    spain = Country(name="Spain")
    eve = Person(name="Eve", country=spain)
    spain.code = "es"
    spain.save()
    eve.save()
    assert Person.objects.get(name="Eve").country == spain


def test_a_queryset_is_compared_with_what_a_key_to_a_unique_field_holds(world: Any) -> None:
    world.cid.country = world.fr
    world.cid.save()
    italy = Country.objects.filter(name="Italy")
    assert names(Person.objects.filter(country__in=italy)) == ["Ann", "Bob"]
    assert names(Person.objects.exclude(country__in=italy)) == ["Cid"]
    assert names(Person.objects.filter(country=italy[:1])) == ["Ann", "Bob"]
    assert names(Person.objects.filter(country__pk__in=italy)) == ["Ann", "Bob"]
    assert Person.objects.filter(country__in=Country.objects.all()[0:0]).count() == 0
    inside = Country.objects.filter(code=OuterRef("country"))
    assert Person.objects.filter(Exists(inside)).count() == 3
    with pytest.raises(FieldError, match="int cannot be compared with str"):
        Person.objects.filter(Exists(Country.objects.filter(pk=OuterRef("country")))).count()


def test_writing_through_a_key_to_a_unique_field(world: Any) -> None:
    world.fr.people.add(world.bob)
    assert world.bob.country_id == "fr" and world.fr.people.get() == world.bob
    world.fr.people.add(world.cid.pk)
    assert names(world.fr.people.all()) == ["Bob", "Cid"]
    world.fr.people.set([world.cid])
    assert (Person.objects.get(name="Bob").country_id, names(world.fr.people.all())) == (None, ["Cid"])
    made = world.fr.people.create(name="Dee")
    assert made.country_id == "fr"
    world.ann.country = world.fr
    world.ann.save()
    assert names(world.fr.people.all()) == ["Ann", "Cid", "Dee"]
    Person.objects.filter(name="Ann").update(country=world.it)
    assert Person.objects.get(name="Ann").country == world.it
    Visa.objects.create(passport=Passport.objects.create(person=world.cid, number="1"), country=world.fr)
    with pytest.raises(ProtectedError, match=r"Visa\.country"):
        world.fr.delete()
    assert world.it.delete() == {"world.Person": 1, "world.Country": 1}


def test_a_trace_of_a_key_to_a_unique_field(world: Any, scope: Any) -> None:
    with entered(Scope(None, scope.database, READER, trace=Trace())) as reading:
        assert names(p.country for p in Person.objects.all()) == ["Italy"] * 3
        assert len(world.it.people.all()) == 3
    asking = Scope(None, scope.database, READER)

    assert broken(asking, reading.trace) == []
    scope.database.execute("UPDATE world_country SET name = 'Italia' WHERE code = 'it'")
    assert set(broken(asking, reading.trace)) == {"row"}
    scope.database.execute("UPDATE world_country SET open = FALSE WHERE code = 'it'")
    assert set(broken(asking, reading.trace)) == {"query", "row"}


def test_a_field_to_refer_to_has_to_be_unique() -> None:
    place = declare("Place", name=models.CharField(max_length=5))
    shop = declare("Shop", place=models.ForeignKey(place, on_delete=models.CASCADE, to_field="name"))
    found = resolve_models({"a": [place, shop]})[1]
    assert [f"{p.message}. {p.hint}" for p in found] == [
        "a.Shop.place: to_field = 'name' is not unique, so it does not tell one row. Give Place.name unique=True."
    ]
    shop = declare("Shop", place=models.ForeignKey(place, on_delete=models.CASCADE, to_field="nam"))
    assert "Place has no field 'nam'" in str(resolve_models({"a": [place, shop]})[1][0])


# what the database knows


def test_a_reference_that_the_database_does_not_check(world: Any) -> None:
    person = Person.objects.create(name="Eve", home_id=999)
    assert Person.objects.get(pk=person.pk).home is None
    with pytest.raises(IntegrityError), world.database.atomic():
        Person.objects.create(name="Eve", country_id="xx")
    table = world.database.schema.table(Person)
    assert [c.name for c in table.columns if c.foreign_keys] == ["country_id"]
    indexed = {column.name for index in table.indexes for column in index.columns}
    assert indexed == {"country_id"}


def test_the_key_of_a_partner_is_what_the_link_says(world: Any, scope: Any) -> None:
    """The partners' table is joined for more than their key, as in Django: a link that leads nowhere has a key, too."""
    world.ann.idols.set([world.bob, world.cid])
    world.bob.idols.add(world.cid)
    Person.idols.through.objects.create(from_person=world.bob, to_person_id=999)
    everybody = Person.objects.order_by("pk")
    idols = Person.objects.order_by().values_list("idols")
    by_key = [
        (lambda: everybody.filter(idols=world.bob).values_list("name", flat=True), ["Ann"]),
        (lambda: everybody.filter(idols__in=[world.bob, 999]).values_list("name", flat=True), ["Ann", "Bob"]),
        (lambda: everybody.exclude(idols=999).values_list("name", flat=True), ["Ann", "Cid"]),
        (lambda: everybody.filter(idols__pk__gt=998).values_list("name", flat=True), ["Bob"]),
        (lambda: everybody.filter(idols=None).values_list("name", flat=True), ["Cid"]),
        (lambda: everybody.annotate(n=Count("idols")).values_list("n", flat=True), [2, 2, 0]),
        (lambda: sorted(everybody.filter(name="Bob").values_list("idols", flat=True)), [world.cid.pk, 999]),
        (lambda: [n for key, n in idols.annotate(n=Count("pk")) if key == 999], [1]),
        (lambda: [everybody.aggregate(n=Count("idols"))["n"]], [4]),
    ]
    with entered(Scope(None, scope.database, READER, trace=Trace())) as reading:
        for number, (ask, found) in enumerate(by_key):
            with scope.database.counted() as queries:
                assert list(ask()) == found, number
            assert "world_person AS" not in queries[-1].replace("`", "")
    asking = Scope(None, scope.database, READER)
    scope.database.execute("DELETE FROM idolatry WHERE to_person_id = 999")
    assert len(broken(asking, reading.trace)) == 7  # all but those of Bob and of nobody

    more = everybody.filter(name="Bob").values_list("idols", "idols__name")
    Person.idols.through.objects.create(from_person=world.bob, to_person_id=999)
    assert sorted(more) == [(world.cid.pk, "Cid"), (999, None)]
    assert names(everybody.filter(idols__in=[999], idols__name__gte="")) == []


def test_what_may_be_chosen_is_limited(world: Any) -> None:
    closed = Country.objects.create(code="xx", name="Nowhere", open=False)
    Person(name="A", home=world.it, country=world.it).full_clean()
    with pytest.raises(ValidationError, match=r"Country .* cannot be chosen"):
        Person(name="A", home=closed, country=world.it).full_clean()
    field = Person._meta.by_name["home"]
    assert names(field.limited(Country.objects.order_by("code"))) == ["France", "Italy"]


# tables between


def test_through_fields_say_which_keys_are_meant(world: Any) -> None:
    team = Team.objects.create(name="Reds")
    team.members.add(world.ann, through_defaults={"role": lambda: "captain", "inviter": world.bob})
    team.members.add(world.ann, world.bob)
    assert names(team.members.all()) == ["Ann", "Bob"]
    assert list(Membership.objects.order_by("pk").values_list("role", "inviter__name")) == [
        ("captain", "Bob"), ("member", None),
    ]  # fmt: skip
    assert names(world.ann.teams.all()) == names(Team.objects.filter(members__name="Ann")) == ["Reds"]
    team.members.set([world.bob, world.cid], through_defaults={"role": "new"})
    assert list(Membership.objects.order_by("pk").values_list("person__name", "role")) == [
        ("Bob", "member"), ("Cid", "new"),
    ]  # fmt: skip
    team.members.set([world.bob], clear=True, through_defaults={"role": "again"})
    assert list(Membership.objects.values_list("person__name", "role")) == [("Bob", "again")]
    team.members.create(name="Zed", through_defaults={"role": "cook"})
    assert Membership.objects.get(role="cook").person.name == "Zed"
    team.members.clear()
    assert not Membership.objects.exists() and Person.objects.filter(name="Zed").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"through": "Between"}, "Between has several foreign keys to Item: item, rival"),
        (
            {"through": "Between", "through_fields": ("shop", "nothing")},
            "through_fields: Between has no field 'nothing'",
        ),
        ({"through": "Alone"}, "Alone has no foreign key to Shop"),
        ({"through_fields": ("a", "b")}, "through_fields names fields of the table between"),
        ({"through": "Between", "db_table": "x"}, "db_table names the table between"),
        ({"null": True}, "has no column to be unique, translated, null"),
    ],
)
def test_a_table_between_that_is_not_clear_is_a_problem(options: dict[str, Any], told: str) -> None:
    def key(to: str, **more: Any) -> Any:
        return models.ForeignKey(to, on_delete=models.CASCADE, **more)

    def problems() -> list[str]:
        item = declare("Item")
        shop = declare("Shop", items=models.ManyToManyField("Item", **options))
        between = declare("Between", shop=key("Shop"), item=key("Item"), rival=key("Item", related_name="+"))
        alone = declare("Alone", item=key("Item"))
        return [
            f"{problem.message}. {problem.hint}" for problem in resolve_models({"a": [item, shop, between, alone]})[1]
        ]

    try:
        found = problems()
    except DeclarationError as error:
        found = [str(error)]
    assert len(found) == 1 and told in found[0]


def test_friends_are_friends_of_each_other(world: Any) -> None:
    world.ann.friends.add(world.bob, world.cid)
    assert names(world.bob.friends.all()) == ["Ann"]
    assert names(Person.objects.filter(friends__name="Ann")) == ["Bob", "Cid"]
    world.bob.friends.remove(world.ann)
    assert names(world.ann.friends.all()) == ["Cid"]
    world.ann.friends.set([world.bob])
    assert names(world.bob.friends.all()) == ["Ann"] and not world.cid.friends.exists()
    world.ann.friends.add(world.ann)
    assert names(world.ann.friends.all()) == ["Ann", "Bob"]
    world.ann.friends.clear()
    assert not world.bob.friends.exists() and not world.ann.friends.exists()
    assert [p.friends.count() for p in Person.objects.annotate(n=Count("friends"))] == [0, 0, 0]
    with pytest.raises(FieldError, match="has no field 'person'"):
        Person.objects.filter(person=1)


def test_idols_need_not_know_their_fans(world: Any) -> None:
    world.ann.idols.add(world.bob)
    assert names(world.bob.fans.all()) == ["Ann"] and not world.bob.idols.exists()
    assert names(Person.objects.filter(fans=world.ann)) == ["Bob"]
    assert "idolatry" in world.database.table_names()


# one to one, and sets of rows


def test_the_other_side_of_one_to_one(world: Any) -> None:
    Passport.objects.create(person=world.ann, number="A1")
    found = list(Person.objects.all())
    with world.database.counted() as queries:
        assert [hasattr(p, "passport") for p in found] == [True, False, False]
        assert found[0].passport.person_id == found[0].pk
    assert len(queries) == 1
    assert names(Person.objects.filter(passport__number="A1")) == ["Ann"]
    assert names(Person.objects.filter(passport__isnull=True)) == ["Bob", "Cid"]


def test_related_sets_find_or_make_rows(world: Any) -> None:
    found, created = world.it.people.get_or_create(name="Ann")
    assert (found, created) == (world.ann, False)
    made, created = world.fr.people.get_or_create(name="Ann")
    assert created and made.country == world.fr
    changed, created = world.fr.people.update_or_create({"home": world.it}, name="Ann")
    assert (changed.pk, created, changed.home_id) == (made.pk, False, world.it.pk)
    team = Team.objects.create(name="Reds")
    new, created = team.members.get_or_create(name="Yan")
    assert created and team.members.get() == new
    assert team.members.get_or_create(name="Yan") == (new, False)
    team.members.get_or_create(name="Zoe", through_defaults={"role": "cook"})
    team.members.update_or_create({"home": world.it}, name="Zed", through_defaults={"role": "guard"})
    team.members.update_or_create({"home": world.fr}, name="Zed", through_defaults={"role": "late"})
    assert list(Membership.objects.order_by("pk").values_list("role", flat=True)) == ["member", "cook", "guard"]
    assert team.members.get(name="Zed").home == world.fr
    assert Person.teams.through is Membership
    world.it.people.add(Person(name="New"), bulk=False)
    assert Person.objects.get(name="New").country_id == "it"
    with pytest.raises(ValidationError, match="unsaved object cannot be added"):
        world.it.people.add(Person(name="Newer"))


def test_partners_by_key_may_be_saved_one_by_one(world: Any) -> None:
    """So that whoever listens is told of each: ``bulk=False``."""
    told: list[str] = []
    people = world.it.people
    ann, bob, cid = world.ann, world.bob, world.cid
    people.set([ann, bob])
    cid.refresh_from_db()
    hear = world.database.receivers.connected(post_save, lambda instance: told.append(instance.name), sender=Person)
    with hear:
        people.set([bob, cid, Person(name="New")], bulk=False)
        assert (told, names(people.all())) == (["Ann", "Cid", "New"], ["Bob", "Cid", "New"])
        people.remove(bob, bulk=False)
        people.clear(bulk=False)
        assert (told[3:], names(people.all())) == (["Bob", "Cid", "New"], [])
    people.set([ann.pk, ann], clear=True, bulk=False)
    assert names(people.all()) == ["Ann"] and ann.country_id == "it"
    with pytest.raises(ValidationError, match="unsaved object cannot be added"):
        people.set([Person(name="Newer")])


def test_an_instance_that_is_set_sets_the_key(world: Any) -> None:
    person = Person(name="P")
    person.country = world.it
    assert person.country_id == "it"
    person.country_id = "fr"
    assert person.country == world.fr
    later = Country(code="zz", name="Later")
    person.home = later
    with pytest.raises(IntegrityError, match=r"Person\.home refers to an unsaved Country"):
        person.save()
    later.save()
    person.save()
    assert Person.objects.get(name="P").home == later


def declare(name: str, /, **namespace: Any) -> Any:
    return type(models.Model)(name, (models.Model,), {"__module__": "a", "__qualname__": name, **namespace})


READS: dict[str, Callable[[], Any]] = {
    "symmetrical": lambda: [[f.name for f in p.friends.all()] for p in Person.objects.all()],
    "between": lambda: [[p.name for p in t.members.all()] for t in Team.objects.all()],
    "to field": lambda: [[p.name for p in c.people.all()] for c in Country.objects.all()],
}


@pytest.mark.parametrize("name", READS)
def test_relations_are_loaded_for_all_at_once(world: Any, name: str) -> None:
    for n in range(3):
        Team.objects.create(name=f"T{n}").members.add(world.ann)
    world.ann.friends.add(world.bob)
    with world.database.counted() as queries:
        READS[name]()
    assert len(queries) == 2
