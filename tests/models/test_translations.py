"""Translated fields: one value for each locale, the row's own where there is none."""

from __future__ import annotations

from typing import Any

import pytest

from toolkit.errors import FieldError, IntegrityError, ValidationError
from toolkit.models import Count
from toolkit.trace import EDITOR, PREVIEW, READER, entered


@pytest.fixture
def translated(m: Any, newsroom: Any) -> Any:
    newsroom.stories[3].translate("es", title="Historia 3", slug="historia-3")
    newsroom.stories[4].translate("es", title="", slug="historia-4")
    newsroom.sections[0].translate("es", name="Sección 0")
    return newsroom


def test_values_are_those_of_the_locale_or_else_the_rows_own(m: Any, translated: Any) -> None:
    with entered(m.look(translated.database, READER, locale="es")):
        story = m.Story.objects.get(slug="historia-3")
        assert (story.title, story.slug, story.weight) == ("Historia 3", "historia-3", 3)
        assert story.shown_locale == "es"
        assert story.section.name == "Sección 0"
        assert m.Story.objects.get(slug="historia-4").title == "Story 4"
        assert m.Section.objects.get(slug="section-1").name == "Section 1"
        assert m.Section.objects.get(slug="section-1").shown_locale == "en"
    with entered(m.look(translated.database, READER)):
        assert m.Story.objects.get(slug="story-3").title == "Story 3"
        assert not m.Story.objects.filter(slug="historia-3").exists()


def test_filters_orders_and_values_go_by_the_locale(m: Any, translated: Any) -> None:
    with entered(m.look(translated.database, EDITOR, locale="es")):
        assert m.Story.objects.filter(title__startswith="Historia").count() == 1
        assert m.Story.objects.filter(title="Story 3").count() == 0
        assert m.Section.objects.order_by("name")[0].name == "Sección 0"
        assert list(m.Section.objects.values_list("name", flat=True)) == ["Sección 0", "Section 1", "Section 2"]
        assert m.Story.objects.filter(section__name="Sección 0").count() == 7


def test_what_has_no_edition_is_hidden_from_lists_counts_and_relations(m: Any, translated: Any) -> None:
    for viewer in (READER, PREVIEW):
        with entered(m.look(translated.database, viewer, locale="es")):
            assert [story.slug for story in m.Story.objects.all()] == ["historia-3", "historia-4"]
            assert m.Story.objects.count() == 2
            section = m.Section.objects.get(slug="section-0")
            assert (section.stories.count(), len(section.stories.all())) == (1, 1)
            assert sum(tag.n for tag in m.Tag.objects.annotate(n=Count("stories"))) == 4
            assert m.Tag.objects.filter(stories__slug="story-5").count() == 0
            assert m.Section.objects.count() >= 2  # sections show their own name where they are not translated
    with entered(m.look(translated.database, EDITOR, locale="es")):
        assert m.Story.objects.count() == 20


def test_translations_of_a_whole_list_take_one_query(m: Any, translated: Any) -> None:
    with entered(m.look(translated.database, EDITOR, locale="es")), translated.database.counted() as queries:
        titles = [story.title for story in m.Story.objects.all()]
    assert len(queries) == 2
    assert titles[3] == "Historia 3"


def test_translating_again_changes_what_it_names(m: Any, translated: Any) -> None:
    story = translated.stories[3]
    story.translate("es", title="Otra")
    with entered(m.look(translated.database, EDITOR, locale="es")):
        assert m.Story.objects.get(slug="historia-3").title == "Otra"
    assert [row.locale for row in story.translations.all()] == ["es"]


def test_saving_in_another_locale_keeps_the_rows_own_values(m: Any, translated: Any) -> None:
    with entered(m.look(translated.database, EDITOR, locale="es")):
        story = m.Story.objects.only("weight").get(slug="historia-3")
        assert story.title == "Historia 3"
        story.weight = 9
        story.save()
    assert m.Story.objects.get(slug="story-3").title == "Story 3"


def test_translations_are_checked(m: Any, translated: Any) -> None:
    story = translated.stories[5]
    with pytest.raises(FieldError, match=r"Story\.weight is not translated"):
        story.translate("es", weight=3)
    with pytest.raises(FieldError, match=r"no field of Tag is translated"):
        translated.tags[0].translate("es", name="x")
    with pytest.raises(ValidationError, match="'en' is the locale of the row's own values"):
        story.translate("en", title="x")
    with pytest.raises(IntegrityError, match="already exists"):
        story.translate("es", slug="historia-3")


def test_deleting_a_row_takes_its_translations_along(m: Any, translated: Any) -> None:
    gone = translated.stories[3].delete()
    assert gone["news.StoryTranslation"] == 1
