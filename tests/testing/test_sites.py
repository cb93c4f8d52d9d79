"""Temporary sites, the stopped clock, recorded events and compared builds."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from toolkit.builder import Builder
from toolkit.errors import ToolkitError
from toolkit.site import Site
from toolkit.testing import Client, assert_builds_equal, frozen, record_events, temporary_site
from toolkit.trace import current

from .conftest import FILES, MODELS, PAGES


def test_two_sites_with_one_package_name_follow_each_other(tmp_path: Path) -> None:
    before = list(sys.path)
    for number in (1, 2):
        pages = f'@app.page("/")\ndef home():\n    return "{number}"\n'
        with temporary_site(tmp_path / str(number), pages=pages) as site:
            assert Client(site).get("/").text == str(number)
    assert "press" not in sys.modules
    assert sys.path == before
    assert current.get() is None


def test_a_site_is_entered_and_has_its_tables(site: Site) -> None:
    story = next(model for model in site.models if model.__name__ == "Story")
    assert story.objects.count() == 0


def test_nothing_is_left_when_a_site_cannot_be_prepared(tmp_path: Path) -> None:
    wrong = '@app.page("/x")\ndef x():\n    return ""\n'
    with pytest.raises(ToolkitError, match=r"problem"), temporary_site(tmp_path, pages=wrong):
        raise AssertionError("not reached")
    assert "press" not in sys.modules


def test_a_stopped_clock_decides_what_builds_and_servers_show(site: Site) -> None:
    with frozen("2041-01-01T00:00:00+00:00"):
        report = Builder(site, workers=1).build()
        assert Path(report.output, "later/index.html").exists()
        assert Client(site).get("/later/").is_ok
    Builder(site, workers=1).build()
    assert not Path(report.output, "later/index.html").exists()
    assert Client(site).get("/later/").status == 404


def test_a_stopped_clock_is_what_now_answers_and_passes_for_datetime(site: Site) -> None:
    moment = datetime(2030, 5, 1, tzinfo=UTC)
    scope = current.get()
    assert scope is not None
    with frozen(moment):
        inner = current.get()
        assert inner is not None
        assert inner.now() == site.scope().now() == moment
    assert site.scope().now() != moment


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ToolkitError, match=r"no time zone. Add one"), frozen("2030-05-01T00:00:00"):
        raise AssertionError("not reached")


def test_events_of_every_build_in_the_block_are_recorded(site: Site) -> None:
    with record_events() as events:
        Builder(site, workers=1).build()
        first = len(events)
        Path(site.folder, "templates/404.html").write_text("<!doctype html><html lang=en><title>No</title>Gone")
        Builder(site, workers=1).build()
    Builder(site, workers=1).build()
    assert "rendered /flood/: new" in events[:first]
    assert events[first:] == ["rendered /404.html: template 404.html changed", "written 404.html"]


def test_equal_builds_are_equal_whatever_the_number_of_workers(site: Site, tmp_path: Path) -> None:
    moment = datetime(2041, 1, 1, tzinfo=UTC)
    for workers in (1, 2):
        Builder(site, output=tmp_path / f"out-{workers}", workers=workers, moment=moment).build()
    assert_builds_equal(tmp_path / "out-1", tmp_path / "out-2")


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    for name, text in (("a", "one\ntwo\n"), ("b", "one\ntwö\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.html").write_text(text, "utf-8")
    with pytest.raises(AssertionError, match=r"x.html differs: line 2 is b'one\\ntwo"):
        assert_builds_equal(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b" / "y.html").write_text("")
    with pytest.raises(AssertionError, match=r"only in .*b: y.html"):
        assert_builds_equal(tmp_path / "a", tmp_path / "b")


def test_a_site_made_of_files_alone_is_what_was_written(tmp_path: Path) -> None:
    with temporary_site(tmp_path, FILES, models=MODELS, pages=PAGES, settings='title = "Bay"') as site:
        assert site.settings.title == "Bay"
