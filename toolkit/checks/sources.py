"""Checks of what a site is made of, before any page: templates, catalogs, migrations."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from toolkit.checks.code import check_module
from toolkit.checks.findings import Finding, findings_of
from toolkit.checks.given import names_of_templates, returned_names
from toolkit.checks.messages import extract_messages, python_files
from toolkit.errors import FieldError, StorageError, ToolkitError, ValidationError, did_you_mean
from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.catalogs import catalog_path
from toolkit.i18n.check import check_file
from toolkit.i18n.po import read_po
from toolkit.migrations import check as check_models
from toolkit.models.declarations import located
from toolkit.templates import check_templates
from toolkit.templates.lint import open_linter
from toolkit.templates.names import unread_values
from toolkit.trace import READER, entered

_TEMPLATE_CHECKS = {
    "syntax": "templates.failed",
    "missing-template": "templates.missing",
    "unknown-block": "templates.block",
    "request-in-page": "templates.request",
    "unused-template": "templates.unused",
    "unknown-name": "templates.unknown-name",
    "unused-name": "templates.unused-name",
}


def check_site_models(site: Any) -> Iterator[Finding]:
    """What models ask by themselves, compiled and not asked: which rows are public, in which order they come, and
    which of others a field may refer to."""
    with entered(site.scope(viewer=READER)):
        for model in site.models:
            for question in _own_questions(model):
                try:
                    _ = question().query
                except (FieldError, ValidationError) as error:
                    yield from findings_of(located(error, model._meta.declared_at), check="declarations.invalid")


def _own_questions(model: Any) -> Iterator[Callable[[], Any]]:
    yield model._meta.base_manager.all
    for field in (*model._meta.local_foreign_keys(), *model._meta.local_many_to_many):
        if not callable(field.limit_choices_to):  # which may look at who asks
            yield partial(field.limited, field.target._meta.base_manager.all())


def check_site_storages(site: Any) -> Iterator[Finding]:
    """Storages that cannot be made as the settings describe them."""
    for name in site.storages:
        try:
            _ = site.storages[name]
        except StorageError as error:
            yield from findings_of(error, check="settings.invalid")


def check_site_templates(site: Any) -> Iterator[Finding]:
    """All templates, without rendering; those bundled with the toolkit are its own affair."""
    pages = {route.template for route in site.routes if route.template and route.kind != "view"}
    names = set(site.environment.list_templates())
    given = names_of_templates(site)
    found = check_templates(site.environment, pages=pages, used=names & _texts_in_python(site), given=given)
    for one in found:
        path = one.error.path
        if path is None or str(path).startswith(str(site.folder)):
            yield from findings_of(one.error, check=_TEMPLATE_CHECKS[one.code])
    yield from _check_values(site)


def _check_values(site: Any) -> Iterator[Finding]:
    """What functions of pages give and no template reads."""
    linter = open_linter(site.environment)
    for route in site.routes:
        given = (
            returned_names(route.function) if route.template and route.kind in ("page", "listing", "error") else None
        )
        for name in unread_values(linter, route.template, given) if given and route.template else ():
            path, line = route.declared_at
            message = f"{route.name}() gives {name!r}, which {route.template} never reads"
            yield Finding("templates.unused-name", message, path=str(path), line=line, hint="Take it out.")


def _texts_in_python(site: Any) -> set[str]:
    """Every text in the site's Python: a view names its templates somewhere."""
    texts: set[str] = set()
    for path in python_files(site):
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue
        texts |= {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return {text.partition("#")[0] for text in texts}


def check_site_code(site: Any) -> Iterator[Finding]:
    """What the code of pages reads past every trace."""
    for path in python_files(site):
        yield from check_module(path)


def check_site_migrations(site: Any) -> Iterator[Finding]:
    """Models that changed without a migration, in apps that have migrations."""
    for error in check_models(None, site.apps):
        yield from findings_of(error)


# translations


def check_catalogs(site: Any) -> Iterator[Finding]:
    """What is wrong in the site's catalogs, and what is missing where a locale is to be complete."""
    folder = site.folder / site.settings.peek("locale_folder")
    for locale in site.settings.peek("locales"):
        try:
            path = catalog_path(folder, locale)
        except ToolkitError as error:
            yield from findings_of(error)
            continue
        for one in check_file(path, locale=locale) if path.exists() else ():
            if one.severity == "info":
                continue
            check = "messages.invalid" if one.severity == "error" else "messages.doubtful"
            about = f" in {one.msgid[:60]!r}" if one.msgid else ""
            hint = f"If it is right, flag the message: #, ignore-{one.id}" if one.severity == "warning" else None
            yield Finding(check, f"{one.message}{about}", path=str(one.path), line=one.line or None, hint=hint)
    yield from check_complete(site)


def check_complete(site: Any) -> Iterator[Finding]:
    """Messages without a translation in the locales that the setting ``complete_locales`` names."""
    wanted = site.settings.peek("complete_locales")
    known = site.settings.peek("locales")
    for locale in wanted:
        if locale not in known:
            source = site.settings.source("complete_locales")
            message = f"complete_locales names {locale!r}, which is no locale of the site ({source})"
            yield Finding("messages.unknown", message, hint=did_you_mean(locale, known) or None)
    locales = [locale for locale in wanted if locale in known]
    if not locales:
        return
    try:
        template = extract_messages(site)
    except ToolkitError as error:
        yield from findings_of(error)
        return
    for locale in locales:
        yield from _missing(site, locale, template)


def _missing(site: Any, locale: str, template: Catalog) -> Iterator[Finding]:
    """The messages that readers of a locale would see in the source language, at their place in its PO file."""
    missing = site.catalogs.find_missing(locale, template.active)
    path = catalog_path(site.folder / site.settings.peek("locale_folder"), locale)
    lines = _lines(path, locale)
    for message in missing:
        line = lines.get(message.key)
        text = f"{message.msgid[:60]!r} is not translated to {locale!r}{_used(message)}"
        hint = "Translate it." if line else "Run: toolkit messages update. Then translate it."
        yield Finding("messages.missing", text, path=str(path), line=line, hint=hint)


def _lines(path: Any, locale: str) -> dict[Any, int]:
    try:
        return {message.key: message.line for message in read_po(path, locale=locale).active}
    except (ToolkitError, OSError):
        return {}


def _used(message: Message) -> str:
    return f" (used in {message.locations[0]})" if message.locations else ""
