"""Rows whose primary key is of several fields, or a reference: they are known by it once references are resolved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source
from toolkit.content.export import export_model
from toolkit.errors import ValidationError
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

from .conftest import Desk


class Tenant(models.Model):
    slug = models.SlugField(unique=True)


class Label(models.Model):
    slug = models.SlugField(unique=True)


class Invoice(models.Model):
    pk = models.CompositePrimaryKey("tenant", "number")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invoices")
    number = models.IntegerField()
    title = models.CharField(max_length=40, translated=True)
    labels = models.ManyToManyField(Label, related_name="+", blank=True)


class Day(models.Model):
    """Has no reference in its key, and is named by another field."""

    pk = models.CompositePrimaryKey("day", "token")
    day = models.DateField()
    token = models.UUIDField()
    slug = models.SlugField(unique=True)
    text = models.MarkdownField(blank=True)

    def clean(self) -> None:
        if self.text == "Forbidden.":
            raise ValidationError("the text is forbidden")


class Profile(models.Model):
    tenant = models.OneToOneField(Tenant, primary_key=True, on_delete=models.CASCADE, related_name="profile")
    slug = models.SlugField(unique=True)
    note = models.CharField(max_length=20, blank=True)


class Card(models.Model):
    slug = models.SlugField(unique=True)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")


class Mail(models.Model):
    """Comes from no file."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")


MODELS = resolved({"shop": [Tenant, Label, Invoice, Day, Profile, Card, Mail]})
TENANTS, LABELS = Source("tenants.csv", Tenant), Source("labels.csv", Label)
INVOICES = Source("invoices/*.yaml", Invoice, key="pk")
DAYS, PROFILES, CARDS = Source("days/*.md", Day), Source("profiles.yaml", Profile), Source("cards.csv", Card)
BOOK = """\
- {tenant: acme, number: 7, title: {en: Seven, es: Siete}, labels: [paid]}
- {tenant: bolt, number: 7, title: B}
"""


def make(url: str) -> Any:
    return opened_with(url, MODELS)


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def shop(request: pytest.FixtureRequest, find_shared: Callable[[str], Any], tmp_path: Path) -> Iterator[Desk]:
    with entered(Scope(None, find_shared(request.param))) as scope:
        desk = Desk(tmp_path, scope, [TENANTS, LABELS, INVOICES])
        desk.write("tenants.csv", "slug\nacme\nbolt\n")
        desk.write("labels.csv", "slug\npaid\nlate\n")
        desk.write("invoices/a.yaml", BOOK)
        yield desk
        Mail.objects.all().delete()
        desk.sources = []
        desk.load()  # the rows of all files go
        Tenant.objects.all().delete()


def book() -> list[tuple[Any, ...]]:
    rows = Invoice.objects.order_by("tenant__slug", "number")
    return [(row.tenant.slug, row.number, row.title, sorted(one.slug for one in row.labels.all())) for row in rows]


def spanish() -> list[str]:
    translation: Any = Invoice._meta.translation
    return list(translation.objects.filter(locale="es").values_list("title", flat=True))


def test_rows_are_known_by_the_fields_of_their_key(shop: Desk) -> None:
    assert shop.counts() == (6, 0, 0, 0)
    assert book() == [("acme", 7, "Seven", ["paid"]), ("bolt", 7, "B", [])]
    assert spanish() == ["Siete"]
    assert shop.counts() == (0, 0, 6, 0)
    shop.write("invoices/a.yaml", BOOK.replace("Siete", "7").replace("[paid]", "[late, paid]").replace("B}", "C}"))
    assert shop.counts() == (0, 2, 4, 0)
    assert spanish() == ["7"]
    assert book() == [("acme", 7, "Seven", ["late", "paid"]), ("bolt", 7, "C", [])]
    shop.write("invoices/a.yaml", BOOK.splitlines()[0].replace("labels: [paid]", "labels: []"))
    assert shop.counts() == (0, 1, 4, 1)
    assert book() == [("acme", 7, "Seven", [])]


def test_another_value_in_the_key_is_another_row(shop: Desk) -> None:
    shop.load()
    shop.write("invoices/a.yaml", BOOK.replace("acme, number: 7", "acme, number: 8"))
    report = shop.load()
    assert (report.added, report.removed) == (1, 1)
    assert book() == [("acme", 8, "Seven", ["paid"]), ("bolt", 7, "B", [])]
    assert ("removed", "invoices/a.yaml: acme|7") in report.events


def test_rows_may_exchange_their_keys_and_move_to_other_files(shop: Desk) -> None:
    shop.load()
    shop.write("invoices/a.yaml", BOOK.replace("acme", "x").replace("bolt", "acme").replace("x,", "bolt,"))
    assert shop.counts() == (0, 2, 4, 0)
    assert book() == [("acme", 7, "B", []), ("bolt", 7, "Seven", ["paid"])]
    (shop.folder / "invoices/a.yaml").rename(shop.folder / "invoices/b.yaml")
    assert shop.counts() == (0, 0, 6, 0)
    assert book() == [("acme", 7, "B", []), ("bolt", 7, "Seven", ["paid"])]


def test_a_key_follows_the_rows_that_it_refers_to(shop: Desk) -> None:
    shop.load()
    shop.write("tenants.csv", "slug\nbolt\n")
    assert shop.problems() == [
        "invoices/a.yaml:1:12: tenant: there is no Tenant with the slug 'acme'. There is: bolt.",
    ]
    shop.delete("tenants.csv")
    shop.sources = [LABELS, INVOICES]
    Tenant.objects.create(slug="spare")
    assert "there is no Tenant with the slug 'acme'" in "; ".join(shop.problems())
    shop.write(
        "invoices/a.yaml", BOOK.replace("acme", "spare").replace("bolt", "spare").replace("7, title: B", "8, title: B")
    )
    assert shop.counts() == (2, 0, 2, 4)
    assert book() == [("spare", 7, "Seven", ["paid"]), ("spare", 8, "B", [])]


def test_two_rows_of_one_key_are_told(shop: Desk) -> None:
    shop.write("invoices/b.yaml", "- {tenant: bolt, number: 7, title: Again}\n")
    assert shop.problems() == [
        "invoices/b.yaml: the pk 'bolt|7' of this Invoice is in invoices/a.yaml too. Give one of them another pk."
    ]
    shop.delete("invoices/b.yaml")
    shop.sources = [TENANTS, LABELS]
    shop.load()
    Invoice.objects.create(tenant=Tenant.objects.get(slug="bolt"), number=7, title="Here")
    shop.sources = [TENANTS, LABELS, INVOICES]
    assert "which came from no file" in shop.problems()[0]
    assert book() == [("bolt", 7, "Here", [])]


def test_a_row_that_others_refer_to_stays(shop: Desk) -> None:
    shop.load()
    Mail.objects.create(invoice=Invoice.objects.get(tenant__slug="acme"))
    shop.write("invoices/a.yaml", "[]\n")
    (told,) = shop.problems()
    assert "the row 'acme|7' is not here any more, but" in told
    shop.write("invoices/a.yaml", BOOK + "\n")
    assert shop.counts() == (0, 0, 6, 0)


def test_what_is_missing_in_a_key_is_told(shop: Desk) -> None:
    shop.write(
        "invoices/a.yaml", "- {tenant: acme, title: A}\n- {number: 7, title: A}\n- {tenant: zoo, number: 1, title: A}\n"
    )
    told = shop.problems()
    assert [one.partition(". ")[0] for one in told] == [
        "invoices/a.yaml:1:3: number is missing",
        "invoices/a.yaml:2:3: tenant is missing",
        "invoices/a.yaml:3:12: tenant: there is no Tenant with the slug 'zoo'",
    ]


def test_a_composite_key_beside_another_name(shop: Desk) -> None:
    token = "6f1c9d1e-7a53-4a6b-9d0e-3f6a1c2b4d5e"
    shop.sources = [DAYS]
    shop.write("days/first.md", f"---\nday: 2024-02-29\ntoken: {token}\n---\nOne.\n")
    assert shop.counts() == (1, 0, 0, 0)
    shop.write("days/first.md", f"---\nday: 2024-02-29\ntoken: {token}\n---\nTwo.\n")
    assert shop.counts() == (0, 1, 0, 0)
    row = Day.objects.get()
    assert (row.day, str(row.token), row.slug, row.text) == (date(2024, 2, 29), token, "first", "Two.")
    shop.write("days/first.md", f"---\nday: 2024-03-01\ntoken: {token}\n---\nTwo.\n")
    assert shop.counts() == (1, 0, 0, 1)
    assert Day.objects.get().day == date(2024, 3, 1)
    shop.write("days/first.md", f"---\nday: 2024-03-01\ntoken: {token}\n---\nForbidden.\n")
    assert "the text is forbidden" in shop.problems()[0]
    shop.write("days/first.md", f"---\nday: 2024-03-01\ntoken: {token}\n---\nTwo.\n")
    (shop.folder / "days/first.md").rename(shop.folder / "days/second.md")
    assert shop.counts() == (0, 1, 0, 0)
    assert Day.objects.get().slug == "second"


def test_a_reference_as_the_key(shop: Desk) -> None:
    shop.sources = [TENANTS, PROFILES, CARDS]
    shop.write("profiles.yaml", "- {tenant: acme, slug: a}\n- {tenant: bolt, slug: b}\n")
    shop.write("cards.csv", "slug,profile\none,a\ntwo,b\n")
    assert shop.counts() == (6, 0, 0, 0)
    assert shop.counts() == (0, 0, 6, 0)
    shop.write("profiles.yaml", "- {tenant: bolt, slug: a}\n- {tenant: acme, slug: b, note: new}\n")
    assert shop.counts() == (0, 4, 2, 0)
    assert [(card.slug, card.profile.slug, card.profile.tenant.slug) for card in Card.objects.order_by("slug")] == [
        ("one", "a", "bolt"),
        ("two", "b", "acme"),
    ]
    shop.write("cards.csv", "slug,profile\ntwo,b\n")
    shop.write("profiles.yaml", "- {tenant: acme, slug: b, note: new}\n")
    assert shop.counts() == (0, 0, 4, 2)


@pytest.mark.parametrize("pattern", ["out/*.yaml", "out/*.json", "out/*.csv"])
def test_an_export_says_the_fields_of_the_key(shop: Desk, pattern: str) -> None:
    shop.sources = [TENANTS, LABELS]
    shop.load()
    for slug in ("acme", "bolt"):
        row = Invoice.objects.create(tenant=Tenant.objects.get(slug=slug), number=7, title=slug)
        row.translate("es", title=slug.upper())
        row.labels.set(Label.objects.all())
    before = book()
    source = replace(INVOICES, pattern=pattern)
    shop.sources = [TENANTS, LABELS, source]
    export_model(shop.scope, source, shop.folder, sources=shop.sources, locales=shop.locales, adopt=True)
    assert shop.counts() == (0, 0, 6, 0)
    for path in (shop.folder / "out").iterdir():
        path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert shop.counts() == (0, 0, 6, 0)
    assert book() == before


def test_what_cannot_be_loaded_says_what_to_do() -> None:
    class Made(models.Model):
        pk = models.CompositePrimaryKey("tenant", "number")
        tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
        number = models.IntegerField(default=lambda: 1)

    class Binder(models.Model):
        pk = models.CompositePrimaryKey("tenant", "number")
        tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
        number = models.IntegerField()
        slug = models.SlugField(unique=True)
        holds = models.ManyToManyField(Invoice, through="Held", related_name="+", blank=True)

    class Held(models.Model):
        tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
        one = models.IntegerField()
        two = models.IntegerField()
        binder = models.ForeignKey(Binder, on_delete=models.CASCADE, from_fields=("tenant", "one"), related_name="+")
        held = models.ForeignKey(Invoice, on_delete=models.CASCADE, from_fields=("tenant", "two"), related_name="+")

    resolve_models({"others": [Made, Binder, Held]})
    assert "'number', of the key of Made, is made by a function" in str(
        Source("made.csv", Made, key="pk").problems()[0]
    )
    assert "both references share a field" in str(Source("binders.csv", Binder).problems()[0])
    assert "'slug' is no field of Invoice" in str(Source("invoices.csv", Invoice).problems()[0])
