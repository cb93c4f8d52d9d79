"""Names that pass from field to field, and names that follow from others."""

from __future__ import annotations

import pytest

from toolkit import migrations, models
from toolkit.errors import MigrationError
from toolkit.migrations.renames import never
from toolkit.models import F, Q
from toolkit.trace import Scope, entered


def boxes(model, first, second, **more):
    """Boxes with a width and a height, under these names; how wide they are is asked for, computed and checked."""
    return model(
        "Box",
        {
            "constraints": [models.CheckConstraint(condition=Q(**{f"{first}__gte": 1}), name="wide")],
            "indexes": [models.Index(fields=[first], name="by_width")],
        },
        **{first: models.IntegerField(), second: models.IntegerField()},
        twice=models.GeneratedField(expression=F(first) * 2, output_field=models.IntegerField()),
        **more,
    )


def test_two_fields_exchange_their_names_with_their_values_and_all_that_speaks_of_them(newsroom, model):
    box = boxes(model, "width", "height")
    newsroom.migrate(box)
    newsroom.save(box, width=3, height=0)
    changed = boxes(model, "height", "width")
    newsroom.migrate(changed, ask=never, renames={"news.Box.width": "height", "news.Box.height": "width"})
    assert newsroom.rows("news_box", "height, width, twice") == [(3, 0, 6)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_box", "width, height, twice") == [(3, 0, 6)]


def test_a_name_passes_on_to_another_field_and_its_translations_go_along(newsroom, model):
    def story(**fields):
        return model("Story", **{name: models.CharField(max_length=20, translated=True) for name in fields})

    first = story(title=1, kicker=1)
    newsroom.migrate(first)
    row = newsroom.save(first, title="Flood", kicker="Harbour")
    newsroom.database.execute(
        "INSERT INTO news_story_translation (source_id, locale, title, kicker) "
        f"VALUES ({row.pk}, 'es', 'Riada', 'Puerto')"
    )
    made = newsroom.migrate(
        story(headline=1, title=1), ask=never, renames={"news.Story.title": "headline", "news.Story.kicker": "title"}
    )
    assert made.summary[:2] == (
        "Rename field title of Story to headline",
        "Rename field kicker of Story to title",
    )
    assert newsroom.rows("news_story", "headline, title") == [("Flood", "Harbour")]
    assert newsroom.rows("news_story_translation", "headline, title") == [("Riada", "Puerto")]


def test_no_field_takes_the_name_of_one_that_goes_in_the_same_migration(newsroom, model):
    """``title`` becomes ``headline``, and the ``headline`` that there was goes: those are two migrations."""
    first = model("Story", title=models.CharField(max_length=20), headline=models.CharField(max_length=40, default=""))
    newsroom.migrate(first)
    newsroom.declare(model("Story", headline=models.CharField(max_length=20)))
    told = "rename that is none: news.Story.title to headline.*remove that one in a migration before"
    with pytest.raises(MigrationError, match=told):
        newsroom.make(ask=never, renames={"news.Story.title": "headline"})


def seats(model, number="number", office="office", seat="seat", key=("office", "number")):
    """Seats that are known by office and number, who booked them, and what was booked together."""
    room = model("Office", name=models.CharField(max_length=20))
    names = {"office": office, "number": number}
    place = model(
        "Seat",
        pk=models.CompositePrimaryKey(*(names[part] for part in key)),
        **{office: models.ForeignKey("Office", on_delete=models.CASCADE), number: models.IntegerField()},
    )
    booking = model(
        "Booking",
        {"indexes": [models.Index(fields=[seat], name="booked")]},
        **{seat: models.ForeignKey("Seat", on_delete=models.CASCADE)},
    )
    group = model("Group", seats=models.ManyToManyField("Seat"))
    return [booking, group, room, place]


@pytest.mark.parametrize(
    ("changed", "renames", "columns"),
    [
        ({"number": "row"}, {"news.Seat.number": "row"}, "seat_office_id, seat_row"),
        ({"office": "room"}, {"news.Seat.office": "room"}, "seat_room_id, seat_number"),
        ({"seat": "place"}, {"news.Booking.seat": "place"}, "place_office_id, place_number"),
        (
            {"seat": "place", "number": "row", "office": "room"},
            {"news.Booking.seat": "place", "news.Seat.number": "row", "news.Seat.office": "room"},
            "place_room_id, place_row",
        ),
    ],
    ids=["a part", "a reference among the parts", "the reference to the key", "all of them"],
)
def test_columns_that_hold_a_key_of_several_fields_are_called_after_it(newsroom, model, changed, renames, columns):
    booking, group, office, seat = seats(model)
    newsroom.migrate(booking, group, office, seat)
    room = newsroom.save(office, name="North")
    place = newsroom.save(seat, office=room, number=7)
    newsroom.save(booking, seat=place)
    together = newsroom.save(group)
    with entered(Scope(None, newsroom.database)):
        together.seats.add(place)
    newsroom.migrate(*seats(model, **changed), ask=never, renames=renames)
    assert newsroom.rows("news_booking", columns) == [(room.pk, 7)]
    assert [row[-2:] for row in newsroom.rows("news_group_seats")] == [(room.pk, 7)]
    newsroom.apply("news.0001")
    assert newsroom.rows("news_booking", "seat_office_id, seat_number") == [(room.pk, 7)]


def test_a_primary_key_whose_new_name_is_told_is_no_riddle(newsroom, model):
    """Its new name is known without being told."""
    tag = model("Tag", slug=models.SlugField(primary_key=True))
    newsroom.migrate(tag, model("Story", tags=models.ManyToManyField(tag)))
    newsroom.save(tag, slug="sea")
    again = model("Tag", code=models.SlugField(primary_key=True, max_length=70, db_column="Code"))
    newsroom.migrate(
        again, model("Story", tags=models.ManyToManyField(again)), ask=never, renames={"news.Tag.slug": "code"}
    )
    assert newsroom.values(again, "code") == ["sea"]


@pytest.mark.parametrize("name", ["Story", "Article"], ids=["old", "new"])
def test_a_many_to_many_field_is_renamed_along_with_its_model(newsroom, model, name):
    tag = model("Tag", slug=models.SlugField(unique=True))
    story = model("Story", tags=models.ManyToManyField(tag))
    newsroom.migrate(tag, story)
    with entered(Scope(None, newsroom.database)):
        newsroom.save(story).tags.add(newsroom.save(tag, slug="sea"))
    tag = model("Tag", slug=models.SlugField(unique=True))
    article = model("Article", topics=models.ManyToManyField(tag))
    newsroom.migrate(tag, article, ask=never, renames={"news.Story": "Article", f"news.{name}.tags": "topics"})
    with entered(Scope(None, newsroom.database)):
        assert [topic.slug for topic in article.objects.get().topics.all()] == ["sea"]


class ByName:
    """A router that asks for the name of a model."""

    def allow_migrate(self, db, app_label, model_name=None, **hints):
        return model_name != "old"


def test_a_name_by_which_the_router_finds_another_database_is_refused(sqlite_newsroom, model):
    """That the table to be renamed was not there was all that one was told, or it was renamed in the one of the two."""
    newsroom = sqlite_newsroom.declare(model("Story", title=models.CharField(max_length=20)))
    newsroom.make()
    newsroom.declare(model("Old", title=models.CharField(max_length=20))).make()
    told = (
        r"has the table of news\.Story in the database 'default', and that of news\.Old in another.*Let allow_migrate"
    )
    with pytest.raises(MigrationError, match=told):
        migrations.apply(newsroom.database, [newsroom.app], router=ByName())
    assert "news_story" in newsroom.database.table_names()
