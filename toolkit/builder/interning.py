"""Numbers for inputs: what the manifest had, what the workers met, made one counting."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from toolkit.builder.manifest import Manifest
from toolkit.builder.records import Key, decode_key

Input = tuple[str, Key, bytes]

UNSURE = b"?"
"""The digest of what was read differently in one build, because somebody changed it meanwhile: it verifies never."""


class Interning:
    """The inputs of all pages by number. The manifest's are read only when something changed.

    Args:
        manifest: The last build.
        relied: Gives the numbers of the manifest's inputs that kept pages and units rely on.

    Attributes:
        unsure: (kind, key) of what changed while the build ran: whoever read it is stale in the next build.
    """

    def __init__(self, manifest: Manifest, relied: Callable[[], set[int]]) -> None:
        self._manifest = manifest
        self._find_relied = relied
        self._relied: set[int] | None = None
        self.unsure: set[tuple[str, Key]] = set()
        self._before: dict[int, Input] | None = None
        self._ids: dict[tuple[str, Key], int] = {}
        self._now: dict[int, Input] = {}
        self._next = 1
        self._local: dict[int, dict[int, int]] = {}
        self.shapes: dict[str, Mapping[str, Any]] = {}

    def _load(self) -> None:
        if self._before is None:
            self._before = self._manifest.inputs()
            self._ids = {(kind, key): number for number, (kind, key, _) in self._before.items()}
            self._next = max(self._before, default=0) + 1

    def learn(self, batch: Any) -> None:
        """Take up the inputs and shapes that a worker met for the first time."""
        self._load()
        numbers = self._local.setdefault(batch.sender, {})
        for number, kind, key, value in batch.inputs:
            numbers[number] = self._number(kind, decode_key(key), value)
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
        self._load()
        for name, shape in trace.shapes.items():
            self.shapes.setdefault(name, shape.record())
        return array("I", [self._number(kind, key, value) for (kind, key), value in trace.inputs.items()])

    def take_stale(self, numbers: array[int]) -> array[int]:
        """Inputs of a page that is left stale, with one that never verifies."""
        self._load()
        mark = self._number("part", (), UNSURE)
        return numbers if mark in numbers else array("I", [*numbers, mark])

    def _number(self, kind: str, key: Key, value: bytes) -> int:
        """One input has one digest, as a build shows one moment; unless somebody edits a file meanwhile."""
        number = self._ids.get((kind, key))
        if number is None:
            number = self._ids[(kind, key)] = self._next
            self._next += 1
        if self._differs(number, value):
            self.unsure.add((kind, key))
            value = UNSURE
        self._now[number] = (kind, key, value)
        return number

    def _differs(self, number: int, value: bytes) -> bool:
        """Whether an input was read differently before, in this build or by what this build keeps."""
        now = self._now.get(number)
        if now is not None:
            return now[2] != value
        before = (self._before or {}).get(number)
        if before is None or before[2] == value:
            return False
        if self._relied is None:
            self._relied = self._find_relied()
        return number in self._relied

    def kinds(self) -> set[str]:
        """The kinds of input that this build met, or the last one."""
        self._load()
        return {item[0] for items in (self._before or {}, self._now) for item in items.values()}

    def keys_of(self, numbers: Iterable[int], kind: str) -> Iterator[tuple[str, Key]]:
        """The inputs of one kind among these numbers."""
        self._load()
        before = self._before or {}
        for number in numbers:
            found = self._now.get(number) or before[number]
            if found[0] == kind:
                yield found[0], found[1]

    def difference(self, used: set[int]) -> tuple[dict[int, Input], list[int]]:
        """(inputs to write, numbers to drop), given those that pages and units have."""
        before = self._before or {}
        written = {n: item for n, item in self._now.items() if n in used and before.get(n) != item}
        return written, [number for number in before if number not in used]

    def unused_shapes(self, used: Iterable[int], known: Iterable[str]) -> list[str]:
        """Shapes that no query of these inputs has any more."""
        needed = {key[0] for _, key in self.keys_of(used, "query")}
        return [name for name in known if name not in needed]
