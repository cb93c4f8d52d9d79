"""``toolkit messages`` and ``toolkit migrations``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from .conftest import Run
from .test_inspection import edit


@pytest.fixture
def folder(folder: Path) -> Path:
    """The starter site in two languages, with a label and a text in its code."""
    edit(folder, "toolkit.toml", '["en"]', '["en", "pt-BR"]')
    edit(folder, "bay_press/models.py", "max_length=400)", 'max_length=400, help_text="One sentence.")')
    edit(
        folder,
        "bay_press/pages.py",
        "\n\n@app.feed",
        '\n\nfrom toolkit.i18n import gettext_lazy as _\nTEXT = _("Said in code")\n\n\n@app.feed',
    )
    return folder


PO = "locale/pt_BR/LC_MESSAGES/messages.po"


def test_extraction_finds_templates_code_and_labels(run: Run, folder: Path) -> None:
    assert re.search(r"^locale/messages.pot: 1[0-9] messages$", run("messages", "extract").output)
    pot = (folder / "locale/messages.pot").read_text("utf-8")
    for text in ("Read next", "Said in code", "One sentence.", "stories", "Draft"):
        assert f'msgid "{text}"' in pot
    assert "#. help text of Story.summary\n#: bay_press/models.py\nmsgid" in pot
    assert 'msgid "slug"' not in pot, "names made of identifiers are nobody's words"
    assert "unchanged" in run("messages", "extract").output


def test_update_makes_a_catalog_for_each_locale_but_the_first(run: Run, folder: Path) -> None:
    told = json.loads(run("messages", "update", "--json").stdout)
    assert [Path(one["path"]).relative_to(folder).as_posix() for one in told] == ["locale/messages.pot", PO]
    assert told[1]["created"] is True
    assert "unchanged" in run("messages", "update").output
    assert "Did you mean" in run("messages", "update", "pt-BT", status=1).stderr


def test_stats_count_what_the_site_has_now(run: Run, folder: Path) -> None:
    before = json.loads(run("messages", "stats", "--json").stdout)
    assert [(one["locale"], one["translated"]) for one in before] == [("pt-BR", 0)]
    messages = before[0]["messages"]
    run("messages", "update")
    edit(folder, PO, 'msgid "Read next"\nmsgstr ""', 'msgid "Read next"\nmsgstr "Leia a seguir"')
    told = run("messages", "stats").output
    assert re.search(rf"^pt-BR +1/{messages} +0 +{messages - 1} +{100 // messages} % ", told, re.M)


def test_a_translated_page_shows_the_catalog_without_compiling(run: Run, folder: Path) -> None:
    run("messages", "update")
    edit(folder, PO, 'msgid "News feed"\nmsgstr ""', 'msgid "News feed"\nmsgstr "Notícias"')
    run("build", "--workers", "1")
    assert "Notícias" in (folder / "build/pt-BR/index.html").read_text("utf-8")


def test_compiling_writes_mo_files(run: Run, folder: Path) -> None:
    assert "there is no catalog to compile" in run("messages", "compile").output
    run("messages", "update")
    assert f"{PO.removesuffix('.po')}.mo: 0 messages" in run("messages", "compile").output
    assert (folder / PO).with_suffix(".mo").is_file()


def test_check_fails_on_what_would_break_a_page(run: Run, folder: Path) -> None:
    edit(folder, "templates/404.html", "There is no such page", "There is no page %(url)s")
    (folder / "templates/404.html").write_text(
        '{% extends "base.html" %}{% block content %}{% trans url=page.url %}At {{ url }}{% endtrans %}{% endblock %}'
    )
    run("messages", "update")
    assert "0 errors" in run("messages", "check").output
    edit(folder, PO, 'msgid "At %(url)s"\nmsgstr ""', 'msgid "At %(url)s"\nmsgstr "Em %(ulr)s"')
    result = run("messages", "check", status=1)
    assert re.search(rf"{PO}:\d+: error: .*ulr", result.output)
    findings = json.loads(run("messages", "check", "--json", status=1).stdout)
    assert findings[0]["severity"] == "error"
    assert "placeholders" in run("messages", "check", "--list").output


def test_the_pseudo_language_is_written_like_any_other(run: Run, folder: Path) -> None:
    run("messages", "pseudo")
    assert "Ŕéåð" in (folder / "locale/en_XA/LC_MESSAGES/messages.po").read_text("utf-8")
    assert 'msgid "Read next"' in run("messages", "pseudo", "ar-XB", "--output", "-").output


# migrations


def test_migrations_begin_when_an_app_is_named(run: Run, folder: Path) -> None:
    assert (
        "no app has migrations yet; begin with: toolkit migrations make bay_press" in run("migrations", "make").output
    )
    assert (
        "there is no app 'bay_pres'. Did you mean 'bay_press'" in run("migrations", "make", "bay_pres", status=1).stderr
    )
    told = run("migrations", "make", "bay_press").output
    assert "bay_press/migrations/0001_initial.py" in told
    assert "nothing changed in the models" in run("migrations", "make").output


def test_no_migration_is_made_of_a_table_that_no_database_can_make(run: Run, folder: Path) -> None:
    kicker = 'kicker = models.IntegerField(default=0, db_default=models.F("id"))'
    edit(folder, "bay_press/models.py", "    body = ", f"    {kicker}\n    body = ")
    told = run("migrations", "make", "bay_press", status=1).stderr
    assert "models.py:" in told and "db_default = F('id') looks at a column" in told
    assert not (folder / "bay_press/migrations").exists()


def test_migrations_are_applied_shown_and_checked(run: Run, folder: Path) -> None:
    run("migrations", "make", "bay_press")
    assert "0001_initial is not applied" in run("migrations", "check", status=1).stderr
    assert "would be done" in run("migrations", "apply", "--plan").output
    run("migrations", "apply")
    assert "nothing to do" in run("migrations", "apply").output
    assert "agree" in run("migrations", "check").output
    shown = json.loads(run("migrations", "show", "--json").stdout)
    assert [(one["app"], one["name"], bool(one["applied_at"])) for one in shown] == [
        ("bay_press", "0001_initial", True)
    ]
    assert json.loads(run("build", "--workers", "1", "--json").stdout)["ok"]


def test_a_changed_model_is_told_and_a_dry_run_writes_nothing(run: Run, folder: Path) -> None:
    run("migrations", "make", "bay_press")
    run("migrations", "apply")
    edit(
        folder,
        "bay_press/models.py",
        "    body = ",
        '    kicker = models.CharField(max_length=80, blank=True, default="")\n    body = ',
    )
    assert "no migration says so" in run("migrations", "check", "--models-only", status=1).stderr
    assert "migrations.drift" in run("check", "--workers", "1", status=1).stderr
    assert "kicker" in run("migrations", "make", "--dry-run").output
    assert len(list((folder / "bay_press/migrations").glob("0*.py"))) == 1
    assert "is applied in" in run("migrations", "make", "--update", status=1).stderr
    run("migrations", "make", "--name", "kickers")
    made = folder / "bay_press/migrations/0002_kickers.py"
    text = made.read_text()
    edit(folder, "bay_press/models.py", "max_length=80, blank=True, default", "max_length=100, blank=True, default")
    assert "max_length=100" in run("migrations", "make", "--update", "--dry-run", "--check", status=1).output
    assert made.read_text() == text
    run("migrations", "make", "--update")
    run("migrations", "apply")
    assert "agree" in run("migrations", "check").output
    edit(
        folder,
        "bay_press/models.py",
        "kicker = models.CharField(max_length=100",
        "line = models.CharField(max_length=100",
    )
    asked = run("migrations", "make", status=1).stderr
    assert "renamed to line? Nobody can be asked here. Say --rename bay_press.Story.kicker=line" in asked
    assert "Add field line" in run("migrations", "make", "--dry-run", "--fill", "bay_press.Story.line=x").output
    assert "Add field line" in run("migrations", "make", "--dry-run", "--no-input").output


def test_a_fill_must_name_its_field(run: Run) -> None:
    assert "is not app.Model.field=value" in run("migrations", "make", "--fill", "kicker=1", status=2).output


def test_migrations_are_squashed_printed_and_put_in_line(run: Run, folder: Path) -> None:
    run("migrations", "make", "bay_press")
    run("migrations", "make", "bay_press", "--empty", "--name", "own")
    assert "CREATE TABLE" in run("migrations", "sql", "bay_press", "0001").output
    assert "it can do with no fewer operations" in run("migrations", "optimize", "bay_press", "0001").output
    assert "no migrations were made side by side" in run("migrations", "rebase", "--no-database").output
    assert "no migrations were made side by side" in run("migrations", "merge").output
    told = run("migrations", "squash", "bay_press", "0002").output
    assert "stands for 0001_initial, 0002_own" in told
    assert "0001_squashed_0002_own" in run("migrations", "show", "--plan").output
    run("migrations", "apply", "bay_press", "0001_squashed")
    assert "nothing to forget" in run("migrations", "apply", "--prune").output
    assert "(only noted)" in run("migrations", "apply", "bay_press", "zero", "--fake").output


def test_answers_may_come_from_a_file(run: Run, folder: Path) -> None:
    run("migrations", "make", "bay_press")
    (folder / "answers.toml").write_text("[rename]\n")
    answers = str(folder / "answers.toml")
    wrong = run("migrations", "make", "--answers", answers, status=1).stderr
    assert "unknown table 'rename'. Did you mean 'renames'" in wrong
    (folder / "answers.toml").write_text('[renames]\n"bay_press.Story.none" = "nothing"\n')
    assert "told of a rename that is none" in run("migrations", "make", "--answers", answers, status=1).stderr
    assert "is not app.Model.field=new" in run("migrations", "make", "--rename", "story", status=2).stderr


def test_make_may_only_check(run: Run, folder: Path) -> None:
    (folder / "bay_press" / "migrations").mkdir()
    told = run("migrations", "make", "--check", status=1).output
    assert "0001_initial.py (not written)" in told
    assert not list((folder / "bay_press" / "migrations").glob("0*"))
