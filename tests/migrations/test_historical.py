"""Models of the past, as data migrations get them: parents, proxies, managers, order and constraints."""

from __future__ import annotations

import pytest

from tests.migrations.managers import Live, Questions
from toolkit import models
from toolkit.errors import MigrationError
from toolkit.migrations.describing import state_of
from toolkit.migrations.state import ProjectState


def venues(model, *, own=True, **place):
    """A place, a bar in a table of its own, and a proxy of it; each time as new classes."""
    options = {"ordering": ["-name"], "get_latest_by": "name"}
    parent = model("Place", options, name=models.CharField(max_length=20), **place)
    stools = {"stools": models.IntegerField(default=0)} if own else {}
    bar = model("Bar", {}, inherits=parent, **stools)
    order = {"ordering": ["stools"]} if own else {}
    dive = model("Dive", {"proxy": True, **order}, inherits=bar)
    return [parent, bar, dive]


def run(newsroom, code: str, *, name="0002_rows", reverse="migrations.RunPython.noop", after="0001_initial"):
    """Write a migration whose functions are given as source, and apply it."""
    path = newsroom.app.migrations_folder / f"{name}.py"
    path.write_text(
        f"from toolkit import migrations\n\n{code}\n\n"
        "class Migration(migrations.Migration):\n"
        f'    dependencies = [("news", "{after}")]\n'
        f"    operations = [migrations.RunPython(forwards, reverse_code={reverse})]\n"
    )
    newsroom.apply()


def test_rows_are_made_asked_for_changed_and_deleted_through_their_parents(newsroom, model):
    newsroom.migrate(*venues(model))
    run(
        newsroom,
        """
def forwards(models, database):
    Place, Bar, Dive = (models(f"news.{name}") for name in ("Place", "Bar", "Dive"))
    luce = Bar.objects.create(name="Luce", stools=4)
    assert Place.objects.get().name == "Luce" and Place.objects.get().bar.stools == 4
    luce.name, luce.stools = "Lux", 5
    luce.save()
    Bar.objects.create(name="Ada", stools=1)
    Bar.objects.create(name="Gone", stools=9).delete()
    assert [one.name for one in Bar.objects.all()] == ["Lux", "Ada"]  # the parent's order
    assert [one.name for one in Dive.objects.all()] == ["Ada", "Lux"]  # the proxy's own
    assert Bar.objects.filter(name="Lux").values_list("stools", flat=True).get() == 5
    assert Bar.objects.latest().name == "Lux" and isinstance(Dive.objects.first(), Bar)
    Bar.objects.filter(name="Ada").update(name="Eve", stools=2)
    Place.objects.create(name="Park")
""",
    )
    assert newsroom.rows("news_place", "name") == [("Eve",), ("Lux",), ("Park",)]
    assert newsroom.rows("news_bar", "stools") == [(2,), (5,)]


def test_deleting_a_parent_deletes_what_is_its_child(newsroom, model):
    newsroom.migrate(*venues(model))
    newsroom.save(newsroom.app.models[1], name="Luce")
    run(
        newsroom,
        """
def forwards(models, database):
    models("news.Place").objects.get().delete()
""",
    )
    assert newsroom.rows("news_bar") == newsroom.rows("news_place") == []


def test_a_field_moves_from_a_child_to_its_parent(newsroom, model):
    newsroom.migrate(*venues(model))
    newsroom.save(newsroom.app.models[1], name="Luce", stools=4)
    newsroom.declare(*venues(model, own=False, stools=models.IntegerField(default=0)))
    newsroom.make(ask=lambda question: False)
    (made,) = newsroom.app.migrations_folder.glob("0002*.py")
    text = made.read_text()
    text = text.replace(
        "class Migration",
        "def carry(models, database):\n"
        '    places = models("news.Place").objects\n'
        '    for bar in models("news.Bar").objects.all():\n'
        "        places.filter(pk=bar.pk).update(stools=bar.stools)\n\n\nclass Migration",
    ).replace("migrations.RemoveField(", "migrations.RunPython(carry),\n        migrations.RemoveField(")
    made.write_text(text)
    newsroom.apply()
    assert newsroom.problems() == []
    assert newsroom.rows("news_place", "name, stools") == [("Luce", 4)]


def test_managers_that_say_so_are_there_with_what_they_were_made_with(newsroom, model):
    def stories(**managers):
        fields = {"title": models.CharField(max_length=9), "status": models.CharField(max_length=9)}
        return model("Story", {"ordering": ["title"]}, **fields, **managers)

    made = newsroom.migrate(
        stories(objects=models.Manager(), dead=Live("dead"), asked=Questions.as_manager(), other=models.Manager())
    )
    assert "import tests.migrations.managers" in made.path.read_text()
    for title, status in (("a", "dead"), ("z", "live")):
        newsroom.save(newsroom.app.models[0], title=title, status=status)
    run(
        newsroom,
        """
def forwards(models, database):
    Story = models("news.Story")
    assert [one.title for one in Story.objects.all()] == ["a", "z"]
    assert Story.dead.get().title == "a" and Story.asked.short().count() == 1
    assert not hasattr(Story, "other")
""",
    )
    newsroom.migrate(stories(live=Live(), objects=models.Manager()))
    (step,) = newsroom.app.migrations_folder.glob("0003*.py")
    assert "AlterModelManagers" in step.read_text()
    run(
        newsroom,
        """
def forwards(models, database):
    Story = models("news.Story")
    assert Story._meta.default_manager.get().title == "z" and Story.objects.count() == 2
""",
        name="0004_rows",
        after=step.stem,
    )


def test_another_order_is_a_step_that_does_nothing_in_the_database(sqlite_newsroom, model):
    def story(*ordering):
        return model("Story", {"ordering": list(ordering)}, title=models.CharField(max_length=9))

    newsroom = sqlite_newsroom
    newsroom.migrate(story("title"))
    newsroom.declare(story("-title", models.F("id").desc()))
    (made,) = newsroom.make()
    assert made.summary == ("Alter options of Story",)
    assert 'options={"ordering": ["-title", models.F("id").desc()]}' in made.path.read_text().replace("\n", "")
    newsroom.apply()
    assert newsroom.problems() == []


def test_an_order_follows_a_field_that_is_renamed(sqlite_newsroom, model):
    def story(name):
        options = {"ordering": [f"-{name}"], "get_latest_by": name}
        return model("Story", options, **{name: models.CharField(max_length=9)})

    newsroom = sqlite_newsroom
    newsroom.migrate(story("title"))
    assert newsroom.migrate(story("headline")).summary == ("Rename field title of Story to headline",)


def test_a_comment_of_a_table_is_changed(newsroom, model):
    def story(comment=None):
        options = {"db_table_comment": comment} if comment else {}
        return model("Story", options, title=models.CharField(max_length=9))

    newsroom.migrate(story("what we wrote"))
    assert newsroom.migrate(story("what they wrote")).summary == ("Alter comment of Story",)
    newsroom.migrate(story())
    newsroom.apply("news.0001")
    newsroom.apply()
    assert newsroom.problems() == []


def test_constraints_of_the_past_hold(newsroom, model):
    check = models.CheckConstraint(condition=models.Q(size__gte=0), name="sized")
    newsroom.migrate(model("Story", {"constraints": [check]}, size=models.IntegerField()))
    with pytest.raises(MigrationError, match="sized"):
        run(
            newsroom,
            """
def forwards(models, database):
    models("news.Story").objects.create(size=-1)
""",
        )


def test_parents_and_proxies_follow_a_rename_and_go_in_order(newsroom, model):
    newsroom.migrate(*venues(model))
    spot = model("Spot", {"ordering": ["-name"], "get_latest_by": "name"}, name=models.CharField(max_length=20))
    bar = model("Bar", {}, inherits=spot, stools=models.IntegerField(default=0))
    dive = model("Dive", {"proxy": True, "ordering": ["stools"]}, inherits=bar)
    newsroom.migrate(spot, bar, dive)
    assert any("renamed to Spot" in question for question in newsroom.questions)
    story = model("Story", title=models.CharField(max_length=9))
    newsroom.declare(story)
    newsroom.make(ask=lambda question: False)
    newsroom.apply()
    assert newsroom.problems() == []
    newsroom.apply("news.zero")


def test_what_a_model_inherits_from_is_noted_where_a_history_lacks_it(sqlite_newsroom, model):
    newsroom = sqlite_newsroom
    made = newsroom.migrate(*venues(model))
    text = made.path.read_text().replace('bases=("news.Place",),', "")
    made.path.write_text(text)
    (added,) = newsroom.make()
    assert added.summary == ("Alter bases of Bar",)
    newsroom.apply()
    assert newsroom.problems() == []


def test_classes_keep_what_their_states_say(model):
    """Described again, classes of the past give the states that they were made of."""
    classes = venues(model)
    from toolkit.models.resolve import resolve_models

    resolve_models({"news": classes})
    state = state_of(classes)
    again = state_of(state.classes().values())
    assert {label: one.said() for label, one in again.models.items()} == {
        label: one.said() for label, one in state.models.items()
    }
    assert isinstance(again, ProjectState)
