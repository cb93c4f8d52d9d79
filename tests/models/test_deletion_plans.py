"""A plan says exactly which rows a delete takes along, which it changes, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError, ProtectedError
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


class Node(models.Model):
    """Refers to others of its kind in every way."""

    name = models.CharField(max_length=9)
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="children")
    mentor = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="pupils")
    keeper = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="kept")
    partner = models.ForeignKey("self", on_delete=models.RESTRICT, null=True, related_name="partners")
    heir = models.ForeignKey("self", on_delete=models.SET(lambda: 1), null=True, related_name="left")
    friends = models.ManyToManyField("self", symmetrical=False, related_name="fans")


class Leaf(models.Model):
    node = models.ForeignKey(Node, on_delete=models.DB_CASCADE, related_name="leaves")
    spare = models.ForeignKey(Node, on_delete=models.DB_SET_NULL, null=True, related_name="spared")


EVERY = resolved({"forest": [Node, Leaf]})
FIELDS = ("parent", "mentor", "keeper", "partner", "heir")


@pytest.fixture(scope="module")
def forest(request: pytest.FixtureRequest, shared_database: Any) -> Iterator[Any]:
    """A database with the forest's tables."""
    made: Any = request.getfixturevalue("newsroom_models").opened_apart(shared_database.url)
    made.schema = Schema(EVERY, made.dialect)
    for table in made.schema.metadata.sorted_tables:
        made.execute(str(CreateTable(table).compile(dialect=made.sqlalchemy_dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            made.execute(str(CreateIndex(index).compile(dialect=made.sqlalchemy_dialect)))
    yield made
    made.drop()


def state() -> dict[Any, tuple[Any, ...]]:
    """Every row, by model and key."""
    found: dict[Any, tuple[Any, ...]] = {}
    for model in EVERY:
        names = [field.attname for field in model._meta.fields]
        for row in model._meta.base_manager.values_list(*names):
            found[model, row[0]] = row
    return found


def plant(references: Any, leaves: Any, friends: Any) -> None:
    size = len(references)
    nodes = Node.objects.bulk_create([Node(pk=n + 1, name=f"n{n + 1}") for n in range(size)])
    for node, targets in zip(nodes, references, strict=True):
        for field, target in zip(FIELDS, targets, strict=True):
            if target is not None:
                setattr(node, f"{field}_id", target % size + 1)
    Node.objects.bulk_update(nodes, FIELDS)
    made = [(a % size + 1, None if b is None else b % size + 1) for a, b in leaves]
    Leaf.objects.bulk_create([Leaf(node_id=a, spare_id=b) for a, b in made])
    through = Node.friends.through
    pairs = {(a % size + 1, b % size + 1) for a, b in friends}
    through.objects.bulk_create([through(from_node_id=a, to_node_id=b) for a, b in sorted(pairs)])


rarely = st.none() | st.none() | st.none() | st.integers(0, 9)
rows = st.lists(st.tuples(st.none() | st.integers(0, 9), rarely, rarely, rarely, rarely), min_size=1, max_size=8)
pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=4)


@settings(max_examples=25)
@given(
    rows, st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9)), max_size=4), pairs, st.integers(1, 8)
)
def test_a_delete_does_what_its_plan_says(forest: Any, references: Any, leaves: Any, friends: Any, which: int) -> None:
    class Undo(Exception):
        pass

    with entered(Scope(None, forest)), pytest.raises(Undo), forest.atomic():
        plant(references, leaves, friends)
        first = Node.objects.get(pk=(which - 1) % len(references) + 1)
        plan, before = first.deletion_plan(), state()
        if plan.allowed and 1 not in plan.deleted.get(Node, ()):
            gone = first.delete()
            after = state()
            assert {label: count for label, count in gone.items() if count} == plan.counts()
            assert set(before) - set(after) == {(model, key) for model, keys in plan.deleted.items() for key in keys}
            changed = {key for key, row in after.items() if before[key] != row}
            planned = {(change.field.model, key) for change in plan.changed for key in change.keys}
            assert changed <= planned
            for change in plan.changed:
                at = [field.name for field in change.field.model._meta.fields].index(change.field.name)
                assert {after[change.field.model, key][at] for key in change.keys} == {change.value}
        elif not plan.allowed:
            with pytest.raises(ProtectedError) as refusal:
                first.delete()
            assert refusal.value.objects == plan.blocking()
            assert state() == before
        raise Undo


def test_a_plan_can_be_read(m: Any, newsroom: Any) -> None:
    plan = newsroom.authors[1].deletion_plan()
    assert plan.objects(m.Author) == [newsroom.authors[1]]
    assert str(plan).splitlines()[0] == "1 news.Author"
    assert "5 news.Story: editor becomes None" in str(plan)
    assert "5 news.Byline" in str(plan)
    blocked = m.Section.objects.filter(slug="section-0").deletion_plan()
    assert "refused: Story.section refers to it (Story 0," in str(blocked)
    assert m.Section.objects.count() == 3


def test_a_long_chain_goes_whole(forest: Any) -> None:
    length = 1200 if forest.dialect == "sqlite" else 60  # longer than Python's stack is deep
    with entered(Scope(None, forest)):
        Node.objects.bulk_create([Node(pk=n + 1, name="x", parent_id=n or None) for n in range(length)])
        assert Node.objects.get(pk=1).delete()["forest.Node"] == length


def test_the_database_itself_does_what_db_cascade_says(forest: Any) -> None:
    with entered(Scope(None, forest)):
        first, second = Node.objects.create(name="a"), Node.objects.create(name="b")
        Leaf.objects.create(node=first)
        kept = Leaf.objects.create(node=second, spare=first)
        forest.execute(f"DELETE FROM forest_node WHERE id = {first.pk}")
        kept.refresh_from_db()
        assert (Leaf.objects.get(), kept.spare_id) == (kept, None)
        second.delete()
        assert Leaf.objects.count() == 0


def test_a_sliced_question_is_not_deleted(m: Any, newsroom: Any) -> None:
    with pytest.raises(FieldError, match=r"a sliced queryset cannot be deleted.*pk__in"):
        m.Story.objects.all()[:3].delete()
    with pytest.raises(FieldError, match="a sliced queryset cannot be deleted"):
        m.Story.objects.all()[:3].deletion_plan()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"on_delete": models.DB_SET_NULL}, "DB_SET_NULL needs null=True"),
        ({"on_delete": models.DB_CASCADE, "db_constraint": False}, "needs the database's constraint"),
        ({"on_delete": models.DB_SET_DEFAULT}, "needs a db_default"),
        ({"on_delete": models.SET_DEFAULT}, "needs a default"),
    ],
)
def test_rules_that_cannot_work_are_refused_when_they_are_declared(options: Any, told: str) -> None:
    with pytest.raises(DeclarationError, match=told):

        class Twig(models.Model):
            node = models.ForeignKey(Node, **options)
