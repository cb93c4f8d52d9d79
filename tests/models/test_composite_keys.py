"""Primary keys of several fields."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError, IntegrityError, ValidationError
from toolkit.models import Case, Count, Exists, F, OuterRef, Q, Value, When
from toolkit.models.functions import Lower
from toolkit.models.states import capture
from toolkit.trace import Scope

from .conftest import own_database
from .verifying import broken_by

pytestmark = pytest.mark.usefixtures("first_keys")


class Tenant(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        ordering = ["name"]


class Order(models.Model):
    pk = models.CompositePrimaryKey("tenant", "number")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="orders")
    number = models.IntegerField()
    total = models.IntegerField(default=0)
    note = models.TextField(default="", blank=True)
    open = models.BooleanField(default=True)

    class Meta:
        public = Q(open=True)


class Reading(models.Model):
    """Its key has no number."""

    pk = models.CompositePrimaryKey("station", "day")
    station = models.UUIDField(default=models.uuid7)
    day = models.DateField()
    value = models.FloatField(null=True)


class Revision(models.Model):
    """A part of its key is given by itself."""

    pk = models.CompositePrimaryKey("number", "made")
    number = models.IntegerField()
    made = models.DateTimeField(auto_now_add=True)


class Platform(models.Model):
    """Its key is a whole number, and nobody counts it."""

    code = models.IntegerField(primary_key=True)


class Lamp(models.Model):
    platform = models.OneToOneField(Platform, on_delete=models.CASCADE, primary_key=True)


MODELS = resolved({"shop": [Tenant, Order, Reading, Revision, Platform, Lamp]})
shared_database = own_database(MODELS)


@pytest.fixture
def shop(scope: Scope) -> SimpleNamespace:
    """Two tenants; orders (1, 1) to (1, 4) and (2, 1)."""
    ann, bob = (Tenant.objects.create(name=name) for name in ("Ann", "Bob"))
    Order.objects.bulk_create([Order(tenant=ann, number=n, total=10 * n) for n in range(1, 5)])
    Order.objects.create(tenant=bob, number=1, total=99)
    return SimpleNamespace(ann=ann, bob=bob, database=scope.database)


def keys(rows: Any) -> list[Any]:
    return [row.pk for row in rows]


def test_the_key_is_a_tuple(shop: Any) -> None:
    order = Order.objects.get(pk=(shop.ann.pk, 2))
    assert order.pk == (shop.ann.pk, 2) and order.total == 20
    assert Order(tenant=shop.ann).pk is None
    assert Order(pk=(7, 8)).number == 8
    order.pk = (shop.bob.pk, 5)
    assert (order.tenant_id, order.number, order.tenant) == (shop.bob.pk, 5, shop.bob)
    assert {order: 1}[Order(tenant=shop.bob, number=5)] == 1
    assert pickle.loads(pickle.dumps(order)) == order


def test_questions_about_the_key(shop: Any) -> None:
    one = Order.objects.get(tenant=shop.ann, number=1)
    assert Order.objects.filter(pk=one).get() == one
    assert keys(Order.objects.filter(pk__in=[(1, 1), (2, 1), (9, 9)])) == [(1, 1), (2, 1)]
    assert keys(Order.objects.exclude(pk__in=[(1, 1), [1, 2]])) == [(1, 3), (1, 4), (2, 1)]
    assert keys(Order.objects.exclude(pk=(1, 1))) == [(1, 2), (1, 3), (1, 4), (2, 1)]
    assert Order.objects.filter(pk__in=[]).count() == 0
    assert keys(Order.objects.filter(pk__in=Order.objects.filter(number=1))) == [(1, 1), (2, 1)]
    assert keys(Order.objects.filter(pk__gt=(1, 3))) == [(1, 4), (2, 1)]
    assert keys(Order.objects.filter(pk__gte=(1, 3), pk__lt=(2, 1))) == [(1, 3), (1, 4)]
    assert keys(Order.objects.filter(pk__lte=(1, 2))) == [(1, 1), (1, 2)]
    assert Order.objects.filter(pk__isnull=False).count() == 5
    assert keys(Order.objects.order_by("-pk"))[:2] == [(2, 1), (1, 4)]
    assert list(Order.objects.values_list("pk", flat=True)) == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1)]
    assert Order.objects.values("pk", "total").last() == {"pk": (2, 1), "total": 99}
    assert list(Order.objects.in_bulk([(1, 1), (2, 1)])) == [(1, 1), (2, 1)]
    assert Order.objects.filter(Q(pk=(1, 1)) | Q(pk=(2, 1))).count() == 2
    assert keys(Order.objects.filter(pk__in=[(1, n) for n in range(2000)]))[-1] == (1, 4)


def test_rows_are_told_apart_by_the_whole_key(shop: Any) -> None:
    assert keys(Order.objects.order_by("number")) == [(1, 1), (2, 1), (1, 2), (1, 3), (1, 4)]
    assert keys(Order.objects.iterator(chunk_size=2)) == keys(Order.objects.all())
    assert keys(Order.objects.distinct("tenant").order_by("tenant", "-number")) == [(1, 4), (2, 1)]
    assert Order.objects.distinct().count() == Order.objects.count() == 5
    assert [o.note for o in Order.objects.defer("note")] == [""] * 5
    assert [o.total for o in Order.objects.only("note")] == [10, 20, 30, 40, 99]
    with pytest.raises(Order.MultipleObjectsReturned):
        Order.objects.get(number=1)


def test_the_key_among_those_of_a_question(shop: Any) -> None:
    large = Order.objects.filter(total__gt=25)
    asked = [large, large.values("pk"), large.values_list("pk", flat=True), large.values("tenant", "number")]
    for question in asked:
        assert Order.objects.filter(pk__in=question).count() == 3
        assert Order.objects.exclude(pk__in=question).count() == 2
    assert Order.objects.filter(pk__in=large.order_by("-total").values("pk")[:1]).get().total == 99
    assert Order.objects.filter(pk__in=((shop.ann.pk, n) for n in (1, 2, 9))).count() == 2
    assert {tenant.name for tenant in Tenant.objects.filter(orders__in=large)} == {"Ann", "Bob"}


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: Order.objects.filter(pk__in=Tenant.objects.values("pk")), r"2 values \(tenant, number\), not 'pk'"),
        (lambda: Tenant.objects.filter(pk__in=Order.objects.all()), "a queryset of Order objects stands for others"),
        (
            lambda: Order.objects.filter(pk__in=Order.objects.values("tenant", "note")),
            "int cannot be searched",
        ),
        (
            lambda: Tenant.objects.annotate(o=models.Subquery(Order.objects.values("pk"))),
            "'pk' of Order is several. Name one",
        ),
        (
            lambda: Order.objects.values_list("pk").union(Order.objects.values_list("pk")),
            r"values\('pk'\) of Order is several columns",
        ),
    ],
)
def test_the_key_where_one_value_is_wanted_is_refused(shop: Any, ask: Callable[[], Any], told: str) -> None:
    with pytest.raises(FieldError, match=told):
        list(ask())


def test_relations_of_the_parts(shop: Any) -> None:
    assert [len(tenant.orders.all()) for tenant in Tenant.objects.all()] == [4, 1]
    assert [keys(t.orders.all()) for t in Tenant.objects.prefetch_related("orders")][1] == [(2, 1)]
    assert [t.n for t in Tenant.objects.annotate(n=Count("orders"))] == [4, 1]
    assert Order.objects.aggregate(n=Count("pk"), all=Count("*")) == {"n": 5, "all": 5}
    assert Tenant.objects.filter(orders__pk=(2, 1)).get() == shop.bob
    assert Tenant.objects.filter(orders__in=[(2, 1), (2, 7)]).get() == shop.bob
    assert Order.objects.select_related("tenant").get(pk=(2, 1)).tenant == shop.bob
    assert shop.bob.orders.create(number=2).pk == (2, 2)


def test_keys_are_counted_each_once(shop: Any) -> None:
    once = Count("orders", distinct=True)
    assert [t.n for t in Tenant.objects.annotate(n=once)] == [4, 1]
    assert Tenant.objects.aggregate(n=once, few=Count("orders", distinct=True, filter=Q(orders__total__lt=30))) == {
        "n": 5,
        "few": 2,
    }
    grouped = Order.objects.values("open").annotate(n=Count("pk"), once=Count("pk", distinct=True))
    assert all(group["n"] == group["once"] for group in grouped)
    Reading.objects.create(day="2026-03-01")
    Reading.objects.create(day="2026-03-01")
    assert Reading.objects.aggregate(n=Count("pk", distinct=True)) == {"n": 2}


def test_rows_are_written_by_their_key(shop: Any) -> None:
    order = Order.objects.get(pk=(1, 2))
    order.total = 21
    order.save()
    assert list(Order.objects.values_list("total", flat=True)) == [10, 21, 30, 40, 99]
    assert Order.objects.filter(pk=(1, 1)).update(total=F("total") + 1) == 1
    order.refresh_from_db()
    assert (order.total, Order.objects.get(pk=(1, 1)).total) == (21, 11)
    assert Order.objects.get_or_create(pk=(1, 2))[1] is False
    assert Order.objects.update_or_create({"total": 5}, tenant=shop.ann, number=2)[0].total == 5
    Order(tenant=shop.ann, number=2, total=6).save()
    assert Order.objects.get(pk=(1, 2)).total == 6
    with pytest.raises(IntegrityError), shop.database.atomic():
        Order.objects.create(tenant=shop.ann, number=2)
    with pytest.raises(ValidationError, match="already exists"):
        Order(tenant=shop.ann, number=2).full_clean()
    Order(tenant=shop.ann, number=9).full_clean()
    order.full_clean()


def test_rows_go_by_their_key(shop: Any) -> None:
    assert Order.objects.get(pk=(1, 1)).delete() == {"shop.Order": 1}
    assert keys(Order.objects.all()) == [(1, 2), (1, 3), (1, 4), (2, 1)]
    assert Order.objects.filter(total__gt=30).delete() == {"shop.Order": 2}
    assert shop.ann.delete() == {"shop.Order": 2, "shop.Tenant": 1}


def test_parts_of_any_kind(scope: Any) -> None:
    made = Reading.objects.create(day="2026-03-01", value=1.5)
    found = Reading.objects.get()
    assert found.pk == (made.station, found.day) and found.pk[1].isoformat() == "2026-03-01"
    assert Reading.objects.get(pk=found.pk) == found
    assert Reading.objects.get(pk=(str(made.station), "2026-03-01")).value == 1.5
    assert Reading.objects.filter(pk__in=[found.pk]).count() == 1
    found.delete()
    assert not Reading.objects.exists()


def test_what_is_not_a_key_is_refused(shop: Any) -> None:
    with pytest.raises(FieldError, match=r"Order\.pk cannot be compared: 1 is not a tuple of 2 values"):
        Order.objects.get(pk=1)
    with pytest.raises(FieldError, match=r"Order\.pk cannot be compared: \(1, 2, 3\) is not a tuple"):
        Order.objects.filter(pk__in=[(1, 2, 3)]).count()
    with pytest.raises(FieldError, match="'contains' is for text, and this is a CompositePrimaryKey"):
        Order.objects.filter(pk__contains=1).count()
    with pytest.raises(IntegrityError, match="Order has no tenant and number, which is its key"):
        Order.objects.create(tenant=shop.ann, number=None)
    with pytest.raises(
        FieldError, match=r"Max\(\) of 'pk', which is several columns, .* Count\(\) takes them together"
    ):
        Order.objects.aggregate(models.Max("pk"))


ONE_VALUE_WANTED: dict[str, Callable[[], Any]] = {
    "a function": lambda: Order.objects.annotate(x=Lower("pk")).values("x"),
    "a choice": lambda: Order.objects.annotate(x=Case(When(open=True, then="pk"))).values("x"),
    "arithmetic": lambda: Order.objects.annotate(x=F("pk") + 1).values("x"),
    "a comparison": lambda: Order.objects.filter(note=F("pk")),
    "a comparison with a value": lambda: Order.objects.filter(pk=Value(1)),
    "a question inside": lambda: Order.objects.filter(Exists(Order.objects.filter(number=OuterRef("pk")))),
    "an update": lambda: Order.objects.update(note=F("pk")),
}


@pytest.mark.parametrize("name", ONE_VALUE_WANTED)
def test_a_key_stands_nowhere_for_a_single_value(shop: Any, name: str) -> None:
    """PostgreSQL would write ``(1,1)`` into a text, others say that a row value was misused."""
    with pytest.raises(FieldError, match="takes single values, and was given several columns"):
        list(ONE_VALUE_WANTED[name]())


def test_keys_have_an_order_and_may_be_updated(shop: Any) -> None:
    assert keys(Order.objects.filter(pk__range=((1, 3), (2, 0)))) == [(1, 3), (1, 4)]
    assert Order.objects.filter(pk=(2, 1)).update(pk=(2, 9)) == 1
    assert keys(Order.objects.filter(tenant=2)) == [(2, 9)]


PAGES: dict[str, Callable[[], Any]] = {
    "list": lambda: [(o.pk, o.total) for o in Order.objects.all()],
    "one": lambda: Order.objects.get(pk=(1, 2)).total,
    "sets": lambda: [[o.total for o in t.orders.all()] for t in Tenant.objects.all()],
    "absent": lambda: Order.objects.filter(pk=(7, 7)).first(),
    "lean": lambda: [o.total for o in Order.objects.only("open")],
}
EDITS = {
    "UPDATE shop_order SET total = 7 WHERE tenant_id = 1 AND number = 2": {"list", "one", "sets", "lean"},
    "UPDATE shop_order SET total = 7 WHERE tenant_id = 2 AND number = 1": {"list", "sets", "lean"},
    "UPDATE shop_order SET number = 5 WHERE tenant_id = 2": {"list", "sets", "lean"},
    "UPDATE shop_order SET open = FALSE WHERE tenant_id = 1 AND number = 2": {"list", "one", "sets", "lean"},
    "UPDATE shop_order SET note = 'x' WHERE number = 3": {"list", "sets"},
}


@pytest.mark.parametrize("sql", EDITS)
def test_an_edit_breaks_the_pages_that_show_the_row(shop: Any, scope: Scope, sql: str) -> None:
    before = capture(scope, ["shop_order"], {})["shop_order"]
    assert broken_by(scope.database, PAGES, sql) == EDITS[sql]
    column = sql.split()[3]
    assert column in capture(scope, ["shop_order"], {})["shop_order"].changed_since(before)


def declare(name: str, /, **namespace: Any) -> Any:
    return type(models.Model)(name, (models.Model,), {"__module__": "a", "__qualname__": name, **namespace})


@pytest.mark.parametrize(
    ("namespace", "told"),
    [
        ({"pk": models.CompositePrimaryKey("a", "c")}, "'c' is no field with a column"),
        ({"pk": models.CompositePrimaryKey("a")}, "two or more fields, each once"),
        ({"pk": models.CompositePrimaryKey("a", "a")}, "two or more fields, each once"),
        ({"key": models.CompositePrimaryKey("a", "b")}, "a composite key is called pk"),
        ({"pk": models.IntegerField()}, "a field cannot be called 'pk'"),
        ({"pk": models.CompositePrimaryKey("a", "b"), "b": models.IntegerField(null=True)}, "'b' cannot be part"),
    ],
)
def test_a_key_that_cannot_be_is_refused(namespace: dict[str, Any], told: str) -> None:
    with pytest.raises(DeclarationError, match=told):
        declare("Wrong", **{"a": models.IntegerField(), "b": models.IntegerField(), **namespace})


def test_an_abstract_model_hands_its_key_on() -> None:
    class Base(models.Model):
        pk = models.CompositePrimaryKey("a", "b")
        a = models.IntegerField()
        b = models.IntegerField()

        class Meta:
            abstract = True

    first, second = (type(models.Model)(name, (Base,), {"__module__": "a"}) for name in ("First", "Second"))
    assert first._meta.pk is not second._meta.pk
    assert [f.model for f in first._meta.key] == [first, first] and first(a=1, b=2).pk == (1, 2)


def test_a_part_of_the_key_may_be_the_moment_of_saving(shop: Any) -> None:
    saved, made = Revision.objects.create(number=1), Revision.objects.bulk_create([Revision(number=2)])[0]
    assert [row.pk for row in Revision.objects.order_by("number")] == [saved.pk, made.pk]


@pytest.mark.parametrize("model", [Platform, Lamp])
def test_a_number_that_nobody_counts_is_never_made_up(shop: Any, model: Any) -> None:
    """SQLite would count it, and so refer to a row that nobody named."""
    Platform.objects.create(code=1)
    with pytest.raises(IntegrityError, match=rf"{model.__name__} has no \w+, which is its key\. Give each row one"):
        model.objects.create()
    with pytest.raises(IntegrityError, match="which is its key"):
        model.objects.bulk_create([model(), model()])
    assert (Platform.objects.count(), Lamp.objects.count()) == (1, 0)
