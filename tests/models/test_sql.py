"""Statements as text, for SQLite and PostgreSQL: what the compiler writes is reviewed here."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from toolkit.models import Count, F, Q, Sum, Window
from toolkit.models.compile import compile_query
from toolkit.models.functions import RowNumber
from toolkit.models.schema import Schema

STORY = (
    "news_story.id, news_story.title, news_story.slug, news_story.section_id, news_story.editor_id, "
    "news_story.weight, news_story.status, news_story.published, news_story.expires"
)
TAG = "news_tag.id, news_tag.name, news_tag.slug"
SEEN, READER = (False, False, False), (True, False, False)


def folded(text: str) -> str:
    """Upper case in PostgreSQL, but for letters of which that is not what they fold to."""
    text = f"replace(replace({text}, 'İ', 'i\u0307'), 'ẞ', 'ss')"
    return f"upper(translate({text}, 'ıϴ\u2126\u212a\u212b', '\ufdd0θωkå') COLLATE \"und-x-icu\")"


QUESTIONS: dict[str, tuple[Any, Any, str, str]] = {
    "all, in the model's order": (
        lambda m: m.Tag.objects.all(),
        SEEN,
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.name, news_tag.id",
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.name, news_tag.id",
    ),
    "a slice": (
        lambda m: m.Tag.objects.order_by("-slug")[5:10],
        SEEN,
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.slug DESC, news_tag.id LIMIT ? OFFSET ?",
        f"SELECT {TAG} FROM news_tag ORDER BY news_tag.slug DESC, news_tag.id LIMIT %s::BIGINT OFFSET %s::BIGINT",
    ),
    "a condition on a foreign key's row": (
        lambda m: m.Story.objects.filter(section__slug="town").order_by(),
        SEEN,
        f"SELECT {STORY} FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id "
        "WHERE t1.slug = ? ORDER BY news_story.id",
        f"SELECT {STORY} FROM news_story JOIN news_section AS t1 ON news_story.section_id = t1.id "
        "WHERE t1.slug = %s::VARCHAR ORDER BY news_story.id",
    ),
    "a condition on many partners": (
        lambda m: m.Tag.objects.filter(stories__weight__gt=1).order_by(),
        SEEN,
        f"SELECT {TAG} FROM news_tag WHERE news_tag.id IN (SELECT t2.tag_id FROM news_story AS t1 "
        "JOIN news_story_tags AS t2 ON t2.story_id = t1.id WHERE t1.weight > ? AND t2.tag_id IS NOT NULL) "
        "ORDER BY news_tag.id",
        f"SELECT {TAG} FROM news_tag WHERE news_tag.id IN (SELECT t2.tag_id FROM news_story AS t1 "
        "JOIN news_story_tags AS t2 ON t2.story_id = t1.id WHERE t1.weight > %s::BIGINT AND t2.tag_id IS NOT NULL) "
        "ORDER BY news_tag.id",
    ),
    "exclude keeps NULL": (
        lambda m: m.Comment.objects.exclude(score__gt=1).order_by(),
        SEEN,
        "SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, "
        "news_comment.score FROM news_comment WHERE NOT (news_comment.score > ? AND news_comment.score IS NOT NULL) "
        "ORDER BY news_comment.id",
        "SELECT news_comment.id, news_comment.story_id, news_comment.parent_id, news_comment.text, "
        "news_comment.score FROM news_comment WHERE NOT (news_comment.score > %s::BIGINT "
        "AND news_comment.score IS NOT NULL) ORDER BY news_comment.id",
    ),
    "or": (
        lambda m: m.Tag.objects.filter(Q(slug="a") | Q(name="b")).order_by(),
        SEEN,
        f"SELECT {TAG} FROM news_tag WHERE news_tag.slug = ? OR news_tag.name = ? ORDER BY news_tag.id",
        f"SELECT {TAG} FROM news_tag WHERE news_tag.slug = %s::VARCHAR OR news_tag.name = %s::VARCHAR "
        "ORDER BY news_tag.id",
    ),
    "without regard to case": (
        lambda m: m.Tag.objects.filter(name__icontains="ß").order_by(),
        SEEN,
        f"SELECT {TAG} FROM news_tag WHERE instr(toolkit_fold(news_tag.name), ?) > ? ORDER BY news_tag.id",
        f"SELECT {TAG} FROM news_tag WHERE {folded('news_tag.name')} LIKE {folded('%s::VARCHAR')} "
        "ESCAPE '\\' ORDER BY news_tag.id",
    ),
    "the first of each": (
        lambda m: m.Tag.objects.order_by("-slug").distinct("name").values("slug"),
        SEEN,
        "SELECT t2.c0 AS v0 FROM (SELECT t1.c0 AS c0, t1.c1 AS c1, t1.c2 AS c2, row_number() OVER "
        "(PARTITION BY t1.c1 ORDER BY t1.c0 DESC, t1.c2) AS n FROM (SELECT news_tag.slug AS c0, news_tag.name AS c1, "
        "news_tag.id AS c2 FROM news_tag) AS t1) AS t2 WHERE t2.n = 1 ORDER BY t2.c0 DESC, t2.c2",
        "SELECT t2.c0 AS v0 FROM (SELECT DISTINCT ON (t1.c1) t1.c0 AS c0, t1.c1 AS c1, t1.c2 AS c2 FROM "
        "(SELECT news_tag.slug AS c0, news_tag.name AS c1, news_tag.id AS c2 FROM news_tag) AS t1 "
        "ORDER BY t1.c1, t1.c0 DESC, t1.c2) AS t2 ORDER BY t2.c0 DESC, t2.c2",
    ),
    "a condition on a window": (
        lambda m: m.Tag.objects.alias(n=Window(RowNumber(), order_by="name")).filter(n=1, slug="a").values("slug"),
        SEEN,
        "SELECT t1.c0 AS v0 FROM (SELECT news_tag.slug AS c0, news_tag.name AS c1, news_tag.id AS c2, CASE WHEN "
        "(row_number() OVER (ORDER BY news_tag.name, news_tag.id ASC) = ?) THEN 1 ELSE 0 END AS c3 FROM news_tag "
        "WHERE news_tag.slug = ?) AS t1 WHERE t1.c3 = 1 ORDER BY t1.c1, t1.c2",
        "SELECT t1.c0 AS v0 FROM (SELECT news_tag.slug AS c0, news_tag.name AS c1, news_tag.id AS c2, CASE WHEN "
        "(row_number() OVER (ORDER BY news_tag.name, news_tag.id ASC) = %s::BIGINT) THEN 1 ELSE 0 END AS c3 "
        "FROM news_tag WHERE news_tag.slug = %s::VARCHAR) AS t1 WHERE t1.c3 = 1 ORDER BY t1.c1, t1.c2",
    ),
    "a running total of decimal numbers": (
        lambda m: m.Everything.objects.values_list(Window(Sum("decimal"), order_by="date")).order_by("pk"),
        SEEN,
        "SELECT toolkit_decimal(sum(CAST(round(news_everything.decimal * 1e2) AS BIGINT)) OVER "
        "(ORDER BY news_everything.date), 2) AS v0 FROM news_everything ORDER BY news_everything.id",
        "SELECT sum(news_everything.decimal) OVER (ORDER BY news_everything.date ASC NULLS FIRST) AS v0 "
        "FROM news_everything ORDER BY news_everything.id",
    ),
    "what a reader may see": (
        lambda m: m.Section.objects.order_by("pk"),
        READER,
        "SELECT news_section.id, news_section.name, news_section.slug, news_section.position, "
        "news_section.visible FROM news_section WHERE news_section.visible = ? ORDER BY news_section.id",
        "SELECT news_section.id, news_section.name, news_section.slug, news_section.position, "
        "news_section.visible FROM news_section WHERE news_section.visible = %s "
        "ORDER BY news_section.id",
    ),
    "the partners of each row counted": (
        lambda m: m.Tag.objects.annotate(n=Count("stories")).order_by(),
        SEEN,
        f"SELECT {TAG}, (SELECT count(t2.story_id) AS count_1 FROM news_story_tags AS t2 "
        "WHERE t2.tag_id = news_tag.id) AS a_1 FROM news_tag ORDER BY news_tag.id",
        f"SELECT {TAG}, (SELECT count(t2.story_id) AS count_1 FROM news_story_tags AS t2 "
        "WHERE t2.tag_id = news_tag.id) AS a_1 FROM news_tag ORDER BY news_tag.id",
    ),
    "groups": (
        lambda m: m.Story.objects.values("weight").annotate(n=Count("pk")).filter(n__gt=2),
        SEEN,
        "SELECT news_story.weight AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.weight "
        "HAVING count(news_story.id) > ? ORDER BY news_story.weight",
        "SELECT news_story.weight AS v0, count(news_story.id) AS v1 FROM news_story GROUP BY news_story.weight "
        "HAVING count(news_story.id) > %s::BIGINT ORDER BY news_story.weight",
    ),
    "a computed condition": (
        lambda m: m.Story.objects.filter(expires__gt=F("published")).values("pk").order_by(),
        SEEN,
        "SELECT news_story.id AS v0 FROM news_story WHERE news_story.expires > news_story.published "
        "ORDER BY news_story.id",
        "SELECT news_story.id AS v0 FROM news_story WHERE news_story.expires > news_story.published "
        "ORDER BY news_story.id",
    ),
    "a list of keys is padded, so that lists of like length share a statement": (
        lambda m: m.Tag.objects.filter(pk__in=[1, 2, 3]).values("pk").order_by(),
        SEEN,
        "SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.id IN (?, ?, ?, ?) ORDER BY news_tag.id",
        "SELECT news_tag.id AS v0 FROM news_tag WHERE news_tag.id IN "
        "(%s::BIGINT, %s::BIGINT, %s::BIGINT, %s::BIGINT) ORDER BY news_tag.id",
    ),
    "a translated value": (
        lambda m: m.Section.objects.filter(name="x").values("pk").order_by(),
        (False, False, True),
        "SELECT news_section.id AS v0 FROM news_section LEFT OUTER JOIN news_section_translation AS t1 "
        "ON t1.source_id = news_section.id AND t1.locale = ? "
        "WHERE coalesce(nullif(t1.name, ?), news_section.name) = ? ORDER BY news_section.id",
        "SELECT news_section.id AS v0 FROM news_section LEFT OUTER JOIN news_section_translation AS t1 "
        "ON t1.source_id = news_section.id AND t1.locale = %s::VARCHAR "
        "WHERE coalesce(nullif(t1.name, %s::VARCHAR), news_section.name) = %s::VARCHAR "
        "ORDER BY news_section.id",
    ),
}


class Offline:
    """A database that compiles and is never connected to."""

    def __init__(self, dialect: str, models: Any) -> None:
        self.dialect = dialect
        self.schema = Schema(models, dialect)
        dialects = {"sqlite": lambda: sqlite.dialect(paramstyle="qmark")}
        make: Any = dialects.get(dialect, lambda: postgresql.psycopg.dialect(paramstyle="format"))
        self.sqlalchemy_dialect = make()


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_sql_of(m: Any, name: str, dialect: str) -> None:
    make, sight, *expected = QUESTIONS[name]
    query, _ = make(m)._query("instances")
    database = Offline(dialect, m.MODELS)
    shape = compile_query(database, query, sight)
    assert " ".join(shape.statement.sql.split()) == expected[dialect == "postgresql"]


def test_the_same_question_with_other_values_is_not_compiled_again(m: Any, newsroom: Any) -> None:
    m.Story.objects.filter(weight=1, section__slug="a")[:3].count()
    known = len(newsroom.database.shapes)
    m.Story.objects.filter(weight=2, section__slug="b")[:7].count()
    assert len(newsroom.database.shapes) == known


def test_a_value_never_becomes_sql(m: Any, newsroom: Any) -> None:
    evil = "'; DROP TABLE news_tag; --"
    for lookup in ("exact", "iexact", "contains", "icontains", "startswith", "endswith", "in"):
        value: Any = [evil] if lookup == "in" else evil
        with newsroom.database.counted() as queries:
            assert m.Tag.objects.filter(**{f"name__{lookup}": value}).count() == 0
        assert "DROP" not in queries[0]
    assert m.Tag.objects.create(name=evil[:50], slug="evil").name == evil[:50]
    assert m.Tag.objects.filter(name=evil).count() == 1
