"""Numbers for inputs: what the manifest had, what the workers met, made one counting.

A large site has some hundred thousand inputs, and a build of all of it holds them all: so they are kept as bytes, as
the manifest has them, and made values only where somebody asks for them. Of the manifest's only those parts are read in
which something is looked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from toolkit.builder.manifest import Manifest
from toolkit.builder.records import InputRow, Key, Part, decode_key, encode_key, part_of

UNSURE = b"?"
"""The digest of what was read differently in one build, because somebody changed it meanwhile: it verifies never."""

_BREAK = b"\0"
"""Between a kind and a key: no kind has it."""


class Interning:
    """The inputs of all pages by number.

    Args:
        manifest: The last build.
        relied: Tells whether kept pages or units rely on the manifest's input of a number.
    """

    def __init__(self, manifest: Manifest, relied: Callable[[int], bool]) -> None:
        self._manifest = manifest
        self._is_relied = relied
        self._unsure: set[bytes] = set()
        self._loaded: set[Part] = set()
        self._ids: dict[bytes, int] = {}
        self._before: dict[int, bytes] = {}
        self._now: dict[int, bytes] = {}
        self._last: int | None = None
        self._last_before = 0
        self._local: dict[int, array[int]] = {}
        self.shapes: dict[str, Mapping[str, Any]] = {}

    def _load(self, kind: str, key: bytes) -> None:
        """Read the part of the manifest that an input belongs to."""
        part = part_of(kind, key)
        if part in self._loaded:
            return
        self._loaded.add(part)
        for number, other, value in self._manifest.part_rows(part):
            self._ids[_name(kind, other)] = number
            self._before[number] = value

    def learn(self, batch: Any) -> None:
        """Take up the inputs and shapes that a worker met for the first time."""
        numbers = self._local.setdefault(batch.sender, array("I"))
        missing = max((number for number, *_ in batch.inputs), default=-1) + 1 - len(numbers)
        numbers.extend([0] * missing)
        for number, kind, key, value in batch.inputs:
            numbers[number] = self._number(kind, key, value)
        self.shapes.update(batch.shapes)

    def translate(self, sender: int, local: array[int]) -> array[int]:
        """A worker's numbers as ours."""
        numbers = self._local[sender]
        return array("I", [numbers[number] for number in local])

    def forget(self, sender: int) -> None:
        """Forget the counting of a sender that is not met again."""
        self._local.pop(sender, None)

    def take(self, trace: Any) -> array[int]:
        """Our numbers of a trace's inputs."""
        for name, shape in trace.shapes.items():
            self.shapes.setdefault(name, shape.record())
        inputs = trace.inputs.items()
        return array("I", [self._number(kind, encode_key(key), value) for (kind, key), value in inputs])

    def take_stale(self, numbers: array[int]) -> array[int]:
        """Inputs of a page that is left stale, with one that never verifies."""
        mark = self._number("part", encode_key(()), UNSURE)
        return numbers if mark in numbers else array("I", [*numbers, mark])

    def _number(self, kind: str, key: bytes, value: bytes) -> int:
        """One input has one digest, as a build shows one moment; unless somebody edits a file meanwhile."""
        name = _name(kind, key)
        number = self._ids.get(name)
        if number is None:
            number = self._find(kind, key, name)
        if self._differs(number, value):
            self._unsure.add(name)
            value = UNSURE
        self._now[number] = value
        return number

    def _find(self, kind: str, key: bytes, name: bytes) -> int:
        """The number that an input has in the manifest, or one that no other has."""
        if self._last is None:
            self._last = self._last_before = self._manifest.last_number
        if self._last_before:
            self._load(kind, key)
        number = self._ids.get(name)
        if number is None:
            self._last += 1
            number = self._ids[name] = self._last
        return number

    def _differs(self, number: int, value: bytes) -> bool:
        """Whether an input was read differently before, in this build or by what this build keeps."""
        now = self._now.get(number)
        if now is not None:
            return now != value
        before = self._before.get(number)
        return before is not None and before != value and self._is_relied(number)

    @property
    def unsure(self) -> set[tuple[str, Key]]:
        """(kind, key) of what changed while the build ran: whoever read it is stale in the next build."""
        return set(map(_input, self._unsure))

    def inputs_of(self, numbers: Iterable[int], kind: str | None = None) -> list[tuple[str, Key]]:
        """(kind, key) of the inputs with these numbers, in the order of the numbers; of one kind, or all."""
        wanted, start = frozenset(numbers), b"" if kind is None else kind.encode() + _BREAK
        found = {number: name for name, number in self._ids.items() if name.startswith(start) and number in wanted}
        for number, one, key, _ in self._manifest.input_rows(kind):
            if number in wanted:
                found[number] = _name(one, key)
        return [_input(name) for _, name in sorted(found.items())]

    def written(self, used: Collection[int]) -> Iterator[InputRow]:
        """The inputs to write, given the numbers that pages and units have."""
        for name, number in self._ids.items():
            value = self._now.get(number)
            if value is not None and number in used and self._before.get(number) != value:
                kind, _, key = name.partition(_BREAK)
                yield number, kind.decode(), key, value

    def dropped(self, used: Collection[int]) -> list[int]:
        """The numbers of the manifest's inputs that nobody has any more."""
        return [number for number in self._manifest.input_numbers() if number not in used]


def _name(kind: str, key: bytes) -> bytes:
    return kind.encode() + _BREAK + key


def _input(name: bytes) -> tuple[str, Key]:
    kind, _, key = name.partition(_BREAK)
    return kind.decode(), decode_key(key)
