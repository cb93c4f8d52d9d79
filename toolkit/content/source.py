"""A declaration that files of a certain name are rows of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Any

from toolkit.content.levels import (
    further_keys,
    generated_names,
    held_field,
    is_computed,
    is_made,
    key_fields,
    root_key,
    stored_fields,
)
from toolkit.content.partners import explain_partners
from toolkit.database import DEFAULT
from toolkit.errors import DeclarationError, ToolkitError, did_you_mean
from toolkit.models import AutoField, MarkdownField
from toolkit.models.fields.several import parts_of

KINDS = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".csv": "csv",
    ".geojson": "geojson",
}
"""File name suffix to kind of file."""


@dataclass(frozen=True)
class Source:
    """Files that are rows of a model: ``app.source("content/stories/*.md", model=Story)``.

    Args:
        pattern: Path below the site's folder, with ``/``. ``*`` and ``?`` stand for parts of one name, ``**`` for any
            number of folders. Names that begin with a dot are left alone. The suffix tells the kind of file.
        model: The model.
        key: The field whose value names a row in the files; no two rows may share it. ``"pk"`` stands for the fields of
            a composite primary key. In Markdown it may be left out, and is then the file's name, without a leading
            date, and of ``name/index.md`` the folder's; a name that is no slug, such as ``usa.gov``, is made one for a
            ``SlugField``.
        body: For Markdown, the field that takes the text below the front matter; by default the model's one
            ``MarkdownField``.
        date: For Markdown, the field that takes the date in front of the file's name (``2014-03-12-name.md``) when
            the front matter does not give it.
        dated_keys: For Markdown, the key that comes of a file's name keeps the date in front: for a blog that gives
            one name to posts of several days.
        create: Relations whose partners are made from what the files say: ``create=("tags", "authors")``. The text is
            the partner's ``name`` (or ``title``, or its first ``CharField``), and its slug is made of it, so that
            "Web design" and "web design" are one tag. A row that there is already is taken as it is. Of several
            spellings the one in the first file, by path, stands. A row that was made goes when no file names it any
            more; what else it holds, from an admin for example, is left alone until then.
        ignore: Keys of front matter, or columns, that are passed over: ``ignore=("layout", "wp_*")``. All others that
            the model does not know are errors.
        declared_at: ``path:line`` of the declaration, for errors.
    """

    pattern: str
    model: Any
    key: str = "slug"
    body: str | None = None
    date: str | None = None
    dated_keys: bool = False
    create: Sequence[str] = ()
    ignore: Sequence[str] = ()
    declared_at: str = ""

    @cached_property
    def kind(self) -> str:
        """``"markdown"``, ``"yaml"``, ``"json"``, ``"csv"`` or ``"geojson"``; empty for no known suffix."""
        return KINDS.get(PurePosixPath(self.pattern).suffix.lower(), "")

    @cached_property
    def is_single(self) -> bool:
        """Whether each file is one row."""
        return self.kind == "markdown"

    @property
    def is_literal(self) -> bool:
        """Whether the pattern names one file."""
        return not any(mark in self.pattern for mark in "*?[")

    @property
    def folder(self) -> PurePosixPath:
        """The folder that the files are in, or below; empty for the site's own."""
        fixed = takewhile(lambda part: not any(mark in part for mark in "*?["), PurePosixPath(self.pattern).parts[:-1])
        return PurePosixPath(*fixed)

    @cached_property
    def body_field(self) -> str | None:
        """The field that takes a Markdown file's text, if there is one."""
        if self.body is not None or not self.is_single:
            return self.body
        found = [field.name for field in stored_fields(self.model) if isinstance(field, MarkdownField)]
        return found[0] if len(found) == 1 else None

    @cached_property
    def geometry_field(self) -> str | None:
        """The model's one geometry field, if it has exactly one."""
        found = [field.name for field in self.model._meta.fields if hasattr(field, "srid")]
        return found[0] if len(found) == 1 else None

    def ignores(self, name: str) -> bool:
        """Whether a key in the files is passed over."""
        return any(fnmatchcase(name, pattern) for pattern in self.ignore)

    def problems(self, sources: Iterable[Source] = ()) -> list[ToolkitError]:
        """Everything that is wrong with the declaration.

        Args:
            sources: Of the whole site: they say by which key files name the rows of other models.
        """
        complaints = [
            *self._place_complaints(),
            *self._file_complaints(),
            *self._key_complaints(),
            *self._relation_complaints(),
            *self._name_complaints(),
            *self._option_complaints(keys_of([*sources, self])),
        ]
        return [
            DeclarationError(f"source {self.pattern!r}: {message}", path=path, line=line, hint=hint)
            for path, line in [self._place()]
            for message, hint in complaints
        ]

    def _place(self) -> tuple[str | None, int | None]:
        path, _, line = self.declared_at.rpartition(":")
        return (path, int(line)) if line.isdigit() else (self.declared_at or None, None)

    def _place_complaints(self) -> Iterator[tuple[str, str]]:
        """Which file gave which row is kept in the main database, in the transaction in which the rows are written."""
        meta = self.model._meta
        if meta.database != DEFAULT:
            told = f"{meta.object_name} is in the database {meta.database!r}, and files are loaded into the main one"
            yield told, f"Bring its rows in with 'toolkit data import --model {meta.label}'."

    def _file_complaints(self) -> Iterator[tuple[str, str]]:
        """What is wrong with where the files are, and of which kind."""
        parts = PurePosixPath(self.pattern).parts
        if not parts or parts[0] == "/" or ".." in parts or "\\" in self.pattern:
            yield "the path leaves the site's folder", "Write it relative to that folder, with '/'."
        if not self.kind:
            suffix = PurePosixPath(self.pattern).suffix
            yield f"{suffix!r} is no kind of file that can be loaded", f"There is: {', '.join(KINDS)}."
        if self.kind == "markdown" and self.body_field is None:
            yield "it is not clear which field takes the text of the files", "Say it: body='…'."
        if self.kind == "geojson" and self.geometry_field is None:
            yield f"{self.model._meta.object_name} has not exactly one geometry field", "GeoJSON needs one."

    def _key_complaints(self) -> Iterator[tuple[str, str]]:
        """What is wrong with the keys of the model, for rows that files tell of."""
        label, parts = self.model._meta.object_name, key_fields(self.model)
        counted = [key for key in further_keys(self.model) if isinstance(key, AutoField) and key.name != self.key]
        if counted and any(part.is_relation for part in parts):
            told = f"the key of {label} is a reference, and the database counts {counted[0].name!r} of another parent"
            yield told, "Let files say both keys, or neither."
        if len(parts) > 1 and (made := [part.name for part in parts if is_made(part)]):
            yield f"{made[0]!r}, of the key of {label}, is made by a function", "Let it have no default: files say it."
        if self.key in generated_names(self.model):
            yield f"key = {self.key!r} is computed by the database", "Choose a field that files can say."

    def _relation_complaints(self) -> Iterator[tuple[str, str]]:
        """Relations that files cannot tell of."""
        meta = self.model._meta
        for field in meta.many_to_many:
            linked = [part for side in field.link_fields() for part in parts_of(side)]
            if len(set(linked)) < len(linked):
                told = f"{field.name!r} has a table between in which both references share a field"
                yield told, "Let files say the table between."
        for key in meta.foreign_keys():
            if is_computed(held_field(key)):
                told = f"{key.name!r} refers to the {key.to_field} of {key.target._meta.object_name}, which is computed"
                yield told, "Let it refer to the key, without to_field=."

    def _name_complaints(self) -> Iterator[tuple[str, str]]:
        """What is wrong with ``key``, ``body`` and ``date``."""
        meta = self.model._meta
        names = [field.name for field in meta.fields] + ["pk"] * root_key(self.model).is_several
        for option, name in (("key", self.key), ("body", self.body), ("date", self.date)):
            if name is not None and name not in names:
                yield f"{option} = {name!r} is no field of {meta.object_name}", did_you_mean(name, names)
        if self.key in names and meta.get_field(self.key).is_relation:
            yield f"key = {self.key!r} refers to another model", "Choose a field with a value of its own."

    def _option_complaints(self, keys: Mapping[Any, str]) -> Iterator[tuple[str, str]]:
        """What is wrong with ``create`` and ``ignore``."""
        meta = self.model._meta
        relations = [field.name for field in [*meta.foreign_keys(), *meta.many_to_many]]
        for option, given in (("create", self.create), ("ignore", self.ignore)):
            if isinstance(given, str):
                yield f"{option} = {given!r} is a text", f"Write {option}=({given!r},)."
        for name in () if isinstance(self.create, str) else self.create:
            if name in relations:
                target = meta.by_name[name].target
                yield from explain_partners(name, target, target._meta.get_field(key_name(target, keys)))
            else:
                yield f"create = {name!r} is no relation of {meta.object_name}", did_you_mean(name, relations)
        for name in [field.name for field in [*meta.fields, *meta.many_to_many]]:
            if not isinstance(self.ignore, str) and self.ignores(name):
                yield f"ignore passes over {name!r}, a field of {meta.object_name}", "Leave it out of 'ignore'."


def keys_of(sources: Iterable[Source]) -> dict[Any, str]:
    """Model to the field by which its source names rows; of several sources, the first's."""
    return {source.model: source.key for source in reversed(list(sources))}


def key_name(model: Any, keys: Mapping[Any, str]) -> str:
    """The field by which files name a model's rows.

    It is the key of its own source; of a model without a source its ``slug``; or else its primary key.
    """
    meta = model._meta
    name: str = keys.get(model, "slug")
    return name if name in meta.by_name else str(meta.pk.name)
