"""Every message that a site may show: of its Python, its templates and its models' labels."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from toolkit.i18n.catalog import Catalog, Message
from toolkit.i18n.extract import extract_site

_SKIPPED = {"__pycache__", "migrations", "tests", "node_modules"}


def extract_messages(site: Any) -> Catalog:
    """The template (POT) of a site: its own apps and templates. Apps installed elsewhere bring catalogs of their own.

    Args:
        site: A prepared site.

    Raises:
        Problems: Files that cannot be read, and texts that can never be translated.
    """
    return extract_site(
        site.environment,
        list(python_files(site)),
        list(template_files(site)),
        list(model_labels(site)),
        root=site.folder,
        project=site.settings.peek("title"),
    )


def own_apps(site: Any) -> list[Any]:
    """The apps whose package is in the site's folder."""
    return [app for app in site.apps if app.folder.resolve().is_relative_to(site.folder)]


def python_files(site: Any) -> Iterator[Path]:
    """The Python sources of the site's own apps, and those beside ``toolkit.toml``."""
    yield from sorted(site.folder.glob("*.py"))
    for app in own_apps(site):
        for path in sorted(app.folder.rglob("*.py")):
            if not _SKIPPED.intersection(path.relative_to(app.folder).parts):
                yield path


def template_files(site: Any) -> Iterator[Path]:
    """The templates of the site and of its own apps."""
    folders = [site.folder / site.settings.peek("templates"), *(app.folder / "templates" for app in own_apps(site))]
    for folder in dict.fromkeys(folders):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
                yield path


def model_labels(site: Any) -> Iterator[Message]:
    """What models say of themselves in words of their author: names, plurals, help texts, choices."""
    apps = {app.label for app in own_apps(site)}
    for model in site.models:
        meta = model._meta
        if meta.app_label in apps and not meta.hidden:
            location = _location(site, model)
            for text, about in _labels(meta):
                if isinstance(text, str) and text.strip():
                    yield Message(text, locations=location, comments=(about,))


def _labels(meta: Any) -> Iterator[tuple[Any, str]]:
    """(text, what it is) of one model. Names that were made of identifiers are left out."""
    spaced = "".join(f" {c.lower()}" if c.isupper() else c for c in meta.object_name).strip()
    if meta.verbose_name != spaced:
        yield meta.verbose_name, f"name of {meta.object_name}"
    if meta.verbose_name_plural != f"{spaced}s":
        yield meta.verbose_name_plural, f"plural name of {meta.object_name}"
    for field in [*meta.fields, *meta.many_to_many]:
        what = f"{meta.object_name}.{field.name}"
        if field.verbose_name != field.name.replace("_", " "):
            yield field.verbose_name, f"name of {what}"
        yield getattr(field, "help_text", ""), f"help text of {what}"
        for _, label in getattr(field, "choices", None) or ():
            yield label, f"choice of {what}"


def _location(site: Any, model: Any) -> tuple[str, ...]:
    try:
        path = Path(inspect.getfile(model)).resolve()
        return (path.relative_to(site.folder).as_posix(),)
    except (TypeError, OSError, ValueError):
        return ()
