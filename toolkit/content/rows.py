"""From what a file says to values that the database takes, each checked by its field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from toolkit.content.composite import Default, explain_name, split_name
from toolkit.content.json_files import load_json
from toolkit.content.layout import Layout
from toolkit.content.levels import generated_names, is_made
from toolkit.content.markdown_files import date_of
from toolkit.content.partners import default_of, is_stamped, spell_key
from toolkit.content.place import Document, Place, Step, content_error
from toolkit.errors import ContentError, ToolkitError, did_you_mean
from toolkit.models import DateTimeField, JSONField
from toolkit.models.fields.base import DATABASE_DEFAULT, MISSING
from toolkit.models.fields.dates import in_zone
from toolkit.models.fields.several import parts_of

_TYPED = (bool, int, float, date)
_ADD = {"csv": "Fill in the column {!r}", "json": 'Add "{}": …', "geojson": 'Add "{}": … to the properties'}


class Row(NamedTuple):
    """One row of a file, as it will be stored.

    Args:
        position: Its place in the file, from 0.
        key: The driver's value of the key field.
        values: The driver's values by ``Layout.fields``; None where a reference is still to be resolved.
        made: Indexes of values that the file did not give and a function made (``default=uuid4``, ``auto_now``).
        references: (field, the target's key) of foreign keys.
        links: Field to the targets' keys, of many-to-many fields.
        translations: Locale to the driver's values by ``Layout.translated``.
        mentions: (relation, the target's key, its name as written) of partners that may have to be made.
    """

    position: int
    key: Any
    values: list[Any]
    made: tuple[int, ...]
    references: list[tuple[str, Any]]
    links: dict[str, tuple[Any, ...]]
    translations: dict[str, list[Any]]
    mentions: tuple[tuple[str, str, str], ...] = ()


class RowReader:
    """Reads the rows of one file, and collects what is wrong with them.

    Args:
        layout: The source's layout.
        document: The parsed file.
        path: Its path below the site's folder.
    """

    def __init__(self, layout: Layout, document: Document, path: str) -> None:
        self.layout, self.document, self.path = layout, document, path
        self.problems: list[ContentError] = []
        self._mentions: list[tuple[str, str, str]] = []

    def read(self) -> list[Row]:
        """All rows without a problem."""
        rows = []
        for index in range(len(self.document.rows)):
            before = len(self.problems)
            row = self._row(index)
            if len(self.problems) == before:
                rows.append(row)
        return rows

    def read_translation(self) -> list[Any]:
        """The values of a file ``name.<locale>.md``, by ``Layout.translated``."""
        given = self.document.rows[0]
        known = {field.name for field in self.layout.translated}
        for name in given:
            if name not in known and not self.layout.source.ignores(name):
                told = f"{name!r} cannot be translated" if name in self.layout.columns else f"unknown key {name!r}"
                hint = "A translation holds translated fields only. " + did_you_mean(name, known)
                self._complain(told, self._place(0, (name,), key=True), hint)
        return [self._translated_value(0, field, given.get(field.name), ()) for field in self.layout.translated]

    # one row

    def _row(self, index: int) -> Row:
        layout = self.layout
        own, foreign = self._sorted_by_locale(index)
        self._add_names(own)
        left = self._left_to_references(own)
        self._mentions = []
        values: list[Any] = []
        made: list[int] = []
        references: list[tuple[str, Any]] = []
        for number, field in enumerate(layout.fields):
            value = None
            if field.is_relation and field in left:
                references.append((field.name, None))
            elif field.is_relation:
                reference = self._reference(index, field, own)
                references.append((field.name, reference))
            elif field.name in own:
                value = self._value(index, field, own[field.name])
            elif field in left:
                pass
            elif field not in layout.counted:
                value = self._default(index, field)
                if is_made(field):
                    made.append(number)
            else:
                made.append(number)
            write = layout.writers[number]
            is_plain = write is None or value is None or value is DATABASE_DEFAULT or field.is_relation
            values.append(value if is_plain else write(value))
        references += [(key.name, self._spread_reference(index, key, own)) for key in layout.spread]
        links = {field.name: self._links(index, field, own) for field in layout.many}
        key = self._key(values, dict(references))
        translations = self._translations(index, foreign)
        return Row(index, key, values, tuple(made), references, links, translations, tuple(self._mentions))

    def _key(self, values: Sequence[Any], references: Mapping[str, Any]) -> Any:
        """What names the row: of a composite key the values of its parts, and the keys of the rows it refers to."""
        parts = parts_of(self.layout.key_field)
        found = [references.get(part.name, values[self.layout.fields.index(part)]) for part in parts]
        return tuple(found) if len(found) > 1 else found[0]

    def _left_to_references(self, own: Mapping[str, Any]) -> set[Any]:
        """The fields that get their values from a reference to a composite key: the file need not say them.

        The fields of the row's own key it has to.
        """
        said = [key for key in self.layout.spread if own.get(key.name) not in (None, "")]
        shared = {part for key in said for part in key.parts} - self.layout.key_parts.keys()
        return self.layout.hidden | {part for part in shared if own.get(part.name) in (None, "")}

    def _add_names(self, own: dict[str, Any]) -> None:
        """What the name of a Markdown file says."""
        source = self.layout.source
        if not source.is_single:
            return
        if own.get(source.key) is None:
            own[source.key] = self.layout.key_of_file(self.path)
        if source.date is not None and own.get(source.date) is None and (day := date_of(self.path)):
            own[source.date] = day

    def _sorted_by_locale(self, index: int) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """Field to its own value, and locale to the fields' values in it."""
        own: dict[str, Any] = {}
        foreign: dict[str, dict[str, Any]] = {}
        columns = self.layout.columns
        for name, value in self.document.rows[index].items():
            found = columns.get(name)
            if found is None:
                if not self.layout.source.ignores(name):
                    self._unknown(index, name)
                continue
            field, locale = found
            if locale is not None and locale != self.layout.default_locale:
                foreign.setdefault(locale, {})[name] = (field, value)
            elif isinstance(value, Mapping) and self.layout.model._meta.by_name[field].translated:
                self._by_locale(index, field, value, own, foreign)
            else:
                own[field] = value
        return own, foreign

    def _unknown(self, index: int, name: str) -> None:
        if self.layout.source.kind == "csv" and index:
            return  # the header was complained of already
        if name in generated_names(self.layout.model):
            told = f"{name}: the database computes it, and no file can say it"
            self._complain(told, self._place(index, (name,), key=True), "Remove it.")
            return
        what = "column" if self.layout.source.kind == "csv" else "key"
        told = f"unknown {what} {name!r}: {self.layout.model._meta.object_name} has no such field"
        hint = self._translation_hint(name) or did_you_mean(name, self._field_names())
        self._complain(told, self._place(index, (name,), key=True), hint)

    def _translation_hint(self, name: str) -> str:
        """How a translation is written where somebody writes it as a column of CSV."""
        for field in self.layout.translated:
            locale = name.removeprefix(f"{field.name}_").replace("_", "-")
            if name.startswith(f"{field.name}_") and locale in self.layout.locales:
                beside = PurePosixPath(self.path)
                file = f", or in {beside.stem}.{locale}{beside.suffix} beside it" if beside.suffix == ".md" else ""
                return f"Write translations as {field.name}: {{{self.layout.default_locale}: …, {locale}: …}}{file}."
        return ""

    def _field_names(self) -> list[str]:
        return [name for name, (_, locale) in self.layout.columns.items() if locale is None]

    def _by_locale(
        self,
        index: int,
        field: str,
        value: Mapping[str, Any],
        own: dict[str, Any],
        foreign: dict[str, dict[str, Any]],
    ) -> None:
        """``name: {en: Harbour, es: Puerto}``."""
        layout = self.layout
        known = {locale: locale for locale in layout.locales} | {
            locale.replace("-", "_"): locale for locale in layout.locales
        }
        for spelling, text in value.items():
            locale = known.get(spelling, None if layout.locales else spelling)
            if spelling == layout.default_locale:
                own[field] = text
            elif locale is None:
                told = f"{field}: {spelling!r} is no locale of this site"
                place = self._place(index, (field, spelling), key=True)
                self._complain(told, place, did_you_mean(spelling, layout.locales))
            else:
                foreign.setdefault(locale, {})[field] = (field, text)

    # values

    def _value(self, index: int, field: Any, value: Any, path: tuple[Step, ...] = ()) -> Any:
        """A value that the field accepts, or None and a complaint."""
        path = path or (field.name,)
        if field.name in self.layout.takes_text and isinstance(value, _TYPED):
            value = self._as_written(index, path, value)
        try:
            if self.layout.source.kind == "csv" and isinstance(field, JSONField):
                value = load_json(value, path=self.path)
            return field.clean(as_typed(field, value, self.layout))
        except ToolkitError as error:
            place = self._place(index, path)
            self._complain(f"{field.name}: {error.message}", place, error.hint)
            return None

    def _as_written(self, index: int, path: tuple[Step, ...], value: Any) -> Any:
        """YAML takes ``no`` for false and ``1.10`` for 1.1; a field of text means what was written."""
        written = self.document.text_of(index, path)
        return value if written is None else written

    def _default(self, index: int, field: Any) -> Any:
        if is_stamped(field):
            return field.stamp(datetime.now(UTC))
        if (value := default_of(field)) is not MISSING:
            return value
        meta = self.layout.model._meta
        add = _ADD.get(self.layout.source.kind, "Add a line '{}: …'").format(field.name)
        hint = f"{add}, or give {meta.object_name}.{field.name} a default."
        self._missing(index, field, (), hint)
        return None

    def _missing(self, index: int, field: Any, path: tuple[Step, ...], hint: str) -> None:
        """Complain of a missing value, unless a misspelt key was complained of already."""
        names = self.document.rows[index]
        unknown = [name for name in names if name not in self.layout.columns and not self.layout.source.ignores(name)]
        if not get_close_matches(field.name, unknown):
            self._complain(f"{field.name} is missing", self._place(index, path), hint)

    def _translations(self, index: int, foreign: dict[str, dict[str, Any]]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for locale, given in foreign.items():
            by_name = {name: (value, spelling) for spelling, (name, value) in given.items()}
            values = []
            for field in self.layout.translated:
                value, spelling = by_name.get(field.name, (None, field.name))
                path: tuple[Step, ...] = (spelling,) if self.layout.source.kind == "csv" else (field.name, locale)
                values.append(self._translated_value(index, field, value, path))
            if any(value is not None for value in values):
                found[locale] = values
        return found

    def _translated_value(self, index: int, field: Any, value: Any, path: tuple[Step, ...]) -> Any:
        """The driver's value of a translated field in another locale; what is empty falls back to the row's own."""
        if value is None or value == "":
            return None
        value = self._value(index, field, value, path)
        write = field.db_writer(self.layout.dialect)
        return value if write is None or value is None else write(value)

    # relations

    def _reference(self, index: int, field: Any, own: Mapping[str, Any]) -> Any:
        value = own.get(field.name)
        if value is None or value == "":
            default = None if field.default is MISSING else field.get_default()
            if default is None and not field.null:
                hint = (
                    f"Name a {field.target._meta.object_name} by its {explain_name(self.layout.natural[field.name])}."
                )
                path = (field.name,) if field.name in own else ()
                self._missing(index, field, path, hint)
            write = field.db_writer(self.layout.dialect)
            return default if default is None else Default(default if write is None else write(default))
        return self._target_key(index, field, value, (field.name,))

    def _spread_reference(self, index: int, key: Any, own: Mapping[str, Any]) -> Any:
        """A reference to a composite key; where its fields are declared, these may say it."""
        is_told = own.get(key.name) not in (None, "") or self.layout.hidden.issuperset(key.parts)
        return self._reference(index, key, own) if is_told else None

    def _links(self, index: int, field: Any, own: Mapping[str, Any]) -> tuple[Any, ...]:
        value = own.get(field.name)
        if isinstance(value, str) and self.layout.source.kind == "csv":
            value = _split(value, marks="," if self.layout.natural[field.name].is_several else "|,")
        if value is None:
            value = []
        name = field.target._meta.object_name
        if isinstance(value, str) or not isinstance(value, Sequence):
            hint = "Write a list, such as [one, two]."
            self._complain(f"{field.name}: {value!r:.60} is no list", self._place(index, (field.name,)), hint)
            return ()
        if not value and not field.blank:
            path = (field.name,) if field.name in own else ()
            self._missing(index, field, path, f"Name at least one {name}.")
        keys = [self._target_key(index, field, item, (field.name, n)) for n, item in enumerate(value)]
        return tuple(dict.fromkeys(key for key in keys if key is not None))

    def _target_key(self, index: int, field: Any, value: Any, path: tuple[Step, ...]) -> Any:
        """The driver's value of the key by which a relation names its target."""
        named = self.layout.natural[field.name]
        try:
            if named.is_several:
                said = zip(self.layout.parts[named], split_name(named, value), strict=True)
                return tuple(self._key_value(index, part.said, each, (*path, *steps)) for part, (steps, each) in said)
            if field.name not in self.layout.partner_names:
                return self._key_value(index, named, value, path)
            value = self._mention(field, self._written_key(index, named, value, path))
        except ToolkitError as error:
            hint = f"Name a {field.target._meta.object_name} by its {explain_name(named)}."
            if field.name in self.layout.partner_names and error.hint:
                hint = error.hint
            self._complain(f"{field.name}: {error.message}", self._place(index, path), hint)
            return None
        write = self.layout.natural_writers[field.name]
        return value if write is None else write(value)

    def _key_value(self, index: int, named: Any, value: Any, path: tuple[Step, ...]) -> Any:
        """The driver's value of a field that names a row.

        Raises:
            ToolkitError: It is none.
        """
        found, write = (
            named.to_python(self._written_key(index, named, value, path)),
            named.db_writer(self.layout.dialect),
        )
        return found if write is None else write(found)

    def _written_key(self, index: int, named: Any, value: Any, path: tuple[Step, ...]) -> Any:
        if named.empty == "" and isinstance(value, _TYPED):
            value = str(self._as_written(index, path, value))
        if isinstance(value, Mapping | list) or value is None:
            raise ContentError(f"{value!r:.60} is no {named.name}")
        return value

    def _mention(self, field: Any, value: Any) -> str:
        """The key that a text makes for a partner, which is made of it if there is none with this key.

        Raises:
            ToolkitError: It makes no key, or none that the partner's fields accept.
        """
        named, name_field = self.layout.natural[field.name], self.layout.partner_names[field.name]
        text = str(value).strip()
        key: str = spell_key(named, text, locale=self.layout.default_locale)
        if not key:
            raise ContentError(f"{text!r} makes no {named.name}", hint="Write letters or digits.")
        key = named.clean(key)
        name = key if name_field is None else name_field.clean(text)
        write = self.layout.natural_writers[field.name]
        self._mentions.append((field.name, key if write is None else write(key), name))
        return key

    # complaints

    def _place(self, index: int, path: tuple[Step, ...] = (), *, key: bool = False) -> Place:
        return self.document.locate(index, path, key=key)

    def _complain(self, message: str, place: Place, hint: str | None) -> None:
        self.problems.append(content_error(message, self.path, place, hint or None))


def _split(text: str, *, marks: str) -> list[str]:
    """``a|b`` or ``a, b``: the keys in one cell. Composite keys have commas between, and ``|`` between their parts."""
    mark = next((mark for mark in marks if mark in text), marks[-1])
    return [part.strip() for part in text.split(mark) if part.strip()]


def as_typed(field: Any, value: Any, layout: Layout) -> Any:
    """An instant with an offset, though the file says none; for another field the text that stood in the file.

    YAML and TOML make days and times of text; code may give a field neither in place of an instant.

    Raises:
        ValidationError: Clocks of the site show the time twice, or never.
    """
    if isinstance(field, DateTimeField):
        return in_zone(value, layout.zone)
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.tzinfo is None else value
    return value.isoformat() if isinstance(value, date) else value
