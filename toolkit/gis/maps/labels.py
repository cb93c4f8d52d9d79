"""Where names stand on a map, so that none covers another (a greedy choice of fixed places)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

FONT_SIZE = 13.0
_GAP = 6.0
_LINE = 1.25


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """Square pixels that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return width * height if width > 0 and height > 0 else 0.0

    def within(self, other: Box) -> bool:
        """Whether the whole of it lies in the other."""
        return (
            other.left <= self.left
            and other.top <= self.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


@dataclass(frozen=True, slots=True)
class Request:
    """A name that wants a place.

    Args:
        text: The name.
        x: Where its thing is, in pixels.
        y: The same.
        clear: Pixels around (x, y) that its own mark takes; 0 centres the name on the place.
        kind: Class of the shape it names.
        needed: It must stand somewhere, even where it covers another.
    """

    text: str
    x: float
    y: float
    clear: float
    kind: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A name with its place.

    Args:
        request: What was asked.
        x: Anchor of the text, in pixels.
        y: Its baseline.
        side: Where the text lies from the anchor: ``"right"``, ``"left"`` or ``"middle"``.
        box: What it covers.
    """

    request: Request
    x: float
    y: float
    side: str
    box: Box

    @property
    def direction(self) -> str:
        """``"rtl"`` for a name in Arabic, Hebrew and the like."""
        return "rtl" if is_right_to_left(self.request.text) else "ltr"

    @property
    def anchor(self) -> str:
        """SVG's ``text-anchor``, which counts from where reading begins."""
        if self.side == "middle":
            return "middle"
        return "start" if (self.side == "right") == (self.direction == "ltr") else "end"


@dataclass(slots=True)
class Board:
    """What is taken already.

    Args:
        frame: Where names must stay.
        taken: Boxes of marks and of names placed before.
    """

    frame: Box
    taken: list[Box] = field(default_factory=list)

    def place(self, request: Request, *, prefer: str = "right") -> Placed | None:
        """A place for a name, or None when every one of its places is taken.

        Args:
            request: The name.
            prefer: The side to try first: ``"right"``, or ``"left"`` where reading begins on the right.
        """
        candidates = list(_candidates(request, prefer))
        costs = [self._cost(candidate) for candidate in candidates]
        best = min(range(len(candidates)), key=costs.__getitem__)
        if costs[best] > 0 and not request.needed:
            return None
        self.taken.append(candidates[best].box)
        return candidates[best]

    def _cost(self, candidate: Placed) -> float:
        outside = 0.0 if candidate.box.within(self.frame) else 1e6
        return outside + sum(candidate.box.overlap(box) for box in self.taken)


def place_all(requests: Sequence[Request], board: Board, *, prefer: str = "right") -> list[Placed]:
    """Places for as many names as find one, those that come first choosing first; equal names stand once."""
    placed: list[Placed] = []
    seen: set[str] = set()
    for request in requests:
        if request.text in seen:
            continue
        found = board.place(request, prefer=prefer)
        if found is not None:
            placed.append(found)
            seen.add(request.text)
    return placed


def _candidates(request: Request, prefer: str) -> Iterator[Placed]:
    width, height = text_width(request.text), FONT_SIZE * _LINE
    x, y, away = request.x, request.y, request.clear + _GAP
    middle = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if not request.clear:
        for shift in (0.0, -height, height):
            yield _placed(request, x, "middle", middle, 0.0, shift)
        return
    right = _placed(request, x + away, "right", Box(x + away, middle.top, x + away + width, middle.bottom))
    left = _placed(request, x - away, "left", Box(x - away - width, middle.top, x - away, middle.bottom))
    yield from (right, left) if prefer == "right" else (left, right)
    for shift in (-away - height / 4, away + height / 4):
        yield _placed(request, x, "middle", middle, 0.0, shift)


def _placed(request: Request, x: float, side: str, box: Box, right: float = 0.0, down: float = 0.0) -> Placed:
    moved = Box(box.left + right, box.top + down, box.right + right, box.bottom + down)
    return Placed(request, x + right, request.y + down + FONT_SIZE * 0.35, side, moved)


def text_width(text: str, *, size: float = FONT_SIZE) -> float:
    """About how wide a text is in pixels, a little generously: there is no font at build time."""
    return size * sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    if letter in " .,:;'’|!ijlIJ":
        return 0.34
    return 0.72 if letter.isupper() or letter in "mwMW@%" else 0.58


def is_right_to_left(text: str) -> bool:
    """Whether the first letter with a direction is written from right to left (Unicode UAX 9, P2)."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False
