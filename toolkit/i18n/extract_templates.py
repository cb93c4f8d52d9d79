"""Messages in Jinja templates.

The template is parsed by the environment that renders it, and the calls are read from the tree that Jinja
compiles: ``{% trans %}`` is there as the call that it becomes, so that the msgid found is the msgid looked
up, to the last blank. Calls are found wherever an expression may stand: in arguments of macros, call blocks,
filters, tests, lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import TemplateError, ToolkitError

from .catalog import Message
from .extract_python import SIGNATURES, TRANSLATORS

if TYPE_CHECKING:
    from jinja2 import Environment, nodes

_FUNCTIONS = {"_": SIGNATURES["gettext"], **SIGNATURES}


def extract_template(
    environment: Environment, path: Path, *, location: str, problems: list[ToolkitError]
) -> list[Message]:
    """The messages of a template.

    A comment ``{# Translators: … #}`` goes with the next message after it, and the others on that line.

    Args:
        environment: The environment that renders it.
        path: The file.
        location: Its name in catalogs.
        problems: Gets what is wrong: syntax, and texts put together before they are translated.
    """
    from jinja2 import TemplateSyntaxError, nodes

    try:
        source = path.read_text(encoding="utf-8")
        tree = environment.parse(source, location, str(path))
        comments = _translator_comments(environment, source)
    except TemplateError as problem:  # a site's environment tells Jinja's errors in our words
        problems.append(problem)
        return []
    except TemplateSyntaxError as problem:
        message = problem.message or "this cannot be parsed"
        problems.append(TemplateError(message, path=path, line=problem.lineno))
        return []
    except (OSError, UnicodeDecodeError) as problem:
        problems.append(TemplateError(f"the template cannot be read: {problem}", path=path))
        return []
    found: list[Message] = []
    for call in tree.find_all(nodes.Call):
        found += _read_call(call, path=path, location=location, problems=problems)
    return _with_comments(found, comments)


def _read_call(call: nodes.Call, *, path: Path, location: str, problems: list[ToolkitError]) -> Iterator[Message]:
    """The messages of one call; several when its text is ``"a" if x else "b"``."""
    from jinja2 import nodes

    name = call.node.name if isinstance(call.node, nodes.Name) else ""
    signature = _FUNCTIONS.get(name)
    if signature is None or len(call.args) <= signature.msgid[0]:
        return
    plural, context = _text(call, signature.plural), _text(call, signature.context)
    if (signature.plural and plural is None) or (signature.context and context is None):
        return
    argument = call.args[signature.msgid[0]]
    texts = list(_texts(argument))
    if not texts and _is_put_together(argument):
        problems.append(_put_together(path=path, line=call.lineno))
    for msgid in texts:
        yield Message(msgid, context, plural, (location,), line=call.lineno)


def _text(call: nodes.Call, where: tuple[int, str] | None) -> str | None:
    if where is None or len(call.args) <= where[0]:
        return None
    return next(_texts(call.args[where[0]]), None)


def _texts(node: nodes.Expr) -> Iterator[str]:
    """The texts that an argument may be, worked out by Jinja as it would at run time."""
    from jinja2 import nodes

    if isinstance(node, nodes.CondExpr):
        yield from _texts(node.expr1)
        if node.expr2 is not None:
            yield from _texts(node.expr2)
        return
    try:
        value = node.as_const()
    except nodes.Impossible:
        return
    if isinstance(value, str):
        yield str(value)


def _is_put_together(node: nodes.Expr) -> bool:
    from jinja2 import nodes

    return isinstance(node, (nodes.Concat, nodes.Mod, nodes.Add)) and any(
        isinstance(part.value, str) for part in node.find_all(nodes.Const)
    )


def _put_together(*, path: Path, line: int) -> TemplateError:
    return TemplateError(
        "this text is put together before it is translated, so no catalog can have it",
        path=path,
        line=line,
        hint="Translate first, then fill in: _('Hello %(name)s', name=name), or {% trans %}Hello {{ name }}.",
    )


def _translator_comments(environment: Environment, source: str) -> list[tuple[int, str]]:
    """(line it ends on, text) of the comments for translators, in order."""
    found = []
    for line, kind, text in environment.lex(source):
        if kind in ("comment", "linecomment") and text.strip().startswith(TRANSLATORS):
            words = " ".join(text.strip().removeprefix(TRANSLATORS).split())
            found.append((line + text.count("\n"), words))
    return found


def _with_comments(messages: list[Message], comments: list[tuple[int, str]]) -> list[Message]:
    """Give each comment to the messages on the first line, from its own on, that has any."""
    lines = sorted({message.line for message in messages})
    by_line: dict[int, list[str]] = {}
    for end, text in comments:
        line = next((line for line in lines if line >= end), None)
        if line is not None:
            by_line.setdefault(line, []).append(text)
    return [replace(message, comments=tuple(by_line.get(message.line, ()))) for message in messages]
