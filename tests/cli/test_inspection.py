"""``toolkit routes``, ``settings``, ``doctor``, ``shell`` and ``check``."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from toolkit.checks import CHECKS
from toolkit.settings import TABLE

from .conftest import Run, in_process


def test_routes_are_listed_with_their_place(run: Run) -> None:
    told = run("routes").output
    assert re.search(
        r"^bay_press:story +page +/stories/<slug>/ +Story +story.html +bay_press/pages.py:\d+$", told, re.M
    )
    assert "sitemap" not in run("routes", "story").output


def test_routes_tell_machines_the_path_in_each_locale(run: Run, folder: Path) -> None:
    toml = folder / "toolkit.toml"
    toml.write_text(toml.read_text().replace('["en"]', '["en", "es"]'))
    routes = {one["name"]: one for one in json.loads(run("routes", "--json").stdout)}
    assert routes["bay_press:topic"]["paths"] == {"en": "/topics/<slug>/", "es": "/es/topics/<slug>/"}


# settings


def test_settings_show_value_and_source(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_TITLE", "From the environment")
    told = run("settings").output
    assert re.search(r"^title +From the environment +TOOLKIT_TITLE ", told, re.M)
    assert re.search(r"^base_url +http://localhost:8000 +toolkit.toml:4 ", told, re.M)
    assert re.search(r"^workers +0 +default ", told, re.M)


def test_every_setting_is_told_and_no_secret(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_SECRET_KEY", "hunter2")
    for args in (
        ("settings",),
        ("settings", "--json"),
        ("settings", "secret_key"),
        ("settings", "secret_key", "--json"),
    ):
        assert "hunter2" not in run(*args).output
    assert set(json.loads(run("settings", "--json").stdout)) == {row.name for row in TABLE}


def test_only_changed_settings_are_shown_on_demand(run: Run) -> None:
    changed = json.loads(run("settings", "--changed", "--json").stdout)
    assert "workers" not in changed
    assert changed["title"]["source"] == "toolkit.toml:3"


def test_one_setting_is_explained(run: Run) -> None:
    told = run("settings", "base_url").output
    assert "variable  TOOLKIT_BASE_URL" in told
    assert "default   'http://localhost:8000'" in told
    assert "Did you mean 'base_url'" in run("settings", "bas_url", status=1).stderr


def test_settings_are_shown_although_the_site_cannot_be_imported(run: Run, folder: Path) -> None:
    (folder / "bay_press/site.py").write_text("1 / 0\n")
    result = run("settings")
    assert "title" in result.stdout
    assert "the site cannot be imported: ZeroDivisionError" in result.stderr


# doctor, shell


def test_the_doctor_proves_what_is_needed(run: Run) -> None:
    data = json.loads(run("doctor", "--json").stdout)
    proofs = {proof["name"]: proof for proof in data["proofs"]}
    assert proofs["R*Tree"]["ok"]
    assert proofs["FTS5"]["ok"]
    assert any(name.startswith("database sqlite") for name in proofs)
    assert "all is well" in run("doctor").output


def test_the_doctor_asks_further_databases_too(run: Run, folder: Path) -> None:
    settings = folder / "toolkit.toml"
    settings.write_text(f'{settings.read_text()}\ndatabases.gone = {{url = "sqlite:///none/gone.db"}}\n')
    told = run("doctor", status=1).output
    assert re.search(r"ok +site +database sqlite:///site.db", told)
    assert re.search(r"FAIL site +database gone sqlite:///none/gone.db: .*its folder does not exist", told)


def test_the_doctor_finds_a_folder_in_the_database_s_place(run: Run, folder: Path) -> None:
    (folder / "site.db").mkdir()
    told = run("doctor", status=1).output
    assert re.search(r"FAIL site +database sqlite:///site.db", told)


def test_the_doctor_sees_patients_whose_site_is_broken(run: Run, folder: Path) -> None:
    (folder / "toolkit.toml").write_text('site = "nowhere:site"\n')
    assert "there is no module 'nowhere'" in run("doctor", status=1).output


def test_the_shell_has_the_models_at_hand(run: Run) -> None:
    run("data", "load")
    told = run(
        "shell", "-c", "print(sorted(s.slug for s in Story.objects.filter(Q(slug__startswith='f'))), url_for('home'))"
    )
    assert told.output == "['first-edition'] /\n"


def test_the_shell_runs_what_is_piped_to_it(folder: Path) -> None:
    told = in_process(folder, "shell", "-c", "print(site.settings.peek('title'))")
    assert told.stdout == "Bay press\n"


def test_data_is_loaded_once(run: Run) -> None:
    assert json.loads(run("data", "load", "--json").stdout)["added"] == 4
    assert json.loads(run("data", "load", "--json").stdout)["added"] == 0
    assert "content/stories/*.md (bay_press.Story): 2 unchanged" in run("data", "load").output


# check: what it must be red on, each with a letter that names the place


def edit(folder: Path, name: str, before: str, after: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


FAULTS = {
    "a broken link": (
        ("content/stories/first-edition.md", "Read on", "[Read](/storys/first-edition/) on"),
        r"error \[links.broken\] /stories/first-edition/: the link to /storys/first-edition/ leads to nothing",
    ),
    "a broken link to a row": (
        ("content/stories/first-edition.md", "story:how-pages-are-made", "story:how-pages-are-mad"),
        r"story:how-pages-are-mad.*Did you mean 'how-pages-are-made'",
    ),
    "a misspelt template variable": (
        ("templates/story.html", "{{ story.summary }}", "{{ story.sumary }}"),
        r"error \[templates.failed\] templates/story.html:6: .*sumary.*\(page /stories/.*Did you mean 'summary'",
    ),
    "two routes on one file": (
        ("bay_press/pages.py", '"/feed.xml"', '"/sitemap.xml"'),
        r"error \[routes.collision\] bay_press/pages.py:\d+: two pages are published at /sitemap.xml",
    ),
    "bad front matter": (
        ("content/stories/first-edition.md", "status: live", "status: alive"),
        r"error \[content.invalid\] content/stories/first-edition.md:5.*alive",
    ),
    "a missing translation": (
        ("toolkit.toml", 'locales = ["en"]', 'locales = ["en", "es"]\ncomplete_locales = ["es"]'),
        r"error \[messages.missing\] locale/es/LC_MESSAGES/messages.po: 'Read next' is not translated to 'es'",
    ),
    "an unreachable database": (
        ("toolkit.toml", "sqlite:///site.db", "postgresql://nobody@127.0.0.1:9/none"),
        r"error \[database.unavailable\] .*127.0.0.1.*9",
    ),
    "a wrong setting": (
        ("toolkit.toml", "timezone", "timezon"),
        r"error \[settings.invalid\] toolkit.toml:6: .*timezon",
    ),
    "code that fails": (
        ("bay_press/models.py", "models.Similar", "models.Similiar"),
        r"error \[code.failed\] bay_press/models.py:\d+: .*Similiar",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_check_is_red_with_a_clear_letter_on(run: Run, folder: Path, fault: str) -> None:
    change, letter = FAULTS[fault]
    edit(folder, *change)
    result = run("check", "--workers", "1", status=1)
    assert re.search(letter, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
    assert not (folder / "build").exists()


def test_check_tells_machines_the_same(run: Run, folder: Path) -> None:
    edit(folder, "templates/base.html", "</header>", "</header><img src='/favicon.svg' width=1 height=1>")
    data = json.loads(run("check", "--json", "--workers", "1", status=1).stdout)
    assert data["ok"] is False
    (finding,) = data["findings"]
    assert (finding["id"], finding["severity"], finding["others"]) == ("html.alt", "error", 5)


def test_warnings_fail_only_when_asked(run: Run, folder: Path) -> None:
    edit(folder, "templates/base.html", "{{ page.head }}", "")
    assert "warning [canonical.missing]" in run("check", "--workers", "1").stderr
    run("check", "--workers", "1", "--strict", status=1)


def test_what_fails_is_chosen(run: Run, folder: Path) -> None:
    edit(folder, "templates/base.html", "{{ page.head }}", "")
    run("check", "--workers", "1", "--fail-on", "warning", status=1)
    run("check", "--workers", "1", "--fail-on", "warning", "--skip", "canonical")
    edit(folder, "templates/base.html", "</header>", "</header><img src='/favicon.svg' width=1 height=1>")
    run("check", "--workers", "1", "--only", "html.alt", status=1)
    run("check", "--workers", "1", "--only", "html.alt", "--fail-on", "never")
    assert "Did you mean 'html.alt'" in run("check", "--only", "html.alts", status=2).stderr


def test_ci_gets_findings_in_its_own_words(run: Run, folder: Path) -> None:
    edit(folder, "templates/base.html", "{{ page.head }}", "{{ page.heda }}")
    told = run("check", "--workers", "1", "--format", "github", status=1).stdout
    assert re.match(r"::error file=templates/base.html,line=\d+,title=templates.failed::", told), told
    sarif = json.loads(run("check", "--workers", "1", "--format", "sarif", status=1).stdout)
    assert sarif["runs"][0]["results"][0]["ruleId"] == "templates.failed"


def test_an_embargo_is_proved_and_the_proof_is_written_down(run: Run, folder: Path, tmp_path: Path) -> None:
    text = (folder / "content/stories/first-edition.md").read_text().replace("title: ", "title: Unheard Of ")
    later = re.sub(r"(?m)^published: .*$", "published: 2999-01-01T00:00:00+00:00", text)
    (folder / "content/stories/unheard-of.md").write_text(later)
    run("build", "--workers", "1")
    proof = ("check", "--built", "--only", "embargo", "--embargo", "--workers", "1")
    told = run(*proof, "--certificate", str(tmp_path / "proof.json")).stdout
    assert re.search(r"hidden at \S+: 1 Story; looked for .* in \d+ files of [\d,]+ bytes", told), told
    assert json.loads((tmp_path / "proof.json").read_text())["leaks"] == 0
    (folder / "build/leak.txt").write_text("Unheard Of First edition: unheard-of, unheard of")
    assert "embargo" in run(*proof, status=1).stderr
    assert "are for --embargo" in run("check", "--http", status=2).stderr


def test_a_built_site_is_checked_as_it_is(run: Run, folder: Path) -> None:
    run("build", "--workers", "1")
    assert "0 errors" in run("check", "--built").output
    (folder / "build/index.html").write_text("<!doctype html>")
    assert "files.changed" in run("check", "--built", status=1).stderr


def test_all_checks_are_listed(run: Run) -> None:
    listed: dict[str, Any] = json.loads(run("check", "--list", "--json").stdout)
    assert listed.keys() == CHECKS.keys()
    assert len(listed) >= 40


def test_a_database_that_is_none_is_told(run: Run, folder: Path) -> None:
    (folder / "site.db").write_bytes(b"not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError, match=r"not a database"):
        sqlite3.connect(folder / "site.db").execute("SELECT * FROM x")
    told = run("check", "--workers", "1", status=1).stderr
    assert "not a database" in told
    assert "fault of the toolkit" not in told
