"""The rows of a database as records, in an order that does not depend on who wrote them when."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any, cast

from toolkit.errors import ContentError, DatabaseError, ValidationError, did_you_mean
from toolkit.models import JSONField, Q, QuerySet
from toolkit.models.scopes import current_scope
from toolkit.serialization.formats import Format
from toolkit.serialization.formats.reading import RECORD_BYTES
from toolkit.serialization.records import Record, holder, tells_itself, to_plain
from toolkit.trace import EDITOR, Scope, entered

CHUNK = 1_000
"""Rows in memory at a time."""


def dump(
    scope: Scope,
    kind: Format,
    out: IO[str],
    *,
    models: Iterable[Any] | None = None,
    natural: bool = False,
    fields: Collection[str] | None = None,
    pks: Sequence[Any] | None = None,
) -> int:
    """Write rows as text, all as of one instant, without holding more than some of them.

    Args:
        scope: Gives the database.
        kind: The format.
        out: Where to.
        models: Whose rows; of all models by default. Tables between and translations come with the rows they belong to.
        natural: Tell rows by their natural keys (``Meta.natural_key``) where they have one, and leave their keys out.
        fields: Only these fields.
        pks: Only the rows with these keys; of one model.

    Returns:
        How many records were written.
    """
    count = 0
    measured = _Measured(out)

    def counted(records: Iterable[Record]) -> Iterator[Record]:
        nonlocal count
        for record in records:
            count += 1
            yield record
            measured.end(record)

    with reading(scope, textual=kind.textual, models=models, natural=natural, fields=fields, pks=pks) as records:
        kind.write(counted(records), cast(IO[str], measured))
    return count


class _Measured(io.TextIOBase):
    """Refuses a record that ``load`` would refuse.

    Args:
        out: Where to.
    """

    def __init__(self, out: IO[str]) -> None:
        self._out, self._size = out, 0

    def write(self, text: str) -> int:
        """Write some of a record."""
        self._size += len(text)
        self._out.write(text)
        return len(text)

    def end(self, record: Record) -> None:
        """A record is written.

        Raises:
            ContentError: It is longer than a record may be.
        """
        size, self._size = self._size, 0
        if size > RECORD_BYTES // 4:
            size = len(json.dumps(record.as_dict(), ensure_ascii=False).encode())
        if size > RECORD_BYTES:
            raise ContentError(
                f"{record.model} {record.pk!r:.40} is longer than {RECORD_BYTES // 1024 // 1024} MiB, which no record "
                "may be",
                hint="Leave the field out with --fields, or keep such values in files.",
            )


@contextmanager
def reading(
    scope: Scope,
    *,
    textual: bool,
    models: Iterable[Any] | None = None,
    natural: bool = False,
    fields: Collection[str] | None = None,
    pks: Sequence[Any] | None = None,
) -> Iterator[Iterator[Record]]:
    """Inside the block: the records of all rows, those that others refer to first; see ``dump``.

    A generator alone could not do it: a writer that fails leaves it suspended, and with it the scope and the snapshot
    that it had entered.
    """
    schema = scope.database.schema
    wanted = None if models is None else set(models)
    chosen = [model for model in schema.sorted() if not model._meta.hidden and (wanted is None or model in wanted)]
    editor = Scope(scope.site, scope.database, EDITOR, scope.default_locale, scope.default_locale, scope.moment)
    with entered(editor), scope.database.snapshot():
        for model in chosen if pks is not None else ():
            _refuse_missing(model, pks or ())
        yield itertools.chain.from_iterable(
            Table(schema, model, textual=textual, natural=natural, fields=fields).records(pks) for model in chosen
        )


def _refuse_missing(model: Any, pks: Sequence[Any]) -> None:
    """Refuse keys that no row of a model has, before anything is written.

    Raises:
        ContentError: There are some.
    """
    missing = dict.fromkeys(pks)
    for start in range(0, len(pks), CHUNK):
        rows: QuerySet[Any] = QuerySet(model).unrestricted().filter(pk__in=list(pks[start : start + CHUNK]))
        for pk in rows.order_by().values_list("pk", flat=True):
            missing.pop(pk, None)
    if missing:
        told = ", ".join(f"{pk!r}" for pk in [*missing][:10]) + (", ..." if len(missing) > 10 else "")
        what = "row has the key" if len(missing) == 1 else "rows have the keys"
        raise ContentError(f"no {model._meta.label} {what} {told}", hint="Leave out what is not there.")


class Table:
    """How the rows of one model become records.

    Args:
        schema: All models.
        model: The model.
        textual: The format has only text.
        natural: Rows are told by natural keys.
        fields: Only these fields; None for all.

    Raises:
        ContentError: A field is not there.
    """

    def __init__(
        self, schema: Any, model: Any, *, textual: bool, natural: bool, fields: Collection[str] | None
    ) -> None:
        meta = model._meta
        self.schema, self.model, self.textual, self.natural = schema, model, textual, natural
        known = [field.name for field in (*meta.local_fields, *meta.local_many_to_many)]
        for name in fields or ():
            if name not in known:
                raise ContentError(f"{meta.label} has no field {name!r}", hint=did_you_mean(name, known))
        self._checks: dict[Any, Callable[[Any], Any]] = {}
        self._before: tuple[Any, list[Any]] | None = None
        self.by_natural = self._tells(model)
        keys = [field for field in meta.key if not (self.by_natural and field.name in meta.natural_key)]
        wanted = known if fields is None else fields
        stored = [field for field in meta.local_fields if not field.is_generated]
        self.fields = [field for field in stored if field.name in wanted and field not in keys]
        self.many = [f for f in meta.local_many_to_many if f.name in wanted and f.through._meta.hidden]

    def records(self, pks: Sequence[Any] | None) -> Iterator[Record]:
        """The records of the rows."""
        for rows in self._chunks(pks):
            yield from self._of(rows)

    def _chunks(self, pks: Sequence[Any] | None) -> Iterator[list[Any]]:
        """The rows, some at a time: each chunk begins behind the last row of the one before; nothing else is held."""
        rows: QuerySet[Any] = QuerySet(self.model).unrestricted()
        if pks is not None:
            rows = rows.filter(pk__in=list(pks))
        order = [*self._natural_paths(self.model), *(part.attname for part in self.model._meta.key)]
        rows = rows.order_by(*order)
        chunk = list(rows[:CHUNK])
        while chunk:
            first, last = ([_at(chunk[place], path) for path in order] for place in (0, -1))
            yield chunk
            chunk = list(rows.filter(_behind(order, last))[:CHUNK])
            if chunk and [_at(chunk[0], path) for path in order] == first:
                told = f"the database does not find what is behind a row with the key {last!r:.80}"
                raise DatabaseError(
                    f"{self.model._meta.label}: {told}", hint="Give the model another key, which the database compares."
                )

    def _natural_paths(self, model: Any, prefix: str = "", above: tuple[Any, ...] = ()) -> Iterator[str]:
        """What rows are ordered by: the values that tell them, through references to what tells those.

        So the order does not depend on keys, which differ from database to database. A model that is told by a row
        of its own (a parent) is followed once.
        """
        if not (self.by_natural if not above else self._tells(model)):
            return
        for name in model._meta.natural_key:
            field = model._meta.get_field(name)
            if not field.is_relation:
                yield f"{prefix}{name}"
            elif field.target not in (*above, model) and self._tells(field.target):
                yield from self._natural_paths(field.target, f"{prefix}{name}__", (*above, model))
            else:
                yield f"{prefix}{field.attname}"

    def _of(self, rows: Sequence[Any]) -> Iterator[Record]:
        links = {field.name: self._links(field, rows) for field in self.many}
        translations = self._translations(rows)
        for row in rows:
            if self.by_natural:
                self._refuse_twin(row)
            values = {field.name: self._value(field, row) for field in self.fields}
            values |= {name: found.get(row.pk, []) for name, found in links.items()}
            pk = None if self.by_natural else self._key(self.model, row.pk)
            yield Record(self.model._meta.label, pk, values, translations.get(row.pk, {}))

    def _refuse_twin(self, row: Any) -> None:
        """Refuse a row that its natural key does not tell from the one before it: a load would take both for one.

        Raises:
            ContentError: It is such.
        """
        names = [self.model._meta.get_field(name).attname for name in self.model._meta.natural_key]
        told = [getattr(row, name) for name in names]
        if self._before is not None and told == self._before[1]:
            rows = f"the rows {self._before[0]!r} and {row.pk!r}"
            raise ContentError(
                f"{self.model._meta.label}: {rows} have one natural key, {told!r:.80}",
                hint="Dump them without --natural, or give the model a UniqueConstraint of its natural key.",
            )
        self._before = row.pk, told

    def _tells(self, model: Any) -> bool:
        return self.natural and tells_itself(model, self.schema)

    def _key(self, model: Any, pk: Any) -> Any:
        parts = model._meta.key
        if len(parts) == 1:
            return self._plain(parts[0], pk, pk)
        return [self._plain(part, value, pk) for part, value in zip(parts, pk, strict=True)]

    def _plain(self, field: Any, value: Any, pk: Any) -> Any:
        """A value of the row with a key, as the format writes it.

        Raises:
            ContentError: It could not be loaded again: it was not written through the models.
        """
        if value is None:
            return None
        check = self._checks.get(field)
        if check is None:
            check = self._checks[field] = _check_of(holder(field))
        try:
            check(value)
            return to_plain(field, value, textual=self.textual)
        except (ValidationError, TypeError, ValueError, ArithmeticError) as error:
            told = getattr(error, "message", error)
            raise ContentError(
                f"{field.model._meta.label}.{field.name} of row {pk!r:.60} is {value!r:.60}, which could not be loaded "
                f"again: {told}",
                hint="Mend the row, which was not written through the models.",
            ) from error

    def _value(self, field: Any, row: Any) -> Any:
        """A value; of a foreign key what tells the row it refers to."""
        if field.is_relation:
            by_natural = self._tells(field.target) and field.target_field is field.target._meta.pk
            if by_natural and getattr(row, field.attname) is not None:
                return self._natural(getattr(row, field.name))
            return self._plain(field, getattr(row, field.attname), row.pk)
        kept = row.__dict__.get(field.attname)  # as the table has it: a file's name may be NULL
        value = kept if kept is not None or field.attname in row.__dict__ else getattr(row, field.name)
        return self._plain(field, value, row.pk)

    def _natural(self, row: Any) -> list[Any]:
        """A natural key; parts that are references themselves are lists."""
        return [self._value(row._meta.get_field(name), row) for name in row._meta.natural_key]

    def _links(self, field: Any, rows: Sequence[Any]) -> dict[Any, list[Any]]:
        """Key of a row to the partners in a relation, in an order of their own."""
        own, other = field.link_fields()
        links: QuerySet[Any] = QuerySet(field.through).unrestricted()
        links = links.filter(**{f"{own.name}__in": [row.pk for row in rows]})
        found: dict[Any, list[Any]] = {}
        by_natural = self._tells(field.target)
        if by_natural:
            links = links.select_related(other.name)
        for link in links.order_by("pk"):
            key = getattr(link, other.attname)
            told = self._natural(getattr(link, other.name)) if by_natural else self._key(field.target, key)
            found.setdefault(getattr(link, own.attname), []).append(told)
        return {pk: sorted(partners, key=_place) for pk, partners in found.items()}

    def _translations(self, rows: Sequence[Any]) -> dict[Any, dict[str, dict[str, Any]]]:
        translation = self.model._meta.translation
        if translation is None:
            return {}
        kept = [translation._meta.by_name[f.name] for f in self.model._meta.translated if f in self.fields]
        found: dict[Any, dict[str, dict[str, Any]]] = {}
        every: QuerySet[Any] = QuerySet(translation).unrestricted().filter(source__in=[row.pk for row in rows])
        for each in every.order_by("source_id", "locale"):
            told = {field.name: self._plain(field, getattr(each, field.attname), each.source_id) for field in kept}
            found.setdefault(each.source_id, {})[each.locale] = told
        return found


def _check_of(field: Any) -> Callable[[Any], Any]:
    """A function that refuses what a load would refuse; JSON is refused as it is written."""
    return bool if isinstance(field, JSONField) else field.db_value_of(current_scope().database.dialect)


def _at(row: Any, path: str) -> Any:
    """The value at the end of a path; None where it leads nowhere."""
    for name in path.split("__"):
        row = None if row is None else getattr(row, name)
    return row


def _behind(order: Sequence[str], last: Sequence[Any]) -> Q:
    """The condition that rows come behind one, in an order in which NULL comes first."""
    condition = Q(pk__in=[])
    for path, value in reversed(list(zip(order, last, strict=True))):
        if value is None:
            condition = Q(**{f"{path}__isnull": False}) | (Q(**{f"{path}__isnull": True}) & condition)
        else:
            at_least = Q(**{f"{path}__gte": value})  # said by itself, so that an index of the first column is used
            condition = at_least & (Q(**{f"{path}__gt": value}) | (Q(**{path: value}) & condition))
    return condition


def _place(told: Any) -> Any:
    """What partners are sorted by, whatever their keys are."""
    return (0, told, "") if isinstance(told, int) else (1, 0, repr(told))
