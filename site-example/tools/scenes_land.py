"""The open island: meadow, ridge, road, pitch and sky."""

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


def meadow(s: Sheet) -> None:
    x: float
    y: float
    s.sky("#bcd9dc", "#d2e3d9", "#e8ead2", horizon=360)
    s.sun(1000, 130, 50, "#f9e6ad")
    s.cloud(340, 110, 90, PAPER)
    s.ridge(290, 60, "#94b08d", steps=4)
    s.ridge(350, 30, "#789a6b", steps=6)
    for x in range(-10, 1200, 76):
        s.rect(
            x,
            372 + s.chance.randrange(-6, 6),
            72,
            34,
            s.chance.choice(("#9aa39a", "#848f8a", "#abb2a4")),
            rx=10,
        )
    s.ridge(420, 12, LEAF, steps=9)
    s.ridge(500, 16, "#6d8c56", steps=8)
    for x, y in ((150, 470), (246, 452)):
        for i in range(3):
            s.rect(x, y - i * 34, 66, 32, PAPER if i % 2 else STRAW)
        s.poly([(x - 6, y - 68), (x + 33, y - 92), (x + 72, y - 68)], BRICK)
        s.rect(x + 22, y + 20, 22, 6, INK)
    grass = "".join(
        f"M{s.chance.uniform(0, 1200):.0f} 680q{s.chance.uniform(-20, 20):.0f} -60"
        f" {s.chance.uniform(-30, 30):.0f} {-s.chance.uniform(70, 150):.0f}"
        for _ in range(56)
    )
    s.stroke(grass, MOSS, 5)
    for _ in range(19):
        x, y, r = s.chance.uniform(20, 1180), s.chance.uniform(450, 610), s.chance.uniform(11, 22)
        s.stroke(f"M{x:.0f} {y:.0f}q{s.chance.uniform(-14, 14):.0f} 70 0 {690 - y:.0f}", MOSS, 4)
        kind = s.chance.randrange(3)
        if kind == 0:
            ring = "".join(f"M{number(x + r * math.cos(i))} {number(y + r * math.sin(i))}h0" for i in range(6))
            s.stroke(ring, PAPER, r * 1.1)
            s.circle(x, y, r * 0.6, OCHRE)
        elif kind == 1:
            s.path(
                f"M{x - r * 1.2:.0f} {y - r * 0.7:.0f}q{r * 0.6:.0f} {-r * 0.5:.0f} {r * 1.2:.0f} {r * 0.2:.0f}q{r * 0.6:.0f} {-r * 0.7:.0f} {r * 1.2:.0f} {-r * 0.2:.0f}q{r * 0.2:.0f} {r * 1.8:.0f} {-r * 1.2:.0f} {r * 1.8:.0f}t{-r * 1.2:.0f} {-r * 1.8:.0f}Z",
                CORAL,
            )
            s.circle(x, y + r * 0.1, r * 0.32, INK)
        else:
            s.stroke("".join(f"M{x:.0f} {y - i * r * 0.7:.0f}h{r * 0.3:.0f}" for i in range(4)), "#8b6f9b", r * 0.8)
    for x, y, k in ((520, 330, 1.5), (660, 420, 1.1), (820, 300, 1.9), (940, 400, 1.2)):
        s.stroke(
            f"M{x - 90 * k:.0f} {y + 30 * k:.0f}q{30 * k:.0f} {-44 * k:.0f} {66 * k:.0f} {-22 * k:.0f}",
            INK,
            2,
            stroke_dasharray="2 9",
            opacity=0.6,
        )
        s.ellipse(x - 3 * k, y - 13 * k, 8 * k, 13 * k, PAPER, opacity=0.85, transform=f"rotate(-24 {x} {y})")
        s.ellipse(x + 7 * k, y - 12 * k, 8 * k, 12 * k, PAPER, opacity=0.85, transform=f"rotate(18 {x} {y})")
        s.ellipse(x, y, 18 * k, 11 * k, OCHRE)
        s.stroke(
            f"M{x - 5 * k:.0f} {y - 9 * k:.0f}v{18 * k:.0f}M{x + 4 * k:.0f} {y - 9 * k:.0f}v{18 * k:.0f}",
            INK,
            4 * k,
        )


def turbine(s: Sheet, x: float, y: float, h: float, angle: float, fill: str = PAPER) -> None:
    """One wind turbine; its foot is at (x, y), the first blade stands at the angle in degrees."""
    hub = y - h
    s.poly([(x - h * 0.022, y), (x - h * 0.01, hub), (x + h * 0.01, hub), (x + h * 0.022, y)], fill)
    for i in range(3):
        a = math.radians(angle + 120 * i)
        tip = x + h * 0.52 * math.cos(a), hub + h * 0.52 * math.sin(a)
        side = x + h * 0.12 * math.cos(a + 0.28), hub + h * 0.12 * math.sin(a + 0.28)
        s.poly([(x, hub), side, tip], fill)
    s.circle(x, hub, h * 0.025, CORAL)


def wind(s: Sheet) -> None:
    s.sky("#e7b98c", "#edcba0", "#f1dbb6", "#f5e7ca", horizon=440)
    s.sun(300, 300, 70, "#fbefc9")
    s.cloud(760, 130, 120, PAPER, 0.7)
    s.cloud(180, 130, 80, PAPER, 0.6)
    s.ridge(430, 36, "#b59a86", steps=5)
    for i, x in enumerate((430, 530, 640, 1130)):
        turbine(s, x, 452, 150 + 14 * (i % 2), 20 + 37 * i)
    s.ridge(470, 26, "#7f8b6b", steps=5)
    for i, x in enumerate((120, 740, 900)):
        turbine(s, x, 500, 250 + 22 * i, 75 + 31 * i)
    s.ridge(530, 20, "#5f7457", steps=4)
    turbine(s, 1030, 566, 400, 14)
    turbine(s, 330, 580, 300, 50)
    s.ridge(595, 16, MOSS, steps=4)
    s.dashes(0, WIDTH, 600, 668, LEAF, 60, 0.7)
    for x, y, k in ((520, 590, 1.0), (600, 612, 1.2), (680, 584, 0.9), (812, 622, 1.25)):
        s.stroke(f"M{x - 10 * k:.0f} {y}v{20 * k:.0f}M{x + 10 * k:.0f} {y}v{20 * k:.0f}", INK, 4 * k)
        s.ellipse(x, y, 24 * k, 15 * k, PAPER)
        s.ellipse(x + 26 * k, y - 6 * k, 8 * k, 7 * k, INK)
    s.gulls((560, 220, 22), (620, 250, 15))
    s.specks(130, BRICK, y1=430, opacity=0.16)


def night_sky(s: Sheet) -> None:
    s.sky("#0f1d2e", "#142841", "#1d3853", "#2b4c66", horizon=520)
    s.poly([(120, 0), (420, 0), (1080, 520), (880, 560)], FOAM, opacity=0.1)
    s.poly([(220, 0), (350, 0), (1010, 520), (930, 540)], FOAM, opacity=0.12)
    stars = "".join(f"M{s.chance.uniform(0, 1200):.0f} {s.chance.uniform(0, 470):.0f}h0" for _ in range(190))
    s.stroke(stars, PAPER, 2.6)
    band = "".join(
        f"M{t * 1.27 + 240 + s.chance.gauss(0, 44):.0f} {t + s.chance.gauss(0, 30):.0f}h0" for t in range(0, 520, 4)
    )
    s.stroke(band, PAPER, 2, opacity=0.8)
    for x, y, r in ((180, 150, 5), (520, 90, 4), (960, 130, 6), (1100, 280, 4), (330, 320, 4), (700, 210, 5)):
        s.path(
            f"M{x} {y - 3 * r}l{r * 0.6} {r * 2.4}l{r * 2.4} {r * 0.6}l{-r * 2.4} {r * 0.6}l{-r * 0.6} {r * 2.4}l{-r * 0.6} {-r * 2.4}l{-r * 2.4} {-r * 0.6}l{r * 2.4} {-r * 0.6}Z",
            STRAW,
        )
    for x, y, length in ((860, 80, 190), (420, 180, 120), (1060, 330, 110), (200, 250, 90)):
        s.poly(
            [
                (x, y),
                (x + length, y - length * 0.42),
                (x + length + 3, y - length * 0.42 + 4),
                (x + 3, y + 6),
            ],
            PAPER,
            opacity=0.85,
        )
        s.circle(x + 1, y + 3, 4, PAPER)
    s.ridge(480, 50, "#1b3247", steps=5)
    s.path("M0 675V600Q260 560 420 500Q520 440 640 440Q760 440 860 520Q1000 580 1200 590V675Z", "#101f2b")
    s.rect(566, 384, 150, 64, "#31506a")
    s.path("M556 388a85 80 0 0 1 170 0Z", SLATE)
    s.poly([(634, 306), (668, 312), (700, 388), (640, 388)], INK)
    s.poly([(640, 352), (690, 268), (704, 276), (660, 360)], SAND)
    s.rect(590, 410, 24, 38, STRAW)
    s.path("M0 675V640Q300 590 620 610T1200 640V675Z", INK)
    for x, h, coat in (
        (330, 88, CORAL),
        (366, 80, SLATE),
        (396, 60, OCHRE),
        (870, 86, TEAL),
        (906, 82, MOSS),
    ):
        s.figure(x, 626, h, coat, skin="#a5765a")
    s.stroke("M838 626l-22 -54l-20 54M816 572l26 -30", SAND, 5)
    windows = "".join(f"M{s.chance.uniform(20, 460):.0f} {s.chance.uniform(560, 600):.0f}h3" for _ in range(10))
    s.stroke(windows, STRAW, 4, opacity=0.8)


def football(s: Sheet) -> None:
    s.sky("#a9c9cc", "#c3d8d0", "#dde3cf", horizon=300)
    s.cloud(220, 70, 80, PAPER)
    s.ridge(210, 40, "#87a592", steps=5)
    s.poly([(60, 300), (90, 168), (700, 168), (730, 300)], NAVY)
    s.poly([(60, 170), (110, 128), (690, 128), (740, 170)], BRICK)
    crowd = [(x, 196 + row * 26) for row in range(4) for x in range(104 - row * 6, 690 + row * 6, 23)]
    s.chance.shuffle(crowd)
    for i, fill in enumerate((ROSE, OCHRE, FOAM, CORAL, SLATE)):
        s.stroke("".join(f"M{x} {y}h0" for x, y in crowd[i::5]), fill, 16)
    for i in range(9):
        y0, y1 = 290 + 385 * (i / 9) ** 1.5, 290 + 385 * ((i + 1) / 9) ** 1.5
        s.rect(0, y0, WIDTH, y1 - y0 + 1, "#6f9160" if i % 2 else "#7ea06b")
    s.stroke("M0 340L1200 322M150 675L420 336M640 660a190 70 0 1 1 300 -10", PAPER, 5, opacity=0.8)
    s.stroke("M880 420V250H1140V420", PAPER, 9)
    net = "".join(f"M{x} 254V412" for x in range(900, 1140, 24)) + "".join(
        f"M884 {y}H1136" for y in range(274, 420, 24)
    )
    s.stroke(net, PAPER, 1.5, opacity=0.7)
    s.figure(1010, 428, 150, OCHRE, skin="#8d5b3f")
    for x, y, h, coat in (
        (360, 560, 220, TEAL),
        (560, 520, 190, CORAL),
        (250, 420, 120, CORAL),
        (760, 410, 118, TEAL),
    ):
        s.ellipse(x + h * 0.1, y, h * 0.22, h * 0.035, INK, opacity=0.25)
        lean = h * 0.1
        s.stroke(
            f"M{x} {y - h * 0.42:.0f}l{-h * 0.16:.0f} {h * 0.2:.0f}l{-h * 0.1:.0f} {h * 0.18:.0f}M{x} {y - h * 0.42:.0f}l{h * 0.16:.0f} {h * 0.14:.0f}l{-h * 0.02:.0f} {h * 0.26:.0f}",
            INK,
            h * 0.075,
            stroke_linejoin="round",
        )
        s.stroke(
            f"M{x + lean:.0f} {y - h * 0.74:.0f}l{-h * 0.22:.0f} {h * 0.1:.0f}M{x + lean:.0f} {y - h * 0.74:.0f}l{h * 0.2:.0f} {h * 0.16:.0f}",
            coat,
            h * 0.07,
        )
        s.stroke(f"M{x} {y - h * 0.46:.0f}L{x + lean:.0f} {y - h * 0.72:.0f}", coat, h * 0.19)
        s.circle(x + lean * 1.5, y - h * 0.9, h * 0.085, "#c98f6b")
        s.path(
            f"M{x + lean * 1.5 - h * 0.09:.0f} {y - h * 0.9:.0f}a{h * 0.09:.0f} {h * 0.1:.0f} 0 0 1 {h * 0.18:.0f} 0Z",
            INK,
        )
    s.circle(474, 566, 21, PAPER)
    s.path("M474 556l9 7l-3 10h-12l-3 -10Z", INK)
    s.ellipse(474, 590, 22, 5, INK, opacity=0.25)
    s.dashes(0, WIDTH, 330, 670, "#587a4e", 70, 0.6)
    s.gulls((800, 90, 18), (860, 120, 13))


def runners(s: Sheet) -> None:
    s.sky("#a9cdd0", "#c0d9d3", "#dce5d2", horizon=320)
    s.cloud(880, 90, 90, PAPER)
    s.ridge(290, 34, "#86a79d", steps=5, flat=0.7)
    s.sea(330, "#6aa6a9", SEA, "#3f8089", TEAL, count=40)
    s.rect(1010, 190, 30, 120, BRICK)
    s.circle(1025, 178, 14, STRAW)
    s.poly([(940, 306), (1090, 306), (1010, 675), (-60, 675)], "#c9bfa6")
    s.poly([(1090, 306), (1120, 306), (1200, 675), (1010, 675)], SLATE)
    s.poly([(940, 306), (926, 306), (-200, 675), (-60, 675)], "#e2d9c0")
    s.stroke("M1000 340L880 440M800 508L470 675", PAPER, 6, stroke_dasharray="40 30", opacity=0.8)
    for x, y, h, shirt, skin in (
        (930, 380, 90, OCHRE, "#8d5b3f"),
        (830, 440, 140, TEAL, "#d8a37c"),
        (610, 500, 210, BRICK, "#c98f6b"),
        (350, 610, 330, CORAL, "#a06a48"),
        (700, 630, 310, NAVY, "#d8a37c"),
    ):
        s.ellipse(x, y, h * 0.26, h * 0.03, INK, opacity=0.25)
        limb = {"stroke_linejoin": "round"}
        s.stroke(
            f"M{x} {y - h * 0.46:.0f}l{h * 0.16:.0f} {h * 0.14:.0f}l{-h * 0.02:.0f} {h * 0.28:.0f}M{x} {y - h * 0.46:.0f}l{-h * 0.1:.0f} {h * 0.2:.0f}l{-h * 0.22:.0f} {h * 0.06:.0f}",
            skin,
            h * 0.07,
            **limb,
        )
        s.stroke(
            f"M{x} {y - h * 0.46:.0f}l{h * 0.1:.0f} {h * 0.09:.0f}M{x} {y - h * 0.46:.0f}l{-h * 0.05:.0f} {h * 0.1:.0f}",
            INK,
            h * 0.1,
            **limb,
        )
        s.stroke(
            f"M{x + h * 0.05:.0f} {y - h * 0.74:.0f}l{h * 0.14:.0f} {h * 0.12:.0f}l{h * 0.12:.0f} {-h * 0.1:.0f}M{x + h * 0.02:.0f} {y - h * 0.74:.0f}l{-h * 0.16:.0f} {h * 0.1:.0f}l{-h * 0.08:.0f} {h * 0.12:.0f}",
            skin,
            h * 0.055,
            **limb,
        )
        s.stroke(f"M{x} {y - h * 0.5:.0f}L{x + h * 0.05:.0f} {y - h * 0.72:.0f}", shirt, h * 0.18)
        s.rect(x - h * 0.05, y - h * 0.68, h * 0.13, h * 0.1, PAPER)
        s.circle(x + h * 0.09, y - h * 0.9, h * 0.08, skin)
        s.path(
            f"M{x + h * 0.005:.0f} {y - h * 0.9:.0f}a{h * 0.085:.0f} {h * 0.095:.0f} 0 0 1 {h * 0.17:.0f} 0Z",
            INK,
        )
    s.gulls((220, 130, 22), (300, 170, 15), (560, 120, 14))
    s.specks(90, INK, y0=320, opacity=0.12)


def tap(s: Sheet) -> None:
    s.rect(0, 0, WIDTH, HEIGHT, "#cfe0d8")
    s.ridge(150, 30, "#9bb58b", steps=5)
    s.rect(0, 190, WIDTH, 500, "#8a6a4c")
    s.rect(0, 184, WIDTH, 26, MOSS)
    s.ridge(380, 26, "#75573f", steps=6)
    s.ridge(540, 22, "#5f4634", steps=5)
    for _ in range(36):
        s.ellipse(
            s.chance.uniform(0, 1200),
            s.chance.uniform(240, 650),
            s.chance.uniform(8, 26),
            s.chance.uniform(6, 16),
            s.chance.choice(("#a28765", "#4f3a2b", SLATE)),
            opacity=0.7,
        )
    s.town(820, 1210, 190, low=60, high=130, lit=DEEP)
    s.rect(-10, 400, 1220, 84, DEEP)
    s.rect(-10, 412, 1220, 18, SEA, opacity=0.6)
    for x in (180, 520, 860):
        s.rect(x, 388, 40, 108, NAVY, rx=6)
        s.circle(x + 20, 404, 6, SLATE)
        s.circle(x + 20, 480, 6, SLATE)
    s.stroke("M660 402l-16 24l18 18l-14 26l10 12", INK, 6, stroke_linejoin="round")
    s.stroke(
        "M652 398q-36 -64 -90 -84M656 398q-4 -76 -24 -112M660 398q30 -70 70 -100M664 400q50 -40 104 -44",
        FOAM,
        8,
    )
    for _ in range(34):
        s.circle(s.chance.gauss(660, 86), s.chance.gauss(318, 44), s.chance.uniform(3, 9), FOAM, opacity=0.9)
    s.stroke("M380 400V150h66", SLATE, 22, stroke_linejoin="round")
    s.rect(352, 128, 56, 16, CORAL, rx=8)
    s.path("M446 176q-16 24 0 34q16 -10 0 -34Z", TEAL)
    s.figure(250, 188, 130, OCHRE)
    s.path("M235 76a15 15 0 0 1 30 0Z", CORAL)
    s.stroke("M268 110l42 66", INK, 5)
    s.circle(312, 180, 10, INK)
    s.cloud(620, 70, 60, PAPER)
    s.specks(120, PAPER, y0=210, opacity=0.2)


def census(s: Sheet) -> None:
    s.sky("#c3d9d6", "#d5e2d6", "#e9e9d4", horizon=300)
    s.sun(220, 130, 46, "#f9e6ad")
    s.cloud(900, 100, 90, PAPER)
    s.sea(250, "#79adb0", SEA, TEAL, count=20)
    s.path("M0 675V470Q120 300 420 250Q640 200 840 270Q1080 340 1200 440V675Z", "#7f9d68")
    s.path("M0 675V560Q300 420 640 440T1200 540V675Z", "#6d8c56")
    looks = (("#c98f6b", INK), ("#8d5b3f", INK), ("#d8a37c", BRICK), ("#b67a55", "#cfc8ba"))
    people = []
    for i, (skin, hair) in enumerate(looks):
        someone = Sheet("someone")
        someone.figure(0, 0, 100, "inherit", skin=skin, hair=hair)
        people.append(f'<g id="p{i}">{"".join(someone.parts)}</g>')
    s.parts.append(f"<defs>{''.join(people)}</defs>")
    coats = (CORAL, TEAL, OCHRE, NAVY, PAPER, BRICK, MOSS, ROSE, SLATE)
    for row in range(5):
        size, count = 0.62 + row * 0.21, 15 - row
        for i in range(count):
            x = 600 + (i - (count - 1) / 2) * (62 + row * 17) + s.chance.uniform(-9, 9)
            y = 352 + row * 66 + ((x - 600) / 600) ** 2 * (80 - row * 12) + row * row * 3
            k = size * s.chance.choice((1, 1, 0.92, 1.04, 0.62))
            who, coat = s.chance.randrange(len(looks)), s.chance.choice(coats)
            s.add("use", href=f"#p{who}", fill=coat, transform=f"translate({x:.0f} {y:.0f}) scale({k:.2f})")
    s.gulls((560, 120, 20), (630, 150, 14))
    s.specks(90, INK, opacity=0.1)
