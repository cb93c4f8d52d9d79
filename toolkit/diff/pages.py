"""The differences as one HTML page to look at: self-contained, and written as they come."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from toolkit.diff.blocks import is_akin, word_changes
from toolkit.diff.compare import Difference
from toolkit.diff.trees import url_path
from toolkit.text import escape_html

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Two builds side by side</title><style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; border-top: 1px solid #999; padding-top: 1rem; overflow-wrap: anywhere }
h2 small { font-weight: normal; color: #555 } p { margin: .3rem 0; padding: .1rem .5rem; overflow-wrap: anywhere }
ins { background: #d6f5d6; color: #043c04 } del { background: #fbdcdc; color: #5c0606 }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #eee } h2 small { color: #bbb }
ins { background: #124d12; color: #dfd } del { background: #641616; color: #fdd } }
</style></head><body><h1>Two builds side by side</h1>
"""


def write_page(differences: Iterable[Difference], place: Path) -> None:
    """Write a page that shows differences."""
    with place.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        for one in differences:
            file.write(_section(one))
        file.write("</body></html>\n")


def _section(one: Difference) -> str:
    was = f" (was {escape_html(url_path(one.was))})" if one.was else ""
    sizes = f"{one.old_size:,} → {one.new_size:,} bytes"
    lines = [f"<h2>{escape_html(one.url)}{was} <small>{one.kind} · {sizes}</small></h2>\n"]
    for change in one.changes:
        for old, new in change.pairs():
            lines.append(f"<p>{_paragraph(old, new)}</p>\n")
    return "".join(lines)


def _paragraph(old: str, new: str) -> str:
    if not is_akin(old, new):
        return "<br>".join(f"<{tag}>{escape_html(text)}</{tag}>" for tag, text in (("del", old), ("ins", new)) if text)
    tags = {"old": "del", "new": "ins"}
    return "".join(
        escape_html(text) if kind == "same" else f"<{tags[kind]}>{escape_html(text)}</{tags[kind]}>"
        for kind, text in word_changes(old, new)
    )
