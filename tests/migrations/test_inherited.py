"""Migrations of models that inherit, of proxies, and of composite keys."""

from __future__ import annotations

import pytest

from toolkit import models
from toolkit.errors import IntegrityError
from toolkit.migrations.describing import with_hidden


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
    assert "CompositePrimaryKey" in text
    assert 'CreateModel(name="Dive", fields=[], options={"proxy": True}, bases=("news.Bar",))' in text
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


def test_a_number_takes_the_place_of_a_composite_key(newsroom, model):
    newsroom.migrate(*declared(model))
    place, bar, _, line = newsroom.app.models
    found = newsroom.save(bar, name="Luce", stools=4)
    for number in (7, 8):
        newsroom.save(line, bar=found, number=number)
    place, bar, proxy, _ = declared(model)
    line = model("Line", bar=models.ForeignKey(bar, on_delete=models.CASCADE), number=models.IntegerField())
    assert newsroom.migrate(place, bar, proxy, line).summary == ("Alter primary key of Line to id",)
    assert newsroom.rows("news_line", "id, bar_id, number") == [(1, 1, 7), (2, 1, 8)]
    newsroom.save(line, bar_id=1, number=7)
    newsroom.database.execute("DELETE FROM news_line WHERE id = 3")
    newsroom.apply("news.0001")
    assert newsroom.rows("news_line", "bar_id, number") == [(1, 7), (1, 8)]


def test_a_foreign_key_to_a_composite_key(newsroom, model):
    def lines(**extra):
        order = model(
            "Order", pk=models.CompositePrimaryKey("x", "y"), x=models.IntegerField(), y=models.IntegerField()
        )
        key = models.ForeignKey(order, on_delete=models.CASCADE, related_name="lines")
        return [order, model("Line", order=key, text=models.CharField(max_length=9), **extra)]

    order, line = lines()
    newsroom.migrate(order, line)
    newsroom.save(line, order=newsroom.save(order, x=1, y=2), text="a")
    newsroom.migrate(*lines(note=models.CharField(max_length=9, default="n")))
    assert newsroom.rows("news_line", "order_x, order_y, text, note") == [(1, 2, "a", "n")]
    with pytest.raises(IntegrityError), newsroom.database.atomic():
        newsroom.save(newsroom.app.models[1], order_key=(7, 7), text="b")
    later = model("Later", text=models.CharField(max_length=9))
    newsroom.migrate(*newsroom.app.models, later)
    order, line = lines(note=models.CharField(max_length=9, default="n"))
    later = model(
        "Later",
        text=models.CharField(max_length=9),
        order=models.ForeignKey(order, on_delete=models.CASCADE, null=True, related_name="+"),
    )
    newsroom.migrate(order, line, later)
    with pytest.raises(IntegrityError), newsroom.database.atomic():
        newsroom.save(later, order_key=(7, 7), text="b")
