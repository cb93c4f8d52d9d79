"""Fields that become the primary key of rows that are there, and everything that refers to them."""

from __future__ import annotations

import pytest

from toolkit import migrations, models
from toolkit.errors import IntegrityError, MigrationError, Problems


def test_a_slug_becomes_the_key_and_all_that_refers_to_the_rows_follows(newsroom, sections):
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    before = sections.told(newsroom, "id")
    made = newsroom.migrate(*sections.models(natural=True))
    assert made.summary == ("Alter primary key of Section to slug",)
    assert sections.told(newsroom, "slug") == before
    with pytest.raises(IntegrityError), newsroom.database.atomic():
        newsroom.save(newsroom.app.models[1], title="lost", section_id="nowhere")
    newsroom.apply("news.0001")
    assert sections.told(newsroom, "id") == before
    newsroom.declare(*sections.models())
    newsroom.save(newsroom.app.models[0], slug="new")
    newsroom.apply()
    newsroom.apply("news.zero")


def test_the_old_key_may_stay_as_a_field(newsroom, sections):
    newsroom.migrate(*sections.models())
    sections.fill(newsroom)
    before, numbers = sections.told(newsroom, "id"), newsroom.rows("news_section", "id, slug")
    newsroom.migrate(*sections.models(natural=True, id=models.IntegerField(unique=True)))
    assert sections.told(newsroom, "slug") == before
    assert newsroom.rows("news_section", "id, slug") == numbers
    newsroom.apply("news.0001")
    assert sections.told(newsroom, "id") == before


def test_a_number_that_becomes_the_key_is_what_refers_to_the_rows_from_then_on(newsroom, model):
    """Both are numbers, and each is one of another row, too."""

    def declared(natural):
        number = models.IntegerField(primary_key=True) if natural else models.IntegerField(unique=True)
        own = {"id": models.IntegerField(unique=True)} if natural else {}
        story = model("Story", number=number, **own)
        return story, model("Note", story=models.ForeignKey(story, on_delete=models.CASCADE, related_name="+"))

    newsroom.migrate(*declared(natural=False))
    story, note = newsroom.app.models
    first, _ = (newsroom.save(story, number=number) for number in (2, 1))
    newsroom.save(note, story=first)
    newsroom.migrate(*declared(natural=True))
    assert newsroom.rows("news_story", "number, id") == [(1, 2), (2, 1)]
    assert newsroom.rows("news_note", "story_id") == [(2,)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_story", "id, number") == [(1, 2), (2, 1)]
    assert newsroom.rows("news_note", "story_id") == [(1,)]


def lines(model, *, natural):
    """Orders with a key of two fields, or a number; and lines that refer to them."""
    key = {"pk": models.CompositePrimaryKey("tenant", "number")} if natural else {}
    tenant = model("Tenant", name=models.CharField(max_length=9))
    order = model(
        "Order",
        tenant=models.ForeignKey(tenant, on_delete=models.CASCADE, related_name="+"),
        number=models.IntegerField(),
        **key,
    )
    reference = models.ForeignKey(order, on_delete=models.CASCADE, null=True, related_name="+")
    return [tenant, order, model("Line", text=models.CharField(max_length=9), order=reference)]


def test_a_natural_key_of_several_fields_takes_the_place_of_a_number(newsroom, model):
    newsroom.migrate(*lines(model, natural=False))
    tenant, order, line = newsroom.app.models
    sea, sky = (newsroom.save(tenant, name=name) for name in ("sea", "sky"))
    made = [newsroom.save(order, tenant=one, number=number) for one in (sea, sky) for number in (7, 8)]
    for number, one in enumerate([*made, None]):
        newsroom.save(line, text=f"line {number}", order=one)
    summary = newsroom.migrate(*lines(model, natural=True)).summary
    assert summary == ("Alter primary key of Order to tenant, number",)
    referred = [(f"line {n}", *pair) for n, pair in enumerate([(1, 7), (1, 8), (2, 7), (2, 8), (None, None)])]
    assert newsroom.rows("news_line", "text, order_tenant_id, order_number") == referred
    with pytest.raises(IntegrityError), newsroom.database.atomic():
        newsroom.save(newsroom.app.models[2], text="lost", order_key=(1, 99))
    newsroom.apply("news.0001")
    back = newsroom.database.fetch(
        "SELECT l.text, o.tenant_id, o.number FROM news_line l LEFT JOIN news_order o ON o.id = l.order_id ORDER BY 1"
    )
    assert [tuple(row) for row in back] == referred
    newsroom.apply()
    newsroom.apply("news.zero")


def test_a_key_of_several_fields_has_the_order_that_it_says_and_not_that_of_the_fields(newsroom, model):
    """MariaDB takes references in the order of the key alone."""
    number = models.IntegerField()
    issue = model("Issue", number=number, year=models.IntegerField(), pk=models.CompositePrimaryKey("year", "number"))
    page = model("Page", issue=models.ForeignKey(issue, on_delete=models.CASCADE, related_name="+"))
    newsroom.migrate(issue, page)
    assert "PRIMARY KEY (year, number)" in " ".join(migrations.sql(newsroom.database, [newsroom.app], "news.0001"))
    newsroom.save(page, issue=newsroom.save(issue, year=2026, number=7))
    assert newsroom.rows("news_page", "issue_year, issue_number") == [(2026, 7)]


def test_rows_that_would_have_one_key_are_named_and_nothing_is_changed(newsroom, model):
    def story(**options):
        return model("Story", code=models.CharField(max_length=9, **options))

    newsroom.migrate(story(null=True))
    for code in ("a", "b", "a", None):
        newsroom.save(newsroom.app.models[0], code=code)
    newsroom.declare(story(primary_key=True)).make(fills={"news.Story.code": "none"})
    with pytest.raises(MigrationError, match=r"rows 1, 3 all have code = 'a'.*cannot be the key|cannot be the key.*"):
        newsroom.apply()
    newsroom.database.execute("UPDATE news_story SET code = 'c' WHERE id = 3")
    newsroom.apply()
    assert newsroom.rows("news_story") == [("a",), ("b",), ("c",), ("none",)]


def test_a_key_that_is_new_and_makes_no_values_is_asked_for(newsroom, model):
    newsroom.migrate(model("Story", title=models.CharField(max_length=9)))
    key = models.CompositePrimaryKey("title", "part")
    newsroom.declare(model("Story", title=models.CharField(max_length=9), part=models.IntegerField(), pk=key))
    with pytest.raises(Problems, match=r"news\.Story\.part may not be null and has no default"):
        newsroom.make()
