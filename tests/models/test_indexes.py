"""Indexes of every kind, as the databases themselves list them, and used where it can be told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.schema import CreateIndex, CreateTable

from toolkit import models
from toolkit.models import F, Q
from toolkit.models.resolve import resolve_models
from toolkit.models.schema import Schema
from toolkit.trace import Scope, entered


def declare(name: str, *indexes: models.Index, **fields: Any) -> Any:
    kind: Any = type(models.Model)
    namespace = {
        "__module__": __name__,
        "Meta": type("Meta", (), {"indexes": list(indexes)}),
        "title": models.CharField(max_length=40),
        "weight": models.IntegerField(default=0),
        "rank": models.IntegerField(default=0),
        "data": models.JSONField(null=True),
        "at": models.DateTimeField(null=True),
        **fields,
    }
    made = kind(name, (models.Model,), namespace)
    assert not resolve_models({"depot": [made]})[1]
    return made


@contextmanager
def table(database: Any, model: Any) -> Iterator[Any]:
    before = database.schema
    database.schema = Schema([*before.models, model], database.dialect)
    made = database.schema.table(model)
    try:
        database.execute(str(CreateTable(made).compile(dialect=database.sqlalchemy_dialect)))
        for index in made.indexes:
            database.execute(str(CreateIndex(index).compile(dialect=database.sqlalchemy_dialect)))
        with entered(Scope(None, database)):
            yield model
    finally:
        database.execute(f"DROP TABLE IF EXISTS {model._meta.table}")
        database.schema = before
        database.shapes.clear()
        database.lookups.clear()


def definitions(database: Any, name: str) -> dict[str, str]:
    """The indexes that there are, as the database spells them."""
    if database.dialect == "postgresql":
        sql = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s"
        return {index: text.partition(" USING ")[2] for index, text in database.fetch(sql, (name,))}
    if database.dialect == "sqlite":
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        return {index: text.partition(" ON ")[2] for index, text in database.fetch(sql, (name,))}
    sql = (
        "SELECT index_name, column_name FROM information_schema.statistics WHERE table_name = %s ORDER BY seq_in_index"
    )
    found: dict[str, list[str]] = {}
    for index, column in database.fetch(sql, (name,)):
        found.setdefault(index, []).append(column)
    return {index: ", ".join(columns) for index, columns in found.items()}


def test_an_index_without_a_name_gets_one(database: Any) -> None:
    model = declare(
        "Named", models.Index(fields=["title", "-weight"]), models.Index(fields=["rank"]), models.Index(fields=["at"])
    )
    names = [index.name for index in model._meta.indexes]
    assert names[1:] == ["depot_named_rank_idx", "depot_named_at_idx"]
    assert names[0].startswith("depot_named_title_weight")
    assert all(len(name) < 64 for name in names)
    with table(database, model):
        assert set(names) <= set(definitions(database, "depot_named"))


def test_a_part_of_the_rows_and_further_columns(database: Any) -> None:
    index = models.Index(fields=["-weight"], name="heavy", condition=Q(weight__gt=5), include=["title"])
    model = declare("Partial", index)
    with table(database, model):
        found = definitions(database, "depot_partial")["heavy"]
        assert "weight" in found
        if database.dialect == "mysql":  # all rows are in it: it finds them all the same
            return
        assert "DESC" in found
        assert "> 5" in found.partition("WHERE")[2]
        assert ("INCLUDE (title)" in found) == (database.dialect == "postgresql")


def test_an_index_on_an_expression_is_used(database: Any) -> None:
    index = models.Index((F("weight") + F("rank")).desc(), "title", name="summed")
    model = declare("Summed", index)
    with table(database, model):
        assert "summed" in definitions(database, "depot_summed")
        model.objects.bulk_create([model(title="t", weight=n, rank=n) for n in range(50)])
        if database.dialect == "postgresql":
            database.execute("SET enable_seqscan = off")
        try:
            asked = model.objects.annotate(total=F("weight") + F("rank")).filter(total=6)
            assert [row.weight for row in asked] == [3]
            if database.dialect != "mysql":  # which looks for computed columns from MariaDB 11.8 on
                assert "summed" in asked.explain()
        finally:
            if database.dialect == "postgresql":
                database.execute("SET enable_seqscan = on")


def test_an_index_has_its_nulls_where_questions_have_them(database: Any) -> None:
    """PostgreSQL would have them elsewhere, and sort the whole table for ten rows."""
    model = declare(
        "Placed",
        models.Index(fields=["rank", "-at"], name="newest"),
        models.Index(F("at").desc(), name="spelt"),
        models.Index(F("at__year"), name="yearly"),
        models.Index(fields=["at"], opclasses=["timestamptz_ops"], name="classed"),
        *([models.GinIndex(fields=["data"], name="inside")] if database.dialect == "postgresql" else []),
        at=models.DateTimeField(null=True, db_index=True),
    )
    if database.dialect != "postgresql":
        with table(database, model):
            assert "NULLS" not in str(definitions(database, "depot_placed"))
        return
    with table(database, model):
        found = definitions(database, "depot_placed")
        assert found["newest"] == "btree (rank, at DESC NULLS LAST)"
        assert found["spelt"] == "btree (at DESC NULLS LAST)"
        assert found["classed"] == found["depot_placed_at_idx"] == "btree (at NULLS FIRST)"
        assert found["yearly"].endswith(" NULLS FIRST)")
        assert "NULLS" not in found["inside"]
        with database.atomic():
            database.execute("SET LOCAL enable_seqscan = off")
            database.execute("SET LOCAL enable_sort = off")
            for order in ("at", "-at"):  # keys decide between equal values
                assert "Incremental Sort" in model.objects.order_by(order)[:10].explain()


def test_an_index_says_where_nulls_go(database: Any) -> None:
    """PostgreSQL alone has them elsewhere than questions do, if nothing is said."""
    model = declare(
        "Nulls",
        models.Index(F("at").asc(nulls_first=True), name="first"),
        models.Index(F("at").desc(nulls_last=True), "rank", name="last"),
    )
    with table(database, model):
        found = definitions(database, "depot_nulls")
        assert {"first", "last"} <= set(found)
        if database.dialect == "postgresql":
            assert (found["first"], found["last"]) == ("btree (at NULLS FIRST)", "btree (at DESC NULLS LAST, rank)")


KINDS = {
    "gin": models.GinIndex(fields=["data"], name="k", opclasses=["jsonb_path_ops"], fastupdate=False),
    "brin": models.BrinIndex(fields=["at"], name="k", pages_per_range=8, autosummarize=True),
    "btree": models.BTreeIndex(
        fields=["title", "-at"], name="k", fillfactor=70, opclasses=["varchar_pattern_ops", "timestamptz_ops"]
    ),
    "down": models.BTreeIndex(fields=["-title"], name="k", opclasses=["varchar_pattern_ops"]),
    "hash": models.HashIndex(fields=["title"], name="k", fillfactor=80),
    "spgist": models.SpGistIndex(fields=["title"], name="k", opclasses=["text_ops"]),
    "gist": models.GistIndex(models.IntegerRange("weight", "rank", "[]"), name="k", condition=Q(weight__lte=F("rank"))),
    "bloom": models.BloomIndex(fields=["title"], name="k", length=96, columns=[4]),
}
SPELLED = {
    "brin": "(at) WITH (pages_per_range='8', autosummarize='on')",
    "btree": "(title varchar_pattern_ops, at DESC NULLS LAST) WITH (fillfactor='70')",
    "down": "(title varchar_pattern_ops DESC)",
    "hash": "(title) WITH (fillfactor='80')",
    "spgist": "(title)",
    "gist": "(int8range(weight, rank, '[]'::text)) WHERE (weight <= rank)",
    "bloom": "(title) WITH (length='96', col1='4')",
}


@pytest.mark.parametrize("kind", SPELLED)
def test_the_kinds_of_postgresql(database: Any, kind: str) -> None:
    model = declare(f"Kind{kind}", KINDS[kind])
    if not database.backend.index_methods:
        problems = [str(problem) for problem in Schema([model], database.dialect).problems()]
        assert any(f"cannot keep the {type(KINDS[kind]).__name__} 'k'" in problem for problem in problems)
        return
    if kind == "bloom":
        if not database.fetch("SELECT 1 FROM pg_available_extensions WHERE name = 'bloom'"):
            pytest.skip("the extension bloom is not installed")
        database.execute("CREATE EXTENSION IF NOT EXISTS bloom SCHEMA public")
    with table(database, model):
        found = definitions(database, model._meta.table)["k"]
        assert found == f"{KINDS[kind].method} {SPELLED[kind]}"


def test_indexes_are_told_by_what_they_were_told() -> None:
    assert KINDS["gin"].deconstruct() == (
        "toolkit.models.GinIndex",
        [],
        {"fields": ["data"], "name": "k", "opclasses": ["jsonb_path_ops"], "fastupdate": False},
    )
    assert repr(KINDS["bloom"]) == "BloomIndex(fields=['title'], name='k', length=96, columns=[4])"
    assert models.Index(fields=["a"], name="k") != models.BTreeIndex(fields=["a"], name="k")
    assert models.Index(fields=["a"], name="k") == models.Index(fields=["a"], name="k")
