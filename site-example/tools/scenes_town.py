"""The town, its streets and its rooms."""

# ruff: noqa: E501 - path data reads better on one line

from __future__ import annotations

import math

from sheet import (
    BRICK,
    CORAL,
    DEEP,
    FOAM,
    HEIGHT,
    INK,
    LEAF,
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
    number,
)


def tram(s: Sheet) -> None:
    s.rect(0, 0, WIDTH, HEIGHT, "#cfe0d8")
    s.sun(1010, 120, 46, "#f7e3b0")
    s.cloud(250, 96, 80, PAPER)
    s.town(-8, 1210, 470, low=170, high=330, lit=DEEP, roof=BRICK)
    s.rect(0, 150, WIDTH, 320, "#cfe0d8", opacity=0.28)
    s.rect(0, 466, WIDTH, 210, "#8d9591")
    s.rect(0, 466, WIDTH, 16, "#a9afa6")
    s.dashes(0, WIDTH, 490, 665, "#757f7e", 30, 0.7)
    s.stroke("M0 606H1200M0 640H1200", INK, 5)
    s.stroke("M0 176H1200", INK, 2.5)
    s.stroke("M700 262l-46 -44l50 -42h-66h132", INK, 5)
    s.rect(250, 262, 760, 320, CORAL, rx=34)
    s.rect(250, 400, 760, 118, PAPER)
    s.rect(250, 508, 760, 14, BRICK)
    s.rect(250, 286, 760, 118, BRICK, opacity=0.35)
    for x in range(282, 930, 102):
        s.rect(x, 296, 82, 118, "#234b5b", rx=8)
        s.poly([(x + 10, 404), (x + 46, 304), (x + 62, 304), (x + 26, 404)], FOAM, opacity=0.25)
    for x, coat in ((324, OCHRE), (425, FOAM), (640, ROSE), (732, MOSS)):
        s.circle(x, 356, 17, "#d8a37c")
        s.path(f"M{x - 27} 414q0 -40 27 -40t27 40Z", coat)
    s.rect(520, 292, 84, 270, NAVY, rx=6)
    s.rect(528, 302, 32, 250, "#3d6a78")
    s.rect(564, 302, 32, 250, "#3d6a78")
    s.rect(560, 238, 140, 26, INK, rx=6)
    s.rect(840, 440, 120, 40, NAVY, rx=6)
    s.stroke("M860 460h26M900 460h40", STRAW, 6)
    for x in (360, 450, 810, 900):
        s.circle(x, 590, 30, INK)
        s.circle(x, 590, 12, SLATE)
    s.rect(300, 566, 660, 24, INK)
    s.circle(984, 470, 14, STRAW)
    s.figure(1090, 622, 190, DEEP, skin="#8d5b3f")
    s.figure(1146, 634, 168, OCHRE, hair=BRICK)
    s.figure(132, 628, 182, MOSS, skin="#d8a37c", hair="#cfc8ba")
    s.specks(40, PAPER)


def market_hall(s: Sheet) -> None:
    s.sky("#bcd6d6", "#cfe0d8", "#e4e7d4", horizon=420)
    s.cloud(170, 110, 84, PAPER)
    s.cloud(1040, 150, 70, PAPER)
    s.town(-10, 190, 520, low=150, high=210, lit=DEEP)
    s.town(1010, 1210, 520, low=150, high=220, lit=DEEP)
    s.path("M180 560V320Q600 -30 1020 320V560Z", DEEP)
    s.path("M206 560V332Q600 10 994 332V560Z", "#dfead9")
    for i in range(1, 12):
        angle = math.pi * i / 12
        s.stroke(
            f"M600 560L{number(600 - 470 * math.cos(angle))} {number(560 - 420 * math.sin(angle))}",
            TEAL,
            4,
            opacity=0.75,
        )
    s.stroke("M330 560V384Q600 160 870 384V560M450 560V430Q600 300 750 430V560", TEAL, 7)
    s.path("M206 332Q600 10 994 332V300Q600 -40 206 300Z", DEEP)
    s.rect(520, 92, 160, 74, DEEP)
    s.circle(600, 128, 30, PAPER)
    s.stroke("M600 128v-18M600 128l14 8", INK, 4)
    s.poly([(510, 94), (600, 40), (690, 94)], BRICK)
    s.rect(540, 470, 120, 96, NAVY, rx=4)
    s.rect(0, 556, WIDTH, 120, SAND)
    s.dashes(0, WIDTH, 570, 670, OCHRE, 50, 0.4)
    for x, stripe in ((60, CORAL), (300, TEAL), (690, OCHRE), (930, MOSS)):
        for i in range(6):
            left = x + i * 35
            s.path(f"M{left} 452h35v58a17.5 15 0 0 1 -35 0Z", stripe if i % 2 == 0 else PAPER)
        s.rect(x + 6, 510, 8, 100, INK)
        s.rect(x + 196, 510, 8, 100, INK)
        s.rect(x - 4, 586, 218, 46, "#8b6243")
        fruit = s.chance.choice((CORAL, OCHRE)), s.chance.choice((LEAF, STRAW))
        for i in range(10):
            s.circle(x + 12 + i * 21, 582 - (i % 2) * 7, 13, fruit[i // 5])
    s.figure(590, 634, 150, BRICK, skin="#d8a37c")
    s.figure(640, 640, 138, TEAL, skin="#8d5b3f", hair=PLUM)
    s.figure(258, 640, 152, OCHRE, hair="#cfc8ba")
    s.gulls((420, 84, 16), (800, 64, 20))
    s.specks(90, INK, y1=420, opacity=0.12)


def town_hall(s: Sheet) -> None:
    s.sky("#b6cfd2", "#cbdcd4", "#e2e5d2", "#efe9d2", horizon=470)
    s.cloud(210, 130, 90, PAPER)
    s.cloud(1000, 100, 76, PAPER)
    s.town(-6, 220, 540, low=180, high=250, lit=DEEP)
    s.town(990, 1210, 540, low=180, high=250, lit=DEEP)
    s.rect(220, 280, 760, 270, SAND)
    s.rect(220, 280, 760, 18, "#cdb98f")
    s.poly([(205, 282), (250, 226), (950, 226), (995, 282)], SLATE)
    s.rect(520, 110, 160, 440, "#f1e4c8")
    s.poly([(508, 112), (600, 20), (692, 112)], TEAL)
    s.rect(508, 108, 184, 14, "#cdb98f")
    s.circle(600, 180, 46, INK)
    s.circle(600, 180, 39, PAPER)
    s.stroke("M600 180V152M600 180l22 12", INK, 5)
    s.windows(252, 334, 4, 1, gap=(66, 0), size=(36, 66), fill=DEEP, rx=9)
    s.windows(708, 334, 4, 1, gap=(66, 0), size=(36, 66), fill=DEEP, rx=9)
    s.windows(252, 446, 4, 1, gap=(66, 0), size=(36, 60), fill=NAVY)
    s.windows(708, 446, 4, 1, gap=(66, 0), size=(36, 60), fill=NAVY)
    s.windows(546, 268, 2, 1, gap=(64, 0), size=(44, 74), fill=DEEP, rx=9)
    s.rect(500, 352, 200, 12, "#cdb98f")
    for x in (512, 556, 632, 676):
        s.rect(x, 364, 16, 180, PAPER)
    s.path("M572 548V452a28 30 0 0 1 56 0V548Z", BRICK)
    for i in range(4):
        s.rect(470 - i * 26, 540 + i * 15, 260 + i * 52, 16, PAPER if i % 2 else "#ddd0b2")
    s.rect(0, 596, WIDTH, 80, "#b7ab8c")
    s.dashes(0, WIDTH, 606, 670, PAPER, 50, 0.5)
    for x, fill in ((420, CORAL), (780, TEAL)):
        s.stroke(f"M{x} 282V190", INK, 4)
        s.path(f"M{x} 190q26 -14 44 0t40 0v38q-22 14 -40 0t-44 0Z", fill)
    for x, h, coat, hair in (
        (330, 128, NAVY, INK),
        (372, 120, BRICK, "#cfc8ba"),
        (840, 126, MOSS, INK),
        (905, 118, OCHRE, PLUM),
        (160, 120, TEAL, INK),
    ):
        s.figure(x, 652, h, coat, hair=hair)
    s.gulls((350, 90, 18), (820, 160, 16))
    s.specks(100, INK, y1=500, opacity=0.1)


def school(s: Sheet) -> None:
    s.sky("#c5dcd6", "#d7e4d6", "#ebe9d3", horizon=430)
    s.cloud(1010, 90, 80, PAPER)
    s.cloud(140, 150, 60, PAPER)
    s.ridge(410, 40, "#a9bf94", steps=5)
    s.rect(290, 250, 620, 280, ROSE)
    s.poly([(270, 252), (330, 190), (870, 190), (930, 252)], BRICK)
    s.rect(520, 170, 160, 360, "#e2b08e")
    s.poly([(505, 172), (600, 92), (695, 172)], BRICK)
    s.circle(600, 206, 32, PAPER)
    s.stroke("M600 206v-20M600 206h14", INK, 4)
    for x in (322, 714):
        s.windows(x, 296, 3, 2, gap=(62, 118), size=(42, 66), fill=DEEP, rx=9)
    s.windows(548, 286, 2, 1, gap=(60, 0), size=(44, 56), fill=DEEP, rx=9)
    s.path("M556 530V424a44 44 0 0 1 88 0V530Z", TEAL)
    s.stroke("M600 384V530", NAVY, 4)
    s.rect(0, 520, WIDTH, 160, "#c9bd96")
    s.dashes(0, WIDTH, 540, 668, PAPER, 40, 0.5)
    for x, h in ((110, 280), (1080, 310)):
        s.rect(x - 11, 540 - h * 0.5, 22, h * 0.5, "#7a5a43")
        s.circle(x, 540 - h * 0.72, h * 0.3, MOSS)
        s.circle(x - h * 0.16, 540 - h * 0.56, h * 0.2, "#5d7d55")
        s.circle(x + h * 0.17, 540 - h * 0.6, h * 0.22, LEAF)
    for x, fill, glyph in ((236, CORAL, "A"), (600, OCHRE, "Ñ"), (958, TEAL, "ع")):
        y = 300 if x != 600 else 372
        s.path(f"M{x - 56} {y}a56 46 0 1 1 60 46l-18 30v-32a56 46 0 0 1 -42 -44Z", fill)
        s.parts.append(
            f'<text x="{x}" y="{y + 20}" font-family="Georgia, serif" font-size="58" font-weight="700" text-anchor="middle" fill="{PAPER}">{glyph}</text>'
        )
    for x, h, coat, skin, hair in (
        (210, 150, OCHRE, "#8d5b3f", INK), (280, 138, TEAL, "#d8a37c", BRICK), (560, 142, CORAL, "#c98f6b", INK),
        (628, 150, MOSS, "#8d5b3f", INK), (930, 146, NAVY, "#d8a37c", OCHRE), (1000, 136, BRICK, "#c98f6b", PLUM),
    ):  # fmt: skip
        s.figure(x, 628, h, coat, skin=skin, hair=hair)
    s.specks(90, INK, y1=500, opacity=0.12)


def hospital(s: Sheet) -> None:
    s.sky("#f0c9a5", "#f4d8b5", "#f7e6c9", horizon=420)
    s.sun(960, 300, 70, "#fcefc8")
    s.cloud(260, 120, 84, PAPER, 0.7)
    s.ridge(380, 36, "#b7a58c", steps=5)
    s.rect(180, 220, 560, 340, PAPER)
    s.rect(170, 204, 580, 20, TEAL)
    s.rect(740, 320, 300, 240, "#eadfc6")
    s.rect(732, 306, 316, 18, TEAL)
    s.windows(214, 254, 8, 3, gap=(64, 84), size=(40, 52), fill="#3c6c78")
    s.windows(772, 350, 4, 1, gap=(66, 0), size=(44, 70), fill=STRAW, rx=9)
    s.rect(412, 130, 96, 96, CORAL, rx=14)
    s.path("M448 146h24v20h20v24h-20v20h-24v-20h-20v-24h20Z", PAPER)
    s.path("M840 560V470a50 46 0 0 1 100 0V560Z", DEEP)
    s.stroke("M890 424V560", FOAM, 4)
    s.rect(0, 556, WIDTH, 120, LEAF)
    s.path("M700 675Q800 600 846 558H934Q920 610 960 675Z", SAND)
    s.dashes(0, 690, 580, 668, MOSS, 40, 0.5)
    for x, h in ((90, 270), (1120, 250)):
        s.rect(x - 9, 560 - h * 0.5, 18, h * 0.5, "#7a5a43")
        s.circle(x, 560 - h * 0.66, h * 0.28, MOSS)
        s.circle(x + h * 0.12, 560 - h * 0.54, h * 0.2, "#6d8c56")
    s.figure(860, 640, 176, CORAL, skin="#a06a48")
    s.figure(922, 644, 184, NAVY, skin="#c98f6b")
    s.ellipse(884, 552, 26, 15, PAPER)
    s.circle(866, 548, 11, "#b67a55")
    s.gulls((640, 130, 18), (700, 160, 13))
    s.specks(100, BRICK, y1=400, opacity=0.14)


def engine(s: Sheet) -> None:
    s.sky("#d9b48c", "#e4c6a0", "#eedab8", horizon=430)
    s.cloud(880, 110, 90, PAPER, 0.6)
    s.town(-8, 1210, 480, low=120, high=240, lit="#6a4a3f", roof=PLUM)
    s.rect(0, 200, WIDTH, 290, "#e4c6a0", opacity=0.35)
    s.rect(0, 476, WIDTH, 200, "#8d8a80")
    s.dashes(0, WIDTH, 500, 664, "#a8a598", 60, 0.7)
    s.path("M180 560V330a24 24 0 0 1 24 -24H790V270h150q40 0 56 40l44 110q20 6 20 30V560Z", CORAL)
    s.rect(180, 500, 880, 26, PAPER)
    s.rect(810, 300, 76, 100, DEEP, rx=6)
    s.path("M904 300h40q16 0 24 20l30 80h-94Z", DEEP)
    s.windows(220, 350, 5, 1, gap=(108, 0), size=(88, 110), fill=BRICK)
    s.stroke("M230 410h70M338 410h70M446 410h70M554 410h70M662 410h70", PAPER, 5, opacity=0.6)
    s.rect(210, 268, 600, 14, SLATE)
    s.stroke("M230 262H800" + "".join(f"M{x} 250v26" for x in range(240, 800, 40)) + "M230 288H800", INK, 5)
    s.rect(830, 250, 70, 20, TEAL, rx=8)
    s.circle(848, 250, 10, FOAM)
    for x in (330, 880):
        s.circle(x, 566, 58, INK)
        s.circle(x, 566, 26, SLATE)
    s.circle(1036, 470, 14, STRAW)
    for x, h, skin, hair in ((1120, 214, "#c98f6b", INK), (90, 206, "#8d5b3f", INK)):
        s.figure(x, 640, h, OCHRE, skin=skin, hair=hair)
        s.stroke(f"M{x - 25} {640 - h * 0.45:.0f}h50", PAPER, 8)
        s.path(f"M{x - 24} {640 - h * 0.88:.0f}a24 24 0 0 1 48 0h8v6h-62v-6Z", CORAL)
    s.specks(120, INK, opacity=0.12)


def bakery(s: Sheet) -> None:
    s.rect(0, 0, WIDTH, HEIGHT, "#e9d6ae")
    for parity, fill in enumerate((TEAL, SEA)):
        spots = [(c * 60 + 30, r * 60 + 30) for r in range(5) for c in range(20) if (r + c) % 2 == parity]
        s.diamonds(spots, 24, fill, 0.55)
    s.rect(0, 300, WIDTH, 14, BRICK)
    s.path("M390 520V250a210 190 0 0 1 420 0V520Z", "#b56a4a")
    s.path("M440 520V270a160 150 0 0 1 320 0V520Z", INK)
    s.path("M460 520V400q60 -80 140 -80t140 80V520Z", CORAL)
    s.path("M500 520q0 -90 60 -130q10 40 40 50q10 -50 50 -70q70 70 50 150Z", STRAW)
    for i in range(9):
        a = math.pi * (i + 0.5) / 9
        x, y = 600 - 186 * math.cos(a), 262 - 172 * math.sin(a)
        s.rect(
            x - 20,
            y - 13,
            40,
            26,
            "#96513a",
            transform=f"rotate({number(90 - math.degrees(a))} {number(x)} {number(y)})",
            opacity=0.6,
        )
    for y in (130, 220):
        for x in (40, 880):
            s.rect(x, y, 280, 12, "#7a5638")
            for i in range(6):
                s.ellipse(x + 26 + i * 46, y - 14, 24, 16, s.chance.choice(("#c98a45", "#b9773f", "#d9a45c")))
    for x in (180, 1020):
        s.stroke(f"M{x} 0v50", INK, 3)
        s.path(f"M{x - 40} 84q40 -60 80 0Z", MOSS)
        s.ellipse(x, 86, 18, 9, STRAW)
    s.figure(300, 620, 330, PAPER, skin="#a06a48")
    s.path("M270 290q30 -46 60 0v20h-60Z", PAPER)
    s.figure(900, 620, 320, TEAL, skin="#d8a37c", hair=BRICK)
    s.rect(0, 500, WIDTH, 180, "#8a5f3f")
    s.rect(0, 492, WIDTH, 22, SAND)
    for i, x in enumerate(range(60, 1180, 112)):
        k = 1 + 0.16 * (i % 3)
        s.ellipse(x, 480, 50 * k, 25 * k, ("#c98a45", "#b9773f", "#d9a45c")[i % 3])
        s.stroke(f"M{x - 26} 474l14 -12M{x - 4} 472l14 -13M{x + 18} 474l12 -12", SAND, 4)
    for x in range(30, 1200, 190):
        s.rect(x, 540, 160, 106, "#76492f", rx=8)
    s.specks(120, PAPER, opacity=0.4)


def library(s: Sheet) -> None:
    s.rect(0, 0, WIDTH, HEIGHT, "#d9c49a")
    s.path("M470 420V190a130 130 0 0 1 260 0V420Z", "#8fbcc0")
    s.path("M470 340q70 -40 130 -10t130 -16V420H470Z", TEAL)
    s.boat(600, 372, 60, CORAL)
    s.stroke("M600 62V420M470 230H730M470 420V190a130 130 0 0 1 260 0V420Z", "#7a5638", 12)
    for x0 in (30, 770):
        s.rect(x0 - 14, 36, 428, 500, "#7a5638")
        s.rect(x0, 50, 400, 480, "#4c3524")
        for shelf in range(4):
            base, x = 158 + shelf * 120, x0 + 6.0
            while x < x0 + 380:
                w, h = s.chance.choice((14, 18, 22, 26)), s.chance.randrange(62, 98)
                if x + w > x0 + 396:
                    break
                s.rect(
                    x,
                    base - h,
                    w,
                    h,
                    s.chance.choice((CORAL, TEAL, OCHRE, SAND, MOSS, BRICK, SLATE, PAPER, NAVY)),
                )
                x += w + (s.chance.random() < 0.12) * 26 + 1
            s.rect(x0, base, 400, 12, "#7a5638")
    s.rect(0, 536, WIDTH, 140, "#8a5f3f")
    s.path("M200 560H1000l60 70H140Z", "#b98a58")
    s.rect(140, 630, 920, 22, "#7a5638")
    s.path("M540 590q-60 -26 -130 -6v26q70 -20 130 4q60 -24 130 -4v-26q-70 -20 -130 6Z", PAPER)
    s.stroke("M540 590v24M430 594q50 -12 92 4M558 598q46 -16 92 -4", SLATE, 3)
    s.rect(740, 560, 170, 62, NAVY, rx=8)
    for x in (784, 866):
        s.circle(x, 584, 22, SAND)
        s.circle(x, 584, 8, INK)
    s.stroke("M770 612h110", CORAL, 5)
    s.stroke("M700 612q-70 30 -80 -4", INK, 4)
    s.path("M250 596v-80h10v80Z", INK)
    s.path("M205 520q50 -70 100 0Z", MOSS)
    s.path("M205 520h100l60 100h-220Z", STRAW, opacity=0.35)
    s.ellipse(255, 598, 34, 8, INK)
    s.specks(110, INK, opacity=0.12)


def concert(s: Sheet) -> None:
    x: float
    y: float
    s.rect(0, 0, WIDTH, HEIGHT, "#3a2433")
    s.poly([(380, 0), (520, 0), (640, 540), (120, 540)], STRAW, opacity=0.28)
    s.poly([(700, 0), (840, 0), (1090, 540), (560, 540)], ROSE, opacity=0.28)
    for x in (0, 1010):
        for i in range(5):
            s.path(f"M{x + i * 38} 0h38v560q-19 20 -38 0Z", BRICK if i % 2 else "#84342a")
    s.path("M0 0H1200V70" + "q-50 60 -100 0" * 12 + "Z", CORAL)
    s.rect(0, 530, WIDTH, 160, "#6b4433")
    s.rect(0, 530, WIDTH, 12, "#8b5c42")
    for x, y, fill in ((420, 540, TEAL), (790, 540, OCHRE)):
        s.ellipse(x, y + 16, 130, 16, INK, opacity=0.35)
        s.path(f"M{x - 60} {y + 10}l8 -150h104l8 150h-34l-18 -96l-18 96Z", INK)
        s.path(f"M{x - 78} {y - 120}q6 -136 78 -140t78 140Z", fill)
        s.circle(x, y - 300, 38, "#c98f6b" if x > 500 else "#a06a48")
    s.path("M378 236a42 42 0 0 1 84 4q-14 -22 -40 -20t-44 16Z", INK)
    s.path("M396 262q24 36 48 0v10q-24 30 -48 0Z", INK)
    s.path(
        "M746 246q-4 -52 44 -50t44 50q10 40 -2 66q-6 -40 -20 -64q-30 14 -44 -4q-12 30 -14 66q-10 -26 -8 -64Z",
        BRICK,
    )
    s.ellipse(390, 420, 92, 66, "#b9773f", transform="rotate(-18 390 420)")
    s.ellipse(390, 420, 78, 54, STRAW, transform="rotate(-18 390 420)")
    s.circle(402, 416, 19, INK)
    s.poly([(462, 388), (580, 338), (586, 354), (470, 408)], "#7d4d2c")
    s.poly([(580, 338), (600, 300), (614, 306), (588, 356)], "#7d4d2c")
    s.stroke("M340 438L582 342M344 446L584 350", PAPER, 1.8)
    s.stroke("M500 300L536 366M350 306q-60 60 -20 90", "#a06a48", 22, opacity=0.95)
    s.path("M700 420q10 -70 90 -60t110 50q-10 70 -90 70t-110 -60Z", MOSS)
    s.stroke("M872 380L960 210M850 366L888 250", "#4a2f22", 16)
    s.stroke("M740 470L700 560", "#4a2f22", 14)
    s.stroke("M792 276L760 368", "#4a2f22", 8)
    s.stroke("M954 226l20 -38", OCHRE, 18)
    s.stroke("M742 330q-50 70 -12 130M842 330q60 40 20 110", "#c98f6b", 22)
    for i in range(14):
        x = 30 + i * 88 + s.chance.uniform(-12, 12)
        y = 640 + s.chance.uniform(-14, 12)
        s.circle(x, y, 34, INK)
        s.ellipse(x, y + 74, 58, 52, INK)
    bulbs = [(i * 100, 96 + 26 * math.sin(i * 1.3)) for i in range(13)]
    s.stroke("M" + "L".join(f"{x} {y:.0f}" for x, y in bulbs), INK, 2)
    for x, y in bulbs:
        s.circle(x, y + 8, 8, STRAW)
        s.circle(x, y + 8, 20, STRAW, opacity=0.2)


def table(s: Sheet) -> None:
    x: float
    y: float
    s.rect(0, 0, WIDTH, HEIGHT, "#2d5f6b")
    for parity, fill in enumerate((FOAM, SEA)):
        spots = [(c * 100 + 50 * (r % 2) - 50, r * 96) for c in range(13) for r in range(8) if (r + c) % 2 == parity]
        s.diamonds(spots, 26, fill, 0.32)
    for x, y, r, rim in (
        (300, 330, 190, PAPER),
        (640, 220, 150, STRAW),
        (920, 400, 200, PAPER),
        (560, 520, 120, ROSE),
    ):
        s.circle(x + 8, y + 12, r, INK, opacity=0.25)
        s.circle(x, y, r, rim)
        s.circle(x, y, r * 0.86, "#e3cfa4" if rim != STRAW else CORAL)
    s.circle(300, 330, 150, "#c65f35")
    for i in range(9):
        a = math.tau * i / 9
        x, y = 300 + 96 * math.cos(a), 330 + 96 * math.sin(a)
        s.ellipse(
            x,
            y,
            34,
            20,
            INK if i % 3 else OCHRE,
            transform=f"rotate({number(math.degrees(a))} {number(x)} {number(y)})",
        )
        s.ellipse(x, y, 26, 11, STRAW, transform=f"rotate({number(math.degrees(a))} {number(x)} {number(y)})")
    for fill in (LEAF, STRAW, PAPER):
        bits = "".join(f"M{s.chance.gauss(300, 44):.0f} {s.chance.gauss(330, 44):.0f}h0" for _ in range(9))
        s.stroke(bits, fill, 16)
    s.circle(640, 220, 112, "#e9d8b0")
    for fill in (OCHRE, STRAW, "#c98a45"):
        grains = ""
        for _ in range(14):
            a, d = s.chance.uniform(0, math.tau), 100 * math.sqrt(s.chance.random())
            grains += f"M{640 + d * math.cos(a):.0f} {220 + d * math.sin(a):.0f}h0"
        s.stroke(grains, fill, 18)
    for i in range(5):
        a = math.tau * i / 5
        s.path(f"M{640 + 30 * math.cos(a):.0f} {220 + 30 * math.sin(a):.0f}q20 -26 44 -10q-12 24 -44 10Z", MOSS)
    s.circle(920, 400, 158, "#d9a45c")
    s.circle(920, 400, 146, "#c98a45")
    for i in range(6):
        a = math.pi * i / 6
        s.stroke(
            f"M{920 - 140 * math.cos(a):.0f} {400 - 140 * math.sin(a):.0f}L{920 + 140 * math.cos(a):.0f} {400 + 140 * math.sin(a):.0f}",
            "#a86a2f",
            5,
        )
    turns = [math.tau * (i + 0.5) / 12 for i in range(12)]
    s.stroke("".join(f"M{920 + 96 * math.cos(a):.0f} {400 + 96 * math.sin(a):.0f}h0" for a in turns), BRICK, 28)
    s.circle(560, 520, 92, LEAF)
    for _ in range(7):
        s.circle(560 + s.chance.gauss(0, 36), 520 + s.chance.gauss(0, 36), 15, CORAL)
    for x, y, angle in ((80, 470, 12), (1140, 180, -10), (400, 90, 40)):
        s.rect(x, y - 120, 12, 190, SAND, rx=6, transform=f"rotate({angle} {x} {y})")
        s.ellipse(x + 6, y - 130, 18, 30, SAND, transform=f"rotate({angle} {x} {y})")
    for x, y in ((820, 130), (130, 130)):
        s.circle(x, y, 48, "#8b2f2a", opacity=0.9)
        s.circle(x, y, 38, PLUM)
        s.stroke(f"M{x - 22} {y - 12}q12 -18 32 -14", ROSE, 5)
    s.specks(140, INK, opacity=0.18)
