"""``toolkit new``, ``build``, ``why``, ``impact`` and ``next``."""

from __future__ import annotations

import gc
import json
import re
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from toolkit.cli import building
from toolkit.cli.main import cli
from toolkit.cli.new import package_name
from toolkit.stamps import RACY_NS

from .conftest import Run, in_process


def test_a_new_site_builds_and_nothing_is_wrong_with_it(run: Run, folder: Path) -> None:
    built = run("build", "--workers", "1")
    assert "10 pages: 10 rendered" in built.output
    assert (folder / "build/stories/first-edition/index.html").is_file()
    checked = run("check", "--parity", "--strict", "--workers", "1")
    assert "0 errors, 0 warnings" in checked.output


def test_a_build_whose_seal_holds_loads_nothing(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "BEGUN_NS", time.time_ns() + 10 * RACY_NS)  # no file here is old enough yet
    run("build")
    found = run("build", "--json", "--workers", "1").output  # a build of an hour ago says the same of itself
    monkeypatch.setattr(building, "open_site", lambda: pytest.fail("the site was opened"))
    assert "10 pages: 0 rendered, 10 verified; 0 files written, 12 unchanged, 0 removed, in " in run("build").output
    sealed = run("build", "--json").output
    varying = {"moment", "seconds"}
    assert {k: v for k, v in json.loads(sealed).items() if k not in varying} == {
        k: v for k, v in json.loads(found).items() if k not in varying
    }
    for options in (["--clean"], ["--only", "/"], ["--output", str(folder / "other")], ["--paranoid"]):
        with pytest.raises(pytest.fail.Exception):
            CliRunner(catch_exceptions=False).invoke(cli, ["build", *options])
    (folder / "templates/home.html").write_text("other")
    with pytest.raises(pytest.fail.Exception):
        CliRunner(catch_exceptions=False).invoke(cli, ["build"])


@pytest.mark.parametrize("command", ["build", "check", "next", "routes"])
def test_a_command_closes_the_databases_it_opened(run: Run, folder: Path, command: str) -> None:
    """Before its process ends, which does not look for what refers to itself: a write-ahead log would stay behind."""
    run("build", "--workers", "1")
    gc.disable()
    try:
        run(command)
    finally:
        gc.enable()
    assert list(folder.glob("*.db"))
    assert not [path for path in folder.rglob("*") if path.name.endswith(("-wal", "-shm"))]


def test_a_new_site_takes_only_an_empty_folder(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["new", str(folder)])
    assert result.exit_code == 1
    assert "is not empty. Name a folder that is not there yet" in result.output


def test_the_title_is_a_site_s_own(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["new", str(tmp_path / "x"), "--title", "Ålder Bay's Courier"])
    assert result.exit_code == 0
    assert 'title = "Ålder Bay\'s Courier"' in (tmp_path / "x/toolkit.toml").read_text("utf-8")
    refused = CliRunner().invoke(cli, ["new", str(tmp_path / "y"), "--title", 'a "b"'])
    assert refused.exit_code == 1
    assert not (tmp_path / "y").exists()


@pytest.mark.parametrize(
    ("folder", "package"),
    [
        ("my-paper", "my_paper"),
        ("site", "site_site"),
        ("email", "email_site"),
        ("class", "class_site"),
        ("2026", "site_2026"),
        ("toolkit", "toolkit_site"),
        ("新聞", "press"),
        ("templates", "templates_site"),
    ],
)
def test_a_package_hides_no_other(folder: str, package: str) -> None:
    assert package_name(folder) == package


def test_a_build_says_what_it_did_and_why(run: Run, folder: Path) -> None:
    assert "rendered / and 9 more: new" in run("build", "--workers", "1").output
    assert "0 rendered, 10 verified; 0 files written" in run("build").output
    story = folder / "content/stories/first-edition.md"
    story.write_text(story.read_text().replace("The first edition", "The second edition"))
    told = run("build", "--verbose", "--workers", "1").output
    assert re.search(r"rendered /stories/first-edition/: Story 1 changed", told)
    assert "written stories/first-edition/index.html" in told


def test_a_build_tells_machines_in_json(run: Run, folder: Path) -> None:
    data = json.loads(run("build", "--json", "--workers", "1", "--output", "elsewhere").stdout)
    assert data["ok"] is True
    assert data["pages"] == 10
    assert data["output"] == str(folder / "elsewhere")


def test_a_build_of_another_instant_shows_that_instant(run: Run, folder: Path) -> None:
    story = folder / "content/stories/first-edition.md"
    story.write_text(story.read_text().replace("(story:how-pages-are-made)", "(/)"))
    run("build", "--workers", "1", "--at", "2026-01-05T12:00:00Z")
    assert (folder / "build/stories/first-edition/index.html").is_file()
    assert not (folder / "build/stories/how-pages-are-made/index.html").exists()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("2026-01-05", "in which time zone"),
        ("soon", "is no instant"),
        ("9999-12-31T23:00-02:00", "is out of bounds"),
        ("0001-01-01T01:00+02:00", "is out of bounds"),
    ],
)
def test_an_instant_without_a_zone_or_out_of_bounds_is_wrong_usage(run: Run, value: str, says: str) -> None:
    assert says in run("build", "--at", value, status=2).output


def test_a_failed_build_publishes_nothing_and_exits_1(run: Run, folder: Path) -> None:
    run("build", "--workers", "1")
    before = (folder / "build/index.html").read_bytes()
    template = folder / "templates/base.html"
    template.write_text(template.read_text().replace("site.title", "site.titel"))
    told = run("build", "--workers", "1", status=1)
    assert "templates/base.html" in told.stderr
    assert "Did you mean 'title'" in told.stderr
    assert (folder / "build/index.html").read_bytes() == before


def test_ci_gets_plain_lines_and_an_exit_status(folder: Path) -> None:
    told = in_process(folder, "build", CI="true", TERM="xterm")
    assert told.returncode == 0
    assert told.stderr == ""
    assert "\x1b" not in told.stdout


# why, impact, next


@pytest.mark.parametrize(
    "url",
    [
        "/stories/first-edition/",
        "stories/first-edition",
        "http://localhost:8000/stories/first-edition/?utm=1#top",
        "stories/first-edition/index.html",
        "build/stories/first-edition/index.html",
    ],
)
def test_why_tells_what_a_page_is_made_of_however_it_is_named(run: Run, url: str) -> None:
    run("build", "--workers", "1")
    told = run("why", url).output
    assert told.startswith("/stories/first-edition/\n")
    assert "page bay_press:story of Story 1 in en" in told
    assert re.search(r"rendered +because it was new", told)
    assert "templates (2)\n    base.html\n    story.html" in told


def test_why_tells_what_a_paranoid_build_was_for(run: Run) -> None:
    run("build", "--workers", "1")
    run("build", "--workers", "1", "--paranoid")
    assert re.search(r"rendered +to see whether its trace tells everything\n", run("why", "/").output)


def test_why_tells_machines_everything(run: Run) -> None:
    run("build", "--workers", "1")
    data = json.loads(run("why", "/topics/notes/", "--json").stdout)
    assert data["route"] == "bay_press:topic"
    assert data["inputs"]["template"] == ["base.html", "list.html", "topic.html"]
    assert "Story 1" in data["inputs"]["row"]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("/stories/first-edtion/", "Did you mean '/stories/first-edition/'"),
        ("/favicon.svg", "is no page, but a file of the kind 'public'"),
        ("/zzz", "has no page at /zzz. There is: /, "),
    ],
)
def test_why_of_what_is_no_page_says_what_it_is(run: Run, url: str, says: str) -> None:
    run("build", "--workers", "1")
    assert says in run("why", url, status=1).stderr


def test_why_before_any_build_says_so(run: Run, folder: Path) -> None:
    assert "was not built yet. Run: toolkit build." in run("why", "/", status=1).stderr
    assert not (folder / "build.manifest.db").exists()
    (folder / "templates/home.html").write_text("{{ nothing_of_that_name }}")
    run("build", "--workers", "1", status=1)
    assert "was not built yet: no build succeeded. Run: toolkit build." in run("why", "/", status=1).stderr


@pytest.mark.parametrize(
    ("thing", "page", "other"),
    [
        ("story:first-edition", "/stories/first-edition/", "/404.html"),
        ("story:1", "/stories/first-edition/", "/404.html"),
        ("template:story.html", "/stories/first-edition/", "/topics/notes/"),
        ("message:Read next", "/stories/first-edition/", "/404.html"),
        ("asset:css/site.css", "/404.html", "/feed.xml"),
        ("setting:title", "/404.html", "/robots.txt"),
    ],
)
def test_impact_names_the_pages_that_read_a_thing(run: Run, thing: str, page: str, other: str) -> None:
    run("build", "--workers", "1")
    pages = json.loads(run("impact", thing, "--json").stdout)["read_by"]
    assert page in pages
    assert other not in pages


@pytest.mark.parametrize(
    ("thing", "says"),
    [
        ("story:frist-edition", "Did you mean 'first-edition'"),
        ("template:stroy.html", "Did you mean 'story.html'"),
        ("storry:1", "there is no kind of thing 'storry'. Did you mean 'story'"),
    ],
)
def test_impact_of_what_is_not_there_suggests_what_is(run: Run, thing: str, says: str) -> None:
    run("build", "--workers", "1")
    assert says in run("impact", thing, status=1).stderr


def test_impact_must_be_told_the_kind(run: Run) -> None:
    run("build", "--workers", "1")
    assert "is not KIND:NAME" in run("impact", "base.html", status=2).output


def test_impact_of_an_asset_is_that_of_what_refers_to_it(run: Run, folder: Path) -> None:
    (folder / "static/img").mkdir()
    (folder / "static/img/dot.png").write_bytes(b"dot")
    sheet = folder / "static/css/site.css"
    sheet.write_text(sheet.read_text() + "main { background: url(../img/dot.png) }")
    run("build", "--workers", "1")
    assert "/404.html" in run("impact", "asset:img/dot.png").output
    sheet.unlink()  # the answer is that of the last build
    assert "/404.html" in run("impact", "asset:img/dot.png").output
    assert "Did you mean 'img/dot.png'" in run("impact", "asset:img/dto.png", status=1).stderr


def test_impact_of_a_content_file_says_what_to_ask_for(run: Run) -> None:
    run("build", "--workers", "1")
    told = run("impact", "file:content/stories/first-edition.md", status=1).stderr
    assert "If rows are loaded from it, ask for a row: story:flood." in told


@pytest.mark.parametrize("asked", [("why", "/stories/first-edition/"), ("impact", "story:first-edition")])
def test_telling_of_the_last_build_needs_nothing_of_the_site(run: Run, folder: Path, asked: tuple[str, str]) -> None:
    run("build", "--workers", "1")
    told = run(*asked).output
    (folder / "bay_press/models.py").write_text("raise RuntimeError('imported')")
    assert run(*asked).output == told


def test_telling_loads_no_models_and_no_templates(run: Run, folder: Path) -> None:
    run("build", "--workers", "1")
    code = (
        "import sys; from toolkit.cli.main import cli\n"
        "cli(sys.argv[1:], standalone_mode=False); print(sorted(set(sys.modules) & {'jinja2', 'toolkit.models'}))"
    )
    for asked in (
        ("why", "/"),
        ("impact", "story:1"),
        ("impact", "template:base.html"),
        ("impact", "asset:css/site.css"),
    ):
        told = subprocess.run(
            [sys.executable, "-c", code, *asked], cwd=folder, capture_output=True, text=True, check=True
        )
        assert told.stdout.endswith("\n[]\n"), told


def test_an_output_that_the_code_says_is_found(run: Run, folder: Path) -> None:
    module = folder / "bay_press/site.py"
    module.write_text(module.read_text().replace("apps=[app]", 'apps=[app], settings={"output": "public-html"}'))
    run("build", "--workers", "1")
    assert (folder / "public-html.manifest.db").exists()
    assert run("why", "/").output.startswith("/\n")


def test_a_view_is_told_from_a_page_that_is_not_there(run: Run, folder: Path) -> None:
    with (folder / "bay_press/pages.py").open("a") as pages:
        pages.write('\n\n@app.view("/search/")\ndef search(request): ...\n')
    run("build", "--workers", "1")
    assert "/search/ is answered by the view bay_press:search" in run("why", "/search/", status=1).stderr


def test_next_names_the_coming_embargoes_in_order(run: Run, folder: Path) -> None:
    for number in (2, 1):
        text = (folder / "content/stories/first-edition.md").read_text()
        text = text.replace("The first edition", f"Later {number}").replace("2026-01-05", f"20{40 + number}-01-05")
        (folder / f"content/stories/later-{number}.md").write_text(text)
    run("build", "--workers", "1")
    due = json.loads(run("next", "--json").stdout)
    assert [(one["moment"], one["name"]) for one in due] == [
        ("2041-01-05T08:00:00+00:00", "Story Later 1"),
        ("2042-01-05T08:00:00+00:00", "Story Later 2"),
    ]
    assert "/stories/later-1/" in due[0]["pages"]["new"]
    assert "/" in due[0]["pages"]["changed"]
    assert re.search(r"2041-01-05 .*published +Story Later 1 +\d+: \+/stories/later-1/, ", run("next").output)
    assert "pages" not in json.loads(run("next", "1", "--no-pages", "--json").stdout)[0]
    assert len(json.loads(run("next", "1", "--json").stdout)) == 1
    assert "nothing is due in bay_press_story.published" in run("next", "--after", "2050-01-01T00:00Z").output
    told = run("next", "--discreet").output
    assert re.search(r"2041-01-05 .*published +Story \d +\d+: 1 hidden, /", told)
    log = told + run("next", "--discreet", "--json").stdout
    assert not re.search("later", log, re.IGNORECASE)
    assert json.loads(run("next", "1", "--discreet", "--json").stdout)[0]["pages"]["hidden_count"] == 1


def test_the_queries_of_a_build_are_told_when_asked(run: Run, folder: Path) -> None:
    told = run("build", "--workers", "1", "--queries").output
    assert re.search(r"\d+ queries for 10 pages, \d+\.\d a page", told)
    assert re.search(r"ms, \d+ rows, asked at \S+:\d+ for /", told)


def test_models_are_written_for_a_database_of_others(run: Run, folder: Path) -> None:
    connection = sqlite3.connect(folder / "archive.db")
    connection.execute("CREATE TABLE wires (id INTEGER PRIMARY KEY, headline VARCHAR(80) NOT NULL)")
    connection.close()
    told = run("data", "inspect", "--database", "sqlite:///archive.db").output
    assert "class Wires(models.Model):\n    id = models.AutoField(primary_key=True)\n" in told
    assert "    headline = models.CharField(max_length=80, blank=True)\n" in told
    assert "database =" not in told
    compile(told, "archive.py", "exec")
    settings = folder / "toolkit.toml"
    settings.write_text(settings.read_text() + '\n[databases]\nwires = {url = "sqlite:///archive.db"}\n')
    told = run("data", "inspect", "--database", "wires").output
    assert '        database = "wires"\n        managed = False\n        db_table = "wires"\n' in told


def test_the_slowest_templates_are_told_when_asked(run: Run, folder: Path) -> None:
    told = run("build", "--workers", "1", "--metrics").output
    assert re.search(r"slowest templates:\n  \S+: \d+\.\d\d s for \d+ pages, [\d.]+ ms each; [\d.]+ ms for /", told)
    assert "queries for" in told
    data = json.loads(run("build", "--workers", "1", "--clean", "--json").stdout)
    assert data["unchanged"] > 0
    assert {"template", "pages", "seconds", "slowest", "most"} == data["templates"][0].keys()
    assert sum(one["pages"] for one in data["templates"]) == data["rendered"]


def test_a_paranoid_build_names_what_a_page_reads_in_secret(run: Run, folder: Path) -> None:
    run("build", "--workers", "1")
    assert "verified" in run("build", "--workers", "1", "--paranoid").output
    pages = folder / "bay_press/pages.py"
    secret = '\n\n@app.page("/secret.txt")\ndef secret():\n    import random\n    return str(random.random())\n'
    pages.write_text(pages.read_text() + secret)
    run("build", "--workers", "1")
    told = run("build", "--workers", "1", "--paranoid", status=1).stderr
    assert "/secret.txt would have been skipped, and is another: line 1 was" in told
    assert re.search(r"It reads chance \(random.random\) at bay_press/pages.py:\d+", told)
    assert json.loads(run("build", "--workers", "1", "--paranoid", "--json", status=1).stdout)["ok"] is False
