"""From the keys by which files name rows to what refers to them: their primary keys, or what ``to_field`` says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from toolkit.content.composite import Default, Kept, Part, is_name, names_of, speak_name
from toolkit.content.keys import key_text
from toolkit.content.layout import Layout
from toolkit.content.levels import root_field, root_key, root_keys
from toolkit.content.matching import Entry, Leaver, MentionPlace
from toolkit.content.parsing import parse_document
from toolkit.content.partners import spell_key
from toolkit.content.place import Place, Step, content_error
from toolkit.content.tables import all_keys, fetch_columns
from toolkit.errors import ContentError, did_you_mean
from toolkit.models.fields.several import parts_of

Wanted = tuple[Any, Any, Any]
"""A model, the field that names its rows, and the field whose value is kept."""

Relation = tuple[Layout, str]
"""A source's relation."""

LIMIT = 5000
"""As many names are looked through for a suggestion."""


class References:
    """The rows that files may refer to: those that are loaded now, and those that are in the database.

    Args:
        database: The database.
        entries: The rows that are being loaded; each has its primary key.
        leavers: Rows that will be gone.
        folder: The site's folder, to look up the place of a wrong key.
        faulty: (model, path) of files in which something is wrong. A key that stands there is no fault of who names it.
    """

    def __init__(
        self,
        database: Any,
        entries: Sequence[Entry],
        leavers: Iterable[Leaver],
        folder: Path,
        *,
        faulty: Iterable[tuple[Any, str]] = (),
    ) -> None:
        self._faulty = list(faulty)
        self._texts: dict[str, str] = {}
        self._database, self._entries, self._folder = database, entries, folder
        self._own = keys_by_table(database, entries, leavers)
        self._parts: dict[Any, Sequence[Part]] = {
            key: parts for entry in entries for key, parts in entry.layout.parts.items()
        }
        self._found: dict[Wanted, dict[Any, list[tuple[Any, Any]]]] = {}
        self.problems: list[ContentError] = []

    def resolve(self) -> None:
        """Put what is kept of the targets in place of all references, and collect keys that name no row.

        What is kept may be a reference by itself: those that it comes of are resolved first.
        """
        layouts = dict.fromkeys(entry.layout for entry in self._entries)
        depths = {(layout, name): _depth_of(layout, name) for layout in layouts for name in layout.held}
        for depth in sorted(set(depths.values())):
            self._resolve_these({relation for relation, at in depths.items() if at == depth})
        for entry in self._entries:
            if entry.layout.spread:
                self._check_shared(entry)

    def _resolve_these(self, relations: set[Relation]) -> None:
        for entry in self._entries:
            _take_said_by_fields(entry, relations)
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
                    wanted.setdefault(_target(entry, name, key), set()).add(key)
        return wanted

    def _look_up(self, relations: set[Relation]) -> None:
        for wanted, keys in self._wanted(relations).items():
            parts = self._parts.get(wanted[1], ())
            for at, part in enumerate(parts):
                if part.wanted is not None:
                    self._fetch(part.wanted, {key[at] for key in keys if not isinstance(key, Kept)})
            self._fetch(wanted, {known for key in keys if (known := self._known(wanted, key)) is not None})

    def _fetch(self, wanted: Wanted, keys: set[Any]) -> None:
        """Look for the rows with these keys among those that are loaded, and in the database."""
        model, field, held = wanted
        found = self._found.get(wanted) or self._loading(wanted)
        self._found[wanted] = found
        own = self._own.get(model, set())
        missing = sorted(keys - found.keys(), key=str)
        for key, pk, value in fetch_columns(self._database, model, (field, root_key(model), held), field, missing):
            if pk not in own:
                found.setdefault(key, []).append((pk, value))

    def _known(self, wanted: Wanted, key: Any) -> Any:
        """The key by which the database knows a row: of a composite one, what is kept of those that its parts name."""
        if isinstance(key, Kept):
            return key.value
        if not wanted[1].is_several:
            return key
        found = tuple(
            value if part.wanted is None else _only(self._found[part.wanted].get(value, []))
            for part, value in zip(self._parts[wanted[1]], key, strict=True)
        )
        return None if None in found else found

    def _loading(self, wanted: Wanted) -> dict[Any, list[tuple[Any, Any]]]:
        """Key to (primary key, what is kept) of the rows that are being loaded."""
        model, field, held = wanted
        found: dict[Any, list[tuple[Any, Any]]] = {}
        for entry in self._entries:
            if model in entry.layout.model._meta.levels:
                found.setdefault(entry.named(field), []).append((entry.pk, entry.named(held)))
        return found

    def _resolve_one(self, entry: Entry, name: str, key: Any) -> Any:
        if isinstance(key, Default):
            return key.value
        return None if key is None else self._find(entry, name, key)

    def _find(self, entry: Entry, name: str, key: Any) -> Any:
        wanted = _target(entry, name, key)
        known = self._known(wanted, key)
        rows = self._found[wanted].get(known, []) if known is not None else []
        if (kept := _only(rows)) is not None:
            return kept
        if not rows and self._is_said(wanted[0], key):
            return None
        told, hint = self._explain(name, wanted, key, rows)
        self.problems.append(content_error(told, entry.path, locate(self._folder, entry, name, key), hint))
        return None

    def _is_said(self, model: Any, key: Any) -> bool:
        """Whether a file that would give the row has a fault: that is told, and mends this."""
        for level, path in self._faulty:
            if model in level._meta.levels:
                if path not in self._texts:
                    self._texts[path] = f"{path}\n{(self._folder / path).read_text('utf-8', 'replace')}"
                if re.search(rf"(?<![\w-]){re.escape(str(key))}(?![\w-])", self._texts[path]):
                    return True
        return False

    def _explain(self, name: str, wanted: Wanted, key: Any, rows: Sequence[Any]) -> tuple[str, str]:
        """What is wrong with a key that names no row, or several, and how to mend it."""
        model, field, held = wanted
        if isinstance(key, Kept):
            names = " and ".join(part.name for part in field.parts)
            return f"{name}: there is no {model._meta.object_name} with this {names}", "Change them, or leave it out."
        for part, value in zip(self._parts.get(field, ()), key if field.is_several else (), strict=True):
            if part.wanted is not None and _only(found := self._found[part.wanted].get(value, [])) is None:
                return self._explain(f"{name}: {part.field.name}", part.wanted, value, found)
        label, shown = model._meta.object_name, key_text(key) if field.is_several else key
        if len(rows) == 1:
            return f"{name}: the {label} {shown!r} has no {held.name} to refer to it by", f"Give it a {held.name}."
        if rows:
            return f"{name}: {len(rows)} {label} rows have the {field.name} {shown!r}", "Make it unique."
        return f"{name}: there is no {label} with the {field.name} {shown!r}", self._suggest(wanted, shown)

    def _suggest(self, wanted: Wanted, key: Any) -> str:
        model, field, _ = wanted
        own = self._own.get(model, set())
        known = {key for key, pk in all_keys(self._database, model, field) if pk not in own}
        known.update(self._found[wanted])
        if field.is_several:
            names = [self._names_of(part) for part in self._parts[field]]
            known = {key_text(said) for each in known if (said := speak_name(names, each)) is not None}
        return did_you_mean(str(key), (str(item) for item in known if item is not None))

    def _names_of(self, part: Part) -> dict[Any, Any] | None:
        """Like ``names_of``, with those of the rows that are being loaded."""
        names = names_of(self._database, part, limit=LIMIT)
        if names is not None and part.wanted is not None:
            names |= {kept: said for said, rows in self._found[part.wanted].items() for _, kept in rows}
        return names

    def _check_shared(self, entry: Entry) -> None:
        """Complain of references that say another value of a field than the field itself, or another reference."""
        layout, known = entry.layout, dict[Any, tuple[str, Any]]()
        fields = [part for key in layout.spread for part in key.parts if part not in layout.hidden]
        said = [(part.name, part, entry.named(part)) for part in fields]
        said += [(key.name, part, value) for key in layout.spread for part, value in entry.shares(key)]
        for name, part, value in said:
            other, before = known.setdefault(part, (name, value)) if value is not None else (name, value)
            if value != before:
                place = locate(self._folder, entry, name)
                hint = "Let both say the same, or leave one of them out."
                told = f"{name}: it has another {part.name} than {other} says"
                self.problems.append(content_error(told, entry.path, place, hint))


def _only(rows: Sequence[tuple[Any, Any]]) -> Any:
    """What is kept of the one row that a key names; None when there is none, or several."""
    return rows[0][1] if len(rows) == 1 else None


def _take_said_by_fields(entry: Entry, relations: set[Relation]) -> None:
    """Let a reference to a composite key that the file leaves to declared fields be what they say."""
    layout = entry.layout
    for key in layout.spread:
        if (layout, key.name) in relations and layout.hidden.isdisjoint(key.parts) and entry.referred(key) is None:
            said = tuple(entry.named(part) for part in key.parts)
            if None not in said:
                entry.row.references[list(layout.references).index(key.name)] = Kept(said)


def keys_by_table(database: Any, entries: Iterable[Entry], leavers: Iterable[Leaver]) -> dict[Any, set[Any]]:
    """The keys that some rows have in the database: in the tables of their models, and of those that these inherit."""
    found: dict[Any, set[Any]] = {}
    for entry in entries:
        for level in entry.layout.model._meta.levels:  # a row of a child is one of its parent too
            key = root_key(level)
            pk = entry.before.get(key) if key in entry.layout.further else entry.pk
            found.setdefault(level, set()).add(pk)
    for level, pk in _leaving(database, leavers):
        found.setdefault(level, set()).add(pk)
    return found


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
        if key is not None and not isinstance(key, Default):
            yield name, key
    for field, keys in zip(entry.layout.many, entry.row.links, strict=True):
        for key in keys:
            yield field.name, key


def _target(entry: Entry, name: str, key: Any) -> Wanted:
    layout = entry.layout
    held = layout.held[name]
    return layout.model._meta.by_name[name].target, held if isinstance(key, Kept) else layout.natural[name], held


def _depth_of(layout: Layout, name: str) -> int:
    """How many references have to be known before one."""
    parts = parts_of(layout.model._meta.by_name[name]) if name in layout.references else []
    shared = [part.name for part in parts if part.is_relation and part.name != name]
    return max([_depth(layout.held[name]), *(1 + _depth_of(layout, each) for each in shared)])


def _depth(held: Any) -> int:
    """How many references have to be known before a value that is kept."""
    return max((1 + _depth(root_field(part.target_field)) for part in parts_of(held) if part.is_relation), default=0)


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
        path = (
            name,
            *[number for number, item in enumerate(value) if _says(entry.layout.natural.get(name), item, key)][:1],
        )
    return document.locate(entry.row.position, path)


def _says(named: Any, item: Any, key: Any) -> bool:
    """Whether an item of a list says a key."""
    return is_name(named, item, key_text(key)) if isinstance(key, tuple) else str(item) == str(key)


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
