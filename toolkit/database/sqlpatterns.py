"""Regular expressions for SQLite, which has none: Python's, in a time that grows with the text and does not explode.

``re`` tries one way after another, and no other thread runs meanwhile: ``(a+)+$`` takes years for forty letters, and
patterns come from whoever searches. A pattern with few ways is left to ``re``. Of any other all ways are followed at
once (Thompson 1968): the states of an automaton, as bits of a number, are carried from character to character, and
each step is remembered.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # what the module is made of
from typing import Any

from toolkit.database.sqlguards import refuse

FEW_WAYS = 1_000
"""Of so many ways to match, at one place of a text, ``re`` tries all."""

MOST_STATES = 1_000
MOST_STEPS = 5_000
"""So many steps are remembered of a pattern, and then forgotten all together."""

SHORT = 2_000
"""Characters of a text of which ``re`` may try each as a beginning and as an end: that takes some 20 milliseconds."""

_FINAL, _START = 1, 2
_UNFOLLOWED = (
    "it looks ahead or behind, refers to a group, or keeps what it took, and repeats so much that trying all ways may "
    "never end"
)
Matcher = Callable[[str], Any]
Table = dict[Any, Any]
"""By character, and by what holds at its place where anything does: the table of what follows. And its states."""

_STATES = None
_FOUND: Table = {}
Ends = tuple[float, int]


class TooMany(ValueError):
    """A pattern may take longer than anybody waits, and cannot be matched in another way."""


def matches(text: Any, pattern: str | None) -> bool | None:
    """Whether a pattern is found in a text, for SQLite; NULL of NULL."""
    if text is None or pattern is None:
        return None
    try:
        find = matcher(pattern)
    except TooMany as error:
        refuse(f"the regular expression {pattern!r:.200} is refused: {error}")
    return bool(find(str(text)))


@lru_cache(maxsize=64)
def matcher(pattern: str) -> Matcher:
    """A function that tells whether a pattern is found in a text.

    Raises:
        re.error: It is no regular expression.
        TooMany: It may take too long.
    """
    with warnings.catch_warnings():  # of sets within sets, which a later Python may read as others do
        warnings.simplefilter("ignore", FutureWarning)
        compiled, tree = re.compile(pattern), _parser.parse(pattern)
    ways, degree = _count(tree)
    degree += not _is_anchored(tree)
    if degree <= 1 and ways <= FEW_WAYS:
        return compiled.search
    try:
        follow = Automaton(tree).search
    except TooMany:
        if degree <= 2 and ways <= FEW_WAYS:
            return compiled.search
        raise
    if degree > 2 or ways > FEW_WAYS:
        return follow
    return lambda text: compiled.search(text) if len(text) <= SHORT else follow(text)


def _is_anchored(tree: Any) -> bool:
    """Whether a pattern is found at the beginning of a text alone."""
    if not len(tree) or str(tree[0][0]) != "AT":
        return False
    at = str(tree[0][1])
    return at == "AT_BEGINNING_STRING" or (at == "AT_BEGINNING" and not tree.state.flags & re.MULTILINE)


def _count(nodes: Any) -> Ends:
    """In how many ways a part may match at one place, at most: a number, times so many powers of the text's length."""
    ways, degree = 1.0, 0
    for operator, argument in nodes:
        found = _count_one(str(operator), argument)
        ways, degree = min(ways * found[0], 1e9), degree + found[1]
    return ways, degree


def _count_one(operator: str, argument: Any) -> Ends:
    if operator == "BRANCH":
        parts = [_count(part) for part in argument[1]]
        return sum(ways for ways, _ in parts), max(degree for _, degree in parts)
    if operator in ("SUBPATTERN", "ASSERT", "ASSERT_NOT"):
        return _count(argument[-1])
    if operator == "ATOMIC_GROUP":
        return _count(argument)
    if operator == "GROUPREF_EXISTS":
        return _count([*argument[1], *(argument[2] or ())])
    if not operator.endswith("_REPEAT"):
        return 1, 0
    least, most, body = argument
    ways, degree = _count(body)
    if (ways, degree) != (1, 0):  # what varies, repeated: each time anew
        return min(float(ways) ** min(int(most), 30), 1e9), degree * min(int(most), 30)
    return (1, 1) if most - least >= FEW_WAYS else (int(most) - int(least) + 1, 0)


class Automaton:
    """What a pattern leads to, character by character.

    Args:
        tree: The pattern, parsed.

    Raises:
        TooMany: It has what no automaton follows, or is too large for one.
    """

    def __init__(self, tree: Any) -> None:
        self._state = tree.state
        self._leaps: list[list[tuple[int, int]]] = [[], []]  # by state: conditions, and where they lead without a step
        self._steps: list[tuple[int, int]] = [(0, 0), (0, 0)]  # by state: which kind of character, and where it leads
        self._kinds: list[Any] = []
        self._places: list[Any] = []
        self._kind_of: dict[str, int] = {}
        self._is_anywhere = bool(self._state.flags & re.MULTILINE)
        try:
            self._leap(self._sequence(tree, 1, ()), 0)
        except RecursionError as error:
            raise TooMany("it is nested too deeply") from error
        self._accepted: dict[str, int] = {}
        self._followed: dict[int, Table] = {}
        self._known = 0

    def search(self, text: str) -> bool:
        """Whether the pattern is found in a text."""
        steps, last = self._followed, len(text) - 1
        anywhere, edges = self._is_anywhere, bool(self._places)
        table = steps.get(0) or self._table(0)
        for at, character in enumerate(text):
            holds = self._holding(text, at) if anywhere or (edges and (at == 0 or at == last)) else 0
            found = table.get((holds, character) if holds else character)
            if found is None:
                found = self._follow(table, holds, character)
            if found is _FOUND:
                return True
            table = found
        return bool(self._close(table[_STATES] | _START, self._holding(text, len(text))) & _FINAL)

    def _holding(self, text: str, at: int) -> int:
        """Which of the conditions on the place hold at one."""
        return sum(1 << number for number, place in enumerate(self._places) if place.match(text, at))

    def _table(self, states: int) -> Table:
        """What is known to follow some states."""
        return self._followed.setdefault(states, {_STATES: states})

    def _follow(self, table: Table, holds: int, character: str) -> Table:
        """The next table, noted in this one."""
        closed = self._close(table[_STATES] | _START, holds)
        found = _FOUND if closed & _FINAL else self._table(self._step(closed, character))
        self._known += 1
        if self._known > MOST_STEPS:
            self._known = 0
            self._followed.clear()
        table[(holds, character) if holds else character] = found
        return found

    def _close(self, states: int, holds: int) -> int:
        """States, and all that they lead to without a character."""
        waiting = list(_bits(states))
        while waiting:
            for needed, target in self._leaps[waiting.pop()]:
                if needed & holds == needed and not states >> target & 1:
                    states |= 1 << target
                    waiting.append(target)
        return states

    def _step(self, states: int, character: str) -> int:
        """Where a character leads."""
        accepted = self._accepted.get(character)
        if accepted is None:
            accepted = sum(1 << number for number, kind in enumerate(self._kinds) if kind.match(character))
            if len(self._accepted) >= MOST_STEPS:
                self._accepted.clear()
            self._accepted[character] = accepted
        found = 0
        for state in _bits(states):
            kind, target = self._steps[state]
            if target and accepted >> kind & 1:
                found |= 1 << target
        return found

    # making it

    def _new(self) -> int:
        if len(self._steps) >= MOST_STATES:
            raise TooMany("it is too large")
        self._leaps.append([])
        self._steps.append((0, 0))
        return len(self._steps) - 1

    def _leap(self, source: int, target: int, needed: int = 0) -> None:
        self._leaps[source].append((needed, target))

    def _sequence(self, nodes: Any, start: int, flags: tuple[Any, ...]) -> int:
        """Make what follows a state; the state at its end."""
        for operator, argument in nodes:
            start = self._part(str(operator), operator, argument, start, flags)
        return start

    def _part(self, name: str, operator: Any, argument: Any, start: int, flags: tuple[Any, ...]) -> int:
        if name == "SUBPATTERN":
            _, added, taken, body = argument
            self._is_anywhere = self._is_anywhere or bool(added & re.MULTILINE)
            return self._sequence(body, start, (*flags, (added, taken)) if added or taken else flags)
        if name == "BRANCH":
            end = self._new()
            for body in argument[1]:
                self._leap(self._sequence(body, self._fork(start), flags), end)
            return end
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(argument, start, flags)
        if name not in ("LITERAL", "NOT_LITERAL", "ANY", "IN", "AT"):
            raise TooMany(_UNFOLLOWED)
        end = self._new()
        table = self._places if name == "AT" else self._kinds
        key = f"{operator} {argument} {flags}"
        if key not in self._kind_of:
            self._kind_of[key] = len(table)
            table.append(self._alone(operator, argument, flags))
        if name == "AT":
            self._is_anywhere = self._is_anywhere or str(argument).endswith("BOUNDARY")
            self._leap(start, end, 1 << self._kind_of[key])
        else:
            fork = self._fork(start)
            self._steps[fork] = (self._kind_of[key], end)
        return end

    def _fork(self, start: int) -> int:
        fork = self._new()
        self._leap(start, fork)
        return fork

    def _repeat(self, argument: tuple[Any, Any, Any], start: int, flags: tuple[Any, ...]) -> int:
        least, most, body = argument
        for _ in range(int(least)):
            start = self._sequence(body, start, flags)
        end = self._new()
        self._leap(start, end)
        if most == _constants.MAXREPEAT:
            begin = self._fork(start)
            last = self._sequence(body, begin, flags)
            self._leap(last, begin)
            self._leap(last, end)
            return end
        for _ in range(int(most) - int(least)):
            start = self._sequence(body, self._fork(start), flags)
            self._leap(start, end)
        return end

    def _alone(self, operator: Any, argument: Any, flags: Sequence[tuple[int, int]]) -> Any:
        """One part of the pattern as a pattern of its own, with the flags that it stands under."""
        node: Any = (operator, argument)
        for added, taken in reversed(flags):
            node = (_constants.SUBPATTERN, (None, added, taken, _parser.SubPattern(self._state, [node])))
        return _compiler.compile(_parser.SubPattern(self._state, [node]))


def _bits(number: int) -> list[int]:
    """The places of the bits that are set."""
    found = []
    while number:
        lowest = number & -number
        found.append(lowest.bit_length() - 1)
        number ^= lowest
    return found
