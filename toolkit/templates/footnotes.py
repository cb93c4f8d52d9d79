"""Footnotes as readers know them: gathered at the end, each with a way back.

pulldown-cmark leaves a definition where it was written and gives it its bare label as id.
"""

from __future__ import annotations

import re

from markupsafe import escape

from .sanitizing import unescape

_REFERENCE = re.compile(r'<sup class="footnote-reference"><a href="#([^"]*)">([^<]*)</a></sup>')
_DEFINITION = re.compile(
    r'<div class="footnote-definition" id="([^"]*)"><sup class="footnote-definition-label">[^<]*</sup>'
)
_DIV = re.compile(r"<(/?)div\b[^>]*>")


def gather_footnotes(markup: str, *, prefix: str = "") -> str:
    """HTML with its footnotes in a list at the end, in the order they are first referred to.

    Args:
        markup: As pulldown-cmark writes it.
        prefix: Before every id.
    """
    markup, definitions = _taken_out(markup)
    uses: dict[str, int] = {}
    order: list[str] = []
    numbers: dict[str, int] = {}

    def reference(match: re.Match[str]) -> str:
        label = unescape(match[1])
        if label not in uses:
            order.append(label)
            numbers[label] = len(order)
        uses[label] = uses.get(label, 0) + 1
        number = numbers[label]
        here = _reference_id(label, uses[label], prefix)
        return f'<sup class="footnote-reference"><a href="#{_id(label, prefix)}" id="{here}">{number}</a></sup>'

    markup = _REFERENCE.sub(reference, markup)
    notes: list[str] = []
    done = 0
    while done < len(order):  # a note may refer to further notes
        notes.append(_REFERENCE.sub(reference, definitions.get(order[done], "")))
        done += 1
    items = [_note(label, body, uses[label], prefix) for label, body in zip(order, notes, strict=True)]
    return markup + '<section class="footnotes">\n<ol>\n' + "".join(items) + "</ol>\n</section>\n" if items else markup


def _taken_out(markup: str) -> tuple[str, dict[str, str]]:
    """The HTML without its definitions, and each label's definition."""
    pieces: list[str] = []
    definitions: dict[str, str] = {}
    position = 0
    while match := _DEFINITION.search(markup, position):
        end, after = _end_of_div(markup, match.end())
        pieces.append(markup[position : match.start()])
        definitions.setdefault(unescape(match[1]), markup[match.end() : end].strip())
        position = after
        if markup.startswith("\n", position):
            position += 1
    return "".join([*pieces, markup[position:]]), definitions


def _end_of_div(markup: str, start: int) -> tuple[int, int]:
    """Where the div that is open at ``start`` is closed: before and after its end tag."""
    depth = 1
    for match in _DIV.finditer(markup, start):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.start(), match.end()
    return len(markup), len(markup)


def _note(label: str, body: str, count: int, prefix: str) -> str:
    back = " ".join(
        f'<a href="#{_reference_id(label, number, prefix)}" role="doc-backlink">↩︎</a>' for number in range(1, count + 1)
    )
    if body.endswith("</p>"):
        body = f"{body.removesuffix('</p>')} {back}</p>"
    else:
        body = f"{body}\n<p>{back}</p>"
    return f'<li id="{_id(label, prefix)}">\n{body}\n</li>\n'


def _id(label: str, prefix: str) -> str:
    return str(escape(f"{prefix}fn-{_name(label)}"))


def _reference_id(label: str, number: int, prefix: str) -> str:
    return str(escape(f"{prefix}fnref-{_name(label)}" + (f"-{number}" if number > 1 else "")))


def _name(label: str) -> str:
    return re.sub(r"\s+", "-", label)
