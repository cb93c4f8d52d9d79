"""Migrations of models that inherit, of proxies, and of composite keys."""

from __future__ import annotations

import pytest

from toolkit import models
from toolkit.errors import Problems
from toolkit.migrations.state import with_hidden


def declared(model, extra=None, number=None):
    """A place, a bar in a table of its own, a proxy, and a model with a composite key; each time as new classes."""
    place = model("Place", name=models.CharField(max_length=20))
    fields = {"stools": models.IntegerField(default=0), **(extra or {})}
    bar = type(place)("Bar", (place,), {"__module__": "news.models", **fields})
    proxy = type(place)("Dive", (bar,), {"__module__": "news.models", "Meta": type("Meta", (), {"proxy": True})})
    line = model(
        "Line",
        pk=models.CompositePrimaryKey("bar", number or "number"),
        bar=models.ForeignKey(bar, on_delete=models.CASCADE),
        **{number or "number": models.IntegerField()},
    )
    return [place, bar, proxy, line]


def test_tables_are_made_and_changed(newsroom, model):
    place, bar, proxy, line = declared(model)
    made = newsroom.migrate(place, bar, proxy, line)
    text = made.path.read_text()
    assert "CompositePrimaryKey" in text and "Dive" not in text
    found = newsroom.save(bar, name="Luce", stools=4)
    newsroom.save(line, bar=found, number=1)
    assert newsroom.rows("news_place") == [(1, "Luce")]
    assert newsroom.rows("news_bar") == [(1, 4)]
    place, bar, proxy, line = declared(model, {"code": models.CharField(max_length=5, default="x")})
    newsroom.migrate(place, bar, proxy, line)
    assert newsroom.rows("news_bar", "place_ptr_id, stools, code") == [(1, 4, "x")]
    newsroom.migrate(*declared(model, {"code": models.CharField(max_length=5, default="x")}, number="position"))
    assert newsroom.rows("news_line", "bar_id, position") == [(1, 1)]
    assert newsroom.questions
    assert len(with_hidden([proxy])) == 0


def test_a_composite_key_stays_as_it_is(newsroom, model):
    newsroom.migrate(*declared(model))
    place, bar, proxy, _ = declared(model)
    line = model("Line", bar=models.ForeignKey(bar, on_delete=models.CASCADE), number=models.IntegerField())
    newsroom.declare(place, bar, proxy, line)
    with pytest.raises(Problems, match="a primary key cannot be changed by itself"):
        newsroom.make()
