"""Pages that may use a file: those of the rows that name it. Whether they do is then asked of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from toolkit.models import CharField, Function, JSONField, Q, TextField
from toolkit.pages import Plan
from toolkit.pages.urls import find_url
from toolkit.trace import entered

FEW = 4
"""Rows of one model that are followed; and rows on the other side of each of their relations."""

_KINDS = (CharField, TextField, JSONField)
_PUBLISHED = ("page", "listing", "feed", "error")


class _Written(Function):
    """JSON as the text that the database makes of it."""

    @classmethod
    def build(cls, context: Any, *arguments: Any) -> Any:
        import sqlalchemy as sa

        return sa.cast(arguments[0], sa.Text())


@dataclass(frozen=True, slots=True)
class Likely:
    """What the rows say of a file.

    Args:
        pages: URL paths (percent-decoded) of pages that may use it, the likeliest first.
        is_named: Whether a row names the whole of it that readers see because it is public, or has a page.
    """

    pages: list[str]
    is_named: bool


def find_likely(plan: Plan, name: str) -> Likely:
    """The pages that may use a file. To be asked in a snapshot.

    Args:
        plan: For the viewer and moment.
        name: The path of a static file, or of an image beside the content.
    """
    site = plan.site
    seen: dict[str, None] = {}
    is_named = False
    whole = _whole(site, name)
    for locale in site.settings.peek("locales"):
        with entered(plan.scope(locale)):
            for model in _models(site, translated=locale != site.settings.peek("locales")[0]):
                for row in _rows(model, name):
                    seen.update(dict.fromkeys(_pages_of(plan, row, locale)))
                    is_seen = model._meta.hides((True, False, False)) or any(_routes(site, row))
                    is_named = is_named or (is_seen and _says(row, whole))
    for route in site.routes:
        if route.each is None and route.kind in _PUBLISHED:
            patterns = (site.pattern(route, locale) for locale in site.route_locales(route))
            seen.update((unquote(pattern.build({})), None) for pattern in patterns)
    return Likely(list(seen), is_named)


def _whole(site: Any, name: str) -> re.Pattern[str]:
    """Finds a file's whole name in a text: from the static folders, from the site's or from one of content."""
    folders = {source.folder for app in site.apps for source in app.sources}
    path = PurePosixPath(name)
    names = {name, *(path.relative_to(folder).as_posix() for folder in folders if path.is_relative_to(folder))}
    spelled = {re.escape(each) for one in names for each in _spellings(one)}
    return re.compile(rf"(?<![\w./%-])(?:{'|'.join(sorted(spelled))})(?![\w%-])")


def _says(row: Any, whole: re.Pattern[str]) -> bool:
    values = (getattr(row, one.name) for one in row._meta.fields if isinstance(one, _KINDS))
    texts = (one if isinstance(one, str) else json.dumps(one, ensure_ascii=False, default=str) for one in values)
    return any(whole.search(text) for text in texts)


def _models(site: Any, *, translated: bool) -> Iterator[Any]:
    """The models with rows of their own; only those that have translations, to look at these."""
    translations = {model._meta.translation for model in site.models}
    for model in site.models:
        meta = model._meta
        if not meta.proxy and model not in translations and not (translated and not _is_translated(meta)):
            yield model


def _is_translated(meta: Any) -> bool:
    return any(level._meta.translation is not None for level in meta.levels)


def _routes(site: Any, row: Any) -> Iterator[Any]:
    for route in site.routes:
        if route.model is not None and route.kind in _PUBLISHED and isinstance(row, route.model._meta.concrete_model):
            yield route


def _rows(model: Any, name: str) -> list[Any]:
    """Rows that the viewer sees and that name the file: without its folder or its suffix, unless these are too many."""
    fields = [one for one in model._meta.fields if isinstance(one, _KINDS) and one.find_lookup("contains")]
    if not fields:
        return []
    texts = {f"text_of_{one.name}": _Written(one.name, output_field=TextField()) for one in fields if _is_json(one)}
    within = [f"{one}__contains" for one in (*texts, *(one.name for one in fields if not _is_json(one)))]
    rows = model.objects.alias(**texts).order_by()
    path = PurePosixPath(name)
    last = [Q(**{one: spelled}) for one in within for spelled in _spellings(path.name)]
    stem = [Q(**{one.name: path.stem}) for one in fields if isinstance(one, CharField)]
    found = list(rows.filter(reduce(or_, [*last, *stem]))[: FEW + 1])
    if len(found) <= FEW:
        return found
    whole = [Q(**{one: spelled}) for one in within for spelled in _spellings(name)]
    several = [rows.filter(reduce(or_, tests))[:FEW] for tests in (whole, last, stem) if tests]
    return list({row.pk: row for some in several for row in some}.values())


def _is_json(field: Any) -> bool:
    return isinstance(field, JSONField)


def _spellings(name: str) -> list[str]:
    """A name as it is, and as URLs in Markdown have it."""
    return list(dict.fromkeys((name, quote(name))))


def _pages_of(plan: Plan, row: Any, locale: str) -> Iterator[str]:
    """The pages of a row; if it has none, those of the rows that it is related to."""
    own = list(_urls(plan, row, locale))
    yield from own
    if not own:
        for other in _related(row):
            yield from _urls(plan, other, locale)


def _urls(plan: Plan, row: Any, locale: str) -> Iterator[str]:
    scope = plan.scope(locale)
    for route in _routes(plan.site, row):
        url = find_url(scope, route, row, locale=locale)
        if url is not None:
            yield unquote(url)


def _related(row: Any) -> Iterator[Any]:
    meta = row._meta
    for field in meta.fields:
        if field.is_relation and (other := getattr(row, field.name)) is not None:
            yield other
    accessors = [(one.name, True) for one in meta.many_to_many]
    accessors += [(one.accessor, one.many) for one in meta.reverse.values() if one.accessor]
    for accessor, many in accessors:
        if many:
            yield from getattr(row, accessor).all()[:FEW]
        elif (other := getattr(row, accessor, None)) is not None:
            yield other
