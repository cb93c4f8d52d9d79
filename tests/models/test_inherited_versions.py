"""A version that is in the table of a parent: whatever writes a row raises it there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tables import resolved
from toolkit import models
from toolkit.content import tables
from toolkit.errors import StaleInstanceError
from toolkit.models.functions import Upper
from toolkit.trace import Scope, entered

from .conftest import own_database


class Desk(models.Model):
    name = models.CharField(max_length=20)


class Item(models.Model):
    title = models.CharField(max_length=20)
    loud = models.GeneratedField(
        expression=Upper("title"), output_field=models.CharField(max_length=20), db_persist=True
    )
    version = models.VersionField()


class Story(Item):
    desk = models.ForeignKey(Desk, null=True, on_delete=models.SET_NULL)


class Report(Story):
    chief = models.ForeignKey(Desk, null=True, on_delete=models.SET_NULL, related_name="led")


shared_database = own_database(resolved({"press": [Desk, Item, Story, Report]}))


@pytest.fixture
def press(database: Any) -> Iterator[Any]:
    with entered(Scope(None, database)):
        yield database


@pytest.fixture
def report(press: Any) -> Any:
    """A report of a desk, and another one, which nothing concerns."""
    Report.objects.create(title="another")
    desk = Desk.objects.create(name="Sea")
    return Report.objects.create(title="flood", desk=desk, chief=desk)


def test_a_reference_that_a_delete_lets_go_of_raises_it(report: Any) -> None:
    report.desk.delete()
    told = Report.objects.order_by("pk").values_list("title", "desk", "chief", "version")
    assert list(told) == [("another", None, None, 1), ("flood", None, None, 3)]  # two references, two writes
    report.title = "mine"
    with pytest.raises(StaleInstanceError, match="it has version 3 in the database, and 1 here"):
        report.save()


def test_content_files_and_data_raise_it_once_whichever_columns_they_write(report: Any, press: Any) -> None:
    fields = [field.attname for field in tables.stored_fields(Report)]
    (row,) = tables.fetch_rows(press, Report, [report.pk]).values()
    changed = tuple("storm" if name == "title" else value for name, value in zip(fields, row, strict=True))
    tables.update_rows(press, Report, [changed])
    assert list(Report.objects.order_by("pk").values_list("title", "version")) == [("another", 1), ("storm", 2)]


def test_a_bulk_update_reads_anew_what_the_database_computes(report: Any) -> None:
    assert report.loud == "FLOOD"
    report.title = "storm"
    assert Report.objects.bulk_update([report], ["title"]) == 1
    assert (report.loud, report.version) == ("STORM", 2)
