"""References from files to rows with a composite key: told by several values, kept in several columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.servers import SERVERS
from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.content import Source, export_model
from toolkit.trace import Scope, entered

from .conftest import Desk


class Tenant(models.Model):
    slug = models.SlugField(unique=True)
    text = models.MarkdownField(blank=True)


class Invoice(models.Model):
    pk = models.CompositePrimaryKey("tenant", "number")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    title = models.CharField(max_length=40, blank=True)


class Issue(models.Model):
    """Is named by one value, and has a key of two."""

    pk = models.CompositePrimaryKey("day", "code")
    day = models.DateField()
    code = models.CharField(max_length=20)
    slug = models.SlugField(unique=True)


class Shelf(models.Model):
    """Comes from no file, and is named by its key."""

    pk = models.CompositePrimaryKey("day", "name")
    day = models.DateField()
    name = models.CharField(max_length=20)


class Mail(models.Model):
    slug = models.SlugField(unique=True)
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="+")
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, null=True, related_name="+")
    shelf = models.ForeignKey(Shelf, on_delete=models.CASCADE, null=True, related_name="+")


class Reader(models.Model):
    slug = models.SlugField(unique=True)
    read = models.ManyToManyField(Invoice, related_name="+", blank=True)
    text = models.MarkdownField(blank=True)


class Line(models.Model):
    """Shares a field between two references."""

    slug = models.SlugField(unique=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="+")
    number = models.IntegerField(null=True)
    other = models.IntegerField(null=True)
    invoice = models.ForeignKey(
        Invoice, on_delete=models.CASCADE, from_fields=("tenant", "number"), null=True, related_name="+"
    )
    credit = models.ForeignKey(
        Invoice, on_delete=models.CASCADE, from_fields=("tenant", "other"), null=True, related_name="+"
    )


MODELS = resolved({"shop": [Tenant, Invoice, Issue, Shelf, Mail, Reader, Line]})
TENANTS, INVOICES = Source("tenants.csv", Tenant), Source("invoices.yaml", Invoice, key="pk")
ISSUES, MAILS = Source("issues.csv", Issue), Source("mails.yaml", Mail)
READERS, LINES = Source("readers/*.md", Reader), Source("lines.json", Line)
SOURCES = [TENANTS, INVOICES, ISSUES, MAILS, READERS, LINES]
BOOK = "- {tenant: acme, number: 7}\n- {tenant: acme, number: 8}\n- {tenant: bolt, number: 7}\n"


def make(url: str) -> Any:
    return opened_with(url, MODELS)


@pytest.fixture(params=["sqlite://", *SERVERS], ids=lambda url: url.partition(":")[0])
def shop(request: pytest.FixtureRequest, find_shared: Callable[[str], Any], tmp_path: Path) -> Iterator[Desk]:
    with entered(Scope(None, find_shared(request.param))) as scope:
        desk = Desk(tmp_path, scope, SOURCES)
        Shelf.objects.create(day="2026-03-01", name="left|right")
        desk.write("tenants.csv", "slug\nacme\nbolt\n")
        desk.write("invoices.yaml", BOOK)
        desk.write("issues.csv", "slug,day,code\nspring,2026-03-01,a\n")
        desk.write("mails.yaml", "- {slug: m, invoice: [acme, 7], issue: spring}\n")
        desk.write("readers/ann.md", "---\nread: [[acme, 8], {tenant: bolt, number: 7}, acme|7]\n---\n")
        desk.write("lines.json", "[]")
        yield desk
        desk.sources = []
        desk.load()  # the rows of all files go
        for model in (Mail, Reader, Line, Invoice, Issue, Shelf, Tenant):
            model.objects.all().delete()


def shown(invoice: Any) -> tuple[str, int] | None:
    return None if invoice is None else (invoice.tenant.slug, invoice.number)


def read_by_ann() -> list[Any]:
    return sorted(map(shown, Reader.objects.get(slug="ann").read.all()))


def test_a_row_is_named_by_the_values_of_its_key_and_by_its_slug(shop: Desk) -> None:
    assert shop.counts() == (8, 0, 0, 0)
    assert shop.counts() == (0, 0, 8, 0)
    mail = Mail.objects.get()
    assert (shown(mail.invoice), mail.issue.slug, mail.shelf) == (("acme", 7), "spring", None)
    assert read_by_ann() == [("acme", 7), ("acme", 8), ("bolt", 7)]


@pytest.mark.parametrize("said", ["[bolt, 7]", "[bolt, '7']", "{number: 7, tenant: bolt}", "bolt|7", "' bolt | 7'"])
def test_each_form_says_the_same(shop: Desk, said: str) -> None:
    shop.load()
    shop.write("mails.yaml", f"- {{slug: m, invoice: {said}, shelf: 2026-03-01|left\\|right}}\n")
    assert shop.counts() == (0, 1, 7, 0)
    mail = Mail.objects.get()
    assert (shown(mail.invoice), mail.issue, mail.shelf.name) == (("bolt", 7), None, "left|right")
    shop.write("mails.yaml", f"- {{slug: m, shelf: [2026-03-01, left|right], invoice: {said}}}\n")
    assert shop.counts() == (0, 0, 8, 0)


def test_what_names_no_row_is_told_where_it_stands(shop: Desk) -> None:
    shop.write(
        "mails.yaml",
        "- {slug: a, invoice: [acme, 70]}\n- {slug: b, invoice: [acne, 7]}\n- {slug: c, invoice: acme}\n"
        "- {slug: d, invoice: {tenant: acme}}\n- {slug: e, invoice: [acme, x]}\n- {slug: f}\n",
    )
    shop.write("readers/ann.md", "---\nread:\n- [acme, 7]\n- acme\n- 8\n---\n")
    hint = "Name a Invoice by its tenant and number: [tenant, number]."
    assert shop.problems()[:6] == [
        f"mails.yaml:3:22: invoice: 'acme' does not say tenant and number, and no more. {hint}",
        f"mails.yaml:4:22: invoice: {{'tenant': 'acme'}} does not say tenant and number, and no more. {hint}",
        f"mails.yaml:5:22: invoice: 'x' is not a whole number. {hint}",
        f"mails.yaml:6:3: invoice is missing. {hint}",
        f"readers/ann.md:4:3: read: 'acme' does not say tenant and number, and no more. {hint}",
        f"readers/ann.md:5:3: read: 8 does not say tenant and number, and no more. {hint}",
    ]
    shop.write("mails.yaml", "- {slug: a, invoice: [acme, 70]}\n- {slug: b, invoice: [acne, 7]}\n")
    shop.write("readers/ann.md", "---\nread:\n- [acme, 7]\n- [bolt, 9]\n---\n")
    assert [one.partition(". There")[0] for one in shop.problems()] == [
        "mails.yaml:1:22: invoice: there is no Invoice with the pk 'acme|70'. Did you mean 'acme|7' or 'acme|8'?",
        "mails.yaml:2:22: invoice: tenant: there is no Tenant with the slug 'acne'. Did you mean 'acme'?",
        "readers/ann.md:4:3: read: there is no Invoice with the pk 'bolt|9'. Did you mean 'bolt|7'?",
    ]
    assert not Tenant.objects.exists()


def test_references_follow_the_rows_that_the_key_names(shop: Desk) -> None:
    shop.load()
    shop.write("tenants.csv", "slug\nbolt\ncorp\n")
    shop.write("invoices.yaml", BOOK.replace("acme", "corp"))
    assert [one.partition(". ")[0] for one in shop.problems()] == [
        "mails.yaml:1:22: invoice: tenant: there is no Tenant with the slug 'acme'",
        "readers/ann.md:2:8: read: tenant: there is no Tenant with the slug 'acme'",
        "readers/ann.md:2:46: read: tenant: there is no Tenant with the slug 'acme'",
    ]
    shop.write("mails.yaml", "- {slug: m, invoice: [corp, 7]}\n")
    shop.write("readers/ann.md", "---\nread: [[corp, 8]]\n---\n")
    shop.load()
    assert (shown(Mail.objects.get().invoice), read_by_ann()) == (("corp", 7), [("corp", 8)])
    shop.write("invoices.yaml", BOOK.replace("acme", "corp").replace("number: 7", "number: 9"))
    assert len(shop.problems()) == 1


def test_tenants_that_exchange_their_names_take_along_who_is_named_by_them(shop: Desk) -> None:
    shop.sources = [Source("tenants/*.md", Tenant), *SOURCES[1:]]
    shop.write("tenants/acme.md", "---\n---\n")
    shop.write("tenants/bolt.md", "---\n---\n")
    shop.load()
    keys = {tenant.slug: tenant.pk for tenant in Tenant.objects.all()}
    shop.write("tenants/acme.md", "---\nslug: bolt\n---\n")
    shop.write("tenants/bolt.md", "---\nslug: acme\n---\n")
    shop.load()
    assert {tenant.slug: tenant.pk for tenant in Tenant.objects.all()} == {"acme": keys["bolt"], "bolt": keys["acme"]}
    assert (shown(Mail.objects.get().invoice), read_by_ann()) == (("acme", 7), [("acme", 7), ("acme", 8), ("bolt", 7)])


def test_declared_fields_say_a_reference_or_are_filled_by_it(shop: Desk) -> None:
    shop.write(
        "lines.json",
        '[{"slug": "a", "tenant": "acme", "number": 7}, {"slug": "b", "invoice": ["acme", 8], "credit": "acme|7"},'
        '{"slug": "c", "invoice": ["bolt", 7], "tenant": "bolt", "number": 7}, {"slug": "d", "number": 7}]',
    )
    shop.load()
    rows = Line.objects.order_by("slug")
    assert [(shown(row.invoice), shown(row.credit), row.number, row.other) for row in rows] == [
        (("acme", 7), None, 7, None),
        (("acme", 8), ("acme", 7), 8, 7),
        (("bolt", 7), None, 7, None),
        (None, None, 7, None),
    ]
    assert shop.counts() == (0, 0, 12, 0)


def test_fields_and_references_that_disagree_are_told(shop: Desk) -> None:
    shop.write(
        "lines.json",
        '[{"slug": "a", "tenant": "acme", "number": 70},\n{"slug": "b", "invoice": ["acme", 8], "number": 7},\n'
        '{"slug": "c", "invoice": ["acme", 8], "credit": ["bolt", 7]}]',
    )
    hint = "Let both say the same, or leave one of them out."
    assert shop.problems() == [
        "lines.json:1:2: invoice: there is no Invoice with this tenant and number. Change them, or leave it out.",
        f"lines.json:2:26: invoice: it has another number than number says. {hint}",
        f"lines.json:3:49: credit: it has another tenant than invoice says. {hint}",
    ]
    assert not Line.objects.exists()


@pytest.mark.parametrize("suffix", ["yaml", "json", "csv", "md"])
def test_a_folder_gives_back_what_was_written_to_it(shop: Desk, suffix: str) -> None:
    shop.write("lines.json", '[{"slug": "b", "invoice": ["acme", 8], "credit": "acme|7"}, {"slug": "d"}]')
    shop.load()
    Mail.objects.update(shelf=Shelf.objects.get())
    before = shop.dump()
    moved = [Invoice, Mail, Line, Reader] if suffix != "md" else []
    shop.sources = [
        replace(each, pattern=f"out/{each.model.__name__}.{suffix}") if each.model in moved else each
        for each in SOURCES
    ]
    for source in shop.sources:
        export_model(shop.scope, source, shop.folder, sources=shop.sources, locales=shop.locales, adopt=True)
    assert shop.counts() == (0, 0, 10, 0)
    for path in [each for each in shop.folder.rglob("*.*") if each.is_file()]:
        text = path.read_text(encoding="utf-8")
        text = text.replace("---\n", "---\n# again\n", 1) if path.suffix == ".md" else f"{text}\n"
        path.write_text(text, encoding="utf-8")
    assert shop.counts() == (0, 0, 10, 0)
    assert shop.dump() == before


def test_a_cell_says_what_it_can(shop: Desk) -> None:
    shop.load()
    readers = Source("out.csv", Reader)
    export_model(shop.scope, readers, shop.folder, sources=[readers, *SOURCES[:4]])
    assert (shop.folder / "out.csv").read_text(encoding="utf-8") == 'slug,read\nann,"acme|7, acme|8, bolt|7"\n'
    export_model(shop.scope, MAILS, shop.folder / "out", sources=SOURCES)
    text = (shop.folder / "out/mails.yaml").read_text(encoding="utf-8")
    assert text == "- slug: m\n  invoice:\n  - acme\n  - 7\n  issue: spring\n"
