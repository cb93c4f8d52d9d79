"""Which operations lead from one state to another, and what is asked on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from toolkit import migrations, models
from toolkit.errors import Problems
from toolkit.migrations.arranging import arrange
from toolkit.migrations.autodetector import detect_changes
from toolkit.migrations.describing import state_of
from toolkit.migrations.loader import Graph
from toolkit.migrations.references import References
from toolkit.migrations.state import ProjectState
from toolkit.models import Q
from toolkit.models.resolve import resolve_models


def title(**options):
    return models.CharField(max_length=80, **options)


def state(declared, app="news"):
    resolved, problems = resolve_models({app: declared} if isinstance(declared, list) else declared)
    assert not problems
    return state_of(resolved)


def steps(before, after, *, ask=lambda question: False, **options):
    return [operation.describe() for _, operation in detect_changes(before, after, ask=ask, **options)]


def test_equal_states_need_nothing(model):
    assert steps(state([model("Story", title=title())]), state([model("Story", title=title())])) == []


def test_order_of_declaration_is_no_change(model):
    one = model("Story", title=title(), note=title())
    other = model("Story", note=title(), title=title())
    assert steps(state([one]), state([other])) == []


def test_models_are_made_after_those_they_refer_to(model):
    story = model("Story", author=models.ForeignKey("Author", on_delete=models.CASCADE))
    assert steps(ProjectState(), state([story, model("Author")])) == ["Create model Author", "Create model Story"]


def test_a_circle_is_closed_once_both_tables_are_there(model):
    pair = Q(editor__isnull=True)
    author = model(
        "Author",
        {
            "constraints": [models.CheckConstraint(condition=pair, name="c")],
            "indexes": [models.Index(fields=["editor"], name="i")],
        },
        editor=models.ForeignKey("Desk", on_delete=models.CASCADE),
    )
    desk = model("Desk", head=models.ForeignKey("Author", on_delete=models.CASCADE))
    made = steps(ProjectState(), state([author, desk]))
    assert made == [
        "Create model Author",
        "Create model Desk",
        "Add field editor to Author",
        "Add constraint c to Author",
        "Add index i to Author",
    ]
    gone = steps(state([author, desk]), ProjectState())
    assert gone == [
        "Remove constraint c from Author",
        "Remove index i from Author",
        "Remove field editor from Author",
        "Delete model Desk",
        "Delete model Author",
    ]


def test_nobody_to_ask_means_new_and_gone(model):
    before, after = state([model("Story", title=title())]), state([model("Story", headline=title(default=""))])
    assert steps(before, after) == ["Add field headline to Story", "Remove field title from Story"]


def test_a_field_is_asked_about_only_if_all_but_its_name_agrees(model):
    asked = []
    before = state([model("Story", title=title(), rank=models.IntegerField(default=1))])
    after = state([model("Story", head=models.CharField(max_length=81, default=""), rank=models.IntegerField())])
    steps(before, after, ask=asked.append)
    assert asked == []


def test_the_likeliest_name_is_asked_about_first(model):
    asked = []
    before = state([model("Story", sub_title=title(default=""))])
    after = state([model("Story", abc=title(default=""), subtitle=title(default=""))])
    steps(before, after, ask=asked.append)
    assert asked == [
        "Was the field news.Story.sub_title renamed to subtitle?",
        "Was the field news.Story.sub_title renamed to abc?",
    ]


def test_a_renamed_field_is_followed_by_constraints_and_indexes(model):
    def declare(name):
        options = {
            "constraints": [models.CheckConstraint(condition=Q(**{f"{name}__gt": 0}), name="positive")],
            "indexes": [models.Index(fields=[f"-{name}"], name="by_it", condition=~Q(**{name: 3}))],
        }
        return state([model("Story", options, **{name: models.IntegerField()})])

    assert steps(declare("rank"), declare("weight"), ask=lambda question: True) == [
        "Rename field rank of Story to weight"
    ]


def test_a_model_that_keeps_its_table_is_renamed_without_a_question(model):
    def never(question):
        raise AssertionError(question)

    before = state([model("Story", {"db_table": "archive"}, title=title())])
    after = state([model("Article", {"db_table": "archive"}, headline=models.TextField())])
    assert steps(before, after, ask=never, complete=False)[0] == "Rename model Story to Article"


def test_a_many_to_many_field_that_was_renamed_keeps_its_links(model):
    def declare(name):
        tag = model("Tag", name=title())
        return state([tag, model("Story", **{name: models.ManyToManyField(tag)})])

    made = steps(declare("tags"), declare("topics"), ask=lambda question: "Story_tags" in question)
    assert made[0] == "Rename model Story_tags to Story_topics"
    assert not [step for step in made if step.startswith(("Create", "Delete"))]


def test_a_column_without_a_default_needs_a_value_and_says_how(model):
    before = state([model("Story", title=title(), note=title(null=True))])
    after = state([model("Story", title=title(), note=title(), code=title())])
    with pytest.raises(
        Problems, match=r"(?s)news.Story.code may not be null.*--fill news.Story.code=VALUE.*Story.note"
    ):
        steps(before, after)
    with pytest.raises(Problems, match=r"Story.code: 'x' is not a whole number"):
        number = state([model("Story", title=title(), note=title(null=True), code=models.IntegerField())])
        steps(before, number, fills={"news.Story.code": "x"})


def test_what_a_new_object_would_have_is_enough(model):
    before = state([model("Story", title=title())])
    after = state(
        [
            model(
                "Story",
                title=title(),
                note=models.TextField(blank=True),
                live=models.BooleanField(),
                rank=models.IntegerField(default=3),
                data=models.JSONField(default=dict),
                day=models.DateField(null=True),
            )
        ]
    )
    assert len(steps(before, after)) == 5


@dataclass
class FakeApp:
    label: str
    models: list
    migrations_folder: Path | None


def two_apps(model, tmp_path, *, circle):
    story_fields = {"author": models.ForeignKey("people.Author", on_delete=models.CASCADE, related_name="+")}
    author_fields = (
        {"best": models.ForeignKey("news.Story", on_delete=models.CASCADE, null=True, related_name="+")}
        if circle
        else {}
    )
    story, author = model("Story", **story_fields), model("Author", name=title(), **author_fields)
    resolve_models({"news": [story], "people": [author]})
    return [FakeApp("news", [story], tmp_path / "news"), FakeApp("people", [author], tmp_path / "people")]


def test_apps_depend_on_each_others_migrations(model, tmp_path):
    made = migrations.make(two_apps(model, tmp_path, circle=False))
    assert [(one.app, one.name) for one in made] == [("people", "0001_initial"), ("news", "0001_initial")]
    assert '("people", "0001_initial"),' in made[1].text


def test_two_apps_that_refer_to_each_other_take_three_migrations(newsroom, model, tmp_path):
    apps = two_apps(model, tmp_path, circle=True)
    made = migrations.make(apps)
    assert [(one.app, one.name) for one in made] == [
        ("news", "0001_initial"),
        ("people", "0001_initial"),
        ("news", "0002_story_author"),
    ]
    migrations.apply(newsroom.database, apps)
    assert migrations.check(newsroom.database, apps) == []
    migrations.apply(newsroom.database, apps, "news.zero")
    assert [one.applied_at is None for one in migrations.show(newsroom.database, apps)] == [True, True, True]


def test_an_app_without_migrations_is_never_written_to(model, tmp_path):
    apps = two_apps(model, tmp_path, circle=False)
    apps[1].migrations_folder = None
    (made,) = migrations.make(apps)
    assert (made.app, "people" in made.text.split("operations")[0]) == ("news", False)


def test_operations_are_put_into_as_few_migrations_as_can_be(model):
    changes = detect_changes(ProjectState(), state([model("Story"), model("Tag")]))
    (draft,) = arrange(changes, Graph(()), references=References(ProjectState()))
    assert (draft.name, len(draft.operations), draft.dependencies) == ("0001_initial", 2, [])


def test_links_that_shall_lead_elsewhere_are_told_of(model):
    def declared(to):
        tag, place = model("Tag", name=title()), model("Place", name=title())
        return state([tag, place, model("Story", to=models.ManyToManyField(tag if to == "Tag" else place))])

    with pytest.raises(
        Problems, match=r"news\.Story\.to: a many-to-many field changes its target from news\.Tag to"
    ) as told:
        steps(declared("Tag"), declared("Place"))
    assert len(told.value.problems) == 1
