"""Rows without a translation in the locales that are to be complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.checks.findings import Finding
from toolkit.trace import READER, entered


def check_rows(site: Any) -> Iterator[Finding]:
    """Public rows that readers of a complete locale see in the source language.

    Rows of models that say ``untranslated = "hide"`` are not seen there at all, so they may wait.
    """
    known = site.settings.peek("locales")
    wanted = [locale for locale in site.settings.peek("complete_locales") if locale in known[1:]]
    models = [model for model in site.models if model._meta.translation is not None]
    for model in models if wanted else ():
        if model._meta.untranslated == "show":
            for locale in wanted:
                yield from _untranslated(site, model, locale)


def _untranslated(site: Any, model: Any, locale: str) -> Iterator[Finding]:
    names = [field.name for field in model._meta.translated]
    with entered(site.scope(viewer=READER)):
        sources = {key: (str(row), values) for row, key, values in _values(model, names)}
        translated = model._meta.translation.objects.filter(locale=locale).values_list("source_id", *names)
        known = {key: values for key, *values in translated}
    for key, (title, values) in sources.items():
        there = known.get(key, [None] * len(names))
        missing = [name for name, source, text in zip(names, values, there, strict=True) if source and not text]
        if missing:
            message = f"{model.__name__} {key} ({title[:40]}) is not translated to {locale!r}: {', '.join(missing)}"
            yield Finding("rows.untranslated", message, hint="Translate it, or take the locale off complete_locales.")


def _values(model: Any, names: list[str]) -> Iterator[tuple[Any, Any, list[Any]]]:
    for row in model.objects.all():
        yield row, row.pk, [getattr(row, name) for name in names]
