"""Foreign keys and tables between to models whose key has several fields."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import FieldError, IntegrityError, ProtectedError, ValidationError
from toolkit.models import Count, Prefetch, Q
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

from .conftest import own_database
from .verifying import broken_by

pytestmark = pytest.mark.usefixtures("first_keys")


class Tenant(models.Model):
    name = models.CharField(max_length=20)


class Order(models.Model):
    pk = models.CompositePrimaryKey("tenant", "number")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="orders")
    number = models.IntegerField()
    title = models.CharField(max_length=20, translated=True)
    open = models.BooleanField(default=True)
    tags = models.ManyToManyField("Tag", related_name="orders")

    class Meta:
        public = Q(open=True)

    def __str__(self) -> str:
        return self.title


class Tag(models.Model):
    name = models.CharField(max_length=20)


class Line(models.Model):
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField(max_length=20)

    class Meta:
        ordering = ["text"]


class Note(models.Model):
    """Shares the tenant with the order it may be on."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    number = models.IntegerField(null=True)
    order = models.ForeignKey(
        "Order", on_delete=models.PROTECT, null=True, related_name="notes", from_fields=("tenant", "number")
    )


class Memo(models.Model):
    """Its own field has the name that a key of one column would have."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE)
    order_id = models.IntegerField(null=True)
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, null=True, related_name="memos", from_fields=("tenant_id", "order_id")
    )


class Invoice(models.Model):
    order = models.OneToOneField(Order, on_delete=models.SET_NULL, null=True, related_name="invoice")
    total = models.IntegerField(default=0)


MODELS = resolved({"shop": [Tenant, Order, Tag, Line, Note, Memo, Invoice]})
shared_database = own_database(MODELS)


@pytest.fixture
def shop(scope: Scope) -> SimpleNamespace:
    """Orders (1, 1), (1, 2) and (2, 1), with lines a, b; c; d."""
    ann, bob = Tenant.objects.create(name="Ann"), Tenant.objects.create(name="Bob")
    orders = [
        Order.objects.create(tenant=t, number=n, title=f"{t.name} {n}") for t, n in ((ann, 1), (ann, 2), (bob, 1))
    ]
    for text, order in (("a", orders[0]), ("b", orders[0]), ("c", orders[1]), ("d", orders[2])):
        Line.objects.create(text=text, order=order)
    return SimpleNamespace(ann=ann, bob=bob, orders=orders, database=scope.database)


def texts(rows: Any) -> str:
    return "".join(row.text for row in rows)


def test_the_key_has_a_column_for_each_part(shop: Any) -> None:
    assert [f.name for f in Line._meta.fields] == ["id", "order_tenant_id", "order_number", "text"]
    assert [f.name for f in Note._meta.fields] == ["id", "tenant", "number"]
    line = Line.objects.get(text="c")
    assert (line.order_tenant_id, line.order_number, line.order_key) == (1, 2, (1, 2))
    assert line.order == shop.orders[1]
    table = shop.database.schema.table(Line)
    assert sorted(c.name for c in table.columns if c.foreign_keys) == ["order_number", "order_tenant_id"]
    with pytest.raises(IntegrityError), shop.database.atomic():
        Line.objects.create(text="x", order_key=(7, 7))


def test_setting_the_reference_sets_the_parts(shop: Any) -> None:
    line = Line(text="x", order=shop.orders[2])
    assert line.order_key == (2, 1)
    line.order = shop.orders[1]
    assert line.order_key == (1, 2)
    line.order_number = 1
    assert line.order == shop.orders[0]
    line.order_key = (2, 1)
    line.save()
    assert Line.objects.get(text="x").order == shop.orders[2]
    line.full_clean()
    with pytest.raises(ValidationError, match="order_number"):
        Line(text="y").full_clean()


def test_a_part_may_have_the_name_of_a_key_of_one_column(shop: Any) -> None:
    """What is written to ``order_id`` is the field's, where a key of one column would have kept its value."""
    Memo.objects.create(order=shop.orders[1])
    Memo.objects.create(tenant=shop.bob, order_id=1)
    assert list(Memo.objects.order_by("tenant").values_list("tenant", "order_id")) == [(1, 2), (2, 1)]
    assert [memo.order for memo in Memo.objects.order_by("tenant")] == shop.orders[1:]
    assert Memo.objects.get(order=shop.orders[1]).order_id == 2
    assert Memo.objects.get(order_id=1).order == shop.orders[2]


def test_references_are_loaded_for_all_at_once(shop: Any) -> None:
    with shop.database.counted() as queries:
        assert [str(line.order) for line in Line.objects.all()] == ["Ann 1", "Ann 1", "Ann 2", "Bob 1"]
    assert len(queries) == 2
    with shop.database.counted() as queries:
        assert [str(line.order) for line in Line.objects.select_related("order")][3] == "Bob 1"
        assert [texts(order.lines.all()) for order in Order.objects.order_by("pk")] == ["ab", "c", "d"]
    assert len(queries) == 3
    found = Order.objects.prefetch_related(Prefetch("lines", Line.objects.exclude(text="a"), to_attr="some"))
    assert [texts(order.some) for order in found.order_by("pk")] == ["b", "c", "d"]
    assert next(str(line.order) for line in Line.objects.prefetch_related("order").only("text")) == "Ann 1"
    assert texts(Line.objects.only("order")) == "abcd"


def test_questions_through_the_reference(shop: Any) -> None:
    first = shop.orders[0]
    assert texts(Line.objects.filter(order=first)) == texts(Line.objects.filter(order=(1, 1))) == "ab"
    assert texts(Line.objects.filter(order__pk=(1, 1))) == texts(Line.objects.filter(order_key=(1, 1))) == "ab"
    assert texts(Line.objects.filter(order__in=[first, (2, 1)])) == "abd"
    assert texts(Line.objects.exclude(order=first)) == "cd"
    assert texts(Line.objects.filter(order__title="Bob 1")) == "d"
    assert texts(Line.objects.filter(order__tenant__name="Ann")) == texts(Line.objects.filter(order__tenant=1)) == "abc"
    assert texts(Line.objects.order_by("-order", "text")) == "dcab"
    assert [str(o) for o in Order.objects.filter(lines__text="b")] == ["Ann 1"]
    assert [str(o) for o in Order.objects.exclude(lines__text="b").order_by("pk")] == ["Ann 2", "Bob 1"]
    assert [o.n for o in Order.objects.annotate(n=Count("lines")).order_by("pk")] == [2, 1, 1]
    assert list(Line.objects.values_list("order", "order__title"))[3] == ((2, 1), "Bob 1")
    assert list(Line.objects.values("order").annotate(n=Count("pk")).order_by("order").values_list("n", flat=True)) == [
        2,
        1,
        1,
    ]
    found = Order.objects.values_list("lines__text", flat=True).order_by("lines__text")
    assert list(found) == list("abcd")
    assert Tenant.objects.filter(orders__lines__text="d").get() == shop.bob
    assert texts(first.lines.filter(text="a")) == "a" and first.lines.count() == 2
    with pytest.raises(FieldError, match="is no Order"):
        Line.objects.filter(order=shop.bob).count()


def test_fields_that_are_shared(shop: Any) -> None:
    note = Note.objects.create(tenant=shop.ann)
    assert note.order is None and Note.objects.filter(order=None).get() == note
    note.order = shop.orders[1]
    assert (note.tenant_id, note.number) == (1, 2)
    note.save()
    assert list(shop.orders[1].notes.all()) == [note]
    with pytest.raises(ProtectedError, match=r"Note\.order refers to it"):
        shop.orders[1].delete()
    note.order = None
    assert (note.tenant_id, note.number) == (1, None)


def test_one_to_one(shop: Any) -> None:
    invoice = Invoice.objects.create(order=shop.orders[0])
    assert [hasattr(order, "invoice") for order in Order.objects.order_by("pk")] == [True, False, False]
    with pytest.raises(IntegrityError), shop.database.atomic():
        Invoice.objects.create(order=shop.orders[0])
    Invoice.objects.create()
    assert Order.objects.filter(invoice__total=0).get() == invoice.order
    shop.orders[0].delete()
    assert Invoice.objects.filter(order=None).count() == 2


def test_rows_are_written_by_sets(shop: Any) -> None:
    one, two, three = shop.orders
    assert one.lines.create(text="e").order_key == (1, 1)
    two.lines.add(Line.objects.get(text="e"))
    assert texts(two.lines.all()) == "ce"
    assert Line.objects.filter(text="e").update(order=three) == 1
    assert texts(three.lines.all()) == "de"
    Line.objects.bulk_create([Line(text="f", order=two), Line(text="g", order=three)])
    assert texts(two.lines.all()) == "cf"
    assert one.delete() == {"shop.Line": 2, "shop.Order": 1}
    assert shop.bob.delete() == {"shop.Line": 3, "shop.Order": 1, "shop.Tenant": 1}


def test_tables_between(shop: Any) -> None:
    red, blue = Tag.objects.create(name="red"), Tag.objects.create(name="blue")
    one, two, three = shop.orders
    one.tags.add(red, blue)
    red.orders.add(three)
    assert [tag.name for tag in one.tags.order_by("name")] == ["blue", "red"]
    assert [str(o) for o in red.orders.order_by("pk")] == ["Ann 1", "Bob 1"]
    with shop.database.counted() as queries:
        assert [[t.name for t in o.tags.all()] for o in Order.objects.order_by("pk")] == [["red", "blue"], [], ["red"]]
    assert len(queries) == 2
    assert [str(o) for o in Order.objects.filter(tags=blue)] == ["Ann 1"]
    assert [o.n for o in Order.objects.annotate(n=Count("tags")).order_by("pk")] == [2, 0, 1]
    assert Tag.objects.filter(orders__in=[three]).get() == red
    red.orders.set([two])
    one.tags.remove(blue)
    assert [o.tags.count() for o in Order.objects.order_by("pk")] == [0, 1, 0]
    two.delete()
    assert not red.orders.exists()


def test_translations(shop: Any) -> None:
    shop.orders[0].translate("it", title="Uno")
    with entered(Scope(None, shop.database, locale="it")):
        assert [o.title for o in Order.objects.order_by("pk")] == ["Uno", "Ann 2", "Bob 1"]
        assert Order.objects.get(title="Uno").pk == (1, 1)


PAGES: dict[str, Callable[[], Any]] = {
    "references": lambda: [line.order and line.order.title for line in Line.objects.all()],
    "sets": lambda: [texts(order.lines.all()) for order in Order.objects.all()],
    "counts": lambda: list(Order.objects.annotate(n=Count("lines")).values_list("title", "n")),
}
EDITS = {
    "UPDATE shop_order SET title = 'x' WHERE tenant_id = 2": {"references", "sets", "counts"},
    "UPDATE shop_line SET order_number = 2 WHERE text = 'a'": {"references", "sets", "counts"},
    "UPDATE shop_line SET text = 'z' WHERE text = 'a'": {"references", "sets"},
    "UPDATE shop_order SET open = FALSE WHERE tenant_id = 2": {"references", "sets", "counts"},
}


@pytest.mark.parametrize("sql", EDITS)
def test_an_edit_breaks_the_pages_that_read_it(shop: Any, scope: Scope, sql: str) -> None:
    assert broken_by(scope.database, PAGES, sql) == EDITS[sql]


def declare(name: str, /, **namespace: Any) -> Any:
    return type(models.Model)(name, (models.Model,), {"__module__": "a", "__qualname__": name, **namespace})


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"from_fields": ("a",)}, "from_fields has not one name for each of x, y"),
        ({"from_fields": ("a", "c")}, "from_fields: there is no field 'c'"),
        ({"primary_key": True}, "cannot be a key or a part of one itself"),
    ],
)
def test_a_reference_that_cannot_be_is_a_problem(options: dict[str, Any], told: str) -> None:
    pair = declare("Pair", pk=models.CompositePrimaryKey("x", "y"), x=models.IntegerField(), y=models.IntegerField())
    key = models.ForeignKey(pair, on_delete=models.CASCADE, **options)
    other = declare("Other", pair=key, a=models.IntegerField(), b=models.IntegerField())
    (problem,) = resolve_models({"a": [pair, other]})[1]
    assert told in str(problem)


def test_a_field_cannot_have_the_name_of_what_the_reference_holds() -> None:
    pair = declare("Pair", pk=models.CompositePrimaryKey("x", "y"), x=models.IntegerField(), y=models.IntegerField())
    other = declare("Other", pair=models.ForeignKey(pair, on_delete=models.CASCADE), pair_key=models.IntegerField())
    (problem,) = resolve_models({"a": [pair, other]})[1]
    assert "a.Other.pair_key is the name of what pair holds, a key of several values" in str(problem)
