"""Checks of what a site is made of: each finds its fault, and says where it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from toolkit.checks import CheckReport, Wanted, check_site
from toolkit.site.history import read_history
from toolkit.testing import record_events

from .conftest import FILES, MODELS, found

Check = Callable[..., CheckReport]


def one(report: CheckReport, check: str) -> str:
    """The letter of the only finding, which must be of this check."""
    assert [finding.id for finding in report.findings] == [check], found(report)
    return str(report.findings[0])


def test_the_good_site_is_good_and_all_was_looked_at(check: Check) -> None:
    report = check(parity=True)
    assert found(report) == []
    assert report.is_good
    assert report.pages == 12
    assert [what for what, _ in report.done] == [
        "declarations", "models", "storages", "templates", "code", "translations", "migrations", "build", "manifest",
        "rows", "files", "pages", "links", "editions", "feeds", "sitemaps", "parity",
    ]  # fmt: skip


def test_nothing_is_published_and_no_url_is_remembered(make_site: Any) -> None:
    site = make_site()
    check_site(site, Wanted(workers=1))
    assert not (site.folder / "build").exists()
    assert read_history(site.database) == {}


def test_a_second_check_renders_nothing(make_site: Any) -> None:
    site = make_site()
    check_site(site, Wanted(workers=1))
    with record_events() as events:
        assert check_site(site, Wanted(workers=1)).is_good
    assert events == []


def test_a_misspelt_variable_is_told_with_its_line_and_what_was_meant(check: Check) -> None:
    text = '{% extends "base.html" %}\n{% block content %}\n<h1>{{ storry.title }}</h1>{% endblock %}\n'
    letter = one(check({"templates/story.html": text}), "templates.failed")
    assert re.search(r"templates/story.html:3: .*storry.*\(page /es/stories/flood/\).*Did you mean 'story'", letter)


def test_a_template_that_cannot_be_compiled_is_told_once(check: Check) -> None:
    report = check({"templates/story.html": '{% extends "base.html" %}\n{% block content %}{% endfor %}'})
    assert len(report.errors) == 1
    assert re.search(r"story.html:2", str(report.errors[0]))


def test_a_template_that_names_another_that_is_not_there(check: Check) -> None:
    report = check({"templates/story.html": '{% extends "bose.html" %}'})
    assert "templates.missing" in {finding.id for finding in report.findings}
    assert "Did you mean 'base.html'" in str(report.findings[0])


def test_a_template_that_nothing_uses_is_a_warning(check: Check) -> None:
    report = check({"templates/old.html": "<p>"})
    assert "old.html: no page, view or template uses this" in one(report, "templates.unused")
    assert report.is_good


def test_two_routes_on_one_file_name_both_declarations(check: Check) -> None:
    pages = '\n@app.page("/stories/flood/", template="home.html")\ndef other():\n    return {"stories": []}\n'
    report = check(pages=pages)
    assert {finding.id for finding in report.findings} == {"routes.collision"}
    letter = str(report.findings[0])
    assert re.search(r"'story'.*pages.py:\d+.*'other'.*pages.py:\d+.*both are published at /stories/flood/", letter)


def test_two_fixed_routes_on_one_path_are_found_at_once(check: Check) -> None:
    pages = '\n@app.page("/", template="home.html")\ndef other():\n    return {"stories": []}\n'
    with pytest.raises(Exception, match=r"two pages are published at /: 'home'"):
        check(pages=pages)


def test_what_models_ask_by_themselves_is_told_before_a_page_asks_it(check: Check) -> None:
    note = """
class Day(models.Model):
    day = models.DateField(null=True)
    class Meta: public = models.Q(day__lte="today")

class Note(models.Model):
    day = models.ForeignKey(Day, models.CASCADE, limit_choices_to={"day": "monday"})
    class Meta: ordering = ["day__day__gt"]
"""
    problems = check(models=MODELS + note).findings
    assert [(one.id, one.line, one.message.partition(":")[0]) for one in problems] == [
        ("declarations.invalid", 14, "Day.day cannot be compared"),
        ("declarations.invalid", 18, "Note.day__day__gt"),
        ("declarations.invalid", 18, "Day.day cannot be compared"),
    ]


def test_a_storage_of_an_unknown_kind_is_told(check: Check) -> None:
    report = check(settings='storages.big = { backend = "s3" }')
    assert "the storage 'big' has the backend 's3', which cannot be imported" in one(report, "settings.invalid")


def test_bad_front_matter_is_told_with_file_and_line(check: Check) -> None:
    text = "---\ntitle: The flood\npublisht: 2026-01-01T00:00:00+00:00\n---\nIt rained.\n"
    report = check({"content/flood.md": text})
    assert {finding.id for finding in report.findings} == {"content.invalid"}
    letters = "\n".join(letter for _, letter in found(report))
    assert re.search(r"content/flood.md:3.*publisht.*Did you mean 'published'", letters)


def test_a_missing_translation_is_told_where_the_site_demands_it(check: Check) -> None:
    catalog = FILES["locale/es/LC_MESSAGES/messages.po"].replace('msgstr "Portada"', 'msgstr ""')
    files = {"locale/es/LC_MESSAGES/messages.po": catalog}
    letter = one(check(files, settings='complete_locales = ["es"]\n'), "messages.missing")
    assert re.search(r"locale/es/LC_MESSAGES/messages.po:\d+: 'Home' is not translated to 'es'", letter)
    assert "(used in templates/base.html)" in letter


def test_a_missing_translation_is_nothing_where_nobody_demands_it(check: Check) -> None:
    catalog = FILES["locale/es/LC_MESSAGES/messages.po"].replace('msgstr "Portada"', 'msgstr ""')
    assert found(check({"locale/es/LC_MESSAGES/messages.po": catalog})) == []


def test_a_message_that_the_catalog_has_not_got_says_how_to_get_it(check: Check) -> None:
    catalog = FILES["locale/es/LC_MESSAGES/messages.po"].replace("Home", "Hame")
    files = {"locale/es/LC_MESSAGES/messages.po": catalog}
    letter = one(check(files, settings='complete_locales = ["es"]\n'), "messages.missing")
    assert "Run: toolkit messages update" in letter


def test_labels_of_models_are_messages_too(check: Check) -> None:
    catalog = FILES["locale/es/LC_MESSAGES/messages.po"].replace('msgstr "dirección"', 'msgstr ""')
    files = {"locale/es/LC_MESSAGES/messages.po": catalog}
    letter = one(check(files, settings='complete_locales = ["es"]\n'), "messages.missing")
    assert "'address' is not translated to 'es' (used in press/models.py)" in letter


def test_a_complete_locale_that_the_site_does_not_have(check: Check) -> None:
    letter = one(check(settings='complete_locales = ["et"]\n'), "messages.unknown")
    assert "'et', which is no locale of the site (toolkit.toml:" in letter


def test_a_catalog_that_cannot_be_read(check: Check) -> None:
    report = check({"locale/es/LC_MESSAGES/messages.po": 'msgid "Home"\nmsgstr "Portada\n'})
    assert "messages.invalid" in {finding.id for finding in report.findings}
    assert re.search(r"messages.po:2", str(report.findings[0]))


def test_an_unreachable_database(make_site: Any) -> None:
    site = make_site()
    site.database.close()
    blocked = site.folder / "site.db"
    blocked.unlink()
    blocked.mkdir()
    report = check_site(site, Wanted(workers=1))
    assert {finding.id for finding in report.errors} == {"database.unavailable"}, found(report)
    assert "site.db" in str(report.errors[0])


def test_rows_that_are_shown_untranslated_are_told_where_the_site_demands_translations(check: Check) -> None:
    shown = MODELS.replace('untranslated = "hide"', 'untranslated = "show"')
    second = "---\ntitle: The drought\npublished: 2026-02-01T00:00:00+00:00\n---\nIt did not rain.\n"
    settings = 'complete_locales = ["es"]\n'
    letter = one(check({"content/drought.md": second}, models=shown, settings=settings), "rows.untranslated")
    assert re.search(r"^Story \d+ \(.*\) is not translated to 'es': title, body", letter)


def test_rows_that_are_hidden_until_they_are_translated_may_wait(check: Check) -> None:
    second = "---\ntitle: The drought\npublished: 2026-02-01T00:00:00+00:00\n---\nIt did not rain.\n"
    assert found(check({"content/drought.md": second}, settings='complete_locales = ["es"]\n')) == []
