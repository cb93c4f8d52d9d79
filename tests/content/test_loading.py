"""Loading follows the files: what is added, changed, renamed and deleted, and nothing else."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from toolkit.content import LoadReport, Source
from toolkit.content.changes import Changes
from toolkit.content.files import list_files
from toolkit.content.loading import Loading
from toolkit.errors import DatabaseError, Problems

from .conftest import STORM, Author, Desk, Section, Story, Tag


def settle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file count as old enough for its stamp to be trusted."""
    monkeypatch.setattr("toolkit.stamps.RACY_NS", -(10**12))


def test_a_second_load_changes_nothing_and_writes_nothing(newsroom: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    assert newsroom.counts() == (6, 0, 0, 0)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    with newsroom.scope.database.counted() as statements:
        assert newsroom.counts() == (0, 0, 6, 0)
    assert [statement.split()[0] for statement in statements] == ["SELECT", "SELECT"]


def test_rows_go_before_those_that_refer_to_them_for_databases_that_check_at_once(newsroom: Desk) -> None:
    with newsroom.scope.database.counted() as statements:
        newsroom.load()
    order = [statement.split()[2].strip('"') for statement in statements if statement.startswith("INSERT INTO")]
    for first, then in (("section", "story"), ("story", "story_tags"), ("tag", "story_tags")):
        assert order.index(f"news_{first}") < order.index(f"news_{then}")


def test_an_edit_changes_one_row_in_place(newsroom: Desk) -> None:
    newsroom.load()
    before = newsroom.story("storm")
    newsroom.write("content/stories/storm.md", STORM.replace("It blew", "It blew hard"))
    report = newsroom.load()
    after = newsroom.story("storm")
    assert (after.pk, after.body, after.saved) == (before.pk, "It blew hard.", before.saved)
    assert report.events == (("changed", "content/stories/storm.md"),)
    assert (report.changed, report.unchanged) == (1, 5)


def test_an_edit_that_says_the_same_writes_no_row(newsroom: Desk) -> None:
    newsroom.load()
    newsroom.write("content/stories/storm.md", STORM.replace("title: The storm", 'title:   "The storm"'))
    assert newsroom.counts() == (0, 0, 6, 0)


def test_an_edit_of_the_same_size_within_the_clocks_tick_is_seen(newsroom: Desk) -> None:
    path = newsroom.write("content/stories/storm.md", STORM)
    newsroom.load()
    status = path.stat()
    with path.open("r+", encoding="utf-8") as file:  # the same inode
        file.write(STORM.replace("It blew", "It flew"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert newsroom.counts() == (0, 1, 5, 0)
    assert newsroom.story("storm").body == "It flew."


def test_a_touched_file_is_read_once_more_and_its_new_stamp_noted(
    newsroom: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(monkeypatch)
    newsroom.load()
    os.utime(newsroom.folder / "content/stories/storm.md", (1, 1))
    assert newsroom.counts() == (0, 0, 6, 0)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
    assert newsroom.counts() == (0, 0, 6, 0)


def test_a_new_slug_in_a_file_keeps_the_row(newsroom: Desk) -> None:
    newsroom.load()
    pk = newsroom.story("storm").pk
    newsroom.write("content/stories/storm.md", STORM.replace("---\ntitle", "---\nslug: gale\ntitle", 1))
    assert newsroom.counts() == (0, 1, 5, 0)
    assert newsroom.story("gale").pk == pk


def test_a_renamed_file_keeps_its_row(newsroom: Desk) -> None:
    newsroom.load()
    pk = newsroom.story("storm").pk
    newsroom.write("content/stories/2026/gale.md", STORM)
    newsroom.delete("content/stories/storm.md")
    assert newsroom.counts() == (0, 1, 5, 0)
    assert newsroom.story("gale").pk == pk


def test_a_row_that_moves_to_another_file_keeps_its_key(desk: Desk) -> None:
    desk.sources = [Source("tags/*.csv", Tag)]
    desk.write("tags/a.csv", "slug,name\nfood,Food\n")
    desk.write("tags/b.csv", "slug,name\nsea,Sea\n")
    desk.load()
    pk = Tag.objects.get(slug="food").pk
    desk.write("tags/a.csv", "slug,name\n")
    desk.write("tags/b.csv", "slug,name\nsea,Sea\nfood,Good food\n")
    assert desk.counts() == (0, 1, 1, 0)
    assert Tag.objects.get(slug="food").pk == pk


def test_files_may_swap_their_slugs(newsroom: Desk) -> None:
    newsroom.write("content/stories/a.md", STORM.replace("---\ntitle", "---\nslug: one\ntitle", 1))
    newsroom.write("content/stories/b.md", STORM.replace("---\ntitle", "---\nslug: two\ntitle", 1))
    newsroom.load()
    one = newsroom.story("one").pk
    newsroom.write("content/stories/a.md", STORM.replace("---\ntitle", "---\nslug: two\ntitle", 1))
    newsroom.write("content/stories/b.md", STORM.replace("---\ntitle", "---\nslug: one\ntitle", 1))
    assert newsroom.counts() == (0, 2, 6, 0)
    assert newsroom.story("two").pk == one


def test_deleted_files_and_lines_take_their_rows_along(newsroom: Desk) -> None:
    newsroom.load()
    newsroom.delete("content/stories/storm.md")
    newsroom.write("content/tags.csv", "slug,name\nfood,Food\n")
    report = newsroom.load()
    assert set(report.events) == {
        ("removed", "content/stories/storm.md: storm"),
        ("removed", "content/tags.csv: weather"),
    }
    assert (Story.objects.count(), [tag.slug for tag in Tag.objects.all()]) == (0, ["food"])
    assert Story._meta.by_name["tags"].through.objects.count() == 0
    assert newsroom.counts() == (0, 0, 4, 0)


def test_a_source_that_is_not_declared_any_more_takes_its_rows_along(newsroom: Desk) -> None:
    newsroom.load()
    newsroom.use("sections", "authors", "tags")
    report = newsroom.load()
    assert str(report).splitlines()[-1] == "content/stories/**/*.md (news.Story): 1 removed"


def test_rows_that_came_from_no_file_are_never_touched(newsroom: Desk) -> None:
    newsroom.load()
    Author.objects.create(name="By hand", slug="hand")
    newsroom.write("content/stories/storm.md", STORM.replace("[ines]", "[ines, hand]"))
    newsroom.delete("content/authors/ines.md")
    newsroom.write("content/stories/storm.md", STORM.replace("[ines]", "[hand]"))
    assert newsroom.counts() == (0, 1, 4, 1)
    assert [author.slug for author in newsroom.story("storm").authors.all()] == ["hand"]


def test_a_row_that_got_another_slug_in_the_database_is_not_overwritten(newsroom: Desk) -> None:
    newsroom.load()
    Story.objects.filter(slug="storm").update(slug="gale")
    newsroom.write("content/stories/storm.md", STORM + "More.\n")
    (problem,) = newsroom.problems()
    assert "its row, Story 1, was given the slug 'gale' in the database; here it is 'storm'" in problem
    newsroom.write("content/stories/storm.md", STORM.replace("---\n", "---\nslug: gale\n", 1))
    assert newsroom.counts() == (0, 0, 6, 0)


def test_a_row_deleted_in_the_database_comes_back_when_its_file_changes(newsroom: Desk) -> None:
    newsroom.load()
    Story.objects.all().delete()
    newsroom.write("content/stories/storm.md", STORM + "More.\n")
    assert newsroom.load().sources[-1].added == 1
    assert [tag.slug for tag in newsroom.story("storm").tags.all()] == ["weather"]


def test_links_change_alone(newsroom: Desk) -> None:
    newsroom.load()
    links = Story._meta.by_name["tags"].through
    kept = links.objects.get().pk
    newsroom.write("content/stories/storm.md", STORM.replace("[weather]", "[food, weather, food]"))
    assert newsroom.counts() == (0, 1, 5, 0)
    assert [tag.slug for tag in newsroom.story("storm").tags.order_by("slug")] == ["food", "weather"]
    assert kept in [link.pk for link in links.objects.all()]


def test_translations_beside_the_file_come_change_and_go(newsroom: Desk) -> None:
    rows = Story._meta.translation.objects
    newsroom.load()
    newsroom.write("content/stories/storm.es.md", "---\ntitle: El temporal\nslug: temporal\n---\n\nSopló.\n")
    assert newsroom.counts() == (0, 1, 5, 0)
    translation = rows.get(locale="es")
    assert (translation.title, translation.slug, translation.body) == ("El temporal", "temporal", "Sopló.")
    newsroom.write("content/stories/storm.es.md", "---\ntitle: La tormenta\n---\n")
    assert newsroom.counts() == (0, 1, 5, 0)
    assert (rows.get().pk, rows.get().title, rows.get().slug) == (translation.pk, "La tormenta", None)
    newsroom.delete("content/stories/storm.es.md")
    assert newsroom.counts() == (0, 1, 5, 0)
    assert rows.count() == 0
    assert newsroom.counts() == (0, 0, 6, 0)


def test_a_translation_with_the_slug_of_another_names_its_file(newsroom: Desk) -> None:
    newsroom.write("content/stories/gale.md", STORM)
    newsroom.write("content/stories/gale.es.md", "---\nslug: temporal\n---\n")
    newsroom.write("content/stories/storm.es.md", "---\nslug: temporal\n---\n")
    (problem,) = newsroom.problems()
    assert problem.startswith("content/stories/storm.md:2:1: Story translation with this locale, slug already exists")


def test_a_changed_declaration_loads_all_files_again(newsroom: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(monkeypatch)
    newsroom.load()
    monkeypatch.setattr(Story._meta.by_name["title"], "max_length", 5)
    assert "at most 5 are allowed" in newsroom.problems()[0]


def test_a_key_that_is_gone_makes_the_files_that_name_it_be_read_again(newsroom: Desk) -> None:
    newsroom.load()
    newsroom.write("content/sections.yaml", "- {slug: nws, name: News}\n- {slug: sea, name: Sea}\n")
    newsroom.write("content/stories/storm.md", STORM.replace("section: news", "section: nws"))
    assert newsroom.counts() == (1, 1, 4, 1)
    assert newsroom.story("storm").section.slug == "nws"
    assert Section.objects.count() == 2


def test_what_fails_at_the_end_leaves_everything_as_it_was(newsroom: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom.load()
    before = newsroom.dump()
    newsroom.write("content/stories/storm.md", STORM.replace("The storm", "Forbidden"))
    newsroom.write("content/tags.csv", "slug,name\nweather,Wind\n")
    assert newsroom.problems() == ["content/stories/storm.md:2:1: the title is forbidden. Choose another."]
    assert newsroom.dump() == before

    def fail(*_: object) -> None:
        raise DatabaseError("the disk is full")

    newsroom.write("content/stories/storm.md", STORM)
    monkeypatch.setattr(Loading, "_note", fail)
    with pytest.raises(DatabaseError, match="the disk is full"):
        newsroom.load()
    assert newsroom.dump() == before


@pytest.mark.parametrize("overtaken", [1, 2, 3])
def test_another_load_at_the_same_time_is_noticed(
    newsroom: Desk, monkeypatch: pytest.MonkeyPatch, overtaken: int
) -> None:
    """What it left is looked at anew, a few times; then it is told."""
    import toolkit.content.loading as loading

    newsroom.load()
    newsroom.write("content/stories/storm.md", STORM + "More.\n")
    asked, read = [], loading.read_records

    def changing(database: Any) -> Any:
        asked.append(1)
        return {} if len(asked) % 2 and len(asked) < overtaken * 2 else read(database)

    monkeypatch.setattr(loading, "read_records", changing)
    monkeypatch.setattr(loading, "data_version", lambda database: len(asked))
    before = newsroom.dump()
    if overtaken == 3:
        with pytest.raises(Problems, match="another process loaded content at the same time"):
            newsroom.load()
        assert newsroom.dump() == before
    else:
        newsroom.load()
        assert newsroom.dump() != before


def test_what_another_connection_noted_meanwhile_is_looked_at_anew(
    newsroom: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = newsroom.scope.database
    newsroom.load()
    newsroom.write("content/stories/storm.md", STORM + "More.\n")
    read = Changes.read

    def meanwhile(changes: Changes) -> None:
        read(changes)
        monkeypatch.setattr(Changes, "read", read)
        if not database.in_memory:
            thread = threading.Thread(target=forget)
            thread.start()
            thread.join()

    def forget() -> None:
        database.execute("UPDATE toolkit_source SET digest = 'other' WHERE path = 'content/tags.csv'")
        database.close()

    monkeypatch.setattr(Changes, "read", meanwhile)
    overtaken = []
    is_overtaken = Loading._is_overtaken
    monkeypatch.setattr(
        Loading, "_is_overtaken", lambda *given: overtaken.append(is_overtaken(*given)) or overtaken[-1]
    )
    newsroom.load()
    assert overtaken == ([False] if database.in_memory else [True, False])
    assert newsroom.story("storm").body.endswith("More.")


def test_worker_processes_give_the_same_rows_and_problems(newsroom: Desk) -> None:
    for number in range(40):
        newsroom.write(f"content/stories/s{number}.md", STORM)
    newsroom.load(workers=2)
    parallel = newsroom.dump()
    newsroom.scope.database.execute("DELETE FROM toolkit_source")
    newsroom.sources, sources = [], newsroom.sources
    for model in (Story, Author, Tag, Section):
        model.objects.all().delete()
    newsroom.scope.database.execute("DELETE FROM sqlite_sequence")  # else the new rows would have other keys
    newsroom.sources = sources
    newsroom.load(workers=0)
    assert newsroom.dump()["Story"] == parallel["Story"]
    newsroom.write("content/stories/s7.md", "---\ntitel: x\n---\n")
    newsroom.write("content/stories/s9.md", "---\ntitel: x\n---\n")
    with pytest.raises(Problems, match=r"s7.md:2:1: unknown key 'titel'(.|\n)*s9.md:2:1: unknown key 'titel'"):
        newsroom.load(workers=2)


def test_a_report_reads_as_a_sentence_for_each_source(newsroom: Desk) -> None:
    report = newsroom.load()
    assert isinstance(report, LoadReport)
    assert str(report).splitlines() == [
        "content/sections.yaml (news.Section): 2 added",
        "content/authors/*.md (news.Author): 1 added",
        "content/tags.csv (news.Tag): 2 added",
        "content/stories/**/*.md (news.Story): 1 added",
    ]
    assert report.sources[3].files == 1


def test_the_locales_are_those_of_the_sites_settings(newsroom: Desk) -> None:
    class Settings:
        locales = ["en", "fr"]

    class FakeSite:
        settings = Settings()

    newsroom.scope.site, newsroom.locales = FakeSite(), None  # type: ignore[assignment]  # not given
    newsroom.write("content/stories/storm.fr.md", "---\ntitle: La tempête\n---\n")
    newsroom.load()
    assert Story._meta.translation.objects.get().locale == "fr"


def test_a_file_whose_name_is_no_slug_is_given_one(newsroom: Desk) -> None:
    newsroom.write("content/stories/2016-02-18-analytics.usa.gov dashboards.md", STORM)
    newsroom.load()
    assert newsroom.story("analytics-usa-gov-dashboards").title == "The storm"


def test_posts_of_several_days_may_have_one_name(newsroom: Desk) -> None:
    newsroom.sources = [replace(source, dated_keys=source.model is Story) for source in newsroom.sources]
    for day in ("2016-02-18", "2017-2-8"):
        newsroom.write(f"content/stories/{day}-award.md", STORM)
    newsroom.load()
    assert newsroom.story("2016-02-18-award").day == date(2016, 2, 18)
    assert newsroom.story("2017-2-8-award").day == date(2017, 2, 8)


def test_a_file_that_vanishes_before_it_is_read_is_told(newsroom: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    newsroom.load()
    newsroom.write("content/stories/gale.md", STORM.replace("storm", "gale"))
    newsroom.write("content/tags.csv", "slug,name\nweather,Wind\nfood,Food\n")

    def list_and_lose(*args: Any) -> Any:
        listing = list_files(*args)
        if "content/stories/gale.md" in listing.stamps:
            newsroom.delete("content/stories/gale.md")
        return listing

    with monkeypatch.context() as patched:
        patched.setattr("toolkit.content.loading.list_files", list_and_lose)
        assert newsroom.problems() == ["content/stories/gale.md: the file cannot be read: No such file or directory"]
    assert Tag.objects.get(slug="weather").name == "Weather"
    assert newsroom.counts() == (0, 1, 5, 0)
