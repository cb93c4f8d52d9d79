"""The drawing board: the palette, and a sheet that collects shapes back to front."""

# ruff: noqa: E501 - path data reads better on one line

from __future__ import annotations

import random
from collections.abc import Iterable

WIDTH, HEIGHT = 1200, 675

INK, NAVY, DEEP, TEAL, SEA, FOAM = "#12222f", "#1b3448", "#1f4a5c", "#2b6b78", "#5d9ea0", "#b9d8cf"
PAPER, SAND, STRAW, OCHRE, CORAL, BRICK = "#f7f0e2", "#ead9b8", "#f0c97a", "#dd9a3a", "#d4613f", "#9c3f2e"
ROSE, MOSS, LEAF, SLATE, PLUM = "#ecc2a4", "#4d6b4a", "#8aa566", "#6f8591", "#5a3a4a"
WALLS = (PAPER, SAND, ROSE, STRAW, "#d9a98a", FOAM)

Point = tuple[float, float]


def number(value: float) -> str:
    """A coordinate with one decimal at most: half the bytes, and nobody sees the difference."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


class Sheet:
    """One picture: shapes are added back to front."""

    def __init__(self, name: str, *, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.chance = random.Random(name)
        self.width, self.height = width, height
        self.parts: list[str] = []

    def add(self, tag: str, **attributes: float | str | None) -> None:
        """Add an element; underscores in names become hyphens, numbers are rounded, None is left out."""
        pairs = [
            f'{key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, int | float) else value}"'
            for key, value in attributes.items()
            if value is not None
        ]
        self.parts.append(f"<{tag} {' '.join(pairs)}/>")

    def rect(self, x: float, y: float, w: float, h: float, fill: str, **more: float | str | None) -> None:
        self.add("rect", x=x, y=y, width=w, height=h, fill=fill, **more)

    def circle(self, x: float, y: float, r: float, fill: str, **more: float | str | None) -> None:
        self.add("circle", cx=x, cy=y, r=r, fill=fill, **more)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: str, **more: float | str | None) -> None:
        self.add("ellipse", cx=x, cy=y, rx=rx, ry=ry, fill=fill, **more)

    def path(self, d: str, fill: str = "none", **more: float | str | None) -> None:
        self.add("path", d=d, fill=fill, **more)

    def poly(self, points: Iterable[Point], fill: str, **more: float | str | None) -> None:
        self.path("M" + " ".join(f"{number(x)} {number(y)}" for x, y in points) + "Z", fill, **more)

    def stroke(self, d: str, colour: str, width: float = 3, **more: float | str | None) -> None:
        self.add("path", d=d, fill="none", stroke=colour, stroke_width=width, stroke_linecap="round", **more)

    def ridge(self, y: float, height: float, fill: str, *, steps: int = 6, flat: float = 0) -> None:
        """A rolling silhouette that fills everything below it.

        Args:
            y: The mean height of the line, in pixels from the top.
            height: How far hills rise above and fall below it.
            steps: Hills across the sheet.
            flat: Where between 0 and 1 the land has come down to its mean height; 0 is nowhere.
        """
        step = self.width / steps
        heights = [y + self.chance.uniform(-height, height) for _ in range(steps + 1)]
        if flat:
            heights = [h if i / steps < flat else y + height for i, h in enumerate(heights)]
        d = f"M0 {self.height}V{number(heights[0])}"
        for i in range(steps):
            x, half = i * step, step / 2
            d += (
                f"C{number(x + half)} {number(heights[i])} {number(x + half)} {number(heights[i + 1])} "
                f"{number(x + step)} {number(heights[i + 1])}"
            )
        self.path(d + f"V{self.height}Z", fill)

    def sky(self, *colours: str, horizon: float = 430) -> None:
        """Flat bands from the top to the horizon, each with a soft wave for an edge."""
        self.rect(0, 0, self.width, self.height, colours[0])
        for i, colour in enumerate(colours[1:], 1):
            y = horizon * i / len(colours)
            self.ridge(y, 14, colour, steps=3)

    def sun(self, x: float, y: float, r: float, fill: str) -> None:
        for ring, opacity in ((2.6, 0.1), (1.9, 0.16), (1.4, 0.25)):
            self.circle(x, y, r * ring, fill, opacity=opacity)
        self.circle(x, y, r, fill)

    def cloud(self, x: float, y: float, size: float, fill: str, opacity: float = 0.8) -> None:
        """Three lozenges, a flat Atlantic cloud."""
        for dx, dy, w in ((0, 0, 2.6), (0.5, -0.32, 1.5), (-0.5, 0.3, 2.0)):
            self.rect(
                x + dx * size - w * size / 2,
                y + dy * size,
                w * size,
                size * 0.34,
                fill,
                rx=size * 0.17,
                opacity=opacity,
            )

    def dashes(self, x0: float, x1: float, y0: float, y1: float, colour: str, count: int, opacity: float = 0.5) -> None:
        """Short level strokes, longer towards the viewer: water, grass or cobbles."""
        d = ""
        for _ in range(count):
            depth = self.chance.random() ** 1.4
            x, y = self.chance.uniform(x0, x1), y0 + (y1 - y0) * depth
            d += f"M{x:.0f} {y:.0f}h{12 + 46 * depth * self.chance.random():.0f}"
        self.stroke(d, colour, 3, opacity=opacity)

    def specks(self, count: int, colour: str, *, y0: float = 0, y1: float = HEIGHT, opacity: float = 0.18) -> None:
        """The grain of the paper: dots of two sizes in one path."""
        d = "".join(
            f"M{self.chance.uniform(0, self.width):.0f} {self.chance.uniform(y0, y1):.0f}h{self.chance.choice('012')}"
            for _ in range(count)
        )
        self.stroke(d, colour, 2, opacity=opacity)

    def gulls(self, *spots: tuple[float, float, float], colour: str = INK) -> None:
        d = "".join(
            f"M{number(x - s)} {number(y - s * 0.3)}q{number(s * 0.6)} {number(-s * 0.3)} {number(s)} {number(s * 0.3)}"
            f"q{number(s * 0.4)} {number(-s * 0.6)} {number(s)} {number(-s * 0.3)}"
            for x, y, s in spots
        )
        self.stroke(d, colour, 3.5)

    def sea(self, y: float, *colours: str, glints: str = FOAM, count: int = 40) -> None:
        for i, colour in enumerate(colours):
            top = y + (self.height - y) * (i / len(colours)) ** 1.3
            if i:
                self.ridge(top, 6, colour, steps=9)
            else:
                self.rect(0, top, self.width, self.height - top, colour)
        self.dashes(0, self.width, y + 10, self.height - 8, glints, count, 0.45)

    def windows(
        self,
        x: float,
        y: float,
        columns: int,
        rows: int,
        *,
        gap: Point,
        size: Point,
        fill: str,
        rx: float = 2,
    ) -> None:
        """A grid of panes as one path. Panes with a radius get an arched head."""
        w, h = size
        d = ""
        for row in range(rows):
            for column in range(columns):
                left, top = x + column * gap[0], y + row * gap[1]
                head = f"a{number(w / 2)} {number(w / 2)} 0 0 1 {number(w)} 0" if rx > 2 else f"h{number(w)}"
                d += f"M{number(left)} {number(top)}{head}v{number(h)}h{number(-w)}Z"
        self.path(d, fill)

    def town(self, x0: float, x1: float, base: float, *, low: float, high: float, lit: str, roof: str = BRICK) -> None:
        """A row of tall harbour houses with pitched roofs and a window or six."""
        x, roofs, panes = x0, "", ""
        while x < x1:
            w, h = self.chance.randrange(46, 84, 2), self.chance.randrange(int(low), int(high))
            self.rect(x, base - h, w, h, self.chance.choice(WALLS))
            pitch = self.chance.randrange(18, 34)
            roofs += f"M{x - 3:g} {base - h:g}l{w / 2 + 3:g} {-pitch}l{w / 2 + 3:g} {pitch}Z"
            for row in range(max(1, h // 40)):
                for column in range(max(1, w // 24)):
                    panes += f"M{x + 10 + column * 23:g} {base - h + 14 + row * 38:g}h11v18h-11Z"
            x += w
        self.path(roofs, roof)
        self.path(panes, lit)

    def figure(self, x: float, y: float, h: float, coat: str, *, skin: str = "#c98f6b", hair: str = INK) -> None:
        """A standing person whose feet are at (x, y) and whose height is h."""
        self.path(
            f"M{number(x - h * 0.07)} {number(y)}l{number(h * 0.01)} {number(-h * 0.45)}h{number(h * 0.12)}"
            f"l{number(h * 0.01)} {number(h * 0.45)}h{number(-h * 0.05)}l{number(-h * 0.02)} {number(-h * 0.34)}"
            f"l{number(-h * 0.02)} {number(h * 0.34)}Z",
            INK,
        )
        self.path(
            f"M{number(x - h * 0.13)} {number(y - h * 0.36)}L{number(x - h * 0.1)} {number(y - h * 0.72)}"
            f"q{number(h * 0.1)} {number(-h * 0.1)} {number(h * 0.2)} 0L{number(x + h * 0.13)} {number(y - h * 0.36)}Z",
            coat,
        )
        self.circle(x, y - h * 0.87, h * 0.085, skin)
        self.path(
            f"M{number(x - h * 0.09)} {number(y - h * 0.87)}a{number(h * 0.09)} {number(h * 0.1)} 0 0 1 {number(h * 0.18)} 0Z",
            hair,
        )

    def diamonds(self, spots: Iterable[Point], r: float, fill: str, opacity: float) -> None:
        """Tiles standing on a corner, as one path."""
        n = number(r)
        d = "".join(f"M{number(x)} {number(y - r)}l{n} {n}l-{n} {n}l-{n} -{n}Z" for x, y in spots)
        self.path(d, fill, opacity=opacity)

    def boat(self, x: float, y: float, size: float, hull: str, *, mast: bool = True) -> None:
        """A small fishing boat seen from the side, its waterline at y."""
        s = size
        if mast:
            self.stroke(
                f"M{number(x - s * 0.1)} {number(y - s * 0.3)}v{number(-s)}l{number(s * 0.5)} {number(s * 0.75)}",
                INK,
                3,
            )
        self.rect(x - s * 0.42, y - s * 0.52, s * 0.4, s * 0.32, PAPER)
        self.rect(x - s * 0.36, y - s * 0.46, s * 0.14, s * 0.12, NAVY)
        self.path(
            f"M{number(x - s * 0.8)} {number(y - s * 0.26)}h{number(s * 1.3)}q{number(s * 0.2)} {number(-s * 0.02)} {number(s * 0.36)} {number(-s * 0.12)}"
            f"q{number(-s * 0.1)} {number(s * 0.34)} {number(-s * 0.34)} {number(s * 0.38)}h{number(-s * 1.14)}Z",
            hull,
        )
        self.ellipse(x, y + s * 0.05, s * 0.8, s * 0.05, INK, opacity=0.3)

    def svg(self) -> str:
        """The finished document, one element a line."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}">'
        return "\n".join([head, *self.parts, "</svg>", ""])
