"""What a build does, step by step: what it renders, writes, removes, and says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builder.conftest import NOON
from toolkit.errors import BuildError, Problems, ToolkitError

ROOT = Path(__file__).parent.parent.parent


def events(report: Any, kind: str) -> list[str]:
    return sorted(event.subject for event in report.events if event.kind == kind)


def test_a_second_build_renders_nothing(press: Any) -> None:
    first = press.build()
    assert first.rendered == first.pages > 40
    again = press.same()
    assert (again.rendered, again.count("written"), again.count("removed")) == (0, 0, 0)


def test_the_build_that_other_tests_begin_with_is_one_of_this_press(press: Any) -> None:
    press.take_built()
    assert press.build().events == []


def test_an_edited_row_renders_its_pages_and_those_that_show_it(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET body = 'Another body.' WHERE id = 6")
    report = press.same()
    rendered = events(report, "rendered")
    assert {"/sport/story-5/", "/sport/feed.xml"} <= set(rendered)
    assert not {"/town/story-2/", "/town/feed.xml", "/votes/yes/"} & set(rendered)
    reason = next(event.reason for event in report.events if event.subject == "/sport/story-5/")
    assert reason.startswith("Story 6 changed")


def test_views_are_left_out_and_it_is_said(press: Any) -> None:
    assert press.build().left_out == ["/search/"]


def test_a_clean_build_prunes_what_the_last_one_wrote(press: Any) -> None:
    press.take_built()
    press.sql("UPDATE press_story SET status = 'draft' WHERE id = 4")
    report = press.build(clean=True)
    assert report.rendered == report.pages
    assert "sport/story-3/index.html" in events(report, "removed")
    assert not (press.out / "sport/story-3").exists()


def test_all_problems_are_told_at_once_and_the_output_stays(press: Any, tree_of: Any) -> None:
    press.take_built()
    before = tree_of(press.out)
    press.replace("templates/stats.html", "{{ heavy|list }}", "\n{{ hevy }}")
    press.replace("templates/404.html", "{{ _(", "{{ nosuch(")
    with pytest.raises(Problems, match=r"(?s)404.html:1.*'nosuch'.*stats.html:3.*'hevy'") as caught:
        press.build()
    assert "Did you mean 'heavy'" in str(caught.value)
    assert tree_of(press.out) == before
    assert "/stats/" in str(caught.value)


def test_problems_cross_from_processes(press: Any) -> None:
    press.take_built()
    press.replace("templates/base.html", "{{ site.title }}", "{{ site.titel }}")
    with pytest.raises(Problems, match=r"base.html:3.*titel"):
        press.build(workers=2, clean=True)


def test_a_fault_that_many_pages_inherit_is_told_once_with_the_first_of_them(press: Any) -> None:
    press.take_built()
    press.replace(
        "templates/base.html", "{{ site.title }}{% endblock %}", "{{ site.title }}{% endblock %}{{ nosuch() }}"
    )
    with pytest.raises(Problems, match=r"\d+ pages could not be rendered") as caught:
        press.build(clean=True)
    (problem,) = caught.value.problems
    pages = int(caught.value.message.split()[0])
    assert (Path(str(problem.path)).name, problem.line, problem.url) == ("base.html", 3, "/")
    assert "(extended by " in problem.message
    assert str(problem.hint).endswith(f"The same on {pages - 1} more pages.")


def test_two_processes_report_in_the_same_order_each_time(press: Any) -> None:
    press.take_built()
    for name in ("404", "stats", "section", "story", "year", "tag", "home", "note"):
        press.replace(f"templates/{name}.html", "{% block body %}", "{% block body %}{{ nosuch_" + name + "() }}")
    told = []
    for _ in range(2):
        with pytest.raises(Problems, match=r"could not be rendered") as caught:
            press.build(workers=2, clean=True)
        told.append(str(caught.value))
    assert told[0] == told[1]
    places = [(str(problem.path), problem.line, problem.url) for problem in caught.value.problems]
    assert len(places) >= 8
    assert places == sorted(places)


def test_a_page_function_that_fails_is_named_with_its_line(press: Any) -> None:
    press.replace("press/pages.py", 'return b"<p>plain</p>"', "return 1 / 0")
    with pytest.raises(
        ToolkitError, match=r"pages.py:\d+: plain\(\) failed: ZeroDivisionError.*page /es/plain/.*1 more page\."
    ):
        press.build()


def test_a_listing_that_fails_while_pages_are_planned_is_named_too(press: Any) -> None:
    press.replace("press/pages.py", 'return tag.stories.order_by("title")', "return tag.nothing")
    press.replace("press/pages.py", "yield {", "yield 1 / 0, {")
    with pytest.raises(Problems, match=r"(?s)could not be planned.*tag\(\) failed.*archive\(\) failed: ZeroDivision"):
        press.build()


def test_foreign_files_are_never_touched(press: Any) -> None:
    press.out.mkdir()
    (press.out / ".git").mkdir()
    (press.out / ".git/HEAD").write_text("ref")
    (press.out / "CNAME").write_text("press.example")
    report = press.build()
    assert any("were left alone" in notice for notice in report.notices)
    press.sql("UPDATE press_story SET status = 'draft' WHERE id < 4")
    press.build()
    assert (press.out / ".git/HEAD").read_text() == "ref"
    assert (press.out / "CNAME").read_text() == "press.example"


def test_a_foreign_file_where_a_folder_is_needed_is_refused_before_anything_is_written(
    press: Any, tree_of: Any
) -> None:
    press.out.mkdir()
    (press.out / "stats").write_text("mine")
    with pytest.raises(BuildError, match=r"stats is a file, which the toolkit did not write"):
        press.build()
    assert tree_of(press.out) == {"stats": b"mine"}


@pytest.mark.parametrize(
    "name", [".", "..", "templates", "static/x", "public", "press", ".toolkit", "content", "content/notes"]
)
def test_an_output_that_holds_or_is_in_the_sources_is_refused(press: Any, name: str) -> None:
    with pytest.raises(BuildError, match=r"is, holds or is within"):
        press.build(press.folder / name)


def test_a_file_becomes_a_folder_and_a_folder_a_file(press: Any) -> None:
    press.write("public/thing", "file")
    press.build()
    (press.folder / "public/thing").unlink()
    press.write("public/thing/inside.txt", "below")
    press.same()
    (press.folder / "public/thing/inside.txt").unlink()
    (press.folder / "public/thing").rmdir()
    press.write("public/thing", "file again")
    press.same()
    assert press.read("thing") == "file again"


def test_a_public_file_in_the_place_of_a_page_is_refused_even_if_nothing_else_changed(press: Any) -> None:
    press.take_built()
    press.write("public/stats/index.html", press.read("stats/index.html"))
    with pytest.raises(Problems, match=r"a page and a public both want the file stats/index.html"):
        press.build()


def test_two_builds_of_one_output_at_once_are_refused(press: Any) -> None:
    import fcntl

    with (press.folder.parent / ".out.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match=r"another build or deploy of .*out is running. Wait for it"):
            press.build()


def test_a_full_disk_is_told_and_the_output_stays(press: Any, tree_of: Any) -> None:
    import resource

    press.take_built()
    before = tree_of(press.out)
    press.write("static/css/site.css", "p { color: red }" * 2000)
    press.replace("templates/base.html", "<footer>", "<footer>" + "x" * 9000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9000, hard))
    try:
        with pytest.raises(ToolkitError, match=r"File too large|disk"):
            press.build()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert tree_of(press.out) == before
    press.same()


def test_other_hash_seeds_time_zones_languages_and_processes_give_the_same_bytes(press: Any, tree_of: Any) -> None:
    """Each in an interpreter of its own, in another folder."""
    import shutil

    script = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from toolkit.site import load_site; from toolkit.builder import Builder\n"
        "b = Builder(load_site(Path(sys.argv[1])), output=Path(sys.argv[2]), workers=int(sys.argv[3]), "
        "moment=datetime(2026, 3, 1, 12, tzinfo=UTC)); b.build()"
    )
    trees = []
    for number, (seed, zone, language, workers) in enumerate(
        [("0", "UTC", "C", "1"), ("1", "Asia/Tokyo", "es_ES.UTF-8", "2"), ("77", "America/New_York", "C.UTF-8", "4")]
    ):
        folder = press.folder.parent / f"copy-{number}" / ("deep/" * number) / "site"
        shutil.copytree(press.folder, folder)
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language, "PYTHONPATH": str(ROOT)}
        output = folder.parent / "out"
        subprocess.run(
            [sys.executable, "-c", script, str(folder), str(output), workers],
            cwd=press.folder.parent if number else folder,
            env=environment,
            check=True,
            capture_output=True,
        )
        trees.append(tree_of(output))
    assert trees[0] == trees[1] == trees[2] != {}


def test_a_change_of_settings_renders_what_reads_them(press: Any) -> None:
    press.take_built()
    for line in ('timezone = "Asia/Tokyo"', "raw_html = true", 'locales = ["es", "en"]', 'locales = ["en"]'):
        name = line.partition(" ")[0]
        text = re.sub(rf"(?m)^{name} .*\n", "", (press.folder / "toolkit.toml").read_text())
        press.write("toolkit.toml", f"{text}{line}\n")
        assert press.same().rendered > 0, line


def test_a_renamed_route_leaves_nothing_behind(press: Any) -> None:
    press.take_built()
    press.replace("press/pages.py", "def stats()", "def figures()")
    press.replace("press/pages.py", '"/stats/"', '"/figures/"')
    press.same()
    assert not (press.out / "stats").exists() or "refresh" in press.read("stats/index.html")


def test_a_module_outside_of_the_apps_is_code_too(press: Any) -> None:
    press.write("helpers/words.py", "WORD = 'one'\n")
    press.write("helpers/__init__.py", "")
    press.replace("press/pages.py", "from . import app", "from helpers.words import WORD\nfrom . import app")
    press.replace("press/pages.py", 'return b"<p>plain</p>"', "return WORD")
    press.build()
    press.write("helpers/words.py", "WORD = 'two'\n")
    press.same()
    assert press.read("plain/index.html") == "two"


def test_data_files_read_in_any_way_are_inputs(press: Any) -> None:
    body = """
    import csv, glob, sqlite3, tomllib, os
    os.chdir(DATA)
    rows = list(csv.reader(open("rel.csv"))) if glob.glob("*.csv") else []
    toml = tomllib.loads((DATA.parent.parent / "shared.toml").read_text())
    base = sqlite3.connect(DATA / "d.sqlite")
    found = base.execute("SELECT * FROM t").fetchall(); base.close()
    return f"{rows} {toml} {found} {sorted(os.listdir())} {open(b'rel.csv').read() if rows else ''}".encode()
"""
    import sqlite3

    base = sqlite3.connect(press.folder / "data/d.sqlite", isolation_level=None)
    base.execute("CREATE TABLE t (x)")
    base.close()
    shared = press.folder.parent / "shared.toml"
    shared.write_text("a = 1")
    press.replace("press/pages.py", '\n    return b"<p>plain</p>"', body)
    press.build()
    press.write("data/rel.csv", "1,2")
    assert press.same().rendered > 0
    press.write("data/rel.csv", "1,3")
    assert "/plain/" in events(press.same(), "rendered")
    shared.write_text("a = 2")
    assert "/plain/" in events(press.same(), "rendered")
    base = sqlite3.connect(press.folder / "data/d.sqlite", isolation_level=None)
    base.execute("INSERT INTO t VALUES (1)")
    base.close()
    assert "/plain/" in events(press.same(), "rendered")


def test_a_deleted_asset_is_told_at_the_line_of_the_template(press: Any) -> None:
    press.take_built()
    (press.folder / "static/img/heavy.svg").unlink()
    with pytest.raises(Problems, match=r"story.html:4: there is no asset 'img/heavy.svg'.*page /"):
        press.build()


def test_a_broken_stylesheet_that_no_page_uses_any_more_breaks_nothing(press: Any) -> None:
    press.take_built()
    (press.folder / "static/css/print.css").unlink()
    press.replace("templates/base.html", "css/site.css", "css/other.css")
    press.write("static/css/other.css", "p { color: green }")
    press.same()


def test_the_clock_moves_over_embargo_and_expiry_and_back(press: Any) -> None:
    press.take_built()
    for hours in (1, 3, 80, 1, -300, 0):
        press.same(moment=NOON + timedelta(hours=hours))


def test_a_database_that_cannot_be_reached_is_told(press: Any) -> None:
    with pytest.raises(ToolkitError, match=r"no/such/folder.*cannot be opened"):
        press.build(settings={"database": "sqlite:////no/such/folder/x.db"})


def test_urls_asked_for_while_pages_are_planned_are_inputs_of_the_plan(press: Any) -> None:
    """A listing whose number of pages depends on the URL of another page."""
    press.write(
        "press/pages.py",
        press.folder.joinpath("press/pages.py").read_text()
        + """

@app.listing("/letters/", template="letters.html", per_page=4, stable=False)
def letters() -> list[str]:
    story = Story.objects.unrestricted().get(pk=4)
    return list(url_for(Section.objects.get(pk=2)))
""",
    )
    press.write("templates/letters.html", "{{ listing.items|join }} {{ listing.pages }}")
    press.build()
    assert not (press.out / "letters/page/3").exists()
    press.sql("UPDATE press_section SET slug = 'competitions' WHERE id = 2")
    press.same()
    assert press.read("letters/page/3/index.html").startswith("titi"[:2]) or (press.out / "letters/page/4").exists()


def test_an_app_that_comes_and_goes(press: Any) -> None:
    press.take_built()
    press.write("extra/__init__.py", "from toolkit import App\napp = App('extra')\n")
    press.write(
        "extra/models.py",
        "from toolkit import models\nclass Event(models.Model):\n    name = models.CharField(max_length=9)\n",
    )
    press.write(
        "extra/pages.py",
        "from . import app\nfrom .models import Event\n"
        "@app.page('/events/', template='events.html')\ndef events(): return {'n': Event.objects.count()}\n",
    )
    press.write("extra/templates/events.html", "{{ n }} {{ asset('extra.txt') }}")
    press.write("extra/static/extra.txt", "extra")
    own = press.folder.joinpath("press/site.py").read_text()
    press.write(
        "press/site.py",
        own.replace("apps=[app]", "apps=[app, extra]").replace(
            "from . import app", "from extra import app as extra\nfrom . import app"
        ),
    )
    press.same()
    assert press.read("events/index.html").startswith("0 /static/extra.")
    press.write("press/site.py", own)
    press.same()
    assert not (press.out / "events").exists() or "refresh" in press.read("events/index.html")
    press.sql("DROP TABLE extra_event")
    assert events(press.same(), "rendered") == []
    assert press.same(moment=press.build().moment + timedelta(days=90)).rendered > 0


def test_a_model_that_loses_a_field_is_built_from_the_new_table(press: Any) -> None:
    press.take_built()
    press.replace("press/models.py", "    weight = models.IntegerField(default=0)\n", "")
    press.replace("press/pages.py", "Story.objects.filter(weight__gt=5)[:3]", "[]")
    press.replace("press/pages.py", "exclude(weight__lt=3)", "all()")
    press.replace("press/pages.py", "stories__weight__gt=2", "stories__status='live'")
    press.replace("press/pages.py", '"-weight", "pk"', '"pk"')
    press.replace("press/pages.py", 'n=Sum("weight"), most=Max("weight"), mean=Avg("weight")', "n=Sum('pk')")
    press.replace("press/pages.py", 'most=Max("stories__weight")', "most=Max('stories__pk')")
    press.replace("templates/inputs.html", "{{ totals.most }} {{ totals.mean }}", "")
    press.replace("templates/inputs.html", '"-weight"', '"pk"')
    press.replace("press/pages.py", 'F("weight").desc()', 'F("pk").desc()')
    press.replace("templates/story.html", "story.weight > 3", "true")
    press.sql("ALTER TABLE press_story DROP COLUMN weight")
    press.same()


def test_a_content_pattern_that_matches_nothing_is_noticed(press: Any) -> None:
    press.take_built()
    for path in (press.folder / "content/notes").iterdir():
        path.unlink()
    report = press.same()
    assert any("content/notes/*.md matches no file" in notice for notice in report.notices)
    assert not (press.out / "notes/first").exists()
