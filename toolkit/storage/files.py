"""Files that are open, or held in memory, whatever they are stored in."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import PurePosixPath
from types import TracebackType
from typing import IO, Any, Self

CHUNK_BYTES = 256 * 1024


class File:
    """A file with a name.

    Args:
        file: A binary file that is open.
        name: Its name; the file's own unless one is given.
    """

    def __init__(self, file: IO[bytes] | Any, name: str | None = None) -> None:
        self.file = file
        self.name: str = name if name is not None else str(getattr(file, "name", "") or "")

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name or 'no name'}>"

    def __str__(self) -> str:
        return self.name

    def __bool__(self) -> bool:
        return bool(self.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.file)

    @property
    def size(self) -> int:
        """Bytes."""
        here = self.file.tell()
        self.file.seek(0, io.SEEK_END)
        found: int = self.file.tell()
        self.file.seek(here)
        return found

    @property
    def ending(self) -> str:
        """``jpg``, in small letters; empty if the name has none."""
        return PurePosixPath(self.name).suffix[1:].lower()

    def read(self, size: int = -1) -> bytes:
        """Bytes from where it stands."""
        found: bytes = self.file.read(size)
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Stand elsewhere."""
        found: int = self.file.seek(offset, whence)
        return found

    def tell(self) -> int:
        """Where it stands."""
        found: int = self.file.tell()
        return found

    def chunks(self, size: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The whole content, in parts.

        Args:
            size: Bytes of a part.
        """
        self.file.seek(0)
        while part := self.file.read(size):
            yield part

    def close(self) -> None:
        """Close it."""
        self.file.close()


class ContentFile(File):
    """A file in memory.

    Args:
        content: Bytes, or text, which is encoded in UTF-8.
        name: Its name.
    """

    def __init__(self, content: bytes | str, name: str = "") -> None:
        body = content.encode() if isinstance(content, str) else bytes(content)
        super().__init__(io.BytesIO(body), name)
