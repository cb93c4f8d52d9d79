"""A value of several columns, as somebody else's package would declare it: an amount and its currency."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DeclarationError, FieldError, ImpossibleValue, ValidationError
from toolkit.models import CheckConstraint, Count, F, Index, Max, Q, UniqueConstraint
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

from .conftest import own_database
from .money import Money


class PriceField(models.Several):
    def __init__(self, amount: str = "amount", currency: str = "currency", **options: Any) -> None:
        super().__init__((amount, currency), **options)

    def split(self, value: Any) -> tuple[Any, ...]:
        return (value.amount, value.currency) if isinstance(value, Money) else super().split(value)

    def joined(self, values: tuple[Any, ...]) -> Money:
        return Money(*values)


def priced(name: str, meta: dict[str, Any] | None = None, **options: Any) -> Any:
    """A model with a price."""
    namespace = {
        "__module__": __name__,
        "__qualname__": name,
        "Meta": type("Meta", (), meta or {}),
        "name": models.CharField(max_length=20),
        "amount": models.DecimalField(max_digits=9, decimal_places=2, null=True),
        "currency": models.CharField(max_length=3, null=True),
        "price": PriceField(**options),
    }
    return type(models.Model)(name, (models.Model,), namespace)


Article: Any = priced("Article")
Offer: Any = priced("Offer", {"constraints": [UniqueConstraint(fields=["name", "price"], name="offer_once")]})
MODELS = resolved({"shop": [Article, Offer]})
shared_shop = own_database(MODELS)

PEN, BOOK, MAP = (Money(Decimal(a), c) for a, c in (("2.50", "EUR"), ("12.00", "EUR"), ("9.00", "USD")))


@pytest.fixture
def shop(shared_shop: Any) -> Iterator[Any]:
    with entered(Scope(None, shared_shop)):
        for name, price in (("pen", PEN), ("book", BOOK), ("map", ("9", "USD")), ("gift", None)):
            Article.objects.create(name=name, price=price)
        yield shared_shop
        Article.objects.all().delete()
        Offer.objects.all().delete()


def names(*conditions: Any, **lookups: Any) -> list[str]:
    return list(Article.objects.filter(*conditions, **lookups).order_by("name").values_list("name", flat=True))


def price_of(name: str) -> Any:
    return Article.objects.get(name=name).price


def test_it_is_set_read_and_compared(shop: Any) -> None:
    assert [price_of(name) for name in ("pen", "map", "gift")] == [PEN, MAP, None]
    assert names(price=PEN) == names(price=("2.5", "EUR")) == ["pen"]
    assert names(price__in=[PEN, MAP]) == ["map", "pen"]
    assert names(price__isnull=True) == names(price=None) == ["gift"]
    assert names(price__gt=PEN) == names(~Q(price=PEN), price__isnull=False) == ["book", "map"]
    assert names(price=F("price")) == ["book", "map", "pen"]
    with pytest.raises(ImpossibleValue, match=r"Article\.price cannot be compared: 'many' is not a tuple of 2 values"):
        names(price="many")
    assert names(price__range=(PEN, MAP)) == ["map", "pen"]
    assert names(price__range=(MAP, PEN)) == []


def test_it_orders_and_is_among_values(shop: Any) -> None:
    ordered = Article.objects.filter(price__isnull=False).order_by("-price")
    assert list(ordered.values_list("price", flat=True)) == [BOOK, MAP, PEN]
    assert Article.objects.filter(name="gift").values("price").get() == {"price": None}
    counted = Article.objects.filter(price__isnull=False).values("price").annotate(n=Count("pk")).order_by("price")
    assert list(counted) == [{"price": price, "n": 1} for price in (PEN, MAP, BOOK)]
    Article.objects.filter(name="pen").update(currency=None)
    assert price_of("pen") is None
    assert Article.objects.values_list("price", flat=True).get(name="pen") is None
    with pytest.raises(FieldError, match=r"annotate\(p=...\): that is several columns, and an instance takes one"):
        Article.objects.annotate(p=F("price")).first()


def test_whole_values_are_counted(shop: Any) -> None:
    """As ``filter(price__isnull=False)`` has it: an amount without a currency is no price."""
    Article.objects.create(name="pencil", price=PEN)
    Article.objects.create(name="stamp", amount=1)
    Article.objects.create(name="coin", amount="2.50", currency="EuR")
    some = Q(name__startswith="p")
    told = {"n": Count("price"), "once": Count("price", distinct=True), "some": Count("price", filter=some)}
    assert Article.objects.aggregate(**told) == {"n": 5, "once": 4, "some": 2}
    assert Article.objects.aggregate(n=Count("price", distinct=True, filter=some)) == {"n": 1}
    assert Article.objects.alias(p=F("price")).aggregate(n=Count("p", distinct=True)) == {"n": 4}
    for value in ("'", ",", "','"):  # whatever is in them, two values are not taken for one
        Article.objects.create(name=f"x{value}", amount=1, currency=value)
    assert Article.objects.aggregate(n=Count("price", distinct=True)) == {"n": 7}
    with pytest.raises(FieldError, match=r"Max\(\) of 'price', which is several columns, is not possible"):
        Article.objects.aggregate(Max("price"))


def test_it_is_updated_in_all_ways(shop: Any) -> None:
    assert Article.objects.filter(name="pen").update(price=MAP) == 1
    assert price_of("pen") == MAP
    assert Article.objects.filter(name="pen").update(price=None) == 1
    assert price_of("pen") is None
    with pytest.raises(
        FieldError, match=r"Article\.price is several columns, and no expression gives them\. Give its value"
    ):
        Article.objects.update(price=F("price"))
    with pytest.raises(FieldError, match=r"sets 'amount' of Article, which another name sets too"):
        Article.objects.update(price=MAP, amount=1)
    pen = Article.objects.get(name="pen")
    pen.name, pen.price = "quill", BOOK
    pen.save(update_fields=["price", "amount"])
    assert price_of("pen") == BOOK
    pen.price = MAP
    assert Article.objects.bulk_update([pen], ["price"]) == 1
    assert price_of("pen") == MAP
    pen.price = PEN
    pen.refresh_from_db(fields=["price"])
    assert (pen.name, pen.price) == ("quill", MAP)


def test_it_is_created_in_all_ways(shop: Any) -> None:
    cup = Money(Decimal("7.00"), "EUR")
    made, new = Article.objects.get_or_create(price=cup, defaults={"name": "cup"})
    assert (new, price_of("cup")) == (True, cup)
    assert Article.objects.get_or_create(price=cup) == (made, False)
    Article.objects.update_or_create(name="cup", defaults={"price": MAP})
    assert price_of("cup") == MAP
    Article.objects.bulk_create([Article(name="jar", price=PEN), Article(name="lid")])
    assert (price_of("jar"), price_of("lid")) == (PEN, None)


def test_rows_in_conflict_take_it_over(shop: Any) -> None:
    pen = Article.objects.get(name="pen")
    new = Article(pk=pen.pk, name="pen", price=MAP)
    Article.objects.bulk_create([new], update_conflicts=True, unique_fields=["pk"], update_fields=["price"])
    assert price_of("pen") == MAP


def test_its_columns_are_loaded_with_it(shop: Any) -> None:
    pen = Article.objects.only("price").get(name="pen")
    assert {"amount", "currency"} <= vars(pen).keys()
    assert "name" not in vars(pen)
    assert not {"amount", "currency"} & vars(Article.objects.defer("price").get(name="pen")).keys()
    with pytest.raises(FieldError, match=r"prefetch_related\('price'\): Article has no such relation"):
        list(Article.objects.prefetch_related("price"))


def test_a_constraint_over_it_is_one_over_its_columns(shop: Any) -> None:
    Offer.objects.create(name="pen", price=PEN)
    with pytest.raises(ValidationError, match="already exists"):
        Offer(name="pen", price=PEN).full_clean()
    Offer(name="pen", price=MAP).full_clean()
    assert Offer._meta.constraints[0].fields == ["name", "amount", "currency"]


def test_an_index_over_it_goes_in_its_direction() -> None:
    indexed = priced("Indexed", {"indexes": [Index(fields=["-price"], name="dear_first")]})
    resolved({"shop": [indexed]})
    assert indexed._meta.indexes[0].fields == ["-amount", "-currency"]


def test_a_condition_of_a_table_names_the_columns() -> None:
    check = CheckConstraint(condition=Q(price__isnull=False), name="priced")
    _, problems = resolve_models({"shop": [priced("Checked", {"constraints": [check]})]})
    assert [f"{each.message}. {each.hint}" for each in problems] == [
        "shop.Checked.Meta: 'priced' compares 'price', which is several columns. Name its fields: amount, currency."
    ]


@pytest.mark.parametrize("option", [{"default": PEN}, {"unique": True}, {"db_index": True}, {"validators": [str]}])
def test_options_of_columns_are_refused(option: dict[str, Any]) -> None:
    (name,) = option
    with pytest.raises(DeclarationError, match=f"Wrong.price: {name} means nothing to a name for several columns"):
        priced("Wrong", **option)


def test_its_fields_have_to_be_there() -> None:
    with pytest.raises(DeclarationError, match=r"Wrong\.price: there is no field 'amuont'. Did you mean 'amount'"):
        priced("Wrong", amount="amuont")
