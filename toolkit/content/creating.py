"""Making the partners that files name: tags and authors that no row has yet.

A row is made as long as some file names it and nothing else gives it: no content file, and nobody at the database.
What it is called says the first of the files that name it, by path. Both are answered from the mentions of all files,
not of those that were read: an edit of one file ends where a load of all would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from toolkit.content.keys import key_reader
from toolkit.content.layout import Layout, naming_of
from toolkit.content.levels import root_key
from toolkit.content.matching import Entry, Leaver, MentionPlace
from toolkit.content.mentions import (
    CREATED,
    Mention,
    Named,
    by_model,
    first_mentions,
    read_created,
    read_named,
    replace_mentions,
)
from toolkit.content.parsing import Parsed
from toolkit.content.partners import default_of, is_stamped, name_field_of
from toolkit.content.records import RowKey, has_table
from toolkit.content.rows import Row
from toolkit.content.source import Source
from toolkit.content.spool import Spool, split_row
from toolkit.content.tables import fetch_keys
from toolkit.models.fields.base import DATABASE_DEFAULT


class CreatedLayout(Layout, frozen=True, eq=False, dict=True):
    """How a mention falls on the fields of a partner. Its links and translations are not the files' to say."""

    @cached_property
    def many(self) -> list[Any]:
        """None: links that somebody gave the row are left alone."""
        return []

    @cached_property
    def translated(self) -> list[Any]:
        """None, in the same way."""
        return []

    @cached_property
    def references(self) -> dict[str, tuple[int, ...]]:
        """None: they have their defaults, which are primary keys."""
        return {}

    @cached_property
    def name_field(self) -> Any:
        """The field that takes the name; None if there is only the key."""
        return name_field_of(self.model, self.key_field)

    def row_of(self, mention: Mention) -> Row:
        """The row that a mention makes; all but key and name stays as it is in a row that is there."""
        values = [self._value(field, mention) for field in self.fields]
        said = (self.key_field, self.name_field)
        made = tuple(at for at, field in enumerate(self.fields) if field not in said and field not in self.key_parts)
        return Row(0, mention.key, values, made, [], {}, {})

    def _value(self, field: Any, mention: Mention) -> Any:
        if field is self.key_field:
            return mention.key
        if field in self.counted:
            return None
        if field is self.name_field:
            value = mention.name
        else:
            value = field.stamp(datetime.now(UTC)) if is_stamped(field) else default_of(field)
        write = field.db_writer(self.dialect)
        return value if write is None or value is None or value is DATABASE_DEFAULT else write(value)


def created_layouts(layouts: Sequence[Layout]) -> dict[str, CreatedLayout]:
    """A layout for each model whose rows some source makes, by the model's label."""
    told: dict[Any, list[str]] = {}
    first: dict[Any, tuple[Layout, Any]] = {}
    for layout in layouts:
        for name in layout.source.create:
            model = layout.model._meta.by_name[name].target
            told.setdefault(model, []).append(f"{name} in {layout.source.pattern}")
            first.setdefault(model, (layout, layout.natural[name]))
    told_by = {field for layout in layouts for field in layout.natural.values()}
    return {
        model._meta.label: CreatedLayout(
            Source(", ".join(told[model]), model, key=key.name),
            layout.dialect,
            layout.locales,
            layout.default_locale,
            {},
            naming_of(model, told_by),
            timezone=layout.timezone,
        )
        for model, (layout, key) in first.items()
    }


class Creator:
    """Works out which rows are made, and which of them go.

    Args:
        database: The database.
        layouts: Of all sources.
        models: Label to model.
        owner: Path to the index of its source's layout.
        spool: Takes what the rows say.

    Attributes:
        touched: The rows of which the mentions, or other origins, may have changed.
        created: Those of them that are made now.
    """

    def __init__(
        self,
        database: Any,
        layouts: Sequence[Layout],
        models: Mapping[str, Any],
        owner: Mapping[str, int],
        spool: Spool,
    ) -> None:
        self._database, self._layouts, self._models, self._owner = database, layouts, models, owner
        self._spool = spool
        self._targets = created_layouts(layouts)
        self.is_needed = bool(self._targets) or has_table(database, CREATED)
        self.touched: set[Named] = set()
        self.created: dict[Named, Entry] = {}

    def create(
        self, parsed: Iterable[Parsed], vanished: Iterable[str], entries: Sequence[Entry], leavers: Sequence[Leaver]
    ) -> tuple[list[Entry], list[Leaver]]:
        """The rows to make, and those to remove, beside those that files give. Notes the mentions.

        Args:
            parsed: The files that were read.
            vanished: Files that are gone.
            entries: The rows that files give.
            leavers: The rows that files do not give any more.
        """
        read = list(parsed)
        self._note_mentions(read, [*vanished, *(path for item in read for path in item.group.paths)])
        self.touched |= {named for named in _named_by(entries, leavers) if named[0] in self._targets}
        mentions = first_mentions(self._database, self.touched)
        before = self._created_before()
        given = self._given_elsewhere(before, entries, leavers)
        self.created = {
            named: self._entry(mention, before.get(named))
            for named, mention in sorted(mentions.items())
            if mention.model in self._targets and named not in given
        }
        left = [self._leaver(named, row) for named, row in before.items() if named not in self.created]
        return list(self.created.values()), [leaver for leaver in left if leaver is not None]

    def _created_before(self) -> dict[Named, RowKey]:
        """Those of the touched rows that were made before, with their primary keys as the driver has them."""
        readers = {name: key_reader(model, self._database.dialect) for name, model in self._models.items()}
        return {
            named: RowKey(row.key, readers[named[0]](row.pk))
            for named, row in read_created(self._database, self.touched).items()
            if named[0] in readers
        }

    def _note_mentions(self, read: Sequence[Parsed], paths: Sequence[str]) -> None:
        mentions = [mention for item in read for mention in self._mentions(item)]
        self.touched |= read_named(self._database, paths)
        self.touched |= {(mention.model, mention.key) for mention in mentions}
        replace_mentions(self._database, paths, mentions)

    def _mentions(self, item: Parsed) -> Iterator[Mention]:
        layout, path = self._layouts[item.group.layout], item.group.path
        by_name = layout.model._meta.by_name
        found = [mention for row in item.rows or () for mention in row.mentions]
        for place, (relation, key, name) in enumerate(found):
            yield Mention(path, place, relation, by_name[relation].target._meta.label, key, name)

    def _given_elsewhere(
        self, before: Mapping[Named, RowKey], entries: Sequence[Entry], leavers: Sequence[Leaver]
    ) -> set[Named]:
        """The touched rows that a content file gives, or somebody made in the database."""
        given: set[Named] = set()
        for label, keys in by_model(self.touched).items():
            target = self._targets.get(label)
            if target is None:
                continue
            own = {leaver.given.pk for leaver in leavers if leaver.model is target.model}
            own |= {e.pk for e in entries if e.layout.model is target.model and e.pk is not None}
            own |= {row.pk for (model, _), row in before.items() if model == label}
            there = fetch_keys(self._database, target.model, target.key_field, keys)
            given |= {(label, key) for key, pk in there if pk not in own}
            key = target.key_field
            own_entries = (entry for entry in entries if entry.layout.model is target.model)
            given |= {(label, e.said_pk if key is root_key(e.layout.model) else e.named(key)) for e in own_entries}
        return given

    def _entry(self, mention: Mention, before: RowKey | None) -> Entry:
        layout = self._targets[mention.model]
        source = self._layouts[self._owner[mention.path]]
        head, content = split_row(layout, layout.row_of(mention))
        (head,) = self._spool.add([head], [content])
        entry = Entry(layout, mention.path, head, mention=MentionPlace(source, mention.relation))
        if before is not None:
            entry.pk, entry.earlier = before.pk, before.key
        elif layout.key_field is root_key(layout.model):
            entry.pk = mention.key
        return entry

    def _leaver(self, named: Named, row: RowKey) -> Leaver | None:
        model = self._models.get(named[0])
        target = self._targets.get(named[0])
        told = target.source.pattern if target is not None else "named by files"
        return None if model is None else Leaver(model, told, told, "", row)


def _named_by(entries: Iterable[Entry], leavers: Iterable[Leaver]) -> set[Named]:
    """The keys that files begin or cease to give."""
    found: set[Named] = set()
    for entry in entries:
        label = entry.layout.model._meta.label
        found |= {(label, str(key)) for key in (entry.key, entry.earlier) if key is not None}
    return found | {(leaver.model._meta.label, str(leaver.given.key)) for leaver in leavers}
