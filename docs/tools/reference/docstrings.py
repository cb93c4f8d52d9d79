"""Docstrings as Markdown: the sentence, the arguments as a list, what is raised, where a rule comes from."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Source):(?:[ ](.+))?$")
_ITEM = re.compile(r"^    (\*{0,2}\w[\w., ]*): (.*)$")


@dataclass
class Doc:
    """A docstring, taken apart.

    Attributes:
        text: The paragraphs before the sections.
        items: Section to (name, what it means).
    """

    text: str = ""
    items: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The first paragraph, on one line."""
        return " ".join(self.text.partition("\n\n")[0].split())


def read_doc(thing: Any) -> Doc:
    """The docstring of a class, function or property.

    Raises:
        LookupError: It has none, so the reference cannot speak of it.
    """
    own = vars(thing).get("__doc__") if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    if not own:
        raise LookupError(f"{getattr(thing, '__qualname__', thing)} has no docstring")
    return parse_doc(inspect.cleandoc(own))


def parse_doc(text: str) -> Doc:
    """A docstring's text, taken apart."""
    doc, section, lines = Doc(), "", []
    for line in text.splitlines():
        found = _SECTION.match(line)
        if found:
            section = found[1]
            doc.items[section] = [("", found[2])] if found[2] else []
        elif not section:
            lines.append(line)
        else:
            _add_line(doc.items[section], line)
    doc.text = to_markdown("\n".join(lines).strip())
    doc.items = {name: [(key, to_markdown(said)) for key, said in items] for name, items in doc.items.items()}
    return doc


def _add_line(items: list[tuple[str, str]], line: str) -> None:
    """One line of a section: a new item, or more of the last."""
    found = _ITEM.match(line)
    if found:
        items.append((found[1], found[2]))
    elif line.strip() and items:
        name, said = items[-1]
        items[-1] = (name, f"{said} {line.strip()}")
    elif line.strip():
        items.append(("", line.strip()))


def to_markdown(text: str) -> str:
    """reStructuredText's inline marks as Markdown's, and literal blocks as fences."""
    text = re.sub(r":\w+:`~?([^`<]+)`", r"`\1`", text)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    return re.sub(r"(?m)(^)?::\n\n((?:    .*(?:\n|$)|\n(?=    ))+)", _fence, text)


def _fence(match: re.Match[str]) -> str:
    body = "\n".join(line[4:] for line in match[2].rstrip("\n").split("\n"))
    language = "html" if "{%" in body or "{{" in body else "python"
    before = "" if match[1] is not None else ":\n\n"
    return f"{before}```{language}\n{body}\n```\n"


def arguments(doc: Doc, section: str = "Args") -> str:
    """A section as a list; empty when there is none."""
    items = doc.items.get(section, [])
    return "\n".join(f"- `{name}`: {said}" for name, said in items if name)


def cell(text: str) -> str:
    """Text for a cell of a table: one line, its bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def table(headers: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(cell(one) for one in line) + " |" for line in lines)
