"""What readers may not see at an instant: the rows, their texts and files, and the URLs of their pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from toolkit.models import FileField
from toolkit.pages.plan import Plan
from toolkit.pages.subjects import plain_key
from toolkit.site.moved import alias_urls
from toolkit.site.stored import published_fields, stored_files
from toolkit.trace import ABSENT, EDITOR, PREVIEW, READER, Viewer, entered

ANYBODY = Viewer("reader", restricted=True, editions=False)
"""A reader of all languages: what waits for a translation is not hidden, but not there."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a row.

    Args:
        row: Whose, by model and key: what it says is not for the log of a build.
        field: In which field.
        value: The text.
    """

    row: str
    field: str
    value: str


@dataclass
class Hidden:
    """What must not be published.

    Attributes:
        moment: The instant.
        counts: Model to how many of its rows are hidden.
        files: Digest of a file that only hidden rows use, to its name.
        urls: URL path, decoded, of a page or file that readers have not, to what it is.
    """

    moment: datetime
    counts: dict[str, int] = field(default_factory=dict)
    files: dict[bytes, str] = field(default_factory=dict)
    urls: dict[str, str] = field(default_factory=dict)


def find_hidden(site: Any, moment: datetime) -> Hidden:
    """The rows, files and URLs that readers may not see at an instant."""
    hidden = Hidden(moment)
    for model, keys in _hidden_keys(site, moment):
        hidden.counts[model.__name__] = len(keys)
    if hidden.counts:
        _find_files(site, hidden)
        _find_urls(site, hidden)
    return hidden


def hidden_texts(site: Any, moment: datetime) -> Iterator[Text]:
    """Every text of every hidden row, in all languages."""
    for model, keys in _hidden_keys(site, moment):
        with entered(site.scope(viewer=EDITOR, moment=moment)):
            yield from _texts(model, lambda key, keys=keys: key in keys)


def public_texts(site: Any, moment: datetime) -> Iterator[Text]:
    """Every text of every row that readers see."""
    for model in _models(site):
        with entered(site.scope(viewer=ANYBODY, moment=moment)):
            keys = set(model.objects.order_by().values_list("pk", flat=True)) if _may_hide(model) else None
        with entered(site.scope(viewer=EDITOR, moment=moment)):
            yield from _texts(model, lambda key, keys=keys: keys is None or key in keys)


def _models(site: Any) -> Iterator[Any]:
    """The models that have rows of their own; rows of translations are looked at with what they translate."""
    translations = {model._meta.translation for model in site.models} - {None}
    for model in site.models:
        if not model._meta.proxy and model not in translations:
            yield model


def _may_hide(model: Any) -> bool:
    return bool(model._meta.hides((True, False, False)))


def _hidden_keys(site: Any, moment: datetime) -> Iterator[tuple[Any, set[Any]]]:
    """(model, keys) of the rows that nobody may see who only reads."""
    for model in _models(site):
        if not _may_hide(model):
            continue
        with entered(site.scope(viewer=ANYBODY, moment=moment)):
            shown = set(model.objects.order_by().values_list("pk", flat=True))
        with entered(site.scope(viewer=EDITOR, moment=moment)):
            keys = set(model.objects.order_by().values_list("pk", flat=True)) - shown
        if keys:
            yield model, keys


def _texts(model: Any, wanted: Any) -> Iterator[Text]:
    names = [one.name for one in model._meta.fields if _has_text(one)]
    if names:
        for key, *values in model.objects.order_by().values_list("pk", *names).iterator():
            if wanted(key):
                yield from _row_texts(f"{model.__name__} {key}", names, values)
    for level in model._meta.levels:
        translation = level._meta.translation
        translated = [one.name for one in level._meta.translated if _has_text(one)] if translation is not None else []
        if translated:
            rows = translation.objects.order_by().values_list("source_id", "locale", *translated)
            for key, locale, *values in rows.iterator():
                if wanted(key):
                    yield from _row_texts(f"{model.__name__} {key} in {locale}", translated, values)


def _has_text(one: Any) -> bool:
    """Whether a field's values may give a row away: not numbers and dates, and not a choice of a few words."""
    return not one.is_relation and not getattr(one, "choices", None)


def _row_texts(row: str, names: list[str], values: list[Any]) -> Iterator[Text]:
    for name, value in zip(names, values, strict=True):
        for text in _leaves(value):
            yield Text(row, name, text)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(key)
            yield from _leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner)
    elif hasattr(value, "hex") and hasattr(value, "urn"):  # a UUID
        yield str(value)


# files and URLs


def _find_files(site: Any, hidden: Hidden) -> None:
    everything = set(stored_files(site, site.scope(viewer=EDITOR, moment=hidden.moment)))
    shown = set(stored_files(site, site.scope(viewer=READER, moment=hidden.moment)))
    public = {site.storages[storage].digest_of(name) for storage, name in shown}
    for storage, name in sorted(everything - shown):
        value = site.storages[storage].digest_of(name)
        if value != ABSENT and value not in public:
            hidden.files[value] = name
        hidden.urls[unquote(f"{site.storages[storage].base_url}{name}")] = f"the file {name}"


def file_names(site: Any, moment: datetime) -> Iterator[Text]:
    """The names of files that only hidden rows use, wherever they are kept."""
    for one in published_fields(site):
        if isinstance(one, FileField):
            with entered(site.scope(viewer=ANYBODY, moment=moment)):
                shown = set(one.model.objects.order_by().values_list(one.name, flat=True))
            with entered(site.scope(viewer=EDITOR, moment=moment)):
                for key, name in one.model.objects.order_by().values_list("pk", one.name):
                    if name and name not in shown:
                        yield Text(f"{one.model.__name__} {key}", one.name, name.rpartition("/")[2].rpartition(".")[0])


def _find_urls(site: Any, hidden: Hidden) -> None:
    """URLs of pages that an editor's preview has and readers have not."""
    readers, preview = (Plan(site, viewer=viewer, moment=hidden.moment) for viewer in (READER, PREVIEW))
    known = set(_urls(readers))
    for url in _urls(preview):
        if url not in known:
            hidden.urls.setdefault(unquote(url), "a hidden page")


def public_urls(site: Any, moment: datetime) -> Iterator[str]:
    """The URLs of readers' pages, decoded; but for those of hidden rows, which a route may publish by mistake."""
    hidden = {model: {plain_key(key) for key in keys} for model, keys in _hidden_keys(site, moment)}
    plan = Plan(site, viewer=READER, moment=moment)
    for route, locale in plan.routes():
        for planned in plan.unit(route, locale).planned:
            if planned.key not in hidden.get(route.model, ()):
                yield unquote(planned.url)


def _urls(plan: Plan) -> Iterator[str]:
    for route, locale in plan.routes():
        for page in plan.unit(route, locale).pages():
            yield page.url
    yield from alias_urls(plan)
