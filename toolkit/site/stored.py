"""Which files of file fields are published: those of rows that a viewer may see, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.models import FileField
from toolkit.trace import Scope, entered


def published_fields(site: Any) -> Iterator[FileField]:
    """The file fields whose files the site itself publishes."""
    for model in site.models:
        for field in () if model._meta.proxy else model._meta.local_fields:
            if isinstance(field, FileField) and isinstance(field.storage, str):
                storage = site.storages[field.storage]
                if storage.is_local and storage.base_url.startswith("/"):
                    yield field


def stored_files(site: Any, scope: Scope) -> list[tuple[str, str]]:
    """(storage, name) of every file of a row that the scope's viewer sees, sorted."""
    found: set[tuple[str, str]] = set()
    with entered(scope):
        for field in published_fields(site):
            names = field.model.objects.order_by().values_list(field.name, flat=True).distinct()
            found |= {(str(field.storage), name) for name in names if name}
    return sorted(found)


def is_shown(site: Any, scope: Scope, storage: str, name: str) -> bool:
    """Whether a row that the scope's viewer sees has this file."""
    with entered(scope):
        return any(
            field.model.objects.filter(**{field.name: name}).exists()
            for field in published_fields(site)
            if field.storage == storage
        )
