"""Validators and storages."""

from __future__ import annotations

import ast
import inspect
import itertools
from typing import Any

from toolkit import storage, validators
from toolkit.storage import ContentFile, File, FileSystemStorage, FsspecStorage, InMemoryStorage, Storage

from .docstrings import parse_doc, read_doc, table
from .signatures import describe, signature

OWN = ("write_new", "read", "remove", "has", "size_of", "modified", "names_in", "path", "digest_of")


def validator_kinds() -> str:
    """A heading for each class of validators, and for the function that makes one."""
    found = [getattr(validators, name) for name in validators.__all__]
    kinds = [thing for thing in found if inspect.isclass(thing) or inspect.isfunction(thing)]
    return "\n\n".join(describe(kind.__name__, kind) for kind in sorted(kinds, key=lambda kind: kind.__name__))


def ready_validators() -> str:
    """Validators that are made already, with the text that stands below each in its source."""
    rows = []
    for name in validators.__all__:
        thing = getattr(validators, name)
        if not inspect.isclass(thing) and not inspect.isfunction(thing):
            rows.append([f"`{name}`", _text_below(name, thing)])
    return table(["validator", "accepts"], rows)


def _text_below(name: str, thing: Any) -> str:
    for kind in type(thing).__mro__:
        module = inspect.getmodule(kind)
        body = ast.parse(inspect.getsource(module)).body if module is not None else []  # type: ignore[arg-type]
        for statement, following in itertools.pairwise(body):
            named = isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == name
            if named and isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                return str(parse_doc(inspect.cleandoc(str(following.value.value))).text)
    raise LookupError(f"toolkit.validators.{name} has no text")


def storage_kinds() -> str:
    """The storages that come with the toolkit, and files."""
    return "\n\n".join(
        describe(kind.__name__, kind) for kind in (FileSystemStorage, InMemoryStorage, FsspecStorage, File, ContentFile)
    )


def storage_methods() -> str:
    """What is called on a storage."""
    names = [name for name in vars(Storage) if name not in OWN and not name.startswith("_")]
    return _methods([name for name in names if inspect.isfunction(getattr(Storage, name))])


def storage_protocol() -> str:
    """What a storage of one's own defines."""
    return _methods(list(OWN))


def _methods(names: list[str]) -> str:
    rows = []
    for name in names:
        method = getattr(storage.Storage, name)
        rows.append([f"`{name}({signature(method)})`", read_doc(method).text])
    return table(["method", "meaning"], rows)
