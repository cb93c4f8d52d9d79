"""From the keys by which files name rows to what refers to them: their primary keys, or what ``to_field`` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from toolkit.content.layout import Layout
from toolkit.content.levels import root_field, root_key, root_keys
from toolkit.content.matching import Entry, Leaver, MentionPlace
from toolkit.content.parsing import parse_document
from toolkit.content.partners import spell_key
from toolkit.content.place import Place, Step, content_error
from toolkit.content.tables import all_keys, fetch_columns
from toolkit.errors import ContentError, did_you_mean

Wanted = tuple[Any, Any, Any]
"""A model, the field that names its rows, and the field whose value is kept."""

Relation = tuple[Layout, str]
"""A source's relation."""


class References:
    """The rows that files may refer to: those that are loaded now, and those that are in the database.

    Args:
        database: The database.
        entries: The rows that are being loaded; each has its primary key.
        leavers: Rows that will be gone.
        folder: The site's folder, to look up the place of a wrong key.
    """

    def __init__(self, database: Any, entries: Sequence[Entry], leavers: Iterable[Leaver], folder: Path) -> None:
        self._database, self._entries, self._folder = database, entries, folder
        self._own: dict[Any, set[Any]] = {}
        for entry in entries:
            for level in entry.layout.model._meta.levels:  # a row of a child is one of its parent too
                key = root_key(level)
                pk = entry.before.get(key) if key in entry.layout.further else entry.pk
                self._own.setdefault(level, set()).add(pk)
        for level, pk in _leaving(database, leavers):
            self._own.setdefault(level, set()).add(pk)
        self._found: dict[Wanted, dict[Any, list[tuple[Any, Any]]]] = {}
        self.problems: list[ContentError] = []

    def resolve(self) -> None:
        """Put what is kept of the targets in place of all references, and collect keys that name no row.

        What is kept may be a reference by itself: those that it comes of are resolved first.
        """
        layouts = dict.fromkeys(entry.layout for entry in self._entries)
        depths = {(layout, name): _depth(field) for layout in layouts for name, field in layout.held.items()}
        for depth in sorted(set(depths.values())):
            self._resolve_these({relation for relation, at in depths.items() if at == depth})

    def _resolve_these(self, relations: set[Relation]) -> None:
        self._look_up(relations)
        for entry in self._entries:
            layout, row = entry.layout, entry.row
            for at, name in enumerate(layout.references):
                if (layout, name) in relations:
                    row.references[at] = self._resolve_one(entry, name, row.references[at])
            for at, field in enumerate(layout.many):
                if (layout, field.name) in relations:
                    row.links[at] = tuple(self._find(entry, field.name, key) for key in row.links[at])

    def _wanted(self, relations: set[Relation]) -> dict[Wanted, set[Any]]:
        wanted: dict[Wanted, set[Any]] = {}
        for entry in self._entries:
            for name, key in _named(entry):
                if (entry.layout, name) in relations:
                    wanted.setdefault(_target(entry, name), set()).add(key)
        return wanted

    def _look_up(self, relations: set[Relation]) -> None:
        for wanted, keys in self._wanted(relations).items():
            model, field, held = wanted
            found = self._found[wanted] = self._loading(wanted)
            own = self._own.get(model, set())
            missing = sorted(keys - found.keys(), key=str)
            for key, pk, value in fetch_columns(self._database, model, (field, root_key(model), held), field, missing):
                if pk not in own:
                    found.setdefault(key, []).append((pk, value))

    def _loading(self, wanted: Wanted) -> dict[Any, list[tuple[Any, Any]]]:
        """Key to (primary key, what is kept) of the rows that are being loaded."""
        model, field, held = wanted
        found: dict[Any, list[tuple[Any, Any]]] = {}
        for entry in self._entries:
            if model in entry.layout.model._meta.levels:
                found.setdefault(entry.named(field), []).append((entry.pk, entry.named(held)))
        return found

    def _resolve_one(self, entry: Entry, name: str, key: Any) -> Any:
        if isinstance(key, tuple):  # the field's default, which is what is kept
            return key[1]
        return None if key is None else self._find(entry, name, key)

    def _find(self, entry: Entry, name: str, key: Any) -> Any:
        wanted = _target(entry, name)
        rows = self._found[wanted].get(key, [])
        if len(rows) == 1 and rows[0][1] is not None:
            return rows[0][1]
        model, field, held = wanted
        label = model._meta.object_name
        if len(rows) == 1:
            told, hint = f"{name}: the {label} {key!r} has no {held.name} to refer to it by", f"Give it a {held.name}."
        elif rows:
            told, hint = f"{name}: {len(rows)} {label} rows have the {field.name} {key!r}", "Make it unique."
        else:
            told, hint = f"{name}: there is no {label} with the {field.name} {key!r}", self._suggest(wanted, key)
        self.problems.append(content_error(told, entry.path, locate(self._folder, entry, name, key), hint))
        return None

    def _suggest(self, wanted: Wanted, key: Any) -> str:
        model, field, _ = wanted
        own = self._own.get(model, set())
        known = {key for key, pk in all_keys(self._database, model, field) if pk not in own}
        known.update(self._found[wanted])
        return did_you_mean(str(key), (str(item) for item in known if item is not None))


def _leaving(database: Any, leavers: Iterable[Leaver]) -> Iterator[tuple[Any, Any]]:
    """The models that rows which leave are of, and their keys there."""
    by_model: dict[Any, list[Any]] = {}
    for leaver in leavers:
        by_model.setdefault(leaver.model, []).append(leaver.given.pk)
    for model, pks in by_model.items():
        keys = root_keys(model)
        rows = fetch_columns(database, model, keys, keys[0], pks) if len(keys) > 1 else [(pk,) for pk in pks]
        for level in model._meta.levels:
            at = keys.index(root_key(level))
            yield from ((level, row[at]) for row in rows)


def _named(entry: Entry) -> Iterator[tuple[str, Any]]:
    for name, key in zip(entry.layout.references, entry.row.references, strict=True):
        if key is not None and not isinstance(key, tuple):
            yield name, key
    for field, keys in zip(entry.layout.many, entry.row.links, strict=True):
        for key in keys:
            yield field.name, key


def _target(entry: Entry, name: str) -> Wanted:
    layout = entry.layout
    return layout.model._meta.by_name[name].target, layout.natural[name], layout.held[name]


def _depth(held: Any) -> int:
    """How many references have to be known before a value that is kept."""
    return 1 + _depth(root_field(held.target_field)) if held.is_relation else 0


def locate(folder: Path, entry: Entry, name: str, key: Any = None) -> Place:
    """Where a row's field stands in its file, or one key in its list. The file is read again for it.

    A row that a file only names stands where the file names it.
    """
    if entry.mention is not None:
        return _locate_mention(folder, entry, entry.mention)
    try:
        document = parse_document(entry.layout, entry.path, (folder / entry.path).read_bytes())
        value = document.rows[entry.row.position].get(name)
    except (OSError, ContentError, IndexError):
        return Place()
    path: tuple[Step, ...] = (name,) if name in document.rows[entry.row.position] else ()
    if isinstance(value, list):
        path = (name, *[number for number, item in enumerate(value) if str(item) == str(key)][:1])
    return document.locate(entry.row.position, path)


def _locate_mention(folder: Path, entry: Entry, mention: MentionPlace) -> Place:
    """Where a file names a row first."""
    layout, relation = mention
    named, key, locale = layout.natural[relation], str(entry.row.key), layout.default_locale
    try:
        document = parse_document(layout, entry.path, (folder / entry.path).read_bytes())
    except (OSError, ContentError):
        return Place()
    for number, row in enumerate(document.rows):
        value = row.get(relation)
        if isinstance(value, list):
            for at, item in enumerate(value):
                if spell_key(named, str(item).strip(), locale=locale) == key:
                    return document.locate(number, (relation, at))
        elif value is not None and spell_key(named, str(value).strip(), locale=locale) == key:
            return document.locate(number, (relation,))
    return Place()
