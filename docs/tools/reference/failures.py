"""Errors, checks, and the kinds of input in a trace."""

from __future__ import annotations

import inspect
import re

from toolkit import errors, trace
from toolkit.checks.catalogue import CHECKS, ERROR
from toolkit.i18n.check import check_ids

from .docstrings import arguments, read_doc, table


def error_tree() -> str:
    """The tree, as the module draws it."""
    drawn = re.search(r"^::\n\n(.*?)\n\n\S", inspect.cleandoc(errors.__doc__ or ""), re.M | re.S)
    assert drawn is not None  # noqa: S101 - it is drawn
    return "```text\n" + inspect.cleandoc(drawn[1]) + "\n```"


def error_classes() -> str:
    """A heading for each exception."""
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    kinds.sort(key=lambda kind: inspect.getsourcelines(kind)[1])
    parts = []
    for kind in kinds:
        doc = read_doc(kind)
        own = arguments(doc) or arguments(doc, "Attributes")
        parts.append(f"### `{kind.__name__}`\n\n{doc.text}" + (f"\n\n{own}" if own else ""))
    return "\n\n".join(parts)


def checks() -> str:
    """A heading for each of the checks of ``toolkit check``."""
    parts = []
    for name, check in CHECKS.items():
        kind = "An error" if check.severity == ERROR else "A warning"
        parts.append(f"### `{name}`\n\n{kind}: {_escaped(check.finds)}.\n\n{_escaped(check.mend)}")
    return "\n\n".join(parts)


def _escaped(text: str) -> str:
    """Tags, and marks of templates and of Markdown, as text."""
    return re.sub(r"(<[^>]+>|\{\{.*?\}\}|\w+_\w+|--\w+|\w+\(\w*\)|\|\w+)", r"`\1`", text)


def message_checks() -> str:
    """What ``toolkit messages check`` finds."""
    return table(["check", "severity", "finds"], [[f"`{name}`", *map(str, row)] for name, row in check_ids().items()])


def input_kinds() -> str:
    """The kinds of input, from the trace's own words."""
    text = inspect.cleandoc(trace.Input.__doc__ or "")
    rows = re.findall(r"^- ``(\w+)``: (.*?); digest of (.*)$", text, re.M)
    shown = [[f"`{kind}`", re.sub(r"``", "`", key), re.sub(r"``", "`", value)] for kind, key, value in rows]
    return table(["kind", "key", "what its digest is of"], shown)
