"""A field, lookups and transforms of somebody else's work like those of the toolkit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.errors import DatabaseError, DeclarationError, FieldError, ValidationError
from toolkit.migrations.fields import describe_field
from toolkit.models import Avg, Cast, Coalesce, F, Length, Max, Min, Sum, Window
from toolkit.trace import EDITOR, Scope, Trace, entered

from .conftest import own_database
from .money import CentsField, FeeField, Money, MoneyField, PriceField, SealedField, WordsField


class Article(models.Model):
    name = models.CharField(max_length=20)
    price = MoneyField(currencies=("EUR", "USD"), null=True, default=Money(Decimal(1), "EUR"))


class Name(models.CharField[Any]):
    """A kind of text with lookups of its own, which other text has not."""


@Name.register_lookup
class SoundsLike(models.Lookup):
    lookup_name = "soundex"

    @classmethod
    def build(cls, context: Any) -> Any:
        import sqlalchemy as sa

        first = sa.func.upper(sa.func.substr(context.column, 1, 1))
        return first == sa.func.upper(sa.func.substr(context.bind(context.write()), 1, 1))


@Name.register_lookup
class Initial(models.Transform):
    lookup_name = "initial"

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.substr(arguments[0], 1, 1)


@Name.register_lookup
class OneOf(models.Lookup):
    """Compares with a list that is part of the question."""

    lookup_name = "one_of"

    @classmethod
    def build(cls, context: Any) -> Any:
        import sqlalchemy as sa

        return sa.and_(context.column.in_(["Ann", "it's %s"]), context.column != context.bind(context.write()))


class Person(models.Model):
    name = Name(max_length=20)
    plain = models.CharField(max_length=20, default="x")


class Way(str):
    """Names with slashes between."""

    __slots__ = ()


class WayField(models.CharField[Any]):
    """Text whose values are of a class of text."""

    native = Way

    def to_python(self, value: Any) -> Any:
        if not str(value).startswith("/"):
            raise ValidationError(f"{value!r} is no way", code="invalid")
        return Way(value)

    def db_reader(self, dialect: str) -> Any:
        return Way


@WayField.register_lookup
class Below(models.Lookup):
    lookup_name = "below"

    @classmethod
    def build(cls, context: Any) -> Any:
        return context.column.like(context.bind(context.write()).concat("/%"))


@WayField.register_lookup
class Depth(models.Transform):
    lookup_name = "depth"
    output_field = models.IntegerField()

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.func.length(arguments[0]) - sa.func.length(sa.func.replace(arguments[0], "/", ""))


class Folder(models.Model):
    way = WayField(max_length=40, unique=True)
    made = models.DateField(unique=True)
    parent = models.ForeignKey("self", to_field="way", on_delete=models.CASCADE, null=True, related_name="folders")
    twin = models.ForeignKey("self", to_field="made", on_delete=models.CASCADE, null=True, related_name="twins")


class Source(models.Model):
    """Of fields whose values are text and numbers, and stand in their columns in another form."""

    alias = models.CharField(max_length=20)
    name = SealedField(blank=True)
    fee = CentsField(default=0)


class Ware(models.Model):
    """Of fields whose columns are the toolkit's, and whose values are of another class."""

    price = PriceField()
    was = PriceField(null=True)
    words = WordsField(blank=True)
    fee = FeeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(price__gte=Money(Decimal(0), "EUR")), name="shop_ware_price")
        ]


MODELS = resolved({"shop": [Article, Folder, Person, Source, Ware]})
shared_shop = own_database(MODELS)


@pytest.fixture
def shop(shared_shop: Any) -> Iterator[Any]:
    with entered(Scope(None, shared_shop)):
        for name, price in (("pen", "2.50 EUR"), ("book", "12.00 EUR"), ("map", "9.00 USD"), ("gift", None)):
            Article.objects.create(name=name, price=price)
        yield shared_shop
        Article.objects.all().delete()
        Person.objects.all().delete()


def names(**lookups: Any) -> list[str]:
    return list(Article.objects.filter(**lookups).order_by("name").values_list("name", flat=True))


def test_its_values_come_back_and_are_found(shop: Any) -> None:
    pen = Money(Decimal("2.50"), "EUR")
    assert Article.objects.get(name="pen").price == pen
    assert Article.objects.get(price=pen).name == "pen"
    assert names(price__in=[pen, "9.00 USD"]) == ["map", "pen"]
    assert names(price__isnull=True) == ["gift"]
    assert Article.objects.create(name="card").price == Money(Decimal(1), "EUR")


def test_it_orders_is_among_values_and_aggregates(shop: Any) -> None:
    found = Article.objects.order_by("-price").values_list("name", "price")
    assert list(found)[:2] == [("map", Money(Decimal("9.00"), "USD")), ("book", Money(Decimal("12.00"), "EUR"))]
    assert Article.objects.aggregate(most=Max("price")) == {"most": Money(Decimal("9.00"), "USD")}
    assert Article.objects.filter(name="pen").update(price="3.00 EUR") == 1
    assert Article.objects.get(name="pen").price.amount == Decimal("3.00")


def test_its_lookups_and_transforms_stand_in_paths(shop: Any) -> None:
    assert names(price__currency="EUR") == ["book", "pen"]
    assert names(price__amount__gte=9) == ["book", "map"]
    assert list(Article.objects.exclude(price__currency="EUR").order_by("name").values_list("name", flat=True)) == [
        "gift",
        "map",
    ]
    ordered = (
        Article.objects.filter(price__isnull=False).order_by("price__amount").values_list("price__amount", flat=True)
    )
    assert list(ordered) == [Decimal("2.50"), Decimal("9.00"), Decimal("12.00")]
    assert Article.objects.annotate(amount=F("price__amount")).get(amount=Decimal("12.00")).name == "book"


def test_a_lookup_may_compare_with_a_list_of_its_own(shop: Any) -> None:
    Person.objects.bulk_create([Person(name=name) for name in ("Ann", "Bob", "it's %s")])
    assert list(Person.objects.filter(name__one_of="Ann").values_list("name", flat=True)) == ["it's %s"]
    assert Person.objects.filter(name__one_of="Bob", name__startswith="A").get().name == "Ann"
    assert Person.objects.exclude(name__one_of="x").get().name == "Bob"


def test_it_refuses_by_code_and_in_questions(shop: Any) -> None:
    field: Any = Article._meta.get_field("price")
    for value, code in (("many", "invalid"), ("1 GBP", "currency")):
        with pytest.raises(ValidationError) as raised:
            field.clean(value)
        assert raised.value.code == code
    with pytest.raises(FieldError, match=r"Article\.price cannot be compared: 'many' is no amount"):
        names(price="many")
    with pytest.raises(FieldError, match=r"there is no lookup 'currenzy'. Did you mean 'currency'"):
        names(price__currenzy="EUR")


def test_it_is_written_as_text_and_read_back(shop: Any) -> None:
    field: Any = Article._meta.get_field("price")
    price = Money(Decimal("2.50"), "USD")
    assert field.value_to_string(price) == "2.50 USD"
    assert field.from_string("2.50 USD") == price


def test_it_is_described_by_its_import_path() -> None:
    field = Article._meta.get_field("price")
    path, options = field.deconstruct()
    assert path == "tests.models.money.MoneyField"
    assert options == {"null": True, "currencies": ("EUR", "USD"), "default": Money(Decimal(1), "EUR")}
    described = describe_field("price", field)
    assert described.kind == path
    assert dict(described.options)["currencies"] == ("EUR", "USD")
    assert describe_field("price", described.build()) == described


def test_a_question_with_it_is_remembered_and_asked_again(shop: Any) -> None:
    from toolkit.models.answers import answer_queries

    scope = Scope(None, shop, EDITOR, "en", "en", trace=Trace())
    with entered(scope):
        assert names(price__amount__gte=9, price__currency="EUR") == ["book"]
    records = {key: shape.record() for key, shape in scope.trace.shapes.items()}
    keys = list(scope.trace.keys_of("query"))
    old = {key: digest for (kind, key), digest in scope.trace.inputs.items() if kind == "query"}
    assert answer_queries(Scope(None, shop), records, keys) == old
    assert any(("shop_article", "price") in shape.footprint for shape in scope.trace.shapes.values())
    Article.objects.filter(name="pen").update(price="99.00 EUR")
    assert answer_queries(Scope(None, shop), records, keys) != old


def test_what_is_registered_with_a_kind_is_known_to_that_kind_and_its_subclasses(shop: Any) -> None:
    Person.objects.create(name="Smith")
    Person.objects.create(name="smyth")
    assert Person.objects.filter(name__soundex="Sxx").count() == 2
    assert Person.objects.filter(name__initial="s").count() == 1
    assert Person.objects.filter(name__initial__iexact="S").count() == 2
    assert Person.objects.filter(name__initial__in=["S", "t"]).count() == 1

    class Nickname(Name):
        pass

    assert Nickname(max_length=3).find_lookup("soundex") is not None
    for lookup in ("soundex", "initial"):
        with pytest.raises(FieldError, match="there is no lookup"):
            Person.objects.filter(**{f"plain__{lookup}": "S"}).count()


@pytest.mark.parametrize("name", ["", "a__b", "a b", "1a"])
def test_a_lookup_needs_a_name_that_a_path_can_have(name: str) -> None:
    with pytest.raises(DeclarationError, match="cannot be a lookup of Name under the name"):
        Name.register_lookup(lambda context: None, name)


# values of another class in columns of the toolkit's kinds


def euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


@pytest.fixture
def wares(shop: Any) -> Iterator[Any]:
    for price, was, words in (("2.50", None, ("old", "pen")), ("4.00", "5.00", ())):
        Ware(price=price, was=was, words=words).save()
    yield Ware.objects.order_by("price")
    Ware.objects.all().delete()


def test_a_field_made_of_another_kind_has_its_own_values_everywhere(wares: Any) -> None:
    assert list(wares.values_list("price", "was", "words")) == [
        (euros("2.50"), None, ("old", "pen")),
        (euros("4.00"), euros("5.00"), ()),
    ]
    assert wares.filter(price__gt=Money(Decimal("2.499"), "EUR"), price__lt="3.999").count() == 1
    assert wares.filter(price__in=[euros("4"), "7"]).get().was == euros("5.00")
    assert wares.get(words=("old", "pen")).price == euros("2.50")
    ware = Ware(price=euros("1.00"), words=("a", "b"))
    ware.full_clean()
    with pytest.raises(ValidationError, match="shop_ware_price"):
        Ware(price=euros("-1")).full_clean()


def test_sums_and_extremes_of_it_are_values_of_its_own(wares: Any) -> None:
    assert wares.aggregate(all=Sum("price"), was=Sum("was"), mean=Avg("price"), least=Min("price")) == {
        "all": euros("6.50"),
        "was": euros("5.00"),
        "mean": euros("3.25"),
        "least": euros("2.50"),
    }
    groups = Ware.objects.values("words").annotate(paid=Sum("price"), mean=Avg("was"))
    assert [row["paid"] for row in groups.filter(paid__gt=euros("2.499"), mean__lte="5").order_by("paid")] == [
        euros("4.00")
    ]
    running = wares.annotate(paid=Window(Sum("price"), order_by="price")).values_list("paid", flat=True)
    assert list(running) == [euros("2.50"), euros("6.50")]
    with pytest.raises(FieldError, match=r"Sum\(\) takes numbers or lengths of time, not Money. Say Cast"):
        Article.objects.aggregate(Sum("price"))


def test_sums_of_whole_numbers_are_values_of_its_own(wares: Any) -> None:
    fees = Ware.objects.filter(words=())
    assert fees.aggregate(fee=Sum("fee"))["fee"] is None
    Ware.objects.update(fee=euros("3"))
    assert wares.aggregate(all=Sum("fee"), each=Sum("fee", distinct=True)) == {"all": euros("6"), "each": euros("3")}
    assert list(wares.annotate(paid=Window(Sum("fee"), order_by="price")).values_list("paid", flat=True)) == [
        euros("3"),
        euros("6"),
    ]
    assert Ware.objects.values("words").annotate(paid=Sum("fee")).filter(paid__gte=euros("3")).count() == 2
    Ware.objects.update(fee=euros(str(2**63 - 1)))
    with pytest.raises(DatabaseError, match=r"(?i)out of range|integer overflow"):
        wares.aggregate(all=Sum("fee"))
    with pytest.raises(FieldError, match=r"Avg\(\) takes numbers or lengths of time, not Money. Say Cast"):
        wares.aggregate(mean=Avg("fee"))


def test_what_is_computed_with_it_goes_by_way_of_the_kind_that_it_is_made_of(wares: Any) -> None:
    number = Cast("price", models.DecimalField(max_digits=9, decimal_places=2))
    assert wares.aggregate(all=Sum(number), paid=Sum(number, output_field=PriceField())) == {
        "all": Decimal("6.50"),
        "paid": euros("6.50"),
    }
    assert list(wares.annotate(long=Length(Cast("words", models.TextField()))).values_list("long", flat=True)) == [7, 0]
    assert wares.annotate(least=Coalesce("was", "price")).get(least=euros("5")).price == euros("4.00")
    with pytest.raises(FieldError, match=r"Value\(Money.* what kind of value it is, is not said.*field of your own"):
        Coalesce("was", euros("0"))
    zero = models.Value(euros("0"), output_field=PriceField())
    assert list(wares.annotate(less=Coalesce("was", zero)).values_list("less", flat=True)) == [euros("0"), euros("5")]


# values in another form


@pytest.fixture
def sources(shop: Any) -> Iterator[Any]:
    Source.objects.bulk_create([Source(alias="fox", name="Ann", fee="2.50"), Source(alias="owl", name="Bob", fee=4)])
    yield Source.objects.order_by("alias")
    Source.objects.all().delete()


def test_what_stands_in_another_form_is_written_compared_and_given_as_itself(sources: Any) -> None:
    assert list(sources.values_list("name", "fee")) == [("Ann", Decimal("2.50")), ("Bob", Decimal(4))]
    assert sources.filter(name__in=["Ann", "Cat"], fee__lt=3).get().alias == "fox"
    assert sources.filter(name=F("name"), fee=F("fee")).count() == 2
    assert sources.aggregate(Max("fee"), kinds=models.Count("name", distinct=True)) == {
        "fee__max": Decimal(4),
        "kinds": 2,
    }
    sources.filter(alias="owl").update(name="Eve", fee=models.Value(Decimal(3), output_field=CentsField()))
    assert sources.values_list("name", "fee").last() == ("Eve", Decimal(3))
    raw = Cast("name", models.TextField())
    assert sources.annotate(raw=raw).first().raw == "sealed:nnA"


@pytest.mark.parametrize(
    "ask",
    [
        lambda rows: rows.update(name=F("alias")),
        lambda rows: rows.update(name=models.Value("Eve")),
        lambda rows: rows.update(alias=F("name")),
        lambda rows: rows.update(fee=F("fee") + 1),
        lambda rows: rows.filter(name=F("alias")),
        lambda rows: rows.filter(name__in=rows.values("alias")),
        lambda rows: rows.annotate(length=Length("name")),
        lambda rows: rows.annotate(twice=F("fee") * 2),
        lambda rows: rows.annotate(some=Coalesce("name", "alias")),
        lambda rows: rows.annotate(both=models.functions.Concat("name", "alias")),
        lambda rows: rows.annotate(told=models.functions.JSONObject(name="name")),
    ],
)
def test_sql_does_not_take_it_for_what_stands_in_the_column(sources: Any, ask: Any) -> None:
    with pytest.raises(FieldError, match=r"SealedField|CentsField"):
        list(ask(sources) or ())
    assert set(sources.values_list("name", "fee")) == {("Ann", Decimal("2.50")), ("Bob", Decimal(4))}


# values of a class of text, which others refer to


@pytest.fixture
def folders(shop: Any) -> Iterator[Any]:
    top = Folder.objects.create(way="/a", made="2024-02-01")
    Folder.objects.create(way="/a/b", made="2025-03-01", parent=top, twin=top)
    Folder.objects.create(way=Way("/a/b/c"), made="2026-04-01", parent_id="/a/b", twin_id="2025-03-01")
    yield Folder.objects.order_by("way")
    Folder.objects.all().delete()


def test_text_is_read_by_the_field_before_it_is_written_or_compared(folders: Any) -> None:
    assert [type(way) for way in folders.values_list("way", flat=True)] == [Way] * 3
    with pytest.raises(ValidationError, match="'a' is no way"):
        Folder.objects.create(way="a", made="2020-01-01")
    with pytest.raises(ValidationError, match="'a' is no way"):
        folders.filter(way="/a/b/c").update(way="a")
    with pytest.raises(FieldError, match=r"Folder\.way cannot be compared: 'a' is no way"):
        folders.filter(way="a").count()


def test_what_stands_behind_a_field_stands_behind_a_reference_to_it(folders: Any) -> None:
    assert folders.filter(parent__way__below="/a").get().way == "/a/b/c"
    assert folders.get(parent__way__depth=2).way == "/a/b/c"
    assert folders.get(parent__parent__way__depth__lt=2).way == "/a/b/c"
    assert list(folders.values_list("parent__way__depth", flat=True)) == [None, 1, 2]
    assert folders.order_by("-parent__way__depth").first().way == "/a/b/c"
    assert folders.aggregate(most=Max("parent__way__depth")) == {"most": 2}
    assert folders.exclude(parent__way__below="/a").count() == 2
    assert folders.get(twin__made__year=2025).way == "/a/b/c"
    assert list(folders.annotate(month=F("twin__made__month")).values_list("month", flat=True)) == [None, 2, 3]


# aggregates


class SumOfSquares(models.Aggregate):
    @classmethod
    def build(cls, place: Any, column: Any) -> Any:
        import sqlalchemy as sa

        return place.call(sa.func.sum(place.each(column * column))), models.IntegerField(null=True)


class Lopsided(models.Aggregate):
    @classmethod
    def build(cls, place: Any, column: Any) -> Any:
        return column


def test_an_aggregate_of_somebody_elses_stands_where_others_do(shop: Any) -> None:
    rows = Article.objects.annotate(letters=Length("name"))
    assert rows.aggregate(all=SumOfSquares("letters")) == {"all": 9 + 16 + 9 + 16}
    few = SumOfSquares("letters", filter=models.Q(name__startswith="p"), distinct=True, default=0)
    assert rows.aggregate(few=few) == {"few": 9}
    assert rows.filter(name="none").aggregate(few=few) == {"few": 0}
    running = Window(SumOfSquares("letters"), order_by="name")
    assert list(rows.order_by("name").values_list(running, flat=True)) == [16, 32, 41, 50]
    with pytest.raises(FieldError, match=r"Lopsided.build\(\) gives Column, not a pair. Give SQLAlchemy's"):
        Article.objects.aggregate(Lopsided("name"))


# functions by name


def test_a_function_of_the_database_is_called_by_its_name(shop: Any) -> None:
    coded = models.Func("name", models.Value("o"), models.Value("0"), function="REPLACE")
    found = Article.objects.annotate(code=coded).filter(code__contains="0").order_by("code")
    assert [article.code for article in found] == ["b00k"]
    length = models.Func(F("name"), function="LENGTH", output_field=models.IntegerField())
    assert Article.objects.aggregate(most=Max(length)) == {"most": 4}
    assert list(Article.objects.order_by(length.desc(), "name").values_list("name", flat=True)[:2]) == ["book", "gift"]


class Longer(models.Func):
    function = "COALESCE"


def test_a_subclass_has_the_name_already(shop: Any) -> None:
    assert set(Article.objects.values_list(Longer("name", models.Value("?")), flat=True)) == {
        "book",
        "gift",
        "map",
        "pen",
    }
    assert repr(Longer("name", models.Value("?"))) == "Func(F('name'), Value('?'), function='COALESCE')"


@pytest.mark.parametrize("name", ["", "lower(", "a b", 'x"y', "a.b.c", "1st", "lower;", "--"])
def test_what_is_no_name_of_a_function_is_refused(name: str) -> None:
    with pytest.raises(FieldError, match="is no name of a function"):
        models.Func("name", function=name)


@pytest.mark.parametrize("name", ["RANDOM", "now", "uuid", "gen_random_uuid"])
def test_functions_of_the_clock_and_of_chance_are_refused(name: str) -> None:
    with pytest.raises(FieldError, match="would give another page at every build"):
        models.Func(function=name)


def test_a_transform_that_a_site_registers_wins_though_the_toolkits_is_imported_later() -> None:
    asked = (
        "import sys\n"
        "from toolkit.models import DateField, Transform\n"
        "class FiscalYear(Transform):\n"
        "    lookup_name = 'year'\n"
        "DateField.register_transform(FiscalYear)\n"
        "before = 'toolkit.models.functions.parts' in sys.modules\n"
        "print(before, DateField().find_transform('year').__name__, DateField().find_transform('month').__name__)\n"
    )
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "FiscalYear", "ExtractMonth"]
