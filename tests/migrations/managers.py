"""Managers that models of the past take along: they must stand where a migration can import them."""

from __future__ import annotations

from typing import Any

from toolkit import models


class Live(models.Manager[Any]):
    """The rows of a status."""

    use_in_migrations = True

    def __init__(self, status: str = "live") -> None:
        self.status = status

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(status=self.status)


class Questions(models.QuerySet[Any]):
    """A queryset with a question of its own."""

    use_in_migrations = True

    def short(self) -> Any:
        return self.filter(title__lt="m")
