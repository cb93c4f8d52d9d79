"""Which database a model is asked of: its own, a copy of it, or the one that a site's router names."""

from __future__ import annotations

from typing import Any, Protocol

from toolkit.errors import DatabaseError, DeclarationError, ToolkitError
from toolkit.models.on_delete import DO_NOTHING
from toolkit.models.scopes import current_scope
from toolkit.trace import Scope


class Router(Protocol):
    """Says where models are asked and written. Give one to the site: ``Site(..., router=Desk())``.

    Any method may be left out, and any may answer None: the default answer stands then. ``hints`` are for later.
    """

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        """The alias of the database that a model is read from."""

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        """The alias of the database that a model is written to."""

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool | None:
        """Whether a model may refer to another, though they are in different databases. Asked of model classes."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool | None:
        """Whether a model's table is made in a database."""


def ask_router(router: Any, method: str, *arguments: Any, **hints: Any) -> Any:
    """What a router answers; None if it has no such method."""
    found = getattr(router, method, None)
    return found(*arguments, **hints) if found is not None else None


def relation_problems(models: list[Any], router: Any) -> list[ToolkitError]:
    """References from one database to another that nobody said are meant."""
    problems: list[ToolkitError] = []
    for model in models:
        meta = model._meta
        for key in meta.foreign_keys():
            target = key.target._meta
            if target.database == meta.database or key.model is not model:
                continue
            allowed = ask_router(router, "allow_relation", model, key.target)
            if allowed or (allowed is None and not key.db_constraint and key.on_delete == DO_NOTHING):
                continue
            problems.append(
                DeclarationError(
                    f"{meta.label}.{key.name} refers to {target.label}, which is in another database: {meta.label} "
                    f"is in {meta.database!r}, {target.label} in {target.database!r}",
                    hint="No database can keep such a reference. Let both be in one (Meta.database), or declare it "
                    "with db_constraint=False and on_delete=DO_NOTHING; a router may allow it with allow_relation().",
                )
            )
    return problems


def scope_using(alias: str, model: Any, *, writing: bool = False) -> Scope:
    """The current scope for a database that somebody named.

    Raises:
        DatabaseError: There is none of this name, or a page is being rendered, which must be told in its trace.
    """
    scope = current_scope()
    if writing:
        scope.refuse_writing(model)
    database = scope.site.find_database(alias) if scope.site is not None else None
    if database is None:
        raise DatabaseError(f"there is no database {alias!r}", hint="Name it in toolkit.toml, under [databases].")
    if scope.trace is not None and alias != model._meta.database:
        raise DatabaseError(
            f"{model.__name__} cannot be asked of the database {alias!r} while a page is rendered: it is in "
            f"{model._meta.database!r}",
            hint="Give the model of those rows Meta.database, or ask for them in a view.",
        )
    return scope.at(database, pinned=True)


def scope_from(instance: Any) -> Scope:
    """The current scope, for what belongs to an instance: the database that ``using()`` loaded it from."""
    place = instance.__dict__.get("_database")
    return current_scope() if place is None else scope_using(place, type(instance))
