"""What may stand behind a field in a filter, with the same answers on every database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from toolkit.errors import DatabaseError, FieldError
from toolkit.models import F, Now, Q, Value
from toolkit.models.folding import folded

NAMES = ["Straße", "STRASSE", "İstanbul", "100% sure", "100 sure", "a_b", "axb", "back\\slash", "ΟΔΟΣ", "plain", ""]


@pytest.fixture
def names(m: Any, scope: Any) -> Any:
    m.Everything.objects.bulk_create([m.Everything(char=name) for name in NAMES] + [m.Everything(char=None)])
    return lambda **lookups: sorted(
        str(name) for name in m.Everything.objects.filter(**lookups).values_list("char", flat=True)
    )


@pytest.mark.parametrize(
    ("lookup", "value", "found"),
    [
        ("exact", "plain", ["plain"]),
        ("exact", "PLAIN", []),
        ("iexact", "PLAIN", ["plain"]),
        ("iexact", "strasse", ["STRASSE", "Straße"]),
        ("iexact", "STRAßE", ["STRASSE", "Straße"]),
        ("iexact", "οδος", ["ΟΔΟΣ"]),
        ("iexact", "a_b", ["a_b"]),
        ("contains", "%", ["100% sure"]),
        ("contains", "_", ["a_b"]),
        ("contains", "\\", ["back\\slash"]),
        ("contains", "SURE", []),
        ("icontains", "SURE", ["100 sure", "100% sure"]),
        ("icontains", "% S", ["100% sure"]),
        ("icontains", "A_", ["a_b"]),
        ("icontains", "K\\S", ["back\\slash"]),
        ("icontains", "RASS", ["STRASSE", "Straße"]),
        ("startswith", "100%", ["100% sure"]),
        ("startswith", "a_", ["a_b"]),
        ("startswith", "A", []),
        ("istartswith", "A_", ["a_b"]),
        ("istartswith", "İST", ["İstanbul"]),
        ("endswith", "\\slash", ["back\\slash"]),
        ("endswith", "longer than any of the names that there are", []),
        ("endswith", "SLASH", []),
        ("iendswith", "SLASH", ["back\\slash"]),
        ("regex", "^a.b$", ["a_b", "axb"]),
        ("regex", "^A.B$", []),
        ("iregex", "^A.B$", ["a_b", "axb"]),
        ("regex", r"\bsure\b[\b]?", ["100 sure", "100% sure"]),
        ("iregex", r"\BLASH", ["back\\slash"]),
        ("in", ["plain", "axb"], ["axb", "plain"]),
        ("in", [], []),
        ("in", [None], []),
        ("in", {"plain", "axb"}, ["axb", "plain"]),
        ("in", ["plain", "axb", "no"], ["axb", "plain"]),
        ("gt", "plain", None),
        ("isnull", True, ["None"]),
    ],
)
def test_text_lookups(names: Any, lookup: str, value: Any, found: list[str] | None) -> None:
    answer = names(**{f"char__{lookup}": value})
    if found is not None:
        assert answer == found


def test_an_empty_pattern_is_in_every_text(names: Any) -> None:
    for lookup in ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"):
        assert len(names(**{f"char__{lookup}": ""})) == len(NAMES), lookup


def test_case_is_that_of_unicode_for_every_character(m: Any, scope: Any) -> None:
    """Letters fall into the same classes on every database: ı is no i, and the signs of kelvin and ohm are letters."""
    letters = [c for c in map(chr, range(0x1F000)) if c.isalpha() and {c} != {c.casefold(), c.upper(), c.lower()}]
    m.Everything.objects.bulk_create([m.Everything(pk=ord(letter), char=letter) for letter in letters])
    table, dialect = scope.database.schema.table(m.Everything), scope.database.sqlalchemy_dialect
    question = sa.select(table.c.id, folded(table.c.char, scope.database.dialect)).compile(dialect=dialect)
    values = [question.params[name] for name in question.positiontup or ()]
    alike: dict[str, set[str]] = {}
    for number, text in scope.database.fetch(str(question), values):
        alike.setdefault(text, set()).add(chr(number))
    wanted: dict[str, set[str]] = {}
    for letter in letters:
        wanted.setdefault(letter.casefold(), set()).add(letter)
    assert sorted(map(sorted, alike.values())) == sorted(map(sorted, wanted.values()))
    for letter in (letter for letter in letters if len(letter.casefold()) > 1):
        assert m.Everything.objects.filter(char=letter, char__iexact=letter.casefold()).exists(), letter
    assert m.Everything.objects.filter(char="İ", char__icontains="i").exists()
    assert not m.Everything.objects.filter(char="ı", char__icontains="i").exists()
    m.Everything.objects.create(pk=0xE000, char="\ue000")  # which fonts of icons use, and which stood for ı
    assert {row.char for row in m.Everything.objects.filter(char__iexact="\ue000")} == {"\ue000"}


@pytest.mark.parametrize(
    ("lookup", "value", "found"),
    [
        ("gt", 2, [3, 4]),
        ("gte", 2, [2, 3, 4]),
        ("lt", 1, [0]),
        ("lte", 1, [0, 1]),
        ("range", (1, 3), [1, 2, 3]),
        ("range", [3, 1], []),
        ("in", [4, 4, 0], [0, 4]),
        ("exact", "3", [3]),
        ("isnull", False, [0, 1, 2, 3, 4]),
    ],
)
def test_number_lookups(m: Any, scope: Any, lookup: str, value: Any, found: list[int]) -> None:
    m.Everything.objects.bulk_create([m.Everything(integer=n) for n in [None, *range(5)]])
    rows = m.Everything.objects.filter(**{f"integer__{lookup}": value}).order_by("integer")
    assert list(rows.values_list("integer", flat=True)) == found


@pytest.mark.parametrize(
    ("lookup", "value"),
    [("year", 2026), ("month", 12), ("day", 31), ("hour", 23), ("minute", 59), ("second", 58), ("year__gte", 2026)],
)
def test_parts_of_an_instant_are_those_of_utc(m: Any, scope: Any, lookup: str, value: int) -> None:
    m.Everything.objects.create(instant=datetime(2026, 12, 31, 23, 59, 58, 999_999, tzinfo=UTC))
    m.Everything.objects.create(instant=datetime(2025, 1, 1, 0, 0, 0, tzinfo=UTC))
    assert m.Everything.objects.filter(**{f"instant__{lookup}": value}).count() == 1


def test_parts_of_a_date(m: Any, scope: Any) -> None:
    m.Everything.objects.create(date=date(2026, 2, 28))
    assert m.Everything.objects.filter(date__year=2026, date__month=2, date__day=28).count() == 1
    assert m.Everything.objects.filter(date__month__in=[1, 3]).count() == 0


def test_null_meets_no_condition_and_is_kept_by_exclude(m: Any, scope: Any) -> None:
    for score in (None, 1, 2):
        m.Everything.objects.create(integer=score)
    ask = m.Everything.objects
    assert ask.filter(integer=1).count() == 1
    assert ask.exclude(integer=1).count() == 2
    assert ask.exclude(integer__in=[1]).count() == 2
    assert ask.exclude(integer__gt=1).count() == 2
    assert ask.exclude(integer__isnull=True).count() == 2
    assert ask.exclude(Q(integer=1) | Q(integer=2)).count() == 1
    assert ask.exclude(~Q(integer=1)).count() == 1
    assert ask.filter(~Q(~Q(integer=1))).count() == 1
    assert ask.exclude(integer__lt=F("positive")).count() == 3
    assert ask.exclude(integer__in=ask.filter(integer=None).values("integer")).count() == 3


def test_every_row_is_in_a_filter_or_in_its_exclude(m: Any, newsroom: Any) -> None:
    conditions = [
        Q(weight__gt=2),
        Q(expires__lte=m.NOON),
        Q(editor__name="Author 1"),
        Q(editor=None),
        Q(tags__slug="tag-1"),
        Q(tags__slug="tag-1", tags__name="Tag 2"),
        Q(comments__isnull=True),
        Q(editor__profile__motto="x"),
        Q(editor__stories__weight=3),
        Q(tags__slug="tag-1") ^ Q(editor__name="Author 1"),
        Q(expires__gt=F("published")),
        Q(weight__in=[]),
    ]
    for condition in conditions:
        inside, outside = m.Story.objects.filter(condition), m.Story.objects.exclude(condition)
        assert inside.count() + outside.count() == 20, condition
        assert not set(inside.values_list("pk", flat=True)) & set(outside.values_list("pk", flat=True)), condition
        assert m.Story.objects.filter(~condition).count() == outside.count(), condition


def test_conditions_are_joined_by_and_or_xor_and_not(m: Any, newsroom: Any) -> None:
    def weights(condition: Q) -> set[int]:
        return set(m.Story.objects.filter(condition).values_list("weight", flat=True))

    low, odd = Q(weight__lt=3), Q(weight__in=[1, 3])
    assert weights(low & odd) == {1}
    assert weights(low | odd) == {0, 1, 2, 3}
    assert weights(low ^ odd) == {0, 2, 3}
    assert weights(~low) == {3, 4}
    assert weights(~(low | odd)) == {4}
    assert weights(low & ~odd | Q(weight=4)) == {0, 2, 4}


def test_conditions_of_one_filter_speak_of_one_partner_those_of_two_filters_of_any(m: Any, newsroom: Any) -> None:
    one = m.Story.objects.filter(tags__slug="tag-1", tags__name="Tag 2")
    two = m.Story.objects.filter(tags__slug="tag-1").filter(tags__name="Tag 2")
    assert one.count() == 0
    assert two.count() == 4
    assert m.Story.objects.filter(Q(tags__slug="tag-1") & Q(tags__name="Tag 2")).count() == 0
    assert m.Story.objects.filter(tags__isnull=False, tags__name="Tag 2").count() == 8


def test_a_row_that_has_many_matching_partners_is_found_once(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.filter(tags__slug__startswith="tag").count() == 20
    assert len(m.Story.objects.filter(tags__slug__startswith="tag")) == 20


def test_paths_span_several_relations_in_both_directions(m: Any, newsroom: Any) -> None:
    tagged = m.Section.objects.filter(stories__tags__slug="tag-0")
    assert [section.slug for section in tagged] == ["section-0", "section-1", "section-2"]
    assert m.Author.objects.filter(bylines__position=3).count() == 1
    assert m.Author.objects.filter(stories__section__slug="section-1", stories__weight=4).count() == 2
    assert m.Tag.objects.filter(stories__authors__bylines__story__slug="story-0").count() == 5


def test_an_instance_stands_for_its_key_and_only_where_it_belongs(m: Any, newsroom: Any) -> None:
    section, tag = newsroom.sections[1], newsroom.tags[1]
    assert m.Story.objects.filter(section=section).count() == 7
    assert m.Story.objects.filter(section__in=[section, newsroom.sections[2]]).count() == 13
    assert m.Story.objects.filter(tags=tag).count() == m.Story.objects.filter(tags=tag.pk).count() == 8
    assert m.Story.objects.filter(tags__in=[tag]).count() == 8
    with pytest.raises(FieldError, match="it is no Section"):
        m.Story.objects.filter(section=tag).count()
    with pytest.raises(FieldError, match="unsaved Section"):
        m.Story.objects.filter(section=m.Section()).count()


def test_a_question_can_be_part_of_another(m: Any, newsroom: Any) -> None:
    chosen = m.Section.objects.filter(slug__in=["section-0", "section-1"])
    assert m.Story.objects.filter(section__in=chosen).count() == 14
    assert m.Story.objects.exclude(section__in=chosen).count() == 6
    assert m.Story.objects.filter(section__slug__in=chosen.values("slug")).count() == 14
    latest = m.Story.objects.order_by("-published")[:3]
    assert set(m.Story.objects.filter(pk__in=latest)) == set(latest)
    assert m.Story.objects.filter(pk__in=m.Story.objects.none()).count() == 0
    assert set(m.Story.objects.filter(pk__in=latest[1:])) == set(latest[1:3])
    with pytest.raises(FieldError, match="gives one value, not 'slug', 'name'"):
        m.Story.objects.filter(section__in=chosen.values("slug", "name")).count()


def test_fields_are_compared_with_each_other(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.filter(weight=F("section__position")).count() == 6
    assert m.Story.objects.filter(weight__gt=F("section__position") + 2).count() == 5
    assert m.Story.objects.filter(expires__gt=F("published")).count() == 1


def test_now_is_the_moment_of_the_scope(m: Any, newsroom: Any) -> None:
    from toolkit.trace import entered

    with entered(m.look(newsroom.database)):
        assert m.Story.objects.filter(published__gt=Now()).count() == 2
        assert m.Story.objects.filter(published__lte=Now()).count() == 18


@pytest.mark.parametrize(
    ("lookups", "told"),
    [
        ({"titel": "x"}, r"Story has no field 'titel'. Did you mean 'title'\?"),
        ({"title__contain": "x"}, r"there is no lookup 'contain'. Did you mean"),
        ({"section__slgu": "x"}, r"Section has no field 'slgu' \(in 'Story.section__slgu'\). Did you mean 'slug'\?"),
        ({"section__slug__year": 1}, "there is no lookup 'year'"),
        ({"weight__in": 3}, "'in' takes several values"),
        ({"status__in": "live"}, "'in' takes several values"),
        ({"weight__range": (1, 2, 3)}, "'range' takes two values"),
        ({"weight__gt": None}, "can be compared only for equality"),
        ({"weight": "many"}, r"Story\.weight cannot be compared: 'many' is not a whole number"),
        ({"published__lte": "soon"}, r"Story\.published cannot be compared: 'soon' is not a date and time"),
        ({"weight": Now()}, "weight: int cannot be compared with datetime. Say Cast"),
        ({"title": F("weight")}, "title: str cannot be compared with int"),
        ({"title__contains": F("published")}, "title__contains: str cannot be compared with datetime"),
        ({"weight__isnull": None}, "'isnull' takes True or False"),
        ({"weight__isnull": Value(True)}, "'isnull' takes True or False"),
        ({"weight__isnull": [True]}, "'isnull' takes True or False"),
        ({"weight__in": F("pk")}, "'in' takes several values"),
        ({"weight__range": F("pk")}, "'range' takes several values"),
        ({"published__gt": F("published") + Now()}, r"datetime \+ datetime has no meaning"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_the_names_in_it(
    m: Any, newsroom: Any, lookups: dict[str, Any], told: str
) -> None:
    with pytest.raises(FieldError, match=told):
        m.Story.objects.filter(**lookups).count()


def test_dates_may_be_given_as_text(m: Any, newsroom: Any) -> None:
    assert m.Story.objects.filter(published__gte="2026-03-01 12:00+00:00").count() == 3
    assert m.Story.objects.filter(published__gte="2026-03-02").count() == 2


def test_a_set_within_a_set_is_no_matter_of_pythons(m: Any, newsroom: Any) -> None:
    """Python warns that it may read it otherwise one day."""
    assert m.Story.objects.filter(title__regex="zq7[[a]").count() == 0


def test_a_regular_expression_that_could_be_tried_for_years_is_answered(m: Any, scope: Any, database: Any) -> None:
    m.Everything.objects.create(text="a" * 60 + "!", char="(a+)+!$")
    asked = m.Everything.objects
    if database.dialect != "mysql":  # which gives it up: see below
        assert not asked.filter(text__regex="^(a+)+$").exists()
    assert asked.filter(text__iregex="^(A|AA)+!").exists()
    assert asked.filter(text__regex=F("char")).exists()
    assert not asked.filter(text__regex=F("email")).exists()


def test_a_regular_expression_that_mariadb_gives_up_is_no_answer(m: Any, scope: Any, database: Any) -> None:
    if database.dialect == "mysql":
        m.Everything.objects.create(text="a" * 5000 + "!")
        given_up = m.Everything.objects.filter(text__regex="(a|a?)+$")
        for ask in (
            given_up.count,
            lambda: list(given_up.iterator()),
            m.Everything.objects.exclude(text__regex="(a|a?)+$").delete,
        ):
            with pytest.raises(DatabaseError, match=r"refused: Regex error 'match limit exceeded'"):
                ask()
        assert m.Everything.objects.count() == 1


def test_a_regular_expression_that_takes_too_long_is_given_up_on_sqlite(
    m: Any, scope: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.dialect == "sqlite":
        monkeypatch.setattr("toolkit.database.sqlpatterns.SECONDS", 0.1)
        m.Everything.objects.create(text="a" * 60 + "!")
        with pytest.raises(DatabaseError, match=r"'\(a\|aa\)\+\$' is refused: it took more than 0\.1 seconds"):
            m.Everything.objects.filter(text__regex="(a|aa)+$").exists()


def test_a_broken_regular_expression_is_refused(m: Any, newsroom: Any) -> None:
    with pytest.raises(FieldError, match="is no regular expression"):
        m.Story.objects.filter(title__regex="(").count()
