"""Relations in both directions: reading, adding, removing, and what is loaded together."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from typing import Any

import pytest

from toolkit.errors import FieldError, IntegrityError, UnplannedQuery, ValidationError
from toolkit.models import Prefetch
from toolkit.trace import entered


def slugs(rows: Any) -> list[str]:
    return sorted(row.slug for row in rows)


def test_a_foreign_key_gives_its_object_and_its_key(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.get(slug="story-1")
    with newsroom.database.counted() as queries:
        assert story.section_id == newsroom.sections[1].pk
        assert queries == []
        assert story.section.slug == "section-1"
        assert story.section.slug == "section-1"
    assert len(queries) == 1
    assert m.Story.objects.get(slug="story-0").editor is None


def test_assigning_an_object_or_a_key_changes_both(m: Any, newsroom: Any) -> None:
    story = m.Story.objects.get(slug="story-1")
    story.section = newsroom.sections[2]
    assert story.section_id == newsroom.sections[2].pk
    story.section_id = newsroom.sections[0].pk
    assert story.section.slug == "section-0"
    story.editor = None
    story.save()
    assert m.Story.objects.get(slug="story-1").editor_id is None
    with pytest.raises(ValidationError, match=r"Story\.section takes a Section, not <Tag: Tag"):
        story.section = newsroom.tags[0]


def test_an_object_saved_after_it_was_assigned_is_referred_to(m: Any, newsroom: Any) -> None:
    section = m.Section(name="New", slug="new")
    story = m.Story(title="T", slug="t", section=section, published=m.NOON)
    with pytest.raises(IntegrityError, match=r"Story\.section refers to an unsaved Section"):
        story.save()
    section.save()
    story.save()
    assert m.Story.objects.get(slug="t").section == section


def test_the_other_side_of_a_foreign_key(m: Any, newsroom: Any) -> None:
    section = newsroom.sections[0]
    assert section.stories.count() == len(section.stories.all()) == 7
    assert slugs(section.stories.filter(weight=0)) == ["story-0", "story-15"]
    assert section.stories.exists()
    made = section.stories.create(title="New", slug="new", published=m.NOON)
    assert made.section_id == section.pk
    assert section.stories.count() == len(section.stories.all()) == 8
    section.stories.add(newsroom.stories[1])
    assert newsroom.stories[1] in section.stories.all()
    assert len(section.stories.bulk_create([m.Story(title="B", slug="b", published=m.NOON)])) == 1
    assert section.stories.get(slug="b").section_id == section.pk
    with pytest.raises(ValidationError, match=r"Story\.section cannot be empty"):
        section.stories.remove(made)


def test_a_foreign_key_that_may_be_empty_can_be_taken_away(m: Any, newsroom: Any) -> None:
    author = newsroom.authors[1]
    assert author.edited.count() == 5
    author.edited.remove(newsroom.stories[1])
    assert author.edited.count() == 4
    with pytest.raises(m.Story.DoesNotExist, match=r"Author\.edited\.remove\(\): Story \d+ is none of"):
        author.edited.remove(newsroom.stories[3], newsroom.stories[5], newsroom.stories[9])
    assert author.edited.count() == 4 and newsroom.authors[3].edited.count() == 5
    with pytest.raises(m.Story.DoesNotExist, match=r"Author\.edited\.add\(\): there is no Story 999, and nothing"):
        author.edited.add(newsroom.stories[3], 999)
    assert author.edited.count() == 4 and newsroom.authors[3].edited.count() == 5
    author.edited.set([newsroom.stories[2], newsroom.stories[5]])
    assert slugs(author.edited.all()) == ["story-2", "story-5"]
    author.edited.clear()
    assert not author.edited.exists()


def test_many_to_many_from_both_sides(m: Any, newsroom: Any) -> None:
    story, tags = newsroom.stories[0], newsroom.tags
    assert slugs(story.tags.all()) == ["tag-0", "tag-1"]
    story.tags.add(tags[2], tags[0], tags[2].pk)
    assert slugs(story.tags.all()) == ["tag-0", "tag-1", "tag-2"]
    story.tags.remove(tags[0], tags[4])
    assert slugs(story.tags.all()) == ["tag-1", "tag-2"]
    story.tags.set([tags[2], tags[3]])
    assert slugs(story.tags.all()) == ["tag-2", "tag-3"]
    assert story in tags[3].stories.all()
    tags[3].stories.remove(story)
    assert slugs(story.tags.all()) == ["tag-2"]
    made = story.tags.create(name="Made", slug="made")
    assert made.stories.get() == story
    story.tags.clear()
    assert story.tags.count() == 0
    assert story.tags.get_or_create(name="Again", slug="again")[1]
    assert slugs(story.tags.all()) == ["again"]


def test_partners_are_checked(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[0]
    with pytest.raises(ValidationError, match="tags takes Tag objects, not <Section"):
        story.tags.add(newsroom.sections[0])
    with pytest.raises(ValidationError, match="an unsaved object cannot be added"):
        story.tags.add(m.Tag(name="x", slug="x"))
    with pytest.raises(ValidationError, match=r"Story\.tags cannot be assigned. Use tags\.set"):
        story.tags = [newsroom.tags[0]]
    with pytest.raises(ValidationError, match="the Story has no key yet"):
        m.Story(title="x").tags  # noqa: B018 - the read is the test
    with pytest.raises(FieldError, match=r"Story has no field 'titel'\. Did you mean 'title'"):
        m.Story(titel="x")


def test_a_table_between_with_columns_of_its_own(m: Any, newsroom: Any) -> None:
    story = newsroom.stories[3]
    assert [byline.position for byline in story.bylines.all()] == [3]
    assert slugs(story.authors.all()) == ["author-3"]
    assert m.Story.objects.filter(bylines__position=3).get() == story
    m.Byline.objects.create(story=story, author=newsroom.authors[0], position=9)
    assert slugs(story.authors.all()) == ["author-0", "author-3"]


def test_one_to_one_from_both_sides(m: Any, newsroom: Any) -> None:
    author = newsroom.authors[0]
    with pytest.raises(m.Profile.DoesNotExist, match="has no profile"):
        author.profile  # noqa: B018 - the read is the test
    profile = m.Profile.objects.create(author=author, motto="Facts first")
    assert author.profile == profile
    assert profile.author == author
    assert m.Author.objects.get(profile__motto="Facts first") == author
    assert m.Author.objects.filter(profile__isnull=True).count() == 3
    with pytest.raises(IntegrityError, match="already exists"):
        m.Profile.objects.create(author=author)


def test_relations_of_rows_whose_key_is_no_number(m: Any, scope: Any) -> None:
    cameras = [m.Camera.objects.create(name=name) for name in ("Leica", "Nikon")]
    for camera in cameras:
        for number in (1, 2):
            m.Photograph.objects.create(code=f"{camera.name}-{number}", camera=camera)
    with scope.database.counted() as queries:
        found = {camera.name: sorted(p.code for p in camera.photographs.all()) for camera in m.Camera.objects.all()}
    assert found == {"Leica": ["Leica-1", "Leica-2"], "Nikon": ["Nikon-1", "Nikon-2"]}
    assert len(queries) == 2
    assert {p.code: p.camera.name for p in m.Photograph.objects.all()}["Nikon-1"] == "Nikon"
    assert m.Photograph.objects.get(pk="Leica-2").camera == cameras[0]
    assert m.Photograph.objects.filter(camera__in=cameras).count() == 4


def test_a_list_of_two_hundred_stories_takes_four_queries_without_a_hint(m: Any, newsroom: Any) -> None:
    made = [
        m.Story(title=f"N {n}", slug=f"n-{n}", section=newsroom.sections[n % 3], published=m.NOON) for n in range(180)
    ]
    m.Story.objects.bulk_create(made)
    for n, story in enumerate(made):
        story.tags.set([newsroom.tags[n % 5]])
    m.Byline.objects.bulk_create([m.Byline(story=s, author=newsroom.authors[n % 4]) for n, s in enumerate(made)])
    with newsroom.database.counted() as queries:
        lines = [
            (s.title, s.section.name, [a.name for a in s.authors.all()], [t.name for t in s.tags.all()])
            for s in m.Story.objects.all()
        ]
    assert len(lines) == 200
    assert all(section and authors and tags for _, section, authors, tags in lines)
    assert len(queries) == 4


def test_prefetch_loads_at_once_and_along_paths(m: Any, newsroom: Any) -> None:
    with newsroom.database.counted() as queries:
        sections = list(m.Section.objects.prefetch_related("stories__tags", "stories__section"))
        assert len(queries) == 4
        assert sum(len(story.tags.all()) for section in sections for story in section.stories.all()) == 40
    assert len(queries) == 4


def test_what_was_loaded_is_loaded_anew_after_a_write(m: Any, newsroom: Any) -> None:
    section = m.Section.objects.get(slug="section-0")
    assert len(section.stories.all()) == 7
    m.Story.objects.filter(slug="story-0").update(section=newsroom.sections[1])
    assert len(section.stories.all()) == 6


def test_an_object_that_was_loaded_along_is_asked_for_again_if_its_table_was_written(m: Any, newsroom: Any) -> None:
    stories = list(m.Story.objects.filter(editor__isnull=False).order_by("pk"))
    first = stories[0].editor
    with newsroom.database.counted() as queries:
        stories[0].save()
        assert stories[1].editor.name == "Author 3" and len(queries) == 1
    m.Author.objects.update(name="New")
    assert (first.name, stories[0].editor is first, stories[1].editor.name) == (
        "Author 1",
        True,
        "Author 3",
    )  # as Django has it
    with newsroom.database.counted() as queries:
        assert {story.editor.name for story in stories[2:]} == {"New"}
    assert len(queries) == (len(stories) - 2).bit_length()
    loaded = list(m.Story.objects.order_by("pk"))
    assert loaded[0].section and copy(loaded[1]).section == newsroom.sections[1]
    with suppress(ZeroDivisionError), newsroom.database.atomic():
        newsroom.database.execute("UPDATE news_section SET name = 'Gone'")
        assert loaded[1].section.name == "Gone"
        1 / 0  # noqa: B018 - takes it back
    assert loaded[2].section.name == "Section 2"


def test_strict_mode_refuses_a_relation_that_nobody_planned(m: Any, newsroom: Any) -> None:
    with entered(m.look(newsroom.database, strict=True)):
        story = m.Story.objects.get(slug="story-1")
        for name in ("section", "editor"):
            with pytest.raises(UnplannedQuery, match=rf"Story\.{name} is not loaded.*prefetch_related\('{name}'\)"):
                getattr(story, name)
        with pytest.raises(UnplannedQuery, match=r"Story\.tags is not loaded"):
            list(story.tags.all())
        with pytest.raises(UnplannedQuery, match=r"Author\.profile is not loaded"):
            m.Author.objects.first().profile  # noqa: B018 - the read is the test
        with pytest.raises(UnplannedQuery, match=r"Story\.slug is not loaded.*only\(\.\.\., 'slug'\)"):
            m.Story.objects.only("title").first().slug  # noqa: B018 - the read is the test
        planned = m.Story.objects.select_related("editor").prefetch_related("section", "tags").get(slug="story-1")
        assert (planned.section.slug, planned.editor.slug, len(planned.tags.all())) == ("section-1", "author-1", 2)
        assert m.Story.objects.get(slug="story-0").editor is None


def test_what_was_asked_of_a_related_set_stays_and_what_is_asked_later_is_new(m: Any, newsroom: Any) -> None:
    first, second = m.Story.objects.order_by("pk")[:2]
    list(first.tags.all())  # loads those of the second, too
    held = second.tags.all()
    before = list(held)
    added = m.Tag.objects.create(name="Later", slug="later")
    second.tags.add(added)
    assert list(held) == before
    assert {tag.pk for tag in second.tags.all()} == {*(tag.pk for tag in before), added.pk}


def test_what_was_loaded_along_is_not_asked_for_again(m: Any, newsroom: Any) -> None:
    stories = list(m.Story.objects.all())
    list(stories[0].tags.all())
    with newsroom.database.counted() as queries:
        for story in stories:
            tags = story.tags.all()
            assert len(tags) == len(list(tags)) == tags.count()
    assert queries == []


def test_partners_are_asked_for_again_if_a_table_was_written_that_they_are_of(m: Any, newsroom: Any) -> None:
    """A loop that writes other rows loads once; one that writes the partners of each row loads them for that row."""
    stories = list(m.Story.objects.order_by("pk"))
    before = [slugs(story.tags.all()) for story in stories]
    for story in (stories := list(m.Story.objects.order_by("pk"))):
        story.weight += 1
        with newsroom.database.counted() as queries:
            assert slugs(story.tags.all()) == before[stories.index(story)]
        assert len(queries) == (story is stories[0])
        story.save()
    with newsroom.database.counted() as queries:
        for story in stories:
            story.tags.set([newsroom.tags[0]])
            assert slugs(story.tags.all()) == [newsroom.tags[0].slug]
    loaded = [one for one in queries if one.startswith("SELECT") and "JOIN" in one]
    assert len(loaded) == len(stories)
    m.Tag.objects.filter(pk=newsroom.tags[0].pk).update(name="Later")
    with newsroom.database.counted() as queries:
        assert {tag.name for story in stories for tag in story.tags.all()} == {"Later"}
    assert len(queries) == len(stories).bit_length()


def test_partners_that_were_selected_along_are_asked_for_again_if_theirs_was_written(m: Any, newsroom: Any) -> None:
    sections = m.Section.objects.prefetch_related(Prefetch("stories", m.Story.objects.select_related("editor")))
    section = sections.get(slug="section-1")
    names = {story.editor.name for story in section.stories.all() if story.editor}
    m.Author.objects.update(name="Later")
    assert "Later" not in names
    assert {story.editor.name for story in section.stories.all() if story.editor} == {"Later"}
    author = m.Author.objects.select_related("profile").get(slug="author-1")
    assert not hasattr(author, "profile")
    m.Profile.objects.create(author=author, motto="Later")
    assert author.profile.motto == "Later"


def test_the_other_side_of_a_one_to_one_field_is_assigned(m: Any, newsroom: Any) -> None:
    first, second = newsroom.authors[:2]
    first.profile = profile = m.Profile(motto="Facts first")
    assert (first.profile, profile.author_id) == (profile, first.pk)
    profile.save()
    assert m.Author.objects.get(profile__motto="Facts first") == first
    second.profile = profile
    profile.save()
    assert [author.profile for author in m.Author.objects.filter(profile__isnull=False)] == [profile]
    assert m.Profile.objects.get().author == second
    second.profile = None
    assert (profile.author_id, hasattr(second, "profile")) == (None, False)
    second.refresh_from_db()
    assert second.profile == profile
    with pytest.raises(ValidationError, match=r"Author\.profile takes a Profile, not <Author"):
        second.profile = first


def test_what_cannot_be_a_key_is_told_to_who_asks_that_row_alone(m: Any, newsroom: Any) -> None:
    first, second, third = m.Story.objects.order_by("pk")[:3]
    second.section_id = "many"
    with newsroom.database.counted() as queries:
        assert first.section.pk == first.section_id
        assert third.section.pk == third.section_id
    assert len(queries) == 1
    with pytest.raises(ValidationError, match="'many' is not a whole number"):
        _ = second.section


def test_a_set_of_partners_names_the_model_between(m: Any, newsroom: Any) -> None:
    story, author = newsroom.stories[0], newsroom.authors[0]
    assert story.authors.through is author.stories.through is m.Byline
    assert story.tags.through.objects.filter(story=story).count() == 2
    with pytest.raises(AttributeError, match="has no 'through'"):
        newsroom.sections[0].stories.through  # noqa: B018 - the read is the test


def test_a_key_that_was_set_as_text_leads_to_its_row(m: Any, newsroom: Any) -> None:
    section = newsroom.sections[1]
    story = m.Story(section_id=str(section.pk))
    assert story.section == section
    loaded = m.Story.objects.get(slug="story-0")
    loaded.section_id = str(section.pk)
    assert loaded.section == section
    with entered(m.look(newsroom.database, traced=True)) as scope:
        assert m.Story(section_id=str(section.pk)).section == section
    assert any(key[-1] == section.pk for key in scope.trace.keys_of("row"))
