"""Statements as text for Oracle and SQL Server, which no test connects to.

The texts are in ``golden/``. Refresh them with TOOLKIT_REFRESH_GOLDEN=1, and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from tests.tables import resolved
from toolkit import models
from toolkit.database import Database
from toolkit.errors import DatabaseError, DatabaseUnavailable, ToolkitError
from toolkit.migrations.editors.statements import comments_of
from toolkit.models import (
    Avg,
    Case,
    Coalesce,
    Concat,
    Count,
    Exists,
    F,
    Length,
    Lower,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    Value,
    When,
)
from toolkit.models.compile import compile_query
from toolkit.models.schema import Schema
from toolkit.models.writing import insert_sql
from toolkit.trace import Scope, entered

GOLDEN = Path(__file__).parent / "golden"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Ruled(models.Model):
    """Constraints and indexes, a value that is computed, defaults and comments."""

    name = models.CharField(max_length=40, db_comment="as printed")
    low = models.IntegerField(db_default=1)
    high = models.IntegerField(db_index=True)
    span = models.GeneratedField(expression=F("high") - F("low"), output_field=models.IntegerField(), db_persist=False)
    seen = models.DateTimeField(null=True)
    version = models.VersionField()

    class Meta:
        db_table_comment = "ruled lines"
        indexes = [models.Index(fields=["name", "-high"], name="ruled_name_high")]
        constraints = [
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="ruled_low_below_high"),
            models.UniqueConstraint(fields=["name", "low"], name="ruled_name_low"),
        ]


RULED = resolved({"news": [Ruled]})

QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "all": lambda m: m.Tag.objects.all(),
    "a slice": lambda m: m.Tag.objects.order_by("-slug")[5:10],
    "the first": lambda m: m.Tag.objects.order_by("name")[:1],
    "by key": lambda m: m.Tag.objects.filter(pk=1),
    "one of several": lambda m: m.Tag.objects.filter(slug__in=["a", "b"]),
    "either": lambda m: m.Tag.objects.filter(Q(slug="a") | ~Q(name="b")),
    "a join": lambda m: m.Story.objects.filter(section__slug="town").values("pk").order_by(),
    "a join that may find nothing": lambda m: m.Story.objects.filter(editor__name=None).values("pk").order_by(),
    "related rows along": lambda m: m.Byline.objects.select_related("author", "story").order_by("position"),
    "order by a relation": lambda m: m.Byline.objects.order_by("author__name", "-pk").values("pk"),
    "many partners": lambda m: m.Tag.objects.filter(stories__weight__gt=1).values("pk").order_by(),
    "no partner": lambda m: m.Tag.objects.filter(stories=None).values("pk").order_by(),
    "excluded partners": lambda m: m.Tag.objects.exclude(stories__weight=1).values("pk").order_by(),
    "a sliced subquery": lambda m: (
        m.Story.objects.filter(section__in=m.Section.objects.order_by("pk")[:2]).values("pk").order_by()
    ),
    "parts of a text": lambda m: (
        m.Tag.objects.filter(name__icontains="x", slug__contains="50%").values("pk").order_by()
    ),
    "the ends of a text": lambda m: m.Tag.objects.filter(name__startswith="a_", slug__iendswith="z").values("pk"),
    "a text whatever its case": lambda m: m.Tag.objects.filter(name__iexact="STRASSE").values("pk"),
    "a regular expression": lambda m: m.Tag.objects.filter(name__regex="^a").values("pk"),
    "between": lambda m: m.Story.objects.filter(weight__range=(1, 3)).values("pk").order_by(),
    "a year": lambda m: m.Story.objects.filter(published__year=2026).values("pk").order_by(),
    "a day": lambda m: m.Story.objects.filter(published__date=date(2026, 3, 1)).values("pk").order_by(),
    "a moment": lambda m: m.Story.objects.filter(published__lt=NOON).values("pk").order_by(),
    "months": lambda m: m.Story.objects.dates("published", "month"),
    "groups": lambda m: m.Story.objects.values("weight").annotate(n=Count("pk")).filter(n__gt=2),
    "a filtered aggregate": lambda m: m.Story.objects.values("weight").annotate(
        n=Count("pk", filter=Q(status="live")), last=Max("published")
    ),
    "partners counted": lambda m: m.Tag.objects.annotate(n=Count("stories")).order_by(),
    "partners added up": lambda m: m.Section.objects.annotate(
        total=Sum("stories__weight"), mean=Avg("stories__weight")
    ).order_by(),
    "distinct": lambda m: m.Story.objects.values("weight").distinct().order_by("weight"),
    "exclude, where either side may be NULL": lambda m: (
        m.Story.objects.exclude(expires__lt=F("published")).values("pk").order_by()
    ),
    "arithmetic": lambda m: (
        m.Story.objects.annotate(twice=F("weight") * 2 + 1).filter(twice__gt=3).values("pk", "twice")
    ),
    "a later moment": lambda m: m.Story.objects.filter(expires__gt=F("published") + timedelta(days=1)).values("pk"),
    "one value or another": lambda m: m.Story.objects.annotate(
        grade=Case(When(weight__gt=3, then=Value("high")), When(weight=0, then=Value("none")), default=Value("low"))
    ).values("pk", "grade"),
    "functions of text": lambda m: m.Author.objects.annotate(
        low=Lower("name"), long=Length("name"), both=Concat("name", Value(" "), "slug")
    ).values("low", "long", "both"),
    "the first that is there": lambda m: m.Comment.objects.annotate(found=Coalesce("score", 0)).values("found"),
    "exists": lambda m: m.Author.objects.filter(Exists(m.Byline.objects.filter(author=OuterRef("pk")))).values("pk"),
    "a value of a subquery": lambda m: m.Author.objects.annotate(
        last=Subquery(m.Byline.objects.filter(author=OuterRef("pk")).order_by("-position").values("position")[:1])
    ).values("pk", "last"),
    "a union": lambda m: m.Tag.objects.filter(slug="a").values("slug").union(m.Author.objects.values("slug")),
    "what both have": lambda m: m.Tag.objects.values("slug").intersection(m.Author.objects.values("slug")),
    "what one has alone": lambda m: m.Tag.objects.values("slug").difference(m.Author.objects.values("slug")),
    "NULLs last": lambda m: m.Story.objects.order_by(F("expires").asc(nulls_last=True)).values("pk"),
    "NULLs first, descending": lambda m: m.Story.objects.order_by(F("expires").desc(nulls_first=True)).values("pk"),
    "a key in JSON": lambda m: m.Everything.objects.filter(json__a__b="x").values("pk"),
    "a condition as a value": lambda m: m.Story.objects.annotate(heavy=Q(weight__gt=3)).values("pk", "heavy"),
    "a lock": lambda m: m.Tag.objects.select_for_update().filter(slug="a"),
    "a lock that does not wait": lambda m: m.Tag.objects.select_for_update(nowait=True).filter(slug="a"),
}

DIALECTS = ["oracle", "mssql"]


class Offline(Database):
    """A database that compiles, and keeps what it would have run."""

    def __init__(self, dialect: str, models: Any) -> None:
        super().__init__(f"{dialect}://nobody@nowhere/none")
        self.schema = Schema(models, dialect)
        self.schema.metadata  # noqa: B018 - makes the tables
        self.ran: list[str] = []
        self._local.pid = os.getpid()

    @property
    def sqlalchemy_dialect(self) -> Any:
        return self.backend.offline_compiler()

    def run(self, sql: str, parameters: Any = ()) -> Any:
        self.ran.append(" ".join(sql.split()))
        return SimpleNamespace(rowcount=1, fetchall=lambda: [(41,)])

    def run_many(self, sql: str, rows: Any) -> int:
        self.run(sql)
        return len(rows)


def plain(text: Any) -> str:
    return " ".join(str(text).split())


def asked(offline: Any, question: Any) -> str:
    query, _ = question._query("instances")
    try:
        return plain(compile_query(offline, query, (False, False, False)).statement.sql)
    except ToolkitError as error:
        return f"refused: {error.message.partition(' (in:')[0]}"


def written(offline: Any, m: Any) -> Iterator[tuple[str, str]]:
    """Inserts, upserts, updates and deletes."""

    def ran(title: str, work: Callable[[], Any]) -> tuple[str, str]:
        offline.ran.clear()
        work()
        return title, "\n".join(offline.ran)

    with entered(Scope(None, offline)) as scope:
        yield "insert", insert_sql(scope, m.Tag, m.Tag._meta.fields, returning=False)
        if offline.backend.returning:
            yield "insert, and give the key", insert_sql(scope, m.Tag, m.Tag._meta.fields[1:], returning=True)
        yield "insert a row of defaults", insert_sql(scope, m.Tag, [], returning=offline.backend.returning)
        tags = [m.Tag(pk=1, name="A", slug="a")]
        yield ran("insert, unless it is there", lambda: m.Tag.objects.bulk_create(tags, ignore_conflicts=True))
        told = {"update_conflicts": True, "update_fields": ["name"], "unique_fields": ["slug"]}
        yield ran("insert or update", lambda: m.Tag.objects.bulk_create(tags, **told))
        ruled = [Ruled(pk=1, name="A", low=1, high=2)]
        told = {"update_conflicts": True, "update_fields": ["high"], "unique_fields": ["name", "low"]}
        yield ran("insert or update, and count", lambda: Ruled.objects.bulk_create(ruled, **told))
        yield ran("update", lambda: m.Tag.objects.filter(slug="a").update(name="A"))
        yield ran("update by what was there", lambda: m.Story.objects.update(weight=F("weight") + 1))
        yield ran("delete", lambda: m.Profile.objects.filter(motto="a").delete())
        yield ran("a transaction", lambda: transaction(offline))


def transaction(offline: Any) -> None:
    with offline.atomic(), offline.atomic():
        offline.run("SELECT 1")


def tables(offline: Any) -> Iterator[tuple[str, str]]:
    for model in offline.schema:
        table = offline.schema.table(model)
        compiled = [CreateTable(table), *(CreateIndex(i) for i in sorted(table.indexes, key=lambda i: str(i.name)))]
        statements = [plain(construct.compile(dialect=offline.sqlalchemy_dialect)) for construct in compiled]
        statements += comments_of(table, offline)
        yield f"table {model._meta.label}", "\n".join(statements)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_statements_are_the_golden_ones(m: Any, dialect: str) -> None:
    offline = Offline(dialect, [*m.MODELS, *RULED])
    found = [(name, asked(offline, make(m))) for name, make in QUESTIONS.items()]
    found += [*written(offline, m), *tables(offline)]
    text = "".join(f"-- {title}\n{statement}\n\n" for title, statement in found)
    path = GOLDEN / f"{dialect}.sql"
    if os.environ.get("TOOLKIT_REFRESH_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_statement_has_words_that_the_dialect_does_not_know(dialect: str) -> None:
    text = (GOLDEN / f"{dialect}.sql").read_text()
    foreign = {
        "oracle": ["LIMIT ", " RETURNING ", "ON CONFLICT", "[", "VALUES (?"],
        "mssql": ["LIMIT ", " RETURNING ", "ON CONFLICT", "`", "DEFERRABLE"],
    }
    assert [word for word in foreign[dialect] if word in text] == []


def test_what_sql_server_cannot_be_asked_is_refused_with_its_reason(m: Any) -> None:
    query, _ = m.Tag.objects.filter(name__regex="^a")._query("instances")
    with pytest.raises(DatabaseError, match="cannot be asked this: mssql dialect does not support regular expressions"):
        compile_query(Offline("mssql", m.MODELS), query, (False, False, False))


@pytest.mark.parametrize(("url", "title"), [("oracle://x@y/z", "Oracle"), ("mssql://x@y/z", "SQL Server")])
def test_an_untried_database_is_opened_for_those_alone_who_say_so(url: str, title: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=rf"{title} are compiled .* Add \?untried=yes to the URL"):
        Database(url).fetch("SELECT 1")
    with pytest.raises(DatabaseUnavailable, match=rf"{title} are compiled"):
        Database(url).table_names()  # which migrations ask first
    with pytest.raises(DatabaseUnavailable, match=r"is not installed.*publishing-toolkit\[(oracle|mssql)\]"):
        Database(f"{url}?untried=yes").fetch("SELECT 1")
