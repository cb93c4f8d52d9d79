"""The newsroom, head and shoulders."""

from __future__ import annotations

from sheet import BRICK, CORAL, DEEP, INK, MOSS, NAVY, OCHRE, PAPER, PLUM, TEAL, Sheet

PEOPLE: dict[str, dict[str, str]] = {
    "ines-carballo": {
        "back": "#d8a98b",
        "skin": "#d9a27a",
        "hair": "#3a2620",
        "cut": "bob",
        "coat": NAVY,
        "glasses": "round",
    },
    "thomas-wetherell": {
        "back": "#8fb3b5",
        "skin": "#d8997a",
        "hair": "#b9b2a4",
        "cut": "short",
        "coat": DEEP,
        "beard": "full",
    },
    "salma-benhaddou": {
        "back": "#e0b866",
        "skin": "#b97c56",
        "hair": "#1d1a1e",
        "cut": "long",
        "coat": BRICK,
    },
    "ruth-oakley": {
        "back": "#a9bfa0",
        "skin": "#e0ae8c",
        "hair": "#d7cfc2",
        "cut": "bun",
        "coat": PLUM,
        "glasses": "round",
    },
    "brais-outeiro": {
        "back": "#cfdcd2",
        "skin": "#d39a72",
        "hair": "#5b3a26",
        "cut": "curls",
        "coat": TEAL,
        "beard": "short",
    },
    "nadim-khoury": {
        "back": "#b7c79a",
        "skin": "#c08a62",
        "hair": "#2a2220",
        "cut": "short",
        "coat": MOSS,
        "glasses": "square",
    },
    "marta-valdes": {"back": "#e3b79d", "skin": "#dba680", "hair": "#a3502f", "cut": "pony", "coat": OCHRE},
    "idris-lamrani": {
        "back": "#9fb8c4",
        "skin": "#8f5f42",
        "hair": "#17151a",
        "cut": "cap",
        "coat": CORAL,
        "beard": "short",
    },
}


def hair_behind(s: Sheet, hair: str, cut: str) -> None:
    """What falls behind the head and neck."""
    if cut == "long":
        s.path("M112 170q-10 -96 88 -98t88 98q6 100 22 160H90q18 -60 22 -160Z", hair)
    elif cut == "bob":
        s.path("M108 250q-18 -170 92 -172t92 172q-20 12 -44 4H150q-24 6 -42 -4Z", hair)
    elif cut == "pony":
        s.path("M262 120q70 10 52 110q-4 36 -26 56q4 -70 -40 -110Z", hair)
    elif cut == "bun":
        s.circle(200, 70, 34, hair)


def hair_front(s: Sheet, hair: str, cut: str) -> None:
    """What lies on the forehead."""
    if cut == "cap":
        s.path("M124 150q-2 -76 76 -76t76 76Z", "#2f4a58")
        s.path("M120 146q90 -22 176 -2q18 4 18 14q-100 -20 -194 4Z", INK)
    elif cut == "curls":
        for x, y, r in (
            (136, 136, 26),
            (158, 104, 30),
            (198, 90, 32),
            (238, 102, 30),
            (264, 134, 26),
            (200, 114, 34),
        ):
            s.circle(x, y, r, hair)
    elif cut in ("long", "bob"):
        s.path("M122 184q-6 -96 78 -96t78 96q-14 -52 -60 -66q-44 34 -96 66Z", hair)
    else:
        s.path("M124 176q-8 -90 76 -92t76 92q-10 -40 -30 -50q-52 10 -92 0q-22 14 -30 50Z", hair)


def portrait(name: str, look: dict[str, str]) -> Sheet:
    """A head and shoulders, 400 pixels square."""
    s = Sheet(name, width=400, height=400)
    skin, hair, cut, coat = look["skin"], look["hair"], look["cut"], look["coat"]
    s.rect(0, 0, 400, 400, look["back"])
    s.circle(200, 190, 168, PAPER, opacity=0.28)
    hair_behind(s, hair, cut)
    s.path("M30 400q6 -104 110 -118q60 -8 120 0q104 14 110 118Z", coat)
    s.path("M166 240h68v56q-34 34 -68 0Z", skin)
    s.path("M166 256q34 26 68 0v18q-34 26 -68 0Z", INK, opacity=0.14)
    s.path("M150 284q50 66 100 0l18 10q-66 90 -136 0Z", INK, opacity=0.24)
    s.ellipse(126, 186, 13, 19, skin)
    s.ellipse(274, 186, 13, 19, skin)
    s.path("M126 160q0 -70 74 -70t74 70q4 100 -74 106q-78 -6 -74 -106Z", skin)
    s.path("M200 90q74 0 74 70q4 100 -74 106q44 -60 34 -110T200 90Z", INK, opacity=0.07)
    if look.get("beard") == "full":
        s.path("M124 186q14 30 40 24q36 -12 72 0q26 6 40 -24q10 92 -76 104q-86 -12 -76 -104Z", hair)
        s.path("M172 226q28 20 56 0q-28 -10 -56 0Z", BRICK)
    else:
        if look.get("beard") == "short":
            s.path(
                "M128 196q12 30 36 20q36 -14 72 0q24 10 36 -20q0 66 -72 72q-72 -6 -72 -72Z",
                hair,
                opacity=0.55,
            )
        s.stroke("M174 228q26 20 52 0", BRICK, 6)
    s.circle(168, 180, 7, INK)
    s.circle(232, 180, 7, INK)
    s.stroke("M150 158q16 -10 34 -2M216 156q18 -8 34 2", hair if hair > "#9" else INK, 5)
    s.stroke("M200 182q10 22 -6 26", INK, 3.5, opacity=0.4)
    s.circle(148, 212, 13, CORAL, opacity=0.25)
    s.circle(252, 212, 13, CORAL, opacity=0.25)
    hair_front(s, hair, cut)
    if look.get("glasses") == "round":
        s.stroke("M192 180h16M144 174l-16 -6M256 174l16 -6", INK, 4)
        for x in (168, 232):
            s.circle(x, 181, 24, "none", stroke=INK, stroke_width=4)
    elif look.get("glasses") == "square":
        s.stroke("M192 178h16M142 174l-14 -6M258 174l14 -6", INK, 4)
        for x in (143, 208):
            s.rect(x, 162, 49, 38, "none", rx=8, stroke=INK, stroke_width=4)
    s.specks(60, INK, y1=400, opacity=0.12)
    return s
