"""Fingerprints of hidden rows: runs of words that are theirs alone.

A text of five words or more has one for every five words that follow each other, so that a leak of any five is found,
wherever it was cut. A shorter value is one fingerprint as a whole. Runs that public rows have, too, do not count; nor
do those of one or two words that stand in what the site is made of, such as a script.

Runs of words are compared as such, not by their hashes, so there is no false alarm by collision. In the 510 posts of a
real newsroom six of a hundred runs of five words stand in a second post: those are in public rows, and do not count.
What is left to raise a false alarm is a run of words that a template or a script has by chance, and no public row has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from toolkit.checks.embargo.contents import without_markup
from toolkit.checks.embargo.hidden import Text
from toolkit.checks.embargo.words import BREAK, is_sign, words_of

RUN = 5
"""Words that follow each other in a fingerprint of a longer text."""

SIGNS = 10
"""The same, of signs in scripts without spaces."""

SHORT = 2
"""Runs of so few words may stand in a script by chance."""

_LEAST_LETTERS = {1: 5, 2: 8}
_LEAST = 10
_LINK = re.compile(r"\]\([^)]*\)")
_SHORTCODE = re.compile(r"\{\{[<%].*?[>%]\}\}|\{[#.:][^}]*\}")

Run = tuple[str, ...]


class Hit(NamedTuple):
    """A fingerprint that was found.

    Args:
        row: Whose it is.
        field: Of which field.
        run: Its words.
    """

    row: str
    field: str
    run: Run


class Fingerprints:
    """The fingerprints of all hidden rows.

    Args:
        texts: Their texts.
    """

    def __init__(self, texts: Iterable[Text]) -> None:
        self._runs: dict[int, dict[Run, int]] = {}
        self._owners: list[tuple[str, str]] = []
        self._words: dict[str, str] = {}
        self.rows: set[str] = set()
        for text in texts:
            self._add(text)

    def __len__(self) -> int:
        return sum(map(len, self._runs.values()))

    def _add(self, text: Text) -> None:
        number = len(self._owners)
        self._owners.append((text.row, text.field))
        self.rows.add(text.row)
        for version in versions_of(text.value):
            words = [self._words.setdefault(word, word) for word in words_of(version)]
            size = min(len(words), SIGNS if sum(map(is_sign, words)) * 2 > len(words) else RUN)
            if not size:
                continue
            known = self._runs.setdefault(size, {})
            for run in runs_of(words, size):
                if _is_telling(run):
                    known.setdefault(run, number)

    def drop(self, words: Sequence[str], *, longest: int | None = None) -> None:
        """Forget the runs that these words have, too.

        Args:
            words: What everybody may read.
            longest: Of runs up to this length only; of all by default.
        """
        for size, known in self._runs.items():
            if longest is not None and size > longest:
                continue
            for run in runs_of(words, size):
                known.pop(run, None)

    def finish(self) -> None:
        """Drop what is empty, once all that counts is known."""
        self._runs = {size: known for size, known in sorted(self._runs.items()) if known}

    def rows_without(self) -> list[str]:
        """Rows of which nothing is theirs alone: whether they leak cannot be seen by their words."""
        owners = {self._owners[number][0] for known in self._runs.values() for number in known.values()}
        return sorted(self.rows - owners)

    def find(self, words: Sequence[str]) -> Iterator[Hit]:
        """The fingerprints in a row of words."""
        for size, known in self._runs.items():
            if known.keys().isdisjoint(runs_of(words, size)):
                continue
            for run in runs_of(words, size):
                number = known.get(run)
                if number is not None:
                    yield Hit(*self._owners[number], run)


def runs_of(words: Sequence[str], size: int) -> Iterator[Run]:
    """All runs of so many words that follow each other."""
    return zip(*(islice(words, start, None) for start in range(size)), strict=False)


def versions_of(value: str) -> Iterator[str]:
    """A text as it is written, and as it is shown once its marks are rendered."""
    for written in dict.fromkeys((value, _LINK.sub("]", _SHORTCODE.sub("", value)))):
        yield from without_markup(written)


def _is_telling(run: Run) -> bool:
    """Whether a run says enough to be somebody's: no numbers alone, and no few letters."""
    if BREAK in run:
        return False
    letters = sum(len(word) for word in run if not word.isdigit())
    if is_sign(run[0]):
        return len(run) >= SHORT * 2
    return letters >= _LEAST_LETTERS.get(len(run), _LEAST)
