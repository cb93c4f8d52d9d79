"""Names of stored files: what may be one on every system, and what never leads out of the storage.

A name is a path with slashes, relative to the storage: ``photos/2026/harbour.jpg``.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from pathlib import PurePosixPath

from toolkit.errors import StorageError

MAX_PART_BYTES = 200
"""The longest name of a file or folder: file systems take 255 bytes, and a suffix must fit."""

_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)
"""Devices of Windows, with whatever ending (Microsoft, "Naming Files, Paths, and Namespaces")."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"\\|?*]')
_UNUSUAL = re.compile(r"[^-\w.]+")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def check_name(name: str) -> str:
    """The name itself, if it may be that of a stored file.

    Raises:
        StorageError: It is empty or absolute, leads upwards, or is no name on some system.
    """
    wrong = _fault(name)
    if wrong:
        raise StorageError(
            f"{name[:100]!r} cannot be the name of a stored file: {wrong}",
            hint="Write a relative path with slashes, such as photos/harbour.jpg.",
        )
    return name


def _fault(name: str) -> str:
    if not name or name.startswith("/") or name.endswith("/"):
        return "it is empty, absolute, or a folder"
    for part in name.split("/"):
        if part in ("", ".", ".."):
            return f"it has the part {part!r}"
        if part.startswith((".", " ")) or part.endswith((".", " ")):
            return f"the part {part[:50]!r} begins or ends with a dot or a space"
        if _FORBIDDEN.search(part) or any(unicodedata.category(char) in ("Cs", "Zl", "Zp") for char in part):
            return f"the part {part[:50]!r} has a character that not every system takes"
        if _RESERVED.fullmatch(part):
            return f"{part[:50]!r} is a device on Windows"
        if len(part.encode()) > MAX_PART_BYTES:
            return f"a part of it is longer than {MAX_PART_BYTES} bytes"
    return ""


def valid_name(name: str) -> str:
    """A file's own name, without folders, from one that somebody gave it: ``my photo (1).JPG`` as ``my_photo_1.JPG``.

    Raises:
        StorageError: Nothing is left that could be a name.
    """
    last = unicodedata.normalize("NFC", name.replace("\\", "/")).rpartition("/")[2]
    spelled = _UNUSUAL.sub("", re.sub(r"\s+", "_", last.strip())).lstrip(".").rstrip(".")
    if _RESERVED.fullmatch(spelled):
        spelled = f"_{spelled}"
    return check_name(_shortened(spelled, MAX_PART_BYTES))


def _shortened(name: str, limit: int) -> str:
    """With its ending kept, if it is a short one."""
    if len(name.encode()) <= limit:
        return name
    path = PurePosixPath(name)
    ending = path.suffix if len(path.suffix.encode()) <= 20 else ""
    stem = name[: len(name) - len(ending)].encode()[: limit - len(ending.encode())].decode(errors="ignore")
    return stem.rstrip(". ") + ending


def alternative(name: str, max_length: int | None = None) -> str:
    """Another name for a file whose own is taken: ``photo_x7k2m9q.jpg``.

    Args:
        name: The name that is taken.
        max_length: The most characters.

    Raises:
        StorageError: There is no room for one.
    """
    path = PurePosixPath(name)
    mark = "_" + "".join(secrets.choice(_ALPHABET) for _ in range(7))
    stem = path.name[: len(path.name) - len(path.suffix)]
    room = None if max_length is None else max_length - (len(name) - len(stem)) - len(mark)
    if room is not None and room < 1:
        raise StorageError(
            f"{name[:100]!r} has no other name of at most {max_length} characters", hint="Raise max_length."
        )
    spelled = f"{_shortened(stem[:room], MAX_PART_BYTES - 30)}{mark}{path.suffix}"
    return str(path.with_name(spelled))


def fitting(name: str, max_length: int | None) -> str:
    """The name, its own part shortened to what a column keeps.

    Raises:
        StorageError: Its folders and ending alone are longer.
    """
    if max_length is None or len(name) <= max_length:
        return name
    path = PurePosixPath(name)
    stem = path.name[: len(path.name) - len(path.suffix)]
    room = len(stem) - (len(name) - max_length)
    if room < 1:
        raise StorageError(f"{name[:100]!r} is longer than {max_length} characters", hint="Raise max_length.")
    return str(path.with_name(stem[:room] + path.suffix))
