"""Reading files piece by piece, with a bound on what one record may take: a file is not trusted to be small."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import IO

from toolkit.errors import ContentError

RECORD_BYTES = 64 * 1024 * 1024
"""The most that one record may take in a file."""

PIECE_BYTES = 64 * 1024


def too_long(number: int | None = None, *, line: int | None = None) -> ContentError:
    """The error of a record that is longer than any may be."""
    what = "a record" if number is None else f"record {number}"
    return ContentError(
        f"{what} is longer than {RECORD_BYTES // 1024 // 1024} MiB, which no record may be",
        line=line,
        hint="Keep such a value in a file, and its name in the row.",
    )


def not_utf8(why: str, *, line: int | None) -> ContentError:
    """The error of a file in another encoding."""
    return ContentError(f"the file is not UTF-8: {why}", line=line, hint="Save it as UTF-8.")


def cut_off(*, line: int) -> ContentError:
    """The error of a file whose last line is perhaps a part of one."""
    told = "the last line has no end: the file seems cut off"
    return ContentError(told, line=line, hint="If it is whole, end the line.")


class Bounded:
    """A file that is given up once one record of it takes too much.

    Args:
        source: The file.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._taken = 0
        self._read, self._lines, self._piece = 0, 1, b""
        self._end = b""

    def read(self, size: int = -1) -> bytes:
        """The next piece.

        Raises:
            ContentError: More was read for one record than it may take.
        """
        found = self._source.read(PIECE_BYTES if size < 0 else size)
        self._taken += len(found)
        if found:
            self._read += len(self._piece)
            self._lines += self._piece.count(b"\n")
            self._piece, self._end = found, (self._end + found)[-2:]
        if self._taken > RECORD_BYTES:
            raise too_long()
        return found

    @property
    def is_ended(self) -> bool:
        """Whether the last line that was read has an end; in UTF-16 that has two bytes."""
        return self._end in (b"", b"\n\0") or self._end.endswith(b"\n")

    def line_of(self, at: int) -> int:
        """The line of a byte in what was read last."""
        return self._lines + self._piece.count(b"\n", 0, max(at - self._read, 0))

    def begin_record(self) -> None:
        """What is read from now on is another record's."""
        self._taken = 0


def iter_raw_lines(source: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file.

    Raises:
        ContentError: One is longer than a record may be.
    """
    line = 0
    while raw := source.readline(RECORD_BYTES + 1):
        line += 1
        if len(raw) > RECORD_BYTES:
            raise too_long(line=line)
        yield raw


class Text:
    """The text of a file in UTF-8, of which what was read is forgotten.

    Args:
        source: The file.

    Attributes:
        text: What is at hand.
        at: Where reading stands in it.
        has_ended: Whether nothing more will come.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._read, self._line, self._column = 0, 1, 0
        self.text, self.at, self.has_ended = "", 0, False

    def more(self) -> None:
        """Take more of the file: as much again as is at hand, so that a long record is not read many times."""
        self._forget()
        raw = self._source.read(max(PIECE_BYTES, len(self.text)))
        before = self._read - len(self._decoder.getstate()[0])
        self._read += len(raw)
        self.has_ended = not raw
        try:
            self.text += self._decoder.decode(raw, final=self.has_ended)
        except UnicodeDecodeError as error:
            line = self._line + self.text.count("\n") + error.object.count(b"\n", 0, error.start)
            raise not_utf8(f"{error.reason} at byte {before + error.start}", line=line) from error

    def skip_space(self) -> str:
        """Go on to what is no white space; the character there, or nothing at the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
                self.at += 1
            if self.at < len(self.text) or self.has_ended:
                return self.text[self.at : self.at + 1]
            self.more()

    def place(self, at: int | None = None) -> tuple[int, int]:
        """Line and column of a position, from 1; by default of where reading stands."""
        at = self.at if at is None else at
        line = self._line + self.text.count("\n", 0, at)
        start = self.text.rfind("\n", 0, at)
        return line, at - start if start >= 0 else self._column + at + 1

    def _forget(self) -> None:
        line, column = self.place()
        self._line, self._column = line, column - 1
        self.text, self.at = self.text[self.at :], 0
