"""What is checked of the declarations before a site is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.errors import Collision, DeclarationError, FieldError, ToolkitError, did_you_mean
from toolkit.models.declarations import located
from toolkit.pages.patterns import Pattern, check_static_path
from toolkit.pages.routes import Route


def check_routes(site: Any) -> list[ToolkitError]:
    """Every problem with the site's routes."""
    problems: list[ToolkitError] = []
    for route in site.routes:
        problems += _check_route(site, route)
    problems += _check_names(site.routes)
    problems += _check_paths(site.routes)
    return problems


def check_storages(site: Any) -> list[ToolkitError]:
    """Storages that fields name, and the settings do not."""
    problems: list[ToolkitError] = []
    for model in site.models:
        for field in model._meta.local_fields:
            name = getattr(field, "storage", None)
            if isinstance(name, str) and name not in site.storages:
                told = f"{model._meta.label}.{field.name}: there is no storage {name!r}"
                problem = DeclarationError(
                    told, hint=did_you_mean(name, site.storages) or f"Describe it in [storages.{name}]."
                )
                problems.append(located(problem, model._meta.declared_at))
    return problems


def _problem(route: Route, message: str, hint: str = "") -> DeclarationError:
    path, line = route.declared_at
    return DeclarationError(f"{route.kind} {route.name!r}: {message}", path=path, line=line, hint=hint or None)


def _check_route(site: Any, route: Route) -> Iterator[ToolkitError]:
    try:
        pattern = site.pattern(route, site.settings.peek("locales")[0])
    except ToolkitError as error:
        yield _problem(route, error.message, error.hint or "")
        return
    if route.is_static and (wrong := check_static_path(route.path)):
        yield _problem(route, wrong, "Add a trailing slash, or a file name such as data.json.")
    if route.kind == "listing" and not route.path.endswith("/"):
        yield _problem(route, f"the path {route.path!r} of a listing must end in a slash")
    if route.kind == "view":
        return
    if pattern.names and route.each is None:
        hint = "Give it each=, or make it a view."
        yield _problem(
            route, f"the path {route.path!r} has placeholders, but it is not said what it is published for", hint
        )
    elif route.each is not None and not pattern.names:
        yield _problem(
            route, "it is published for many subjects, but its path is the same for all", "Add a placeholder."
        )
    yield from _check_placeholders(route, pattern)
    for locale in route.locales or ():
        if locale not in site.settings.peek("locales"):
            yield _problem(
                route, f"{locale!r} is no locale of the site", did_you_mean(locale, site.settings.peek("locales"))
            )


def _check_placeholders(route: Route, pattern: Pattern) -> Iterator[ToolkitError]:
    if route.model is None:
        return
    for name in pattern.names:
        try:
            _follow(route.model, name)
        except FieldError as error:
            yield _problem(route, f"<{name}>: {error.message}", error.hint or "")


def _follow(model: Any, name: str) -> None:
    """Refuse a placeholder that names no single value of the subject."""
    for part in name.split("__"):
        if model is None:
            if part in ("year", "month", "day"):
                return
            raise FieldError(f"{part!r} is not a field")
        field = model._meta.get_field(part)
        many = not hasattr(field, "column") or field in model._meta.many_to_many
        if many:
            raise FieldError(f"{part!r} has many values, so it cannot be in a URL")
        model = field.target if field.is_relation else None


def _check_names(routes: list[Route]) -> Iterator[ToolkitError]:
    taken: dict[str, Route] = {}
    for route in routes:
        other = taken.setdefault(route.id, route)
        if other is not route:
            yield _problem(route, f"the name is taken by the {other.kind} at {other.where}", "Give it another name.")


def _check_paths(routes: list[Route]) -> Iterator[ToolkitError]:
    taken: dict[tuple[str, Any], Route] = {}
    for route in routes:
        if "<" in route.path or not route.is_static:
            continue
        other = taken.setdefault((route.path.casefold(), None), route)
        if other is not route:
            path, line = route.declared_at
            message = f"two pages are published at {route.path}: {other.name!r} ({other.where}) and {route.name!r}"
            yield Collision(message, path=path, line=line, hint="Change one of the paths.")
