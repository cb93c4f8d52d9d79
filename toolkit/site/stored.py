"""Which files of file fields are published: those of rows that a viewer may see, and no others."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Any

from toolkit.models import FileField
from toolkit.trace import Scope, entered


def file_fields(site: Any) -> Iterator[FileField]:
    """The file fields whose storage has a name."""
    for model in site.models:
        for field in () if model._meta.proxy else model._meta.local_fields:
            if isinstance(field, FileField) and isinstance(field.storage, str):
                yield field


def published_fields(site: Any) -> Iterator[FileField]:
    """The file fields whose files the site itself publishes."""
    for field in file_fields(site):
        storage = site.storages[str(field.storage)]
        if storage.is_local and storage.base_url.startswith("/"):
            yield field


def stored_files(site: Any, scope: Scope) -> list[tuple[str, str]]:
    """(storage, name) of every file of a row that the scope's viewer sees, sorted."""
    with entered(scope):
        return sorted(set(_files_of(published_fields(site))))


def _files_of(fields: Iterable[FileField]) -> Iterator[tuple[str, str]]:
    for field in fields:
        names = field.model.objects.order_by().values_list(field.name, flat=True).distinct()
        yield from ((str(field.storage), name) for name in names if name)


def is_shown(site: Any, scope: Scope, storage: str, name: str) -> bool:
    """Whether a row that the scope's viewer sees has this file."""
    with entered(scope):
        return any(
            field.model.objects.filter(**{field.name: name}).exists()
            for field in file_fields(site)
            if field.storage == storage
        )


def shown_files(site: Any, scope: Scope, storages: Container[str]) -> set[tuple[str, str]]:
    """(storage, name) of every file in these storages of a row that the scope's viewer sees, published or not."""
    with entered(scope):
        return set(_files_of(field for field in file_fields(site) if field.storage in storages))
