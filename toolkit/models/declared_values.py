"""The values that a model's declaration gives: whether its fields can hold them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from toolkit.errors import DeclarationError, ToolkitError, ValidationError
from toolkit.models.declarations import located_all
from toolkit.models.fields.base import MISSING, Field


def check_values(models: Iterable[Any]) -> list[ToolkitError]:
    """Defaults and choices that their fields can never hold.

    That is said of the models of today only: a migration may have one that was never used.

    Args:
        models: All models of a site, their relations resolved.
    """
    problems: list[ToolkitError] = []
    for model in models:
        if not model._meta.hidden:
            for field in (*model._meta.local_fields, *model._meta.spread_keys):
                problems += located_all([*_check_default(field), *_check_choices(field)], model._meta.declared_at)
    return problems


def _check_default(field: Field[Any]) -> Iterator[ToolkitError]:
    if field.auto_now and field.auto_now_add:
        yield DeclarationError(
            f"{_name_of(field)}: auto_now and auto_now_add", hint="Keep one: auto_now is of each save."
        )
    given = field.default
    if callable(given) and (wanted := _needed(given)):
        yield DeclarationError(
            f"{_name_of(field)}: default = {given!r} needs {wanted!r}, and is called without any argument",
            hint="Set what depends on the row in save() or clean().",
        )
    if given is MISSING or given is None or callable(given):
        return
    try:
        if isinstance(_fitted(field, given), bool) and isinstance(given, str):
            yield DeclarationError(
                f"{_name_of(field)}: default = {given!r}", hint="Remove the quotes: a text counts as true."
            )
    except ValidationError as error:
        yield DeclarationError(
            f"{_name_of(field)}: default = {given!r}: {error.messages[0]}",
            hint="Give a value that the field can hold, or a function that makes one.",
        )


def _needed(function: Any) -> str | None:
    """The first argument that a function cannot do without; None if there is none, or nobody knows."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return next((one.name for one in parameters if one.default is one.empty and one.kind not in optional), None)


def _check_choices(field: Field[Any]) -> Iterator[ToolkitError]:
    for value, _ in field.choices_at_hand():
        if value is None:
            continue
        where = f"{_name_of(field)}: the choice {value!r}"
        try:
            held = _fitted(field, value)
        except ValidationError as error:
            yield DeclarationError(
                f"{where} could never be taken: {error.messages[0]}", hint="Give one that fits, or change the field."
            )
            continue
        if held != value:
            yield DeclarationError(
                f"{where} could never be taken: the field makes {held!r} of it", hint=f"Write {held!r}."
            )


def _fitted(field: Field[Any], value: Any) -> Any:
    """A text without letters stands for nothing, wherever a text is kept."""
    return value if value == "" and field.empty == "" else field.fitted(value)


def _name_of(field: Field[Any]) -> str:
    return f"{field.model.__name__}.{field.name}"
