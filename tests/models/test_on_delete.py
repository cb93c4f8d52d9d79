"""Each form of ``on_delete``, on each database: what a plan says, what a delete does, what the database does alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.errors import IntegrityError, ProtectedError
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


class Agency(models.Model):
    name = models.CharField(max_length=20)

    def __str__(self) -> str:
        return self.name


def spare() -> int:
    return 1


RULES: dict[str, dict[str, Any]] = {
    "cascade": {"on_delete": models.CASCADE},
    "protect": {"on_delete": models.PROTECT},
    "restrict": {"on_delete": models.RESTRICT},
    "set_null": {"on_delete": models.SET_NULL, "null": True},
    "set_default": {"on_delete": models.SET_DEFAULT, "default": 1},
    "set_value": {"on_delete": models.SET(1)},
    "set_function": {"on_delete": models.SET(spare)},
    "do_nothing": {"on_delete": models.DO_NOTHING},
    "db_cascade": {"on_delete": models.DB_CASCADE},
    "db_set_null": {"on_delete": models.DB_SET_NULL, "null": True},
    "db_set_default": {"on_delete": models.DB_SET_DEFAULT, "db_default": 1},
}


def _wire(rule: str) -> Any:
    """A model that refers to an agency in this way."""
    key: Any = models.ForeignKey(Agency, related_name=f"{rule}_wires", **RULES[rule])
    names = {"__module__": __name__, "agency": key, "title": models.CharField(max_length=20)}
    return type("".join(part.title() for part in rule.split("_")), (models.Model,), names)


WIRES = {rule: _wire(rule) for rule in RULES}


class Desk(models.Model):
    agency = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="desks")


class Shift(models.Model):
    """Goes with its agency, and holds its desk: a diamond."""

    agency = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="shifts")
    desk = models.ForeignKey(Desk, on_delete=models.RESTRICT, related_name="shifts")


class Folder(models.Model):
    """Refers to its like: on MariaDB a deletion holds the checking of references, and looks itself."""

    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="folders")


class Record(models.Model):
    """A log outlives what it tells of."""

    folder = models.ForeignKey(Folder, on_delete=models.DO_NOTHING, db_constraint=False, related_name="records")


def known_to(dialect: str) -> list[Any]:
    return [
        Agency,
        *(model for rule, model in WIRES.items() if dialect != "mysql" or rule != "db_set_default"),
        Desk,
        Shift,
        Folder,
        Record,
    ]


resolved({"wires": [Agency, *WIRES.values(), Desk, Shift, Folder, Record]})


@pytest.fixture(scope="module")
def office(shared_database: Any, newsroom_models: Any) -> Iterator[Any]:
    made = newsroom_models.opened_apart(shared_database.url)
    made.schema = Schema(known_to(made.dialect), made.dialect)
    for table in made.schema.metadata.sorted_tables:
        made.execute(str(CreateTable(table).compile(dialect=made.sqlalchemy_dialect)))
    yield made
    made.drop()


class _Undo(Exception):
    pass


@pytest.fixture
def desk(office: Any) -> Iterator[Any]:
    """The office with two agencies, the first to fall back on; what a test writes is rolled back."""
    with entered(Scope(None, office)), pytest.raises(_Undo), office.atomic():
        Agency.objects.bulk_create([Agency(pk=1, name="Spare"), Agency(pk=2, name="Gone")])
        yield office
        raise _Undo


def rows(model: Any) -> list[Any]:
    return list(model.objects.order_by("pk").values_list("agency", flat=True))


GRAPH: dict[str, tuple[dict[str, int], list[Any]]] = {
    # rule: (what delete() says went, what the references are afterwards)
    "cascade": ({"wires.Agency": 1, "wires.Cascade": 2}, [1]),
    "set_null": ({"wires.Agency": 1}, [1, None, None]),
    "set_default": ({"wires.Agency": 1}, [1, 1, 1]),
    "set_value": ({"wires.Agency": 1}, [1, 1, 1]),
    "set_function": ({"wires.Agency": 1}, [1, 1, 1]),
    "db_cascade": ({"wires.Agency": 1, "wires.DbCascade": 2}, [1]),
    "db_set_null": ({"wires.Agency": 1}, [1, None, None]),
    "db_set_default": ({"wires.Agency": 1}, [1, 1, 1]),
}


def write(desk: Any, rule: str) -> Any:
    model = WIRES[rule]
    if model not in desk.schema.models:
        pytest.skip("InnoDB has no ON DELETE SET DEFAULT; see below")
    model.objects.bulk_create(
        [model(agency_id=1, title="a"), model(agency_id=2, title="b"), model(agency_id=2, title="c")]
    )
    return model


@pytest.mark.parametrize("rule", GRAPH)
def test_what_goes_and_what_is_let_go_of(desk: Any, rule: str) -> None:
    model, (gone, left) = write(desk, rule), GRAPH[rule]
    plan = Agency.objects.get(pk=2).deletion_plan()
    assert plan.allowed
    assert plan.counts() == gone
    changed = [(change.field.name, len(change.keys), change.value) for change in plan.changed]
    assert changed == ([] if len(left) == 1 else [("agency", 2, left[1])])
    assert {k: n for k, n in Agency.objects.get(pk=2).delete().items() if n} == gone
    assert rows(model) == left


@pytest.mark.parametrize("rule", ["db_cascade", "db_set_null", "db_set_default"])
def test_the_database_does_the_same_when_others_delete(desk: Any, rule: str) -> None:
    model = write(desk, rule)
    desk.execute("DELETE FROM wires_agency WHERE id = 2")
    assert rows(model) == GRAPH[rule][1]


@pytest.mark.parametrize("rule", ["protect", "restrict"])
def test_what_stands_in_the_way_is_named(desk: Any, rule: str) -> None:
    model = write(desk, rule)
    told = rf"Agency cannot be deleted: {model.__name__}\.agency refers to it"
    with pytest.raises(ProtectedError, match=told) as refusal:
        Agency.objects.get(pk=2).delete()
    assert [(type(row), row.title) for row in refusal.value.objects] == [(model, "b"), (model, "c")]
    assert (rows(model), Agency.objects.count()) == ([1, 2, 2], 2)
    model.objects.filter(agency=2).delete()
    assert Agency.objects.get(pk=2).delete() == {"wires.Agency": 1}


def test_do_nothing_leaves_it_to_the_database_which_refuses(office: Any) -> None:
    model = WIRES["do_nothing"]
    with entered(Scope(None, office)):
        with (
            pytest.raises(IntegrityError, match=r"refers to (it|a row of wires_agency)|wires_donothing_agency_id_fkey"),
            office.atomic(),
        ):
            Agency.objects.bulk_create([Agency(pk=1, name="Spare"), Agency(pk=2, name="Gone")])
            model.objects.create(agency_id=2, title="a")
            Agency.objects.get(pk=2).delete()
        assert (Agency.objects.count(), model.objects.count()) == (0, 0)


def test_do_nothing_without_a_constraint_leaves_the_reference_as_it_is(desk: Any) -> None:
    folder = Folder.objects.create()
    Folder.objects.create(parent=folder)
    record = Record.objects.create(folder=folder)
    assert folder.delete() == {"wires.Folder": 2}
    record.refresh_from_db()
    assert (record.folder_id, record.folder) == (folder.pk, None)


def test_a_row_that_restricts_goes_along_when_another_reference_takes_it(desk: Any) -> None:
    agency = Agency.objects.get(pk=2)
    desks = Desk.objects.bulk_create([Desk(agency=agency), Desk(agency=agency)])
    Shift.objects.bulk_create([Shift(agency=agency, desk=one) for one in desks])
    with pytest.raises(ProtectedError, match=r"Desk cannot be deleted: Shift\.desk refers to it"):
        desks[0].delete()
    assert agency.deletion_plan().counts() == {"wires.Agency": 1, "wires.Desk": 2, "wires.Shift": 2}
    assert agency.delete() == {"wires.Agency": 1, "wires.Desk": 2, "wires.Shift": 2}


def test_a_row_that_restricts_and_stays_is_in_the_way(desk: Any) -> None:
    first, gone = Agency.objects.order_by("pk")
    held = Desk.objects.create(agency=gone)
    shift = Shift.objects.create(agency=first, desk=held)  # goes with the first agency only
    with pytest.raises(ProtectedError, match=r"Shift\.desk refers to it") as refusal:
        gone.delete()
    assert refusal.value.objects == [shift]
    assert (Desk.objects.count(), Shift.objects.count()) == (1, 1)


def test_many_are_deleted_as_one_is(desk: Any) -> None:
    write(desk, "cascade"), write(desk, "set_null")
    counts = Agency.objects.all().delete()
    assert {label: count for label, count in counts.items() if count} == {"wires.Agency": 2, "wires.Cascade": 3}
    assert rows(WIRES["set_null"]) == [None, None, None]


@pytest.mark.parametrize(("dialect", "name"), [("mysql", "MySQL"), ("oracle", "Oracle")])
def test_a_database_without_set_default_says_so_before_anything_is_made(dialect: str, name: str) -> None:
    (problem,) = Schema([Agency, WIRES["db_set_default"]], dialect).problems()
    asked = "which on_delete=DB_SET_DEFAULT asks for"
    assert problem.message == f"wires.DbSetDefault.agency: {name} has no ON DELETE SET DEFAULT, {asked}"
    assert problem.hint == "Use SET_DEFAULT, which the toolkit does itself, or DB_SET_NULL."
    assert Schema([Agency, WIRES["db_set_default"]], "postgresql").problems() == []
