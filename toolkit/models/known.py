"""Compiled questions that another process left: a build of one page asks what the last one asked.

Importing SQLAlchemy is a sixth of what an edit takes. What it made of a question is text and numbers, and functions
that convert values: those of modules are known by name, those of fields by the field. A question that has anything else
in it is compiled in each process.
"""

from __future__ import annotations

import importlib
import pickle
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from io import BytesIO
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any
from uuid import UUID

import msgspec

from toolkit.files import write_whole
from toolkit.models.fields.base import MISSING, Field
from toolkit.models.loader import Part
from toolkit.models.outputs import Output
from toolkit.models.query import Query, Sight
from toolkit.models.search.declaration import Search
from toolkit.models.shapes import Bind, Shape, Statement
from toolkit.stamps import DIGEST_BYTES
from toolkit.trace import digest, digest_bytes

MOST = 2_000
"""Questions that are kept, of some 2 kB each; those go that were not asked for longest. Lists of other lengths and keys
in JSON make other questions, so that a site whose code stays as it is would ask new ones for ever."""

_PLAIN = (str, int, float, bytes, bool, type(None))
_VALUES = (*_PLAIN, date, datetime, time, timedelta, timezone, Decimal, UUID)
_PARTS = (Shape, Statement, Bind, Part, list, tuple, partial, FunctionType, MethodType, ModuleType, type)
"""What a compiled question is made of, beside values, fields and models."""

_NO_STATE = ("order", "__orig_class__")
"""Attributes of a field that say nothing of what it does: when it was made, and what type checkers were told."""

_EMPTY = {"[]": list, "{}": dict}
"""What is made anew, so that nobody shares it."""


STATES = 8
"""States of a site whose questions are kept: another branch has other code, and other variables make other settings."""


class KnownQuestions:
    """The compiled questions of a database, kept in a file for each state of its site.

    The files are code, as compiled templates are: who may write them may have anything run.

    Args:
        folder: Where they are. It may be deleted at any time; a file that is damaged counts for nothing.
        evidence: Stands for all that decides about what is compiled; questions that were kept by another count for
            nothing.
        models: Model classes by label.
        anew: Let those that were kept count for nothing in any case.
    """

    def __init__(self, folder: Path, evidence: bytes, models: dict[str, Any], *, anew: bool = False) -> None:
        self._place, self._models = folder / evidence.hex(), models
        self._labels = {model: label for label, model in models.items()}
        self._kept = {} if anew else _read(self._place)
        self._new: dict[str, Shape] = {}
        self._asked: set[str] = set()

    def find(self, query: Query, sight: Sight) -> Shape | None:
        """The compiled question; None if it is not known."""
        name = self._name(query, sight)
        body = self._kept.get(name) if name else None
        if body is None:
            return None
        try:
            found: Shape = _Reader(BytesIO(body), self._models).load()
        except (pickle.UnpicklingError, AttributeError, LookupError, TypeError, ImportError):
            del self._kept[name]
            return None
        self._asked.add(name)
        return found

    def add(self, query: Query, sight: Sight, shape: Shape) -> None:
        """Keep a question that was compiled here."""
        name = self._name(query, sight)
        if name:
            self._new[name] = shape

    def save(self) -> None:
        """Write the file, if there is anything new, and take away those of states that were written longest ago.

        Where nothing can be written, questions are compiled again.
        """
        new = {name: body for name, shape in self._new.items() if (body := self._write(shape)) is not None}
        self._new.clear()
        if not new.keys() - self._kept.keys():
            return
        asked = {name: self._kept.pop(name) for name in sorted(self._asked & self._kept.keys())}
        kept = [*self._kept.items(), *asked.items(), *new.items()]
        self._kept = dict(kept[-MOST:])
        body = msgspec.msgpack.encode(self._kept)
        with suppress(OSError):
            write_whole(self._place, digest_bytes(body) + body)
            written = sorted(self._place.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
            for path in written[:-STATES]:
                path.unlink(missing_ok=True)

    def _write(self, shape: Shape) -> bytes | None:
        body = BytesIO()
        try:
            _Writer(body, self._labels).dump(shape)
        except (pickle.PicklingError, AttributeError, TypeError):
            return None
        return body.getvalue()

    def _name(self, query: Query, sight: Sight) -> str:
        """The same for the same question in each process; empty for one that cannot be told."""
        try:
            return repr(
                self._told([query.model, query.operations, query.form, query.start, query.stop, query.totals, sight])
            )
        except pickle.PicklingError:
            return ""

    def _told(self, part: Any) -> Any:
        if isinstance(part, tuple | list):
            return [self._told(each) for each in part]
        if part.__class__ in _PLAIN:
            return part
        if part.__class__ is Output and part.field.model is None:
            return {"output": repr(_told_field(part.field))}
        if isinstance(part, type):
            label = self._labels.get(part)
            if label is not None or getattr(sys.modules.get(part.__module__), part.__qualname__, None) is part:
                return {"class": label or f"{part.__module__}:{part.__qualname__}"}
        raise pickle.PicklingError(f"{part!r} is no plain part of a question")


class _Writer(pickle.Pickler):
    def __init__(self, file: BytesIO, labels: dict[Any, str]) -> None:
        super().__init__(file, protocol=5)
        self._labels = labels

    def persistent_id(self, part: Any) -> Any:
        if isinstance(part, Field):
            if part.model is None and not hasattr(part, "outer"):
                return ("loose", *_told_field(part))
            field = getattr(part, "outer", part)  # where in JSON it is, is part of the SQL
            label = self._labels.get(field.model)
            if label is None or field.model._meta.by_name.get(field.name) is not field:
                raise pickle.PicklingError(f"{part!r} is no field of a model")
            return ("field" if field is part else "inner", label, field.name)
        if isinstance(part, type):
            return ("model", self._labels[part]) if part in self._labels else None
        if isinstance(part, Search) and part.model in self._labels:
            return ("search", self._labels[part.model])
        self._refuse_copied(part)
        return None

    def _refuse_copied(self, part: Any) -> None:
        """Refuse an object with a state of its own: what is read is a copy, and knows nothing of later changes."""
        by_name = isinstance(part, BuiltinFunctionType) and isinstance(part.__self__, type | ModuleType | None)
        if not by_name and part.__class__ not in _VALUES and part.__class__ not in _PARTS:
            raise pickle.PicklingError(f"{part!r} has a state of its own")

    def reducer_override(self, part: Any) -> Any:
        if isinstance(part, FunctionType) and "made_by" in part.__dict__:
            return part.__dict__["made_by"]
        if part.__class__ is Part:
            return Part, msgspec.structs.astuple(part)
        if part.__class__ is partial:
            return _partial, (part.func, part.args, tuple(part.keywords.items()))
        return NotImplemented


def _told_field(field: Field[Any]) -> tuple[str, str, tuple[tuple[str, Any], ...]]:
    """A field of no model, which reads what a function gives: its class, and all that it was declared with.

    Raises:
        pickle.PicklingError: That is not plain.
    """
    kind = type(field)
    state = {name: value for name, value in vars(field).items() if name not in _NO_STATE and value is not MISSING}
    known = getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind
    if not known or not all(value in ([], {}) or value.__class__ in _VALUES for value in state.values()):
        raise pickle.PicklingError(f"{field!r} is no field of a model")
    told = [(name, _EMPTY.get(repr(value), value)) for name, value in sorted(state.items())]
    return kind.__module__, kind.__qualname__, tuple(told)


def _made_field(module: str, name: str, told: Iterable[tuple[str, Any]]) -> Any:
    kind = getattr(importlib.import_module(module), name)
    field = object.__new__(kind)
    state = {name: value() if value.__class__ is type else value for name, value in told}
    field.__dict__.update({"default": MISSING, "db_default": MISSING, "order": 0, **state})
    return field


def _partial(function: Any, arguments: Sequence[Any], named: Iterable[tuple[str, Any]]) -> Any:
    return partial(function, *arguments, **dict(named))


class _Reader(pickle.Unpickler):
    def __init__(self, file: BytesIO, models: dict[str, Any]) -> None:
        super().__init__(file)
        self._models = models

    def persistent_load(self, pid: Any) -> Any:
        kind, label, *name = pid
        if kind == "loose":
            return _made_field(label, *name)
        model = self._models[label]
        if kind == "model":
            return model
        if kind == "search":
            return model._meta.search
        field = model._meta.by_name[name[0]]
        return field.at(None, ()) if kind == "inner" else field


def signature(models: Iterable[Any]) -> bytes:
    """Stands for models as they were declared, as far as their code does not tell: it may read what decides."""
    return digest(
        [
            [
                model._meta.label,
                model._meta.table,
                [
                    [field.name, f"{type(field).__module__}.{type(field).__qualname__}", field.column, bool(field.null)]
                    for field in model._meta.fields
                ],
                _public(model),
                _searched(model),
            ]
            for model in models
        ]
    )


def _public(model: Any) -> str:
    """What is public, with its values, which are part of the text: a module may take one from the clock."""
    values: list[Any] = []
    return repr((model._meta.public.lift(values), values)) if model._meta.public is not None else ""


def _searched(model: Any) -> list[Any]:
    """What is searched, which is part of the text, too."""
    search: Search | None = model._meta.search
    return [search.language, [*search.weights.items()]] if search is not None else []


def _read(place: Path) -> dict[str, bytes]:
    with suppress(OSError, msgspec.MsgspecError):
        found = place.read_bytes()
        body = found[DIGEST_BYTES:]
        if digest_bytes(body) == found[:DIGEST_BYTES]:
            return msgspec.msgpack.decode(body, type=dict[str, bytes])
    return {}
