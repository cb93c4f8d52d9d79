"""The sea and what is on it, over it and in it."""

# ruff: noqa: E501 - path data reads better on one line

from __future__ import annotations

import math

from sheet import (
    BRICK,
    CORAL,
    DEEP,
    FOAM,
    INK,
    MOSS,
    NAVY,
    OCHRE,
    PAPER,
    PLUM,
    SAND,
    SEA,
    SLATE,
    STRAW,
    TEAL,
    Sheet,
    number,
)


def harbour_dusk(s: Sheet) -> None:
    s.sky("#e58f5f", "#eba673", "#f0bd8a", "#f5d3a2")
    s.sun(850, 372, 62, "#fbe6b8")
    s.cloud(300, 120, 90, PAPER, 0.35)
    s.cloud(980, 190, 70, PAPER, 0.35)
    s.ridge(372, 38, "#a86d66", steps=7)
    s.ridge(410, 16, "#7c525c", steps=9, flat=0.75)
    s.sea(430, "#c77a5b", "#7b5563", "#3d4058", NAVY, glints=STRAW, count=46)
    s.dashes(770, 910, 436, 600, "#fbe6b8", 46, 0.8)
    s.town(-10, 470, 452, low=70, high=165, lit="#f8dd93", roof=PLUM)
    s.poly([(0, 450), (520, 450), (545, 478), (0, 486)], INK)
    s.path("M1200 432L905 440l-12 -8h-30v14l26 16L1200 476Z", "#2a2f45")
    s.rect(868, 392, 14, 42, BRICK)
    s.circle(875, 388, 9, STRAW)
    s.circle(875, 388, 24, STRAW, opacity=0.25)
    for x, y, size, hull in ((600, 520, 90, BRICK), (340, 572, 120, TEAL), (760, 610, 130, INK)):
        s.boat(x, y, size, hull)
    s.gulls((560, 230, 20), (620, 262, 14), (1010, 300, 16))
    s.specks(120, PAPER, y1=430)


def lighthouse(s: Sheet) -> None:
    s.sky(NAVY, "#22405a", "#2f566e", "#4a7686")
    s.specks(70, PAPER, y1=300, opacity=0.8)
    s.poly([(722, 168), (0, 30), (0, 190)], STRAW, opacity=0.22)
    s.poly([(722, 168), (1200, 70), (1200, 250)], STRAW, opacity=0.22)
    s.ridge(452, 16, DEEP, steps=8, flat=0.6)
    s.sea(465, "#2c5f70", "#235065", DEEP, NAVY, count=50)
    s.path(
        "M420 675C470 560 520 520 590 500C640 470 690 470 742 474C860 480 930 520 1010 530C1090 545 1150 560 1200 556V675Z",
        INK,
    )
    s.path("M520 675C570 590 640 530 742 520C880 530 1000 590 1200 600V675Z", "#1a3038")
    s.rect(806, 428, 130, 62, SAND)
    s.poly([(796, 430), (830, 392), (916, 392), (946, 430)], BRICK)
    s.windows(822, 448, 3, 1, gap=(38, 0), size=(18, 22), fill=STRAW)
    s.poly([(690, 492), (700, 200), (744, 200), (754, 492)], PAPER)
    for top, bottom in ((252, 310), (368, 426)):
        s.poly(
            [(690 + (492 - y) * 10 / 292, y) for y in (bottom, top)]
            + [(754 - (492 - y) * 10 / 292, y) for y in (top, bottom)],
            CORAL,
        )
    s.poly([(722, 200), (744, 200), (754, 492), (726, 492)], INK, opacity=0.14)
    s.rect(688, 190, 68, 12, INK)
    s.rect(702, 150, 40, 40, STRAW)
    s.stroke("M715 150v40M729 150v40", INK, 3)
    s.path("M696 150q26 -40 52 0Z", BRICK)
    s.circle(722, 168, 46, STRAW, opacity=0.3)
    s.stroke("M380 600q30 -44 66 -22q-26 4 -30 26M470 640q26 -36 56 -20M300 648q34 -40 72 -16", FOAM, 6)
    s.gulls((330, 300, 20), (400, 332, 15), colour=FOAM)


def ferry(s: Sheet) -> None:
    s.sky("#9cc4c9", "#b4d2cf", "#cfe0d2", "#e9e7cf", horizon=400)
    s.sun(230, 160, 48, "#f9e7b4")
    s.cloud(900, 110, 100, PAPER)
    s.cloud(520, 190, 64, PAPER, 0.6)
    s.ridge(330, 52, "#86a9a4", steps=5)
    s.ridge(378, 22, "#587f7b", steps=8, flat=0.8)
    s.sea(408, SEA, "#458a92", TEAL, DEEP, count=60)
    s.path("M210 500L1010 500Q985 580 930 590H300Q238 580 210 500Z", NAVY)
    s.path("M210 500H1010L1002 526H220Z", CORAL)
    s.rect(290, 420, 620, 82, PAPER, rx=6)
    s.rect(360, 346, 450, 78, PAPER, rx=6)
    s.path("M700 346v-62h96l44 62Z", PAPER)
    s.path("M712 338v-42h76l30 42Z", DEEP)
    s.windows(318, 440, 14, 1, gap=(42, 0), size=(28, 34), fill=DEEP)
    s.windows(384, 366, 9, 1, gap=(36, 0), size=(24, 30), fill=DEEP)
    s.rect(290, 496, 620, 6, SEA)
    s.rect(430, 296, 78, 52, TEAL, rx=5)
    s.path("M474 302l-20 24h14l-8 20l24 -28h-14l10 -16Z", STRAW)
    s.stroke("M620 346V236M620 250l-60 96M620 250l70 34", INK, 3)
    s.poly([(622, 238), (672, 250), (622, 264)], CORAL)
    for x, coat in ((560, OCHRE), (584, MOSS), (318, BRICK), (880, TEAL)):
        s.figure(x, 420 if x in (318, 880) else 346, 62, coat)
    s.path("M0 604Q300 570 600 596T1200 592V650Q600 620 0 650Z", TEAL)
    s.stroke("M180 594q40 -22 82 -2t80 0t84 0t86 0t84 0t86 0t84 0t86 0t90 -2", FOAM, 7)
    s.stroke("M120 622q60 -20 110 0M1030 610q50 -18 100 2", FOAM, 5)
    s.gulls((160, 300, 24), (240, 262, 17), (1060, 250, 22), (1000, 300, 14))
    s.specks(90, PAPER, y1=400)


def storm(s: Sheet) -> None:
    x: float
    y: float
    s.sky("#24323f", "#2e414e", "#3d525d", "#546a70", horizon=420)
    for x, y, size in ((200, 90, 130), (560, 60, 150), (930, 110, 140), (380, 160, 100), (1120, 40, 120)):
        s.cloud(x, y, size, "#1b2832", 0.75)
    s.ridge(400, 26, "#32464f", steps=6, flat=0.4)
    s.sea(420, "#3b5f69", "#2f525f", "#25444f", "#1a323f", glints=SLATE, count=50)
    s.path(
        "M0 675V560C120 560 190 470 250 380C300 300 400 250 500 280C450 290 440 330 470 360C520 350 560 380 570 420C600 500 680 560 800 580V675Z",
        "#2b6470",
    )
    s.path(
        "M0 675V600C130 600 220 520 290 430C330 370 400 320 470 330C430 350 430 390 460 410C500 400 530 430 530 470C560 550 660 610 790 620V675Z",
        "#4c8b92",
    )
    s.stroke("M150 600C240 560 300 470 360 410M250 620C330 580 380 510 430 460", FOAM, 6, opacity=0.6)
    s.path(
        "M250 380C300 300 400 250 500 280C450 290 440 330 470 360C455 330 470 306 520 304C580 306 606 350 640 340C600 262 520 216 430 236C350 254 290 310 250 380Z",
        PAPER,
    )
    s.path(
        "M430 244q40 -40 70 -24q10 -34 50 -18q24 -18 44 10q32 -4 30 26q34 10 22 40q14 30 -10 60q-40 12 -70 -34q-60 -50 -136 -60Z",
        PAPER,
    )
    for _ in range(52):
        x, y = s.chance.gauss(600, 84), s.chance.gauss(230, 62)
        s.circle(x, y, s.chance.uniform(2, 9), PAPER, opacity=0.85)
    s.poly([(660, 560), (690, 486), (1200, 470), (1200, 675), (640, 675)], INK)
    s.poly([(690, 486), (1200, 470), (1200, 494), (684, 510)], SLATE)
    for x, y in ((650, 600), (590, 632), (700, 620), (520, 650), (640, 654), (770, 640)):
        s.poly([(x, y - 26), (x + 40, y - 18), (x + 34, y + 22), (x - 14, y + 16)], "#55666b")
        s.poly([(x, y - 26), (x + 40, y - 18), (x + 24, y - 8), (x - 8, y - 14)], "#84959a")
    s.rect(1040, 360, 34, 116, BRICK)
    s.rect(1034, 346, 46, 16, INK)
    s.circle(1057, 334, 15, STRAW)
    s.circle(1057, 334, 44, STRAW, opacity=0.25)
    rain = "".join(f"M{s.chance.uniform(0, 1300):.0f} {s.chance.uniform(-40, 600):.0f}l-22 62" for _ in range(110))
    s.stroke(rain, FOAM, 2, opacity=0.32)


def breakwater(s: Sheet) -> None:
    s.sky("#b9c9c8", "#c9d5cc", "#dce0cf", "#eee6cd", horizon=420)
    s.cloud(250, 110, 110, PAPER)
    s.cloud(720, 70, 80, PAPER, 0.6)
    s.ridge(380, 30, "#8ba39b", steps=6, flat=0.5)
    s.sea(412, "#7fabac", SEA, "#47858d", TEAL, count=50)
    s.poly([(0, 470), (470, 456), (500, 560), (540, 640), (0, 660)], SLATE)
    s.poly([(0, 452), (468, 440), (470, 460), (0, 476)], "#a9b3ad")
    s.poly([(800, 446), (1200, 424), (1200, 650), (720, 610), (770, 540)], SLATE)
    s.poly([(800, 428), (1200, 406), (1200, 430), (800, 450)], "#a9b3ad")
    s.rect(1110, 300, 34, 110, BRICK)
    s.rect(1104, 288, 46, 14, INK)
    s.circle(1127, 276, 14, STRAW)
    for row in range(3):
        for i in range(12):
            x, y = i * 48 - 20 + 18 * (row % 2), 560 + row * 38
            if x < 480 + row * 20:
                s.poly(
                    [(x, y), (x + 34, y - 8), (x + 44, y + 22), (x + 6, y + 30)],
                    s.chance.choice(("#55666b", "#7d8d90", "#66777b")),
                )
            s.poly(
                [
                    (x + 770 + row * 10, y + 4),
                    (x + 806 + row * 10, y - 4),
                    (x + 812 + row * 10, y + 26),
                    (x + 778 + row * 10, y + 32),
                ],
                s.chance.choice(("#55666b", "#7d8d90", "#66777b")),
            )
    for x, y in ((560, 600), (620, 632), (680, 606), (596, 652), (664, 658)):
        s.poly([(x, y - 20), (x + 34, y - 14), (x + 28, y + 16), (x - 10, y + 12)], "#4a5a60")
    s.stroke("M500 604q40 -24 80 -2t84 -2t90 2", FOAM, 7)
    s.rect(150, 380, 150, 70, OCHRE, rx=6)
    s.rect(240, 322, 62, 74, OCHRE, rx=6)
    s.rect(252, 334, 40, 34, DEEP)
    s.rect(130, 440, 190, 26, INK, rx=13)
    for x in range(146, 316, 34):
        s.circle(x, 453, 9, SLATE)
    s.stroke("M190 384L600 110M176 384L600 110M190 384L214 300L600 110", BRICK, 7)
    brace = "".join(f"M{190 + i * 41} {384 - i * 27.4:.0f}l{20 - i * 0.6:.0f} {-34 + i * 3.2:.0f}" for i in range(1, 9))
    s.stroke(brace, BRICK, 4)
    s.stroke("M600 110V330M600 330l-44 36M600 330l44 36", INK, 3.5)
    s.poly([(540, 366), (648, 366), (664, 452), (530, 452)], SAND)
    s.poly([(648, 366), (664, 452), (690, 436), (672, 354)], "#b8a880")
    s.poly([(540, 366), (648, 366), (672, 354), (566, 354)], PAPER)
    for x, coat in ((370, CORAL), (410, OCHRE), (850, CORAL), (892, OCHRE)):
        y = 446 if x < 500 else 432
        s.figure(x, y, 92, coat)
        s.path(f"M{x - 11} {y - 82}a11 11 0 0 1 22 0Z", STRAW)
    s.gulls((820, 190, 22), (890, 230, 15), (440, 250, 14))
    s.specks(110, INK, y1=410, opacity=0.12)


def tide(s: Sheet) -> None:
    s.sky("#bcd3d3", "#cfdfd6", "#e5e7d5", horizon=330)
    s.ridge(280, 34, "#8ba9a1", steps=5)
    s.town(-6, 420, 330, low=50, high=110, lit=DEEP)
    s.sea(330, "#6aa6a9", SEA, "#458a92", TEAL, DEEP, count=60)
    s.poly([(640, 180), (1200, 180), (1200, 675), (640, 675)], "#8a9693")
    for row in range(8):
        for column in range(5):
            x = 646 + column * 118 - 40 * (row % 2)
            s.rect(
                max(x, 642),
                186 + row * 62,
                112 - max(0, 642 - x),
                56,
                s.chance.choice(("#98a39f", "#7f8c8a", "#a6afa8")),
                rx=4,
            )
    s.rect(620, 160, 580, 28, SAND)
    s.rect(760, 200, 96, 475, PAPER)
    for i in range(24):
        y = 214 + i * 19
        long = i % 5 == 0
        s.rect(760, y, 52 if long else 30, 9, BRICK if (i // 5) % 2 else INK)
        if long:
            s.parts.append(
                f'<text x="822" y="{y + 15}" font-family="Georgia, serif" font-size="24" font-weight="700" fill="{INK}">{(24 - i) // 5 + 1}</text>'
            )
    s.rect(930, 70, 140, 94, BRICK)
    s.poly([(916, 72), (1000, 20), (1084, 72)], SLATE)
    s.rect(972, 102, 56, 62, NAVY)
    s.stroke("M1000 20V-10", INK, 4)
    s.path("M0 520Q150 496 300 520T600 520T900 520T1200 520V675H0Z", TEAL, opacity=0.82)
    s.path("M0 590Q150 566 300 590T600 590T900 590T1200 590V675H0Z", DEEP, opacity=0.85)
    s.stroke("M0 520Q150 496 300 520T600 520T900 520T1200 520", FOAM, 6)
    s.stroke("M864 520h130", CORAL, 5, stroke_dasharray="12 10")
    s.stroke("M864 460h130", STRAW, 5, stroke_dasharray="12 10")
    s.boat(250, 470, 110, CORAL)
    s.gulls((300, 130, 22), (380, 170, 15), (520, 110, 18))
    s.specks(120, INK, opacity=0.12)


def regatta(s: Sheet) -> None:
    x: float
    y: float
    s.sky("#a7cbcf", "#bfd8d2", "#dbe4d0", "#f0e8cc", horizon=330)
    s.sun(180, 120, 44, "#f9e6ad")
    s.cloud(760, 90, 90, PAPER)
    s.ridge(270, 40, "#7fa094", steps=5)
    s.town(620, 1210, 350, low=40, high=100, lit=DEEP)
    s.rect(600, 346, 610, 12, SLATE)
    for x in range(616, 1200, 22):
        s.circle(x, 340 - (x % 3) * 3, 6, s.chance.choice((CORAL, OCHRE, TEAL, PLUM, PAPER)))
    s.sea(356, "#6aa6a9", SEA, "#3f8089", TEAL, count=56)
    rower = Sheet("rower")
    rower.stroke("M0 -34l-62 82", "#7a5638", 6)
    rower.stroke("M-52 34l-14 20", PAPER, 12)
    rower.add("path", d="M-16 2l14 -62q16 -12 28 4l6 58Z")
    rower.stroke("M16 -52L-6 -24", "#b67a55", 9)
    rower.circle(14, -82, 15, "#b67a55")
    rower.path("M-1 -84a15 16 0 0 1 30 0Z", INK)
    s.parts.append(f'<defs><g id="rower">{"".join(rower.parts)}</g></defs>')
    for x0, y, k, hull, shirt in ((330, 420, 0.62, TEAL, STRAW), (120, 540, 1.15, CORAL, PAPER)):
        length = 800 * k
        s.path(
            f"M{x0} {y - 18 * k:.0f}q{60 * k:.0f} {44 * k:.0f} {150 * k:.0f} {46 * k:.0f}h{length - 300 * k:.0f}q{100 * k:.0f} {-4 * k:.0f} {170 * k:.0f} {-56 * k:.0f}q{-60 * k:.0f} {20 * k:.0f} {-160 * k:.0f} {22 * k:.0f}h{-(length - 340 * k):.0f}Z",
            hull,
        )
        for i in range(7):
            x = x0 + (110 + i * 84) * k
            s.add("use", href="#rower", transform=f"translate({number(x)} {y}) scale({k})", fill=shirt)
        cox = x0 + length - 70 * k
        s.stroke(f"M{cox:.0f} {y - 14 * k:.0f}v{-70 * k:.0f}", NAVY, 26 * k)
        s.circle(cox, y - 116 * k, 15 * k, "#b67a55")
        s.stroke(f"M{cox:.0f} {y - 84 * k:.0f}l{-40 * k:.0f} {-26 * k:.0f}", NAVY, 9 * k)
        s.stroke(f"M{x0} {y + 30 * k:.0f}" + "q40 -14 80 0t80 0" * int(4 * k + 1), FOAM, 7 * k)
    s.circle(1080, 470, 22, OCHRE)
    s.rect(1058, 474, 44, 16, "#3f8089")
    s.gulls((420, 180, 18), (480, 150, 13))
    s.specks(80, PAPER, y1=340)


def terns(s: Sheet) -> None:
    s.sky("#c9dcda", "#d9e4d8", "#ebe9d4", horizon=430)
    s.sun(950, 190, 56, "#f8e2ac")
    s.cloud(260, 340, 90, PAPER, 0.7)
    s.sea(440, "#79adb0", SEA, "#41838c", TEAL, count=50)
    s.path("M560 470Q640 400 760 410T980 430Q1060 440 1120 470Q840 500 560 470Z", MOSS)
    s.path("M540 470Q840 450 1140 470Q1000 500 840 500T540 470Z", "#8b8a78")
    s.path("M150 470q60 -40 150 0q-70 20 -150 0Z", "#6b7d5c")
    nests = "".join(f"M{s.chance.uniform(640, 1040):.0f} {s.chance.uniform(426, 462):.0f}h5" for _ in range(46))
    s.stroke(nests, PAPER, 7)
    for x, y, k, flip in (
        (370, 290, 1.6, 1),
        (930, 170, 0.95, -1),
        (730, 350, 0.5, 1),
        (1120, 340, 0.45, -1),
    ):
        group = Sheet("bird")
        group.path("M0 0C-60 -50 -120 -130 -210 -150C-130 -90 -90 -20 -30 26Z", PAPER)
        group.path("M-120 -92C-150 -120 -180 -140 -210 -150C-170 -124 -140 -96 -118 -66Z", SLATE)
        group.path("M20 -6C70 -70 130 -120 190 -128C130 -80 110 -20 50 24Z", "#dfe3da")
        group.path("M110 -84C140 -110 165 -124 190 -128C160 -108 140 -84 122 -56Z", SLATE)
        group.path("M-90 40q60 -60 150 -40q40 6 50 22q-40 20 -90 24q-60 10 -130 44l30 -44l-60 20Z", PAPER)
        group.path("M62 0q40 -6 52 20q-24 -10 -60 0Z", INK)
        group.path("M110 18l44 10l-46 2Z", CORAL)
        s.parts.append(
            f'<g transform="translate({x} {y}) scale({number(k * flip)} {number(k)})">' + "".join(group.parts) + "</g>"
        )
    s.specks(110, DEEP, y1=430, opacity=0.14)


def kelp(s: Sheet) -> None:
    x: float
    y: float
    s.sky("#7fb7b4", "#5fa3a5", "#438b93", TEAL, DEEP, horizon=640)
    for x in (180, 430, 700, 960):
        s.poly([(x, 0), (x + 90, 0), (x - 60, 675), (x - 260, 675)], PAPER, opacity=0.1)
    s.ridge(600, 30, NAVY, steps=5)
    for i in range(15):
        x = 40 + i * 82 + s.chance.uniform(-24, 24)
        top, sway = s.chance.uniform(40, 300), s.chance.uniform(18, 40) * s.chance.choice((-1, 1))
        colour = s.chance.choice((MOSS, "#7d7a3c", "#5f6d3a", "#98833f"))
        s.stroke(
            f"M{x:.0f} 680C{x + sway:.0f} 520 {x - sway:.0f} {(680 + top) / 2:.0f} {x + sway:.0f} {top:.0f}",
            colour,
            6,
        )
        leaves = ""
        for j in range(5):
            t = 0.15 + j * 0.18
            y, side = 680 + (top - 680) * t, 1 if (i + j) % 2 else -1
            w = x + sway * math.sin(t * 6) * 0.6
            leaves += f"M{w:.0f} {y:.0f}q{26 * side} -44 {74 * side} -40q{-22 * side} 36 {-74 * side} 40Z"
        s.path(leaves, colour)
    for x, y, k, fill in (
        (620, 220, 1.6, STRAW),
        (720, 280, 1.2, STRAW),
        (560, 300, 1.0, STRAW),
        (200, 420, 1.3, CORAL),
        (980, 180, 1.1, CORAL),
    ):
        s.path(
            f"M{x} {y}q{30 * k:.0f} {-26 * k:.0f} {62 * k:.0f} 0l{22 * k:.0f} {-16 * k:.0f}v{32 * k:.0f}l{-22 * k:.0f} {-16 * k:.0f}q{-32 * k:.0f} {26 * k:.0f} {-62 * k:.0f} 0Z",
            fill,
        )
        s.circle(x + 14 * k, y - 3 * k, 3 * k, INK)
    s.stroke("M850 396l-92 30l-66 -10M760 420l-70 36", INK, 20, stroke_linejoin="round")
    s.poly([(700, 404), (640, 384), (664, 420)], CORAL)
    s.poly([(694, 448), (636, 470), (676, 474)], CORAL)
    s.rect(790, 356, 74, 24, OCHRE, rx=12, transform="rotate(-18 827 368)")
    s.circle(884, 384, 24, "#c98f6b")
    s.path("M860 384a24 24 0 0 1 44 -14l-10 6v18Z", INK)
    s.ellipse(898, 386, 10, 12, FOAM)
    s.stroke("M860 410l56 40l44 -8", INK, 15, stroke_linejoin="round")
    for i in range(9):
        s.circle(906 + s.chance.uniform(-14, 20), 340 - i * 30, s.chance.uniform(4, 10), FOAM, opacity=0.6)
    s.specks(100, PAPER, opacity=0.3)
