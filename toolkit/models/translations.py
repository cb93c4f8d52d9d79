"""Translated fields of a row: which value an instance shows, and how the others are saved beside it."""

from __future__ import annotations

from typing import Any

from toolkit.errors import FieldError, ValidationError, did_you_mean
from toolkit.models.batches import translation_of
from toolkit.models.fields import Field
from toolkit.models.scopes import current_scope
from toolkit.trace import Scope, current


class TranslatedValue:
    """A translated field on an instance: the value in the scope's locale, or else the row's own."""

    def __init__(self, field: Field[Any]) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        if instance is None:
            return self.field
        name = self.field.name
        if name not in instance.__dict__:
            instance.load_deferred(self.field)
        scope = current.get()
        if scope is not None and scope.sight[2]:
            translation = _translation(instance, self.field.model, scope)
            translated = None if translation is None else getattr(translation, name)
            if translated:
                return translated
        return instance.__dict__[name]

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.name] = value


def _translation(instance: Any, level: Any, scope: Scope) -> Any:
    """The translation of what an instance has in one of its tables."""
    return translation_of(instance, scope, None if level is instance._meta.concrete_model else level)


def shown_locale(instance: Any) -> str:
    """The locale whose text the translated fields of an instance show in the current scope."""
    scope = current_scope()
    levels = [level for level in instance._meta.levels if level._meta.translated]
    if not scope.sight[2] or not levels:
        return scope.locale
    found = any(_translation(instance, level, scope) is not None for level in levels)
    return scope.locale if found else scope.default_locale


def translate(instance: Any, locale: str, values: dict[str, Any]) -> Any:
    """Save the translated fields of a row in another locale. See ``Model.translate``."""
    meta, scope = instance._meta, current_scope()
    if locale == scope.default_locale:
        raise ValidationError(
            f"{meta.object_name}: {locale!r} is the locale of the row's own values", hint="Assign them, and save()."
        )
    homes = {field.name: level for level in meta.levels for field in level._meta.translated}
    if not homes:
        raise FieldError(f"no field of {meta.object_name} is translated", hint="Declare one with translated=True.")
    for name in values:
        if name not in homes:
            raise FieldError(f"{meta.object_name}.{name} is not translated", hint=did_you_mean(name, homes))
    levels = dict.fromkeys(homes[name] for name in values) or dict.fromkeys([homes[next(iter(homes))]])
    with scope.of(type(instance), writing=True).database.atomic():
        made = [
            _translate_level(instance, level, locale, {name: v for name, v in values.items() if homes[name] is level})
            for level in levels
        ]
    return made[-1]


def _translate_level(instance: Any, level: Any, locale: str, values: dict[str, Any]) -> Any:
    """Save the translated fields that one of the row's tables has."""
    model, key = level._meta.translation, getattr(instance, level._meta.pk.attname)
    attribute = model._meta.by_name["source"].attname
    translation = model.objects.filter(source=key, locale=locale).first() or model(**{attribute: key, "locale": locale})
    for name, value in values.items():
        setattr(translation, name, value)
    translation.save()
    return translation
