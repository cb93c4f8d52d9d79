"""The emblem, the wordmark and the favicon."""

# ruff: noqa: E501 - path data reads better on one line

from __future__ import annotations

from sheet import CORAL, NAVY, PAPER, SEA, STRAW, TEAL, Sheet, number


def emblem(s: Sheet, x: float, y: float, r: float) -> None:
    """The Courier's mark: the lighthouse, its beam and three waves in a disc.

    Args:
        x: The centre, in pixels.
        y: The centre, in pixels.
        r: The radius, in pixels.
    """
    k = r / 100
    part = Sheet("emblem")
    part.circle(0, 0, 100, NAVY)
    part.poly([(0, -46), (-98, -22), (-92, -66)], STRAW, opacity=0.85)
    part.poly([(0, -46), (98, -22), (92, -66)], STRAW, opacity=0.85)
    part.poly([(-17, 44), (-11, -34), (11, -34), (17, 44)], PAPER)
    part.poly([(-14.6, 14), (-12.8, -10), (12.8, -10), (14.6, 14)], CORAL)
    part.rect(-15, -38, 30, 6, PAPER)
    part.rect(-9, -56, 18, 18, STRAW)
    part.path("M-14 -56q14 -24 28 0Z", CORAL)
    part.path("M-90 44q15 -14 30 0t30 0t30 0t30 0t30 0t30 0A100 100 0 0 1 -90 44Z", TEAL)
    part.path("M-77 64q13 -12 26 0t26 0t26 0t26 0t26 0t24 0A100 100 0 0 1 -77 64Z", SEA)
    s.parts.append(f'<g transform="translate({number(x)} {number(y)}) scale({k:.3f})">' + "".join(part.parts) + "</g>")


def logo() -> Sheet:
    """The wordmark beside the emblem, for a light ground."""
    s = Sheet("logo", width=640, height=120)
    emblem(s, 60, 60, 54)
    s.parts.append(
        f'<text x="136" y="44" font-family="Georgia, \'Times New Roman\', serif" font-size="25" letter-spacing="5" fill="{TEAL}">THE ALDER BAY</text>'
        f'<text x="133" y="100" font-family="Georgia, \'Times New Roman\', serif" font-size="64" font-weight="700" fill="{NAVY}">Courier</text>'
    )
    s.stroke("M398 91H620M398 99H620", CORAL, 2)
    return s


def favicon() -> Sheet:
    s = Sheet("favicon", width=64, height=64)
    emblem(s, 32, 32, 32)
    return s
