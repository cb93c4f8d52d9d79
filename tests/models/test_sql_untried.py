"""Statements as text for Oracle and SQL Server, which no test connects to."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.schema import CreateTable

from toolkit.database import Database
from toolkit.errors import DatabaseError, DatabaseUnavailable
from toolkit.models import Count, F
from toolkit.models.compile import compile_query
from toolkit.models.schema import Schema
from toolkit.models.writing import insert_sql
from toolkit.trace import Scope, entered

TAG = "news_tag.id, news_tag.name, news_tag.slug"

QUESTIONS: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a slice": (
        lambda m: m.Tag.objects.order_by("-slug")[5:10],
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.slug DESC, news_tag.id OFFSET :1 ROWS FETCH FIRST :2 ROWS ONLY",
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.slug DESC, news_tag.id OFFSET ? ROWS FETCH FIRST ? ROWS ONLY",
    ),
    "the first": (
        lambda m: m.Tag.objects.order_by("name")[:1],
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.name, news_tag.id FETCH FIRST :1 ROWS ONLY",
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.name, news_tag.id OFFSET 0 ROWS FETCH FIRST ? ROWS ONLY",
    ),
    "a join": (
        lambda m: m.Story.objects.filter(section__slug="town").values("pk").order_by(),
        "SELECT news_story.id AS v0 FROM news_story JOIN news_section t1 ON news_story.section_id = t1.id "
        "WHERE t1.slug = :1 ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id "
        "WHERE t1.slug = ? ORDER BY news_story.id",
    ),
    "a join that may find nothing": (
        lambda m: m.Story.objects.filter(editor__name=None).values("pk").order_by(),
        "SELECT news_story.id AS v0 FROM news_story LEFT OUTER JOIN news_author t1 ON news_story.editor_id = t1.id "
        "WHERE t1.name IS NULL ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story LEFT OUTER JOIN news_author AS t1 ON news_story.editor_id = t1.id "
        "WHERE t1.name IS NULL ORDER BY news_story.id",
    ),
    "many partners": (
        lambda m: m.Tag.objects.filter(stories__weight__gt=1).values("pk").order_by(),
        "SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.id IN (SELECT t2.tag_id FROM news_story t1 "
        "JOIN news_story_tags t2 ON t2.story_id = t1.id WHERE t1.weight > :1 AND t2.tag_id IS NOT NULL) "
        "ORDER BY news_tag.id",
        "SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.id IN (SELECT t2.tag_id FROM news_story AS t1 "
        "JOIN news_story_tags AS t2 ON t2.story_id = t1.id WHERE t1.weight > ? AND t2.tag_id IS NOT NULL) "
        "ORDER BY news_tag.id",
    ),
    "a sliced subquery": (
        lambda m: m.Story.objects.filter(section__in=m.Section.objects.order_by("pk")[:2]).values("pk").order_by(),
        "SELECT news_story.id AS v0 FROM news_story WHERE news_story.section_id IN (SELECT t1.id AS v0 FROM "
        "news_section t1 ORDER BY t1.id FETCH FIRST :1 ROWS ONLY) ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story WHERE news_story.section_id IN (SELECT t1.id AS v0 "
        "FROM news_section AS t1 ORDER BY t1.id OFFSET 0 ROWS FETCH FIRST ? ROWS ONLY) ORDER BY news_story.id",
    ),
    "parts of a text": (
        lambda m: m.Tag.objects.filter(name__icontains="x", slug__contains="50%").values("pk").order_by(),
        "SELECT news_tag.id AS v0 FROM news_tag WHERE upper(news_tag.name) LIKE upper(:1) ESCAPE '\\' "
        "AND news_tag.slug LIKE :2 ESCAPE '\\' ORDER BY news_tag.id",
        "SELECT news_tag.id AS v0 FROM news_tag WHERE upper(news_tag.name) LIKE upper(?) ESCAPE '\\' "
        "AND news_tag.slug LIKE ? ESCAPE '\\' ORDER BY news_tag.id",
    ),
    "groups": (
        lambda m: m.Story.objects.values("weight").annotate(n=Count("pk")).filter(n__gt=2),
        "SELECT news_story.weight AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.weight "
        "HAVING count(news_story.id) > :1 ORDER BY news_story.weight",
        "SELECT news_story.weight AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.weight "
        "HAVING count(news_story.id) > ? ORDER BY news_story.weight",
    ),
    "partners counted": (
        lambda m: m.Tag.objects.annotate(n=Count("stories")).order_by(),
        f"SELECT {TAG}, (SELECT count(t1.id) AS count_1 FROM news_story t1 JOIN news_story_tags t2 "
        f"ON t2.story_id = t1.id WHERE t2.tag_id = news_tag.id) AS a_1 FROM news_tag ORDER BY news_tag.id",
        f"SELECT {TAG}, (SELECT count(t1.id) AS count_1 FROM news_story AS t1 JOIN news_story_tags AS t2 "
        "ON t2.story_id = t1.id WHERE t2.tag_id = news_tag.id) AS a_1 FROM news_tag ORDER BY news_tag.id",
    ),
    "a year": (
        lambda m: m.Story.objects.filter(published__year=2026).values("pk").order_by(),
        "SELECT news_story.id AS v0 FROM news_story WHERE news_story.published BETWEEN :1 AND :2 "
        "ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story WHERE news_story.published BETWEEN ? AND ? ORDER BY news_story.id",
    ),
    "a month": (
        lambda m: m.Story.objects.filter(published__month=3).values("pk").order_by(),
        "SELECT news_story.id AS v0 FROM news_story WHERE CAST(floor(EXTRACT(month FROM news_story.published)) "
        "AS INTEGER) = :1 ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story WHERE CAST(floor(DATEPART(month, news_story.published)) "
        "AS INTEGER) = ? ORDER BY news_story.id",
    ),
    "exclude, where either side may be NULL": (
        lambda m: m.Story.objects.exclude(expires__lt=F("published")).values("pk").order_by(),
        "SELECT news_story.id AS v0 FROM news_story WHERE "
        "CASE WHEN (news_story.expires < news_story.published) THEN 1 ELSE 0 END != 1 "
        "ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story WHERE "
        "CASE WHEN (news_story.expires < news_story.published) THEN 1 ELSE 0 END != 1 "
        "ORDER BY news_story.id",
    ),
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


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_sql_of(m: Any, name: str, dialect: str) -> None:
    make, *expected = QUESTIONS[name]
    query, _ = make(m)._query("instances")
    shape = compile_query(Offline(dialect, m.MODELS), query, (False, False, False))
    assert " ".join(shape.statement.sql.split()) == expected[DIALECTS.index(dialect)]


def test_inserts_updates_and_deletes(m: Any) -> None:
    told = {}
    for dialect in DIALECTS:
        database: Any = Offline(dialect, m.MODELS)
        with entered(Scope(None, database)) as scope:
            insert = insert_sql(scope, m.Tag, m.Tag._meta.fields, returning=False)
            m.Tag.objects.filter(slug="a").update(name="A")
            m.Profile.objects.filter(motto="a").delete()
        told[dialect] = [insert, *database.ran]
    assert told == {
        "oracle": [
            "INSERT INTO news_tag (id, name, slug) VALUES (:v, :v, :v)",
            "UPDATE news_tag SET name=:1 WHERE news_tag.slug = :2",
            "DELETE FROM news_profile WHERE news_profile.motto = :1",
        ],
        "mssql": [
            "INSERT INTO [news_tag] ([id], [name], [slug]) VALUES (?, ?, ?)",
            "UPDATE news_tag SET name=? WHERE news_tag.slug = ?",
            "DELETE FROM news_profile WHERE news_profile.motto = ?",
        ],
    }


def test_tables(m: Any) -> None:
    told = {}
    for dialect in DIALECTS:
        offline = Offline(dialect, m.MODELS)
        table = offline.schema.table(m.Byline)
        told[dialect] = " ".join(str(CreateTable(table).compile(dialect=offline.sqlalchemy_dialect)).split())
    assert told == {
        "oracle": "CREATE TABLE news_byline ( id NUMBER(19) GENERATED BY DEFAULT AS IDENTITY, story_id NUMBER(19) NOT "
        "NULL, author_id NUMBER(19) NOT NULL, position NUMBER(19) NOT NULL, CONSTRAINT news_byline_pkey PRIMARY KEY "
        "(id), CONSTRAINT news_byline_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id) DEFERRABLE "
        "INITIALLY DEFERRED, CONSTRAINT news_byline_author_id_fkey FOREIGN KEY(author_id) REFERENCES news_author (id) "
        "DEFERRABLE INITIALLY DEFERRED )",
        "mssql": "CREATE TABLE news_byline ( id BIGINT NOT NULL IDENTITY, story_id BIGINT NOT NULL, author_id BIGINT "
        "NOT NULL, position BIGINT NOT NULL, CONSTRAINT news_byline_pkey PRIMARY KEY (id), CONSTRAINT "
        "news_byline_story_id_fkey FOREIGN KEY(story_id) REFERENCES news_story (id), CONSTRAINT "
        "news_byline_author_id_fkey FOREIGN KEY(author_id) REFERENCES news_author (id) )",
    }


def test_what_sql_server_cannot_be_asked_is_refused_with_its_reason(m: Any) -> None:
    query, _ = m.Tag.objects.filter(name__regex="^a")._query("instances")
    with pytest.raises(DatabaseError, match="cannot be asked this: mssql dialect does not support regular expressions"):
        compile_query(Offline("mssql", m.MODELS), query, (False, False, False))


@pytest.mark.parametrize(("url", "title"), [("oracle://x@y/z", "Oracle"), ("mssql://x@y/z", "SQL Server")])
def test_an_untried_database_is_opened_for_those_alone_who_say_so(url: str, title: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=rf"{title} are compiled .* Add \?untried=yes to the URL"):
        Database(url).fetch("SELECT 1")
    with pytest.raises(DatabaseUnavailable, match=r"is not installed.*publishing-toolkit\[(oracle|mssql)\]"):
        Database(f"{url}?untried=yes").fetch("SELECT 1")
