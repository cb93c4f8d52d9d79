"""Usages that Django's documentation of querysets, aggregation and expressions shows, and that nobody tries first.

Answers were worked out by hand, over the rows of ``test_oracle``.
"""

# ruff: noqa: E501 - a table of questions

from __future__ import annotations

from typing import Any

import pytest

from tests.models.test_oracle import ask, filled, room
from toolkit.errors import FieldError

__all__ = ["filled", "room"]

CASES: list[tuple[str, str, Any]] = [
    # conditions that say nothing
    ("a condition that says nothing", "Story.objects.filter(Q()).count()", 5),
    ("turned round, it says nothing either", "Story.objects.filter(~Q()).count()", 5),
    ("exclude nothing", "Story.objects.exclude().count()", 5),
    ("exclude a condition that says nothing", "Story.objects.exclude(Q(), Q(weight=5)).count()", 4),
    ("or, begun with nothing", "Story.objects.filter(Q() | Q(weight=5))", ["Flood"]),
    ("or, ended with nothing", "Story.objects.filter(Q(weight=5) | ~(Q() & Q()))", ["Flood"]),
    ("xor with nothing", "Story.objects.filter(Q() ^ Q(weight=5))", ["Flood"]),
    ("nothing in a list, turned round", "Story.objects.filter(~Q(pk__in=[])).count()", 5),
    # parts of texts
    ("the first letter", "Story.objects.annotate(x=F('title')[0]).order_by('pk').values_list('x', flat=True)[0]", "F"),
    ("from the second on", "Story.objects.annotate(x=F('title')[1:]).order_by('pk').values_list('x', flat=True)[0]", "lood"),
    ("some letters", "Story.objects.filter(title=F('slug')).count() + Story.objects.annotate(x=F('title')[1:3]).filter(x='lo').count()", 1),
    ("no letters", "Story.objects.annotate(x=F('title')[3:1]).order_by('pk').values_list('x', flat=True)[0]", ""),
    # NULL
    ("iexact of None is NULL", "Story.objects.filter(editor__name__iexact=None)", ["Final", "Fair"]),
    ("exclude iexact of None", "Story.objects.exclude(editor__name__iexact=None).count()", 3),
    ("exclude a partner's NULL", "Story.objects.exclude(comments__score=None)", ["Ferry"]),
    ("exclude a list across a reference that may be NULL", "Story.objects.exclude(editor__name__in=['Ann', None])", ["Ferry", "Final", "Fair"]),
    ("no partner", "Story.objects.exclude(comments__isnull=False)", ["Final", "Budget", "Fair"]),
    # querysets behind a lookup
    ("a question that lists itself", "Story.objects.filter(pk__in=Story.objects.filter(weight=3).values('pk'))", ["Ferry", "Final"]),
    ("the first values, each once", "Story.objects.filter(weight__in=Story.objects.order_by('weight').values_list('weight', flat=True).distinct()[:2])", ["Budget", "Fair"]),
    ("numbers among numbers", "Story.objects.filter(weight__in=Comment.objects.values('score'))", ["Flood", "Fair"]),
    ("the reference itself", "Section.objects.filter(pk__in=Story.objects.filter(weight=5).values('section'))", ["Town"]),
    ("two levels around", "Section.objects.filter(Exists(Story.objects.filter(Exists(Comment.objects.filter(story=OuterRef('pk'), story__section=OuterRef(OuterRef('pk')))))))", ["Town"]),
    ("exists, with another condition", "Section.objects.filter(Exists(Story.objects.filter(section=OuterRef('pk'))) & Q(slug='town'))", ["Town"]),
    ("exclude what exists", "Section.objects.exclude(Exists(Story.objects.filter(section=OuterRef('pk'))))", ["Arts"]),
    ("a count by a subquery", "Section.objects.annotate(n=Subquery(Story.objects.filter(section=OuterRef('pk')).order_by().values('section').annotate(c=Count('*')).values('c'))).values_list('n', flat=True)", [3, 2, None]),
    # rows
    ("earliest by two fields", "Story.objects.earliest('weight', 'published')", "Budget"),
    ("latest, one of them turned", "Story.objects.latest('weight', '-published')", "Flood"),
    ("in bulk by another field", "sorted(Tag.objects.in_bulk(['sea', 'tax', 'none'], field_name='slug'))", ["sea", "tax"]),
    ("in bulk of nothing", "Tag.objects.in_bulk([])", {}),
    ("contains", "[Story.objects.filter(weight=3).contains(Story.objects.get(pk=n)) for n in (1, 2)]", [False, True]),
    ("contains another model's", "Story.objects.all().contains(Tag.objects.get(slug='sea'))", False),
    ("get of a slice", "Story.objects.order_by('pk')[0:1].get()", "Flood"),
    ("values of the first", "Story.objects.order_by('pk').values('title').first()", {"title": "Flood"}),
    ("a deferred field of a related row", "Story.objects.select_related('section').defer('section__name').get(pk=1).section.name", "Town"),
    ("only a field of a related row", "Story.objects.select_related('section').only('title', 'section__slug').get(pk=1).section.name", "Town"),
    ("defer twice", "Story.objects.defer('title').defer('slug').get(pk=1).slug", "flood"),
    ("to an attribute", "[c for s in Story.objects.order_by('pk').prefetch_related(Prefetch('comments', queryset=Comment.objects.filter(score__gt=1), to_attr='good')) for c in s.good]", ["Good", "Good"]),
    ("prefetch nothing any more", "Story.objects.prefetch_related('comments__answers', 'section').prefetch_related(None).count()", 5),
    # sets
    ("values of a union", "Tag.objects.values_list('slug').union(Section.objects.values_list('slug')).order_by('slug').values('slug')[:2]", [{"slug": "arts"}, {"slug": "ferry"}]),
    ("a union with nothing", "Tag.objects.none().union(Tag.objects.filter(slug='sea'))", ["sea"]),
    ("how many of a union of all", "Tag.objects.union(Tag.objects.all(), all=True).count()", 6),
    ("whether a union has any", "Tag.objects.filter(slug='x').union(Tag.objects.filter(slug='tax')).exists()", True),
    ("one of two querysets", "(Story.objects.filter(weight=5) ^ Story.objects.filter(section=1)).order_by('pk')", ["Ferry", "Budget"]),
    # expressions
    ("a transform in F", "Story.objects.order_by('pk').annotate(y=F('published__year')).values_list('y', flat=True)", [2026, 2026, 2026, 2025, 2024]),
    ("a condition as a value", "Story.objects.order_by('pk').annotate(big=Q(weight__gt=3)).values_list('big', flat=True)", [True, False, False, False, False]),
    ("groups by a condition", "Comment.objects.order_by().values(has=Q(score__isnull=False)).annotate(n=Count('*')).order_by('has').values_list('has', 'n')", [(False, 1), (True, 3)]),
    ("an alias, computed further", "Story.objects.alias(n=Count('comments')).annotate(m=F('n') * 2).order_by('pk').values_list('m', flat=True)", [6, 2, 0, 0, 0]),
    ("values by expressions", "Story.objects.order_by('pk').values('section__name', up=Upper('title'))[0]", {"section__name": "Town", "up": "FLOOD"}),
    ("order by a function", "Story.objects.order_by(Lower('title').desc())[:2]", ["Flood", "Final"]),
    ("a day against a day", "Story.objects.filter(published__date=F('expires__date')).count()", 0),
    ("a length of time", "Story.objects.annotate(age=ExpressionWrapper(F('expires') - F('published'), output_field=DurationField())).filter(age__gt=timedelta(days=40))", ["Ferry"]),
    # aggregates
    ("groups, in order", "Story.objects.order_by().values('status').annotate(n=Count('id')).order_by('-n')", [{"status": "live", "n": 4}, {"status": "draft", "n": 1}]),
    ("annotate before values makes no groups", "Story.objects.annotate(n=Count('comments')).values_list('status', 'n').order_by('pk')[:3]", [("live", 3), ("live", 1), ("draft", 0)]),
    ("groups by what a row refers to, by its key", "Comment.objects.values('story').annotate(m=Max('score')).order_by('-story_id').values_list('story', 'm')", [(2, 2), (1, 5)]),
    ("the distinct values of groups", "Story.objects.order_by().values('section').annotate(n=Max('weight')).values_list('n', flat=True).distinct().order_by('-n')", [5, 3]),
    ("the distinct values of groups, in their own order", "Story.objects.order_by().values('editor').annotate(n=Count('pk')).values_list('n', flat=True).distinct()", [1, 2]),
    ("how many distinct values of groups", "Story.objects.order_by().values('editor').annotate(n=Count('pk')).values_list('n', flat=True).distinct().count()", 2),
    ("groups that are told to be distinct", "Story.objects.order_by().values('status').annotate(n=Count('pk')).distinct().order_by('-n').values_list('status', 'n')", [("live", 4), ("draft", 1)]),
    ("a total of annotations", "Story.objects.annotate(n=Count('comments')).aggregate(Avg('n'))", {"n__avg": 0.8}),
    ("a total of a total", "Story.objects.aggregate(s=Sum('weight'), d=F('s') + 1, e=F('d') * F('s'))", {"s": 12, "d": 13, "e": 156}),
    ("totals of two relations, computed", "Story.objects.aggregate(n=Count('tags'), m=Count('comments'), x=F('n') * F('m'))", {"n": 4, "m": 4, "x": 16}),
    ("totals of a relation and of the rows, computed", "Story.objects.aggregate(x=Count('tags') * Sum('weight'), y=Sum('weight') * 2)", {"x": 48, "y": 24}),
    ("totals of two relations, of a slice", "Story.objects.order_by('-weight', 'pk')[:2].aggregate(x=Count('tags') * Count('comments') + Sum('weight'))", {"x": 20}),
    ("totals of one relation, computed", "Story.objects.aggregate(x=Sum('comments__score') / Count('comments'))", {"x": 2.0}),
    ("of partners, computed", "Story.objects.order_by('pk').annotate(x=Count('tags') * Count('comments')).values_list('x', flat=True)", [6, 1, 0, 0, 0]),
    ("a total by the name of a field hides it nowhere", "Story.objects.aggregate(weight=Sum('weight'), n=Max('weight'))", {"weight": 12, "n": 5}),
    ("the rows of the greatest of each", "Section.objects.annotate(m=Max('stories__weight')).filter(stories__weight=F('m')).count()", 2),
    # texts of groups
    ("distinct texts", "Story.objects.aggregate(t=StringAgg('status', Value('|'), distinct=True))", {"t": "draft|live"}),
    ("the other way round", "Story.objects.aggregate(t=StringAgg('status', '|', distinct=True, order_by='-status'))", {"t": "live|draft"}),
    ("distinct texts that are computed", "Story.objects.aggregate(t=StringAgg(Concat('status', Value('-x')), '|', distinct=True))", {"t": "draft-x|live-x"}),
    ("of groups", "Story.objects.order_by().values('section').annotate(t=StringAgg(Concat('status', Value('%')), ', ', distinct=True)).values_list('t', flat=True)", ["live%", "draft%, live%"]),
    ("of partners, the other way round", "Story.objects.order_by('pk').annotate(t=StringAgg(Concat('tags__slug', Value('-x')), ',', distinct=True, order_by=Concat('tags__slug', Value('-x')).desc())).values_list('t', flat=True)", ["sea-x,ferry-x", "ferry-x", None, "tax-x", None]),
    ("under a condition", "Story.objects.aggregate(t=StringAgg(Concat('slug', Value('!')), ',', distinct=True, filter=Q(weight=3)))", {"t": "ferry!,final!"}),
    ("a list of distinct values that are computed", "Comment.objects.order_by().values('story').annotate(j=JSONArrayAgg(Lower(Concat('text', Value('!'))), distinct=True)).order_by('story_id').values_list('j', flat=True)", [["bad!", "good!", "hm!"], ["good!"]]),
    ("a list of distinct values, NULL among them", "Comment.objects.aggregate(j=JSONArrayAgg(F('score'), distinct=True, order_by='-score'))", {"j": [5, 2, 1, None]}),
    ("a list under a condition", "Comment.objects.aggregate(j=JSONArrayAgg('score', distinct=True, filter=Q(score__gt=1)))", {"j": [2, 5]}),
]  # fmt: skip

REFUSED: list[tuple[str, str, str]] = [
    ("a negative index", "Story.objects.all()[-1]", "has no negative index. Use reverse"),
    ("a list of another kind", "Story.objects.filter(section__in=Section.objects.values('slug'))", r"section__in: int cannot be searched among str \(Section.slug\). Name a field"),
    ("a list of two values", "Story.objects.filter(pk__in=Story.objects.values('pk', 'title'))", "gives one value, not 'pk', 'title'"),
    ("days among instants", "Story.objects.filter(published__in=Story.objects.values('published__date'))", "datetime cannot be searched among date"),
    ("groups by the order of a model", "Comment.objects.values('story').annotate(m=Max('score')).order_by('story')", "order by 'story_id' for its key"),
    ("a total of one that comes later", "Story.objects.aggregate(x=F('n') * 2, n=Count('tags'))", "'n', which is named behind it"),
    ("groups with totals of two relations, computed", "Story.objects.order_by().values('status').annotate(x=Count('tags') * Count('comments'))", "'x' would be multiplied"),
    ("groups with a total of the rows beside", "Story.objects.order_by().values('status').annotate(x=Count('tags') * Sum('weight'))", "'x' would be multiplied"),
    ("groups chosen by a total of another relation", "Story.objects.order_by().values('status').annotate(x=Count('tags')).filter(x__gt=Count('comments'))", "'x' would be multiplied"),
    ("in bulk by what is not unique", "Story.objects.in_bulk([1], field_name='weight')", "two rows of Story may share a value"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "answer"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_answer_is_that_of_the_hand(room: Any, code: str, answer: Any) -> None:
    found = ask(code)
    if isinstance(found, list) and "order_by" not in code:
        found, answer = sorted(found, key=str), sorted(answer, key=str)
    assert found == answer
    assert repr(found) == repr(answer)  # a decimal number of MariaDB is no whole one


@pytest.mark.parametrize(("code", "told"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_cannot_be_asked_is_refused(room: Any, code: str, told: str) -> None:
    with pytest.raises(FieldError, match=told):
        ask(code)
