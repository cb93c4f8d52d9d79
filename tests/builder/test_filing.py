"""What a build does to the output where only pages changed: the same as if it had looked at all of them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from toolkit.builder import manifest
from toolkit.builder.kept import KeptDigests, KeptFiles, KeptPages
from toolkit.builder.manifest import Manifest
from toolkit.builder.publish import Publisher

BODY = "UPDATE press_story SET body = 'Another text.' WHERE slug = 'story-2'"


@pytest.fixture
def counting(press: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A built press, whose builds refuse to go through the pages that stay."""
    press.take_built()

    def refuse(*_: Any) -> Any:
        raise AssertionError("somebody went through all pages")

    monkeypatch.setattr(KeptPages, "__iter__", refuse)
    monkeypatch.setattr(Publisher, "_file_all", refuse)
    return press


def test_an_edit_reads_no_page_that_stays(counting: Any) -> None:
    counting.sql(BODY)
    report = counting.build()
    rendered = [event.subject for event in report.events if event.kind == "rendered"]
    assert "/town/story-2/" in rendered
    assert report.pages > len(rendered)
    assert report.unchanged + report.count("written") == sum(path.is_file() for path in counting.out.rglob("*"))


@pytest.fixture
def sealed(press: Any) -> Any:
    """A press whose last build left a seal."""
    press.make_sealable()
    press.build()
    return press


def test_an_edit_after_a_sealed_build_reads_no_file_that_stays(sealed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("somebody went through all of the manifest")

    monkeypatch.setattr(KeptFiles, "all", property(refuse))
    monkeypatch.setattr(manifest, "_check_sound", refuse)
    monkeypatch.setattr(Manifest, "check_files", lambda *_: None)  # the seal of this build does
    sealed.sql(BODY)
    assert sealed.build().count("written") > 0


def test_a_manifest_that_was_written_since_its_seal_is_looked_through(sealed: Any) -> None:
    with closing(sqlite3.connect(sealed.out.with_name(f"{sealed.out.name}.manifest.db"))) as connection, connection:
        connection.execute("DELETE FROM files WHERE path = 'index.html'")
    sealed.sql(BODY)
    notices = sealed.build().notices
    assert any("rows of it are missing" in notice and "set aside" in notice for notice in notices)


def test_files_that_stay_are_told_alike_one_by_one_and_all_at_once(press: Any) -> None:
    press.take_built()
    with closing(Manifest(press.out.with_name(f"{press.out.name}.manifest.db"), reading=True)) as opened:
        one_by_one, at_once = KeptFiles(opened), opened.files()
        asked = {path: one_by_one[path] for path in at_once}
        counted, owned = len(one_by_one), {record.path for record in one_by_one.owned("asset", "public")}
        assert asked == at_once == dict(one_by_one)
        assert counted == len(at_once) == len(one_by_one)
        assert owned == {path for path, record in at_once.items() if record.owner in ("asset", "public")}
        assert {record.path for record in one_by_one.owned("asset", "public")} == owned != set()
        for files in (KeptFiles(opened), one_by_one):
            with pytest.raises(KeyError, match="no-such"):
                files["no-such"]


def test_digests_of_files_that_are_others_now_are_not_known(press: Any) -> None:
    press.take_built()
    with closing(Manifest(press.out.with_name(f"{press.out.name}.manifest.db"), reading=True)) as opened:
        files = opened.files()
        known = KeptDigests(files, {"index.html"})
        assert "index.html" in files
        assert dict(known) == {path: record.digest for path, record in files.items() if path != "index.html"}
        assert len(known) == len(files) - 1


def test_a_build_with_nothing_to_do_reads_no_page(counting: Any) -> None:
    assert counting.build().events == []


def test_redirects_are_told_again_though_nobody_looks_at_them(press: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    press.take_built()
    press.write("redirects.txt", "/nowhere/ /nothing-is-here/ 301\n")
    press.build()
    press.sql("UPDATE press_story SET slug = 'moved' WHERE slug = 'story-3'")
    first = press.build()
    monkeypatch.setattr(KeptPages, "__iter__", None)
    press.sql(BODY)
    second = press.build()
    told = [[str(event) for event in one.events if event.kind == "redirected"] for one in (first, second)]
    assert told[0] == told[1] != []
    assert first.notices == second.notices


def test_an_alias_that_changes_with_a_row_is_found_though_no_url_does(press: Any) -> None:
    press.replace("press/pages.py", '"/s/<slug>/"', '"/s/<slug>/", "/w/<int:weight>/"')
    press.build()
    press.sql("UPDATE press_story SET weight = 77 WHERE slug = 'story-2'")
    press.same()
    assert (press.out / "w" / "77" / "index.html").exists()


def test_an_asset_goes_with_the_last_page_that_used_it(press: Any) -> None:
    press.take_built()
    press.write("static/img/extra.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    page = "{% block body %}"
    press.replace("templates/stats.html", page, page + '{{ asset("img/extra.svg") }}')
    press.build()
    assert list(press.out.rglob("extra*.svg"))
    press.replace("templates/stats.html", '{{ asset("img/extra.svg") }}', "")
    press.same()
    assert not list(press.out.rglob("extra*.svg"))


def test_inputs_that_no_page_has_any_more_leave_the_manifest(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET body = 'See [this](story:story-5) and [that](story:story-4).' WHERE id = 1")
    press.build()
    press.sql("UPDATE press_story SET body = 'Nothing.' WHERE id = 1")
    press.same()
    assert numbers(press, "out") == numbers(press, "clean")


def numbers(press: Any, name: str) -> dict[str, int]:
    """How many inputs of each kind a manifest has."""
    connection = sqlite3.connect(press.folder.parent / f"{name}.manifest.db")
    rows = connection.execute("SELECT t.kind, count(*) FROM inputs i JOIN topics t ON t.id = i.topic GROUP BY t.kind")
    found = dict(rows.fetchall())
    connection.close()
    return found
