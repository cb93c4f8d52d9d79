"""Addresses inside ``{% trans %}``: the body only names variables, so their filters go where they are bound.

``{% trans url=u %}Read <a href="{{ url }}">more</a>{% endtrans %}`` is compiled as if it began
``{% trans url=(u)|_url %}``. The message stays what was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jinja2.lexer import Token

_DEEPER = {"lparen": 1, "lbracket": 1, "lbrace": 1, "rparen": -1, "rbracket": -1, "rbrace": -1}
_WORDS = ("trimmed", "notrimmed")


def bind_filters(opening: list[Token], needed: Mapping[str, str]) -> Iterator[Token]:
    """The tokens of an opening tag, with filters added to its bindings.

    Args:
        opening: From ``trans`` to before the end of the tag.
        needed: Variable name to the name of the filter it needs.
    """
    start = 1
    while start < len(opening) and _is_option(opening, start):
        start += 1
    yield from opening[:start]
    items = _items(opening[start:])
    line = opening[0].lineno
    bound = {item[0].value for item in items if item}
    items += [[Token(line, "name", name)] for name in needed if name not in bound]
    for number, item in enumerate(items):
        if number:
            yield Token(line, "comma", ",")
        yield from _bound(item, needed)


def _is_option(opening: list[Token], index: int) -> bool:
    """A context, or ``trimmed``; a variable may be called so too."""
    token = opening[index]
    after = opening[index + 1].type if index + 1 < len(opening) else ""
    return token.type == "string" or (token.type == "name" and token.value in _WORDS and after != "assign")


def _items(tokens: list[Token]) -> list[list[Token]]:
    items: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += _DEEPER.get(token.type, 0)
        if token.type == "comma" and depth == 0:
            items.append([])
        else:
            items[-1].append(token)
    return [item for item in items if item]


def _bound(item: list[Token], needed: Mapping[str, str]) -> Iterator[Token]:
    name, line = item[0].value, item[0].lineno
    if name not in needed:
        yield from item
        return
    value = item[2:] if len(item) > 1 else item
    yield from (item[0], Token(line, "assign", "="), Token(line, "lparen", "("), *value)
    yield from (Token(line, "rparen", ")"), Token(line, "pipe", "|"), Token(line, "name", needed[name]))
