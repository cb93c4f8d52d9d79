"""Whole databases: dumped, loaded, loaded again."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.serialization.world import (
    FORMATS,
    URLS,
    City,
    Country,
    Everything,
    Note,
    Place,
    Restaurant,
    Seat,
    Ticket,
    Topic,
    dumped,
    loaded,
    make,
)
from tests.servers import opened_apart
from tests.tables import resolved
from toolkit import models
from toolkit.errors import ContentError, Problems
from toolkit.models.schema import Schema
from toolkit.serialization import Loaded
from toolkit.trace import Scope, entered

TOPIC = {"slug": "a", "name": "A"}
NESTED = [kind for kind in FORMATS if kind != "csv"]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_what_could_not_be_loaded_is_not_dumped(scope: Scope, kind: str) -> None:
    odd = {
        "sqlite": {"integer": "'abc'", "small": "99999", "address": "'10.0.0.0/8'", "json": "'NaN'", "char": "x'ff00'"},
        "postgresql": {"float": "'NaN'", "decimal": "'NaN'", "address": "'10.0.0.0/8'"},
        "mysql": {"address": "'10.0.0.0/8'"},
    }
    row = Everything.objects.create(file="x")
    for name, value in odd[scope.database.dialect].items():
        scope.database.execute(f"UPDATE world_everything SET {name} = {value}")
        told = rf"world\.Everything\.{name} of row {row.pk} is .*, which could not be loaded again: "
        with pytest.raises(ContentError, match=told):
            dumped(scope, kind, models=[Everything])
        scope.database.execute(f"UPDATE world_everything SET {name} = NULL")


def test_rows_that_share_a_natural_key_are_not_dumped_by_it(world: SimpleNamespace, scope: Scope) -> None:
    twin = Topic.objects.create(slug="leaf", parent=world.root, name="Another")
    dumped(scope, models=[Topic])
    told = rf"world\.Topic: the rows {world.leaf.pk} and {twin.pk} have one natural key, \[{world.root.pk}, 'leaf'\]"
    with pytest.raises(ContentError, match=told):
        dumped(scope, models=[Topic], natural=True)


def test_keys_of_no_row_are_told(world: SimpleNamespace, scope: Scope) -> None:
    with pytest.raises(ContentError, match=r"^no world\.Topic row has the key -1\. Leave out"):
        dumped(scope, models=[Topic], pks=[world.leaf.pk, -1])
    with pytest.raises(ContentError, match=r"no world\.Seat rows have the keys \('A', 8\), \('A', 9\)"):
        dumped(scope, models=[Seat], pks=[("A", 8), ("A", 1), ("A", 9)])


def wrong(scope: Scope, text: str | bytes, kind: str = "jsonl", **options: Any) -> list[str]:
    """What is told of a text that cannot be loaded."""
    before = dumped(scope)
    with pytest.raises(Problems, match="found") as caught:
        loaded(scope, text, kind, **options)
    assert dumped(scope) == before
    return [str(problem) for problem in caught.value.problems]


def lines(*records: Any) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize("natural", [False, True])
@pytest.mark.parametrize("kind", NESTED)
def test_everything_comes_back_and_a_second_load_changes_nothing(
    world: SimpleNamespace, scope: Scope, clear: Callable[[], None], kind: str, natural: bool
) -> None:
    text = dumped(scope, kind, natural=natural)
    count = len(dumped(scope, natural=natural).splitlines())
    assert loaded(scope, text, kind) == Loaded(unchanged=count)

    clear()
    assert loaded(scope, text, kind) == Loaded(added=count)
    assert dumped(scope, kind, natural=natural) == text
    assert loaded(scope, text, kind) == Loaded(unchanged=count)
    assert City.objects.get().country.capital.name == "Lima"
    assert Ticket.objects.get().seat.padded is True
    assert Restaurant.objects.get().points == 50
    assert Note.objects.get().about == Restaurant.objects.get()


@pytest.mark.parametrize("model", [Topic, City, Seat, Restaurant, Note])
def test_one_table_in_csv(world: SimpleNamespace, scope: Scope, model: Any) -> None:
    for natural in (False, True):
        text = dumped(scope, "csv", models=[model], natural=natural)
        assert loaded(scope, text, "csv").unchanged == text.count("\nworld.")
        assert model.objects.exists()


def test_what_was_changed_since_is_set_back(world: SimpleNamespace, scope: Scope) -> None:
    text = dumped(scope)
    Topic.objects.filter(slug="leaf").update(name="Other")
    world.root.akin.clear()
    world.root.translate("es", name="Otra")
    City.objects.get().topics.set([world.leaf])
    Seat.objects.update(padded=False)
    assert loaded(scope, text).changed == 4
    assert dumped(scope) == text


def test_truth_and_one_are_two_values_in_json(world: SimpleNamespace, scope: Scope) -> None:
    text = dumped(scope, models=[Topic])
    assert loaded(scope, text.replace("[1, true, null]", "[1, 1, null]")).changed == 1
    assert Topic.objects.get(slug="root").facts["a"][1] is not True


def test_rows_may_come_before_what_they_refer_to(world: SimpleNamespace, scope: Scope, clear: Any) -> None:
    for natural in (False, True):
        text = dumped(scope, natural=natural)
        clear()
        loaded(scope, "".join(reversed(text.splitlines(keepends=True))))
        assert dumped(scope, natural=natural) == text


def test_only_new_rows_are_added(world: SimpleNamespace, scope: Scope) -> None:
    text = dumped(scope, models=[Topic], natural=True)
    Topic.objects.filter(slug="leaf").update(name="Other")
    more = {"model": "world.Topic", "fields": {"slug": "new", "parent": [["root"], "x"], "name": "New"}}
    more["fields"]["parent"] = [None, "root"]
    assert loaded(scope, text + lines(more), only_new=True) == Loaded(added=1, skipped=2)
    assert Topic.objects.get(slug="leaf").name == "Other"
    assert Topic.objects.get(slug="new").parent == world.root


def test_the_database_gives_keys_behind_those_that_were_loaded(scope: Scope) -> None:
    loaded(scope, lines({"model": "world.Place", "pk": 41, "fields": {"name": "Old"}}))
    assert Place.objects.create(name="New").pk > 41
    assert Place.objects.get(pk=41).stars == 3


def test_new_keys_keep_clear_of_those_in_the_file(scope: Scope) -> None:
    records = [{"model": "world.Place", "fields": {"name": f"Place {n}"}} for n in range(3)]
    loaded(scope, lines(*records, *({"model": "world.Place", "pk": n, "fields": {"name": "x"}} for n in (1, 2, 3))))
    assert Place.objects.count() == 6


def test_fields_that_a_record_does_not_name_are_left_alone(world: SimpleNamespace, scope: Scope) -> None:
    before = dumped(scope)
    text = dumped(scope, models=[Topic], fields=["slug"])
    assert "name" not in text and loaded(scope, text).unchanged == 2
    loaded(scope, dumped(scope, models=[Topic], fields=["slug", "facts"]))
    assert dumped(scope) == before


def test_a_dump_can_be_of_some_rows(world: SimpleNamespace, scope: Scope) -> None:
    text = dumped(scope, models=[Topic], pks=[world.leaf.pk])
    assert [json.loads(line)["pk"] for line in text.splitlines()] == [world.leaf.pk]


def test_a_dump_moves_from_database_to_database(world: SimpleNamespace, scope: Scope) -> None:
    Everything.objects.create(file="x", decimal="1.500", json={"b": 1.0, "a": None}, binary=b"\0\xff")
    text = dumped(scope)
    for url in [*URLS, URLS[0]]:
        other = make(url)
        with entered(Scope(None, other)) as there:
            loaded(there, text)
            assert dumped(there) == text
        other.drop()


# what is refused


def test_all_that_is_wrong_is_told_at_once(world: SimpleNamespace, scope: Scope) -> None:
    told = wrong(
        scope,
        lines({"model": "world.Toppic", "pk": 1, "fields": {}})
        + lines({"model": "world.Topic", "pk": 9, "fields": {"slugg": "a", "name": "x" * 51, "slug": None}})
        + "{\n"
        + lines({"model": "world.Place", "pk": "one", "fields": {"name": ["a"], "stars": 1e99}})
        + lines({"model": "world.Seat", "pk": ["A"], "fields": {}}, ["no record"])
        + lines({"model": "world.Topic", "pk": 1, "fields": {"parent": [1, 2, 3]}}),
    )
    assert [each.split(": ", 1)[0] for each in told] == [
        "rows.jsonl:1", "rows.jsonl:2:slugg", "rows.jsonl:2:name", "rows.jsonl:2:slug", "rows.jsonl:3:2",
        "rows.jsonl:4:name", "rows.jsonl:4:stars", "rows.jsonl:4:pk", "rows.jsonl:5:pk", "rows.jsonl:6",
    ]  # fmt: skip
    assert "Did you mean 'world.Topic'" in told[0]


def test_what_refers_to_nothing_is_told_together_with_the_rest(world: SimpleNamespace, scope: Scope) -> None:
    """But neither what refers to a row of the file that is wrong itself, nor what may refer to one without a key."""
    told = wrong(
        scope,
        lines({"model": "world.City", "pk": 50, "fields": {"name": "x" * 41, "country": 99, "topics": [98]}})
        + lines({"model": "world.City", "pk": 51, "fields": {"name": "Cusco", "country": 3, "twin": 50}})
        + lines({"model": "world.City", "pk": 7, "fields": {"name": "Lima", "country": 3, "twin": ["Lyma"]}})
        + lines({"model": "world.City", "pk": 52, "fields": {"name": "Lima", "country": 3, "topics": [97]}})
        + lines({"model": "world.Seat", "pk": ["B", "one"], "fields": {}})
        + lines({"model": "world.Ticket", "fields": {"seat_hall": "Z", "seat_number": 1}})
        + lines({"model": "world.Note", "fields": {"content_type": "world.Toppic", "object_id": "1", "text": ""}})
        + lines({"model": "world.Topic", "fields": TOPIC | {"parent": None}, "translations": {"es": {"nme": "A"}}}),
    )
    assert [each.removeprefix("rows.jsonl:") for each in told] == [
        "1:name: the text has 41 characters; at most 40 are allowed. Shorten it.",
        "5:pk: 'one' is not a whole number",
        "7:content_type: 'world.Toppic' is no model of this site. Did you mean 'world.Topic' or 'world.Ticket' or "
        "'world.Note'?",
        "8:nme: world.Topic.nme is not translated",
        "4:name: world.City: City with this name already exists. Nothing was written.",
        "1:topics: world.Topic 98 is not there, and 'topics' refers to it",
        "4:topics: world.Topic 97 is not there, and 'topics' refers to it",
        "1:country: world.Country 99 is not there, and 'country' refers to it",
    ]


def test_a_generic_reference_to_a_row_that_is_gone_is_noted(world: SimpleNamespace, scope: Scope) -> None:
    """No database keeps such references, and what is left of deleted rows has to come back."""
    note = {"model": "world.Note", "fields": {"content_type": "world.Topic", "object_id": str(world.root.pk)}}
    gone = [{**note, "fields": {**note["fields"], "object_id": key, "text": ""}} for key in ("0", "leaf")]
    later = {"model": "world.Note", "fields": {"content_type": "world.Guild", "object_id": "77", "text": ""}}
    strange = {"model": "world.Note", "fields": {"content_type": "shop.Cart", "object_id": "1", "text": ""}}
    note["fields"]["text"] = "kept"
    guild = {"model": "world.Guild", "pk": 77, "fields": {"title": "Weavers"}}
    text = lines(note, *gone, later, guild)
    done = loaded(scope, text + lines(strange), ignore_unknown=True)
    assert (done.added, done.notes) == (
        6,
        (
            "rows.jsonl:2:about: world.Topic '0' is not there, and 'about' refers to it",
            "rows.jsonl:3:about: world.Topic 'leaf' is not there, and 'about' refers to it",
        ),
    )
    (told,) = wrong(scope, text + lines(strange))
    assert told.startswith("rows.jsonl:6:content_type: 'shop.Cart' is no model of this site. ")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"parent": 99}}, "1:parent: world.Topic 99"),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"parent": ["no", "n"]}}, "1:parent: "),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"parent": [None, "n"]}}, "is not there"),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"parent": [None, "a\0"]}}, "1:parent: text may not"),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"parent": [2**70, "n"]}}, "1:parent: "),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"akin": [[2**70, "n"]]}}, "1:akin: "),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"akin": [99]}}, "1:akin: world.Topic 99"),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"akin": 1}}, "is no list"),
        ({"model": "world.Topic", "pk": 9, "fields": TOPIC | {"akin": [None]}}, "[None] is no list of keys"),
        ({"model": "world.Ticket", "fields": {}}, "seat_number is not given"),
        ({"model": "world.Country", "pk": 9, "fields": {"name": "Peru", "capital": 7}}, "1:name: "),
        ({"model": "world.Ticket", "fields": {"seat_hall": "Z", "seat_number": 1}}, "1:seat: world.Seat"),
        ({"model": "world.Seat", "fields": {"hall": "Z"}}, "has no key"),
        ({"model": "world.Place", "pk": 9, "fields": {"name": "A", "points": 1}}, "is computed by the database"),
        (
            {"model": "world.Ticket", "fields": {"seat": ["A", 1]}},
            "1:seat: world.Ticket.seat is of several fields. Name these: seat_hall, seat_number.",
        ),
        ({"model": "world.Note", "pk": 9, "fields": {"about": 1}}, "Name these: content_type, object_id."),
        (
            {"model": "world.Restaurant", "pk": 1, "fields": {"name": "Inn"}},
            "world.Restaurant.name stands in the records of world.Place. Write it there.",
        ),
        ({"model": "world.Restaurant", "pk": 99, "fields": {"dish": "Soup"}}, "world.Place 99 is not there"),
        (
            {"model": "world.Topic", "pk": 9, "fields": TOPIC, "translations": {"es": {"slug": "b"}}},
            "is not translated",
        ),
    ],
)  # fmt: skip
def test_rows_that_cannot_be(world: SimpleNamespace, scope: Scope, record: Any, expected: str) -> None:
    assert expected in "; ".join(wrong(scope, lines(record)))


def test_a_value_that_is_nested_too_deeply_is_told_with_its_line(scope: Scope) -> None:
    """The rows wait on disk, as pickles: those go less deep than what reads JSON, how deep depends on Python."""
    depth = next(depth for depth in (700, 5_000, 9_000) if not can_be_pickled(depth))
    text = lines({"model": "world.Topic", "pk": 1, "fields": TOPIC})
    text += '{"model": "world.Topic", "pk": 2, "fields": {"slug": "b", "name": "B", "akin": %s}}\n' % (
        "[" * depth + "]" * depth
    )
    assert wrong(scope, text) == ["rows.jsonl:2: a value is nested too deeply"]


def test_json_that_is_nested_deeper_than_mariadb_keeps_is_told_with_its_line(scope: Scope) -> None:
    facts: Any = {}
    for _ in range(31):
        facts = {"in": facts}
    told = wrong(scope, lines({"model": "world.Topic", "pk": 1, "fields": {**TOPIC, "facts": facts}}))
    assert told[0].startswith(
        "rows.jsonl:1:facts: lists and objects in JSON may not be nested more than 31 deep: in.in"
    )


def can_be_pickled(depth: int) -> bool:
    try:
        pickle.dumps(json.loads("[" * depth + "]" * depth))
    except RecursionError:
        return False
    return True


def test_a_row_that_stands_twice(scope: Scope) -> None:
    row = {"model": "world.Place", "pk": 1, "fields": {"name": "A"}}
    assert "stands twice" in wrong(scope, lines(row, row))[0]


def test_a_natural_key_that_several_rows_have_means_none_of_them(world: SimpleNamespace, scope: Scope) -> None:
    twin = Topic.objects.create(slug="leaf", parent=world.root, name="Another")
    leaf, both = (
        [[None, "root"], "leaf"],
        rf"world.Topic: the rows {world.leaf.pk} and {twin.pk} have one natural key, ",
    )
    told = wrong(
        scope,
        lines({"model": "world.Topic", "pk": 90, "fields": {**TOPIC, "parent": leaf, "akin": [leaf]}})
        + lines({"model": "world.Topic", "fields": {"slug": "leaf", "parent": [None, "root"], "name": "New"}}),
    )
    assert told == [
        f"rows.jsonl:1:parent: {both}{leaf}. Give the key of the one that is meant, or change the other.",
        f"rows.jsonl:2: {both}[{world.root.pk}, 'leaf']. Give the key of the one that is meant, or change the other.",
        f"rows.jsonl:1:akin: {both}{leaf}. Give the key of the one that is meant, or change the other.",
    ]
    twins = [{"model": "world.Topic", "pk": pk, "fields": {**TOPIC, "parent": None}} for pk in (91, 92)]
    told = wrong(scope, lines(*twins, {"model": "world.City", "pk": 7, "fields": {"topics": [[None, "a"]]}}))
    assert told[0].startswith("rows.jsonl:3:topics: world.Topic: the rows 91 and 92 have one natural key, [None, 'a']")


def test_all_that_is_wrong_with_translations_is_told_beside_the_rest(scope: Scope) -> None:
    topic = {"model": "world.Topic", "pk": 9, "fields": {**TOPIC, "slug": None}}
    name = {"name": "x" * 51, "slug": "b"}
    told = wrong(
        scope,
        lines({**topic, "translations": {"es": name, "e" * 36: {}, "": {}}})
        + lines({"model": "world.Place", "pk": 1, "fields": {"name": "A"}, "translations": {"es": {"name": "B"}}}),
    )
    assert [each.removeprefix("rows.jsonl:").partition(". ")[0] for each in told] == [
        "1:slug: world.Topic.slug cannot be NULL",
        "1:name (es): the text has 51 characters; at most 50 are allowed",
        "1:slug: world.Topic.slug is not translated",
        "1:translations: the text has 36 characters; at most 35 are allowed",
        "1:translations: '' is no locale",
        "2:translations: world.Place has no translated field",
    ]


def test_a_record_that_says_two_things_of_one_field(scope: Scope) -> None:
    """As ``pk`` and among its fields, or by the name of a reference and by that of its column."""
    place = {"model": "world.Place", "pk": 1, "fields": {"id": 2, "name": "A"}}
    assert wrong(scope, lines(place)) == [
        "rows.jsonl:1:pk: world.Place.id is 2 and 1: the record says both. Keep the one that is right, in one place."
    ]
    seat = {"model": "world.Seat", "pk": ["A", 1], "fields": {"number": 2}}
    assert "world.Seat.number is 2 and 1" in wrong(scope, lines(seat))[0]
    topic = {"model": "world.Topic", "pk": 1, "fields": {**TOPIC, "parent": 1, "parent_id": 2}}
    assert ":parent_id: world.Topic.parent is 1 and 2" in wrong(scope, lines(topic))[0]


def test_a_record_may_say_one_thing_twice(scope: Scope) -> None:
    place = {"model": "world.Place", "pk": 1, "fields": {"id": "1", "name": "A"}}
    assert loaded(scope, lines(place)) == Loaded(added=1)
    place["fields"]["id"] = None  # type: ignore[index]
    assert loaded(scope, lines(place)) == Loaded(unchanged=1)


def test_the_unknown_is_passed_over_on_demand(scope: Scope) -> None:
    text = lines(
        {"model": "old.Model", "fields": {}}, {"model": "world.Place", "pk": 1, "fields": {"name": "A", "old": 1}}
    )
    assert loaded(scope, text, ignore_unknown=True) == Loaded(added=1)


def test_two_rows_that_refer_to_each_other_by_natural_keys_need_no_third(world: SimpleNamespace, scope: Scope) -> None:
    country = Country.objects.get().name
    twins = [
        {"model": "world.City", "fields": {"name": name, "country": [country], "twin": [twin]}}
        for name, twin in (("Buda", "Pest"), ("Pest", "Buda"))
    ]
    assert loaded(scope, lines(*twins)) == Loaded(added=2)
    assert City.objects.get(name="Buda").twin == City.objects.get(twin__name="Buda")


# tables that others made, which check each reference at once


class Yarn(models.Model):
    """Its table comes after that of its ends by name, and before by what refers to what."""

    length = models.IntegerField()
    twin = models.OneToOneField("Knot", on_delete=models.DO_NOTHING, null=True, related_name="tied")

    class Meta:
        managed = False
        db_table = "yarn"


class End(models.Model):
    yarn = models.ForeignKey(Yarn, on_delete=models.DO_NOTHING)
    other = models.ForeignKey("self", on_delete=models.DO_NOTHING, null=True)

    class Meta:
        managed = False
        db_table = "ends"


class Knot(models.Model):
    yarn = models.ForeignKey(Yarn, on_delete=models.DO_NOTHING, related_name="knots")

    class Meta:
        managed = False
        db_table = "knot"


YARNS = resolved({"yarns": [Yarn, End, Knot]})
REFERS = "FOREIGN KEY ({}) REFERENCES {} (id)"


@pytest.fixture(params=URLS, ids=[url.partition(":")[0] for url in URLS])
def yarns(request: pytest.FixtureRequest) -> Iterator[Scope]:
    database = opened_apart(request.param)
    circle = " DEFERRABLE" if database.dialect == "postgresql" else ""
    twin = REFERS.format("twin_id", "knot")
    database.execute(
        "CREATE TABLE yarn (id INTEGER PRIMARY KEY, length INTEGER NOT NULL, twin_id INTEGER"
        f"{', ' + twin if database.dialect == 'sqlite' else ''})"
    )
    database.execute(
        "CREATE TABLE ends (id INTEGER PRIMARY KEY, yarn_id INTEGER NOT NULL, other_id INTEGER, "
        f"{REFERS.format('yarn_id', 'yarn')}, {REFERS.format('other_id', 'ends')}{circle})"
    )
    database.execute(
        f"CREATE TABLE knot (id INTEGER PRIMARY KEY, yarn_id INTEGER NOT NULL, {REFERS.format('yarn_id', 'yarn')})"
    )
    if database.dialect != "sqlite":
        database.execute(f"ALTER TABLE yarn ADD {twin}{circle}")
    database.schema = Schema(YARNS, database.dialect)
    with entered(Scope(None, database)) as scope:
        yield scope
    database.drop()


def test_rows_of_tables_that_others_made_come_back_whatever_refers_to_what(yarns: Scope) -> None:
    text = lines(
        {"model": "yarns.End", "pk": 1, "fields": {"yarn": 1, "other": 2}},
        {"model": "yarns.End", "pk": 2, "fields": {"yarn": 1, "other": 1}},
        {"model": "yarns.Knot", "pk": 5, "fields": {"yarn": 1}},
        {"model": "yarns.Yarn", "pk": 1, "fields": {"length": 3, "twin": 5}},
    )
    assert loaded(yarns, text) == Loaded(added=4)
    assert Yarn.objects.get().twin.yarn.end_set.get(pk=1).other.pk == 2
    assert loaded(yarns, dumped(yarns)) == Loaded(unchanged=4)


def test_a_circle_that_postgresql_does_not_wait_for_is_told_with_what_lets_it(yarns: Scope) -> None:
    if yarns.database.dialect != "postgresql":
        pytest.skip("others wait in any case")
    name = "ends_other_id_fkey"
    yarns.database.execute(f"ALTER TABLE ends ALTER CONSTRAINT {name} NOT DEFERRABLE")
    text = lines(
        {"model": "yarns.Yarn", "pk": 1, "fields": {"length": 3}},
        {"model": "yarns.End", "pk": 1, "fields": {"yarn": 1, "other": 2}},
        {"model": "yarns.End", "pk": 2, "fields": {"yarn": 1, "other": 1}},
    )
    told = wrong(yarns, text)
    assert told[0].startswith("rows.jsonl:2:other: yarns.End: ")
    mended = f'ALTER TABLE "ends" ALTER CONSTRAINT "{name}" DEFERRABLE INITIALLY DEFERRED.'
    assert told[0].endswith(f"comes later in the same transaction, let the database wait for it: {mended}")
    yarns.database.execute(mended.rstrip("."))
    assert loaded(yarns, text) == Loaded(added=3)
