"""How a file's keys fall on a model's fields, worked out once for each source."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, tzinfo
from functools import cached_property
from typing import Any

import msgspec

from toolkit.content.composite import Part
from toolkit.content.levels import (
    fields_held,
    further_keys,
    held_field,
    is_made,
    key_fields,
    root_key,
    root_keys,
    stored_fields,
    translated_fields,
)
from toolkit.content.markdown_files import name_of
from toolkit.content.partners import name_field_of
from toolkit.content.source import Source, key_name, keys_of
from toolkit.errors import ValidationError
from toolkit.models import AutoField, DecimalField, DurationField, Model, SlugField, TimeField
from toolkit.models.fields.base import MISSING
from toolkit.models.fields.several import parts_of
from toolkit.text import slugify

FORMAT = 1
"""Raised when the toolkit reads files differently than before: everything is then loaded again."""

_OPTIONS = ("null", "blank", "unique", "translated", "max_length", "srid", "max_digits", "decimal_places")


class Layout(msgspec.Struct, frozen=True, eq=False, dict=True):
    """A source and what is needed to turn its files into rows.

    Args:
        source: The declaration.
        dialect: The database's dialect.
        locales: The site's locales; empty when they are not known, and any will do.
        default_locale: The locale of the model's own columns.
        natural: Relation's name to the field that names a row of its target.
        naming: The model's fields by which files of any source name its rows, or others refer to them.
        parts: A composite key that names rows of a target to its parts.
        timezone: That of times for which files say no offset: an IANA name.
    """

    source: Source
    dialect: str
    locales: tuple[str, ...]
    default_locale: str
    natural: Mapping[str, Any]
    naming: tuple[Any, ...] = ()
    parts: Mapping[Any, tuple[Part, ...]] = msgspec.field(default_factory=dict)
    timezone: str = "UTC"

    @property
    def model(self) -> Any:
        """The source's model."""
        return self.source.model

    @cached_property
    def zone(self) -> tzinfo:
        """The same as Python's."""
        if self.timezone == "UTC":
            return UTC
        from zoneinfo import ZoneInfo

        return ZoneInfo(self.timezone)

    @cached_property
    def fields(self) -> list[Any]:
        """The fields with a column, in order; a row's values are in this order too."""
        return stored_fields(self.model)

    @cached_property
    def key_parts(self) -> dict[Any, int]:
        """The fields of the primary key, and where they stand among the fields."""
        return {field: self.fields.index(field) for field in key_fields(self.model)}

    @cached_property
    def key_references(self) -> list[str]:
        """Those of them that refer to other rows: the key is known when these are."""
        return [field.name for field in self.key_parts if field.is_relation]

    @cached_property
    def spread(self) -> list[Any]:
        """The foreign keys to composite keys: each stands for several of the fields."""
        return [key for key in self.model._meta.foreign_keys() if key.is_several]

    @cached_property
    def hidden(self) -> set[Any]:
        """The fields that were made for them, which no file says."""
        return {part for key in self.spread for part in key.parts if part.auto_created}

    @cached_property
    def spoken(self) -> tuple[Any, ...]:
        """The fields by which rows are named, and those that files say for such a foreign key."""
        shared = [part for key in self.spread for part in key.parts if part not in self.hidden]
        return tuple(dict.fromkeys([*self.naming, *shared]))

    @cached_property
    def references(self) -> dict[str, tuple[int, ...]]:
        """The foreign keys, by name, and where their values stand among the fields."""
        keys = [*(field for field in self.fields if field.is_relation), *self.spread]
        return {key.name: tuple(self.fields.index(part) for part in parts_of(key)) for key in keys}

    @cached_property
    def held(self) -> dict[str, Any]:
        """Relation's name to the field of its target whose value is kept."""
        return {name: held_field(self.model._meta.by_name[name]) for name in self.natural}

    def targets_of(self, relation: str) -> list[Any]:
        """The models whose rows a relation names: its target, and those that the target's composite key refers to."""
        parts = self.parts.get(self.natural[relation], ())
        inner = [part.field.target for part in parts if part.field.is_relation]
        return [self.model._meta.by_name[relation].target, *inner]

    @cached_property
    def many(self) -> list[Any]:
        """The many-to-many fields."""
        return list(self.model._meta.many_to_many)

    @cached_property
    def translated(self) -> list[Any]:
        """The fields of a translation's row that hold values, in the order of the model's translated fields."""
        return [field for _, fields in self.translations for field in fields]

    @cached_property
    def translations(self) -> list[tuple[Any, list[Any]]]:
        """The models of translations, of each table that has some, and their fields with values."""
        found = []
        for level in self.model._meta.levels:
            meta = level._meta
            if meta.translation is not None:
                by_name = meta.translation._meta.by_name
                found.append((meta.translation, [by_name[field.name] for field in meta.translated]))
        return found

    @cached_property
    def key_field(self) -> Any:
        """The field that names a row."""
        return self.model._meta.get_field(self.source.key)

    def key_of_file(self, path: str) -> str:
        """The key of a Markdown file that gives none: its name, made a slug if it is none and has to be."""
        name, field = name_of(path, dated=self.source.dated_keys), self.key_field
        if not isinstance(field, SlugField) or _is_accepted(field, name):
            return name
        return slugify(name, allow_unicode=field.allow_unicode, locale=self.default_locale, default=name)

    @cached_property
    def counted(self) -> set[Any]:
        """The keys of a row's tables that no file says: the database gives them."""
        keys = root_keys(self.model)
        return {key for key in keys if isinstance(key, AutoField) and key is not self.key_field}

    @cached_property
    def further(self) -> dict[Any, int]:
        """The keys of further parents, and where they stand among the fields."""
        return {key: self.fields.index(key) for key in further_keys(self.model)}

    @property
    def pk_is_given(self) -> bool:
        """Whether files say the primary key, rather than the database giving one."""
        return root_key(self.model) not in self.counted

    @cached_property
    def is_keyed(self) -> bool:
        """Whether rows are known by the primary keys that files say, whatever file says them."""
        return self.pk_is_given and not any(map(is_made, self.key_parts))

    @cached_property
    def columns(self) -> dict[str, tuple[str, str | None]]:
        """A key in a file to its field's name and, for a CSV column such as ``name_es``, the locale."""
        unsaid = self.counted | self.hidden
        named = [*(field for field in self.fields if field not in unsaid), *self.spread]
        found: dict[str, tuple[str, str | None]] = {}
        if self.source.kind == "csv":
            for field in translated_fields(self.model):
                for locale in self.locales:
                    for spelling in (locale, locale.replace("-", "_")):
                        found[f"{field.name}_{spelling}"] = (field.name, locale)
        found |= {field.name: (field.name, None) for field in [*named, *self.many]}
        return found

    @cached_property
    def writers(self) -> list[Any]:
        """For each field, the function from a Python value to the driver's, or None."""
        return [field.db_writer(self.dialect) for field in self.fields]

    @cached_property
    def natural_writers(self) -> dict[str, Any]:
        """The same for the fields that name targets of relations."""
        return {name: field.db_writer(self.dialect) for name, field in self.natural.items()}

    @cached_property
    def takes_text(self) -> frozenset[str]:
        """Fields for which a value counts as it is written: ``1.10`` has four characters, ``10:30`` is YAML's 630."""
        written = (DecimalField, TimeField, DurationField)
        return frozenset(f.name for f in self.fields if f.empty == "" or isinstance(f, written))

    @property
    def longest_path(self) -> int | None:
        """How many characters a path may have to be kept; None for any number. See ``records`` and ``mentions``."""
        if self.dialect == "sqlite":
            return None
        return 300 if self.dialect == "mysql" and self.source.create else 700

    @cached_property
    def partner_names(self) -> dict[str, Any]:
        """A relation whose partners files make, to the field that takes a partner's name, if there is one."""
        by_name = self.model._meta.by_name
        return {name: name_field_of(by_name[name].target, self.natural[name]) for name in self.source.create}

    def _partner_fields(self) -> list[Any]:
        """What decides whether a text can make a partner."""
        keys = [self.natural[name] for name in self.source.create]
        return [*keys, *(field for field in self.partner_names.values() if field is not None)]

    @cached_property
    def checks_rows(self) -> bool:
        """Whether the model checks rows as a whole, and not only by its fields and the database's constraints."""
        dated = ("unique_for_date", "unique_for_month", "unique_for_year")
        if any(getattr(field, name, None) for field in self.model._meta.fields for name in dated):
            return True
        return self.model.clean is not Model.clean or self.model.full_clean is not Model.full_clean

    @cached_property
    def declared(self) -> str:
        """Digest of everything but the files that decides what rows come out: a change loads them all again."""
        source = self.source
        told = [
            FORMAT,
            (source.pattern, self.model._meta.label, source.key, source.body_field, source.date),
            (source.dated_keys, tuple(source.create), tuple(source.ignore)),
            [_describe(field) for field in self._partner_fields()],
            (self.locales, self.default_locale, self.timezone),
            [_describe(field) for field in [*self.fields, *self.spread, *self.many]],
            sorted((name, field.name) for name, field in self.natural.items()),
            [[part.said.name for part in parts] for parts in self.parts.values()],
        ]
        return hashlib.blake2b(repr(told).encode(), digest_size=8).hexdigest()


def _describe(field: Any) -> tuple[Any, ...]:
    """A field's name, type and options, as far as they are plain values."""
    default = field.default if isinstance(field.default, str | int | float | bool | None) else "made"
    if field.db_default is not MISSING:
        default = repr(field.db_default)
    options = [repr(getattr(field, name, None)) for name in _OPTIONS]
    choices = [repr(choice) for choice, _ in field.flatchoices]  # labels may be lazy, and decide nothing
    return (field.name, type(field).__qualname__, field.column, default, options, choices)


def _is_accepted(field: Any, value: str) -> bool:
    try:
        field.clean(value)
    except ValidationError:
        return False
    return True


def make_layouts(
    sources: Iterable[Source],
    *,
    dialect: str,
    locales: Iterable[str] = (),
    default_locale: str = "en",
    timezone: str = "UTC",
) -> list[Layout]:
    """A layout for each source. A relation's value is the target's key; see ``key_name``."""
    sources = list(sources)
    keys = keys_of(sources)
    natural = [_natural_keys(source.model, keys) for source in sources]
    told = {field for named in natural for field in named.values()}
    parts = {field: _parts(field, keys) for field in told if field.is_several}
    told |= {part.said for each in parts.values() for part in each if part.field.is_relation}
    return [
        Layout(
            source,
            dialect,
            tuple(locales),
            default_locale,
            named,
            naming_of(source.model, told),
            {field: parts[field] for field in named.values() if field.is_several},
            timezone,
        )
        for source, named in zip(sources, natural, strict=True)
    ]


def naming_of(model: Any, told: Collection[Any]) -> tuple[Any, ...]:
    """Those of some fields that a model's rows have, and those that others keep of them, beside the primary key."""
    wanted = {*told, *fields_held(model), *further_keys(model)} - {root_key(model)}
    return tuple(field for field in stored_fields(model) if field in wanted)


def _parts(key: Any, keys: Mapping[Any, str]) -> tuple[Part, ...]:
    """The parts of a composite key, and how files say them."""
    return tuple(
        Part(part, part.target._meta.get_field(key_name(part.target, keys)) if part.is_relation else part)
        for part in key.parts
    )


def _natural_keys(model: Any, keys: Mapping[Any, str]) -> dict[str, Any]:
    meta = model._meta
    found = {}
    stored = stored_fields(model)
    for one in [*(key for key in meta.foreign_keys() if key.is_several or key in stored), *meta.many_to_many]:
        found[one.name] = one.target._meta.get_field(key_name(one.target, keys))
    return found
