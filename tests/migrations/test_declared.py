"""Constraints, indexes and file fields in migrations: written, applied, found again, reversed."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit import models
from toolkit.errors import IntegrityError
from toolkit.migrations.tables.comparing import differences
from toolkit.models import Q


def fields() -> dict[str, Any]:
    return {
        "title": models.CharField(max_length=20),
        "weight": models.IntegerField(default=0),
        "scan": models.FileField(upload_to="scans/%Y", storage="archive", blank=True),
        "photo": models.ImageField(width_field="width", max_length=60, null=True, blank=True),
        "width": models.IntegerField(null=True),
    }


def test_what_a_constraint_and_an_index_were_told_is_kept(newsroom: Any, model: Any) -> None:
    newsroom.migrate(model("Story", **fields()))
    options: dict[str, Any] = {
        "constraints": [
            models.UniqueConstraint(fields=["title", "weight"], name="story_once", violation_error_message="once"),
            models.CheckConstraint(condition=Q(weight__gte=0) & ~Q(title__startswith="50%"), name="story_sound"),
        ],
        "indexes": [models.Index(fields=["-weight", "title"], include=["width"], name="story_heavy")],
    }
    if newsroom.database.backend.partial_indexes:
        options["constraints"].append(
            models.UniqueConstraint(fields=["title"], condition=Q(weight__gt=5), name="story_heavy_once")
        )
    if newsroom.database.backend.deferrable_unique:
        options["constraints"] += [
            models.UniqueConstraint(fields=["width"], deferrable=models.Deferrable.DEFERRED, name="story_later"),
            models.UniqueConstraint(fields=["photo"], nulls_distinct=False, name="story_photo"),
            models.ExclusionConstraint(
                name="story_apart", expressions=[("weight", "=")], condition=Q(weight__gt=90), index_type="gist"
            )
            if newsroom.database.fetch("SELECT 1 FROM pg_extension WHERE extname = 'btree_gist'")
            else models.CheckConstraint(condition=Q(width__gte=0), name="story_apart"),
        ]
        options["indexes"] += [
            models.HashIndex(fields=["title"], name="story_hash", fillfactor=70),
            models.BrinIndex(fields=["weight"], name="story_brin", autosummarize=True),
        ]
    newsroom.migrate(model("Story", options, **fields()))
    assert newsroom.make() == []
    assert not [str(problem) for problem in differences(newsroom.database, newsroom.app.models)]
    newsroom.declare(model("Story", **fields()))
    assert newsroom.make()
    newsroom.apply()


def test_files_are_columns_of_names(sqlite_newsroom: Any, model: Any) -> None:
    (made,) = sqlite_newsroom.declare(model("Story", **fields())).make()
    assert "models.FileField(" in made.text
    assert "max_length=60" in made.text
    for option in ("upload_to", "storage", "width_field"):
        assert option not in made.text


def test_a_name_of_several_columns_is_nothing_to_migrations_but_in_constraints(newsroom: Any, model: Any) -> None:
    def article(**meta: Any) -> Any:
        parts = {"amount": models.IntegerField(null=True), "currency": models.CharField(max_length=3, null=True)}
        return model("Article", meta=meta, **parts, price=models.Several(["amount", "currency"]))

    newsroom.migrate(article())
    once = models.UniqueConstraint(fields=["price"], name="price_once")
    dear = models.Index(fields=["-price"], name="price_dear")
    made = newsroom.migrate(article(ordering=["price"], constraints=[once], indexes=[dear]))
    assert {"Add constraint price_once to Article", "Add index price_dear to Article"} < {*made.summary}
    newsroom.save(newsroom.app.models[0], price=(7, "EUR"))
    with pytest.raises(IntegrityError):
        newsroom.save(newsroom.app.models[0], price=(7, "EUR"))
    newsroom.apply("news.0001")
    newsroom.save(newsroom.app.models[0], price=(7, "EUR"))
    assert newsroom.rows("news_article", "amount, currency") == [(7, "EUR")] * 2
    newsroom.apply("news.zero")
