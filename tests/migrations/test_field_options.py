"""One contract for each option of fields: what it changes in the table, in migrations, and in ``full_clean()``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from toolkit import models
from toolkit.errors import DeclarationError, ValidationError
from toolkit.migrations.tables.comparing import read_table
from toolkit.models.resolve import resolve_models
from toolkit.trace import Scope, entered


class Status(models.TextChoices):
    LIVE = "live", "Live"
    DRAFT = "draft", "Draft"


class Weight(models.IntegerChoices):
    LIGHT = 1
    HEAVY = 2, "Heavy as lead"


def odd(value: int) -> None:
    if value % 2 == 0:
        raise ValidationError("%(value)s is even", code="even", params={"value": value})


def char(**options: Any) -> Any:
    return models.CharField(**{"max_length": 20, **options})


def integer(**options: Any) -> Any:
    return models.IntegerField(**options)


@dataclass
class Contract:
    """What an option does. A change of it is a migration if the table differs.

    Args:
        options: The option, and its value.
        make: Makes the field, with the option or without.
        table: What differs in the table, as ``differences`` calls it.
        before: Values, and how ``full_clean()`` refuses them without the option; None if it takes them.
        after: The same with it.
        label: What the test is called.
    """

    options: dict[str, Any]
    make: Callable[..., Any] = char
    table: set[str] = field(default_factory=set)
    before: dict[Any, str | None] = field(default_factory=dict)
    after: dict[Any, str | None] = field(default_factory=dict)
    label: str = ""

    def __post_init__(self) -> None:
        self.label = self.label or next(iter(self.options))


CHOICE = {"before": {"gone": None}, "after": {"live": None, "draft": None, "gone": "invalid_choice"}}
PAIRS = [("live", "Live"), ("draft", "Draft")]

CONTRACTS = [
    Contract({"null": True}, table={"null"}, before={None: "null"}, after={None: None}),
    Contract({"blank": True}, before={"": "blank"}, after={"": None}),
    Contract({"choices": PAIRS}, **CHOICE, label="choices in pairs"),
    Contract({"choices": dict(PAIRS)}, **CHOICE, label="choices in a mapping"),
    Contract({"choices": [("Shown", PAIRS[:1]), ("Hidden", PAIRS[1:])]}, **CHOICE, label="choices in groups"),
    Contract({"choices": lambda: PAIRS}, **CHOICE, label="choices of a function"),
    Contract({"choices": Status}, **CHOICE, label="choices of a class"),
    Contract(
        {"choices": Weight}, integer, before={3: None}, after={1: None, 3: "invalid_choice"}, label="choices of numbers"
    ),
    Contract({"default": "news"}),
    Contract({"db_default": "news"}, table={"default"}),
    Contract({"unique": True}, table={"unique"}, before={"taken": None}, after={"taken": "unique", "free": None}),
    Contract({"unique_for_date": "day"}, before={"taken": None}, after={"taken": "unique_for_date", "free": None}),
    Contract({"unique_for_month": "day"}, before={"taken": None}, after={"taken": "unique_for_date", "free": None}),
    Contract({"unique_for_year": "day"}, before={"taken": None}, after={"taken": "unique_for_date", "free": None}),
    Contract({"validators": [odd]}, integer, before={2: None}, after={2: "even", 3: None}),
    Contract({"editable": False}),
    Contract({"help_text": "As it is printed"}),
    Contract({"verbose_name": "headline"}),
    Contract({"db_column": "headline"}, table={"column"}),
    Contract({"db_comment": "it's 100% printed"}, table={"comment"}),
    Contract({"db_index": True}, table={"index"}),
    Contract({"error_messages": {"blank": "Who wrote it?"}}, before={"": "blank"}, after={"": "blank"}),
    Contract({"max_length": 30}, table={"kind"}, before={"x" * 30: "max_length"}, after={"x" * 30: None}),
]


@pytest.fixture(params=CONTRACTS, ids=[contract.label for contract in CONTRACTS])
def contract(request: pytest.FixtureRequest) -> Contract:
    return request.param  # type: ignore[no-any-return]


def story(model: Any, made: Any) -> Any:
    return model("Story", made=made, day=models.DateField(default=date(2026, 3, 1)))


def differences(before: Any, after: Any) -> set[str]:
    """What differs in two tables, in one word each."""
    names = before.columns.keys() ^ after.columns.keys()
    found = {"column"} if names else set()
    for name in before.columns.keys() & after.columns.keys():
        pairs = ((what, getattr(before.columns[name], what), getattr(after.columns[name], what)) for what in COLUMN)
        found |= {what for what, old, new in pairs if old != new}
    found |= {"unique"} if before.constraints != after.constraints else set()
    return found | ({"index"} if before.indexes != after.indexes else set())


COLUMN = ("kind", "null", "default", "comment", "generated")


def refusal(kind: Any, value: Any) -> str | None:
    """The code by which ``full_clean()`` refuses a value; None if it takes it."""
    try:
        kind(made=value).full_clean()
    except ValidationError as error:
        assert set(error.errors) == {"made"}
        return error.errors["made"][0].code
    return None


def test_an_option_does_what_it_says_in_the_table_in_migrations_and_in_validation(
    newsroom: Any, model: Any, contract: Contract
) -> None:
    newsroom.migrate(story(model, contract.make()))
    database, (plain,) = newsroom.database, newsroom.app.models
    before = read_table(database, "news_story")
    values = [*contract.before, *contract.after]
    taken = next((value for value in values if value == "taken"), 1 if contract.make is integer else "first")
    newsroom.save(plain, made=taken)
    with entered(Scope(None, database)):
        assert {value: refusal(plain, value) for value in contract.before} == contract.before

    newsroom.declare(story(model, contract.make(**contract.options)))
    (changed,) = newsroom.app.models
    written = newsroom.make()
    newsroom.apply()
    after = read_table(database, "news_story")
    kept = contract.table - ({"comment"} if database.dialect == "sqlite" else set())
    assert differences(before, after) == kept
    assert bool(written) == bool(contract.table)
    assert newsroom.problems() == []
    with entered(Scope(None, database)):
        assert [row.made for row in changed.objects.all()] == [taken]
        assert {value: refusal(changed, value) for value in contract.after} == contract.after

    if written:
        newsroom.apply("news.0001")
        assert differences(before, read_table(database, "news_story")) == set()


def test_an_option_is_told_and_makes_the_same_field_again(contract: Contract) -> None:
    _, without = contract.make().deconstruct()
    made = contract.make(**contract.options)
    path, told = made.deconstruct()
    assert path.rpartition(".")[2] == type(made).__name__
    assert {name: told[name] for name in contract.options} == contract.options
    assert {name: value for name, value in told.items() if name not in contract.options} == {
        name: value for name, value in without.items() if name not in contract.options
    }
    assert type(made)(**told).deconstruct() == (path, told)


def test_defaults_of_python_and_of_the_database_fill_what_is_not_given(newsroom: Any, model: Any) -> None:
    one = model("One", made=char(default="news"), other=char(db_default="wire"), third=char(default=lambda: "called"))
    newsroom.migrate(one)
    newsroom.save(one)
    newsroom.database.execute("INSERT INTO news_one (made, third) VALUES ('x', 'y')")
    with entered(Scope(None, newsroom.database)):
        assert list(one.objects.values_list("made", "other", "third")) == [
            ("news", "wire", "called"),
            ("x", "wire", "y"),
        ]
        one(made="a", third="b").full_clean()


def test_what_people_read_is_no_affair_of_the_database(model: Any) -> None:
    made = story(model, char(verbose_name="headline", help_text="As printed", editable=False, choices=Status))
    field: Any = made._meta.get_field("made")
    assert (field.verbose_name, field.help_text, field.editable) == ("headline", "As printed", False)
    assert made(made="live").get_made_display() == "Live"
    assert field.choices == [("live", "Live"), ("draft", "Draft")]


def test_a_message_of_ones_own_is_told_by_a_whole_row(newsroom: Any, model: Any) -> None:
    own = {"blank": "Who wrote it?", "unique": "%(field_label)s is taken", "unique_for_date": "once a day"}
    made = model("Story", made=char(unique=True, error_messages=own), day=models.DateField(default=date(2026, 3, 1)))
    newsroom.migrate(made)
    newsroom.save(made, made="taken")
    with entered(Scope(None, newsroom.database)):
        for value, told in (("", "Who wrote it?"), ("taken", "made is taken")):
            with pytest.raises(ValidationError, match=r"^Story: made: ") as refused:
                made(made=value).full_clean()
            assert refused.value.message_dict == {"made": [told]}


def test_a_key_of_ones_own_is_the_key_of_the_table(newsroom: Any, model: Any) -> None:
    keyed = model("Keyed", code=char(primary_key=True), ident=models.IntegerField())
    timed = model("Timed", ident=models.UUIDField(primary_key=True, default=models.uuid7))
    newsroom.migrate(keyed, timed)
    newsroom.save(keyed, code="a", ident=1)
    made = [newsroom.save(timed).pk for _ in range(20)]
    assert made == sorted(made)
    assert {one.version for one in made} == {7}
    with entered(Scope(None, newsroom.database)):
        assert list(timed.objects.order_by("pk").values_list("pk", flat=True)) == made
        assert refusal_of_key(keyed, "a") == "unique"
        assert refusal_of_key(keyed, "b") is None


def refusal_of_key(kind: Any, code: str) -> str | None:
    try:
        kind(code=code, ident=2).full_clean()
    except ValidationError as error:
        return error.errors["code"][0].code
    return None


def test_a_comment_on_a_table_comes_and_goes(newsroom: Any, model: Any) -> None:
    newsroom.migrate(model("Story", made=char()))
    newsroom.migrate(model("Story", {"db_table_comment": "it's 100% news"}, made=char()))
    told = read_table(newsroom.database, "news_story").comment
    assert told == (None if newsroom.database.dialect == "sqlite" else "it's 100% news")
    newsroom.apply("news.0001")
    assert read_table(newsroom.database, "news_story").comment is None


def test_a_key_is_never_null(model: Any) -> None:
    with pytest.raises(DeclarationError, match=r"Story\.made: a primary key is never NULL"):
        story(model, char(primary_key=True, null=True))


@pytest.mark.parametrize("name", ["dya", "made"])
def test_what_is_unique_for_a_date_names_a_date(model: Any, name: str) -> None:
    _, problems = resolve_models({"news": [story(model, char(unique_for_month=name))]})
    (problem,) = problems
    assert problem.message == f"news.Story.made: unique_for_month = {name!r} is no date of the model"
    assert problem.hint == ("Did you mean 'day'?" if name == "dya" else "There is: day.")
