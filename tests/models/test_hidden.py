"""Indexes over what is computed, on a database that indexes columns alone (MariaDB)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from tests.tables import resolved
from toolkit import models
from toolkit.database import spelling
from toolkit.errors import FieldError, IntegrityError, ValidationError
from toolkit.models import Concat, F, Lower, Q, Value
from toolkit.models.hidden import hidden_name
from toolkit.models.inspecting.tables import read_tables
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered

NAMES = ["text", "number", "small", "exact", "real", "truth", "day", "hour", "moment", "length", "ident", "address"]


class Kinds(models.Model):
    """One field of each kind that may be unique; see ``test_every_kind_of_field``."""

    text = models.CharField(max_length=20, null=True)
    number = models.IntegerField(null=True)
    small = models.SmallIntegerField(null=True)
    exact = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    real = models.FloatField(null=True)
    truth = models.BooleanField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    moment = models.DateTimeField(null=True)
    length = models.DurationField(null=True)
    ident = models.UUIDField(null=True)
    address = models.GenericIPAddressField(null=True)
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=[name], condition=Q(live=True, ident__isnull=False), name=f"{name}_once")
            for name in NAMES
        ]


KINDS = resolved({"press": [Kinds]})


class Heading(models.Model):
    title = models.CharField(max_length=40)
    byline = models.CharField(max_length=40, blank=True)
    live = models.BooleanField(default=True)
    weight = models.IntegerField(default=0)
    slug = models.SlugField(unique=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("title"), name="title_in_any_case"),
            models.UniqueConstraint(fields=["byline", "weight"], condition=Q(live=True), name="one_live_byline"),
            models.UniqueConstraint(Lower("slug"), condition=~Q(title__contains="100%"), name="slug_in_any_case"),
        ]
        indexes = [models.Index(F("weight").desc(), Concat("title", Value(": it's"), "byline"), name="in_order")]


MODELS = resolved({"press": [Heading]})


def texts(dialect: str) -> dict[str, str]:
    schema = Schema([Heading], dialect)
    compiler = spelling(dialect).literal_compiler()
    return {
        str(index.name): str(CreateIndex(index).compile(dialect=compiler)) for index in schema.table(Heading).indexes
    }


def test_a_column_and_its_index_come_in_one_statement() -> None:
    assert Schema([Heading], "mysql").problems() == []
    exact = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
    live = texts("mysql")["one_live_byline"]
    assert live == (
        f"ALTER TABLE press_heading ADD COLUMN one_live_byline_1 VARCHAR(40) {exact} GENERATED ALWAYS AS "
        "(CASE WHEN (live = true) THEN (byline) END) VIRTUAL INVISIBLE, ADD COLUMN one_live_byline_2 BIGINT GENERATED "
        "ALWAYS AS (CASE WHEN (live = true) THEN (weight) END) VIRTUAL INVISIBLE, ADD UNIQUE INDEX one_live_byline "
        "(one_live_byline_1, one_live_byline_2)"
    )
    ordered = texts("mysql")["in_order"]
    assert "ADD INDEX in_order (in_order_1 DESC, in_order_2)" in ordered
    assert "in_order_2 VARCHAR(240)" in ordered  # a character may become three


def test_they_go_together() -> None:
    table = Schema([Heading], "mysql").table(Heading)
    (index,) = [one for one in table.indexes if one.name == "one_live_byline"]
    assert str(DropIndex(index).compile(dialect=spelling("mysql").literal_compiler())) == (
        "ALTER TABLE press_heading DROP INDEX one_live_byline, DROP COLUMN one_live_byline_1, "
        "DROP COLUMN one_live_byline_2"
    )


def test_other_databases_index_the_expression_itself() -> None:
    for dialect in ("sqlite", "postgresql"):
        assert texts(dialect)["one_live_byline"].startswith("CREATE UNIQUE INDEX one_live_byline ON press_heading")


def test_a_long_name_is_cut_and_stays_its_own() -> None:
    first, second = hidden_name("i" * 63, 1), hidden_name("i" * 62 + "j", 1)
    assert len(first) <= 60
    assert first != second
    assert hidden_name("short", 2) == "short_2"


@pytest.fixture
def press(database: Any) -> Any:
    before = database.schema
    database.schema = Schema([*before.models, *MODELS], database.dialect)
    table = database.schema.table(Heading)
    database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
    for index in table.indexes:
        database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))
    with entered(Scope(None, database)):
        yield database
    database.execute("DROP TABLE press_heading")
    database.schema = before
    database.shapes.clear()
    database.lookups.clear()


def heading(number: int, **values: Any) -> Heading:
    return Heading(**{"title": f"Title {number}", "slug": f"s{number}", "byline": f"b{number}", **values})


def test_what_is_unique_is_told_in_the_same_words_before_and_after(press: Any) -> None:
    heading(1, title="Überschrift").save()
    for row, name in (
        (heading(2, title="ÜBERSCHRIFT"), "title_in_any_case"),
        (heading(3, byline="b1"), "one_live_byline"),
        (heading(4, slug="S1"), "slug_in_any_case"),
    ):
        with pytest.raises(ValidationError, match=rf"{name}|Heading with this byline, weight already exists") as before:
            row.full_clean()
        with pytest.raises(IntegrityError, match=r"Nothing was written") as after:
            row.save()
        assert after.value.constraint == name
        assert after.value.validation is not None
        assert after.value.validation.message_dict == before.value.message_dict


def test_rows_that_the_condition_leaves_out_may_agree(press: Any) -> None:
    Heading.objects.bulk_create([heading(1), heading(2, byline="b1", live=False), heading(3, byline="b1", live=False)])
    assert Heading.objects.filter(byline="b1").count() == 3
    with pytest.raises(IntegrityError, match=r"Nothing was written") as refused:
        Heading.objects.filter(live=False).update(live=True)
    assert refused.value.constraint == "one_live_byline"
    heading(4, slug="S3", title="100%").save()


def test_nobody_sees_the_columns(press: Any) -> None:
    heading(1).save()
    (row,) = press.fetch("SELECT * FROM press_heading")
    assert len(row) == 6
    (table,) = read_tables(press, ["press_heading"])
    assert list(table.columns) == ["id", "title", "byline", "live", "weight", "slug"]
    assert table.uniques == [("press_heading_slug_key", ("slug",))]


def test_a_conflict_of_another_rule_is_no_reason_to_change_a_row(press: Any) -> None:
    options: dict[str, Any] = {"update_conflicts": True, "update_fields": ["title"], "unique_fields": ["slug"]}
    heading(1).save()
    if press.backend.conflict_targets:
        Heading.objects.bulk_create([heading(1, title="New")], **options)
        assert Heading.objects.get().title == "New"
        return
    with pytest.raises(FieldError, match=r"Heading has other unique fields \(.*title_in_any_case.*cannot be told"):
        Heading.objects.bulk_create([heading(1, title="New")], **options)


def test_every_kind_of_field(database: Any) -> None:
    before = database.schema
    database.schema = Schema([*before.models, *KINDS], database.dialect)
    table = database.schema.table(Kinds)
    database.execute(str(CreateTable(table).compile(dialect=database.sqlalchemy_dialect)))
    try:
        for index in table.indexes:
            database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))
        with entered(Scope(None, database)):
            one = UUID(int=1)
            Kinds.objects.create(ident=one, moment=datetime(2026, 3, 1, tzinfo=UTC))
            Kinds.objects.create(ident=one, live=False)
            with pytest.raises(IntegrityError, match=r"Nothing was written") as refused:
                Kinds.objects.create(ident=one)
            assert refused.value.constraint == "ident_once"
            with pytest.raises(IntegrityError, match=r"Nothing was written") as refused:
                Kinds.objects.create(ident=UUID(int=2), moment=datetime(2026, 3, 1, tzinfo=UTC))
            assert refused.value.constraint == "moment_once"
    finally:
        database.execute("DROP TABLE press_kinds")
        database.schema = before
        database.shapes.clear()
        database.lookups.clear()
