"""Tables, columns and constraints may be called as they like: quotes, spaces, and what stands for a value in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tables import opened_with, resolved
from toolkit import models
from toolkit.database import install_tokens, read_tokens
from toolkit.errors import DeclarationError, IntegrityError, ValidationError
from toolkit.models import Count, F, Max, Q
from toolkit.models.functions import Lower
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered

from .conftest import KINDS, URLS


class Group(models.Model):
    name = models.CharField(max_length=20, db_column="na me%")

    class Meta:
        db_table = 'gr"o`u]p%s'


class Tax(models.Model):
    rate = models.PositiveIntegerField(db_column="ra te%d", default=3)
    name = models.CharField(max_length=20, unique=True, db_column="select")
    group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, related_name="taxes", db_column="gr%oup")
    marks = models.ManyToManyField(Group, db_table="tax marks%s", related_name="marked")
    low = models.GeneratedField(
        expression=Lower(F("name")), output_field=models.CharField(max_length=20), db_persist=True, db_column="lo%w"
    )
    count = models.IntegerField(default=1, db_column="a:b?c")
    version = models.VersionField(db_column="ver%sion")
    meta = models.IntegerField(default=1)

    class Meta:
        db_table = "tax%%s"
        constraints = [
            models.CheckConstraint(condition=Q(rate__lt=100), name="chk%"),
            models.UniqueConstraint(fields=["rate", "name"], name="uq%s"),
        ]
        indexes = [models.Index(fields=["-rate"], name="ix%"), models.Index(Lower("name"), name="low%u")]


MODELS = resolved({"odd": [Group, Tax]})


@pytest.fixture(scope="module", params=URLS, ids=KINDS)
def shared_odd(request: pytest.FixtureRequest) -> Iterator[Any]:
    database = opened_with(request.param, MODELS)
    yield database
    database.drop()


@pytest.fixture
def odd(shared_odd: Any) -> Iterator[Any]:
    with entered(Scope(None, shared_odd)):
        group = Group.objects.create(name="food")
        Tax.objects.bulk_create([Tax(rate=n, name=f"Tax {n}", group=group) for n in range(60)])
        yield shared_odd
        Tax.objects.all().delete()
        Group.objects.all().delete()


def test_rows_are_written_and_found(odd: Any) -> None:
    tax = Tax.objects.get(name="Tax 7")
    tax.count = F("count") + 1
    tax.save()
    assert (tax.count, tax.low, tax.version) == (2, "tax 7", 2)
    assert Tax.objects.filter(group__name="food", rate__gte=50, low__contains="tax").update(count=5) == 10
    tax.rate = 8
    assert Tax.objects.bulk_update([tax], ["rate"]) == 1
    assert Tax.objects.defer("rate").get(pk=tax.pk).rate == 8
    assert sum(row.count for row in Tax.objects.iterator(chunk_size=7)) == 49 + 2 + 50
    assert Tax.objects.filter(rate=50).union(Tax.objects.filter(rate=51)).count() == 2


def test_relations_lead_along_them(odd: Any) -> None:
    group, tax = Group.objects.get(), Tax.objects.get(name="Tax 7")
    tax.marks.add(group)
    assert list(group.marked.all()) == [tax]
    assert [len(each.taxes.all()) for each in Group.objects.all()] == [60]
    assert Group.objects.annotate(n=Count("taxes"), most=Max("taxes__rate")).values_list("n", "most").get() == (60, 59)
    assert group.delete() == {"odd.Tax_marks": 1, "odd.Group": 1}
    assert Tax.objects.filter(group=None).count() == 60


def test_constraints_hold_and_are_told(odd: Any) -> None:
    with pytest.raises(IntegrityError, match="chk%"):
        Tax.objects.create(rate=500, name="Much")
    with pytest.raises(IntegrityError, match="Tax with this name already exists"):
        Tax.objects.create(rate=1, name="Tax 7")
    with pytest.raises(ValidationError, match="Tax with this name already exists"):
        Tax(rate=1, name="Tax 7").full_clean()
    Tax.objects.get(name="Tax 7").full_clean()


def test_tokens_are_kept_of_the_tables(odd: Any) -> None:
    names = [model._meta.table for model in MODELS]
    install_tokens(odd, names)
    before = read_tokens(odd, names)
    Tax.objects.update(count=9)
    after = read_tokens(odd, names)
    assert Tax._meta.table not in after
    assert all(before[name] == token for name, token in after.items())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"related_name": "%(clas)s_taxes"}, r"odd\.One\.group: '%\(clas\)s_taxes' asks for a name that no model has"),
        ({"related_query_name": "%(class)"}, r"odd\.One\.group: '%\(class\)' asks for a name"),
    ],
)
def test_a_name_that_asks_for_what_no_model_has_is_refused(options: dict[str, str], told: str) -> None:
    class Other(models.Model):
        pass

    class One(models.Model):
        group = models.ForeignKey(Other, on_delete=models.CASCADE, **options)

    with pytest.raises(DeclarationError, match=told):
        resolve_models({"odd": [Other, One]})


def test_a_constraint_that_asks_for_what_no_model_has_is_refused() -> None:
    class One(models.Model):
        number = models.IntegerField()

        class Meta:
            constraints = [models.UniqueConstraint(fields=["number"], name="%(klass)s_once")]

    told = r"odd\.One\.Meta: the name of the UniqueConstraint: '%\(klass\)s_once' .*There are %\(class\)s, "
    with pytest.raises(DeclarationError, match=told):
        resolve_models({"odd": [One]})
