"""``toolkit messages``: extract, update, compile, check and count translations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from toolkit.checks.messages import extract_messages
from toolkit.cli.failing import letter
from toolkit.cli.invocation import invocation, json_option, site_options
from toolkit.cli.sites import open_site
from toolkit.errors import CatalogError, did_you_mean
from toolkit.files import write_if_changed
from toolkit.i18n.catalog import Catalog
from toolkit.i18n.catalogs import catalog_path
from toolkit.i18n.check import Finding, check_file, check_ids
from toolkit.i18n.compile import compile_catalogs
from toolkit.i18n.po import format_po, read_po
from toolkit.i18n.pseudo import pseudo_catalog
from toolkit.i18n.stats import CatalogStats, catalog_stats
from toolkit.i18n.update import CatalogUpdate, update_catalogs


@click.group()
def messages() -> None:
    """Extract, update, compile, check and count translations.

    Catalogs are gettext's: locale/messages.pot and locale/es/LC_MESSAGES/messages.po, for Poedit, Weblate or any
    other tool. The site reads the PO files themselves; nothing has to be compiled for it.
    """


def _folder(site: Any) -> Path:
    folder: Path = site.folder / site.settings.peek("locale_folder")
    return folder


def _locales(site: Any, asked: tuple[str, ...]) -> list[str]:
    """The locales that were asked for; all that are translated to, by default."""
    known: list[str] = site.settings.peek("locales")
    for locale in asked:
        if locale not in known:
            raise CatalogError(f"{locale!r} is no locale of the site", hint=did_you_mean(locale, known))
    return list(asked) or known[1:]


@messages.command()
@json_option
@site_options
def extract() -> None:
    """Write locale/messages.pot: every message of the Python, the templates and the models' labels."""
    asked = invocation()
    site = open_site()
    template = extract_messages(site)
    path = _folder(site) / "messages.pot"
    written = write_if_changed(path, format_po(template).encode())
    if asked.as_json:
        asked.output.data({"path": str(path), "messages": len(template), "written": written})
    else:
        asked.output.say(f"{letter(str(path))}: {len(template)} messages{'' if written else ', unchanged'}")


@messages.command()
@click.argument("locales", nargs=-1, metavar="[LOCALE]...")
@click.option("--fuzzy", is_flag=True, help="Give new messages the translation of a similar one, marked as a guess.")
@json_option
@site_options
def update(locales: tuple[str, ...], fuzzy: bool) -> None:
    """Extract, and bring the catalog of each locale up to date. Translations are kept; unused ones become obsolete."""
    asked = invocation()
    site = open_site()
    wanted = _locales(site, locales)
    updates = update_catalogs(extract_messages(site), _folder(site), wanted, fuzzy=fuzzy)
    if asked.as_json:
        asked.output.data([_update_data(one) for one in updates])
        return
    for one in updates:
        counts = {name: getattr(one, name) for name in ("added", "revived", "retired", "dropped", "guessed")}
        told = ", ".join(f"{number} {name}" for name, number in counts.items() if number)
        state = "created" if one.created else "updated" if one.written else "unchanged"
        asked.output.say(f"{letter(str(one.path))}: {state}{f' ({told})' if told else ''}")


def _update_data(one: CatalogUpdate) -> dict[str, Any]:
    names = ("locale", "created", "written", "added", "revived", "retired", "dropped", "guessed")
    return {"path": str(one.path), **{name: getattr(one, name) for name in names}}


@messages.command(name="compile")
@click.option("--fuzzy", is_flag=True, help="Take guesses too.")
@json_option
@site_options
def compile_command(fuzzy: bool) -> None:
    """Compile each PO file to an MO file beside it, for other programs; the toolkit itself needs none."""
    asked = invocation()
    compiled = compile_catalogs(_folder(open_site()), fuzzy=fuzzy)
    if asked.as_json:
        asked.output.data(
            [{"path": str(one.path), "messages": one.messages, "written": one.written} for one in compiled]
        )
        return
    for one in compiled:
        asked.output.say(f"{letter(str(one.path))}: {one.messages} messages{'' if one.written else ', unchanged'}")
    if not compiled:
        asked.output.say("there is no catalog to compile; make them with: toolkit messages update")


@messages.command()
@click.argument("locales", nargs=-1, metavar="[LOCALE]...")
@click.option("--list", "listed", is_flag=True, help="Name all checks, and what each finds.")
@json_option
@site_options
def check(locales: tuple[str, ...], listed: bool) -> None:
    """Find what translators get wrong without noticing. A flag such as ignore-urls on a message silences one check."""
    asked = invocation()
    if listed:
        _list_checks()
        return
    site = open_site()
    findings = [finding for locale in _locales(site, locales) for finding in _check(site, locale)]
    errors = sum(finding.severity == "error" for finding in findings)
    if asked.as_json:
        asked.output.data([finding.as_dict() for finding in findings])
    for finding in findings:
        asked.output.say(letter(str(finding)), style={"error": "red", "warning": "yellow"}.get(finding.severity))
    others = len(findings) - errors
    asked.output.say(f"{errors} errors, {others} warnings and hints", style="red" if errors else "green")
    if errors:
        click.get_current_context().exit(1)


def _check(site: Any, locale: str) -> list[Finding]:
    path = catalog_path(_folder(site), locale)
    return check_file(path, locale=locale) if path.exists() else []


def _list_checks() -> None:
    asked = invocation()
    if asked.as_json:
        asked.output.data(
            {name: {"severity": severity, "finds": about} for name, (severity, about) in check_ids().items()}
        )
    asked.output.table(
        ("check", "severity", "finds"), [(name, severity, about) for name, (severity, about) in check_ids().items()]
    )


@messages.command()
@json_option
@site_options
def stats() -> None:
    """Count how far each translation has come, against the messages that the site has now."""
    asked = invocation()
    site = open_site()
    template = extract_messages(site)
    found = [_stats_of(site, locale, template) for locale in _locales(site, ())]
    if asked.as_json:
        asked.output.data([one.as_dict() for one in found])
        return
    asked.output.table(
        ("locale", "translated", "fuzzy", "missing", "percent", "words", "catalog"),
        [
            (
                one.locale,
                f"{one.translated}/{one.messages}",
                one.fuzzy,
                one.untranslated,
                f"{one.percent} %",
                f"{one.translated_words}/{one.words}",
                letter(str(one.path)) if one.path else "none yet",
            )
            for one in found
        ],
    )


def _stats_of(site: Any, locale: str, template: Catalog) -> CatalogStats:
    """Against the template of today: messages that the catalog has not got yet are missing ones."""
    path = catalog_path(_folder(site), locale)
    catalog = read_po(path, locale=locale) if path.exists() else Catalog(locale=locale)
    known = {message.key: message for message in catalog.active}
    today = tuple(known.get(message.key, message) for message in template.active)
    return catalog_stats(catalog.with_messages((*today, *catalog.obsolete)))


@messages.command()
@click.argument("locale", default="en-XA")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write here; - for stdout.")
@site_options
def pseudo(locale: str, output: Path | None) -> None:
    """Write a catalog of a pseudo-language, which shows texts that nobody marked and layouts that cannot stretch.

    LOCALE is en-XA (accents, longer) or ar-XB (right to left). Add it to the setting 'locales' to see it.
    """
    asked = invocation()
    site = open_site()
    text = format_po(pseudo_catalog(extract_messages(site), locale))
    path = output or catalog_path(_folder(site), locale)
    if str(path) == "-":
        click.echo(text, nl=False)
        return
    write_if_changed(path, text.encode())
    asked.output.say(f"{letter(str(path))}: written; add {locale!r} to 'locales' in toolkit.toml to see it")
