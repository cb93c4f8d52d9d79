"""The working shore: lifeboat, nets, dredger, bathing steps and the lane above them."""

from __future__ import annotations

from collections.abc import Callable

from sheet import (
    BRICK,
    CORAL,
    DEEP,
    FOAM,
    HEIGHT,
    INK,
    MOSS,
    NAVY,
    OCHRE,
    PAPER,
    PLUM,
    ROSE,
    SAND,
    SEA,
    SLATE,
    STRAW,
    TEAL,
    WIDTH,
    Sheet,
)


def lifeboat(s: Sheet) -> None:
    s.sky("#9fb3b6", "#b3c3c2", "#c6d1cb", "#d5dbd0", horizon=440)
    s.ridge(400, 20, "#a9bab8", steps=5, flat=0.6)
    s.sea(430, "#7d9fa3", "#5e8b92", "#44757f", DEEP, count=50)
    for y, opacity in ((300, 0.5), (380, 0.4), (452, 0.3)):
        s.rect(-40, y, 760, 46, PAPER, rx=23, opacity=opacity)
        s.rect(560, y + 30, 700, 38, PAPER, rx=19, opacity=opacity)
    s.poly([(770, 330), (-20, 250), (-20, 420)], STRAW, opacity=0.3)
    s.path("M320 500Q560 470 1010 432Q990 520 930 568Q640 590 420 580Q350 560 320 500Z", NAVY)
    s.path("M320 500Q560 470 1010 432L1002 462Q600 504 334 526Z", CORAL)
    s.path("M480 482L520 380H800L850 456Z", OCHRE)
    s.path("M536 400H640V440L526 446ZM660 400H786L812 432L660 440Z", DEEP)
    s.rect(560, 344, 150, 40, PAPER, rx=6)
    s.stroke("M640 344V236M640 252l-70 92M640 252l90 92M610 268h60", INK, 5)
    s.circle(770, 346, 22, INK)
    s.circle(766, 344, 15, STRAW)
    s.stroke("M856 452l40 -40h70M896 412v36M930 412v32M966 412v26", PAPER, 5)
    for x, y in ((450, 492), (412, 498), (872, 452)):
        s.figure(x, y, 92, CORAL)
        s.path(f"M{x - 10} {y - 82}a10 11 0 0 1 20 0Z", STRAW)
    s.path("M0 610Q220 560 420 584T840 572T1200 580V675H0Z", "#3d6e78")
    s.stroke("M330 586q60 -26 120 -4t120 -2t120 0t120 -6t110 -22", FOAM, 9)
    s.stroke("M960 560q60 -40 130 -20M980 590q70 -30 160 -6M240 600q40 -20 80 -6", FOAM, 6)
    for x, y, hull in ((70, 520, CORAL), (190, 536, OCHRE)):
        s.path(f"M{x - 70} {y}q70 26 150 0q-20 24 -76 24t-74 -24Z", hull)
        s.path(f"M{x - 14} {y + 4}l6 -44q10 -10 20 0l6 44Z", TEAL)
        s.circle(x + 2, y - 52, 10, "#c98f6b")
        s.stroke(f"M{x - 50} {y - 44}L{x + 52} {y - 6}", INK, 5)
    s.gulls((980, 250, 20), (1060, 290, 14))
    s.specks(110, PAPER, opacity=0.3)


def sardines(s: Sheet) -> None:
    s.rect(0, 0, WIDTH, HEIGHT, "#28566a")
    for row in range(7):
        s.rect(0, row * 98, WIDTH, 92, ("#2d5f73", "#326779")[row % 2])
    for x0, y0, tilt in ((70, 70, -3), (640, 40, 4), (360, 370, -2)):
        s.parts.append(f'<g transform="rotate({tilt} {x0 + 250} {y0 + 120})">')
        s.rect(x0 + 10, y0 + 14, 500, 250, INK, opacity=0.3, rx=6)
        s.rect(x0, y0, 500, 250, "#a97848", rx=6)
        s.rect(x0 + 16, y0 + 16, 468, 218, "#dfe9e4")
        for row in range(5):
            for column in range(3):
                x, y = x0 + 26 + column * 152 + 8 * (row % 2), y0 + 38 + row * 43
                s.add("use", href="#sardine", transform=f"translate({x} {y})")
        for x in (x0, x0 + 484):
            s.rect(x, y0, 16, 250, "#8b5f38")
        s.parts.append("</g>")
    fish = Sheet("sardine")
    fish.path("M0 0Q50 -24 112 -2L142 -18L136 0L142 18L112 4Q50 24 0 0Z", "#8fb1ba")
    fish.path("M0 0Q50 -24 112 -2Q56 -4 0 0Z", NAVY)
    fish.path("M10 3Q60 20 112 4Q56 6 10 3Z", PAPER)
    fish.stroke("M24 -8q6 8 0 15", NAVY, 2.5)
    fish.circle(14, -2, 4, INK)
    s.parts.insert(0, f'<defs><g id="sardine">{"".join(fish.parts)}</g></defs>')
    for x, y in ((110, 470), (210, 560), (1000, 430), (1090, 540)):
        s.circle(x + 5, y + 7, 62, INK, opacity=0.25)
        s.circle(x, y, 62, STRAW)
        s.circle(x, y, 52, "#f6dd8c")
        s.stroke(f"M{x - 44} {y}h88M{x} {y - 44}v88M{x - 31} {y - 31}l62 62M{x + 31} {y - 31}l-62 62", STRAW, 5)
    leaves = "".join(
        f"M{x} {y}q26 -34 60 -18q-18 32 -60 18Z"
        for x, y in ((300, 620), (60, 380), (900, 330), (1120, 380), (950, 620))
    )
    s.path(leaves, MOSS)
    s.dashes(0, WIDTH, 20, 660, FOAM, 60, 0.12)


def dredger(s: Sheet) -> None:
    s.sky("#bfd2d0", "#cedbd2", "#e0e4d2", "#eee7ce", horizon=420)
    s.cloud(980, 100, 90, PAPER)
    s.ridge(370, 30, "#93aca4", steps=6)
    s.town(-8, 460, 430, low=60, high=130, lit=DEEP)
    s.sea(424, "#7aa9aa", SEA, "#45848c", TEAL, count=46)
    s.rect(-10, 424, 490, 18, SLATE)
    s.path("M420 500H1120L1090 590H460Z", NAVY)
    s.rect(420, 494, 700, 16, OCHRE)
    s.rect(900, 360, 170, 136, PAPER, rx=6)
    s.rect(920, 300, 120, 66, PAPER, rx=6)
    s.windows(934, 316, 3, 1, gap=(34, 0), size=(24, 26), fill=DEEP)
    s.windows(922, 392, 4, 2, gap=(36, 46), size=(20, 20), fill=TEAL)
    s.rect(1076, 330, 34, 166, CORAL)
    s.rect(1076, 350, 34, 14, INK)
    s.stroke("M560 494L640 180H700L760 494M594 360H738M616 276H722", BRICK, 9)
    s.stroke("M670 180L350 590", INK, 26)
    s.stroke("M670 180L350 590", SLATE, 16)
    for i in range(8):
        x, y = 640 - i * 40, 222 + i * 51
        s.path(f"M{x - 34} {y - 12}l46 -8l10 34q-26 22 -46 4Z", OCHRE)
        s.path(f"M{x - 34} {y - 12}l46 -8l4 10l-46 8Z", "#5b4a3a")
    s.path("M700 200L860 440l-26 16L690 236Z", "#8b6f52")
    s.path("M600 494q90 -84 220 -70t90 70Z", "#6e5842")
    s.path("M640 494q70 -50 150 -44t70 44Z", "#846b50")
    s.stroke("M808 452a20 20 0 1 0 0.1 0M862 462a20 20 0 1 0 0.1 0M828 470l18 -26l24 30", INK, 4)
    s.stroke("M240 640q50 -18 100 0t100 0t100 0t100 0t100 0t100 0t100 0t100 0", FOAM, 6)
    s.path("M0 675V640Q300 610 560 640T1200 636V675Z", DEEP)
    s.figure(520, 494, 92, CORAL)
    s.path("M510 412a10 11 0 0 1 20 0Z", STRAW)
    s.gulls((250, 190, 20), (320, 230, 14), (860, 220, 17), (480, 120, 15))
    s.specks(110, INK, y1=420, opacity=0.12)


def swimmers(s: Sheet) -> None:
    s.sky("#d9a58a", "#e6bd9d", "#f0d3b2", "#f6e4c8", horizon=330)
    s.sun(300, 250, 54, "#fdf1cc")
    s.ridge(300, 30, "#a18f8c", steps=6, flat=0.7)
    s.sea(330, "#7f9aa3", "#5f8993", "#457681", TEAL, DEEP, glints=ROSE, count=60)
    s.dashes(210, 400, 336, 480, "#fdf1cc", 40, 0.7)
    for x, y, r, cap in (
        (250, 470, 17, CORAL),
        (420, 430, 13, OCHRE),
        (560, 500, 22, TEAL),
        (360, 560, 28, STRAW),
        (660, 430, 13, PAPER),
    ):
        s.ellipse(x, y + r * 0.9, r * 2.6, r * 0.5, FOAM, opacity=0.5)
        s.path(f"M{x - r * 1.5:.0f} {y + r * 0.9:.0f}q{r * 1.5:.0f} {-r * 1.5:.0f} {r * 3} 0Z", "#b67a55")
        s.circle(x, y, r, "#c98f6b")
        s.path(f"M{x - r * 1.05:.0f} {y:.0f}a{r * 1.05:.0f} {r * 1.1:.0f} 0 0 1 {r * 2.1:.0f} 0Z", cap)
    s.poly([(760, 350), (1200, 330), (1200, 675), (700, 675)], "#8d8f8a")
    for i in range(6):
        s.poly(
            [(760 - i * 22, 384 + i * 46), (930, 380 + i * 46), (930, 402 + i * 46), (752 - i * 22, 406 + i * 46)],
            ("#a9aaa1", "#9a9c95")[i % 2],
        )
    s.poly([(930, 330), (1200, 316), (1200, 675), (930, 675)], "#777d7b")
    s.poly([(920, 318), (1200, 302), (1200, 328), (920, 342)], SAND)
    s.stroke("M770 350V300M700 560V480M770 300L700 480", INK, 7)
    s.rect(990, 372, 130, 90, INK, rx=6)
    s.stroke("M1012 402h46M1012 432h30M1076 402h22M1062 432h36", PAPER, 5)
    for x, y, h, coat, hair in (
        (860, 424, 120, CORAL, PLUM),
        (1010, 322, 130, NAVY, "#cfc8ba"),
        (1076, 318, 118, MOSS, INK),
    ):
        s.figure(x, y, h, coat, hair=hair)
    s.rect(1128, 286, 22, 28, TEAL, rx=5)
    s.stroke("M1139 276q-8 -14 2 -26q8 -12 0 -24", PAPER, 3, opacity=0.8)
    s.gulls((560, 190, 18), (630, 220, 13))
    s.specks(110, PLUM, y1=330, opacity=0.14)


def along(start: float, end: float) -> Callable[[float], float]:
    """A ruler: the point at a share of the way from start to end."""
    return lambda share: start + (end - start) * share


def lane(s: Sheet) -> None:
    s.rect(0, 0, WIDTH, HEIGHT, "#c9d8d2")
    s.cloud(600, 70, 70, PAPER)
    s.path("M470 330H730V240q-130 -40 -260 0Z", SEA)
    s.ridge(330, 6, "#b3a88d", steps=6)
    s.boat(610, 290, 52, CORAL)
    walls = (ROSE, PAPER, STRAW), ("#d9a98a", FOAM, SAND)
    for side in (0, 1):
        for i in range(3):
            near, far = 190 * i, 190 * (i + 1)
            x0, x1 = (near * 0.84, far * 0.84) if side == 0 else (WIDTH - near * 0.84, WIDTH - far * 0.84)
            top0, top1, low0, low1 = -150 + near * 0.6, -150 + far * 0.6, 675 - near * 0.6, 675 - far * 0.6
            s.poly([(x0, top0), (x1, top1), (x1, low1), (x0, low0)], walls[side][i])
            s.poly([(x0, top0 - 20), (x1, top1 - 20), (x1, top1 + 16), (x0, top0 + 16)], BRICK)
            at = along(x0, x1)
            for t in (0.16, 0.6):
                for share in (0.22, 0.46):
                    y = top0 + (low0 - top0) * share + 44 * (1 - 2 * share)
                    drop = (at(t + 0.22) - at(t)) * 0.4 * (1 if side == 0 else -1)
                    s.poly(
                        [
                            (at(t), y),
                            (at(t + 0.22), y + drop * 0.3),
                            (at(t + 0.22), y + 64 - 9 * i),
                            (at(t), y + 74 - 9 * i),
                        ],
                        TEAL if (i + side) % 2 else "#54656b",
                    )
            door = low0 + (low1 - low0) * 0.4
            s.poly(
                [
                    (at(0.34), door - 150 + 22 * i),
                    (at(0.56), door - 156 + 22 * i),
                    (at(0.56), door - 20),
                    (at(0.34), door + 8),
                ],
                NAVY,
            )
            s.poly(
                [
                    (at(0.66), door - 100 + 14 * i),
                    (at(0.78), door - 104 + 14 * i),
                    (at(0.78), door - 76 + 12 * i),
                    (at(0.66), door - 70 + 12 * i),
                ],
                CORAL,
            )
    s.poly([(0, 675), (478, 334), (722, 334), (1200, 675)], "#b9ad93")
    for i in range(9):
        y = 346 + i * i * 4.6
        spread = (y - 334) * 1.4
        s.stroke(f"M{478 - spread:.0f} {y:.0f}Q600 {y + 14:.0f} {722 + spread:.0f} {y:.0f}", "#9d9279", 3)
    s.stroke("M240 120Q600 230 960 120", INK, 2)
    for x, y, fill in ((360, 152, PAPER), (470, 170, CORAL), (590, 176, OCHRE), (700, 172, PAPER)):
        s.path(f"M{x} {y}h50l-4 66h-42Z", fill)
    s.ellipse(614, 610, 60, 10, INK, opacity=0.3)
    s.figure(610, 610, 210, DEEP, skin="#8d5b3f")
    s.path("M590 412q20 -20 42 0l10 6h-54Z", CORAL)
    s.path("M632 500l44 -4l6 60l-50 6Z", OCHRE)
    s.stroke("M590 470L650 502", OCHRE, 7)
    s.path("M470 560q4 -26 26 -22l8 -10l4 14q14 10 8 30q20 4 22 -14q8 26 -26 24h-40Z", INK)
    s.specks(120, INK, opacity=0.12)
