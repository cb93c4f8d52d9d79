"""What connects loaded rows: links of many-to-many fields, translations, and references that must lead somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import ContentError, DatabaseError, DatabaseUnavailable, ToolkitError, ValidationError
from toolkit.models import GenericForeignKey, QuerySet
from toolkit.models.sqltext import CHUNK_KEYS
from toolkit.serialization.records import Place, columns_of
from toolkit.serialization.spool import Row

if TYPE_CHECKING:
    from toolkit.serialization.loading import Loading


class Connector:
    """Connects the rows of a load.

    Args:
        loading: The load.
    """

    def __init__(self, loading: Loading) -> None:
        self._loading, self._spool = loading, loading.spool

    # links

    def link(self, model: Any, rows: Sequence[Row]) -> None:
        """Let the partners in many-to-many relations be those of the records."""
        for found in model._meta.local_many_to_many:
            if found.through._meta.hidden:
                self._link(found, [row for row in rows if found.name in row.many])

    def _link(self, found: Any, rows: Sequence[Row]) -> None:
        own, other = found.link_fields()
        self._look_up(found, rows)
        partners = {row: self._partners(found, row) for row in rows}
        wanted = {key for keys in partners.values() for key in keys}
        there = self._loading.writer(found.target).present(found.target._meta.key, wanted)
        links: dict[Row, list[dict[str, Any]]] = {}
        for row, keys in partners.items():
            for key in keys:
                if key not in there and not self._loading.is_in_file(found.target, found.target._meta.key, key):
                    self._loading.not_there(row.place, found.name, found.target, key)
            links[row] = [{**_spelt(own, row.pk), **_spelt(other, key)} for key in keys]
        self._replace(found.through, own, links)

    def _look_up(self, found: Any, rows: Sequence[Row]) -> None:
        if len(found.target._meta.key) == 1:
            given = [each for row in rows for each in row.many[found.name] or () if isinstance(each, list)]
            self._loading.naturals.look_up(found.target, given)

    def _partners(self, found: Any, row: Row) -> list[Any]:
        given = row.many[found.name]
        keys = [self._partner(found, row, each) for each in given or ()]
        return list(dict.fromkeys(key for key in keys if key is not None))

    def _partner(self, found: Any, row: Row, given: Any) -> Any:
        key = found.target._meta.key
        if not isinstance(given, list):
            return self._loading.value(row.place, found.target._meta.pk, given, found.name)
        if len(key) > 1 and len(given) == len(key):
            pairs = zip(key, given, strict=True)
            read = tuple(self._loading.value(row.place, part, value, found.name) for part, value in pairs)
            return None if None in read else read
        try:
            known = self._loading.naturals.find(found.target, given)
        except ToolkitError as error:
            self._loading.problem(row.place, error.message, column=found.name, hint=error.hint)
            return None
        if known is None:
            self._loading.not_there(row.place, found.name, found.target, given)
        return known

    # translations

    def translate(self, model: Any, rows: Sequence[Row]) -> None:
        """Let the translations be those of the record. One that names some of the fields only leaves the others be."""
        meta = model._meta
        rows = [row for row in rows if row.translations or row.state != "added"]
        if meta.translation is None or not rows:
            return
        source = meta.translation._meta.by_name["source"]
        names = {each.name for each in meta.translated}
        partial = [row for row in rows if not names <= row.named]
        before = self._translations(meta.translation, [row.pk for row in partial])
        made: dict[Row, list[dict[str, Any]]] = {}
        for row in rows:
            told, kept = row.translations, before.get(row.pk, {})
            made[row] = [
                {**_spelt(source, row.pk), "locale": locale, **kept.get(locale, {}), **told.get(locale, {})}
                for locale in dict.fromkeys([*kept, *told])
            ]
        self._replace(meta.translation, source, made)

    def _translations(self, translation: Any, pks: Sequence[Any]) -> dict[Any, dict[str, dict[str, Any]]]:
        meta = translation._meta
        found: dict[Any, dict[str, dict[str, Any]]] = {}
        names = [f.attname for f in meta.local_fields if not f.is_relation and f not in meta.key and f.name != "locale"]
        rows: QuerySet[Any] = QuerySet(translation).unrestricted()
        for start in range(0, len(pks), CHUNK_KEYS):
            for each in rows.filter(source__in=pks[start : start + CHUNK_KEYS]):
                values = {name: getattr(each, name) for name in names}
                found.setdefault(getattr(each, meta.by_name["source"].attname), {})[each.locale] = values
        return found

    def _replace(self, model: Any, owner: Any, rows: Mapping[Row, list[dict[str, Any]]]) -> None:
        if self._loading.problems or not rows:
            return
        by_pk = {row.pk: row for row in rows}
        try:
            touched = self._loading.writer(model).replace(owner, {row.pk: links for row, links in rows.items()})
        except DatabaseUnavailable:  # it is no fault of a row's
            raise
        except DatabaseError as error:
            self._loading.fail(ContentError(f"{model._meta.label}: {error.message}", hint=error.hint))
            return
        for pk in touched:
            if by_pk[pk].state == "unchanged":
                by_pk[pk].state = "changed"

    # references

    def note_references(self, model: Any, rows: Sequence[Row]) -> None:
        """Note what rows refer to and is not there yet."""
        for key, target, names in _references(model):
            wanted: dict[Any, list[Row]] = {}
            for row in rows:
                values = tuple(row.values.get(name) for name in names)
                if None not in values:
                    wanted.setdefault(values[0] if len(names) == 1 else values, []).append(row)
            there = self._loading.writer(key.target).present(target, wanted)
            for value, referring in wanted.items():
                for row in referring if value not in there else ():
                    self._spool.note_missing(model, key.name, row.place, value)
        for generic in _generic_references(model):
            told = [(row.place, self._referred(generic, row)) for row in rows]
            for place, reference in self._missing_of([(place, one) for place, one in told if one is not None]):
                self._spool.note_missing(model, generic.name, place, reference)

    def _referred(self, generic: GenericForeignKey, row: Row) -> tuple[str, Any] | None:
        """The model and the key that a generic reference says; None if it says none of this database."""
        label, key = row.values.get(generic.type_field.attname), row.values.get(generic.id_field.attname)
        model = self._loading.by_label.get(label) if label is not None else None
        return None if label is None or key is None or model is None or model._meta.composite_key else (label, key)

    def _missing_of(self, told: Sequence[tuple[Place, tuple[str, Any]]]) -> list[tuple[Place, tuple[str, Any]]]:
        """Those of some generic references whose rows are not there."""
        keys: dict[str, dict[Any, Any]] = {}
        for _, (label, key) in told:
            keys.setdefault(label, {})[key] = _key_of(self._loading.by_label[label], key)
        there = {
            label: self._present(self._loading.by_label[label], {key for key in read.values() if key is not None})
            for label, read in keys.items()
        }
        return [(place, (label, key)) for place, (label, key) in told if keys[label][key] not in there[label]]

    def _present(self, model: Any, keys: set[Any]) -> set[Any]:
        concrete = model._meta.concrete_model
        return self._loading.writer(concrete).present(concrete._meta.key, keys)

    def check_references(self, model: Any) -> None:
        """Tell each reference to a row that is not there in the end, by the record that has it."""
        for key, target, _ in _references(model):
            for noted in self._spool.missing(model, key.name):
                there = self._loading.writer(key.target).present(target, {value for _, value in noted})
                for place, value in noted:
                    if value not in there and not self._loading.is_in_file(key.target, target, value):
                        self._loading.not_there(place, key.name, key.target, value)

    def check_generic(self, model: Any) -> None:
        """Note each generic reference to a row that is not there in the end."""
        for generic in _generic_references(model):
            for noted in self._spool.missing(model, generic.name):
                for place, (label, key) in self._missing_of(noted):
                    self._loading.note_not_there(place, generic.name, self._loading.by_label[label], key)


def _generic_references(model: Any) -> list[GenericForeignKey]:
    return [one for one in model._meta.virtual.values() if isinstance(one, GenericForeignKey)]


def _key_of(model: Any, key: Any) -> Any:
    """The key of a row, as a generic reference keeps it, as its own field has it; None if it can be none."""
    try:
        return model._meta.pk.fitted(key)
    except ValidationError:
        return None


def _references(model: Any) -> list[tuple[Any, tuple[Any, ...], list[str]]]:
    """The foreign keys that a database keeps, the fields that each refers to, and the attributes that hold it."""
    meta = model._meta
    return [
        (
            key,
            columns_of(key.target_field) if key.target_field.is_several else (key.target_field,),
            [part.attname for part in columns_of(key)],
        )
        for key in (*meta.spread_keys, *(field for field in meta.local_fields if field.is_relation))
        if key.db_constraint
    ]


def _spelt(key: Any, pk: Any) -> dict[str, Any]:
    """Attribute to value, of a reference to a row."""
    parts = columns_of(key)
    return {part.attname: value for part, value in zip(parts, pk if len(parts) > 1 else (pk,), strict=True)}
