"""``functools.cached_property`` on models: found once for a row, and read by every page that asks for it."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from toolkit.testing import temporary_site
from toolkit.trace import Trace, current, entered

MODELS = """
from functools import cached_property

asked = []

class Mixin:
    @cached_property
    def doubled(self):
        asked.append("doubled")
        return self.weight * 2

class Base(models.Model):
    weight = models.IntegerField(default=1)
    class Meta:
        abstract = True

    @cached_property
    def heaviest(self):
        asked.append("heaviest")
        return type(self).objects.order_by("-weight").first()

class Story(Mixin, Base):
    text = models.MarkdownField(blank=True)

    @cached_property
    def others(self):
        \"\"\"All but this one.\"\"\"
        asked.append("others")
        return list(Story.objects.exclude(pk=self.pk))

    @cached_property
    def broken(self):
        Story.objects.count()
        raise ValueError("broken")
"""


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Any]:
    with temporary_site(tmp_path, models=MODELS) as site:
        model = next(model for model in site.models if model.__name__ == "Story")
        for weight in (1, 2, 3):
            model.objects.create(weight=weight, text=f"text {weight}")
        yield model


class Page:
    """What one page reads: a trace of its own."""

    def __init__(self) -> None:
        scope = current.get()
        assert scope is not None
        self.trace = Trace()
        self.scope = scope.site.scope(trace=self.trace)

    def __enter__(self) -> Page:
        self._entered = entered(self.scope)
        self._entered.__enter__()
        return self

    def __exit__(self, *found: Any) -> None:
        self._entered.__exit__(*found)

    @property
    def reads(self) -> set[Any]:
        return set(self.trace.inputs.items())


def asked(story: Any) -> list[str]:
    import sys

    found: list[str] = sys.modules[story.__module__].asked
    return found


def test_each_page_that_asks_has_read_it_though_it_is_found_once(story: Any) -> None:
    with Page() as alone:
        assert [one.weight for one in story.objects.get(weight=1).others] == [2, 3]
    row = story.objects.get(weight=1)
    pages = [Page() for _ in range(3)]
    for page in pages:
        with page:
            assert row.others is row.others
            assert len(page.trace.parts) == 1
    assert asked(story) == ["others", "others"]
    assert pages[0].reads == pages[1].reads == pages[2].reads
    assert pages[0].reads <= alone.reads
    assert {key[2] for kind, key in pages[2].trace.inputs if kind == "row"} == {2, 3}


def test_one_within_another_is_read_with_it(story: Any) -> None:
    row = story.objects.get(weight=1)
    with Page():
        assert row.heaviest.doubled == 6
    with Page() as page:
        assert row.heaviest.doubled == 6
    assert asked(story) == ["heaviest", "doubled"]
    assert any(kind == "query" for kind, _ in page.trace.inputs)


def test_what_is_left_out_of_its_rows_is_read_by_each_page(story: Any) -> None:
    row = story.objects.get(weight=1)
    with Page():
        assert [str(one.text) for one in row.others] == ["text 2", "text 3"]
    with Page() as page:
        assert [str(one.text) for one in row.others] == ["text 2", "text 3"]
    masks = {key[1] for kind, key in page.trace.inputs if kind == "row"}
    assert any(mask is None or "text" in mask for mask in masks)


def test_what_was_found_while_nobody_recorded_is_found_again_for_a_page(story: Any) -> None:
    row = story.objects.get(weight=1)
    assert len(row.others) == len(row.others) == 2
    with Page() as page:
        assert len(row.others) == 2
    assert page.reads
    assert asked(story) == ["others", "others"]
    assert len(row.others) == 2


def test_what_was_read_before_an_error_is_read(story: Any) -> None:
    row = story.objects.get(weight=1)
    for _ in range(2):
        with Page() as page, pytest.raises(ValueError, match="broken"):
            _ = row.broken
        assert any(kind == "query" for kind, _ in page.trace.inputs)


def test_it_is_set_and_forgotten_as_pythons_is(story: Any) -> None:
    row = story.objects.get(weight=1)
    row.others = ["mine"]
    with Page() as page:
        assert row.others == ["mine"]
    assert page.reads == set()
    del row.others
    assert len(row.others) == 2
    del row.others
    with pytest.raises(AttributeError, match="others"):
        del row.others
    assert "All but this one" in story.others.__doc__


def test_copies_find_it_for_themselves(story: Any) -> None:
    row = story.objects.get(weight=1)
    with Page():
        assert len(row.others) == 2
    for other in (copy.copy(row), pickle.loads(pickle.dumps(row))):
        assert len(other.others) == 2
    assert asked(story) == ["others"] * 3
