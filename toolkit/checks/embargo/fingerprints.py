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
from typing import NamedTuple, TypeVar

from toolkit.checks.embargo.contents import without_markup
from toolkit.checks.embargo.hidden import Text
from toolkit.checks.embargo.words import BREAK, is_sign, words_of
from toolkit.trace import digest_bytes

RUN = 5
"""Words that follow each other in a fingerprint of a longer text."""

SIGNS = 10
"""The same, of signs in scripts without spaces."""

SHORT = 2
"""Runs of so few words may stand in a script by chance."""

_LEAST_LETTERS = {1: 5, 2: 8}
_LEAST = 10
_NEVER = -(1 << 40)
_LINK = re.compile(r"\]\([^)]*\)")
_SHORTCODE = re.compile(r"\{\{[<%].*?[>%]\}\}|\{[#.:][^}]*\}")

Run = tuple[str, ...]
T = TypeVar("T")


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
        self._added: set[bytes] = set()
        self.rows: set[str] = set()
        for text in texts:
            self._add(text)

    def __len__(self) -> int:
        return sum(map(len, self._runs.values()))

    def _add(self, text: Text) -> None:
        number = len(self._owners)
        self._owners.append((text.row, text.field))
        self.rows.add(text.row)
        value = digest_bytes(text.value.encode("utf-8", "surrogatepass"))
        if value in self._added:  # another's already, run by run
            return
        self._added.add(value)
        for version in versions_of(text.value):
            words = [self._words.setdefault(word, word) for word in words_of(version)]
            size = min(len(words), SIGNS if sum(map(is_sign, words)) * 2 > len(words) else RUN)
            if size:
                known = self._runs.setdefault(size, {})
                for run in telling_runs(words, size):
                    known.setdefault(run, number)

    def drop(self, words: Sequence[str], *, longest: int | None = None) -> None:
        """Forget the runs that these words have, too.

        Args:
            words: What everybody may read.
            longest: Of runs up to this length only; of all by default.
        """
        for known, found in self._found(words, longest):
            for run in list(found):
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
        for known, found in self._found(words):
            for run in found:
                yield Hit(*self._owners[known[run]], run)

    def _found(
        self, words: Sequence[str], longest: int | None = None
    ) -> Iterator[tuple[dict[Run, int], Iterable[Run]]]:
        """For each length, the runs that are known, and those of them that the words have."""
        different = frozenset(words)
        for size, known in self._runs.items():
            if longest is not None and size > longest:
                continue
            # of few runs it is quicker to ask whether their words are there at all
            if len(known) > len(words) or any(map(different.issuperset, known)):
                yield known, filter(known.__contains__, runs_of(words, size))


def runs_of(words: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """All runs of so many words that follow each other."""
    return zip(*(islice(words, start, None) for start in range(size)), strict=False)


def versions_of(value: str) -> Iterator[str]:
    """A text as it is written, and as it is shown once its marks are rendered."""
    for written in dict.fromkeys((value, _LINK.sub("]", _SHORTCODE.sub("", value)))):
        yield from without_markup(written)


def telling_runs(words: Sequence[str], size: int) -> Iterator[Run]:
    """The runs that say enough to be somebody's: no numbers alone, no few letters, and nothing across a break."""
    letters = [_NEVER if word == BREAK else 0 if word.isdigit() else len(word) for word in words]
    least = _LEAST_LETTERS.get(size, _LEAST)
    for run, count in zip(runs_of(words, size), map(sum, runs_of(letters, size)), strict=True):
        if count < 0:
            continue
        signs = len(run[0]) == 1 and is_sign(run[0])
        if size >= SHORT * 2 if signs else count >= least:
            yield run
